"""The arguments of `az acr scope`. Imported only when one of its commands runs."""

from typing import Any


def load_arguments(loader: Any, _command: str) -> None:
    from azure.cli.core.commands.parameters import get_enum_type, get_resource_name_completion_list

    from azext_acrscope._validators import validate_registry

    with loader.argument_context("acr scope") as c:
        c.argument(
            "registry_name",
            options_list=["--name", "-n", "--registry", "-r"],
            help="The registry: its name, its login server, or its resource ID. "
            "A default can be set with `az config set defaults.acr=NAME`.",
            completer=get_resource_name_completion_list("Microsoft.ContainerRegistry/registries"),
            configured_default="acr",
            validator=validate_registry,
        )

    with loader.argument_context("acr scope enforce") as c:
        c.argument(
            "status",
            arg_type=get_enum_type(["disabled", "enabled"]),
            default="disabled",
            help="The status to set: `disabled` accepts ACR-audience tokens only; `enabled` accepts ARM-audience "
            "tokens too, as every registry does by default.",
        )
        c.argument(
            "dry_run",
            options_list=["--dry-run"],
            action="store_true",
            help="Show what would change, and write nothing.",
        )

    with loader.argument_context("acr scope login") as c:
        c.argument(
            "expose_token",
            options_list=["--expose-token"],
            action="store_true",
            help="Print the ACR refresh token instead of handing it to a container client.",
        )

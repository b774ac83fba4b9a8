"""The arguments of `az acr scope`, a file for each group of commands. Imported only when one of its commands runs."""

from typing import Any

_SIGN_IN = ("acr scope login", "acr scope logout", "acr scope configure-docker")


def load_arguments(loader: Any, command: str | None) -> None:
    """Load the arguments of a command, or of all commands if `command` is None."""
    from azext_acrscope._params import policy, registries, sign_in

    _load_shared(loader)
    if not command or command.startswith(_SIGN_IN):
        sign_in.load(loader)
    if not command or command.startswith("acr scope policy"):
        policy.load(loader)
    if not command or not command.startswith((*_SIGN_IN, "acr scope policy")):
        registries.load(loader)


def _load_shared(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_resource_name_completion_list

    from azext_acrscope._validators import (
        validate_all_subscriptions,
        validate_management_group,
        validate_registry,
        validate_resource_group,
    )

    with loader.argument_context("acr scope") as c:
        c.argument(
            "registry_name",
            options_list=["--name", "-n", "--registry", "-r"],
            help="The registry, by its name, its login server, or its resource ID. "
            "`az config set defaults.acr=NAME` sets a default.",
            completer=get_resource_name_completion_list("Microsoft.ContainerRegistry/registries"),
            configured_default="acr",
            validator=validate_registry,
        )
        c.argument(
            "all_subscriptions",
            options_list=["--all-subscriptions"],
            action="store_true",
            help="Select all subscriptions that the signed-in account can see.",
            validator=validate_all_subscriptions,
        )
        c.argument(
            "management_group",
            options_list=["--management-group"],
            help="Select all subscriptions below the management group of this name.",
            validator=validate_management_group,
        )
        c.argument("resource_group_name", validator=validate_resource_group)
        c.argument(
            "select_all",
            options_list=["--all"],
            action="store_true",
            help="Select all registries of the subscription.",
        )
        c.argument(
            "knowledge",
            options_list=["--knowledge"],
            help="A file with what your team knows better, in the form of the extension's consumers/knowledge.json. "
            "Its entries replace those for the same kind and sign-in.",
        )

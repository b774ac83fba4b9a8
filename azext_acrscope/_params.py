"""The arguments of `az acr scope`. Imported only when one of its commands runs."""

import argparse
from typing import Any

STATUSES = ["disabled", "enabled"]


class Collect(argparse.Action):
    """Adds up the values of an option, however often it is given; what the configuration says is replaced.

    Where there are choices, they are meant in any case, as everywhere in the CLI.
    """

    def __call__(self, _parser: Any, namespace: Any, values: Any, _option: str | None = None) -> None:
        if self.choices:
            values = [next(each for each in self.choices if each.lower() == value.lower()) for value in values]
        before = getattr(namespace, self.dest, None)
        setattr(namespace, self.dest, [*(before if isinstance(before, list) else []), *values])


def load_arguments(loader: Any, command: str | None) -> None:
    from azure.cli.core.commands.parameters import get_enum_type, get_resource_name_completion_list

    from azext_acrscope._validators import (
        validate_check,
        validate_consumers,
        validate_ids,
        validate_registry,
        validate_selection,
        validate_tags,
        validate_wave,
    )

    several_registries = _several_registries()
    if not command or command.startswith(("acr scope login", "acr scope logout", "acr scope configure-docker")):
        _sign_in_arguments(loader, several_registries)
        _helper_arguments(loader, several_registries)
    if not command or command.startswith("acr scope policy"):
        _policy_arguments(loader)
        _policy_show_arguments(loader)

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

    with loader.argument_context("acr scope") as c:
        c.argument(
            "all_subscriptions",
            options_list=["--all-subscriptions"],
            action="store_true",
            help="All subscriptions that the signed-in account can see.",
        )
        c.argument(
            "management_group",
            options_list=["--management-group"],
            help="The name of a management group: all subscriptions below it.",
        )

    with loader.argument_context("acr scope show") as c:
        c.argument(
            "policy",
            options_list=["--policy"],
            action="store_true",
            help="Show also which Azure Policy assignments govern the registry.",
        )

    with loader.argument_context("acr scope list") as c:
        c.argument("status", arg_type=get_enum_type(STATUSES), help="List only the registries with this status.")
        c.argument(
            "live",
            options_list=["--live"],
            action="store_true",
            help="Ask Azure Resource Manager itself, subscription by subscription, instead of Resource Graph, which is "
            "faster but lags behind changes by up to minutes.",
        )
        c.argument(
            "require",
            arg_type=get_enum_type(STATUSES),
            help="Fail unless every registry in view has this status and everything in view could be read.",
        )

    with loader.argument_context("acr scope check") as c:
        c.argument("registry_name", several_registries, validator=validate_check)
        c.argument(
            "select_all", options_list=["--all"], action="store_true", help="All registries of the subscription."
        )
        c.argument(
            "skip_arm_probe",
            options_list=["--skip-arm-probe"],
            action="store_true",
            help="Send no ARM-audience token. Whether a registry is enforced in effect is then unknown.",
        )

    with loader.argument_context("acr scope consumers") as c:
        c.argument("registry_name", several_registries, validator=validate_consumers)
        c.argument(
            "select_all", options_list=["--all"], action="store_true", help="All registries of the subscription."
        )
        c.argument(
            "knowledge",
            options_list=["--knowledge"],
            help="A file with what your team knows better, in the form of the extension's consumers/knowledge.json: "
            "its entries take the place of those for the same kind and sign-in.",
        )
        c.argument(
            "fail_on",
            options_list=["--fail-on"],
            arg_type=get_enum_type(["breaks", "unknown"]),
            help="Fail if a consumer breaks; with `unknown`, also if one is unknown or something could not be read.",
        )

    with loader.argument_context("acr scope enforce") as c:
        c.argument("registry_name", several_registries, validator=validate_selection)
        c.argument(
            "verify",
            options_list=["--verify"],
            action="store_true",
            help="Afterwards see, with a token of each audience, whether the status is in effect, and wait for it: two "
            "minutes, or as `az config set acrscope.verify_timeout=SECONDS` says. With --wave or --canary, a wave that "
            "cannot be verified is restored and ends the run.",
        )
        c.argument(
            "status",
            arg_type=get_enum_type(STATUSES),
            help="The status to set, by default `disabled`. `disabled` accepts ACR-audience tokens only; `enabled` "
            "accepts ARM-audience tokens too, as every registry does by default.",
        )
        c.argument(
            "dry_run",
            options_list=["--dry-run"],
            action="store_true",
            help="Show what would change, and write nothing.",
        )
        c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask before changing many.")

    with loader.argument_context("acr scope enforce", arg_group="Consumers") as c:
        c.argument(
            "skip_consumers",
            options_list=["--skip-consumers"],
            action="store_true",
            help="Do not ask first who uses the registries and would break; the record says so.",
        )
        c.argument(
            "include_breaking",
            options_list=["--include-breaking"],
            action="store_true",
            help="Change also registries with consumers that are known to break; of many, they are left out otherwise.",
        )
        c.argument(
            "knowledge",
            options_list=["--knowledge"],
            help="A file with what your team knows better, as for `az acr scope consumers`.",
        )

    with loader.argument_context("acr scope enforce", arg_group="Selection") as c:
        c.argument(
            "ids", options_list=["--ids"], nargs="+", action=Collect, help="Resource IDs.", validator=validate_ids
        )
        c.argument(
            "select_all", options_list=["--all"], action="store_true", help="All registries of the subscription."
        )
        c.argument(
            "tags",
            options_list=["--tag"],
            nargs="+",
            action=Collect,
            help="KEY=VALUE: of those selected, only registries with this tag; several must all be there.",
            validator=validate_tags,
        )
        c.argument(
            "exclude",
            options_list=["--exclude"],
            nargs="+",
            action=Collect,
            help="Registries to leave alone, by name, login server or ID.",
        )

    with loader.argument_context("acr scope enforce", arg_group="Roll-out") as c:
        c.argument(
            "wave",
            options_list=["--wave"],
            help="Change this share of the registries first, such as 10%%; go on only if none of them failed.",
            validator=validate_wave,
        )
        c.argument(
            "canary",
            options_list=["--canary"],
            nargs="+",
            action=Collect,
            help="Change these registries first; go on only if none of them failed.",
        )
        c.argument(
            "record_file",
            options_list=["--record"],
            help="The file to keep the record of the run in; it must not exist yet. By default a new one in acrscope/ "
            "in the CLI's configuration directory.",
        )
        c.argument(
            "undo",
            options_list=["--undo"],
            help="Take back what the run with this record changed, except where it was changed back since.",
        )


def _several_registries() -> Any:
    from knack.arguments import CLIArgumentType

    return CLIArgumentType(
        options_list=["--name", "-n", "--registry", "-r"],
        nargs="+",
        action=Collect,
        help="The registries, each by its name, its login server, or its resource ID. "
        "A default can be set with `az config set defaults.acr=NAME`.",
        configured_default="acr",
    )


def _sign_in_arguments(loader: Any, several_registries: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope import clients
    from azext_acrscope._validators import (
        TOKEN_FORMATS,
        validate_identity,
        validate_login,
        validate_logout,
        validate_min_ttl,
        validate_repositories,
    )
    from azext_acrscope.access import PERMISSIONS
    from azext_acrscope.first_hop import CREDENTIALS

    with loader.argument_context("acr scope login") as c:
        c.argument("registry_name", several_registries, validator=validate_login)
        c.argument(
            "endpoint",
            options_list=["--endpoint"],
            nargs="+",
            action=Collect,
            help="Regions: sign in to the regional login servers there instead of the global one. `all` signs in to "
            "the global one and every regional one.",
        )
        c.argument(
            "min_ttl",
            options_list=["--min-ttl"],
            validator=validate_min_ttl,
            help="Do nothing for a registry whose stored credential, whoever's it is, lives at least that long, such "
            "as 45m or 1h30m.",
        )

    with loader.argument_context("acr scope logout") as c:
        c.argument("registry_name", several_registries, validator=validate_logout)
        c.argument(
            "select_all",
            options_list=["--all"],
            action="store_true",
            help="All registries of the cloud in use that a sign-in stored something for.",
        )

    for command in ("login", "logout"):
        with loader.argument_context(f"acr scope {command}", arg_group="Destination") as c:
            c.argument(
                "client_name",
                options_list=["--client"],
                arg_type=get_enum_type(list(clients.KINDS)),
                help="The container client whose own login is used. By default the program that DOCKER_COMMAND names, "
                "else docker, else podman; without any, docker's configuration is written by docker's rules.",
            )
            c.argument(
                "auth_file",
                options_list=["--auth-file"],
                help="A credential file, in the form of docker's config.json and the containers' auth.json; no client "
                "is needed.",
            )

    with loader.argument_context("acr scope login", arg_group="Destination") as c:
        c.argument(
            "expose_token",
            options_list=["--expose-token"],
            action="store_true",
            help="Print the token instead of storing it.",
        )
        c.argument(
            "token_format",
            options_list=["--token-format"],
            arg_type=get_enum_type(TOKEN_FORMATS),
            help="How --expose-token prints it: an object; the content of a Kubernetes secret of that type; or lines "
            "of NAME=value, for the environment files of pipelines.",
        )

    with loader.argument_context("acr scope login", arg_group="Least privilege") as c:
        c.argument(
            "repository",
            options_list=["--repository"],
            nargs="+",
            action=Collect,
            validator=validate_repositories,
            help="Hand over an access token (75 minutes) that opens these repositories and nothing else.",
        )
        c.argument(
            "permission",
            arg_type=get_enum_type(list(PERMISSIONS)),
            options_list=["--permission"],
            nargs="+",
            action=Collect,
            help="What it may do there, by default `pull`. `push` includes `pull`.",
        )

    for command in ("login", "configure-docker"):
        with loader.argument_context(f"acr scope {command}", arg_group="Identity") as c:
            c.argument(
                "credential",
                arg_type=get_enum_type(CREDENTIALS, default="cli"),
                help="Who signs in. `cli` is the account of `az login`; all others need no `az login` and never ask "
                "Azure Resource Manager. What each needs is in the environment.",
                validator=validate_identity,
            )
            c.argument(
                "client_id",
                options_list=["--client-id"],
                help="The client ID of the application, or of one of several managed identities. By default that of "
                "the environment (AZURE_CLIENT_ID, in Azure Pipelines AZURESUBSCRIPTION_CLIENT_ID) or, for "
                "`managed-identity`, the system-assigned one.",
            )
            c.argument(
                "tenant",
                options_list=["--tenant"],
                help="The tenant to sign in to: by default that of the subscription for `cli`, else of the environment "
                "(AZURE_TENANT_ID, in Azure Pipelines AZURESUBSCRIPTION_TENANT_ID).",
            )


def _helper_arguments(loader: Any, several_registries: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope import clients
    from azext_acrscope._validators import validate_configure_docker

    with loader.argument_context("acr scope configure-docker") as c:
        c.argument("registry_name", several_registries, validator=validate_configure_docker)
        c.argument(
            "select_all", options_list=["--all"], action="store_true", help="All registries of the subscription."
        )
        c.argument(
            "client_name",
            options_list=["--client"],
            arg_type=get_enum_type(list(clients.KINDS), default="docker"),
            help="Whose file to edit. Most clients read that of docker, too.",
        )
        c.argument(
            "bin_dir",
            options_list=["--bin-dir"],
            help="The directory for docker-credential-acrscope. By default where it is already, else the first "
            "directory on PATH that is your own, such as ~/.local/bin.",
        )
        c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask before changing files.")
        c.argument(
            "remove",
            options_list=["--remove"],
            action="store_true",
            help="Undo it: for the registries named, else for all. Also forgets their cached credentials.",
        )


def _policy_arguments(loader: Any) -> None:
    """The arguments of `az acr scope policy`; scopes are named as everywhere."""
    _policy_assign_arguments(loader)


def _policy_assign_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope.policy.definitions import EFFECTS, ENFORCEMENT_MODES, LANGUAGES

    for command in ("assign", "unassign"):
        with loader.argument_context(f"acr scope policy {command}") as c:
            c.argument(
                "management_group",
                options_list=["--management-group"],
                help="The scope is this management group, by its name. By default it is the subscription.",
            )
            c.argument(
                "resource_group_name",
                options_list=["--resource-group", "-g"],
                help="The scope is this resource group. A default group of the configuration does not count here.",
            )
            c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask.")
            c.argument(
                "dry_run",
                options_list=["--dry-run"],
                action="store_true",
                help="Show what would change, and write nothing.",
            )

    with loader.argument_context("acr scope policy assign") as c:
        c.argument(
            "effect",
            arg_type=get_enum_type(list(EFFECTS)),
            help="`audit` (the default for a new assignment) reports, `deny` also refuses to create or update a "
            "registry that would accept ARM-audience tokens, `modify` sets the status of created and updated ones.",
        )
        c.argument(
            "assignment_name",
            options_list=["--assignment-name"],
            help="By default `acrscope` for audit and deny, `acrscope-modify` for modify, so that a repeat changes "
            "nothing.",
        )
        c.argument("display_name", options_list=["--display-name"], help="What the portal shows.")
        c.argument(
            "not_scopes",
            options_list=["--not-scopes"],
            nargs="*",
            action=Collect,
            help="IDs of subscriptions, resource groups or registries inside the scope to leave out; without any, "
            "none is left out any more.",
        )
        c.argument(
            "enforcement_mode",
            arg_type=get_enum_type(list(ENFORCEMENT_MODES)),
            options_list=["--enforcement-mode"],
            help="`do-not-enforce` reports without refusing or changing anything.",
        )
        c.argument(
            "non_compliance_message",
            options_list=["--non-compliance-message"],
            help="What Azure tells whoever it refuses, and shows beside non-compliant registries.",
        )
        c.argument(
            "print_as",
            options_list=["--print"],
            arg_type=get_enum_type(LANGUAGES),
            help="Print the same as a template, and write nothing; nothing is asked of Azure.",
        )

    with loader.argument_context("acr scope policy assign", arg_group="Identity (modify)") as c:
        c.argument(
            "location",
            options_list=["--location", "-l"],
            help="Where the assignment's managed identity is kept. By default that of the resource group; it does not "
            "limit which registries are covered.",
        )
        c.argument(
            "identity",
            options_list=["--identity"],
            help="The resource ID of a user-assigned managed identity to use. By default the assignment gets one of "
            "its own.",
        )

    with loader.argument_context("acr scope policy unassign") as c:
        c.argument(
            "assignment_name",
            options_list=["--assignment-name"],
            help="By default the one that `az acr scope policy assign` made at the scope.",
        )


def _policy_show_arguments(loader: Any) -> None:
    from azext_acrscope._validators import validate_policy_registry

    with loader.argument_context("acr scope policy show") as c:
        c.argument(
            "registry_name",
            options_list=["--name", "-n", "--registry", "-r"],
            help="One registry: its name, its login server, or its resource ID.",
            configured_default="acr",
            validator=validate_policy_registry,
        )
        c.argument(
            "refresh",
            options_list=["--refresh"],
            action="store_true",
            help="Have Azure Policy evaluate the scope first, and wait for it: that takes minutes.",
        )
        c.argument(
            "live",
            options_list=["--live"],
            action="store_true",
            help="Of a management group, read the statuses from Azure Resource Manager itself, a request for each "
            "subscription, instead of Resource Graph.",
        )

    with loader.argument_context("acr scope policy remediate") as c:
        c.argument(
            "assignment",
            options_list=["--assignment"],
            help="The assignment, by its name or its ID; needed only where several with the effect modify govern.",
        )
        c.argument(
            "enforce_rest",
            options_list=["--enforce-rest"],
            action="store_true",
            help="Set directly what is still not `disabled` after it, as `az acr scope enforce` does.",
        )
        c.argument(
            "dry_run",
            options_list=["--dry-run"],
            action="store_true",
            help="Show which registries it is about, and start nothing.",
        )
        c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask before changing many.")
        c.argument(
            "record_file",
            options_list=["--record"],
            help="The file to keep the record of --enforce-rest in; by default a new one in acrscope/ in the CLI's "
            "configuration directory.",
        )

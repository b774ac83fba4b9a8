"""The arguments of `az acr scope policy`."""

from typing import Any

from azext_acrscope._params.shared import CollectValues


def load(loader: Any) -> None:
    """Load the arguments of all commands of the group."""
    _assign_arguments(loader)
    _show_arguments(loader)


def _assign_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope._validators import validate_assignment_name, validate_typed_group
    from azext_acrscope.policy.definitions import EFFECTS, ENFORCEMENT_MODES, TEMPLATE_LANGUAGES

    for command in ("assign", "unassign"):
        with loader.argument_context(f"acr scope policy {command}") as c:
            c.argument(
                "management_group",
                options_list=["--management-group"],
                help="Use the management group of this name as the scope. The default is the subscription.",
            )
            c.argument(
                "resource_group_name",
                options_list=["--resource-group", "-g"],
                help="Use this resource group as the scope. A default group from the configuration does not count.",
                validator=validate_typed_group,
            )
            c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")
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
            help="`audit` (the default for a new assignment) reports. `deny` also refuses to create or update a "
            "registry that would accept ARM-audience tokens. `modify` sets the status of created and updated ones.",
        )
        c.argument(
            "assignment_name",
            options_list=["--assignment-name"],
            validator=validate_assignment_name,
            help="The name of the assignment. The default is `acrscope` for audit and deny, and `acrscope-modify` for "
            "modify, so that a repeat changes nothing.",
        )
        c.argument("display_name", options_list=["--display-name"], help="The name that the portal shows.")
        c.argument(
            "not_scopes",
            options_list=["--not-scopes"],
            nargs="*",
            action=CollectValues,
            help="IDs of subscriptions, resource groups or registries inside the scope to leave out. Without a value, "
            "the option clears the list.",
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
            help="The message that Azure returns when it refuses, and shows beside non-compliant registries.",
        )
        c.argument(
            "print_as",
            options_list=["--print"],
            arg_type=get_enum_type(TEMPLATE_LANGUAGES),
            help="Print the same as a template. Nothing is written to Azure, and nothing is read from it.",
        )

    with loader.argument_context("acr scope policy assign", arg_group="Identity (modify)") as c:
        c.argument(
            "location",
            options_list=["--location", "-l"],
            help="The location of the assignment's managed identity, by default that of the resource group. It does "
            "not limit which registries are covered.",
        )
        c.argument(
            "identity",
            options_list=["--identity"],
            help="The resource ID of a user-assigned managed identity. By default the assignment gets an identity of "
            "its own.",
        )

    with loader.argument_context("acr scope policy unassign") as c:
        c.argument(
            "assignment_name",
            options_list=["--assignment-name"],
            validator=validate_assignment_name,
            help="The name of the assignment. The default is the one that `az acr scope policy assign` made there.",
        )


def _show_arguments(loader: Any) -> None:
    from azext_acrscope._validators import validate_policy_registry

    with loader.argument_context("acr scope policy show") as c:
        c.argument(
            "registry_name",
            options_list=["--name", "-n", "--registry", "-r"],
            help="One registry, by its name, its login server, or its resource ID.",
            configured_default="acr",
            validator=validate_policy_registry,
        )
        c.argument(
            "refresh",
            options_list=["--refresh"],
            action="store_true",
            help="Have Azure Policy evaluate the scope first, and wait. That takes minutes.",
        )
        c.argument(
            "live",
            options_list=["--live"],
            action="store_true",
            help="For a management group, read the statuses from Azure Resource Manager itself (a request for each "
            "subscription) instead of Resource Graph.",
        )

    with loader.argument_context("acr scope policy remediate") as c:
        c.argument(
            "assignment",
            options_list=["--assignment"],
            help="The assignment, by its name or its ID. Required only if several with the effect modify govern.",
        )
        c.argument(
            "enforce_rest",
            options_list=["--enforce-rest"],
            action="store_true",
            help="Afterward set directly what is still not `disabled`, as `az acr scope enforce` does.",
        )
        c.argument(
            "dry_run",
            options_list=["--dry-run"],
            action="store_true",
            help="Show which registries would be changed, and start nothing.",
        )
        c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")
        c.argument(
            "record_file",
            options_list=["--record"],
            help="The file for the record of --enforce-rest. The default is a new file in acrscope/ in the CLI's "
            "configuration directory.",
        )

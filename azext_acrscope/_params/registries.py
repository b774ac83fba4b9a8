"""The arguments of the commands about registries themselves."""

from typing import Any

from azext_acrscope._params.shared import STATUSES, CollectValues, several_registries, source_folders


def load(loader: Any) -> None:
    """Load the arguments of the commands on registries."""
    for command in ("check", "consumers", "enforce"):
        with loader.argument_context(f"acr scope {command}") as c:
            c.argument(
                "resource_group_name",
                options_list=["--resource-group", "-g"],
                help="The group whose registries to select, or in which to look up those of --name. A default group "
                "from the configuration only says where a name is looked up.",
            )
    _read_arguments(loader)
    _report_arguments(loader)
    _enforce_arguments(loader)


def _read_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope._validators import (
        validate_azure_devops,
        validate_check,
        validate_consumers,
        validate_days,
        validate_workspace,
    )

    with loader.argument_context("acr scope show") as c:
        c.argument(
            "policy",
            options_list=["--policy"],
            action="store_true",
            help="Also show which Azure Policy assignments govern the registry.",
        )
        c.argument(
            "sign_ins",
            options_list=["--sign-ins"],
            action="store_true",
            help="Also read the other sign-in methods that Azure keeps below the registry: repository tokens and "
            "connected registries, and what passes the network rules. Three more requests.",
        )

    with loader.argument_context("acr scope list") as c:
        c.argument("status", arg_type=get_enum_type(STATUSES), help="List only the registries with this status.")
        c.argument(
            "live",
            options_list=["--live"],
            action="store_true",
            help="Read Azure Resource Manager itself, subscription by subscription, instead of Resource Graph, which "
            "is faster but up to minutes behind changes.",
        )
        c.argument(
            "require",
            arg_type=get_enum_type(STATUSES),
            help="Fail unless every registry in scope has this status and everything in scope could be read.",
        )

    with loader.argument_context("acr scope check") as c:
        c.argument("registry_name", several_registries(), validator=validate_check)
        c.argument(
            "skip_arm_probe",
            options_list=["--skip-arm-probe"],
            action="store_true",
            help="Send no ARM-audience token. It is then unknown whether a registry is enforced in effect.",
        )

    with loader.argument_context("acr scope consumers") as c:
        c.argument("registry_name", several_registries(), validator=validate_consumers)
        c.argument(
            "fail_on",
            options_list=["--fail-on"],
            arg_type=get_enum_type(["breaks", "unknown"]),
            help="`breaks`: fail if a consumer breaks or, with --workspace, a client is newly refused. `unknown`: also "
            "fail if a consumer is unknown (except through a broad inherited role) or something could not be read.",
        )

        c.argument("source", source_folders())

    with loader.argument_context("acr scope consumers", arg_group="Azure DevOps") as c:
        c.argument(
            "azure_devops",
            options_list=["--azure-devops"],
            nargs="+",
            action=CollectValues,
            help="Azure DevOps organizations, by name, whose service connections to search, with what uses them. Alone "
            "it needs no registry: all connections to Azure registries are listed.",
            validator=validate_azure_devops,
        )

    with loader.argument_context("acr scope consumers", arg_group="Log") as c:
        c.argument(
            "workspace",
            options_list=["--workspace"],
            help="The Log Analytics workspace with the registries' log of sign-ins (ContainerRegistryLoginEvents), by "
            "its ID (a GUID) or its resource ID. Shows who signed in, and who signed in before and is refused now.",
            validator=validate_workspace,
        )
        c.argument(
            "days",
            options_list=["--days"],
            help="How many days of the log to read, 1 to 90. The default is 7.",
            validator=validate_days,
        )


def _report_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope._validators import validate_report
    from azext_acrscope.report import FORMATS

    with loader.argument_context("acr scope report") as c:
        c.argument(
            "document_format",
            options_list=["--format"],
            arg_type=get_enum_type(list(FORMATS)),
            help="The format. The default follows the ending of --file (.html, .md, .csv, .sarif), else html.",
            validator=validate_report,
        )
        c.argument(
            "file",
            options_list=["--file", "-f"],
            help="The file to write. It replaces an existing one. Without it, the document is printed, whatever "
            "--output says.",
        )
        c.argument(
            "live",
            options_list=["--live"],
            action="store_true",
            help="Read the statuses from Azure Resource Manager itself instead of Resource Graph.",
        )

    with loader.argument_context("acr scope report", arg_group="Content") as c:
        c.argument(
            "run_check",
            options_list=["--check"],
            action="store_true",
            help="Check every registry with a token of each audience, as `az acr scope check` does. Implies --live.",
        )
        c.argument(
            "evidence",
            options_list=["--evidence"],
            nargs="+",
            action=CollectValues,
            help="Files with what `az acr scope check` printed as JSON earlier. They count for registries whose status "
            "is still the same.",
        )
        c.argument(
            "skip_consumers",
            options_list=["--skip-consumers"],
            action="store_true",
            help="Do not search for consumers.",
        )
        c.argument(
            "skip_policy",
            options_list=["--skip-policy"],
            action="store_true",
            help="Do not read Azure Policy.",
        )
        c.argument(
            "sign_ins",
            options_list=["--sign-ins"],
            action="store_true",
            help="Also read the repository tokens and connected registries of each registry, and what passes its "
            "network rules. Three more requests for each registry.",
        )
        c.argument("knowledge")
        c.argument("source", source_folders())


def _enforce_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope._validators import (
        validate_ids,
        validate_preflight_source,
        validate_selection,
        validate_tags,
        validate_wave,
    )

    with loader.argument_context("acr scope enforce") as c:
        c.argument("registry_name", several_registries(), validator=validate_selection)
        c.argument(
            "verify",
            options_list=["--verify"],
            action="store_true",
            help="Afterward verify with a token of each audience that the status is in effect. Waits for two minutes, "
            "or as `az config set acrscope.verify_timeout=SECONDS` says. With --wave or --canary, a wave that cannot "
            "be verified is restored and ends the run.",
        )
        c.argument(
            "status",
            arg_type=get_enum_type(STATUSES),
            help="The status to set. `disabled` (the default here) accepts only ACR-audience tokens. `enabled` also "
            "accepts ARM-audience tokens, as every registry does by default.",
        )
        c.argument(
            "dry_run",
            options_list=["--dry-run"],
            action="store_true",
            help="Show what would change, and write nothing.",
        )
        c.argument(
            "yes",
            options_list=["--yes", "-y"],
            action="store_true",
            help="Do not ask before changing several registries, or one whose consumers break or could not be read.",
        )

    with loader.argument_context("acr scope enforce", arg_group="Consumers") as c:
        c.argument(
            "skip_consumers",
            options_list=["--skip-consumers"],
            action="store_true",
            help="Do not search for consumers that would break. The result and the record say so.",
        )
        c.argument(
            "include_breaking",
            options_list=["--include-breaking"],
            action="store_true",
            help="Also change registries whose consumers would break; a bulk run leaves them out otherwise. Also "
            "continue if part of the search for consumers failed.",
        )
        c.argument("knowledge")
        c.argument("source", source_folders(), validator=validate_preflight_source)

    with loader.argument_context("acr scope enforce", arg_group="Selection") as c:
        c.argument(
            "ids",
            options_list=["--ids"],
            nargs="+",
            action=CollectValues,
            help="Registries by their resource IDs.",
            validator=validate_ids,
        )
        c.argument("select_all")  # as everywhere, among the others
        c.argument(
            "tags",
            options_list=["--tag"],
            nargs="+",
            action=CollectValues,
            help="Only registries with this tag, as KEY=VALUE. Several tags must all be there.",
            validator=validate_tags,
        )
        c.argument(
            "exclude",
            options_list=["--exclude"],
            nargs="+",
            action=CollectValues,
            help="Registries to leave out, by name, login server or ID.",
        )

    with loader.argument_context("acr scope enforce", arg_group="Roll-out") as c:
        c.argument(
            "wave",
            options_list=["--wave"],
            help="Change this share of the registries first, such as 10%%. Continue only if none of them failed.",
            validator=validate_wave,
        )
        c.argument(
            "canary",
            options_list=["--canary"],
            nargs="+",
            action=CollectValues,
            help="Change these registries first. Continue only if none of them failed.",
        )
        c.argument(
            "record_file",
            options_list=["--record"],
            help="The file for the record of the run. It must not exist yet. The default is a new file in acrscope/ in "
            "the CLI's configuration directory.",
        )
        c.argument(
            "undo",
            options_list=["--undo"],
            help="Take back what the run with this record changed, except what was changed back since.",
        )

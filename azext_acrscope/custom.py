"""The commands about registries themselves: each reads its input, calls the rooms, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions. The CLI calls
the commands with keyword arguments, by the names that `_params` describes.
"""

import shlex
from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors
from azext_acrscope._command import (
    configured_seconds,
    connect_to_registry,
    connection_factory,
    impatient,
    operation_timeout_seconds,
)
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.enforcement import errors as enforcement_errors

if TYPE_CHECKING:
    from azext_acrscope.arm.log_analytics import WorkspaceRef
    from azext_acrscope.base.tokens import EntraToken
    from azext_acrscope.enforcement.preflight import ConsumerPreflight
    from azext_acrscope.enforcement.run import ChangeVerifier
    from azext_acrscope.verification.probe import Prober

_DEFAULT_VERIFY_SECONDS = 120
_DEFAULT_LOG_DAYS = 7


def show(
    cmd: Any,
    *,
    registry_name: RegistryRef,
    resource_group_name: str | None = None,
    policy: bool = False,
    sign_ins: bool = False,
) -> dict[str, Any]:
    """Show which token audiences a registry accepts; the shape is that of `registry.resource.describe_registry`.

    With `policy` also `policies`, a list of ``{id, name, effect, enforcementMode, exempt}``. With `sign_ins`,
    `otherSignIns` has also what `registry.sign_ins.read_sign_ins` returns.
    """
    from azext_acrscope.base import console
    from azext_acrscope.registry import resource as registry_resource

    arm, resource = connect_to_registry(cmd, registry_name, resource_group_name)
    result = registry_resource.describe_registry(resource, arm.audience)
    if sign_ins:
        from azext_acrscope.registry import sign_ins as registry_sign_ins

        more, unread = registry_sign_ins.read_sign_ins(arm, resource)
        console.warn(unread)
        result["otherSignIns"] |= more
    if policy:
        from azext_acrscope.policy import compliance, context, effective_rules

        found = effective_rules.read_effective_rules(arm, context.registry_scope(resource["id"]))
        console.warn(found.incomplete)
        result["policies"] = compliance.registry_policies(found, resource["id"])
    return result


def list_(
    cmd: Any,
    *,
    resource_group_name: str | None = None,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    status: str | None = None,
    live: bool = False,
    require: str | None = None,
) -> list[dict[str, Any]]:
    """List registries with their status; the shape is that of `fleet.summary.fleet_row`. `require` makes it a check."""
    from azext_acrscope.base import console
    from azext_acrscope.fleet import live as fleet_live
    from azext_acrscope.fleet import scope as fleet_scope
    from azext_acrscope.fleet import summary

    wanted = fleet_scope.choose_scope(cmd.cli_ctx, resource_group_name, all_subscriptions, management_group)
    seen = fleet_live.read_fleet(cmd.cli_ctx, wanted, live)
    audience = cmd.cli_ctx.cloud.endpoints.active_directory_resource_id
    rows = [summary.fleet_row(resource, seen, audience) for resource in seen.registries]
    console.tell(summary.summarize_fleet(rows, seen, wanted))
    console.warn([*summary.unread_lines(seen.unreadable), *seen.incomplete])
    if missed := require and summary.requirement_error(rows, seen, str(require)):
        console.fail_after_output(cmd.cli_ctx, missed)
    return [row for row in rows if status in (None, row["status"])]


def enforce(  # pylint: disable=too-many-locals  # twenty of them are its options
    cmd: Any,
    *,
    registry_name: list[RegistryRef] | None = None,
    resource_group_name: str | None = None,
    status: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    ids: list[RegistryRef] | None = None,
    select_all: bool = False,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    tags: dict[str, str] | None = None,
    exclude: list[str] | None = None,
    wave: float | None = None,
    canary: list[str] | None = None,
    record_file: str | None = None,
    undo: str | None = None,
    verify: bool = False,
    skip_consumers: bool = False,
    include_breaking: bool = False,
    knowledge: str | None = None,
    source: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Set the status of registries. Return a row for each, of the shape of `workflow.enforcement_rows`."""
    from azext_acrscope.base import console
    from azext_acrscope.enforcement import plan, record, run, workflow

    named = (*(registry_name or []), *(ids or []))
    scope = None
    if not (named or undo):
        scope = _selected_scope(cmd.cli_ctx, resource_group_name, select_all, all_subscriptions, management_group)
    connect = connection_factory(cmd.cli_ctx, patient=True)
    rows, failed = workflow.enforce_registries(
        workflow.AzureAccess(cmd.cli_ctx, connect, impatient(connect)),
        plan.Selection(named, resource_group_name, scope, tags or {}, tuple(exclude or ())),
        workflow.RequestedChange(
            target=status or "disabled",
            undo=undo,
            dry_run=dry_run,
            yes=yes,
            preflight=None
            if skip_consumers
            else _make_preflight(cmd.cli_ctx, knowledge, yes, include_breaking, source),
        ),
        run.Rollout(
            record_file=record.choose_record_file(record_file, cmd.cli_ctx.config.config_dir),
            operation_seconds=operation_timeout_seconds(cmd),
            waves=plan.WaveSettings(frozenset(name.lower() for name in canary or ()), wave or 0.0),
            verifier=_make_verifier(cmd) if verify else None,
        ),
    )
    if failed:
        console.fail_after_output(cmd.cli_ctx, failed)
    return rows


def _make_verifier(cmd: Any) -> "ChangeVerifier":
    """Return what verifies changes, its settings read before anything is written."""
    from azext_acrscope.enforcement import run

    seconds = configured_seconds(cmd, "verify_timeout", _DEFAULT_VERIFY_SECONDS)
    return run.ChangeVerifier(_make_prober(cmd.cli_ctx), seconds)


def _make_preflight(
    cli_ctx: Any, knowledge: str | None, yes: bool, include_breaking: bool, source: list[str] | None
) -> "ConsumerPreflight":
    from azext_acrscope.consumers import knowledge as consumers_knowledge
    from azext_acrscope.enforcement import preflight

    known = consumers_knowledge.load_knowledge(knowledge)
    return preflight.ConsumerPreflight(cli_ctx, known, yes, include_breaking, tuple(source or ()))


def check(
    cmd: Any,
    *,
    registry_name: list[RegistryRef] | None = None,
    resource_group_name: str | None = None,
    select_all: bool = False,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    skip_arm_probe: bool = False,
) -> Any:
    """Check registries: the object of the one named, else a row for each; the shape is that of `check.check_rows`."""
    from azext_acrscope.base import console
    from azext_acrscope.fleet import live as fleet_live
    from azext_acrscope.fleet import summary
    from azext_acrscope.verification import check as registry_check

    suffix = hosts.login_server_suffix(cmd.cli_ctx.cloud)
    unread: dict[str, str] = {}
    if registry_name:
        connect = connection_factory(cmd.cli_ctx, patient=True)
        chosen = registry_check.read_targets(connect, list(dict.fromkeys(registry_name)), resource_group_name, suffix)
    else:
        wanted = _selected_scope(cmd.cli_ctx, resource_group_name, select_all, all_subscriptions, management_group)
        seen = fleet_live.read_live_fleet(cmd.cli_ctx, wanted)
        unread = seen.unreadable
        console.warn(summary.unread_lines(unread))
        chosen = [registry_check.CheckTarget(each["name"], each) for each in seen.registries]
        if not (chosen or unread):
            raise enforcement_errors.nothing_matches(wanted.text)
    rows = registry_check.check_rows(
        chosen, _make_prober(cmd.cli_ctx, skip_arm_probe), console.progress_meter(cmd.cli_ctx)
    )
    if failed := registry_check.check_error(rows, len(unread)):
        console.fail_after_output(cmd.cli_ctx, failed)
    return rows[0] if registry_name and len(rows) == 1 else rows


def _make_prober(cli_ctx: Any, skip_arm: bool = False) -> "Prober":
    """The two-token probe as the signed-in account; a setting that names ARM's audience twice would prove nothing."""
    from azext_acrscope.base import console
    from azext_acrscope.base.tokens import ACR_AUDIENCE
    from azext_acrscope.hops import entra, principals
    from azext_acrscope.verification import probe

    arm = str(cli_ctx.cloud.endpoints.active_directory_resource_id)
    acr = entra.registry_audience(cli_ctx)
    if acr.rstrip("/") == arm.rstrip("/"):
        console.warn([_errors.arm_audience_not_used(acr)])
        acr = ACR_AUDIENCE

    def acquire(audience: str, subscription: str | None) -> "EntraToken":
        return entra.acquire_token(cli_ctx, audience, principals.RequestedIdentity(subscription=subscription))

    return probe.Prober(acquire, acr, arm, hosts.login_server_suffix(cli_ctx.cloud), skip_arm)


def _selected_scope(
    cli_ctx: Any,
    resource_group: str | None,
    select_all: bool,
    all_subscriptions: bool,
    management_group: str | None,
) -> Any:
    """Return the scope of a command over many registries."""
    from azext_acrscope.fleet import scope as fleet_scope

    if not (resource_group or select_all or all_subscriptions or management_group):
        raise _errors.nothing_selected()
    if select_all and (resource_group or all_subscriptions or management_group):
        raise base_errors.exclusive("--all", "--resource-group, --all-subscriptions or --management-group")
    return fleet_scope.choose_scope(cli_ctx, resource_group, all_subscriptions, management_group)


def consumers(  # pylint: disable=too-many-locals  # a dozen of them are its options
    cmd: Any,
    *,
    registry_name: list[RegistryRef] | None = None,
    resource_group_name: str | None = None,
    select_all: bool = False,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    knowledge: str | None = None,
    fail_on: str | None = None,
    workspace: "WorkspaceRef | None" = None,
    days: int | None = None,
    azure_devops: list[str] | None = None,
    source: list[str] | None = None,
) -> dict[str, Any]:
    """Return who uses registries, and who breaks once they are enforced; the shape is that of `search.search_tenants`.

    With `workspace` also who signed in to them, and who is refused now. With `azure_devops` also the service
    connections of organizations, see `azure_devops.add_service_connections`, and with `source` what code does, see
    `code.output.add_findings`; both need no registry, and `source` alone requests nothing.
    """
    from azext_acrscope.arm.azure_devops import connect_devops
    from azext_acrscope.arm.log_analytics import LogAnalytics
    from azext_acrscope.base import console
    from azext_acrscope.consumers import azure_devops as service_connections
    from azext_acrscope.consumers import checklist, output, search, selection
    from azext_acrscope.consumers import knowledge as consumers_knowledge
    from azext_acrscope.consumers.checklist import Search
    from azext_acrscope.consumers.code import output as code_output
    from azext_acrscope.consumers.code import scan
    from azext_acrscope.consumers.login_log import LoginLog

    facts = consumers_knowledge.load_knowledge(knowledge)
    log = LoginLog(LogAnalytics(cmd.cli_ctx, workspace), days or _DEFAULT_LOG_DAYS) if workspace else None
    suffix = hosts.login_server_suffix(cmd.cli_ctx.cloud)
    selected = registry_name or resource_group_name or select_all or all_subscriptions or management_group
    found, elsewhere = search.no_registries(), list[Search]()
    if selected:
        searches = selection.choose_searches(
            cmd.cli_ctx, registry_name, resource_group_name, all_subscriptions, management_group
        )
        found = search.search_tenants(searches, facts, suffix, log)
    if azure_devops:
        connections = service_connections.add_service_connections(
            found,
            lambda name: connect_devops(cmd.cli_ctx, name),
            azure_devops,
            knowledge=facts,
            suffix=suffix,
            selected=bool(selected),
        )
        elsewhere.append(connections)
    if source:
        servers = [row["loginServer"] for row in found["registries"]] if selected else None
        places = scan.search_code(source, facts, servers)
        code_output.add_findings(found, places)
        elsewhere.append(places.as_search)
    found["manualChecks"] = checklist.checklist_rows(facts, elsewhere)
    options = selection.selection_options(
        registry_name,
        resource_group_name,
        all_subscriptions,
        management_group,
        cmd.cli_ctx.data.get("subscription_id"),
    )
    elsewhere_asked = ["--azure-devops", *azure_devops] if azure_devops else []
    elsewhere_asked += ["--source", *source] if source else []
    options = " ".join([*([options] if selected else []), *([shlex.join(elsewhere_asked)] if elsewhere_asked else [])])
    console.tell([*output.consumers_summary(found, options), *code_output.code_summary(found)])
    console.warn(output.consumers_warnings(found))
    if failed := fail_on and output.fail_on_error(found, str(fail_on)):
        console.fail_after_output(cmd.cli_ctx, failed)
    return found


def report(
    cmd: Any,
    *,
    resource_group_name: str | None = None,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    live: bool = False,
    document_format: str | None = None,
    file: str | None = None,
    run_check: bool = False,
    evidence: list[str] | None = None,
    skip_consumers: bool = False,
    skip_policy: bool = False,
    knowledge: str | None = None,
    sign_ins: bool = False,
    source: list[str] | None = None,
) -> dict[str, Any] | None:
    """Write the state of a fleet as one document: to a file (returns `model.report_numbers`), else to stdout."""
    from azext_acrscope.base import console
    from azext_acrscope.consumers import knowledge as consumers_knowledge
    from azext_acrscope.fleet import scope as fleet_scope
    from azext_acrscope.report import evidence as report_evidence
    from azext_acrscope.report import gather, model
    from azext_acrscope.report import output as report_output

    kind = report_output.choose_format(document_format, file)
    if file:
        report_output.check_report_file(file)
    else:
        console.refuse_query(cmd.cli_ctx, "a report that is printed: --file writes it, and numbers are printed")
    wanted = gather.ReportRequest(
        scope=fleet_scope.choose_scope(cmd.cli_ctx, resource_group_name, all_subscriptions, management_group),
        live=live,
        knowledge=None if skip_consumers else consumers_knowledge.load_knowledge(knowledge),
        policy=not skip_policy,
        prober=_make_prober(cmd.cli_ctx) if run_check else None,
        proven=report_evidence.read_check_files(evidence or []),
        sign_ins=sign_ins,
        source=tuple(source or ()),
    )
    found = gather.gather_content(
        cmd.cli_ctx, wanted, connection_factory(cmd.cli_ctx, patient=True), console.progress_meter(cmd.cli_ctx)
    )
    console.warn([*found.unread, *report_output.format_remarks(found, kind)])
    text = report_output.render_report(found, kind)
    if not file:
        console.print_document(text)
        return None
    report_output.save_report(file, text)
    return {"file": file, "format": kind, **model.report_numbers(found)}

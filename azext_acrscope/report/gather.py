"""Reading all that a report says, each part once; what one part lacks never keeps the others from being told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient, ArmError, Connect
from azext_acrscope.base import clock, hosts, threads
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.consumers import checklist, search, selection
from azext_acrscope.consumers.code import scan
from azext_acrscope.consumers.knowledge import Knowledge, load_knowledge
from azext_acrscope.fleet import live as fleet_live
from azext_acrscope.fleet import scope as fleet_scope
from azext_acrscope.fleet import summary
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.policy import compliance, effective_rules, scopes
from azext_acrscope.policy.scopes import PolicyScope
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry import sign_ins
from azext_acrscope.report import errors, evidence
from azext_acrscope.report.model import ReportContent, ReportedRegistry, ReportOrigin
from azext_acrscope.verification import check
from azext_acrscope.verification.probe import Prober

_SIGN_IN_READERS = 3  # registries at the same time, with three requests each


@dataclass(frozen=True)
class ReportRequest:  # pylint: disable=too-many-instance-attributes  # the options of the command
    """What a report is to hold.

    :ivar knowledge: None leaves consumers out.
    :ivar prober: if there, every registry is checked, and statuses are read from ARM itself: one of Resource Graph
        that lags would look like a disagreement.
    :ivar source: folders of code to search.
    :ivar proven: rows of earlier checks (see `evidence.read_check_files`).
    :ivar sign_ins: whether each registry's other sign-in methods are read (see `sign_ins.read_sign_ins`).
    """

    scope: fleet_scope.Scope
    live: bool
    knowledge: Knowledge | None
    policy: bool
    prober: Prober | None
    proven: dict[str, dict[str, Any]]
    sign_ins: bool = False
    source: tuple[str, ...] = ()


def gather_content(
    cli_ctx: Any, wanted: ReportRequest, connect: Connect, watch: Callable[[int, int, int], None]
) -> ReportContent:
    """Read the fleet, its consumers, what governs it, and what is proven of it.

    :param watch: is told of the progress of the checks.
    :raises ResourceNotFoundError: there is no registry in view.
    :raises ForbiddenError, AzureResponseError …: the fleet as a whole could not be read.
    """
    wanted = replace(wanted, live=wanted.live or wanted.prober is not None)
    seen = fleet_live.read_fleet(cli_ctx, wanted.scope, wanted.live)
    unread = [*summary.unread_lines(seen.unreadable), *seen.incomplete]
    if not seen.registries:
        raise errors.nothing_to_report(unread)
    audience = cli_ctx.cloud.endpoints.active_directory_resource_id
    registries = [ReportedRegistry(summary.fleet_row(each, seen, audience)) for each in seen.registries]
    content = ReportContent(
        _report_origin(cli_ctx, wanted, connect), registries, dict(seen.subscriptions), unread=unread
    )
    by_id = {each.id.lower(): each for each in registries}
    if wanted.knowledge:
        _add_consumers(content, by_id, seen, knowledge=wanted.knowledge, connect=connect, cli_ctx=cli_ctx)
    if wanted.source:
        _add_source(content, wanted)
    if wanted.policy:
        _add_policy(content, by_id, seen, scope=wanted.scope, connect=connect, audience=audience)
    if wanted.sign_ins:
        _add_sign_ins(content, seen, connect)
    _add_evidence(content, by_id, wanted.proven)
    if wanted.prober:
        targets = [check.CheckTarget(each["name"], each) for each in seen.registries]
        for row in check.check_rows(targets, wanted.prober, watch):
            by_id[str(row["id"]).lower()].proof = evidence.evidence_of_check(row)
    content.unread += errors.checks_without_result(
        [each.name for each in content.registries if each.proof and not each.proof.proves]
    )
    content.sort()
    return content


def _report_origin(cli_ctx: Any, wanted: ReportRequest, connect: Connect) -> ReportOrigin:
    from importlib.metadata import PackageNotFoundError, version

    scope, accounts = wanted.scope, wanted.scope.subscriptions
    tenants = [connect(None).tenant] if scope.management_group else [each.tenant for each in accounts]
    try:
        ours = version("acrscope")
    except PackageNotFoundError:
        ours = "unknown"
    return ReportOrigin(
        made=clock.utc_now(),
        by=", ".join(dict.fromkeys(each.user for each in accounts)),
        tenants=tuple(dict.fromkeys(tenants)),
        cloud=str(cli_ctx.cloud.name),
        scope=scope.text,
        version=ours,
        live=wanted.live,
    )


# --- consumers -----------------------------------------------------------------------------------------------------


def _add_consumers(
    content: ReportContent,
    by_id: dict[str, ReportedRegistry],
    seen: Fleet,
    *,
    knowledge: Knowledge,
    connect: Connect,
    cli_ctx: Any,
) -> None:
    expected = partial(selection.known_subscriptions, cli_ctx)
    found = search.find_fleet_consumers(
        connect, seen.registries, knowledge, hosts.login_server_suffix(cli_ctx.cloud), expected
    )
    content.consumers_asked = True
    content.manual_checks = checklist.checklist_rows(knowledge)
    content.unread += map(errors.of_consumers, dict.fromkeys([*found.unread, *found.incomplete]))
    for key, rows in found.consumers.items():
        if key in by_id:
            by_id[key].consumers = rows
            by_id[key].partial = key in found.partial


def _add_source(content: ReportContent, wanted: ReportRequest) -> None:
    servers = [str(each.row["loginServer"] or "") for each in content.registries]
    found = scan.search_code(wanted.source, wanted.knowledge or load_knowledge(), [each for each in servers if each])
    content.add_source(found)
    content.unread += map(errors.of_code, found.incomplete)
    if wanted.knowledge:
        content.manual_checks = checklist.checklist_rows(wanted.knowledge, [found.as_search])


# --- other sign-in methods ------------------------------------------------------------------------------------------


def _add_sign_ins(content: ReportContent, seen: Fleet, connect: Connect) -> None:
    """Read them registry by registry, a few at the same time."""
    content.sign_ins_asked = True

    def read(resource: registry_resource.RegistryResource) -> tuple[dict[str, Any], list[str]]:
        return sign_ins.read_sign_ins(connect(parse_resource_id(str(resource["id"])).subscription), resource)

    found = threads.map_bounded(read, seen.registries, _SIGN_IN_READERS)
    for registry, (more, unread) in zip(content.registries, found, strict=True):
        registry.row["otherSignIns"] |= more
        content.unread += unread


# --- policy --------------------------------------------------------------------------------------------------------


def _add_policy(
    content: ReportContent,
    by_id: dict[str, ReportedRegistry],
    seen: Fleet,
    *,
    scope: fleet_scope.Scope,
    connect: Connect,
    audience: str,
) -> None:
    """What governs, and what Azure Policy has seen; each subscription that holds registries is a scope of its own,
    unless a management group or a resource group is.
    """
    content.assignments = []
    places = _policy_scopes(seen, scope, connect)
    answers = threads.try_each(
        lambda each: _read_compliance(each[0], each[1], seen, audience), places, (ArmError, AzCLIError)
    )
    for (_, place), answer in zip(places, answers, strict=True):
        if isinstance(answer, Exception):
            content.unread.append(errors.compliance_unread(place.text, str(answer)))
            content.policy_partial = True
            continue
        result, incomplete = answer
        content.policy_partial |= bool(incomplete)
        content.unread += map(errors.of_policy, incomplete)
        _merge_assignments(content.assignments, result["assignments"])
        for row in result["registries"]:
            by_id[str(row["id"]).lower()].policy = row


def _merge_assignments(known: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    """One assignment above several subscriptions is one row, with the numbers of all of them."""
    by_key = {(each["id"].lower(), each["reference"]): each for each in known}
    for each in more:
        same = by_key.get((each["id"].lower(), each["reference"]))
        if same is None:
            known.append(each)
        else:
            same |= {name: same[name] + each[name] for name in ("registries", "exempt", "nonCompliant")}


def _policy_scopes(seen: Fleet, scope: fleet_scope.Scope, connect: Connect) -> list[tuple[ArmClient, PolicyScope]]:
    if scope.management_group or scope.resource_group:
        arm = connect(None)
        return [(arm, scopes.choose_scope(arm, scope.management_group, scope.resource_group))]
    holding = dict.fromkeys(parse_resource_id(str(each["id"])).subscription for each in seen.registries)
    named = ((each, seen.subscriptions.get(each.lower(), each)) for each in holding)
    return [(connect(each), scopes.subscription_scope(each, name)) for each, name in named]


def _read_compliance(
    arm: ArmClient, scope: PolicyScope, seen: Fleet, audience: str
) -> tuple[dict[str, Any], list[str]]:
    """Return what `az acr scope policy show` prints for a scope, and sentences on what could not be read of it."""
    inside = seen
    if not scope.management_group:
        inside = replace(
            seen, registries=[each for each in seen.registries if scopes.scope_contains(scope.path, each["id"])]
        )
    found = effective_rules.read_effective_rules(arm, scope)
    states, unread = compliance.read_states(arm, scope)
    return compliance.compliance_result(scope, found, inside, states, audience), [*found.incomplete, *unread]


# --- proof ---------------------------------------------------------------------------------------------------------


def _add_evidence(
    content: ReportContent, by_id: dict[str, ReportedRegistry], proven: dict[str, dict[str, Any]]
) -> None:
    """Earlier checks, where the status is still what it was then."""
    strangers, stale = 0, list[str]()
    for key, row in proven.items():
        registry = by_id.get(key)
        if registry is None:
            strangers += 1
        elif row["status"] != registry.status:
            stale.append(registry.name)
        else:
            registry.proof = evidence.evidence_of_check(row)
    content.unread += errors.evidence_left_out(strangers, stale)

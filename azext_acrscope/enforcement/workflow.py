"""One way to enforce, for one registry and for ten thousand: plan, look for consumers, confirm, run, report."""

from typing import Any, NamedTuple

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import Connect
from azext_acrscope.base import console, hosts
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.consumers.search import BegunSearch
from azext_acrscope.enforcement import plan as planning
from azext_acrscope.enforcement import record, run
from azext_acrscope.enforcement.plan import EnforcementPlan, Selection
from azext_acrscope.enforcement.plan_item import PlanItem
from azext_acrscope.enforcement.preflight import ConsumerPreflight
from azext_acrscope.enforcement.run import Rollout
from azext_acrscope.fleet import summary
from azext_acrscope.registry import resource as registry_resource


class AzureAccess(NamedTuple):
    """The CLI's context and connections: `readers` repeat what fails for a moment, `writers` leave that to the run."""

    cli_ctx: Any
    readers: Connect
    writers: Connect


class RequestedChange(NamedTuple):
    """What to set, and what the user said to it.

    :ivar target: the status to set.
    :ivar undo: the file of the record to take back instead.
    :ivar preflight: looks for consumers first; None if the user left that out.
    """

    target: str = registry_resource.DISABLED
    undo: str | None = None
    dry_run: bool = False
    yes: bool = False
    preflight: ConsumerPreflight | None = None


def enforce_registries(
    azure: AzureAccess, selection: Selection, change: RequestedChange, rollout: Rollout
) -> tuple[list[dict[str, Any]], AzCLIError | None]:
    """Make a change to registries, or show what it would do. Return the rows, and the error to end with after them.

    :raises AzCLIError: nothing could be planned, the user did not confirm it, or the only registry that was named
        could not be read or changed.
    """
    search = _begin_search(azure, selection, change)
    plan = _make_plan(azure, selection, change)
    if unread := _single_failure(plan):
        raise unread
    conflicts = planning.warn_of_policy_conflicts(plan, azure.readers)
    console.warn(summary.unread_lines(plan.unread) + conflicts)
    if change.preflight:
        change.preflight.review(plan, azure.readers, change.dry_run, search)
    else:
        plan.set_consumers(record.CONSUMERS_SKIPPED)
    rollout.waves.check(plan)
    if change.dry_run:
        return enforcement_rows(plan, dry_run=True), run.run_error(plan)
    if plan.changes and not (plan.single or change.yes):
        console.confirm(azure.cli_ctx, planning.enforcement_question(plan))
    failed = run.run_plan(plan, azure.writers, rollout, console.progress_meter(azure.cli_ctx))
    refused = _single_failure(plan)
    if refused and refused == failed:  # and the run was not interrupted
        raise refused
    return enforcement_rows(plan), failed


def _single_failure(plan: EnforcementPlan) -> AzCLIError | None:
    """Return why the only registry that was named could not be read or changed; there is no result then."""
    item = plan.items[0] if plan.single else None
    return item.error if item and not item.verification else None


def _begin_search(azure: AzureAccess, selection: Selection, change: RequestedChange) -> BegunSearch | None:
    """Look for the consumers of the only registry that is named while it is read; None if only Azure knows its ID.

    If the registry has the status already, the search was for nothing, and nobody waits for it.
    """
    refs = list(dict.fromkeys(selection.named))
    if not change.preflight or change.target != registry_resource.DISABLED or len(refs) != 1:
        return None
    group, arm = refs[0].resource_group or selection.resource_group, azure.readers(refs[0].subscription_id)
    if not group or not arm.has_subscription:
        return None
    registry_id = registry_resource.build_registry_id(arm.subscription_id, group, refs[0].name)
    return change.preflight.begin(arm, registry_id)


def _make_plan(azure: AzureAccess, selection: Selection, change: RequestedChange) -> EnforcementPlan:
    if change.undo:
        suffix = hosts.login_server_suffix(azure.cli_ctx.cloud)
        return planning.plan_undo(azure.readers, record.read_record(change.undo), suffix, selection.exclude)
    return planning.make_plan(azure.cli_ctx, azure.readers, selection, change.target)


def enforcement_rows(plan: EnforcementPlan, dry_run: bool = False) -> list[dict[str, Any]]:
    """Return what `az acr scope enforce` prints: for each registry ``{id, name, resourceGroup, subscriptionId,
    loginServer, previousStatus, status, plannedStatus, result, changed, reason, consumers, verification}``.

    `plannedStatus` is null but for a dry run, where `result` is `planned` for what would change; `consumers` is one of
    the words of `record`; `verification` is of the shape of `probe.Verification`, or null.
    """
    return [_item_row(item, dry_run) for item in plan.items]


def _item_row(item: PlanItem, dry_run: bool) -> dict[str, Any]:
    registry_id = item.resource["id"]
    parts = parse_resource_id(registry_id or "")
    return {
        "id": registry_id,
        "name": item.resource["name"],
        "resourceGroup": parts.resource_group or None,
        "subscriptionId": parts.subscription or None,
        "loginServer": registry_resource.login_server_of(item.resource) or None,
        "previousStatus": item.before,
        "status": item.status or item.before,
        "plannedStatus": (item.before if item.result else item.target) if dry_run else None,
        "result": item.result or "planned",
        "changed": item.changed,
        "reason": item.reason,
        "consumers": item.consumers,
        "verification": item.verification,
    }

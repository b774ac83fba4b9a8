"""The commands about registries themselves: each reads its input, calls the rooms, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions.
"""

from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors, hosts
from azext_acrscope._command import configured_seconds, connections, find_registry, operation_seconds
from azext_acrscope._validators import is_default
from azext_acrscope.hosts import RegistryRef

if TYPE_CHECKING:
    from azext_acrscope.consumers.guard import Guard
    from azext_acrscope.enforcement import Proof
    from azext_acrscope.log_analytics import Workspace
    from azext_acrscope.probe import Prober
    from azext_acrscope.tokens import EntraToken

_VERIFY_SECONDS = 120
_LOG_DAYS = 7


def show(
    cmd: Any, registry_name: RegistryRef, resource_group_name: str | None = None, policy: bool = False
) -> dict[str, Any]:
    """Show which token audiences a registry accepts; the shape is that of `registry.describe`.

    With `policy` also `policies`, a list of ``{id, name, effect, enforcementMode, exempt}``.
    """
    from azext_acrscope import _outcome, registry

    arm, resource = find_registry(cmd, registry_name, resource_group_name)
    result = registry.describe(resource, arm.audience)
    if policy:
        from azext_acrscope.policy import compliance, governing, view

        found = governing.read(arm, view.scope_of(resource["id"]))
        _outcome.tell(found.incomplete)
        result["policies"] = compliance.over(found, resource["id"])
    return result


def list_(
    cmd: Any,
    resource_group_name: str | None = None,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    status: str | None = None,
    live: bool = False,
    require: str | None = None,
) -> list[dict[str, Any]]:
    """List registries with their status; the shape is that of `fleet.row`. `require` makes it a gate."""
    from azext_acrscope import _outcome, fleet

    wanted = fleet.scope(cmd.cli_ctx, resource_group_name, all_subscriptions, management_group)
    seen = fleet.read(cmd.cli_ctx, wanted, live)
    audience = cmd.cli_ctx.cloud.endpoints.active_directory_resource_id
    rows = [fleet.row(resource, seen, audience) for resource in seen.registries]
    _outcome.tell(fleet.summary(rows, seen, wanted))
    if missed := require and fleet.missed(rows, seen, str(require)):
        _outcome.fail_after_output(cmd.cli_ctx, missed)
    return [row for row in rows if status in (None, row["status"])]


def enforce(
    cmd: Any,
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
) -> Any:
    """Set the status of one registry (returns its object) or of many (returns a row for each)."""
    from azext_acrscope import _outcome, _progress, enforcement, fleet, record

    seconds = operation_seconds(cmd)
    proof = None
    if verify:  # with its settings read before anything is written
        proof = enforcement.Proof(_prober(cmd.cli_ctx), configured_seconds(cmd, "verify_timeout", _VERIFY_SECONDS))
    named = [*(registry_name or []), *(ids or [])]
    status = status or "disabled"
    if len(named) == 1 and not (ids or exclude or canary or wave or record_file):
        guard = None if skip_consumers else _guard(cmd.cli_ctx, knowledge, yes or include_breaking)
        result = _enforce_one(cmd, named[0], resource_group_name, status, dry_run, seconds, guard)
        return _verify_one(cmd, result, proof) if proof else result
    readers = connections(cmd.cli_ctx, patient=True)
    suffix = hosts.cloud_suffix(cmd.cli_ctx.cloud)
    if undo:
        plan = enforcement.plan_undo(readers, enforcement.read_record(undo), suffix, exclude or [])
    elif named:
        plan = enforcement.plan_named(readers, named, resource_group_name, suffix, status, exclude or [])
    else:
        wanted = _selected_scope(cmd.cli_ctx, resource_group_name, select_all, all_subscriptions, management_group)
        plan = enforcement.plan_scope(cmd.cli_ctx, wanted, tags or {}, status, exclude or [])
    _outcome.tell(fleet.unread(plan.unread) + enforcement.forewarn(plan, readers))
    if plan.enforcing and skip_consumers:
        plan.consumers = record.SKIPPED
    elif plan.enforcing:
        _guard(cmd.cli_ctx, knowledge, include_breaking).leave_out(plan, readers, dry_run)
    waves = enforcement.Waves(frozenset(name.lower() for name in canary or []), wave or 0.0)
    waves.check(plan)
    if dry_run:
        failed = enforcement.verdict(plan)
    else:
        if plan.changes and not yes:
            _outcome.confirm(cmd.cli_ctx, enforcement.question(plan))
        file = enforcement.record_file(record_file, cmd.cli_ctx.config.config_dir)
        watch = _progress.meter(cmd.cli_ctx)
        writers = connections(cmd.cli_ctx, patient=False)
        failed = enforcement.run(plan, writers, file, waves, seconds, watch, proof)
    if failed:
        _outcome.fail_after_output(cmd.cli_ctx, failed)
    return enforcement.rows(plan, dry_run)


def _enforce_one(
    cmd: Any,
    ref: RegistryRef,
    resource_group_name: str | None,
    status: str,
    dry_run: bool,
    seconds: float,
    guard: "Guard | None" = None,
) -> dict[str, Any]:
    """What `show` returns plus `previousStatus`, `changed`, `consumers` (whether they were looked for before, in the
    words of `record`) and, for a dry run, `plannedStatus`. Without `guard` they are not.
    """
    from azext_acrscope import _outcome, _progress, record, registry

    arm, before = find_registry(cmd, ref, resource_group_name)
    previous, _ = registry.status(before)
    after, consumers = before, record.NOT_ASKED
    if previous != status == registry.DISABLED:
        consumers = guard.before_one(arm, before, dry_run) if guard else record.SKIPPED
    if previous != status and status == registry.ENABLED:
        from azext_acrscope import enforcement
        from azext_acrscope.rollout import Item

        plan = enforcement.Plan([Item(before, previous, status)])
        _outcome.tell(enforcement.forewarn(plan, lambda _: arm))
    if previous != status and not dry_run:
        sleep = _progress.visible_sleep(cmd.cli_ctx, f"Waiting for {before['name']} to become {status}")
        after = registry.set_status(arm, before, status, seconds, sleep)
    result = {**registry.describe(after, arm.audience), "previousStatus": previous, "changed": after is not before}
    result["consumers"] = consumers
    return {**result, "plannedStatus": status} if dry_run else result


def _verify_one(cmd: Any, result: dict[str, Any], proof: "Proof") -> dict[str, Any]:
    """Adds `verification`, of the shape of `probe.Verification`; a change that is not in effect is not taken back.

    :raises ManualInterrupt: Ctrl-C; what was written stays.
    """
    from azext_acrscope import _outcome, _progress, probe

    sleep = _progress.visible_sleep(cmd.cli_ctx, f"Waiting for {result['name']} to show that it is {result['status']}")
    resource = {"id": result["id"], "properties": {"loginServer": result["loginServer"]}}
    try:
        seen = probe.verify(proof.prober, resource, result["status"], proof.seconds, sleep)
    except KeyboardInterrupt:
        raise _errors.verification_interrupted(result["name"], result["status"], result["changed"]) from None
    if seen.verified:
        _outcome.tell([_errors.verified(result["name"], result["status"], seen.seconds)])
    else:
        failed = _errors.not_verified(result, seen.seconds, seen.finding.seen)
        _outcome.fail_after_output(cmd.cli_ctx, failed)
    return {**result, "verification": seen.row()}


def check(
    cmd: Any,
    registry_name: list[RegistryRef] | None = None,
    resource_group_name: str | None = None,
    select_all: bool = False,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    skip_arm_probe: bool = False,
) -> Any:
    """Check registries: the object of the one named, else a row for each; the shape is that of `check.rows`."""
    from azext_acrscope import _outcome, _progress, check, fleet

    suffix = hosts.cloud_suffix(cmd.cli_ctx.cloud)
    unread: dict[str, str] = {}
    if registry_name:
        connect = connections(cmd.cli_ctx, patient=True)
        chosen = check.targets(connect, list(dict.fromkeys(registry_name)), resource_group_name, suffix)
    else:
        wanted = _selected_scope(cmd.cli_ctx, resource_group_name, select_all, all_subscriptions, management_group)
        seen = fleet.live(cmd.cli_ctx, wanted)
        unread = seen.unreadable
        _outcome.tell(fleet.unread(unread))
        chosen = [check.Target(each["name"], each) for each in seen.registries]
        if not (chosen or unread):
            raise _errors.nothing_matches(wanted.text)
    rows = check.rows(chosen, _prober(cmd.cli_ctx, skip_arm_probe), _progress.meter(cmd.cli_ctx))
    if failed := check.failure(rows, len(unread)):
        _outcome.fail_after_output(cmd.cli_ctx, failed)
    return rows[0] if registry_name and len(rows) == 1 else rows


def _prober(cli_ctx: Any, skip_arm: bool = False) -> "Prober":
    """The two-token probe as the signed-in account; a setting that names ARM's audience twice would prove nothing."""
    from azext_acrscope import _outcome, first_hop, probe
    from azext_acrscope.tokens import ACR_AUDIENCE

    arm = str(cli_ctx.cloud.endpoints.active_directory_resource_id)
    acr = first_hop.audience(cli_ctx)
    if acr.rstrip("/") == arm.rstrip("/"):
        _outcome.tell([_errors.arm_audience_not_used(acr)])
        acr = ACR_AUDIENCE

    def acquire(audience: str, subscription: str | None) -> "EntraToken":
        return first_hop.acquire(cli_ctx, audience, first_hop.Source(subscription=subscription))

    return probe.Prober(acquire, acr, arm, hosts.cloud_suffix(cli_ctx.cloud), skip_arm)


def _guard(cli_ctx: Any, knowledge: str | None, accepted: bool) -> "Guard":
    """Who is asked about consumers that break; `accepted`: the user changes their registries all the same."""
    from azext_acrscope.consumers import guard
    from azext_acrscope.consumers import knowledge as known

    return guard.Guard(cli_ctx, known.load(knowledge), accepted)


def _selected_scope(
    cli_ctx: Any,
    resource_group: str | None,
    select_all: bool,
    all_subscriptions: bool,
    management_group: str | None,
) -> Any:
    """The scope of a command over many. A default group of the CLI's configuration selects nothing by itself."""
    from azext_acrscope import fleet

    group = None if is_default(resource_group) else resource_group
    if not (group or select_all or all_subscriptions or management_group):
        raise _errors.nothing_selected()
    if select_all and (group or all_subscriptions or management_group):
        raise _errors.exclusive("--all", "--resource-group, --all-subscriptions or --management-group")
    return fleet.scope(cli_ctx, group, all_subscriptions, management_group)


def consumers(
    cmd: Any,
    registry_name: list[RegistryRef] | None = None,
    resource_group_name: str | None = None,
    select_all: bool = False,
    all_subscriptions: bool = False,
    management_group: str | None = None,
    knowledge: str | None = None,
    fail_on: str | None = None,
    workspace: "Workspace | None" = None,
    days: int | None = None,
) -> dict[str, Any]:
    """Who uses registries, and who breaks once they are enforced; the shape is that of `result.over`.

    With `workspace` also who signed in to them, and who is refused now.
    """
    from azext_acrscope import _outcome, fleet
    from azext_acrscope.consumers import knowledge as known
    from azext_acrscope.consumers import result, selection
    from azext_acrscope.consumers.watch import Log
    from azext_acrscope.log_analytics import LogAnalytics

    facts = known.load(knowledge)
    log = Log(LogAnalytics(cmd.cli_ctx, workspace), days or _LOG_DAYS) if workspace else None
    if registry_name:
        searches = selection.by_name(cmd.cli_ctx, registry_name, resource_group_name)
    else:
        scope = fleet.scope(cmd.cli_ctx, resource_group_name, all_subscriptions, management_group)
        searches = selection.by_scope(cmd.cli_ctx, scope)
    found = result.over(searches, facts, hosts.cloud_suffix(cmd.cli_ctx.cloud), log)
    _outcome.tell(result.summary(found))
    if failed := fail_on and result.missed(found, str(fail_on)):
        _outcome.fail_after_output(cmd.cli_ctx, failed)
    return found


def report(
    cmd: Any,
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
) -> dict[str, Any] | None:
    """The state of a fleet as one document: in a file (returns numbers, see `content.summary`), else printed."""
    from azext_acrscope import _outcome, _progress, fleet
    from azext_acrscope.consumers import knowledge as known
    from azext_acrscope.report import content, gather, output
    from azext_acrscope.report import evidence as proven

    kind = output.format_of(document_format, file)
    if file:
        output.check(file)
    wanted = gather.Wanted(
        scope=fleet.scope(cmd.cli_ctx, resource_group_name, all_subscriptions, management_group),
        live=live,
        knowledge=None if skip_consumers else known.load(knowledge),
        policy=not skip_policy,
        prober=_prober(cmd.cli_ctx) if run_check else None,
        proven=proven.read(evidence or []),
    )
    found = gather.read(cmd.cli_ctx, wanted, connections(cmd.cli_ctx, patient=True), _progress.meter(cmd.cli_ctx))
    _outcome.tell([*found.unread, *output.remarks(found, kind)])
    text = output.write(found, kind)
    if not file:
        _outcome.document(text)
        return None
    output.save(file, text)
    return {"file": file, "format": kind, **content.summary(found)}

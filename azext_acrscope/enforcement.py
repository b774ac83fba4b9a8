"""Enforcing many registries: select, plan from the live state, ask, write in waves, report."""

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError, AzureResponseError
from knack.log import get_logger

from azext_acrscope import _errors, files, fleet, hosts, record, registry, rollout
from azext_acrscope._connection import each_in_background
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.fleet import UNKNOWN, Scope
from azext_acrscope.hosts import RegistryRef
from azext_acrscope.probe import Prober, Verification, verify
from azext_acrscope.record import Made, Record
from azext_acrscope.registry import Resource
from azext_acrscope.rollout import FAILED, SKIPPED, Item, Rollout
from azext_acrscope.throttle import READS, Throttle

_READERS = 16
_PROBERS = 20  # registries that are verified at the same time, each at its own login server
_READ_SECONDS = 600  # for which a registry's reading may be put off by throttling

logger = get_logger(__name__)


@dataclass
class Plan:
    """What a run would do. `unread` are subscriptions of the selection that could not be read."""

    items: list[Item]
    unread: dict[str, str] = field(default_factory=dict)
    made_at: float = field(default_factory=time.monotonic)
    consumers: str = record.NOT_ASKED  # what became of looking for them: it is written down

    @property
    def changes(self) -> list[Item]:
        return [item for item in self.items if not item.result]

    @property
    def enforcing(self) -> list[Item]:
        """Of the changes, those after which ARM-audience tokens are refused."""
        return [item for item in self.changes if item.target == registry.DISABLED]


@dataclass(frozen=True)
class Waves:
    """Who goes first: named canaries, or a share (0 to 1) of the registries; neither means all at once."""

    canaries: frozenset[str] = frozenset()
    share: float = 0.0

    @property
    def staged(self) -> bool:
        return bool(self.canaries or self.share)

    def split(self, items: list[Item]) -> list[list[Item]]:
        if self.canaries:
            first = [item for item in items if names_of(item.resource) & self.canaries]
        else:
            first = items[: math.ceil(len(items) * self.share)]
        chosen = set(map(id, first))
        rest = [item for item in items if id(item) not in chosen]
        return [wave for wave in (first, rest) if wave]

    def check(self, plan: "Plan") -> None:
        """Refuse canaries that the plan does not change: a slip in a name must not send all at once.

        :raises InvalidArgumentValueError: naming them.
        """
        there = set().union(*(names_of(item.resource) for item in plan.changes))
        done = set().union(*(names_of(item.resource) for item in plan.items if item.result == rollout.UNCHANGED))
        missing = sorted(self.canaries - there - done)
        if missing:
            raise _errors.no_such_canary(missing)


@dataclass(frozen=True)
class Proof:
    """How to verify changes: with the two-token probe, waiting so many seconds for each to take effect."""

    prober: Prober
    seconds: float

    def of(self, changed: list[Item]) -> list[Verification]:
        """Verify changed registries, several at the same time; no error but what is in the findings."""
        if not changed:
            return []
        logger.warning("Verifying %s …", _errors.registries(len(changed)))
        prober = replace(self.prober)  # a new one: tokens live less long than runs may

        def one(item: Item) -> Verification:
            return verify(prober, item.resource, item.target, self.seconds)

        return [work.result() for work in each_in_background(one, changed, _PROBERS)]


# --- the plan ------------------------------------------------------------------------------------------------------


def plan_scope(cli_ctx: Any, wanted: Scope, tags: dict[str, str], target: str, excluded: Iterable[str]) -> Plan:
    """The plan for the registries of a scope that carry all of these tags, from ARM's live lists."""
    seen = fleet.live(cli_ctx, wanted)
    chosen = [each for each in seen.registries if _has_tags(each, tags)]
    if not chosen and not seen.unreadable:
        raise _errors.nothing_matches(wanted.text + "".join(f", tag {key}={value}" for key, value in tags.items()))
    return Plan(_items(chosen, lambda _: target, excluded), seen.unreadable)


def _has_tags(resource: Resource, tags: dict[str, str]) -> bool:
    """Whether a registry carries all of these tags; Azure takes the keys in any case, the values to the letter."""
    own = {str(key).lower(): value for key, value in (resource.get("tags") or {}).items()}
    return all(own.get(key.lower()) == value for key, value in tags.items())


def plan_named(
    connect: Callable[[str | None], Arm],
    refs: list[RegistryRef],
    group: str | None,
    suffix: str,
    target: str,
    excluded: Iterable[str],
) -> Plan:
    """The plan for registries that were named one by one; one that cannot be read is a failed item, not an error."""
    found = _read_each(refs, lambda ref: registry.find(connect(ref.subscription_id), ref, group, suffix))
    unique = {str(each["id"]).lower(): each for each in found if isinstance(each, dict)}
    return Plan(_items(list(unique.values()), lambda _: target, excluded) + [e for e in found if isinstance(e, Item)])


def plan_undo(connect: Callable[[str | None], Arm], made: list[Made], suffix: str, excluded: Iterable[str]) -> Plan:
    """The plan that takes back what a record says was done, leaving alone what has another status by now."""
    before = {each.id.lower(): each.before for each in made}
    after = {each.id.lower(): each.after for each in made}
    refs = [hosts.parse_registry(each.id, suffix) for each in made]
    found = _read_each(refs, lambda ref: registry.find(connect(ref.subscription_id), ref, None, suffix))
    resources = [each for each in found if isinstance(each, dict)]
    items = _items(resources, lambda each: before[str(each["id"]).lower()], excluded)
    for item in items:
        if item.result != SKIPPED and item.before != after[str(item.resource["id"]).lower()]:
            item.finish(SKIPPED, item.before, f"it is `{item.before}`: not changed by that run, or changed back since")
    return Plan(items + [each for each in found if isinstance(each, Item)])


def _read_each(refs: list[RegistryRef], find: Callable[[RegistryRef], Resource]) -> list[Resource | Item]:
    """The registries, several at a time; one that cannot be read becomes a failed item."""
    pace = Throttle(READS)

    def read(ref: RegistryRef) -> Resource | Item:
        try:
            return _paced(lambda: find(ref), pace)
        except AzCLIError as error:
            named = ref.resource_group and ref.subscription_id
            known = registry.resource_id(str(ref.subscription_id), str(ref.resource_group), ref.name) if named else None
            shown: Resource = {"id": known, "name": ref.login_server or ref.name, "properties": {}}
            item = Item(shown, UNKNOWN, UNKNOWN)
            item.finish(FAILED, UNKNOWN, error.error_msg)
            return item

    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(read, refs))


def _paced(read: Callable[[], Resource], pace: Throttle) -> Resource:
    """Read at the pace that all readers share; ARM's refusals for throttling are waited out, within reason."""
    deadline = time.monotonic() + _READ_SECONDS
    while True:
        while pause := pace.admit(time.monotonic()):
            time.sleep(pause)
        try:
            found = read()
            pace.taken()
            return found
        except AzureResponseError as error:
            cause = error.__cause__
            if not (isinstance(cause, ArmError) and cause.status == 429) or time.monotonic() > deadline:
                raise
            pace.refused(time.monotonic(), cause.retry_after)


def _items(resources: list[Resource], target: Callable[[Resource], str], excluded: Iterable[str]) -> list[Item]:
    names = {name.lower() for name in excluded}
    unknown = names - set().union(*map(names_of, resources))
    if unknown:  # most likely a slip, and what was to be left alone would be changed
        raise _errors.nothing_to_exclude(sorted(unknown))
    items = []
    for resource in resources:
        try:
            before, _ = registry.status(resource)
        except AzCLIError as error:
            items.append(item := Item(resource, UNKNOWN, target(resource)))
            item.finish(FAILED, UNKNOWN, error.error_msg)
            continue
        items.append(item := Item(resource, before, target(resource)))
        if names_of(resource) & names:
            item.finish(SKIPPED, before, "excluded")
        elif before == item.target:
            item.finish(rollout.UNCHANGED, before, f"it is `{before}` already")
    return items


def names_of(resource: Resource) -> set[str]:
    """How a person may name a registry, in lower case: its name, login server or ID."""
    return {str(resource["name"]).lower(), registry.login_server(resource), str(resource["id"]).lower()}


def question(plan: Plan) -> str:
    """What is asked before a run, with the numbers."""
    changes = plan.changes
    where = len({item.subscription for item in changes})
    targets = " or ".join(sorted({f"`{item.target}`" for item in changes}))
    others = {word: sum(item.result == word for item in plan.items) for word in (rollout.UNCHANGED, SKIPPED, FAILED)}
    aside = ", ".join(f"{count} {word}" for word, count in others.items() if count)
    text = f"Set {_errors.registries(len(changes))} in {_errors.subscriptions(where)} to {targets}"
    hindered = sum(bool(item.reason) for item in changes)
    if hindered:
        aside = ", ".join([*([aside] if aside else []), f"Azure Policy will refuse or undo {hindered}"])
    return text + (f" ({aside})?" if aside else "?")


def forewarn(plan: Plan, connect: Callable[[str | None], Arm]) -> list[str]:
    """Look up which changes to `enabled` Azure Policy will refuse or undo: warnings, and the reason of each item.

    Costs nothing where nothing is to become `enabled`.
    """
    enabling = [item for item in plan.changes if item.target == registry.ENABLED]
    if not enabling:
        return []
    from azext_acrscope.policy import forewarning

    found, warnings = forewarning.of(connect, [item.resource for item in enabling])
    names: dict[str, list[str]] = {}
    for item in enabling:
        item.reason = found.get(str(item.resource["id"]).lower(), "")
        if item.reason:
            names.setdefault(item.reason, []).append(str(item.resource["name"]))
    return [_errors.hindered(members, said) for said, members in names.items()] + warnings


# --- the run -------------------------------------------------------------------------------------------------------


def run(
    plan: Plan,
    connect: Callable[[str | None], Arm],
    file: Path,
    waves: Waves,
    operation_seconds: float,
    watch: Callable[[int, int, int], None],
    proof: Proof | None = None,
) -> AzCLIError | None:
    """Make the changes of a plan; its items hold what came of each. None if nothing failed, else the error to end with.

    :param file: where to keep the record.
    :param proof: how to verify each wave. One that cannot be verified ends the run; of several, it is restored.
    """
    changes = plan.changes
    if changes:
        log = Record(file)
        logger.warning("The record of this run: %s", file)
        try:
            log.append([{"event": "run", "registries": len(changes), "consumers": plan.consumers}])
            runner = Rollout(connect, log, operation_seconds, plan.made_at, watch)
            _run_waves(waves.split(changes), runner, proof, restores=waves.staged)
        finally:
            log.close()
        if runner.stopped:
            return runner.stopped
        if runner.interrupted:
            return _errors.was_interrupted(sum(item.result == SKIPPED for item in changes), str(file))
        logger.warning("Resource Graph may show the old status for minutes; `az acr scope list --live` shows it now.")
    return verdict(plan, str(file) if changes else "")


def verdict(plan: Plan, record_file: str = "") -> AzCLIError | None:
    """The error to end with if something failed or could not be read, in a dry run as well."""
    failed = rollout.failures(plan.items)
    if failed or plan.unread:
        return _errors.some_failed(failed, len(plan.items), len(plan.unread), record_file)
    return None


def _run_waves(waves: list[list[Item]], runner: Rollout, proof: Proof | None, restores: bool) -> None:
    """Run wave after wave while nothing fails."""
    failed = 0
    for wave in waves:
        if failed:
            for item in wave:
                item.finish(SKIPPED, item.before, f"not begun: {failed} of the first wave failed")
        else:
            runner.run(wave)  # which skips all, once the run was stopped
            if proof and not (runner.stopped or runner.interrupted):
                _prove(wave, runner, proof, restores)
            failed = rollout.failures(wave)


def _prove(wave: list[Item], runner: Rollout, proof: Proof, restores: bool) -> None:
    """Verify what a wave changed; if some of it is not in effect, take all of it back, or let it be a failure."""
    changed = [item for item in wave if item.result == rollout.CHANGED]
    try:
        seen = proof.of(changed)
    except KeyboardInterrupt:
        runner.interrupted = True  # what was changed is in the record
        return
    bad = 0
    for item, verification in zip(changed, seen, strict=True):
        item.verification = verification.row()
        if not verification.verified:
            bad += 1
            item.finish(
                FAILED, item.status, _errors.not_verified_in_row(verification.finding.seen, verification.seconds)
            )
    if bad and restores:
        _restore(changed, runner, bad)


def _restore(changed: list[Item], runner: Rollout, bad: int) -> None:
    """Write back what the items had before, as changes of their own in the same record."""
    logger.warning("%s could not be verified: restoring what this wave changed …", _errors.registries(bad))
    back = [Item(item.resource, item.target, item.before, restores=True) for item in changed]
    runner.run(back)
    for item, restored in zip(changed, back, strict=True):
        done = restored.status == item.before
        said = _errors.restored(item.before) if done else _errors.not_restored(restored.reason)
        if item.result == FAILED or not done:
            item.finish(FAILED, restored.status, f"{item.reason} {said}".strip())
        else:
            item.finish(rollout.RESTORED, restored.status, _errors.restored_with_its_wave(bad, item.before))


def rows(plan: Plan, dry_run: bool) -> list[dict[str, Any]]:
    """A row a registry, as `enforce` prints them; a dry run has `plannedStatus`, and `planned` as the result."""
    return [_row(item, dry_run) for item in plan.items]


def _row(item: Item, dry_run: bool) -> dict[str, Any]:
    registry_id = item.resource["id"]
    parts = registry_id.split("/") if registry_id else [None] * 9
    row = {
        "id": registry_id,
        "name": item.resource["name"],
        "resourceGroup": parts[4],
        "subscriptionId": parts[2],
        "loginServer": registry.login_server(item.resource) or None,
        "previousStatus": item.before,
        "status": item.status or item.before,
        "result": item.result or "planned",
        "reason": item.reason,
    }
    if item.verification:
        row["verification"] = item.verification
    if dry_run:
        row["plannedStatus"] = item.before if item.result else item.target
    return row


def read_record(file: str) -> list[Made]:
    return record.read(files.expanded(file))


def record_file(chosen: str | None, config_directory: str) -> Path:
    return files.expanded(chosen) if chosen else record.default_file(config_directory)

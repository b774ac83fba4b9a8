"""Enforcing many registries: select, plan from the live state, ask, write in waves, report."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError, AzureResponseError

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.throttle import READS_PER_SECOND, Throttle
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts, threads
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.enforcement import errors, executor, record
from azext_acrscope.enforcement.executor import FAILED, SKIPPED, PlanItem
from azext_acrscope.enforcement.record import RecordedChange
from azext_acrscope.fleet import live
from azext_acrscope.fleet.scope import Scope
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import UNKNOWN, RegistryResource

_MAX_READERS = 16
_MAX_THROTTLED_READ_SECONDS = 600  # for which a registry's reading may be put off by throttling


@dataclass
class EnforcementPlan:
    """What a run would do. `unread` are subscriptions of the selection that could not be read."""

    items: list[PlanItem]
    unread: dict[str, str] = field(default_factory=dict)
    made_at: float = field(default_factory=time.monotonic)
    consumers: str = record.CONSUMERS_NOT_ASKED  # what became of looking for them: it is written down

    @property
    def changes(self) -> list[PlanItem]:
        return [item for item in self.items if not item.result]

    @property
    def enforcing(self) -> list[PlanItem]:
        """Of the changes, those after which ARM-audience tokens are refused."""
        return [item for item in self.changes if item.target == registry_resource.DISABLED]


@dataclass(frozen=True)
class WaveSettings:
    """Who goes first: named canaries, or a share (0 to 1) of the registries; neither means all at once."""

    canaries: frozenset[str] = frozenset()
    share: float = 0.0

    @property
    def staged(self) -> bool:
        return bool(self.canaries or self.share)

    def split(self, items: list[PlanItem]) -> list[list[PlanItem]]:
        if self.canaries:
            first = [item for item in items if registry_names(item.resource) & self.canaries]
        else:
            first = items[: math.ceil(len(items) * self.share)]
        chosen = set(map(id, first))
        rest = [item for item in items if id(item) not in chosen]
        return [wave for wave in (first, rest) if wave]

    def check(self, plan: "EnforcementPlan") -> None:
        """Refuse canaries that the plan does not change: a slip in a name must not send all at once.

        :raises InvalidArgumentValueError: naming them.
        """
        there = set().union(*(registry_names(item.resource) for item in plan.changes))
        done = set().union(*(registry_names(item.resource) for item in plan.items if item.result == executor.UNCHANGED))
        missing = sorted(self.canaries - there - done)
        if missing:
            raise errors.no_such_canary(missing)


# --- the plan ------------------------------------------------------------------------------------------------------


def plan_scope(
    cli_ctx: Any, wanted: Scope, tags: dict[str, str], target: str, excluded: Iterable[str]
) -> EnforcementPlan:
    """The plan for the registries of a scope that carry all of these tags, from ARM's live lists."""
    seen = live.read_live_fleet(cli_ctx, wanted)
    chosen = [each for each in seen.registries if _has_tags(each, tags)]
    if not chosen and not seen.unreadable:
        raise errors.nothing_matches(wanted.text + "".join(f", tag {key}={value}" for key, value in tags.items()))
    return EnforcementPlan(_make_items(chosen, lambda _: target, excluded), seen.unreadable)


def _has_tags(resource: RegistryResource, tags: dict[str, str]) -> bool:
    """Whether a registry carries all of these tags; Azure takes the keys in any case, the values to the letter."""
    own = {str(key).lower(): value for key, value in (resource.get("tags") or {}).items()}
    return all(own.get(key.lower()) == value for key, value in tags.items())


def plan_named(
    connect: Callable[[str | None], ArmClient],
    refs: list[RegistryRef],
    group: str | None,
    suffix: str,
    target: str,
    excluded: Iterable[str],
) -> EnforcementPlan:
    """The plan for registries that were named one by one; one that cannot be read is a failed item, not an error."""
    found = _read_registries(
        refs, lambda ref: registry_resource.find_registry(connect(ref.subscription_id), ref, group, suffix)
    )
    unique = {str(each["id"]).lower(): each for each in found if isinstance(each, dict)}
    return EnforcementPlan(
        _make_items(list(unique.values()), lambda _: target, excluded) + [e for e in found if isinstance(e, PlanItem)]
    )


def plan_undo(
    connect: Callable[[str | None], ArmClient], made: list[RecordedChange], suffix: str, excluded: Iterable[str]
) -> EnforcementPlan:
    """The plan that takes back what a record says was done, leaving alone what has another status by now."""
    before = {each.id.lower(): each.before for each in made}
    after = {each.id.lower(): each.after for each in made}
    refs = [hosts.parse_registry(each.id, suffix) for each in made]
    found = _read_registries(
        refs, lambda ref: registry_resource.find_registry(connect(ref.subscription_id), ref, None, suffix)
    )
    resources = [each for each in found if isinstance(each, dict)]
    items = _make_items(resources, lambda each: before[str(each["id"]).lower()], excluded)
    for item in items:
        if item.result != SKIPPED and item.before != after[str(item.resource["id"]).lower()]:
            item.finish(SKIPPED, item.before, f"it is `{item.before}`: not changed by that run, or changed back since")
    return EnforcementPlan(items + [each for each in found if isinstance(each, PlanItem)])


def _read_registries(
    refs: list[RegistryRef], find: Callable[[RegistryRef], RegistryResource]
) -> list[RegistryResource | PlanItem]:
    """The registries, several at a time; one that cannot be read becomes a failed item."""
    pace = Throttle(READS_PER_SECOND)

    found = threads.try_each(lambda ref: _read_with_throttle(lambda: find(ref), pace), refs, AzCLIError, _MAX_READERS)
    return [
        _unread_item(ref, each) if isinstance(each, AzCLIError) else each for ref, each in zip(refs, found, strict=True)
    ]


def _unread_item(ref: RegistryRef, error: AzCLIError) -> PlanItem:
    """Return the failed item for a registry that could not be read."""
    known = None
    if ref.resource_group and ref.subscription_id:
        known = registry_resource.build_registry_id(ref.subscription_id, ref.resource_group, ref.name)
    item = PlanItem({"id": known, "name": ref.login_server or ref.name, "properties": {}}, UNKNOWN, UNKNOWN)
    item.finish(FAILED, UNKNOWN, error.error_msg)
    return item


def _read_with_throttle(read: Callable[[], RegistryResource], pace: Throttle) -> RegistryResource:
    """Read at the pace that all readers share; ARM's refusals for throttling are waited out, within reason."""
    deadline = time.monotonic() + _MAX_THROTTLED_READ_SECONDS
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


def _make_items(
    resources: list[RegistryResource], target: Callable[[RegistryResource], str], excluded: Iterable[str]
) -> list[PlanItem]:
    names = {name.lower() for name in excluded}
    unknown = names - set().union(*map(registry_names, resources))
    if unknown:  # most likely a slip, and what was to be left alone would be changed
        raise errors.nothing_to_exclude(sorted(unknown))
    items = []
    for resource in resources:
        try:
            before, _ = registry_resource.status_of(resource)
        except AzCLIError as error:
            items.append(item := PlanItem(resource, UNKNOWN, target(resource)))
            item.finish(FAILED, UNKNOWN, error.error_msg)
            continue
        items.append(item := PlanItem(resource, before, target(resource)))
        if registry_names(resource) & names:
            item.finish(SKIPPED, before, "excluded")
        elif before == item.target:
            item.finish(executor.UNCHANGED, before, f"it is `{before}` already")
    return items


def registry_names(resource: RegistryResource) -> set[str]:
    """How a person may name a registry, in lower case: its name, login server or ID."""
    return {str(resource["name"]).lower(), registry_resource.login_server_of(resource), str(resource["id"]).lower()}


def enforcement_question(plan: EnforcementPlan) -> str:
    """What is asked before a run, with the numbers."""
    changes = plan.changes
    where = len({item.subscription for item in changes})
    targets = " or ".join(sorted({f"`{item.target}`" for item in changes}))
    others = {word: sum(item.result == word for item in plan.items) for word in (executor.UNCHANGED, SKIPPED, FAILED)}
    aside = ", ".join(f"{count} {word}" for word, count in others.items() if count)
    text = f"Set {base_errors.registries(len(changes))} in {base_errors.subscriptions(where)} to {targets}"
    hindered = sum(bool(item.reason) for item in changes)
    if hindered:
        aside = ", ".join([*([aside] if aside else []), f"Azure Policy will refuse or undo {hindered}"])
    return text + (f" ({aside})?" if aside else "?")


def warn_of_policy_conflicts(plan: EnforcementPlan, connect: Callable[[str | None], ArmClient]) -> list[str]:
    """Look up which changes to `enabled` Azure Policy will refuse or undo: warnings, and the reason of each item.

    Costs nothing where nothing is to become `enabled`.
    """
    enabling = [item for item in plan.changes if item.target == registry_resource.ENABLED]
    if not enabling:
        return []
    from azext_acrscope.policy import conflicts

    found, warnings = conflicts.find_conflicts(connect, [item.resource for item in enabling])
    names: dict[str, list[str]] = {}
    for item in enabling:
        item.reason = found.get(str(item.resource["id"]).lower(), "")
        if item.reason:
            names.setdefault(item.reason, []).append(str(item.resource["name"]))
    return [errors.hindered(members, said) for said, members in names.items()] + warnings

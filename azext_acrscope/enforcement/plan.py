"""The plan of an enforcement: which registries would change, from their live state, and which would not and why."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.cli.core.azclierror import AzCLIError, AzureResponseError

from azext_acrscope.arm.client import ArmError, Connect
from azext_acrscope.arm.throttle import READS_PER_SECOND, Throttle
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts, threads
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.enforcement import errors, plan_item, record
from azext_acrscope.enforcement.plan_item import FAILED, SKIPPED, PlanItem
from azext_acrscope.enforcement.record import RecordedChange
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import UNKNOWN, RegistryResource

if TYPE_CHECKING:
    from azext_acrscope.fleet.scope import Scope

_MAX_READERS = 16
_MAX_THROTTLED_READ_SECONDS = 600  # for which a registry's reading may be put off by throttling


@dataclass(frozen=True)
class Selection:
    """Which registries: those named, or those of a scope with all of these tags. Neither for an undo.

    :ivar resource_group: where to look for those named.
    :ivar exclude: names, login servers or IDs of registries to leave alone.
    """

    named: tuple[RegistryRef, ...] = ()
    resource_group: str | None = None
    scope: "Scope | None" = None
    tags: dict[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()


@dataclass
class EnforcementPlan:
    """What a run would do.

    :ivar unread: why subscriptions of the selection could not be read, by ID.
    :ivar single: exactly one registry was named: what goes wrong is the command's error, not a row's reason.
    """

    items: list[PlanItem]
    unread: dict[str, str] = field(default_factory=dict)
    single: bool = False
    made_at: float = field(default_factory=time.monotonic)

    @property
    def changes(self) -> list[PlanItem]:
        """Return the items with a change to make."""
        return [item for item in self.items if not item.result]

    @property
    def enforcing(self) -> list[PlanItem]:
        """Return the changes after which ARM-audience tokens are refused."""
        return [item for item in self.changes if item.target == registry_resource.DISABLED]

    @property
    def consumers(self) -> str:
        """Return the result of the search for consumers in the words of `record`, the same for all registries."""
        answers = (item.consumers for item in self.items if item.consumers != record.CONSUMERS_NOT_ASKED)
        return next(answers, record.CONSUMERS_NOT_ASKED)

    def set_consumers(self, answer: str) -> None:
        """Note for each registry that is to be enforced what became of looking for its consumers."""
        for item in self.enforcing:
            item.consumers = answer


class WaveSettings(NamedTuple):
    """Who goes first: named canaries, or a share (0 to 1) of the registries; neither means all at once."""

    canaries: frozenset[str] = frozenset()
    share: float = 0.0

    @property
    def staged(self) -> bool:
        """Return whether the run has several steps."""
        return bool(self.canaries or self.share)

    def split(self, items: list[PlanItem]) -> list[list[PlanItem]]:
        """Return the items by wave: one or two lists, none of them empty."""
        if self.canaries:
            first = [item for item in items if registry_names(item.resource) & self.canaries]
        else:
            first = items[: math.ceil(len(items) * self.share)]
        chosen = set(map(id, first))
        rest = [item for item in items if id(item) not in chosen]
        return [wave for wave in (first, rest) if wave]

    def check(self, plan: "EnforcementPlan") -> None:
        """Check that the plan changes each canary: a typo in a name must not change all registries at once.

        :raises InvalidArgumentValueError: naming them.
        """
        there = set().union(*(registry_names(item.resource) for item in plan.changes))
        done = set().union(
            *(registry_names(item.resource) for item in plan.items if item.result == plan_item.UNCHANGED)
        )
        missing = sorted(self.canaries - there - done)
        if missing:
            raise errors.no_such_canary(missing)


def make_plan(cli_ctx: Any, connect: Connect, selection: Selection, target: str) -> EnforcementPlan:
    """Return the plan that gives the selected registries the status `target`.

    :raises RequiredArgumentMissingError, ResourceNotFoundError: nothing is selected, or nothing matches.
    """
    if selection.scope is None:
        return _plan_named(connect, selection, hosts.login_server_suffix(cli_ctx.cloud), target)
    from azext_acrscope.fleet import live  # only now: who names registries needs none of it

    seen = live.read_live_fleet(cli_ctx, selection.scope)
    chosen = [each for each in seen.registries if _has_tags(each, selection.tags)]
    if not chosen and not seen.unreadable:
        tags = "".join(f", tag {key}={value}" for key, value in selection.tags.items())
        raise errors.nothing_matches(selection.scope.text + tags)
    return EnforcementPlan(_make_items(chosen, lambda _: target, selection.exclude), seen.unreadable)


def _has_tags(resource: RegistryResource, tags: dict[str, str]) -> bool:
    """Whether a registry carries all of these tags; Azure takes the keys in any case, the values to the letter."""
    own = {str(key).lower(): value for key, value in (resource.get("tags") or {}).items()}
    return all(own.get(key.lower()) == value for key, value in tags.items())


def _plan_named(connect: Connect, selection: Selection, suffix: str, target: str) -> EnforcementPlan:
    """Of several registries, one that cannot be read is a failed item, not an error."""
    group = selection.resource_group
    found = _read_registries(
        list(dict.fromkeys(selection.named)),
        lambda ref: registry_resource.find_registry(connect(ref.subscription_id), ref, group, suffix),
    )
    unique = {str(each["id"]).lower(): each for each in found if isinstance(each, dict)}
    failed = [each for each in found if isinstance(each, PlanItem)]
    items = failed if not unique else _make_items(list(unique.values()), lambda _: target, selection.exclude) + failed
    return EnforcementPlan(items, single=len(items) == 1)


def plan_undo(connect: Connect, made: list[RecordedChange], suffix: str, excluded: Iterable[str]) -> EnforcementPlan:
    """Return the plan that takes back the changes of a record; what has another status by now is left alone."""
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
    item.fail(UNKNOWN, error)
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
            item.fail(UNKNOWN, error)
            continue
        items.append(item := PlanItem(resource, before, target(resource)))
        if registry_names(resource) & names:
            item.finish(SKIPPED, before, "excluded")
        elif before == item.target:
            item.finish(plan_item.UNCHANGED, before, f"it is already `{before}`")
    return items


def registry_names(resource: RegistryResource) -> set[str]:
    """Return how a registry may be named, in lower case: its name, login server and ID."""
    return {str(resource["name"]).lower(), registry_resource.login_server_of(resource), str(resource["id"]).lower()}


def enforcement_question(plan: EnforcementPlan) -> str:
    """Return the question asked before a run, with the numbers."""
    changes = plan.changes
    where = len({item.subscription for item in changes})
    targets = " or ".join(sorted({f"`{item.target}`" for item in changes}))
    others = {word: sum(item.result == word for item in plan.items) for word in (plan_item.UNCHANGED, SKIPPED, FAILED)}
    aside = ", ".join(f"{count} {word}" for word, count in others.items() if count)
    text = f"Set {base_errors.registries(len(changes))} in {base_errors.subscriptions(where)} to {targets}"
    hindered = sum(bool(item.reason) for item in changes)
    if hindered:
        aside = ", ".join([*([aside] if aside else []), f"Azure Policy will refuse or undo {hindered}"])
    return text + (f" ({aside})?" if aside else "?")


def warn_of_policy_conflicts(plan: EnforcementPlan, connect: Connect) -> list[str]:
    """Return warnings of changes to `enabled` that Azure Policy will refuse or undo, and set the items' reasons.

    Makes no request where nothing is to become `enabled`.
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

"""Say what a fleet adds up to: rows for the result, counts, and what could not be read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzureResponseError

from azext_acrscope.base import errors as base_errors
from azext_acrscope.fleet import errors as fleet_errors
from azext_acrscope.fleet.scope import Scope
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import UNKNOWN, RegistryResource


@dataclass
class Fleet:
    """The registries in view, as ARM resources, and what could not be read.

    :ivar subscriptions: names of the subscriptions that were read, by lower-cased ID.
    :ivar unreadable: why a subscription could not be read, or not as a whole, by its lower-cased ID.
    :ivar incomplete: sentences on why there may be more registries than these.
    """

    registries: list[RegistryResource] = field(default_factory=list)
    subscriptions: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)

    def add(self, items: Iterable[RegistryResource]) -> int:
        """Add registries from a list, and return how many of its items could not be read, or not as a whole.

        Of those, one whose ID can be read is there with an unknown status.
        """
        odd = 0
        for each in items:
            if not registry_resource.is_registry_id(each.get("id")):
                odd += 1
                continue
            try:
                registry_resource.check_members(each)
            except AzureResponseError:
                odd += 1
                each = registry_resource.unreadable_registry(each["id"])
            self.registries.append(each)
        return odd

    @property
    def complete(self) -> bool:
        """Return whether everything could be read."""
        return not (self.unreadable or self.incomplete)


# --- what both views share -----------------------------------------------------------------------------------------


def fleet_row(resource: RegistryResource, fleet: Fleet, arm_audience: str) -> dict[str, Any]:
    """Return what `az acr scope list` prints of a registry: what `show` does, its subscription's name and its location.

    A status that is neither `enabled` nor `disabled` is `unknown` here: one odd registry does not hide the others.
    """
    try:
        described = registry_resource.describe_registry(resource, arm_audience)
    except AzureResponseError:
        odd = {**resource, "properties": {**resource["properties"], "policies": None}}
        described = registry_resource.describe_registry(odd, arm_audience)
        described |= {"status": UNKNOWN, "statusIsDefault": False, "acceptedAudiences": []}
    name = fleet.subscriptions.get(described["subscriptionId"].lower(), described["subscriptionId"])
    return {**described, "subscriptionName": name, "location": resource.get("location")}


def requirement_error(rows: list[dict[str, Any]], fleet: Fleet, required: str) -> Exception | None:
    """Return the error of --require; None only if every registry has the status and everything could be read."""
    if not rows and fleet.complete:
        return fleet_errors.nothing_in_view()  # a slip in the scope must not open the gate
    other = [each["status"] for each in rows if each["status"] != required]
    unknown = other.count(UNKNOWN)
    if not other and fleet.complete:
        return None
    return fleet_errors.requirement_missed(
        required, len(other) - unknown, unknown, len(fleet.unreadable), fleet.incomplete
    )


def summarize_fleet(rows: Iterable[dict[str, Any]], fleet: Fleet, wanted: Scope) -> list[str]:
    """Return lines for people: registries, enforced, not enforced and unknown, in all and by subscription."""
    where = f"In resource group {wanted.resource_group}" if wanted.resource_group else "In scope"
    by_subscription: dict[str, list[str]] = {}
    for each in rows:
        by_subscription.setdefault(each["subscriptionName"], []).append(each["status"])
    everything = [status for statuses in by_subscription.values() for status in statuses]
    lines = [_count_line(where, everything, len(fleet.unreadable))]
    if len(by_subscription) > 1:
        lines += [_count_line(f"  {name}", statuses, 0) for name, statuses in sorted(by_subscription.items())]
    return lines


def unread_lines(unreadable: dict[str, str]) -> list[str]:
    """Return a warning for each subscription that could not be read, or not as a whole."""
    return [fleet_errors.subscription_unread(each, why) for each, why in sorted(unreadable.items())]


def _count_line(title: str, statuses: list[str], unreadable: int) -> str:
    enforced, not_enforced = statuses.count(registry_resource.DISABLED), statuses.count(registry_resource.ENABLED)
    text = f"{title}: {base_errors.registries(len(statuses))}, {enforced} enforced, {not_enforced} not"
    unknown = len(statuses) - enforced - not_enforced
    if unknown:
        text += f", {unknown} unknown"
    return text + (f"; {base_errors.subscriptions(unreadable)} unknown" if unreadable else "")

"""Many registries: those of a resource group, of subscriptions, of a management group.

Two views. Resource Graph answers for a thousand registries in a request, but lags behind writes by up to minutes; the
live view asks ARM's own list in each subscription. Both say which subscriptions they could not read: what was not read
is unknown, never compliant.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, graph, kql, registry
from azext_acrscope._validators import is_default
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.arm_paths import arm_path, checked_name
from azext_acrscope.registry import Resource

UNKNOWN = "unknown"  # what could not be read; never counted as compliant
_READERS = 8
_MOST_IN_A_QUERY = 1000  # subscriptions that a Resource Graph query may name; more are asked for by naming none
MANAGEMENT_GROUPS_API_VERSION = "2020-05-01"
SUBSCRIPTIONS_API_VERSION = "2022-12-01"
READ_GROUP = "Microsoft.Management/managementGroups/descendants/read"

_REGISTRIES = """resources
| where type =~ 'microsoft.containerregistry/registries'{where}
| project id, name, location, tags, loginServer = tostring(properties.loginServer), \
status = tostring(properties.policies.azureADAuthenticationAsArmPolicy.status), \
adminUser = tobool(properties.adminUserEnabled), anonymousPull = tobool(properties.anonymousPullEnabled), \
encryption = tostring(properties.encryption.status)
| order by id asc"""
_SUBSCRIPTIONS = """resourcecontainers
| where type =~ 'microsoft.resources/subscriptions'
| project id, name, subscriptionId
| order by id asc"""


@dataclass(frozen=True)
class Subscription:
    id: str
    name: str
    tenant: str
    user: str = ""  # who is signed in for it: the CLI may know several in one tenant


@dataclass(frozen=True)
class Scope:
    """Which registries are meant: those of some subscriptions or of a management group, or of one resource group."""

    subscriptions: tuple[Subscription, ...]
    management_group: str | None = None
    resource_group: str | None = None

    @property
    def text(self) -> str:
        """What a person calls it."""
        if self.management_group:
            return f"management group {self.management_group}"
        if len(self.subscriptions) != 1:
            return "all subscriptions of the account"
        subscription = f"subscription {self.subscriptions[0].name}"
        return f"resource group {self.resource_group} in {subscription}" if self.resource_group else subscription


@dataclass
class Fleet:
    """The registries in view, as ARM resources, and what could not be read.

    :ivar subscriptions: names of the subscriptions that were read, by lower-cased ID.
    :ivar unreadable: why a subscription could not be read, or not as a whole, by its lower-cased ID.
    :ivar incomplete: sentences on why there may be more registries than these.
    """

    registries: list[Resource] = field(default_factory=list)
    subscriptions: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not (self.unreadable or self.incomplete)


def scope(
    cli_ctx: Any, resource_group: str | None = None, everything: bool = False, management_group: str | None = None
) -> Scope:
    """The scope that a command's arguments name; by default the subscription in use.

    :param everything: all subscriptions of the signed-in account, over all its tenants.
    """
    from azure.cli.core._profile import Profile

    from azext_acrscope.first_hop import find_account

    profile = Profile(cli_ctx=cli_ctx)
    account = find_account(profile, cli_ctx.data.get("subscription_id"))
    if management_group and everything:
        raise _errors.exclusive("--all-subscriptions", "--management-group")
    if is_default(resource_group) and (everything or management_group):
        resource_group = None  # the default group of the CLI's configuration does not contradict a wider scope
    if resource_group and (everything or management_group):
        raise _errors.exclusive("--resource-group", "--all-subscriptions or --management-group")
    if resource_group is not None:
        checked_name("group", resource_group)
    if management_group is not None:
        checked_name("management_group", management_group)
    accounts = [account]
    if everything:
        accounts = [a for a in profile.load_cached_subscriptions() if a["id"] != a["tenantId"]]
    known = (Subscription(a["id"], a["name"], a["tenantId"], a["user"]["name"]) for a in accounts)
    return Scope(tuple(known), management_group, resource_group)


def read(cli_ctx: Any, wanted: Scope, at_once: bool) -> Fleet:
    """The fleet as of this moment, or else by Resource Graph: see `live` and `from_graph`."""
    return live(cli_ctx, wanted) if at_once else from_graph(cli_ctx, wanted)


# --- Resource Graph ------------------------------------------------------------------------------------------------


def from_graph(cli_ctx: Any, wanted: Scope) -> Fleet:
    """The fleet by Resource Graph: one request for each thousand registries, and one for the subscriptions.

    Of several tenants, one that cannot be asked leaves its subscriptions unread.

    :raises ForbiddenError, AzureResponseError …: Resource Graph refused the query as a whole, for each account.
    """
    fleet, errors = Fleet(), list[AzCLIError]()
    accounts = _by_account(wanted.subscriptions)
    for subscriptions in accounts:
        try:
            _ask_graph(cli_ctx, wanted, subscriptions, fleet)
        except AzCLIError as error:
            errors.append(error)
            fleet.unreadable |= {each.id.lower(): error.error_msg for each in subscriptions}
    if errors and len(errors) == len(accounts):
        raise errors[0]
    return fleet


def _ask_graph(cli_ctx: Any, wanted: Scope, subscriptions: list[Subscription], fleet: Fleet) -> None:
    """Add to the fleet what one account sees."""
    where = f" and resourceGroup =~ '{kql.quoted(wanted.resource_group)}'" if wanted.resource_group else ""
    arm = Arm(cli_ctx, subscriptions[0].id)
    expected = [subscription.id for subscription in subscriptions]
    target: dict[str, Any] = {"subscriptions": expected if len(expected) <= _MOST_IN_A_QUERY else None}
    place = f"Resource Graph in tenant {subscriptions[0].tenant}"
    if wanted.management_group:
        expected, fleet.incomplete = expected_below(arm, wanted.management_group)
        target, place = {"management_group": wanted.management_group}, f"management group {wanted.management_group}"
    try:
        seen = graph.query(arm, _SUBSCRIPTIONS, **target)
        found = graph.query(arm, _REGISTRIES.format(where=where), **target)
    except ArmError as error:
        raise error.as_cli_error(place, "Reader") from error
    fleet.subscriptions |= {row["subscriptionId"].lower(): row["name"] for row in seen.rows}
    fleet.registries += [_from_row(row) for row in found.rows]
    fleet.incomplete += [text for text in seen.incomplete + found.incomplete if text not in fleet.incomplete]
    for missing in {each.lower() for each in expected} - fleet.subscriptions.keys():
        fleet.unreadable[missing] = _errors.NOT_IN_RESOURCE_GRAPH


def _from_row(row: dict[str, Any]) -> Resource:
    """A row of the registries query in the shape of an ARM resource, as far as this project looks at it."""
    policy = {"status": row.get("status") or None}
    return {
        "id": row["id"],
        "name": row["name"],
        "location": row.get("location"),
        "tags": row.get("tags") or {},
        "properties": {
            "loginServer": row.get("loginServer"),
            "adminUserEnabled": row.get("adminUser"),
            "anonymousPullEnabled": row.get("anonymousPull"),
            "policies": {"azureADAuthenticationAsArmPolicy": policy},
            "encryption": {"status": row.get("encryption") or None},
        },
    }


# --- ARM's own lists -----------------------------------------------------------------------------------------------


def live(cli_ctx: Any, wanted: Scope) -> Fleet:
    """The fleet by ARM's lists of registries, several subscriptions at a time: the state at this moment."""
    fleet = Fleet()
    subscriptions = list(wanted.subscriptions)
    if wanted.management_group:
        arm = Arm(cli_ctx)
        try:
            below = _below(arm, wanted.management_group)
        except ArmError as error:
            raise error.as_cli_error(f"management group {wanted.management_group}", READ_GROUP) from error
        subscriptions = [Subscription(each, name, arm.tenant) for each, name in below.items()]
    connections = {
        (members[0].tenant, members[0].user): Arm(cli_ctx, members[0].id) for members in _by_account(subscriptions)
    }

    def read(subscription: Subscription) -> list[Resource] | ArmError | AzCLIError:
        arm = connections[subscription.tenant, subscription.user]
        try:
            place = arm_path("/subscriptions/{subscription}", subscription=subscription.id)
            path = place
            if wanted.resource_group:
                path = arm_path("{scope}/resourceGroups/{group}", scope=place, group=wanted.resource_group)
            path = arm_path(f"{{scope}}/providers/{registry.TYPE}", scope=path)
            items = arm.pages(path, registry.API_VERSION)
            if not items:  # a list leaves out what may not be read: nothing to see may mean no right to look
                arm.get(place, SUBSCRIPTIONS_API_VERSION)
            return items
        except (ArmError, AzCLIError) as error:
            return error

    with ThreadPoolExecutor(_READERS) as readers:
        for subscription, answer in zip(subscriptions, readers.map(read, subscriptions), strict=True):
            _take(fleet, subscription, answer, wanted.resource_group)
    fleet.registries.sort(key=lambda resource: str(resource["id"]).lower())
    return fleet


def _take(
    fleet: Fleet, subscription: Subscription, answer: list[Resource] | ArmError | AzCLIError, group: str | None
) -> None:
    """Add to the fleet what a subscription answered, or why it could not be read."""
    if isinstance(answer, ArmError):
        if answer.code == "ResourceGroupNotFound":
            raise _errors.group_not_found(str(group), subscription.id) from answer
        answer = answer.as_cli_error(f"subscription {subscription.name}", registry.READ)
    if isinstance(answer, AzCLIError):
        fleet.unreadable[subscription.id.lower()] = answer.error_msg
    else:
        fleet.subscriptions[subscription.id.lower()] = subscription.name
        fleet.registries += [each for each in answer if _is_whole(each)]
        odd = sum(not _is_whole(each) for each in answer)
        if odd:
            fleet.unreadable[subscription.id.lower()] = _errors.items_unread(odd)


def _is_whole(resource: Resource) -> bool:
    """Whether an item of a list has what the rest of this project relies on."""
    return registry.is_id(resource.get("id")) and "name" in resource and isinstance(resource.get("properties"), dict)


def _below(arm: Arm, management_group: str) -> dict[str, str]:
    """The names of a management group's subscriptions by ID, whether the account may see into them or not.

    :raises ResourceNotFoundError: there is no such group.
    :raises ArmError: the account may not ask.
    """
    path = arm_path(
        "/providers/Microsoft.Management/managementGroups/{management_group}/descendants",
        management_group=management_group,
    )
    try:
        items = arm.pages(path, MANAGEMENT_GROUPS_API_VERSION)
    except ArmError as error:
        if error.status == 404:
            raise _errors.management_group_not_found(management_group) from error
        raise
    below = [item for item in items if str(item.get("type", "")).lower().endswith("/subscriptions")]
    return {item["name"]: _display_name(item) for item in below}


def _display_name(item: dict[str, Any]) -> str:
    properties = item.get("properties")
    return str((properties if isinstance(properties, dict) else {}).get("displayName") or item["name"])


def expected_below(arm: Arm, management_group: str) -> tuple[list[str], list[str]]:
    """Their IDs; without the right to ask, none, and a sentence that says so."""
    try:
        return list(_below(arm, management_group)), []
    except ArmError as error:
        return [], [_errors.group_not_listed(management_group, error.code)]


# --- what both views share -----------------------------------------------------------------------------------------


def row(resource: Resource, fleet: Fleet, arm_audience: str) -> dict[str, Any]:
    """What `az acr scope list` prints of a registry: what `show` does, its subscription's name and its location.

    A status that is neither `enabled` nor `disabled` is `unknown` here: one odd registry does not hide the others.
    """
    from azure.cli.core.azclierror import AzureResponseError

    try:
        described = registry.describe(resource, arm_audience)
    except AzureResponseError:
        odd = {**resource, "properties": {**resource["properties"], "policies": None}}
        described = registry.describe(odd, arm_audience)
        described |= {"status": UNKNOWN, "statusIsDefault": False, "acceptedAudiences": []}
    name = fleet.subscriptions.get(described["subscriptionId"].lower(), described["subscriptionId"])
    return {**described, "subscriptionName": name, "location": resource.get("location")}


def missed(rows: list[dict[str, Any]], fleet: Fleet, required: str) -> Exception | None:
    """The gate: None only if every registry in view has the status and nothing in view went unread."""
    if not rows and fleet.complete:
        return _errors.nothing_in_view()  # a slip in the scope must not open the gate
    other = [each["status"] for each in rows if each["status"] != required]
    unknown = other.count(UNKNOWN)
    if not other and fleet.complete:
        return None
    return _errors.requirement_missed(required, len(other) - unknown, unknown, len(fleet.unreadable), fleet.incomplete)


def summary(rows: Iterable[dict[str, Any]], fleet: Fleet, wanted: Scope) -> list[str]:
    """Lines for people: registries, enforced, not enforced and unknown, in all and by subscription."""
    where = f"In view, in resource group {wanted.resource_group}" if wanted.resource_group else "In view"
    by_subscription: dict[str, list[str]] = {}
    for each in rows:
        by_subscription.setdefault(each["subscriptionName"], []).append(each["status"])
    everything = [status for statuses in by_subscription.values() for status in statuses]
    lines = [_counted(where, everything, len(fleet.unreadable))]
    if len(by_subscription) > 1:
        lines += [_counted(f"  {name}", statuses, 0) for name, statuses in sorted(by_subscription.items())]
    return lines + [f"  {text}" for text in [*unread(fleet.unreadable), *fleet.incomplete]]


def unread(unreadable: dict[str, str]) -> list[str]:
    """A line for people for each subscription that could not be read, or not as a whole."""
    return [_errors.subscription_unread(each, why) for each, why in sorted(unreadable.items())]


def _counted(title: str, statuses: list[str], unreadable: int) -> str:
    enforced, not_enforced = statuses.count(registry.DISABLED), statuses.count(registry.ENABLED)
    text = f"{title}: {_errors.registries(len(statuses))}, {enforced} enforced, {not_enforced} not"
    unknown = len(statuses) - enforced - not_enforced
    if unknown:
        text += f", {unknown} unknown"
    return text + (f"; {_errors.subscriptions(unreadable)} unknown" if unreadable else "")


def _by_account(subscriptions: Iterable[Subscription]) -> list[list[Subscription]]:
    """The subscriptions that one sign-in can ask for together."""
    found: dict[tuple[str, str], list[Subscription]] = {}
    for each in subscriptions:
        found.setdefault((each.tenant, each.user), []).append(each)
    return list(found.values())

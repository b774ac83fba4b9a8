"""Choose which registries are meant: those of subscriptions, of a management group, or of one resource group."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import arm_path, check_arm_name
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.foreign_json import find_text
from azext_acrscope.base.resource_ids import (
    MANAGEMENT_GROUP_TYPE,
    SUBSCRIPTION_TYPE,
    is_arm_name,
    parse_resource_id,
)
from azext_acrscope.base.text import one_line
from azext_acrscope.fleet import errors as fleet_errors

MANAGEMENT_GROUPS_API_VERSION = "2020-05-01"
_UNKNOWN_GROUP = "ManagementGroupsContainInvalidIds"  # Resource Graph's reason, for a display name among others
READ_MANAGEMENT_GROUP = "Microsoft.Management/managementGroups/descendants/read"


class Subscription(NamedTuple):
    """A subscription of the CLI, with its tenant."""

    id: str
    name: str
    tenant: str
    user: str = ""  # who is signed in for it: the CLI may know several in one tenant


class Scope(NamedTuple):
    """Which registries are meant: those of some subscriptions or of a management group, or of one resource group."""

    subscriptions: tuple[Subscription, ...]
    management_group: str | None = None
    resource_group: str | None = None

    @property
    def text(self) -> str:
        """Return what a person calls it."""
        if self.management_group:
            return f"management group {self.management_group}"
        if len(self.subscriptions) != 1:
            return "all subscriptions of the account"
        subscription = f"subscription {self.subscriptions[0].name}"
        return f"resource group {self.resource_group} in {subscription}" if self.resource_group else subscription


def choose_scope(
    cli_ctx: Any, resource_group: str | None = None, everything: bool = False, management_group: str | None = None
) -> Scope:
    """Return the scope that a command's arguments name; by default the subscription in use.

    :param everything: all subscriptions of the signed-in account, over all its tenants.
    """
    from azure.cli.core._profile import Profile

    from azext_acrscope.hops.entra import find_account

    profile = Profile(cli_ctx=cli_ctx)
    account = find_account(profile, cli_ctx.data.get("subscription_id"))
    if management_group and everything:
        raise base_errors.exclusive("--all-subscriptions", "--management-group")
    if resource_group and (everything or management_group):
        raise base_errors.exclusive("--resource-group", "--all-subscriptions or --management-group")
    if resource_group is not None:
        check_arm_name("group", resource_group)
    if management_group is not None:
        check_arm_name("management_group", management_group)
    accounts = [account]
    if everything:
        accounts = [a for a in profile.load_cached_subscriptions() if a["id"] != a["tenantId"]]
    known = (Subscription(a["id"], one_line(a["name"]), a["tenantId"], one_line(a["user"]["name"])) for a in accounts)
    return Scope(tuple(known), management_group, resource_group)


def is_unknown_group(error: ArmError) -> bool:
    """Return whether ARM, or Resource Graph, says of a management group that there is none."""
    return error.status == 404 or _UNKNOWN_GROUP in error.reasons


def group_refused(error: ArmError, management_group: str, action: str) -> AzCLIError:
    """Return the typed error for a refusal to look below a management group.

    :param action: the right or the role that this needs.
    """
    if is_unknown_group(error):
        return base_errors.management_group_not_found(management_group)
    told = error.as_cli_error(f"management group {management_group}", action)
    # To some accounts Azure says of a group that does not exist that they may not see it.
    return base_errors.with_advice(told, base_errors.CHECK_GROUP) if error.status == 403 else told


def list_subscriptions_below(arm: ArmClient, management_group: str) -> tuple[dict[str, str], list[str]]:
    """Return the names of a management group's subscriptions by ID, whether the account may see into them or not; and
    a sentence on items of the list that cannot be read.

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
        if is_unknown_group(error):
            raise base_errors.management_group_not_found(management_group) from error
        raise
    found, odd = dict[str, str](), 0
    for item in items:
        below, display_name = parse_resource_id(find_text(item, "id")), find_text(item, "properties", "displayName")
        if below.has_type(SUBSCRIPTION_TYPE) and is_arm_name("subscription", below.name) and display_name:
            found[below.name] = display_name
        elif not below.has_type(MANAGEMENT_GROUP_TYPE):
            odd += 1
    return found, [fleet_errors.group_items_unread(management_group, odd)] if odd else []


def expected_subscription_ids(arm: ArmClient, management_group: str) -> tuple[list[str], list[str]]:
    """Return the IDs of its subscriptions, and sentences on why these may not be all: without the right to read them
    there are none.
    """
    try:
        found, unread = list_subscriptions_below(arm, management_group)
    except ArmError as error:
        return [], [fleet_errors.group_not_listed(management_group, error.code)]
    return list(found), unread


def group_by_account(subscriptions: Iterable[Subscription]) -> list[list[Subscription]]:
    """Return the subscriptions that one sign-in can ask for together."""
    found: dict[tuple[str, str], list[Subscription]] = {}
    for each in subscriptions:
        found.setdefault((each.tenant, each.user), []).append(each)
    return list(found.values())

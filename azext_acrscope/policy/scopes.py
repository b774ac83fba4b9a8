"""Where a policy can be assigned: a management group, a subscription or a resource group."""

import re
from dataclasses import dataclass
from typing import Any

from azext_acrscope import _errors, hosts
from azext_acrscope.arm import Arm

_MANAGEMENT_GROUP = re.compile(r"[\w().-]{1,90}", re.ASCII)


@dataclass(frozen=True)
class PolicyScope:
    """A scope of Azure Policy.

    :ivar path: its ARM path, such as /subscriptions/SUBSCRIPTION.
    :ivar text: what a person calls it.
    """

    path: str
    text: str
    management_group: str | None = None
    resource_group: str | None = None


def choose(arm: Arm, management_group: str | None, resource_group: str | None) -> PolicyScope:
    """The scope that arguments name: a management group, a resource group, by default the subscription of `arm`.

    :raises InvalidArgumentValueError: a name that cannot be one: it would change the path of a request.
    :raises MutuallyExclusiveArgumentError: both were named.
    :raises ResourceNotFoundError: the account has no subscription.
    """
    if management_group and resource_group:
        raise _errors.exclusive("--management-group", "--resource-group")
    if management_group:
        if not _MANAGEMENT_GROUP.fullmatch(management_group):
            raise _errors.bad_management_group(management_group)
        path = f"/providers/Microsoft.Management/managementGroups/{management_group}"
        return PolicyScope(path, f"management group {management_group}", management_group=management_group)
    if not arm.has_subscription:
        raise _errors.no_subscription_for_policy(arm.tenant)
    subscription = f"/subscriptions/{arm.subscription_id}"
    if resource_group:
        if not hosts.is_group_name(resource_group):
            raise _errors.bad_group(resource_group)
        path = f"{subscription}/resourceGroups/{resource_group}"
        return PolicyScope(path, f"resource group {resource_group}", resource_group=resource_group)
    return PolicyScope(subscription, f"subscription {arm.subscription_id}")


def contains(scope: str, other: Any) -> bool:
    """Whether an ARM ID lies at or below a subscription or a resource group, whatever the case of letters."""
    above, below = scope.lower().rstrip("/"), str(other).lower()
    return below == above or below.startswith(f"{above}/")

"""Where a policy can be assigned: a management group, a subscription or a resource group."""

from dataclasses import dataclass
from typing import Any

from azext_acrscope.arm.client import ArmClient
from azext_acrscope.arm.paths import ArmPath, arm_path
from azext_acrscope.base import errors as base_errors
from azext_acrscope.policy import errors


@dataclass(frozen=True)
class PolicyScope:
    """A scope of Azure Policy.

    :ivar path: its ARM path, such as /subscriptions/SUBSCRIPTION.
    :ivar text: what a person calls it.
    """

    path: ArmPath
    text: str
    management_group: str | None = None
    resource_group: str | None = None


def choose_scope(arm: ArmClient, management_group: str | None, resource_group: str | None) -> PolicyScope:
    """The scope that arguments name: a management group, a resource group, by default the subscription of `arm`.

    :raises InvalidArgumentValueError: a name that cannot be one: it would change the path of a request.
    :raises MutuallyExclusiveArgumentError: both were named.
    :raises ResourceNotFoundError: the account has no subscription.
    """
    if management_group and resource_group:
        raise base_errors.exclusive("--management-group", "--resource-group")
    if management_group:
        path = arm_path(
            "/providers/Microsoft.Management/managementGroups/{management_group}", management_group=management_group
        )
        return PolicyScope(path, f"management group {management_group}", management_group=management_group)
    if not arm.has_subscription:
        raise errors.no_subscription_for_policy(arm.tenant)
    if resource_group:
        return resource_group_scope(arm.subscription_id, resource_group)
    return subscription_scope(arm.subscription_id)


def subscription_scope(subscription: str, name: str = "") -> PolicyScope:
    """Return the scope that a subscription is.

    :raises InvalidArgumentValueError: it is no subscription's ID.
    """
    return PolicyScope(
        arm_path("/subscriptions/{subscription}", subscription=subscription), f"subscription {name or subscription}"
    )


def resource_group_scope(subscription: str, group: str) -> PolicyScope:
    """Return the scope that a resource group is.

    :raises InvalidArgumentValueError: a name that cannot be one.
    """
    path = arm_path("/subscriptions/{subscription}/resourceGroups/{group}", subscription=subscription, group=group)
    return PolicyScope(path, f"resource group {group}", resource_group=group)


def scope_contains(scope: str, other: Any) -> bool:
    """Whether an ARM ID lies at or below a subscription or a resource group, whatever the case of letters."""
    above, below = scope.lower().rstrip("/"), str(other).lower()
    return below == above or below.startswith(f"{above}/")

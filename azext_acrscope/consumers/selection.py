"""Whose consumers are meant: what was named or selected, as searches of one tenant each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope import _errors, fleet, hosts
from azext_acrscope.arm import Arm
from azext_acrscope.consumers import queries
from azext_acrscope.consumers.inventory import Places, Registry
from azext_acrscope.fleet import Scope
from azext_acrscope.hosts import RegistryRef


@dataclass
class Search:
    """A search of one tenant, as the account of one of its subscriptions.

    :ivar condition: of KQL, for its registries.
    :ivar pick: picks the registries that are meant from those which the condition lets through.
    :ivar expected: IDs of subscriptions that the account is said to have there.
    :ivar incomplete: sentences on what may be missing.
    :ivar named: whether each registry was named, so that none may be missing.
    """

    arm: Arm
    condition: str
    pick: Callable[[Places], list[Registry]]
    expected: list[str]
    incomplete: list[str] = field(default_factory=list)
    named: bool = False


def subscriptions_in(cli_ctx: Any, tenant: str) -> list[str]:
    """IDs of the subscriptions that the CLI knows in a tenant."""
    from azure.cli.core._profile import Profile

    accounts = Profile(cli_ctx=cli_ctx).load_cached_subscriptions()
    return [each["id"] for each in accounts if each["tenantId"] == tenant != each["id"]]


# --- by name -------------------------------------------------------------------------------------------------------


def by_name(cli_ctx: Any, refs: list[RegistryRef], group: str | None) -> list[Search]:
    """For the registries named, those with a resource ID in the tenant of their subscription.

    A name is looked for in the subscription in use first, then in all that the account can see.

    :raises ResourceNotFoundError, InvalidArgumentValueError: when picking, one is not there or not the only one.
    """
    tenants: dict[str, tuple[Arm, list[RegistryRef]]] = {}
    for ref in refs:
        arm = Arm(cli_ctx, ref.subscription_id)
        tenants.setdefault(arm.tenant, (arm, []))[1].append(ref)
    return [_named(cli_ctx, arm, members, group) for arm, members in tenants.values()]


def _named(cli_ctx: Any, arm: Arm, refs: list[RegistryRef], group: str | None) -> Search:
    def pick(found: Places) -> list[Registry]:
        picked = [_pick(found.registries, ref, group, arm) for ref in refs]
        return list({each.id.lower(): each for each in picked}.values())

    condition = queries.with_names(ref.name for ref in refs)
    return Search(arm, condition, pick, subscriptions_in(cli_ctx, arm.tenant), named=True)


def _pick(registries: list[Registry], ref: RegistryRef, group: str | None, arm: Arm) -> Registry:
    fit = [each for each in registries if _fits(each, ref, group)]
    here = [each for each in fit if each.subscription.lower() == arm.subscription_id.lower()]
    fit = here or fit
    if not fit:
        raise _errors.no_such_registry_in_graph(ref.login_server or ref.name, ref.resource_group or group, arm.tenant)
    if len(fit) > 1:
        raise _errors.ambiguous_name(ref.name, [each.id for each in fit])
    return fit[0]


def _fits(registry: Registry, ref: RegistryRef, group: str | None) -> bool:
    group = ref.resource_group or group
    return (
        registry.name.lower() == ref.name.lower()
        and (not group or registry.resource_group.lower() == group.lower())
        and (not ref.subscription_id or registry.subscription.lower() == ref.subscription_id.lower())
        and (not ref.login_server or hosts.is_at(ref.login_server, registry.login_server))
    )


# --- by scope ------------------------------------------------------------------------------------------------------


def by_scope(cli_ctx: Any, scope: Scope) -> list[Search]:
    """For all registries of some subscriptions, of a resource group or of a management group.

    :raises ResourceNotFoundError: there is no such management group.
    """
    if scope.management_group:
        return [_below(cli_ctx, scope.management_group)]
    tenants = {each.tenant: each.id for each in reversed(scope.subscriptions)}
    wanted = {each.id.lower() for each in scope.subscriptions}
    group = scope.resource_group

    def pick(found: Places) -> list[Registry]:
        here = [each for each in found.registries if each.subscription.lower() in wanted]
        return [each for each in here if not group or each.resource_group.lower() == group.lower()]

    return [
        Search(Arm(cli_ctx, subscription), "", pick, subscriptions_in(cli_ctx, tenant))
        for tenant, subscription in reversed(tenants.items())
    ]


def _below(cli_ctx: Any, name: str) -> Search:
    """By what the subscriptions' rows say of the groups above them, and by ARM's list of the group's subscriptions."""
    arm = Arm(cli_ctx)
    listed, incomplete = fleet.expected_below(arm, name)
    ids = {each.lower() for each in listed}

    def pick(found: Places) -> list[Registry]:
        inside = {each for each in found.subscriptions if each in ids or _is_below(found, each, name)}
        if not (inside or listed):
            raise _errors.management_group_not_found(name)
        return [each for each in found.registries if each.subscription.lower() in inside]

    expected = list(dict.fromkeys([*listed, *subscriptions_in(cli_ctx, arm.tenant)]))
    return Search(arm, "", pick, expected, incomplete)


def _is_below(found: Places, subscription: str, name: str) -> bool:
    return name.lower() in [each.lower() for each in found.above(subscription) or []]

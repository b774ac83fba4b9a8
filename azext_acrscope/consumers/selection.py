"""Whose consumers are meant: what was named or selected, as searches of one tenant each."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.arm.client import ArmClient
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.consumers import errors, queries
from azext_acrscope.consumers.inventory import RegistryInView, SearchArea
from azext_acrscope.fleet import scope as fleet_scope
from azext_acrscope.fleet.scope import Scope
from azext_acrscope.registry import errors as registry_errors


@dataclass
class TenantSearch:
    """A search of one tenant, as the account of one of its subscriptions.

    :ivar condition: of KQL, for its registries.
    :ivar pick: picks the registries that are meant from those which the condition lets through.
    :ivar expected: IDs of subscriptions that the account is said to have there.
    :ivar incomplete: sentences on what may be missing.
    :ivar named: whether each registry was named, so that none may be missing.
    """

    arm: ArmClient
    condition: str
    pick: Callable[[SearchArea], list[RegistryInView]]
    expected: list[str]
    incomplete: list[str] = field(default_factory=list)
    named: bool = False


def known_subscriptions(cli_ctx: Any, tenant: str) -> list[str]:
    """Return the IDs of the subscriptions that the CLI knows in a tenant."""
    from azure.cli.core._profile import Profile

    accounts = Profile(cli_ctx=cli_ctx).load_cached_subscriptions()
    return [each["id"] for each in accounts if each["tenantId"] == tenant != each["id"]]


def selection_options(
    refs: list[RegistryRef] | None,
    group: str | None,
    all_subscriptions: bool,
    management_group: str | None,
    subscription: str | None,
) -> str:
    """Return the options that select what was selected, or the first registry that was named, for a command to type."""
    if all_subscriptions:
        return "--all-subscriptions"
    if management_group:
        return f"--management-group {shlex.quote(management_group)}"
    options = [f"--name {_typed_name(refs[0])}"] if refs else []
    options += [f"--resource-group {shlex.quote(group)}"] if group else []
    return " ".join([*(options or ["--all"]), *([f"--subscription {subscription}"] if subscription else [])])


def _typed_name(ref: RegistryRef) -> str:
    if ref.subscription_id and ref.resource_group:
        group = f"/subscriptions/{ref.subscription_id}/resourceGroups/{ref.resource_group}"
        return shlex.quote(f"{group}/providers/Microsoft.ContainerRegistry/registries/{ref.name}")
    return ref.login_server or ref.name


def choose_searches(
    cli_ctx: Any,
    refs: list[RegistryRef] | None,
    group: str | None,
    all_subscriptions: bool,
    management_group: str | None,
) -> list[TenantSearch]:
    """Return the searches for what was selected: registries by name, or all of a scope.

    :raises ResourceNotFoundError, InvalidArgumentValueError: see `searches_by_name` and `searches_by_scope`.
    """
    if refs:
        return searches_by_name(cli_ctx, refs, group)
    return searches_by_scope(cli_ctx, fleet_scope.choose_scope(cli_ctx, group, all_subscriptions, management_group))


# --- by name -------------------------------------------------------------------------------------------------------


def searches_by_name(cli_ctx: Any, refs: list[RegistryRef], group: str | None) -> list[TenantSearch]:
    """Return the searches for the registries named, those with a resource ID in their subscription's tenant.

    A name is looked for in the subscription in use first, then in all that the account can see.

    :raises ResourceNotFoundError, InvalidArgumentValueError: when picking, one is not there or not the only one.
    """
    tenants: dict[str, tuple[ArmClient, list[RegistryRef]]] = {}
    for ref in refs:
        arm = ArmClient(cli_ctx, ref.subscription_id)
        tenants.setdefault(arm.tenant, (arm, []))[1].append(ref)
    return [_search_named(cli_ctx, arm, members, group) for arm, members in tenants.values()]


def _search_named(cli_ctx: Any, arm: ArmClient, refs: list[RegistryRef], group: str | None) -> TenantSearch:
    def pick(found: SearchArea) -> list[RegistryInView]:
        picked = [_pick_registry(found.registries, ref, group, arm) for ref in refs]
        return list({each.id.lower(): each for each in picked}.values())

    condition = queries.registry_name_condition(ref.name for ref in refs)
    return TenantSearch(arm, condition, pick, known_subscriptions(cli_ctx, arm.tenant), named=True)


def _pick_registry(
    registries: list[RegistryInView], ref: RegistryRef, group: str | None, arm: ArmClient
) -> RegistryInView:
    fit = [each for each in registries if _matches_ref(each, ref, group)]
    here = [each for each in fit if each.subscription.lower() == arm.subscription_id.lower()]
    fit = here or fit
    if not fit:
        raise errors.no_such_registry_in_graph(ref.login_server or ref.name, ref.resource_group or group, arm.tenant)
    if len(fit) > 1:
        raise registry_errors.ambiguous_name(ref.name, [each.id for each in fit])
    return fit[0]


def _matches_ref(registry: RegistryInView, ref: RegistryRef, group: str | None) -> bool:
    group = ref.resource_group or group
    return (
        registry.name.lower() == ref.name.lower()
        and (not group or registry.resource_group.lower() == group.lower())
        and (not ref.subscription_id or registry.subscription.lower() == ref.subscription_id.lower())
        and (not ref.login_server or hosts.is_login_server_of(ref.login_server, registry.login_server))
    )


# --- by scope ------------------------------------------------------------------------------------------------------


def searches_by_scope(cli_ctx: Any, scope: Scope) -> list[TenantSearch]:
    """Return the searches for all registries of subscriptions, a resource group or a management group.

    :raises ResourceNotFoundError: there is no such management group.
    """
    if scope.management_group:
        return [_search_below(cli_ctx, scope.management_group)]
    tenants = {each.tenant: each.id for each in reversed(scope.subscriptions)}
    wanted = {each.id.lower() for each in scope.subscriptions}
    group = scope.resource_group

    def pick(found: SearchArea) -> list[RegistryInView]:
        here = [each for each in found.registries if each.subscription.lower() in wanted]
        return [each for each in here if not group or each.resource_group.lower() == group.lower()]

    return [
        TenantSearch(ArmClient(cli_ctx, subscription), "", pick, known_subscriptions(cli_ctx, tenant))
        for tenant, subscription in reversed(tenants.items())
    ]


def _search_below(cli_ctx: Any, name: str) -> TenantSearch:
    """By what the subscriptions' rows say of the groups above them, and by ARM's list of the group's subscriptions."""
    arm = ArmClient(cli_ctx)
    listed, incomplete = fleet_scope.expected_subscription_ids(arm, name)
    ids = {each.lower() for each in listed}

    def pick(found: SearchArea) -> list[RegistryInView]:
        inside = {each for each in found.subscriptions if each in ids or _is_below_group(found, each, name)}
        if not (inside or listed):
            raise base_errors.management_group_not_found(name)
        return [each for each in found.registries if each.subscription.lower() in inside]

    expected = list(dict.fromkeys([*listed, *known_subscriptions(cli_ctx, arm.tenant)]))
    return TenantSearch(arm, "", pick, expected, incomplete)


def _is_below_group(found: SearchArea, subscription: str, name: str) -> bool:
    return name.lower() in [each.lower() for each in found.above(subscription) or []]

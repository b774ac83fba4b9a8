"""What a command about policy looks at: a scope, what governs it, the registries in it."""

from dataclasses import dataclass
from typing import Any

from azext_acrscope.arm.client import ArmClient
from azext_acrscope.arm.paths import check_resource_id
from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.fleet import live as fleet_live
from azext_acrscope.fleet import scope as fleet_scope
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.policy import effective_rules, scopes
from azext_acrscope.policy.effective_rules import EffectiveRules
from azext_acrscope.policy.scopes import PolicyScope
from azext_acrscope.registry import resource as registry_resource


@dataclass
class PolicyContext:
    """:ivar live: whether the registries are as of this moment, from ARM itself; else from Resource Graph."""

    arm: ArmClient
    scope: PolicyScope
    found: EffectiveRules
    fleet: Fleet
    live: bool = True


def read_registry_context(cli_ctx: Any, ref: RegistryRef, resource_group: str | None) -> PolicyContext:
    """One registry, and the scope that it is."""
    arm = ArmClient(cli_ctx, ref.subscription_id)
    resource = registry_resource.find_registry(arm, ref, resource_group, hosts.login_server_suffix(cli_ctx.cloud))
    scope = registry_scope(resource["id"])
    return PolicyContext(arm, scope, effective_rules.read_effective_rules(arm, scope), Fleet([resource]))


def registry_scope(registry_id: str) -> PolicyScope:
    return PolicyScope(check_resource_id(registry_id), registry_resource.registry_label(registry_id))


def read_scope_context(
    cli_ctx: Any, resource_group: str | None, management_group: str | None, live: bool
) -> PolicyContext:
    """The registries of a resource group, a management group, or by default the subscription.

    The first and the last are one list of ARM; a management group is a list for each of its subscriptions, so that is
    read from Resource Graph unless `live`.
    """
    arm = ArmClient(cli_ctx)
    scope = scopes.choose_scope(arm, management_group, resource_group)
    found = effective_rules.read_effective_rules(arm, scope)
    wanted = fleet_scope.choose_scope(cli_ctx, resource_group, False, management_group)
    live = live or not management_group
    return PolicyContext(arm, scope, found, fleet_live.read_fleet(cli_ctx, wanted, live), live)

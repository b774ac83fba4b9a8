"""What a command about policy looks at: a scope, what governs it, the registries in it."""

from dataclasses import dataclass
from typing import Any

from azext_acrscope import fleet, hosts, registry
from azext_acrscope._validators import is_default
from azext_acrscope.arm import Arm
from azext_acrscope.arm_paths import checked_id
from azext_acrscope.fleet import Fleet
from azext_acrscope.hosts import RegistryRef
from azext_acrscope.policy import governing, scopes
from azext_acrscope.policy.governing import Governance
from azext_acrscope.policy.scopes import PolicyScope


@dataclass
class View:
    """:ivar live: whether the registries are as of this moment, from ARM itself; else from Resource Graph."""

    arm: Arm
    scope: PolicyScope
    found: Governance
    fleet: Fleet
    live: bool = True


def of_registry(cli_ctx: Any, ref: RegistryRef, resource_group: str | None) -> View:
    """One registry, and the scope that it is."""
    arm = Arm(cli_ctx, ref.subscription_id)
    resource = registry.find(arm, ref, resource_group, hosts.cloud_suffix(cli_ctx.cloud))
    scope = scope_of(resource["id"])
    return View(arm, scope, governing.read(arm, scope), Fleet([resource]))


def scope_of(registry_id: str) -> PolicyScope:
    return PolicyScope(checked_id(registry_id), registry.short_name(registry_id))


def of_scope(cli_ctx: Any, resource_group: str | None, management_group: str | None, live: bool) -> View:
    """The registries of a resource group, a management group, or by default the subscription.

    The first and the last are one list of ARM; a management group is a list for each of its subscriptions, so that is
    read from Resource Graph unless `live`.
    """
    if management_group and is_default(resource_group):
        resource_group = None
    arm = Arm(cli_ctx)
    scope = scopes.choose(arm, management_group, resource_group)
    found = governing.read(arm, scope)
    wanted = fleet.scope(cli_ctx, resource_group, False, management_group)
    live = live or not management_group
    return View(arm, scope, found, fleet.read(cli_ctx, wanted, live), live)

"""The tree of management groups over the subscriptions of each tenant, and how far a grant in it reaches.

learn.microsoft.com/azure/governance/management-groups/overview: each tenant has one root group, whose name is the
tenant's id; a new group and a new subscription hang directly below it. A role at a group applies to all under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

GROUPS = "/providers/Microsoft.Management/managementGroups/"
_PREFIX = GROUPS.lower().lstrip("/")


class Child(Protocol):
    """What the tree needs to know of a subscription."""

    @property
    def id(self) -> str: ...
    @property
    def tenant_id(self) -> str: ...
    @property
    def scope(self) -> str: ...


@dataclass(eq=False)
class ManagementGroup:
    name: str
    tenant_id: str
    display_name: str
    parent: ManagementGroup | None

    @property
    def id(self) -> str:
        return GROUPS + self.name

    @property
    def ancestors(self) -> list[ManagementGroup]:
        """The groups above, the nearest first and the root last."""
        return [] if self.parent is None else [self.parent, *self.parent.ancestors]


class Hierarchy:
    """Names are unique in the whole world here (really: in a tenant), so that a scope names one group."""

    def __init__(self, subscriptions: Callable[[], Sequence[Child]]) -> None:
        self._subscriptions = subscriptions
        self._groups: dict[str, ManagementGroup] = {}
        self._homes: dict[str, ManagementGroup] = {}
        self._reach: dict[str, tuple[str, ...]] = {}
        self._known = 0

    def add_root(self, tenant_id: str) -> ManagementGroup:
        root = ManagementGroup(tenant_id, tenant_id, "Tenant Root Group", None)
        self._groups[tenant_id.lower()] = root
        return root

    def add(self, name: str, parent: ManagementGroup, display_name: str | None) -> ManagementGroup:
        if name.lower() in self._groups:
            raise ValueError(f"there is already a management group {name!r}")
        group = ManagementGroup(name, parent.tenant_id, display_name or name, parent)
        self._groups[name.lower()] = group
        self._reach.clear()
        return group

    def find(self, name: str) -> ManagementGroup | None:
        return self._groups.get(name.lower())

    def move(self, subscription: Child, group: ManagementGroup) -> None:
        if subscription.tenant_id != group.tenant_id:
            raise ValueError("a subscription can only be in a management group of its own tenant")
        self._homes[subscription.id] = group
        self._reach.clear()

    def home(self, subscription: Child) -> ManagementGroup:
        """The group that a subscription is directly in."""
        return self._homes.get(subscription.id) or self._groups[subscription.tenant_id.lower()]

    def groups(self, tenant_id: str) -> list[ManagementGroup]:
        return [group for group in list(self._groups.values()) if group.tenant_id == tenant_id]

    def below(self, group: ManagementGroup) -> Iterator[ManagementGroup]:
        """The groups below, children before grandchildren."""
        generation = [group]
        while generation:
            generation = [one for one in list(self._groups.values()) if one.parent in generation]
            yield from generation

    def subscriptions(self, group: ManagementGroup) -> list[Child]:
        """All subscriptions under a group, at any depth."""
        inside = {group, *self.below(group)}
        return [one for one in self._subscriptions() if self.home(one) in inside]

    def reach(self, prefix: str) -> tuple[str, ...]:
        """A grant's scope as the prefixes it covers: itself, and for a group all groups and subscriptions under it."""
        if not prefix.startswith(_PREFIX):
            return (prefix,)
        if len(self._subscriptions()) != self._known:
            self._known = len(self._subscriptions())
            self._reach.clear()
        known = self._reach.get(prefix)
        if known is None:
            known = self._reach[prefix] = self._covered(prefix)
        return known

    def _covered(self, prefix: str) -> tuple[str, ...]:
        group = self.find(prefix[len(_PREFIX) :].rstrip("/"))
        if group is None:
            return (prefix,)
        under = [one.id for one in self.below(group)] + [one.scope for one in self.subscriptions(group)]
        return (prefix, *(f"{scope.lower().lstrip('/')}/" for scope in under))

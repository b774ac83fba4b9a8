"""Who may pull from or push to a registry, from the rows of authorizationresources. No requests in here.

An assignment reaches a registry from the registry itself, one of its repositories, its resource group, its
subscription, a management group above, or ``/``. Which roles pull depends on the registry's mode: with role
assignments alone (``rbac``) Reader, Contributor and Owner do, too; with repository permissions (``abac``) only the
repository roles do.
"""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.base.foreign_json import UnexpectedShape, as_name, as_rows, as_text, as_texts, member_at
from azext_acrscope.base.resource_ids import (
    REGISTRY_TYPE,
    enclosing_resource,
    management_group_name,
    management_group_scope,
    name_in_id,
    parse_resource_id,
)

RBAC_MODE, ABAC_MODE = "rbac", "abac"
_MODES_BY_SETTING = {"legacyregistrypermissions": (RBAC_MODE,), "abacrepositorypermissions": (ABAC_MODE,)}
# action, data action: what a custom role needs.
_NEEDED_ACTIONS = {
    "pull": (f"{REGISTRY_TYPE.lower()}/pull/read", f"{REGISTRY_TYPE.lower()}/repositories/content/read"),
    "push": (f"{REGISTRY_TYPE.lower()}/push/write", f"{REGISTRY_TYPE.lower()}/repositories/content/write"),
}
_ROLE_TYPE = "Microsoft.Authorization/roleDefinitions"
_ALLOWING_MEMBERS = ("actions", "dataActions")


@dataclass
class RightsHolder:
    """A principal that may pull from a registry or push to it."""

    principal: str
    kind: str  # User, Group, ServicePrincipal, ForeignGroup …; empty if not said
    roles: list[str] = field(default_factory=list)  # "AcrPull on the registry"
    push: bool = False
    by_chance: bool = True  # whether it only has roles for everything there is, and from above the registry


def possible_modes(mode: Any) -> tuple[str, ...]:
    """Return the modes that a registry may be in: one, or both where its row does not say."""
    return _MODES_BY_SETTING.get(str(mode or "").lower(), (RBAC_MODE, ABAC_MODE))


def is_role(row: dict[str, Any]) -> bool:
    """Return whether a row is a role, and not an assignment of one."""
    return parse_resource_id(as_name(row.get("id"))).has_type(_ROLE_TYPE)


def judge_roles(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the roles that pull or push, judged by what they allow, in the form of the knowledge's roles.

    :raises UnexpectedShape: one of them cannot be read.
    """
    found = {}
    for row in rows:
        role, permissions = parse_resource_id(as_name(row.get("id"))), row.get("permissions")
        if permissions is None or not role.has_type(_ROLE_TYPE):
            raise UnexpectedShape("permissions" if permissions is None else "id")
        allowed = {right: _modes_that_allow(permissions, *needed) for right, needed in _NEEDED_ACTIONS.items()}
        if any(allowed.values()):
            found[role.name.lower()] = {
                "name": as_text(row.get("roleName")) or role.name,
                "broad": not _is_made_for_registries(permissions),
                **allowed,
            }
    return found


def judge_readable_roles(rows: Iterable[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return what `judge_roles` returns, and the IDs of those that cannot be read."""
    found: dict[str, dict[str, Any]] = {}
    unread = []
    for row in rows:
        try:
            found |= judge_roles([row])
        except UnexpectedShape:
            unread.append(str(row["id"]))
    return found, unread


def _is_made_for_registries(permissions: Any) -> bool:
    """Whether a role that pulls was made for registries, and is not one for everything that there is (`*/read`)."""
    patterns = [
        pattern
        for block in as_rows(permissions)
        for kind in _ALLOWING_MEMBERS
        for pattern in as_texts(member_at(block, kind))
    ]
    own = [pattern for pattern in patterns if not pattern.startswith("*")]
    return any(_matches_action(own, action) for action in _NEEDED_ACTIONS["pull"])


def _modes_that_allow(permissions: Any, action: str, data_action: str) -> list[str]:
    found = []
    for mode, wanted, yes, no in (
        (RBAC_MODE, action, "actions", "notActions"),
        (ABAC_MODE, data_action, "dataActions", "notDataActions"),
    ):
        for block in as_rows(permissions):
            if _matches_action(member_at(block, yes), wanted) and not _matches_action(member_at(block, no), wanted):
                found.append(mode)
                break
    return found


def _matches_action(patterns: Any, action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern.lower()) for pattern in as_texts(patterns))


@dataclass
class RoleAssignmentIndex:
    """Role assignments by scope (lower case). `odd` is how many could not be read."""

    by_scope: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    repositories: dict[str, list[str]] = field(default_factory=dict)  # scopes in a registry, by its ID
    management_groups: list[str] = field(default_factory=list)  # those of the scopes that are one
    odd: int = 0


def index_role_assignments(rows: Iterable[dict[str, Any]]) -> RoleAssignmentIndex:
    """Return the role assignments by their scope."""
    found = RoleAssignmentIndex()
    for row in rows:
        try:
            principal, scope = as_name(row.get("principalId")).lower(), as_name(row.get("scope")).lower().rstrip("/")
            role, kind = name_in_id(as_name(row.get("roleId"))).lower(), as_text(row.get("principalType"))
        except UnexpectedShape:
            found.odd += 1
            continue
        registry = enclosing_resource(scope, REGISTRY_TYPE)
        if registry and scope.startswith(f"{registry}/repositories") and scope not in found.by_scope:
            found.repositories.setdefault(registry, []).append(scope)
        if management_group_name(scope) and scope not in found.by_scope:
            found.management_groups.append(scope)
        found.by_scope.setdefault(scope, []).append(
            {**row, "principalId": principal, "roleId": role, "principalType": kind}
        )
    return found


def find_rights_holders(
    registry_id: str,
    mode: Any,
    above: Iterable[str] | None,
    assignments: RoleAssignmentIndex,
    roles: dict[str, dict[str, Any]],
) -> dict[str, RightsHolder]:
    """Return the principals with a right on a registry, by object ID.

    :param above: names of the management groups above its subscription; None if not known (then any counts).
    :param roles: what built-in and custom roles do, by GUID.
    """
    found: dict[str, RightsHolder] = {}
    known_modes = set(possible_modes(mode))
    reaching = _reaching_scopes(registry_id.lower(), above, assignments)
    above_it = {scope for scope, _ in reaching if not scope.startswith(registry_id.lower())}
    for scope, where in reaching:
        for row in assignments.by_scope.get(scope, []):
            role, principal = roles.get(row["roleId"]), row["principalId"]
            if not (role and principal and known_modes & {*role["pull"], *role["push"]}):
                continue
            holder = found.setdefault(principal, RightsHolder(principal, row["principalType"]))
            condition = ", under a condition" if row.get("condition") else ""
            holder.roles.append(f"{role['name']} {where}{condition}")
            holder.push = holder.push or bool(known_modes & set(role["push"]))
            holder.by_chance = holder.by_chance and bool(role.get("broad")) and scope in above_it
    return found


def has_visible_assignment(registry_id: str, above: Iterable[str] | None, assignments: RoleAssignmentIndex) -> bool:
    """Return whether a role assignment that reaches a registry is there, of whatever use: somebody always owns it."""
    return any(scope in assignments.by_scope for scope, _ in _reaching_scopes(registry_id.lower(), above, assignments))


def _reaching_scopes(
    registry_id: str, above: Iterable[str] | None, assignments: RoleAssignmentIndex
) -> list[tuple[str, str]]:
    """The scopes that reach a registry, the nearest first, and what people call them."""
    inside = [(scope, f"on {scope[len(registry_id) + 1 :]}") for scope in assignments.repositories.get(registry_id, [])]
    parts = parse_resource_id(registry_id)
    groups = assignments.management_groups if above is None else map(management_group_scope, above)
    return [
        *inside,
        (registry_id, "on the registry"),
        (parts.scope, "on the resource group"),
        (parts.subscription_scope, "on the subscription"),
        *((scope, f"on management group {name_in_id(scope)}") for scope in groups),
        ("", "on the tenant"),
    ]

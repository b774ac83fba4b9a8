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

from azext_acrscope.consumers.uses import Odd, at, items, text

RBAC, ABAC = "rbac", "abac"
_MODES = {"legacyregistrypermissions": (RBAC,), "abacrepositorypermissions": (ABAC,)}
_GROUPS = "/providers/microsoft.management/managementgroups/"
_REGISTRIES = "microsoft.containerregistry/registries"
# action, data action: what a custom role needs.
_NEEDED = {
    "pull": (f"{_REGISTRIES}/pull/read", f"{_REGISTRIES}/repositories/content/read"),
    "push": (f"{_REGISTRIES}/push/write", f"{_REGISTRIES}/repositories/content/write"),
}


_ALLOWING = ("actions", "dataActions")


@dataclass
class Holder:
    """A principal that may pull from a registry or push to it."""

    principal: str
    kind: str  # User, Group, ServicePrincipal, ForeignGroup …; empty if not said
    roles: list[str] = field(default_factory=list)  # "AcrPull on the registry"
    push: bool = False
    by_chance: bool = True  # whether it only has roles for everything there is, and from above the registry


def modes(mode: Any) -> tuple[str, ...]:
    """The modes that a registry may be in: one, or both where its row does not say."""
    return _MODES.get(str(mode or "").lower(), (RBAC, ABAC))


def judged_roles(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Roles that pull or push, judged by what they allow, in the form of the knowledge's roles."""
    found = {}
    for row in rows:
        name, permissions = str(row.get("roleName") or row.get("name")), row.get("permissions")
        allowed = {right: _modes_that_allow(permissions, *needed) for right, needed in _NEEDED.items()}
        if any(allowed.values()):
            found[str(row.get("name")).lower()] = {"name": name, "broad": not _names_registries(permissions), **allowed}
    return found


def _names_registries(permissions: Any) -> bool:
    """Whether a role that pulls was made for registries, and is not one for everything that there is (`*/read`)."""
    patterns = [
        text(pattern) for block in items(permissions) for kind in _ALLOWING for pattern in at(block, kind) or []
    ]
    own = [pattern for pattern in patterns if not pattern.startswith("*")]
    return any(_matches(own, action) for action in _NEEDED["pull"])


def _modes_that_allow(permissions: Any, action: str, data_action: str) -> list[str]:
    found = []
    for mode, wanted, yes, no in (
        (RBAC, action, "actions", "notActions"),
        (ABAC, data_action, "dataActions", "notDataActions"),
    ):
        for block in items(permissions):
            if _matches(at(block, yes), wanted) and not _matches(at(block, no), wanted):
                found.append(mode)
                break
    return found


def _matches(patterns: Any, action: str) -> bool:
    if not isinstance(patterns or [], list):
        raise Odd("actions")
    return any(fnmatch.fnmatchcase(action, text(pattern).lower()) for pattern in patterns or [])


@dataclass
class Assignments:
    """Role assignments by scope (lower case). `odd` is how many could not be read."""

    by_scope: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    repositories: dict[str, list[str]] = field(default_factory=dict)  # scopes in a registry, by its ID
    odd: int = 0


def index(rows: Iterable[dict[str, Any]]) -> Assignments:
    found = Assignments()
    for row in rows:
        try:
            principal, scope = text(row.get("principalId")).lower(), text(row.get("scope")).lower().rstrip("/")
            role = text(row.get("roleId")).lower().rpartition("/")[2]
        except Odd:
            found.odd += 1
            continue
        registry, inside, _ = scope.partition("/repositories")
        if inside and scope not in found.by_scope:
            found.repositories.setdefault(registry, []).append(scope)
        found.by_scope.setdefault(scope, []).append({**row, "principalId": principal, "roleId": role})
    return found


def holders(
    registry_id: str,
    mode: Any,
    above: Iterable[str] | None,
    assignments: Assignments,
    roles: dict[str, dict[str, Any]],
) -> dict[str, Holder]:
    """The principals with a right on a registry, by object ID.

    :param above: names of the management groups above its subscription; None if not known (then any counts).
    :param roles: what built-in and custom roles do, by GUID.
    """
    found: dict[str, Holder] = {}
    known_modes = set(modes(mode))
    reaching = _reaching(registry_id.lower(), above, assignments)
    above_it = {scope for scope, _ in reaching if not scope.startswith(registry_id.lower())}
    for scope, where in reaching:
        for row in assignments.by_scope.get(scope, []):
            role, principal = roles.get(row["roleId"]), row["principalId"]
            if not (role and principal and known_modes & {*role["pull"], *role["push"]}):
                continue
            holder = found.setdefault(principal, Holder(principal, str(row.get("principalType") or "")))
            condition = ", under a condition" if row.get("condition") else ""
            holder.roles.append(f"{role['name']} {where}{condition}")
            holder.push = holder.push or bool(known_modes & set(role["push"]))
            holder.by_chance = holder.by_chance and bool(role.get("broad")) and scope in above_it
    return found


def any_visible(registry_id: str, above: Iterable[str] | None, assignments: Assignments) -> bool:
    """Whether a role assignment that reaches a registry is there, of whatever use: somebody always owns it."""
    return any(scope in assignments.by_scope for scope, _ in _reaching(registry_id.lower(), above, assignments))


def _reaching(registry_id: str, above: Iterable[str] | None, assignments: Assignments) -> list[tuple[str, str]]:
    """The scopes that reach a registry, the nearest first, and what people call them."""
    inside = [(scope, f"on {scope[len(registry_id) + 1 :]}") for scope in assignments.repositories.get(registry_id, [])]
    group = registry_id.partition("/providers/")[0]
    subscription = group.partition("/resourcegroups/")[0]
    if above is None:
        groups = [scope for scope in assignments.by_scope if scope.startswith(_GROUPS)]
    else:
        groups = [f"{_GROUPS}{name.lower()}" for name in above]
    return [
        *inside,
        (registry_id, "on the registry"),
        (group, "on the resource group"),
        (subscription, "on the subscription"),
        *((scope, f"on management group {scope[len(_GROUPS) :]}") for scope in groups),
        ("", "on the tenant"),
    ]

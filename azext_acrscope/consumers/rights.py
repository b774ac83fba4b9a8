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
# action, data action: what a custom role needs.
_NEEDED = {
    "pull": ("microsoft.containerregistry/registries/pull/read", "repositories/content/read"),
    "push": ("microsoft.containerregistry/registries/push/write", "repositories/content/write"),
}


@dataclass
class Holder:
    """A principal that may pull from a registry or push to it."""

    principal: str
    kind: str  # User, Group, ServicePrincipal, ForeignGroup …; empty if not said
    roles: list[str] = field(default_factory=list)  # "AcrPull on the registry"
    push: bool = False


def modes(mode: Any) -> tuple[str, ...]:
    """The modes that a registry may be in: one, or both where its row does not say."""
    return _MODES.get(str(mode or "").lower(), (RBAC, ABAC))


def custom_roles(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Custom roles that pull or push, in the form of the knowledge's roles."""
    found = {}
    for row in rows:
        name = str(row.get("roleName") or row.get("name"))
        allowed = {right: _modes_that_allow(row.get("permissions"), *needed) for right, needed in _NEEDED.items()}
        if any(allowed.values()):
            found[str(row.get("name")).lower()] = {"name": name, **allowed}
    return found


def _modes_that_allow(permissions: Any, action: str, data_action: str) -> list[str]:
    found = []
    for mode, wanted, yes, no in (
        (RBAC, action, "actions", "notActions"),
        (ABAC, f"microsoft.containerregistry/registries/{data_action}", "dataActions", "notDataActions"),
    ):
        for block in items(permissions):
            if _matches(at(block, yes), wanted) and not _matches(at(block, no), wanted):
                found.append(mode)
                break
    return found


def _matches(patterns: Any, action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, text(pattern).lower()) for pattern in patterns or [])


def holders(
    registry_id: str,
    mode: Any,
    above: Iterable[str] | None,
    assignments: Iterable[dict[str, Any]],
    roles: dict[str, dict[str, Any]],
) -> tuple[dict[str, Holder], int]:
    """The principals with a right on a registry, by object ID, and how many assignments could not be read.

    :param above: names of the management groups above its subscription; None if not known (then any counts).
    :param roles: what built-in and custom roles do, by GUID.
    """
    found: dict[str, Holder] = {}
    odd = 0
    known_modes = set(modes(mode))
    groups = None if above is None else {name.lower() for name in above}
    for row in assignments:
        try:
            principal, scope = text(row.get("principalId")).lower(), text(row.get("scope"))
            role = roles.get(text(row.get("roleId")).lower().rpartition("/")[2])
        except Odd:
            odd += 1
            continue
        where = _where(scope.lower().rstrip("/"), registry_id.lower(), groups)
        if not (role and principal and where and known_modes & {*role["pull"], *role["push"]}):
            continue
        holder = found.setdefault(principal, Holder(principal, str(row.get("principalType") or "")))
        condition = ", under a condition" if row.get("condition") else ""
        holder.roles.append(f"{role['name']} {where}{condition}")
        holder.push = holder.push or bool(known_modes & set(role["push"]))
    return found, odd


def _where(scope: str, registry_id: str, groups: set[str] | None) -> str:
    """Where an assignment is, if it reaches the registry; else nothing."""
    if scope == registry_id:
        return "on the registry"
    if scope.startswith(f"{registry_id}/"):
        return f"on {scope[len(registry_id) + 1 :]}"
    if not scope:
        return "on the tenant"
    if scope.startswith(_GROUPS):
        name = scope[len(_GROUPS) :]
        return f"on management group {name}" if groups is None or name in groups else ""
    if registry_id.startswith(f"{scope}/"):
        return "on the resource group" if "/resourcegroups/" in scope else "on the subscription"
    return ""

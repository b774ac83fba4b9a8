"""Azure roles as lists of actions, and whether an action is among them.

The built-in lists are those of learn.microsoft.com/azure/role-based-access-control/built-in-roles.
"""

from __future__ import annotations

import fnmatch
import functools
import uuid
from dataclasses import dataclass

REGISTRY = "Microsoft.ContainerRegistry/registries"
READ = f"{REGISTRY}/read"
WRITE = f"{REGISTRY}/write"
DELETE = f"{REGISTRY}/delete"
LIST_CREDENTIALS = f"{REGISTRY}/listCredentials/action"
LIST_USAGES = f"{REGISTRY}/listUsages/read"
OPERATION_READ = f"{REGISTRY}/operationStatuses/read"
PULL = f"{REGISTRY}/pull/read"
PUSH = f"{REGISTRY}/push/write"
DELETE_ARTIFACT = f"{REGISTRY}/artifacts/delete"


@dataclass(frozen=True)
class Role:
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    name: str = ""
    guid: str = ""
    """The name of a built-in role's definition."""

    @property
    def id(self) -> str:
        """The GUID of the definition; a custom role gets one from what it allows."""
        return self.guid or str(uuid.uuid5(uuid.NAMESPACE_URL, ",".join((*self.actions, "-", *self.not_actions))))

    def allows(self, action: str) -> bool:
        return _any(self.actions, action) and not _any(self.not_actions, action)

    @property
    def reads(self) -> bool:
        """Whether it allows to read anything at all."""
        return any(action.lower().endswith(("/read", "*")) for action in self.actions)


@functools.lru_cache(maxsize=4096)
def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


_ALL = (
    Role(("*",), name="Owner", guid="8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    Role(
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
        "Contributor",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
    ),
    Role(("*/read",), name="Reader", guid="acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    Role(
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
        name="User Access Administrator",
        guid="18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    ),
    Role(
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
        name="Role Based Access Control Administrator",
        guid="f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    ),
    Role(
        (
            "*/read",
            "Microsoft.Authorization/policyassignments/*",
            "Microsoft.Authorization/policydefinitions/*",
            "Microsoft.Authorization/policyexemptions/*",
            "Microsoft.Authorization/policysetdefinitions/*",
            "Microsoft.PolicyInsights/*",
            "Microsoft.Support/*",
        ),
        name="Resource Policy Contributor",
        guid="36243c78-bf99-498c-9df9-86d9f8d28608",
    ),
    Role(
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.Support/*",
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
        "Log Analytics Reader",
        "73c42c96-874c-492b-b04d-ab87d138a893",
    ),
    Role((PULL,), name="AcrPull", guid="7f951dda-4ed3-4680-a7ca-43fe172d538d"),
    Role((PULL, PUSH), name="AcrPush", guid="8311e382-0749-4cb8-b61a-304f252e45ec"),
    # Their actions on data are not played here; the names count in Resource Graph.
    Role((), name="Container Registry Repository Reader", guid="b93aa761-3e63-49ed-ac28-beffa264f7ac"),
    Role((), name="Container Registry Repository Writer", guid="2a1e307c-b015-4ebd-883e-5b7698a07328"),
    Role((DELETE_ARTIFACT,), name="AcrDelete", guid="c2f4ef07-c644-48eb-af81-4b1b4947fb11"),
)
BUILT_IN = {one.name.lower(): one for one in _ALL}
BY_ID = {one.guid: one for one in _ALL}


def role(named: str | tuple[str, ...] | Role) -> Role:
    """A built-in role by its name, or a custom one from a tuple of actions."""
    if isinstance(named, Role):
        return named
    if isinstance(named, tuple):
        return Role(named)
    if named.lower() not in BUILT_IN:
        raise ValueError(f"unknown role {named!r}; known: {', '.join(sorted(BUILT_IN))}, or a tuple of actions")
    return BUILT_IN[named.lower()]

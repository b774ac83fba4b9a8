"""Azure roles as lists of actions, and whether an action is among them.

The built-in lists are those of learn.microsoft.com/azure/role-based-access-control/built-in-roles.
"""

from __future__ import annotations

import fnmatch
import functools
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

    def allows(self, action: str) -> bool:
        return _any(self.actions, action) and not _any(self.not_actions, action)

    @property
    def reads(self) -> bool:
        """Whether it allows to read anything at all."""
        return any(action.lower().endswith(("/read", "*")) for action in self.actions)


@functools.lru_cache(maxsize=4096)
def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


BUILT_IN = {
    "owner": Role(("*",)),
    "contributor": Role(
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    "reader": Role(("*/read",)),
    "acrpull": Role((PULL,)),
    "acrpush": Role((PULL, PUSH)),
    "acrdelete": Role((DELETE_ARTIFACT,)),
}


def role(named: str | tuple[str, ...] | Role) -> Role:
    """A built-in role by its name, or a custom one from a tuple of actions."""
    if isinstance(named, Role):
        return named
    if isinstance(named, tuple):
        return Role(named)
    if named.lower() not in BUILT_IN:
        raise ValueError(f"unknown role {named!r}; known: {', '.join(sorted(BUILT_IN))}, or a tuple of actions")
    return BUILT_IN[named.lower()]

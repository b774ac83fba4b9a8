"""Server-side apply: who owns which field of an object (kubernetes.io/docs/reference/using-api/server-side-apply).

A list counts as one field, which is enough for what is applied here: the merge keys of lists are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
_IDENTITY: tuple[Path, ...] = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))


class Conflict(Exception):
    """Fields that others own, by path."""

    def __init__(self, fields: dict[Path, set[str]]) -> None:
        super().__init__(fields)
        self.fields = fields


@dataclass
class Applied:
    """An object, with the managers of each of its fields."""

    values: dict[Path, Any] = field(default_factory=dict)
    managers: dict[Path, set[str]] = field(default_factory=dict)
    version: int = 0

    def apply(self, content: dict[str, Any], manager: str, force: bool) -> None:
        """Make the fields of `content` the manager's, and take out those that were its alone.

        :raises Conflict: another manager owns one with another value, and `force` is not set; nothing is changed.
        """
        wanted = flatten(content)
        contested = {
            path: others
            for path, value in wanted.items()
            if (others := self.managers.get(path, set()) - {manager}) and self.values.get(path) != value
        }
        if contested and not force:
            raise Conflict(contested)
        for path in [path for path, owners in self.managers.items() if manager in owners and path not in wanted]:
            self.managers[path].discard(manager)
            if not self.managers[path]:
                del self.managers[path], self.values[path]
        for path, value in wanted.items():
            others = set() if path in contested else self.managers.get(path, set())
            self.values[path], self.managers[path] = value, others | {manager}
        self.version += 1

    def content(self) -> dict[str, Any]:
        """Return the object as it is read."""
        found: dict[str, Any] = {}
        for path, value in self.values.items():
            inside = found
            for name in path[:-1]:
                inside = inside.setdefault(name, {})
            inside[path[-1]] = value
        managers = sorted(set().union(*self.managers.values()))
        found["metadata"] = {
            **found.get("metadata", {}),
            "resourceVersion": str(self.version),
            "managedFields": [{"manager": name, "operation": "Apply", "apiVersion": "v1"} for name in managers],
        }
        return found


def flatten(content: dict[str, Any], above: Path = ()) -> dict[Path, Any]:
    """Return the fields of an object by their paths, without those that only say which one it is."""
    found: dict[Path, Any] = {}
    for name, value in content.items():
        path = (*above, name)
        if isinstance(value, dict) and value:
            found |= flatten(value, path)
        elif path not in _IDENTITY:
            found[path] = value
    return found

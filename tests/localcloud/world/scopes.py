"""Scopes of Azure Resource Manager as text: management groups, subscriptions, resource groups, resources.

Everything is compared without regard to case: Azure Policy answers with lower-cased ids (recorded).
"""

from __future__ import annotations

import datetime
import re

from tests.localcloud.world.management_groups import GROUPS

_GROUPS = GROUPS.lower()


def prefix(scope: str) -> str:
    """A scope in the form in which one is a textual prefix of all under it."""
    return scope.lower().strip("/") + "/" if scope.strip("/") else ""


def under(scope: str, parent: str) -> bool:
    """Whether a scope is another one or lies in it, by its text: management groups hold nothing here but themselves."""
    return prefix(scope).startswith(prefix(parent))


def management_group(scope: str) -> str | None:
    """The name of the management group that a scope is; None for any other scope."""
    name = scope[len(_GROUPS) :].strip("/") if scope.lower().startswith(_GROUPS) else ""
    return name if name and "/" not in name else None


def subscription(scope: str) -> str | None:
    """The id of the subscription that a scope is or lies in."""
    parts = scope.lower().split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else None


def resource_group(scope: str) -> str | None:
    parts = scope.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else None


def parents(scope: str) -> list[str]:
    """The scope itself and those above it up to the subscription, the nearest first."""
    parts = scope.strip("/").split("/")
    found = [scope]
    if parts[0].lower() != "subscriptions":
        return found
    if len(parts) > 4:
        found.append("/" + "/".join(parts[:4]))
    if len(parts) > 2:
        found.append("/" + "/".join(parts[:2]))
    return found


def split(path: str, namespaces: tuple[str, ...]) -> tuple[str, str, list[str]] | None:
    """(scope, namespace in lower case, what follows) of a path with `/providers/<one of the namespaces>/` in it.

    The last such part counts: policy states can be asked of an assignment.
    """
    segments = [segment for segment in path.split("/") if segment]
    for index in range(len(segments) - 2, -1, -1):
        if segments[index].lower() == "providers" and segments[index + 1].lower() in namespaces:
            scope = "".join(f"/{segment}" for segment in segments[:index])
            return scope, segments[index + 1].lower(), segments[index + 2 :]
    return None


def moment(text: str) -> float:
    """The seconds of a time in ISO 8601, in UTC unless it says. Raises ValueError."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", text.strip())
    if match is None:
        raise ValueError(f"no time: {text!r}")
    zone = "+00:00" if match[4] in (None, "Z") else match[4]
    whole = datetime.datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{zone}")
    return whole.timestamp() + float(match[3] or 0)


def stamp(seconds: float) -> str:
    """A time with the seven digits of a second that recorded bodies have."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}1Z"

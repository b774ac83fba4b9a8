"""The body of a query to Resource Graph, checked; and the tokens by which it pages.

The schema is that of Microsoft.ResourceGraph 2021-03-01; later versions changed nothing that is used here.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

_CLUSTER = "https://arg-weu-one-sf.arg.core.windows.net"


class BadRequest(Exception):
    """The body is against the schema."""


@dataclass(frozen=True)
class GraphRequest:
    query: str
    subscriptions: list[str] | None = None
    management_groups: list[str] | None = None
    top: int = 100
    skip: int = 0
    as_table: bool = False
    bad_ids: list[str] = field(default_factory=list)
    """Subscriptions that are no GUIDs."""


def read(content: Any) -> GraphRequest:
    if not isinstance(content, dict) or not isinstance(content.get("query"), str) or not content["query"].strip():
        raise BadRequest("the body needs a query")
    if content.get("facets"):
        raise BadRequest("the local Azure has no facets")
    options = content.get("options") or {}
    if not isinstance(options, dict):
        raise BadRequest("options must be an object")
    rows, skipped = _token(options["$skipToken"]) if options.get("$skipToken") else (100, 0)
    form = options.get("resultFormat") or "objectArray"
    if form not in ("objectArray", "table"):
        raise BadRequest(f"resultFormat {form!r} is neither objectArray nor table")
    subscriptions = _names(content, "subscriptions")
    return GraphRequest(
        content["query"],
        subscriptions,
        _names(content, "managementGroups"),
        # $top and $skip stand above what the token says (documented).
        _number(options, "$top", rows, 1, 1000),
        _number(options, "$skip", skipped, 0, None),
        form == "table",
        [one for one in subscriptions or [] if not _is_guid(one)],
    )


def _names(content: dict[str, Any], name: str) -> list[str] | None:
    """An empty list counts as none: real behaviour unknown."""
    value = content.get(name)
    if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise BadRequest(f"{name} must be a list of strings")
    return value or None


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _number(options: dict[str, Any], name: str, default: int, least: int, most: int | None) -> int:
    value = options.get(name)
    if value is None:
        return default
    if type(value) is not int or value < least or (most is not None and value > most):
        raise BadRequest(f"{name} must be a whole number from {least} to {most or 'any'}")
    return value


def _token(text: Any) -> tuple[int, int]:
    """(rows on a page, rows to skip)."""
    try:
        content = json.loads(base64.b64decode(text, validate=True))
        return int(content["MaxRows"]), int(content["RowsToSkip"])
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise BadRequest("the $skipToken is invalid") from error


def next_token(rows: int, skip: int) -> str:
    """The recorded form: indented JSON with carriage returns, in base64."""
    content = {"$id": "1", "MaxRows": rows, "RowsToSkip": skip, "KustoClusterUrl": _CLUSTER}
    return base64.b64encode(json.dumps(content, indent=2).replace("\n", "\r\n").encode()).decode()

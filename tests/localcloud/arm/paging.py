"""Lists of Azure Resource Manager: pages joined by nextLink, among them pages that are empty."""

from __future__ import annotations

import base64
import binascii
import urllib.parse
from collections.abc import Sequence
from typing import TypeVar

from tests.localcloud.arm.errors import ArmError
from tests.localcloud.base.messages import Request

Item = TypeVar("Item")


def page(items: Sequence[Item], request: Request, size: int, empty_pages: int) -> tuple[Sequence[Item], str | None]:
    """The page that a request asks for, and the link to the next one (None: this is the last).

    With empty_pages, that many pages without content come before each page that has some, as recorded.
    """
    offset, empty = _position(request, empty_pages)
    if empty > 0:
        return [], _link(request, offset, empty - 1)
    end = offset + max(1, size)
    return items[offset:end], _link(request, end, empty_pages) if end < len(items) else None


def _position(request: Request, empty_pages: int) -> tuple[int, int]:
    token = next((value for name, value in request.query.items() if name.lower() == "$skiptoken"), None)
    if token is None:
        return 0, empty_pages
    try:
        offset, empty = base64.urlsafe_b64decode(token).decode().split(":")
        return int(offset), int(empty)
    except (ValueError, binascii.Error) as error:
        raise ArmError(400, "InvalidSkipToken", "The provided skip token is invalid.") from error


def _link(request: Request, offset: int, empty: int) -> str:
    query = {name: value for name, value in request.query.items() if name.lower() != "$skiptoken"}
    query["$skiptoken"] = base64.urlsafe_b64encode(f"{offset}:{empty}".encode()).decode()
    # quote, not quote_plus: recorded links write a blank as %20 and the dollar as %24.
    return f"https://{request.host}{request.path}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"

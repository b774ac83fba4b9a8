"""Moments as text: UTC in ISO 8601 to the second, such as 2026-09-10T09:46:57Z; and what services write."""

import re
from datetime import datetime, timezone
from typing import Any

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def utc_now() -> str:
    """Return this moment."""
    return utc_text(datetime.now(timezone.utc))


def utc_text(moment: datetime) -> str:
    """Return a moment, which must know its time zone."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(value: Any) -> datetime | None:
    """Return a moment that a service wrote, such as 2026-11-25T14:02:11.1234567Z, or None for anything else.

    It may have any number of digits of a second, which not all supported Pythons read.
    """
    if not (match := _MOMENT.fullmatch(str(value))):
        return None
    zone = "+00:00" if match[3] == "Z" else match[3]
    try:
        return datetime.fromisoformat(f"{match[1]}.{f'{match[2] or 0:0<6}'[:6]}{zone}")
    except ValueError:
        return None

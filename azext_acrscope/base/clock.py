"""Moments as text: UTC in ISO 8601 to the second, such as 2026-09-10T09:46:57Z."""

from datetime import datetime, timezone


def utc_now() -> str:
    """Return this moment."""
    return utc_text(datetime.now(timezone.utc))


def utc_text(moment: datetime) -> str:
    """Return a moment, which must know its time zone."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

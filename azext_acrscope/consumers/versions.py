"""What holds for some versions of a tool only.

An entry of knowledge may have ``versions``: a list of ``{from, below, verdict, why}``, in which `from` (the first
version it holds for) and `below` (the first it does not hold for any more) may be left out. `verdict` and `why` of the
entry itself hold where the version is not known.
"""

import re
from collections.abc import Mapping
from typing import Any

_NUMBERS = re.compile(r"[vV=~^ ]*(\d{1,9}(?:\.\d{1,9}){0,5})(?:[-.]?(?:a|alpha|b|beta|rc|preview|dev)[-.]?(\d{0,9}))?")
_RELEASED = 1_000_000_000  # sorts a release behind all its previews


def version_key(text: str) -> tuple[int, ...] | None:
    """Return what sorts versions, previews before their release, or None if the text is no version.

    Six numbers and, for a preview, its number: `2.82` is `2.82.0`, and `1.1.0b3` and `1.1.0-beta.3` are the same.
    """
    if not (match := _NUMBERS.fullmatch(text.strip())):
        return None
    numbers = [int(part) for part in match[1].split(".")]
    preview = _RELEASED if match[2] is None else int(match[2] or 0)
    return (*numbers, *[0] * (6 - len(numbers)), preview)


def judge_version(entry: Mapping[str, Any], version: str | None) -> tuple[str, str]:
    """Return the verdict and the reason that an entry gives for a version; its own where the version tells nothing."""
    found = version_key(version or "")
    for each in entry.get("versions", ()) if found else ():
        lowest, limit = version_key(each.get("from", "0")), version_key(each.get("below", ""))
        if lowest is not None and found is not None and lowest <= found and (limit is None or found < limit):
            return each["verdict"], each["why"]
    return entry["verdict"], entry["why"]


def describe_versions(entry: Mapping[str, Any]) -> str:
    """Return for which versions what holds, in words: ``below 2.40: breaks; 2.40 to below 2.82: unknown``."""
    return "; ".join(f"{_range(each)}: {each['verdict']}" for each in entry.get("versions", ()))


def _range(each: Mapping[str, str]) -> str:
    if "from" not in each:
        return f"below {each['below']}" if "below" in each else "every version"
    return f"{each['from']} to below {each['below']}" if "below" in each else f"{each['from']} and newer"

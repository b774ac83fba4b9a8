"""What holds for some versions of a tool only.

An entry of knowledge may have ``versions``: a list of ``{from, below, verdict, why, rights}``, in which `from` (the
first version it holds for), `below` (the first it does not hold for any more) and `rights` may be left out. `verdict`
and `why` of the entry itself hold where the version is not known. `rights` says that the verdict depends on what the
caller may do in Azure: ``{action, with, without}``, an action of Azure and the verdicts with and without it; the
verdict of the range is `unknown` then.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from azext_acrscope.base.foreign_json import is_filled_text

_NUMBERS = re.compile(r"[vV=~^ ]*(\d{1,9}(?:\.\d{1,9}){0,5})(?:[-.]?(?:a|alpha|b|beta|rc|preview|dev)[-.]?(\d{0,9}))?")
_RELEASED = 1_000_000_000  # sorts a release behind all its previews
_RANGE_MEMBERS = {"from", "below", "verdict", "why", "rights"}
_RIGHTS_MEMBERS = {"action", "with", "without"}


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
    return "; ".join(f"{_range(each)}: {_outcome(each)}" for each in entry.get("versions", ()))


def reason_with_versions(entry: Mapping[str, Any]) -> str:
    """Return why an entry says what it says, and for which versions what holds if its verdict depends on them."""
    why, ranges = str(entry["why"]), describe_versions(entry)
    return f"{why.rstrip('.')}. By version: {ranges}." if ranges else why


def find_versions_fault(versions: Any, verdicts: Collection[str]) -> str:  # pylint: disable=too-many-return-statements  # a fault each
    """Return what is wrong with the `versions` of an entry; empty if nothing is.

    Ranges must be in order and must not overlap, because the first one that a version is in decides.
    """
    if not isinstance(versions, list) or not versions:
        return "versions must be a list of ranges"
    reached: tuple[int, ...] | None = (-1,)  # None once a range has no end
    for each in versions:
        if not isinstance(each, dict) or not set(each) <= _RANGE_MEMBERS:
            return f"a range of versions has no other members than {', '.join(sorted(_RANGE_MEMBERS))}"
        if each.get("verdict") not in verdicts or not is_filled_text(each.get("why")):
            return "a range of versions needs verdict and why"
        ends = [version_key(each[name]) if is_filled_text(each.get(name)) else None for name in ("from", "below")]
        if any(name in each and end is None for name, end in zip(("from", "below"), ends, strict=True)):
            return "from and below of a range must be versions, such as 2.82.0"
        lowest, limit = ends[0] or (0,), ends[1]
        if reached is None or lowest < reached or (limit is not None and limit <= lowest):
            return "the ranges of versions must be in order and must not overlap"
        reached = limit
        if "rights" in each and not _are_rights(each["rights"], verdicts):
            return "rights of a range need action, with and without; the last two are verdicts"
    return ""


def _are_rights(rights: Any, verdicts: Collection[str]) -> bool:
    return (
        isinstance(rights, dict)
        and set(rights) == _RIGHTS_MEMBERS
        and is_filled_text(rights["action"])
        and all(isinstance(rights[name], str) and rights[name] in verdicts for name in ("with", "without"))
    )


def _outcome(each: Mapping[str, Any]) -> str:
    if not (rights := each.get("rights")):
        return str(each["verdict"])
    return f"{rights['with']} with the right {rights['action']}, {rights['without']} without it"


def _range(each: Mapping[str, str]) -> str:
    if "from" not in each:
        return f"below {each['below']}" if "below" in each else "every version"
    return f"{each['from']} to below {each['below']}" if "below" in each else f"{each['from']} and newer"

"""What values are and how they compare: learn.microsoft.com/kusto/query/scalar-data-types.

Values are those of JSON, and dates and timespans. None is null. A string column of Resource Graph is never null.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

Value = Any


def text(value: Value) -> str:
    """tostring: null becomes the empty string, bags and arrays their JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond:06d}0Z"
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def equal(left: Value, right: Value) -> bool | None:
    """Two nulls: null; one null: false. Against a string, anything else counts by its text, as a dynamic value does."""
    if left is None or right is None:
        return None if left is right else False
    if isinstance(left, str) or isinstance(right, str):
        return text(left) == text(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def unequal(left: Value, right: Value) -> bool | None:
    """A null is unequal to everything that is not null (documented), and to another null it is null."""
    same = equal(left, right)
    return None if same is None else not same


def less(left: Value, right: Value) -> bool | None:
    """Null when there is no order between the two."""
    if _is_number(left) and _is_number(right):
        return bool(left < right)
    if type(left) is type(right) and isinstance(left, (str, datetime.datetime, datetime.timedelta)):
        return bool(left < right)
    return None


def same_text(left: Value, right: Value) -> bool:
    return text(left).lower() == text(right).lower()


def contains(left: Value, right: Value) -> bool:
    return text(right).lower() in text(left).lower()


def starts(left: Value, right: Value) -> bool:
    return text(left).lower().startswith(text(right).lower())


def ends(left: Value, right: Value) -> bool:
    return text(left).lower().endswith(text(right).lower())


def has(left: Value, right: Value) -> bool:
    """The right text as whole terms, a term being a run of letters and digits."""
    wanted = text(right)
    before = r"(?<![^\W_])" if wanted[:1].isalnum() else ""
    after = r"(?![^\W_])" if wanted[-1:].isalnum() else ""
    return re.search(before + re.escape(wanted) + after, text(left), re.IGNORECASE) is not None


def key(value: Value) -> Any:
    """Something hashable that is the same for the same values."""
    if isinstance(value, (dict, list)):
        return "dynamic", json.dumps(value, sort_keys=True)
    return type(value) is bool, value


def order(value: Value) -> Any:
    """What values are sorted by; nulls are dealt with elsewhere. Between kinds there is an arbitrary order."""
    if isinstance(value, str):
        return 2, value
    if _is_number(value) or isinstance(value, bool):
        return 1, value
    if isinstance(value, datetime.datetime):
        return 3, value
    if isinstance(value, datetime.timedelta):
        return 4, value
    return 5, text(value)


def member(target: Value, name: Value) -> Value:
    """A member of a bag or an element of an array; what is missing is null. Keys are case sensitive."""
    if isinstance(target, dict):
        return target.get(name) if isinstance(name, str) else None
    if isinstance(target, list) and type(name) is int and -len(target) <= name < len(target):
        return target[name]
    return None

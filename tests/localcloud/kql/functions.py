"""Functions and operators on values. Each entry: how many arguments it takes (None: any more), and what it does."""

from __future__ import annotations

import contextvars
import datetime
import json
import re
from collections.abc import Callable
from typing import Any

from tests.localcloud.kql import values
from tests.localcloud.kql.values import Value, text

Function = Callable[..., Value]
MOMENT: contextvars.ContextVar[datetime.datetime] = contextvars.ContextVar("MOMENT")
"""now() is the same all through a query."""


def _arithmetic(of_numbers: Callable[[Any, Any], Value]) -> Function:
    """Null when the two do not go together, as with a null among them."""

    def calculate(left: Value, right: Value) -> Value:
        if isinstance(left, (bool, str)) or isinstance(right, (bool, str)):
            return None
        try:
            return of_numbers(left, right)
        except (TypeError, ZeroDivisionError):
            return None

    return calculate


def _divide(left: Any, right: Any) -> Value:
    """Whole numbers divide to a whole number, rounded toward zero."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _negated(function: Callable[[Value, Value], bool]) -> Function:
    return lambda left, right: not function(left, right)


def _within(same: Callable[[Value, Value], bool | None]) -> Function:
    """in and in~: an array among the candidates counts for its elements."""

    def check(left: Value, *candidates: Value) -> bool:
        flat = (one for each in candidates for one in (each if isinstance(each, list) else [each]))
        return any(same(left, one) for one in flat)

    return check


def _outside(same: Callable[[Value, Value], bool | None]) -> Function:
    within = _within(same)
    return lambda left, *candidates: not within(left, *candidates)


def _not_less(left: Value, right: Value) -> bool | None:
    smaller = values.less(left, right)
    return None if smaller is None else not smaller


def _to_bool(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value != 0
    return {"true": True, "1": True, "false": False, "0": False}.get(text(value).lower())


def _to_int(value: Value) -> int | None:
    try:
        return int(value) if isinstance(value, (int, float)) else int(text(value).strip())
    except ValueError:
        return None


def _to_datetime(value: Value) -> datetime.datetime | None:
    if isinstance(value, datetime.datetime):
        return value
    # Python 3.10 reads neither Z nor seven digits of a second.
    plain = re.sub(r"(\.\d{6})\d+", r"\1", text(value)).replace("Z", "+00:00")
    try:
        found = datetime.datetime.fromisoformat(plain)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def _parse_json(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _split(value: Value, delimiter: Value, index: Value = None) -> list[str]:
    parts = text(value).split(text(delimiter)) if text(delimiter) else [text(value)]
    if index is None:
        return parts
    return [parts[index]] if type(index) is int and 0 <= index < len(parts) else []


def _extract(pattern: Value, group: Value, value: Value) -> str:
    """The empty string when nothing matches."""
    match = re.search(text(pattern), text(value))
    return "" if match is None or type(group) is not int or group > match.re.groups else match[group] or ""


def _coalesce(*candidates: Value) -> Value:
    """The first that is not null, and among texts the first that is not empty."""
    return next((one for one in candidates if one is not None and one != ""), candidates[-1])


def _case(*parts: Value) -> Value:
    for position in range(0, len(parts) - 1, 2):
        if parts[position] is True:
            return parts[position + 1]
    return parts[-1]


def _choose(condition: Value, yes: Value, no: Value) -> Value:
    return yes if condition is True else no


def _empty(value: Value) -> bool:
    return value is None or value == ""


def _pack(*parts: Value) -> dict[str, Value]:
    return {text(parts[position]): parts[position + 1] for position in range(0, len(parts), 2)}


def _now(offset: Value = None) -> datetime.datetime:
    moment = MOMENT.get()
    return moment + offset if isinstance(offset, datetime.timedelta) else moment


def _ago(span: Value) -> datetime.datetime | None:
    return _now() - span if isinstance(span, datetime.timedelta) else None


def _array_length(value: Value) -> int | None:
    return len(value) if isinstance(value, list) else None


OPERATORS: dict[str, Function] = {
    "==": values.equal,
    "!=": values.unequal,
    "=~": values.same_text,
    "!~": _negated(values.same_text),
    "<": values.less,
    ">": lambda left, right: values.less(right, left),
    "<=": lambda left, right: _not_less(right, left),
    ">=": _not_less,
    "contains": values.contains,
    "!contains": _negated(values.contains),
    "has": values.has,
    "!has": _negated(values.has),
    "startswith": values.starts,
    "!startswith": _negated(values.starts),
    "endswith": values.ends,
    "!endswith": _negated(values.ends),
    "matches regex": lambda left, right: re.search(text(right), text(left)) is not None,
    "in": _within(values.equal),
    "!in": _outside(values.equal),
    "in~": _within(values.same_text),
    "!in~": _outside(values.same_text),
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(_divide),
    "negate": lambda value: _arithmetic(lambda left, right: left * right)(value, -1),
}
FUNCTIONS: dict[str, tuple[int, int | None, Function]] = {
    "not": (1, 1, lambda value: None if not isinstance(value, bool) else not value),
    "tostring": (1, 1, text),
    "tolower": (1, 1, lambda value: text(value).lower()),
    "toupper": (1, 1, lambda value: text(value).upper()),
    "tobool": (1, 1, _to_bool),
    "toint": (1, 1, _to_int),
    "todatetime": (1, 1, _to_datetime),
    "isempty": (1, 1, _empty),
    "isnotempty": (1, 1, lambda value: not _empty(value)),
    "isnull": (1, 1, lambda value: value is None),
    "isnotnull": (1, 1, lambda value: value is not None),
    "split": (2, 3, _split),
    "strcat": (1, None, lambda *parts: "".join(map(text, parts))),
    "replace_string": (3, 3, lambda value, old, new: text(value).replace(text(old), text(new))),
    "replace": (3, 3, lambda pattern, new, value: re.sub(text(pattern), text(new), text(value))),
    "extract": (3, 3, _extract),
    "array_length": (1, 1, _array_length),
    "coalesce": (2, None, _coalesce),
    "iff": (3, 3, _choose),
    "iif": (3, 3, _choose),
    "case": (3, None, _case),
    "parse_json": (1, 1, _parse_json),
    "todynamic": (1, 1, _parse_json),
    "pack": (2, None, _pack),
    "bag_pack": (2, None, _pack),
    "now": (0, 1, _now),
    "ago": (1, 1, _ago),
}
PATTERNS = {"matches regex": 1, "replace": 0, "extract": 0}
"""Which argument is a regular expression."""

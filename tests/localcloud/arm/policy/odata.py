"""The OData of policy states: $filter, $orderby, $select, and the simple forms of $apply (recorded in az's requests).

Names of columns and texts are compared without regard to case; whether Azure does so with texts is not known.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([(),])|([^\s(),']+))")
_GROUP = re.compile(
    r"groupby\(\(([^)]*)\)\s*(?:,\s*aggregate\(\s*\$count\s+as\s+(\w+)\s*\))?\s*\)", re.IGNORECASE | re.DOTALL
)
_COUNT = re.compile(r"aggregate\(\s*\$count\s+as\s+(\w+)\s*\)", re.IGNORECASE)


class BadQuery(ValueError):
    """Not an expression that is understood here."""


def value(row: Row, name: str) -> Any:
    if name in row:
        return row[name]
    found = next((key for key in row if key.lower() == name.lower()), None)
    if found is None:
        raise BadQuery(f"there is no property {name!r}")
    return row[found]


def _plain(given: Any) -> Any:
    return given.lower() if isinstance(given, str) else given


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}
_CALL: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


class Filter:
    """`a eq 'x' and (b ne 'y' or not contains(c, 'z'))` as a test of rows."""

    def __init__(self, text: str) -> None:
        self._tokens = self._split(text)
        self._at = 0
        self._test = self._either()
        if self._at != len(self._tokens):
            raise BadQuery(text)

    def __call__(self, row: Row) -> bool:
        return self._test(row)

    def _split(self, text: str) -> list[str]:
        found, position = [], 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise BadQuery(text)
            found.append(match[0].strip())
            position = match.end()
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self, wanted: str | None = None) -> str:
        token = self._peek()
        if not token or (wanted is not None and token.lower() != wanted):
            raise BadQuery(f"{token or 'the end'!r} where {wanted or 'something'!r} should be")
        self._at += 1
        return token

    def _either(self) -> Callable[[Row], bool]:
        tests = [self._both()]
        while self._peek().lower() == "or":
            self._next()
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Callable[[Row], bool]:
        tests = [self._one()]
        while self._peek().lower() == "and":
            self._next()
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Callable[[Row], bool]:
        token = self._next()
        if token.lower() == "not":
            inner = self._one()
            return lambda row: not inner(row)
        if token == "(":
            test = self._either()
            self._next(")")
            return test
        call = _CALL.get(token.lower())
        if call is not None:
            return self._called(call)
        compare = _COMPARE.get(self._next().lower())
        if compare is None:
            raise BadQuery(token)
        wanted = _literal(self._next())
        return lambda row: compare(_plain(value(row, token)), wanted)

    def _called(self, call: Callable[[str, str], bool]) -> Callable[[Row], bool]:
        self._next("(")
        name = self._next()
        self._next(",")
        wanted = str(_literal(self._next()))
        self._next(")")
        return lambda row: call(str(value(row, name)).lower(), wanted)


def _literal(token: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'").lower()
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    if token.lower() == "null":
        return None
    try:
        return float(token)
    except ValueError:
        return token.lower()


def applied(rows: list[Row], text: str) -> list[Row]:
    """`groupby((a, b), aggregate($count as n))`, `groupby((a))`, `aggregate($count as n)`."""
    count = _COUNT.fullmatch(text.strip())
    if count is not None:
        return [{count[1]: len(rows)}]
    group = _GROUP.fullmatch(text.strip())
    if group is None:
        raise BadQuery(text)
    names = [name.strip() for name in group[1].split(",")]
    counted: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(value(row, name) for name in names)
        counted[key] = counted.get(key, 0) + 1
    return [
        {**dict(zip(names, key, strict=True)), **({group[2]: number} if group[2] else {})}
        for key, number in counted.items()
    ]


def ordered(rows: list[Row], text: str) -> list[Row]:
    """`a desc, b`. Without a direction it is descending, as documented for policy states."""
    keys = [part.split() for part in text.split(",")]

    def compare(left: Row, right: Row) -> int:
        for key in keys:
            one, other = value(left, key[0]), value(right, key[0])
            if one != other:
                rising = len(key) > 1 and key[1].lower() == "asc"
                return (-1 if one < other else 1) * (1 if rising else -1)
        return 0

    return sorted(rows, key=functools.cmp_to_key(compare))


def selected(rows: list[Row], text: str) -> list[Row]:
    names = [name.strip() for name in text.split(",")]
    return [{name: value(row, name) for name in names} for row in rows]

"""Tokens into a query: a table and the operators it is piped through."""

from __future__ import annotations

from collections.abc import Callable

from tests.localcloud.kql.expressions import arguments, expression
from tests.localcloud.kql.lexer import Token
from tests.localcloud.kql.stream import Stream
from tests.localcloud.kql.syntax import (
    Aggregate,
    Call,
    Column,
    Count,
    Distinct,
    Expression,
    Extend,
    Join,
    Literal,
    Member,
    MvExpand,
    Named,
    Operator,
    Project,
    ProjectAway,
    Query,
    Sort,
    SortKey,
    Summarize,
    Take,
    Union,
    Where,
)

_AGGREGATES = {
    # The names are those that Kusto gives when a query gives none; take_any's was not found, so it must be named.
    "count": "count_",
    "dcount": "dcount_",
    "make_list": "list_",
    "make_set": "set_",
    "any": "any_",
    "take_any": None,
    "min": "min_",
    "max": "max_",
}
_KEEPS_NAME = {"tostring", "toint", "tobool", "todynamic", "todatetime"}


def parse(text: str) -> Query:
    stream = Stream(text)
    query = _query(stream)
    if stream.next.kind != "end":
        raise stream.next.failure("unexpected")
    return query


def _query(stream: Stream) -> Query:
    table: Token | None = None
    found: list[Operator] = []
    if stream.next.kind == "name" and stream.next.text in _OPERATORS:
        found.append(_operator(stream))
    else:
        table = stream.name()
    while stream.skip("|"):
        found.append(_operator(stream))
    return Query(table, tuple(found))


def _operator(stream: Stream) -> Operator:
    token = stream.take()
    read = _OPERATORS.get(token.text) if token.kind == "name" else None
    if read is None:
        raise token.failure("not an operator")
    return read(stream, token)


# Names


def _named(stream: Stream) -> Named:
    """`name = expression`, or an expression that has a name of its own."""
    if stream.next.kind == "name" and stream.after_next.text == "=":
        name = stream.name().text
        stream.expect("=")
        return Named(name, expression(stream), True)
    start = stream.next
    found = expression(stream)
    own = _own_name(found)
    if own is None:
        raise start.failure("this expression needs a name")
    return Named(own, found, False)


def _own_name(found: Expression) -> str | None:
    """`a.b` is a_b and tostring(a.b) too, as Kusto names them; its Column1 for others is not offered here."""
    if isinstance(found, Column):
        return found.name
    if isinstance(found, Member) and isinstance(found.key, Literal):
        outer = _own_name(found.target)
        return None if outer is None else f"{outer}_{found.key.value}"
    if isinstance(found, Call) and found.name in _KEEPS_NAME and len(found.arguments) == 1:
        return _own_name(found.arguments[0])
    return None


def _list_of_named(stream: Stream) -> tuple[Named, ...]:
    found = [_named(stream)]
    while stream.skip(","):
        found.append(_named(stream))
    return tuple(found)


def _column(stream: Stream) -> Column:
    token = stream.name()
    return Column(token.text, token)


def _columns(stream: Stream) -> tuple[Column, ...]:
    found = [_column(stream)]
    while stream.skip(","):
        found.append(_column(stream))
    return tuple(found)


# Operators


def _sort(stream: Stream, token: Token) -> Sort:
    stream.expect("by")
    keys = [_sort_key(stream)]
    while stream.skip(","):
        keys.append(_sort_key(stream))
    return Sort(tuple(keys))


def _sort_key(stream: Stream) -> SortKey:
    """Descending unless said otherwise; nulls first when ascending, last when descending."""
    found = expression(stream)
    direction = stream.skip("asc", "desc")
    descending = direction is None or direction.text == "desc"
    nulls_first = not descending
    if stream.skip("nulls"):
        nulls_first = stream.expect("first", "last").text == "first"
    return SortKey(found, descending, nulls_first)


def _take(stream: Stream, token: Token) -> Take:
    count = stream.take()
    if type(count.value) is not int:
        raise count.failure("expected a whole number")
    return Take(count.value)


def _distinct(stream: Stream, token: Token) -> Distinct:
    return Distinct(()) if stream.skip("*") else Distinct(_columns(stream))


def _summarize(stream: Stream, token: Token) -> Summarize:
    aggregates: list[Aggregate] = []
    if not stream.at("by"):
        aggregates.append(_aggregate(stream))
        while stream.skip(","):
            aggregates.append(_aggregate(stream))
    by = _list_of_named(stream) if stream.skip("by") else ()
    if not aggregates and not by:
        raise stream.next.failure("nothing to summarize")
    return Summarize(tuple(aggregates), by, token)


def _aggregate(stream: Stream) -> Aggregate:
    name = None
    if stream.after_next.text == "=":
        name = stream.name().text
        stream.expect("=")
    function = stream.name()
    if function.text not in _AGGREGATES:
        raise function.failure("not an aggregate")
    given = arguments(stream)
    if len(given) != (0 if function.text == "count" else 1):
        raise function.failure("wrong number of arguments")
    argument = given[0] if given else None
    return Aggregate(name or _aggregate_name(function, argument), function.text, argument)


def _aggregate_name(function: Token, argument: Expression | None) -> str:
    prefix = _AGGREGATES[function.text]
    own = "" if argument is None else _own_name(argument)
    if prefix is None or own is None:
        raise function.failure("this aggregate needs a name")
    return prefix + own


def _join(stream: Stream, token: Token) -> Join:
    stream.expect("kind")
    stream.expect("=")
    kind = stream.expect("leftouter", "inner").text
    right = _subquery(stream)
    stream.expect("on")
    keys = [_join_key(stream)]
    while stream.skip(","):
        keys.append(_join_key(stream))
    return Join(kind, right, tuple(keys))


def _join_key(stream: Stream) -> tuple[Column, Column]:
    if not stream.at("$left", "$right"):
        column = _column(stream)
        return column, column
    sides: dict[str, Column] = {}
    for symbol in (None, "=="):
        if symbol:
            stream.expect(symbol)
        side = stream.expect("$left", "$right")
        stream.expect(".")
        if side.text in sides:
            raise side.failure("a key compares $left with $right")
        sides[side.text] = _column(stream)
    return sides["$left"], sides["$right"]


def _union(stream: Stream, token: Token) -> Union:
    others = [_subquery(stream)]
    while stream.skip(","):
        others.append(_subquery(stream))
    return Union(tuple(others))


def _subquery(stream: Stream) -> Query:
    stream.expect("(")
    query = _query(stream)
    stream.expect(")")
    return query


_OPERATORS: dict[str, Callable[[Stream, Token], Operator]] = {
    "where": lambda stream, token: Where(expression(stream)),
    "project": lambda stream, token: Project(_list_of_named(stream), token),
    "project-away": lambda stream, token: ProjectAway(_columns(stream)),
    "extend": lambda stream, token: Extend(_list_of_named(stream)),
    "order": _sort,
    "sort": _sort,
    "take": _take,
    "limit": _take,
    "distinct": _distinct,
    "count": lambda stream, token: Count(),
    "summarize": _summarize,
    "mv-expand": lambda stream, token: MvExpand(_named(stream)),
    "join": _join,
    "union": _union,
}

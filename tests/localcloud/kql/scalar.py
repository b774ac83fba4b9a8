"""Expressions into Python functions of a row, so that ten thousand rows cost little."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection

from tests.localcloud.kql.functions import FUNCTIONS, OPERATORS, PATTERNS
from tests.localcloud.kql.syntax import Call, Column, Expression, Literal, Member
from tests.localcloud.kql.table import Row
from tests.localcloud.kql.values import Value, member, text

Compiled = Callable[[Row], Value]


def compile_expression(tree: Expression, columns: Collection[str]) -> Compiled:
    """Refuses columns and functions that do not exist."""
    if isinstance(tree, Literal):
        value = tree.value
        return lambda row: value
    if isinstance(tree, Column):
        if tree.name not in columns:
            raise tree.token.failure(f"there is no column {tree.name!r}")
        return operator.itemgetter(tree.name)
    if isinstance(tree, Member):
        return _member(tree, columns)
    return _call(tree, columns)


def _member(tree: Member, columns: Collection[str]) -> Compiled:
    """`a.b.c` in one loop; anything else in the key is computed for each row."""
    path: list[Value] = []
    target: Expression = tree
    while isinstance(target, Member) and isinstance(target.key, Literal):
        path.insert(0, target.key.value)
        target = target.target
    if not path:
        whole, key = compile_expression(tree.target, columns), compile_expression(tree.key, columns)
        return lambda row: member(whole(row), key(row))
    start = compile_expression(target, columns)

    def walk(row: Row) -> Value:
        value = start(row)
        for name in path:
            value = value.get(name) if type(value) is dict else member(value, name)
        return value

    return walk


def _call(tree: Call, columns: Collection[str]) -> Compiled:
    arguments = [compile_expression(one, columns) for one in tree.arguments]
    if tree.name in ("and", "or"):
        return _logical(tree.name == "and", arguments[0], arguments[1])
    _check_pattern(tree)
    if tree.name == "=~" and isinstance(tree.arguments[1], Literal):
        return _same_as(arguments[0], text(tree.arguments[1].value).lower())
    function = OPERATORS.get(tree.name) or _function(tree)
    if len(arguments) == 1:
        only = arguments[0]
        return lambda row: function(only(row))
    if len(arguments) == 2:
        first, second = arguments
        return lambda row: function(first(row), second(row))
    return lambda row: function(*[one(row) for one in arguments])


def _same_as(one: Compiled, wanted: str) -> Compiled:
    def same(row: Row) -> bool:
        value = one(row)
        return (value if type(value) is str else text(value)).lower() == wanted

    return same


def _function(tree: Call) -> Callable[..., Value]:
    known = FUNCTIONS.get(tree.name)
    if known is None:
        raise tree.token.failure(f"there is no function {tree.name!r}")
    least, most, function = known
    count = len(tree.arguments)
    odd = (tree.name == "case" and count % 2 == 0) or (tree.name in ("pack", "bag_pack") and count % 2 == 1)
    if count < least or (most is not None and count > most) or odd:
        raise tree.token.failure(f"wrong number of arguments for {tree.name}")
    return function


def _check_pattern(tree: Call) -> None:
    """A regular expression must be a literal here, so that a bad one is refused before any row."""
    if tree.name not in PATTERNS or len(tree.arguments) <= PATTERNS[tree.name]:
        return
    pattern = tree.arguments[PATTERNS[tree.name]]
    if not isinstance(pattern, Literal):
        raise tree.token.failure("the pattern must be a literal")
    try:
        re.compile(text(pattern.value))
    except re.error as error:
        raise pattern.token.failure(str(error)) from error


def _logical(conjunction: bool, left: Compiled, right: Compiled) -> Compiled:
    """Three-valued: false decides an `and` and true an `or`, whatever the other side is; else a null makes null."""
    decisive = not conjunction

    def decide(row: Row) -> bool | None:
        first = left(row)
        if first is decisive:
            return decisive
        second = right(row)
        if second is decisive:
            return decisive
        return conjunction if first is conjunction and second is conjunction else None

    return decide

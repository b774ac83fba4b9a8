"""Which operators of a query may wait until it is known which rows of the result are wanted.

Columns are computed row by row, so a page of a thousand rows needs them for these rows only: operators that make
columns move behind a sort (which then sorts by what they would have computed), and those at the end are kept for the
page.
"""

from __future__ import annotations

from tests.localcloud.kql.syntax import (
    Call,
    Column,
    Expression,
    Extend,
    Literal,
    Member,
    Operator,
    Project,
    ProjectAway,
    Sort,
    SortKey,
)

_BY_ROW = (Project, ProjectAway, Extend)


def split(operators: tuple[Operator, ...]) -> tuple[list[Operator], list[Operator]]:
    """(what must see all rows, what is left for the rows of a page)."""
    first = list(operators)
    for position in range(1, len(first)):
        column_maker, sort = first[position - 1], first[position]
        if isinstance(column_maker, Project) and isinstance(sort, Sort):
            keys = [_before(key, column_maker) for key in sort.keys]
            if None not in keys:
                moved = tuple(key for key in keys if key is not None)
                first[position - 1 : position + 1] = [Sort(moved), column_maker]
    last: list[Operator] = []
    while first and isinstance(first[-1], _BY_ROW):
        last.insert(0, first.pop())
    return first, last


def _before(key: SortKey, project: Project) -> SortKey | None:
    """The same key in terms of the columns before the project; None if it names a column that is not there."""
    made = {one.name: one.expression for one in project.columns}
    found = _replaced(key.expression, made)
    return None if found is None else SortKey(found, key.descending, key.nulls_first)


def _replaced(tree: Expression, made: dict[str, Expression]) -> Expression | None:
    if isinstance(tree, Literal):
        return tree
    if isinstance(tree, Column):
        return made.get(tree.name)
    if isinstance(tree, Member):
        target, key = _replaced(tree.target, made), _replaced(tree.key, made)
        return None if target is None or key is None else Member(target, key, tree.token)
    arguments = [_replaced(one, made) for one in tree.arguments]
    found = tuple(one for one in arguments if one is not None)
    return Call(tree.name, found, tree.token) if len(found) == len(arguments) else None

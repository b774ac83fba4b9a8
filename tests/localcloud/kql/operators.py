"""What the operators do to a table that need nothing but that table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.localcloud.kql import values
from tests.localcloud.kql.lexer import Token
from tests.localcloud.kql.scalar import Compiled, compile_expression
from tests.localcloud.kql.syntax import (
    Aggregate,
    Column,
    Count,
    Distinct,
    Extend,
    MvExpand,
    Named,
    Operator,
    Project,
    ProjectAway,
    Sort,
    SortKey,
    Summarize,
    Take,
    Where,
)
from tests.localcloud.kql.table import Row, Table


def apply(operator: Operator, table: Table) -> Table:
    return _APPLY[type(operator)](operator, table)


def _check_columns(columns: Sequence[Column], table: Table) -> list[str]:
    for column in columns:
        if column.name not in table.columns:
            raise column.token.failure(f"there is no column {column.name!r}")
    return [column.name for column in columns]


def _check_once(names: Sequence[str], token: Token) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise token.failure("two columns of the same name")
    return tuple(names)


def _where(operator: Where, table: Table) -> Table:
    condition = compile_expression(operator.condition, table.columns)
    return Table(table.columns, [row for row in table.rows if condition(row) is True])


def _compiled(columns: Sequence[Named], table: Table) -> list[tuple[str, Compiled]]:
    return [(one.name, compile_expression(one.expression, table.columns)) for one in columns]


def _project(operator: Project, table: Table) -> Table:
    names = _check_once([one.name for one in operator.columns], operator.token)
    made = _compiled(operator.columns, table)
    return Table(names, [{name: value(row) for name, value in made} for row in table.rows])


def _project_away(operator: ProjectAway, table: Table) -> Table:
    gone = _check_columns(operator.columns, table)
    kept = tuple(name for name in table.columns if name not in gone)
    return Table(kept, [{name: row[name] for name in kept} for row in table.rows])


def _extend(operator: Extend, table: Table) -> Table:
    """Later expressions of one extend do not see the earlier ones' columns."""
    made = _compiled(operator.columns, table)
    columns = tuple(dict.fromkeys((*table.columns, *(name for name, _ in made))))
    return Table(columns, [{**row, **{name: value(row) for name, value in made}} for row in table.rows])


def _sort(operator: Sort, table: Table) -> Table:
    rows = list(table.rows)
    for key in reversed(operator.keys):
        rows = _sorted_by(key, compile_expression(key.expression, table.columns), rows)
    return Table(table.columns, rows)


def _sorted_by(key: SortKey, value: Compiled, rows: list[Row]) -> list[Row]:
    if all(type(value(row)) is str for row in rows):
        return sorted(rows, key=value, reverse=key.descending)
    pairs = [(value(row), row) for row in rows]
    nulls = [row for found, row in pairs if found is None]
    others = [(values.order(found), row) for found, row in pairs if found is not None]
    others.sort(key=lambda pair: pair[0], reverse=key.descending)
    rest = [row for _, row in others]
    return nulls + rest if key.nulls_first else rest + nulls


def _take(operator: Take, table: Table) -> Table:
    return Table(table.columns, table.rows[: operator.count])


def _distinct(operator: Distinct, table: Table) -> Table:
    names = tuple(_check_columns(operator.columns, table)) or table.columns
    seen: dict[Any, Row] = {}
    for row in table.rows:
        seen.setdefault(tuple(values.key(row[name]) for name in names), {name: row[name] for name in names})
    return Table(names, list(seen.values()))


def _count(operator: Count, table: Table) -> Table:
    return Table(("Count",), [{"Count": len(table.rows)}])


# summarize


def _summarize(operator: Summarize, table: Table) -> Table:
    by = _compiled(operator.by, table)
    names = _check_once(
        [*(name for name, _ in by), *(aggregate.name for aggregate in operator.aggregates)], operator.token
    )
    aggregates = [(one.name, _aggregate(one, table)) for one in operator.aggregates]
    groups: dict[Any, tuple[Row, list[Row]]] = {} if by else {(): ({}, [])}
    for row in table.rows:
        found = {name: value(row) for name, value in by}
        groups.setdefault(tuple(map(values.key, found.values())), (found, []))[1].append(row)
    rows = [{**found, **{name: value(rows) for name, value in aggregates}} for found, rows in groups.values()]
    return Table(names, rows)


def _aggregate(aggregate: Aggregate, table: Table) -> Callable[[list[Row]], Any]:
    """Nulls are left out (documented), except by count()."""
    if aggregate.argument is None:
        return len
    value = compile_expression(aggregate.argument, table.columns)

    def all_of(rows: list[Row]) -> list[Any]:
        return [found for found in map(value, rows) if found is not None]

    def different(rows: list[Row]) -> list[Any]:
        seen: dict[Any, Any] = {}
        for found in all_of(rows):
            seen.setdefault(values.key(found), found)
        return list(seen.values())

    if aggregate.function == "dcount":
        return lambda rows: len(different(rows))
    if aggregate.function == "make_list":
        return all_of
    if aggregate.function == "make_set":
        return different
    if aggregate.function in ("min", "max"):
        extreme = min if aggregate.function == "min" else max
        return lambda rows: extreme(all_of(rows), key=values.order, default=None)
    return lambda rows: next(iter(all_of(rows)), None)


# mv-expand


def _mv_expand(operator: MvExpand, table: Table) -> Table:
    column = operator.column
    value = compile_expression(column.expression, table.columns)
    columns = tuple(dict.fromkeys((*table.columns, column.name)))
    rows = [{**row, column.name: one} for row in table.rows for one in _elements(value(row))]
    return Table(columns, rows)


def _elements(value: Any) -> list[Any]:
    """A bag falls into bags of one member. An empty array gives one row with a null: Microsoft's own sample queries
    (virtual machines with their network interfaces) count on `isempty(…)` after mv-expand.
    """
    if isinstance(value, dict):
        return [{name: one} for name, one in value.items()] or [None]
    return (value or [None]) if isinstance(value, list) else [value]


_APPLY: dict[type, Callable[[Any, Table], Table]] = {
    Where: _where,
    Project: _project,
    ProjectAway: _project_away,
    Extend: _extend,
    Sort: _sort,
    Take: _take,
    Distinct: _distinct,
    Count: _count,
    Summarize: _summarize,
    MvExpand: _mv_expand,
}

"""join and union: what makes one table of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.localcloud.kql import values
from tests.localcloud.kql.syntax import Column, Join
from tests.localcloud.kql.table import Row, Table


def join(operator: Join, left: Table, right: Table) -> Table:
    """Columns of the right whose names the left has get a 1 behind them, as Kusto does it. Nulls match nothing."""
    left_keys = _names([one for one, _ in operator.keys], left)
    right_keys = _names([one for _, one in operator.keys], right)
    renamed = _renamed(left, right)
    index: dict[Any, list[Row]] = {}
    for row in right.rows:
        index.setdefault(_key(row, right_keys), []).append({new: row[old] for old, new in renamed.items()})
    nothing: list[Row] = [dict.fromkeys(renamed.values())] if operator.kind == "leftouter" else []
    rows: list[Row] = []
    for row in left.rows:
        key = _key(row, left_keys)
        matches = index.get(key, nothing) if key is not None else nothing
        rows += [{**row, **match} for match in matches]
    return Table((*left.columns, *renamed.values()), rows)


def _names(columns: Sequence[Column], table: Table) -> list[str]:
    for column in columns:
        if column.name not in table.columns:
            raise column.token.failure(f"there is no column {column.name!r}")
    return [column.name for column in columns]


def _key(row: Row, names: list[str]) -> Any:
    found = [row[name] for name in names]
    return None if any(one is None for one in found) else tuple(map(values.key, found))


def _renamed(left: Table, right: Table) -> dict[str, str]:
    taken = set(left.columns) | set(right.columns)
    renamed: dict[str, str] = {}
    for name in right.columns:
        new, number = name, 0
        while new in (left.columns if number == 0 else taken):
            number += 1
            new = f"{name}{number}"
        taken.add(new)
        renamed[name] = new
    return renamed


def union(tables: Sequence[Table]) -> Table:
    """All rows; a column that a table lacks is null there."""
    columns = tuple(dict.fromkeys(name for table in tables for name in table.columns))
    blank = dict.fromkeys(columns)
    return Table(columns, [{**blank, **row} for table in tables for row in table.rows])

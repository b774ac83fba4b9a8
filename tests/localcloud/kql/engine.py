"""A query's text and the tables, into its result."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from tests.localcloud.kql.combine import join, union
from tests.localcloud.kql.deferral import split
from tests.localcloud.kql.functions import MOMENT
from tests.localcloud.kql.operators import apply
from tests.localcloud.kql.parser import parse
from tests.localcloud.kql.syntax import Join, Operator, Query, Take, Union
from tests.localcloud.kql.table import Row, Table, Tables

DEFAULT_TABLE = "resources"


@dataclass(frozen=True)
class Result:
    total: int
    page: Table
    limited: bool
    """The query has a take or limit of its own; Resource Graph then gives no $skipToken (documented)."""

    @property
    def columns(self) -> tuple[str, ...]:
        return self.page.columns

    @property
    def rows(self) -> list[Row]:
        return self.page.rows


def run(
    text: str, tables: Tables, skip: int = 0, top: int | None = None, now: datetime.datetime | None = None
) -> Result:
    """The result's rows from `skip` on, at most `top` of them.

    Raises ParserFailure for everything that is not understood, also for unknown tables and columns.
    """
    query = parse(text)
    moment = MOMENT.set(now or datetime.datetime.now(datetime.timezone.utc))
    try:
        first, last = split(query.operators)
        whole = _pipe(_source(query, tables), first, tables)
        rows = whole.rows[skip:] if top is None else whole.rows[skip : skip + top]
        page = _pipe(Table(whole.columns, rows), last, tables)
        return Result(len(whole.rows), page, any(isinstance(one, Take) for one in query.operators))
    finally:
        MOMENT.reset(moment)


def _run(query: Query, tables: Tables) -> Table:
    return _pipe(_source(query, tables), query.operators, tables)


def _source(query: Query, tables: Tables) -> Table:
    table = tables(query.table.text.lower() if query.table else DEFAULT_TABLE)
    if table is None:
        assert query.table is not None, "the default table is always there"
        raise query.table.failure(f"there is no table {query.table.text!r}")
    return table


def _pipe(table: Table, operators: Sequence[Operator], tables: Tables) -> Table:
    for operator in operators:
        if isinstance(operator, Join):
            table = join(operator, table, _run(operator.right, tables))
        elif isinstance(operator, Union):
            table = union([table, *(_run(other, tables) for other in operator.others)])
        else:
            table = apply(operator, table)
    return table

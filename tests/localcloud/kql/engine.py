"""A query's text and the tables, into its result."""

from __future__ import annotations

from dataclasses import dataclass

from .combine import join, union
from .operators import apply
from .parser import parse
from .syntax import Join, Query, Take, Union
from .table import Table, Tables

DEFAULT_TABLE = "resources"


@dataclass(frozen=True)
class Result:
    table: Table
    limited: bool
    """The query has a take or limit of its own; Resource Graph then gives no $skipToken (documented)."""


def run(text: str, tables: Tables) -> Result:
    """Raises ParserFailure for everything that is not understood, also for unknown tables and columns."""
    query = parse(text)
    return Result(_run(query, tables), any(isinstance(one, Take) for one in query.operators))


def _run(query: Query, tables: Tables) -> Table:
    table = tables(query.table.text.lower() if query.table else DEFAULT_TABLE)
    if table is None:
        assert query.table is not None, "the default table is always there"
        raise query.table.failure(f"there is no table {query.table.text!r}")
    for operator in query.operators:
        if isinstance(operator, Join):
            table = join(operator, table, _run(operator.right, tables))
        elif isinstance(operator, Union):
            table = union([table, *(_run(other, tables) for other in operator.others)])
        else:
            table = apply(operator, table)
    return table

"""What duckdb-kql makes of a query, run on one in-memory DuckDB: each query fills its tables anew.

Small answers are kept for the same query over the same rows.
"""

from __future__ import annotations

import datetime
import json
import re
import threading
from typing import Any

import duckdb
import duckdb_kql
from duckdb_kql.translate import CLOCK_SLOT

from tests.localcloud.kql.failure import ParserFailure
from tests.localcloud.kql.table import Table

Columns = list[tuple[str, str]]
_LOCK = threading.Lock()
_DATABASE = duckdb_kql.connect(config={"threads": 1})
_MADE: dict[str, tuple[tuple[str, str], ...]] = {}
"""The columns and types of the tables that there are, by name."""
_TRANSLATED: dict[Any, duckdb_kql.TranslationResult] = {}
"""SQL by text and tables."""
_ANSWERED: dict[tuple[Any, ...], tuple[Columns, list[tuple[Any, ...]]]] = {}
"""What was answered last, by SQL, parameters and the rows of the tables."""
_MOST_ANSWERS, _LARGEST_KEPT = 64, 1_000_000  # characters of rows


def answer(
    text: str,
    with_parameters: tuple[str, dict[str, str]],
    tables: dict[str, Table],
    wanted: dict[str, set[str]],
    now: datetime.datetime,
) -> tuple[Columns, list[tuple[Any, ...]]]:
    """The columns of the result with their types, and all its rows as DuckDB has them.

    :param wanted: the columns that the query reads, by table.
    """
    changed, values = with_parameters
    contents = {name: _content(table, wanted[name]) for name, table in tables.items()}
    with _LOCK:
        try:
            for name, table in tables.items():
                _make(name, table)
            sql = _translate(changed, tables)
            given: dict[str, Any] = {each.slot: values[each.name] for each in sql.declarations}
            if CLOCK_SLOT in sql.parameters:
                given[CLOCK_SLOT] = now.replace(tzinfo=None)
            key = (str(sql), repr(given), *contents.items())
            if key in _ANSWERED:
                return _ANSWERED[key]
            for name, (read, rows) in contents.items():
                _fill(name, tables[name], read, rows)
            cursor = _DATABASE.execute(str(sql), given)
            found = [(one[0], str(one[1])) for one in cursor.description], cursor.fetchall()
            if sum(len(rows) for _, rows in contents.values()) <= _LARGEST_KEPT:
                _keep(key, found)
            return found
        except (duckdb_kql.KqlError, duckdb.Error) as error:
            raise _failure(text, tables, error) from error


def value(found: Any, kind: str) -> Any:
    """A value of DuckDB's as one of JSON or a date."""
    if kind == "JSON":
        return None if found is None else json.loads(found)
    if kind.endswith("[]"):
        return None if found is None else [value(each, kind[:-2]) for each in found]
    if isinstance(found, datetime.datetime):
        return found.replace(tzinfo=datetime.timezone.utc)
    return found


def _keep(key: tuple[Any, ...], found: tuple[Columns, list[tuple[Any, ...]]]) -> None:
    while len(_ANSWERED) >= _MOST_ANSWERS:
        del _ANSWERED[next(iter(_ANSWERED))]
    _ANSWERED[key] = found


def _make(name: str, table: Table) -> None:
    made = tuple((column, table.type_of(column)) for column in table.columns)
    if _MADE.get(name) != made:
        columns = ", ".join(f'"{column}" {kind}' for column, kind in made)
        _DATABASE.execute(f'CREATE OR REPLACE TABLE "{name}" ({columns})')
        _MADE[name] = made


def _content(table: Table, wanted: set[str]) -> tuple[tuple[str, ...], str]:
    """The columns of a table that are read, and its rows with these as JSON."""
    read = tuple(column for column in table.columns if column in wanted) or table.columns[:1]
    return read, json.dumps([{column: row[column] for column in read} for row in table.rows], default=_plain)


def _fill(name: str, table: Table, read: tuple[str, ...], rows: str) -> None:
    _DATABASE.execute(f'TRUNCATE "{name}"')
    if table.rows:
        shape = json.dumps([{column: table.type_of(column) for column in read}])
        into, out = (", ".join(f'{prefix}"{column}"' for column in read) for prefix in ("", "row."))
        given = f"SELECT {out} FROM (SELECT unnest(from_json(?, '{shape}')) AS row)"  # noqa: S608  # our own names
        _DATABASE.execute(f'INSERT INTO "{name}" ({into}) {given}', [rows])


def _plain(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _translate(changed: str, tables: dict[str, Table]) -> duckdb_kql.TranslationResult:
    key = (changed, *((name, _MADE[name]) for name in sorted(tables)))
    if key not in _TRANSLATED:
        schema = {name: list(table.columns) for name, table in tables.items()}
        any_time = datetime.datetime.now(datetime.timezone.utc)
        _TRANSLATED[key] = duckdb_kql.to_sql(changed, schema=schema, query_now=any_time)
        _check_case(str(_TRANSLATED[key]), tables)
    return _TRANSLATED[key]


def _check_case(sql: str, tables: dict[str, Table]) -> None:
    """DuckDB finds a column in any case, Kusto does not."""
    known = {column for table in tables.values() for column in table.columns}
    folded = {column.lower() for column in known}
    for name in re.findall(r'"(\w+)"', sql):
        if name.lower() in folded and name not in known and f'AS "{name}"' not in sql and name.lower() not in tables:
            raise duckdb.BinderException(f'Referenced column "{name}" not found')


def _failure(text: str, tables: dict[str, Table], error: Exception) -> ParserFailure:
    """Where the text as it was sent stops making sense."""
    try:
        duckdb_kql.to_sql(text, schema={name: list(table.columns) for name, table in tables.items()})
    except duckdb_kql.KqlSyntaxError as syntax:
        first = syntax.diagnostics[0]
        token = re.search(r"'((?:[^'\\]|\\.)+)'", first.message)
        return ParserFailure(first.span.line, first.span.column, token[1] if token else "", first.message)
    except duckdb_kql.KqlError as other:
        error = other
    reason = str(error).partition("\n")[0]
    named = re.search(r'(?:column|name|construct|for) ["\']?(?:\w+:)?(\w+)', reason)
    where = named[1] if named else ""
    at = max(text.find(where), 0)
    if isinstance(error, duckdb.CatalogException) and "Table" in reason:
        reason = f"there is no table {where!r}"
    return ParserFailure(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1, where, reason)

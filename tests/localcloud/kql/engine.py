"""What duckdb-kql makes of a query, run on one in-memory DuckDB, whose tables are filled anew when rows have changed.

To plan a query takes much longer than to run it, so what was asked about the same rows before, or page by page, is
answered from memory.
"""

from __future__ import annotations

import datetime
import hashlib
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
_FILLED: dict[str, bytes] = {}
"""What the rows of these tables are made of, by name."""
_TRANSLATED: dict[Any, duckdb_kql.TranslationResult] = {}
"""SQL by text and tables."""
_ANSWERS: dict[Any, tuple[Columns, list[tuple[Any, ...]]]] = {}
"""Answers by SQL, its parameters and the rows of its tables."""
_MOST_ROWS = 50_000
"""How many rows of answers are kept, about."""


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
    with _LOCK:
        try:
            rows = {name: _as_json(table, wanted[name]) for name, table in tables.items()}
            sql = _translate(changed, tables)
            given: dict[str, Any] = {each.slot: values[each.name] for each in sql.declarations}
            if CLOCK_SLOT in sql.parameters:
                given[CLOCK_SLOT] = now.replace(tzinfo=None)
            asked = (
                str(sql),
                *given.items(),
                *((name, _types(tables[name]), rows[name][1]) for name in sorted(tables)),
            )
            if asked not in _ANSWERS:
                for name, table in tables.items():
                    _fill(name, table, wanted[name], *rows[name])
                cursor = _DATABASE.execute(str(sql), given)
                _keep(asked, ([(one[0], str(one[1])) for one in cursor.description], cursor.fetchall()))
            return _ANSWERS[asked]
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


def _keep(asked: Any, found: tuple[Columns, list[tuple[Any, ...]]]) -> None:
    if sum(len(rows) + 1 for _, rows in _ANSWERS.values()) > _MOST_ROWS:
        _ANSWERS.clear()
    _ANSWERS[asked] = found


def _types(table: Table) -> tuple[tuple[str, str], ...]:
    return tuple((column, table.type_of(column)) for column in table.columns)


def _read(table: Table, wanted: set[str]) -> list[str]:
    return [column for column in table.columns if column in wanted] or list(table.columns[:1])


def _as_json(table: Table, wanted: set[str]) -> tuple[str, bytes]:
    """Return the rows with the columns that are read, and their digest."""
    read = _read(table, wanted)
    rows = json.dumps([{column: row[column] for column in read} for row in table.rows], default=_plain)
    return rows, hashlib.sha256(rows.encode()).digest()


def _fill(name: str, table: Table, wanted: set[str], rows: str, digest: bytes) -> None:
    made = _types(table)
    if _MADE.get(name) != made:
        columns = ", ".join(f'"{column}" {kind}' for column, kind in made)
        _DATABASE.execute(f'CREATE OR REPLACE TABLE "{name}" ({columns})')
        _MADE[name] = made
    elif _FILLED.get(name) == digest:
        return
    else:
        _DATABASE.execute(f'TRUNCATE "{name}"')
    _FILLED.pop(name, None)
    if table.rows:
        read = _read(table, wanted)
        shape = json.dumps([{column: table.type_of(column) for column in read}])
        into, out = (", ".join(f'{prefix}"{column}"' for column in read) for prefix in ("", "row."))
        given = f"SELECT {out} FROM (SELECT unnest(from_json(?, '{shape}')) AS row)"  # noqa: S608  # our own names
        _DATABASE.execute(f'INSERT INTO "{name}" ({into}) {given}', [rows])
    _FILLED[name] = digest


def _plain(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _translate(changed: str, tables: dict[str, Table]) -> duckdb_kql.TranslationResult:
    key = (changed, *((name, _types(tables[name])) for name in sorted(tables)))
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

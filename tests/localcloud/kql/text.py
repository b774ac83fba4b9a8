"""The text of a query: what Resource Graph would not take, which tables it reads, and which of its literals are values.

What duckdb-kql makes of a text takes a tenth of a second to make and to plan, but most queries differ only in the
names that they look for. Those become parameters, so that the same query about other names is already there.
"""

from __future__ import annotations

import datetime
import json
import re

from tests.localcloud.kql.failure import ParserFailure
from tests.localcloud.kql.table import Result, Row, Table, Tables

refused_for_python: list[str] = []
"""Queries that were refused because there is no engine."""

DEFAULT_TABLE = "resources"
_OPERATORS = {
    *("count", "distinct", "extend", "join", "limit", "mv-expand", "order", "parse", "project", "project-away"),
    *("sort", "summarize", "take", "top", "union", "where"),
}
_MAKES_COLUMNS = {"count", "distinct", "project", "summarize"}
_LITERAL = r"""@'(?:[^']|'')*'|@"(?:[^"]|"")*"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_PLAIN = r"'[^'\\\n]*'"
_NO_CODE = re.compile(rf"{_LITERAL}|//[^\n]*")
_VALUE = re.compile(
    rf"(?P<operator>==|=~|!=|!~|\bcontains|\bstartswith|\bendswith)\s*(?P<one>{_PLAIN})"
    rf"|\b(?P<in>in~?)\s*\(\s*(?P<list>{_PLAIN}(?:\s*,\s*{_PLAIN})*)\s*\)|{_LITERAL}"
)


def run(
    text: str, tables: Tables, skip: int = 0, top: int | None = None, now: datetime.datetime | None = None
) -> Result:
    """The result's rows from `skip` on, at most `top` of them. Raises ParserFailure for what is not understood."""
    try:
        from tests.localcloud.kql import engine  # takes half a second, and few tests send a query
    except ImportError:  # Python 3.10, for which there is no duckdb-kql; the tests are then skipped
        refused_for_python.append(text)
        reason = "the local Azure answers queries with duckdb-kql, which needs Python 3.11"
        raise ParserFailure(1, 0, "", reason) from None
    if (first := re.match(r"\s*([\w-]+)", text)) and first[1] in _OPERATORS:
        # A query may begin with an operator (recorded); positions are those of the text that was sent.
        start = f"{DEFAULT_TABLE} | "
        try:
            return run(start + text, tables, skip, top, now)
        except ParserFailure as failure:
            shift = len(start) if failure.line == 1 else 0
            place = (failure.line, max(failure.position - shift, 0))
            raise ParserFailure(*place, failure.token, failure.reason) from failure
    code = _NO_CODE.sub(lambda match: (" " if match[0].startswith("//") else "_") * len(match[0]), text)
    operators = _checked_operators(code)
    read = _read_tables(code, tables)
    if not _MAKES_COLUMNS & operators:
        wanted = {name: set(table.columns) for name, table in read.items()}
    else:
        words = set(re.findall(r"\w+", text))
        wanted = {name: words & set(table.columns) for name, table in read.items()}
    moment = now or datetime.datetime.now(datetime.timezone.utc)
    columns, rows = engine.answer(text, _with_parameters(text), read, wanted, moment)
    page = rows[skip:] if top is None else rows[skip : skip + top]
    made: list[Row] = [
        {name: engine.value(one, kind) for (name, kind), one in zip(columns, row, strict=True)} for row in page
    ]
    return Result(len(rows), tuple(name for name, _ in columns), made, _limits_itself(code))


def place(text: str, at: int) -> tuple[int, int]:
    """Line and position of a character, as Resource Graph counts."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1


def _checked_operators(code: str) -> set[str]:
    for match in re.finditer(r";|^\s*([^\w\s])", code):
        # Neither several statements nor commands, which begin with a dot.
        raise ParserFailure(*place(code, match.end() - 1), match[0].strip(), "a query begins with a table, and is all")
    found = set()
    for match in re.finditer(r"\|\s*([\w-]+)", code):
        if match[1] not in _OPERATORS:
            raise ParserFailure(*place(code, match.start(1)), match[1], f"there is no operator {match[1]!r}")
        found.add(match[1])
    return found


def _read_tables(code: str, tables: Tables) -> dict[str, Table]:
    """The tables of a query and of what stands in parentheses in it, by lower-cased name; the first must be there."""
    found: dict[str, Table] = {}
    for match in re.finditer(r"(?:^\s*|[(,]\s*)(\w+)\s*(?=[|)\s]|$)", code):
        table = tables(match[1].lower())
        if table is not None:
            found[match[1].lower()] = table
        elif not code[: match.start(1)].strip():
            raise ParserFailure(*place(code, match.start(1)), match[1], f"there is no table {match[1]!r}")
    return found


def _with_parameters(text: str) -> tuple[str, dict[str, str]]:
    """The text with names for the literals that something is compared with, and these by name."""
    values: dict[str, str] = {}
    declared: list[str] = []

    def name(kind: str, value: str) -> str:
        made = f"_p{len(values)}"
        values[made] = value
        declared.append(f"{made}: {kind}")
        return made

    def replace(match: re.Match[str]) -> str:
        if match["one"]:
            return f"{match['operator']} {name('string', match['one'][1:-1])}"
        if match["in"]:
            found = [each[1:-1] for each in re.findall(_PLAIN, match["list"])]
            return f"{match['in']} ({name('dynamic', json.dumps(found))})"
        return match[0]

    changed = _VALUE.sub(replace, text)
    return (f"declare query_parameters({', '.join(declared)});\n{changed}" if values else changed), values


def _limits_itself(code: str) -> bool:
    while (inner := re.sub(r"\([^()]*\)", "", code)) != code:
        code = inner
    return re.search(r"\|\s*(take|limit|top)\b", code) is not None

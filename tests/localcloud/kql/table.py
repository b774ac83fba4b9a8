"""Rows, where they come from, and what comes out of them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows that all have exactly these columns. `types` are DuckDB's; a column without one is dynamic."""

    columns: tuple[str, ...]
    rows: list[Row]
    types: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, column: str) -> str:
        return self.types.get(column, "JSON")


Tables = Callable[[str], "Table | None"]
"""A table by its lower-cased name; None if there is none."""


@dataclass(frozen=True)
class Result:
    """A page of what a query found: Python's values of JSON, and dates."""

    total: int
    columns: tuple[str, ...]
    rows: list[Row]
    limited: bool
    """The query has a take or limit of its own; Resource Graph then gives no $skipToken (documented)."""


def as_text(value: Any) -> Any:
    """A date as Kusto writes it; anything else as it is."""
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond:06d}0Z"
    return value

"""Rows and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows that all have exactly these columns. Nobody changes a row: operators make new ones."""

    columns: tuple[str, ...]
    rows: list[Row]


Tables = Callable[[str], "Table | None"]
"""A table by its lower-cased name; None if there is none."""

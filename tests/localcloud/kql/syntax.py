"""The tree of a query. Operators of expressions are calls too: `a == b` is a call of "==" with two arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.localcloud.kql.lexer import Token


@dataclass(frozen=True)
class Literal:
    value: Any
    token: Token


@dataclass(frozen=True)
class Column:
    name: str
    token: Token


@dataclass(frozen=True)
class Member:
    """`target.name` or `target[key]`."""

    target: Expression
    key: Expression
    token: Token


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Expression, ...]
    token: Token


Expression = Literal | Column | Member | Call


@dataclass(frozen=True)
class Named:
    """An expression under a column name; `given` says whether the query itself wrote the name."""

    name: str
    expression: Expression
    given: bool


@dataclass(frozen=True)
class Where:
    condition: Expression


@dataclass(frozen=True)
class Project:
    columns: tuple[Named, ...]
    token: Token


@dataclass(frozen=True)
class ProjectAway:
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Extend:
    columns: tuple[Named, ...]


@dataclass(frozen=True)
class SortKey:
    expression: Expression
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class Sort:
    keys: tuple[SortKey, ...]


@dataclass(frozen=True)
class Take:
    count: int


@dataclass(frozen=True)
class Distinct:
    """No columns: all of them."""

    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Count:
    pass


@dataclass(frozen=True)
class Aggregate:
    name: str
    function: str
    argument: Expression | None


@dataclass(frozen=True)
class Summarize:
    aggregates: tuple[Aggregate, ...]
    by: tuple[Named, ...]
    token: Token


@dataclass(frozen=True)
class MvExpand:
    column: Named


@dataclass(frozen=True)
class Join:
    kind: str
    right: Query
    keys: tuple[tuple[Column, Column], ...]


@dataclass(frozen=True)
class Union:
    others: tuple[Query, ...]


Operator = Where | Project | ProjectAway | Extend | Sort | Take | Distinct | Count | Summarize | MvExpand | Join | Union


@dataclass(frozen=True)
class Query:
    """`table` None: the query begins with an operator, which Resource Graph applies to `resources` (recorded)."""

    table: Token | None
    operators: tuple[Operator, ...]

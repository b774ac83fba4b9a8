"""A small Kusto Query Language: what queries of Resource Graph and Log Analytics about registries need, and nothing
guessed.

Semantics are those of learn.microsoft.com/kusto/query; the tables and operators those of
learn.microsoft.com/azure/governance/resource-graph/concepts/query-language. What is not known here is a ParserFailure.
"""

from tests.localcloud.kql.engine import Result, run
from tests.localcloud.kql.failure import ParserFailure
from tests.localcloud.kql.table import Row, Table, Tables

__all__ = ["ParserFailure", "Result", "Row", "Table", "Tables", "run"]

"""Queries of Resource Graph and Log Analytics, run by duckdb-kql on DuckDB.

duckdb-kql knows more of Kusto than Resource Graph does, so `text` refuses what is not among the elements that
learn.microsoft.com/azure/governance/resource-graph/concepts/query-language lists. All refusals are a ParserFailure.
"""

from tests.localcloud.kql.failure import ParserFailure
from tests.localcloud.kql.table import Result, Row, Table, Tables, as_text
from tests.localcloud.kql.text import refused_for_python, run

__all__ = ["ParserFailure", "Result", "Row", "Table", "Tables", "as_text", "refused_for_python", "run"]

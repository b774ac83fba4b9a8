"""The one way in which a query fails."""

from __future__ import annotations


class ParserFailure(Exception):
    """A query that is not understood: where it stopped making sense, as Resource Graph reports it (recorded)."""

    def __init__(self, line: int, position: int, token: str, reason: str) -> None:
        super().__init__(f"line {line}, position {position}, at {token!r}: {reason}")
        self.line, self.position, self.token, self.reason = line, position, token, reason

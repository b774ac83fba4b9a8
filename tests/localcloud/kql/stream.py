"""Reading tokens one after the other."""

from __future__ import annotations

from tests.localcloud.kql.lexer import Token, tokens

KEYWORDS = {"where", "project", "extend", "order", "sort", "take", "limit", "summarize", "join", "union", "by", "on"}
"""Words that are no column names here."""


class Stream:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    @property
    def after_next(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self._at += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether one of these words or symbols comes next."""
        return self.next.kind in ("name", "symbol") and self.next.text in texts

    def skip(self, *texts: str) -> Token | None:
        return self.take() if self.at(*texts) else None

    def expect(self, *texts: str) -> Token:
        if not self.at(*texts):
            raise self.next.failure(f"expected {' or '.join(texts)}")
        return self.take()

    def name(self) -> Token:
        """A name that may be a column's. A keyword in its place fails one token later (recorded for `where where`)."""
        token = self.next
        if token.kind != "name":
            raise token.failure("expected a name")
        self.take()
        if token.text in KEYWORDS:
            raise self.next.failure(f"{token.text!r} is a keyword")
        return token

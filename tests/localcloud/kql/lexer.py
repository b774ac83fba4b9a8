"""Text into tokens."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal

from tests.localcloud.kql.failure import ParserFailure

Kind = Literal["name", "literal", "symbol", "end"]

_SPACE = re.compile(r"(?:\s+|//[^\n]*)+")
_NAME = re.compile(r"(?:project-away|mv-expand)\b|\$?[A-Za-z_]\w*")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])?(?!\w)")
_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_VERBATIM = re.compile(r"""@'(?:[^']|'')*'|@"(?:[^"]|"")*\"""")
_SYMBOL = re.compile(
    r"in~|!in~|!(?:in|contains|has|startswith|endswith)\b|==|!=|=~|!~|<=|>=|[-<>=+*/|,.:(){}\[\]]",
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    line: int
    position: int
    value: Any = None

    def failure(self, reason: str) -> ParserFailure:
        return ParserFailure(self.line, self.position, self.text, reason)


def tokens(text: str) -> list[Token]:
    """All tokens, the last one being <EOF>."""
    found: list[Token] = []
    at = 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        if at >= len(text):
            return [*found, Token("end", "<EOF>", *_place(text, len(text)))]
        token = _next(text, at)
        found.append(token)
        at += len(token.text)


def _place(text: str, at: int) -> tuple[int, int]:
    """Lines count from one, positions from zero (recorded)."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1)


def _next(text: str, at: int) -> Token:
    place = _place(text, at)
    symbol = _SYMBOL.match(text, at)
    if symbol:
        return Token("symbol", symbol[0], *place)
    verbatim = _VERBATIM.match(text, at)
    if verbatim:
        quote = verbatim[0][1]
        return Token("literal", verbatim[0], *place, verbatim[0][2:-1].replace(quote * 2, quote))
    string = _STRING.match(text, at)
    if string:
        return Token("literal", string[0], *place, _unescaped(string[0], place))
    number = _NUMBER.match(text, at)
    if number:
        return Token("literal", number[0], *place, _number(number))
    name = _NAME.match(text, at)
    if name:
        return Token("name", name[0], *place)
    raise ParserFailure(*place, text[at], "unexpected character")


def _unescaped(quoted: str, place: tuple[int, int]) -> str:
    def one(match: re.Match[str]) -> str:
        what = match[1]
        if what.startswith("u") and len(what) == 5:
            return chr(int(what[1:], 16))
        if what not in _ESCAPED:
            raise ParserFailure(*place, quoted, f"unknown escape \\{what}")
        return _ESCAPED[what]

    return _ESCAPE.sub(one, quoted[1:-1])


def _number(match: re.Match[str]) -> Any:
    if match[2]:
        return datetime.timedelta(**{_UNITS[match[2]]: float(match[1])})
    return float(match[1]) if "." in match[1] else int(match[1])

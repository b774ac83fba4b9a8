"""Put the tokens of a language with brackets together to nodes, whatever they are.

A group that has a key anywhere is an object, any other a list. What does not fit ends up in an `Expression`; a closing
bracket closes what is open, whichever it is, and one that does not fit is told. Every token is taken once; depth and
number are bounded.
"""

from itertools import islice

from azext_acrscope.consumers.code.languages.expressions import AnyNode, Block, Expression
from azext_acrscope.consumers.code.languages.tokens import MARK, NAME, NEWLINE, STRING, Language, Token, read_tokens
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar, Sequence
from azext_acrscope.consumers.code.limits import MAX_TOKENS, NO_BEGIN, NO_END, BeyondLimitsError, note_cut

_OPENING, _CLOSING = "{[(", "}])"
_MAX_DEPTH = 100
_CONTINUES_BEFORE = frozenset(("?", ":", "&&", "||", "??", "==", "!=", "+", ".", "?.", "=", "=>", "<", ">", "!"))
_CONTINUES_AFTER = frozenset(("?", ":", "&&", "||", "??", "==", "!=", "+", ".", "?.", "=>"))
_CONSTANTS = frozenset(("true", "false", "null", "None", "True", "False", "undefined"))


def read_brackets(text: str, language: Language, line: int = 1) -> Mapping | Sequence:
    """Return a whole text as one group.

    :param line: the number of its first line.
    :raises BeyondLimitsError: it has too many tokens, or too many brackets in each other.
    """
    return BracketParser(text, language, line).group("", line)


class BracketParser:
    """Take nodes from a text one after the other."""

    def __init__(self, text: str, language: Language, line: int = 1) -> None:
        self._language = language
        self._tokens = list(islice(read_tokens(text, language, line), MAX_TOKENS + 1))
        if len(self._tokens) > MAX_TOKENS:
            raise BeyondLimitsError
        self._next = 0
        self._depth = 0

    def peek(self, ahead: int = 0) -> Token | None:
        """Return a token to come; None behind the last."""
        index = self._next + ahead
        return self._tokens[index] if index < len(self._tokens) else None

    def take(self) -> Token | None:
        """Return the next token, and step behind it."""
        token = self.peek()
        self._next += 1
        return token

    def skip_separators(self) -> None:
        """Skip what is between two entries."""
        while (token := self.peek()) and (token.kind == NEWLINE or (token.kind == MARK and token.text in ",;")):
            self._next += 1

    def group(self, opening: str, line: int) -> Mapping | Sequence:
        """Return what is up to the bracket that closes, of which the opening one is taken already."""
        entries: list[tuple[Scalar | None, AnyNode]] = []
        by_line = not opening or opening in self._language.line_groups
        while True:
            self.skip_separators()
            token = self.peek()
            if token is None:
                if opening:
                    note_cut(NO_END, line)
                break
            if token.kind == MARK and token.text in _CLOSING:
                self.take_closing(token, opening)
                if opening:
                    break
                continue
            entries.append(self._entry(by_line))
        if any(key is not None for key, _ in entries) or (opening == "{" and not entries):
            return Mapping(line, entries)  # type: ignore[arg-type]
        return Sequence(line, [node for _, node in entries])  # type: ignore[misc]

    def take_closing(self, token: Token, opening: str = "") -> None:
        """Skip a closing bracket, which may be another than the one that is open."""
        self._next += 1
        if not opening or _CLOSING[_OPENING.index(opening)] != token.text:
            note_cut(NO_BEGIN, token.line)

    def _entry(self, by_line: bool) -> tuple[Scalar | None, AnyNode]:
        first, second = self.peek(), self.peek(1)
        if first and second and first.kind in (NAME, STRING):
            if second.kind == MARK and second.text in self._language.key_marks:
                self._next += 2
                key = Scalar(first.text, first.line)
                return (key if first.plain else None), self.value(by_line)
            if self._language.blocks and first.kind == NAME and (count := self._labels()) is not None:
                return self._block(first, count)
        return None, self.value(by_line)

    def _labels(self) -> int | None:
        """Return how many labels a block has that begins here, or None if none begins."""
        count = 1
        while (token := self.peek(count)) and token.kind in (NAME, STRING) and count < 5:
            count += 1
        return count - 1 if token and token.kind == MARK and token.text == "{" else None

    def _block(self, name: Token, count: int) -> tuple[Scalar, AnyNode]:
        labels = [token.text for token in self._tokens[self._next + 1 : self._next + 1 + count]]  # noqa: E203
        self._next += count + 2  # its bracket as well
        body = self._open("{", name.line)
        entries = body.entries if isinstance(body, Mapping) else []
        return Scalar(name.text, name.line), Block(name.line, entries, labels=labels)

    def value(self, by_line: bool) -> AnyNode:
        """Return what is up to the end of this entry.

        :param by_line: whether a new line ends it, unless something shows that it goes on.
        """
        start = self.peek()
        words: list[str] = []
        parts: list[AnyNode] = []
        last = ""
        while token := self.peek():
            if token.kind == NEWLINE:
                if by_line and not self._continues(last):
                    break
                self._skip_lines()
                continue
            if token.kind == MARK and (token.text in ",;" or token.text in _CLOSING):
                break
            self._next += 1
            last = token.text if token.kind == MARK else ""
            self._add(token, words, parts)
        line = start.line if start else 1
        return self._made(line, words, parts)

    def _add(self, token: Token, words: list[str], parts: list[AnyNode]) -> None:
        if token.kind == MARK and token.text in _OPENING:
            parts.append(self._open(token.text, token.line))
        elif token.kind == STRING and token.plain:
            parts.append(Scalar(token.text, token.line))
        else:
            words.append(token.text)

    def _made(self, line: int, words: list[str], parts: list[AnyNode]) -> AnyNode:
        if not words and len(parts) == 1:
            return parts[0]
        if len(words) == 1 and not parts and (words[0] in _CONSTANTS or words[0].isdecimal()):
            return Scalar(words[0], line)
        return Expression(line, words, parts)

    def _open(self, opening: str, line: int) -> Mapping | Sequence:
        if self._depth >= _MAX_DEPTH:
            raise BeyondLimitsError
        self._depth += 1
        try:
            return self.group(opening, line)
        finally:
            self._depth -= 1

    def _continues(self, last: str) -> bool:
        if last in _CONTINUES_BEFORE:
            return True
        ahead = 1
        while (token := self.peek(ahead)) and token.kind == NEWLINE:
            ahead += 1
        return bool(token and token.kind == MARK and token.text in _CONTINUES_AFTER)

    def _skip_lines(self) -> None:
        while (token := self.peek()) and token.kind == NEWLINE:
            self._next += 1

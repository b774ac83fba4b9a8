"""Cut text of languages with brackets into tokens: Bicep, HCL, JSON with comments, and what Pulumi programs are in.

No grammar is complete: what is no token of the language is one character of its own. All text is read once.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from azext_acrscope.consumers.code.limits import NO_END, note_cut

NAME, STRING, MARK, NEWLINE = "name", "string", "mark", "newline"

_INSIDE_STRING = re.compile(r"[\"'`{}\\\n]|[$%]\{")
_HEREDOC = re.compile(r"<<[-~]?([A-Za-z_][\w-]*)[ \t\r]*\n")


class Token(NamedTuple):
    """A piece of text.

    :ivar kind: one of the constants above.
    :ivar text: of a string, what is between its quotes; escapes as they are, but for JSON's.
    :ivar plain: of a string, whether nothing is put into it when it runs.
    """

    kind: str
    text: str
    line: int
    plain: bool = True


@dataclass(frozen=True)
class Language:  # pylint: disable=too-many-instance-attributes  # a table of languages, of which it is a row
    """What a tokenizer and a parser need to know of a language.

    :ivar quotes: characters that begin a string; one that ends at the line's end without its closing quote.
    :ivar long_quotes: what begins and ends a string of several lines.
    :ivar raw: quotes of the above in which nothing is put in.
    :ivar key_marks: what stands between a key and its value.
    :ivar line_groups: opening brackets in which a new line begins a new entry.
    :ivar blocks: whether `name "label" {` is an entry.
    """

    quotes: str
    long_quotes: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    comments: tuple[str, ...] = ("//",)
    block_comments: bool = True
    inserts: tuple[str, ...] = ("${",)
    key_marks: tuple[str, ...] = (":",)
    line_groups: str = ""
    blocks: bool = False
    dashes: bool = False
    ends_lines: bool = True  # whether it matters where a line ends
    spanning: bool = False  # whether a string of one quote may span lines
    decoded: bool = False  # whether strings have JSON's escapes, and are wanted without
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        quotes = [*(re.escape(quote) for quote in self.long_quotes), f"[{re.escape(self.quotes)}]"]
        word = r"[\w-]" if self.dashes else r"\w"
        parts = [
            r"(?P<newline>\n)",
            f"(?P<comment>{'|'.join(map(re.escape, self.comments))})",
            *([r"(?P<block>/\*)"] if self.block_comments else []),
            *([r"(?P<heredoc><<[-~]?(?=[A-Za-z_]))"] if self.blocks else []),
            f"(?P<quote>{'|'.join(quotes)})",
            rf"(?P<name>[^\W\d]{word}*(?:\.[^\W\d]{word}*)*|\d[\w.]*)",
            r"(?P<mark>==|=>|!=|<=|>=|:=|::|\?\?|\?\.|&&|\|\||[^\s])",
        ]
        object.__setattr__(self, "pattern", re.compile(rf"[ \t\r\f\v]*(?:{'|'.join(parts)})?"))


BICEP = Language("'", ("'''",), raw=("'''",), line_groups="{[")
HCL = Language(
    '"',
    comments=("#", "//"),
    inserts=("${", "%{"),
    key_marks=("=", ":"),
    line_groups="{",
    blocks=True,
    dashes=True,
)
JSON = Language('"', inserts=(), spanning=True, ends_lines=False, decoded=True)
TYPESCRIPT = Language("\"'", ("`",), raw=())
PYTHON = Language("\"'", ('"""', "'''"), comments=("#",), block_comments=False, inserts=("{",), key_marks=("=", ":"))
CSHARP = Language('"', ('"""',), inserts=("{",), key_marks=("=", ":"))


def read_tokens(text: str, language: Language, line: int = 1) -> Iterator[Token]:
    """Yield the tokens of a text; comments are left out.

    :param line: the number of its first line.
    """
    position, size = 0, len(text)
    match_at = language.pattern.match
    while position < size and (match := match_at(text, position)):
        kind, position = match.lastgroup, match.end()
        if kind is None:  # white space at the end, or a break that is no new line for anyone who counts
            position += 1
            continue
        start = match.start(kind)
        if kind == "name":
            yield Token(NAME, match[kind], line)
        elif kind == "mark":
            yield Token(MARK, match[kind], line)
        elif kind == "newline":
            if language.ends_lines:
                yield Token(NEWLINE, "\n", line)
            line += 1
        elif kind == "comment":
            position = _find(text, "\n", position)
        else:
            token, position = _read_long(text, start, position, kind, language, line)
            if token:
                yield token
            line += text.count("\n", start, position)


def _read_long(  # pylint: disable=too-many-positional-arguments
    text: str, start: int, position: int, kind: str, language: Language, line: int
) -> tuple[Token | None, int]:
    """Return a comment (None) or a string, and where it ends."""
    if kind == "block":
        return None, _behind(text, "*/", position, line)
    if kind == "heredoc":
        return _read_heredoc(text, start, line)
    quote = text[start:position]
    if quote in language.long_quotes:
        behind = _behind(text, quote, position, line)
        content = text[position:behind].removesuffix(quote)
        plain = quote in language.raw or not any(mark in content for mark in language.inserts)
        return Token(STRING, content, line, plain), behind
    end = _end_of_string(text, position, quote, language)
    content = text[position:end]
    if not (closed := text.startswith(quote, end)):
        note_cut(NO_END, line)
    plain = not any(mark in content for mark in language.inserts)
    content = _decode(content) if language.decoded and "\\" in content else content
    return Token(STRING, content, line, plain), end + len(quote) if closed else end


def _decode(content: str) -> str:
    """Return a string of JSON without its escapes, or as it is with some that JSON does not know."""
    try:
        return str(json.loads(f'"{content}"', strict=False))
    except ValueError:
        return content


def _read_heredoc(text: str, start: int, line: int) -> tuple[Token | None, int]:
    opening = _HEREDOC.match(text, start)
    if not opening:
        return Token(MARK, "<<", line), start + 2
    # Searched from the line break of the first line, so that an empty heredoc is found as well.
    closing = re.compile(rf"\n[ \t]*{re.escape(opening[1])}[ \t\r]*(?=\n|\Z)").search(text, opening.end() - 1)
    if not closing:
        note_cut(NO_END, line)
    content = text[opening.end() : closing.start() + 1 if closing else len(text)]  # noqa: E203
    # The text begins on the line after the mark.
    token = Token(STRING, content, line + 1, "${" not in content and "%{" not in content)
    return token, closing.end() if closing else len(text)


def _end_of_string(text: str, position: int, quote: str, language: Language) -> int:
    """Return where a string ends: at its closing quote, those inside `${ … }` not counted, or at the line's end."""
    inside: list[str] = [quote]
    for match in _INSIDE_STRING.finditer(text, position):
        found, at = match[0], match.start()
        if at < position:
            continue  # escaped
        if found == "\\":
            position = at + 2
        elif found == "\n":
            if not language.spanning:
                return at
        elif found in language.inserts and len(found) == 2:
            inside.append("}")
        elif inside[-1] == "}":
            _step_in_expression(found, quote, inside)
        elif found == quote:
            inside.pop()
            if not inside:
                return at
    return len(text)


def _step_in_expression(found: str, quote: str, inside: list[str]) -> None:
    if found == "}":
        inside.pop()
    elif found == "{":
        inside.append("}")
    elif found == quote:
        inside.append(quote)


def _find(text: str, what: str, position: int) -> int:
    found = text.find(what, position)
    return len(text) if found < 0 else found


def _behind(text: str, ending: str, position: int, line: int) -> int:
    """Return where an ending ends."""
    found = text.find(ending, position)
    if found < 0:
        note_cut(NO_END, line)
        return len(text)
    return found + len(ending)

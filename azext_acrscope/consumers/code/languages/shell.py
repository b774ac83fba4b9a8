"""Cut scripts into commands and their words: POSIX shells, Makefiles, PowerShell, batch files.

A lexer, not a parser: it knows what quotes, continues, separates and comments, and takes all text in one pass. What
stands in `$( )` is a command of its own, and of a variable only its place in the word is kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from azext_acrscope.consumers.code.languages.ending_lines import EndingLines
from azext_acrscope.consumers.code.limits import MAX_TOKENS, NO_END, TOO_MUCH, note_cut

_MAX_DEPTH = 100  # of what is in brackets
_MAX_TEMPLATE = 500  # characters of a `{{ … }}`


@dataclass(frozen=True)
class Dialect:  # pylint: disable=too-many-instance-attributes  # a table of shells, of which it is a row
    """How a kind of shell quotes and continues.

    :ivar separators: what ends a word besides white space.
    """

    escape: str
    comment: str
    single_quotes: bool = True
    heredocs: bool = False
    here_strings: bool = False
    braces_group: bool = False
    separators: str = ""
    ends_with_line: bool = False  # each line by itself, as make gives them to a shell and cmd.exe reads them


POSIX = Dialect("\\", "#", heredocs=True)
MAKE = Dialect("\\", "#", heredocs=True, ends_with_line=True)
POWERSHELL = Dialect("`", "#", here_strings=True, braces_group=True, separators=",")
BATCH = Dialect("^", "", single_quotes=False, ends_with_line=True)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, without its quotes; `offset` is where it begins in the script."""

    text: str
    offset: int
    quoted: bool = False


@dataclass(slots=True)
class Command:
    """The words of a command, where its output goes, and the texts that are its input."""

    words: list[Word] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    heredocs: list[Word] = field(default_factory=list)
    awaits: bool = False  # a heredoc: its text comes behind the command
    pipes: bool = False  # its output into the next command


@dataclass(slots=True)
class _Frame:  # pylint: disable=too-many-instance-attributes  # what is open
    close: str = ""
    in_quotes: bool = False  # inside "…" of this frame
    opened: int = 0  # where that begins
    command: Command = field(default_factory=Command)
    parts: list[str] | None = None
    start: int = 0
    quoted: bool = False
    redirects: bool = False  # the next word is where input or output goes

    def add(self, part: str, offset: int) -> None:
        if self.parts is None:
            self.parts, self.start, self.quoted = [], offset, False
        self.parts.append(part)

    def end_word(self) -> None:
        if self.parts is None:
            return
        text = "".join(self.parts)
        if self.redirects:
            self.command.targets.append(text)
        else:
            self.command.words.append(Word(text, self.start, self.quoted))
        self.parts, self.redirects = None, False


_PLAIN = re.compile(r"[^\s\\`^\"'$(){}<>;&|#,]+")
_IN_QUOTES = re.compile(r"[^\"\\`^$\n]+")
_REDIRECTION = re.compile(r">[>|]?(?:&(?:\d+|-)|&)?|<&\d+|<")
_MACRO = re.compile(
    r"\$\([A-Za-z_][\w.-]*\)"
)  # a variable of make and of Azure Pipelines; no command that matters is so short
_END_OF_LINE = re.compile(r"(?<!\\)\n")
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w .-]{0,60}>")
_HEREDOC = re.compile(r"<<(-?)[ \t]*(?:\\?([\w.-]+)|'([^'\n]+)'|\"([^\"\n]+)\")")
_LINE = re.compile(r"^[ \t]*(\S[^\n]*)$", re.MULTILINE)
_BATCH_COMMENT = re.compile(r"(?:@?rem\b|::)[^\n]*", re.IGNORECASE)


def read_commands(text: str, dialect: Dialect, line_at: Callable[[int], int]) -> list[Command]:
    """Return the commands of a script.

    :param line_at: says the line of an offset in the file.
    """
    lexer = _Lexer(text, dialect)
    commands = lexer.run()
    if lexer.cut:
        why, offset = lexer.cut
        note_cut(why, line_at(offset))
    return commands


class _Lexer:  # pylint: disable=too-many-instance-attributes,too-few-public-methods  # where it is in a text
    def __init__(self, text: str, dialect: Dialect) -> None:
        self._text = text
        self._dialect = dialect
        self._position = 0
        self._frames = [_Frame()]
        self._commands: list[Command] = []
        self._waiting: list[tuple[str, Command]] = []  # heredocs whose text begins on the next line
        self._line_end = -1  # of the line whose quotes were looked at last
        self.cut: tuple[str, int] | None = None  # why not all was cut up into commands, and from where on

    @cached_property
    def _endings(self) -> EndingLines:
        marks = {_mark_of(begin) for begin in _HEREDOC.finditer(self._text)}
        return EndingLines(self._text, _LINE, marks)

    def run(self) -> list[Command]:
        length = len(self._text)
        steps = 0
        while self._position < length:
            if (steps := steps + 1) > MAX_TOKENS:
                self.cut = TOO_MUCH, self._position
                break
            if self._frames[-1].in_quotes:
                self._take_quoted()
            else:
                self._take()
        if not self._dialect.ends_with_line:
            self.cut = self.cut or next(((NO_END, each.opened) for each in self._frames if each.in_quotes), None)
        while self._frames:
            self._end_command()
            self._frames.pop()
        return self._commands

    def _take(self) -> None:
        text, position, frame = self._text, self._position, self._frames[-1]
        if plain := _PLAIN.match(text, position):
            self._take_plain(frame, plain)
            return
        character = text[position]
        if character == "\n":
            self._end_line()
            self._position += 1
            self._take_heredocs()
        elif character.isspace() or character in self._dialect.separators:
            frame.end_word()
            self._position += 1
        elif character == self._dialect.comment and frame.parts is None:
            self._skip_comment("\n")
        elif character in "${" and (end := self._template_end(position)):
            frame.add(text[position:end], position)
            self._position = end
        else:
            self._take_mark(frame, character)

    def _take_plain(self, frame: _Frame, plain: re.Match[str]) -> None:
        is_first = not frame.parts and not frame.command.words
        comment = None if self._dialect.comment or not is_first else _BATCH_COMMENT.match(self._text, self._position)
        if comment is None:
            frame.add(plain[0], self._position)
        self._position = (comment or plain).end()

    def _take_mark(self, frame: _Frame, character: str) -> None:
        if character == self._dialect.escape:
            self._take_escape(frame)
        elif character in "\"'":
            self._take_quote(frame, character)
        elif character in "$(){}`":
            self._take_bracket(frame, character)
        elif character in ";&|":
            frame.command.pipes = character == "|" and not self._text.startswith("|", self._position + 1)
            self._end_command()
            self._position += 1
        elif character in "<>":
            self._take_redirection(frame)
        else:
            frame.add(character, self._position)
            self._position += 1

    def _take_quoted(self) -> None:
        text, position, frame = self._text, self._position, self._frames[-1]
        if plain := _IN_QUOTES.match(text, position):
            frame.add(plain[0], position)
            self._position = plain.end()
            return
        character = text[position]
        if self._dialect.ends_with_line and character == "\n":
            self._end_line()
            self._position += 1
        elif character == '"':
            if text.startswith('""', position) and not self._dialect.heredocs:
                frame.add('"', position)
                self._position += 2
                return
            frame.in_quotes = False
            self._position += 1
        elif character == self._dialect.escape and self._dialect.single_quotes:
            escaped = text[position + 1 : position + 2]  # noqa: E203
            frame.add("" if escaped == "\n" else escaped, position)
            self._position += 2
        elif character == "$" and (end := self._template_end(position)):
            frame.add(text[position:end], position)
            self._position = end
        elif text.startswith("$(", position) or (character == "`" and self._dialect.heredocs):
            self._take_bracket(frame, character)
        else:
            frame.add(character, position)
            self._position += 1

    def _take_escape(self, frame: _Frame) -> None:
        following = self._text[self._position + 1 : self._position + 2]  # noqa: E203
        if following == "\n":
            frame.end_word()
        elif following:
            frame.add(following, self._position)
        self._position += 2

    def _take_quote(self, frame: _Frame, quote: str) -> None:
        text, position = self._text, self._position
        if self._dialect.here_strings and frame.parts == ["@"] and (end := text.find(f"\n{quote}@", position)) > 0:
            frame.add(text[position + 1 : end + 1], position)  # noqa: E203
            frame.quoted = True
            self._position = end + 3
        elif quote == '"':
            frame.add("", position)
            frame.in_quotes = frame.quoted = True
            frame.opened = position
            self._position += 1
        elif (end := self._quote_end(position + 1)) < 0:
            frame.add(quote, position)
            self._position += 1
        else:
            frame.add(text[position + 1 : end], position)  # noqa: E203
            frame.quoted = True
            self._position = end + 1

    def _quote_end(self, position: int) -> int:
        """Return where a `'…'` ends that has begun here; -1 if it does not, so that the quote is an apostrophe."""
        if not self._dialect.single_quotes:
            return -1
        if not self._dialect.ends_with_line:
            return self._text.find("'", position)
        if position > self._line_end:
            end = _END_OF_LINE.search(self._text, position)
            self._line_end = end.start() if end else len(self._text)
        return self._text.find("'", position, self._line_end)

    def _template_end(self, position: int) -> int:
        """Return where `{{ … }}`, `${{ … }}` or `$[[ … ]]` ends; 0 if none begins here."""
        if not self._text.startswith(("{{", "${{", "$[["), position):
            return 0
        end = self._text.find("]]" if self._text[position + 1] == "[" else "}}", position, position + _MAX_TEMPLATE)
        return end + 2 if end > 0 and "\n" not in self._text[position:end] else 0

    def _take_bracket(self, frame: _Frame, character: str) -> None:
        text, position = self._text, self._position
        if character == "$":
            if variable := _MACRO.match(text, position):
                frame.add(variable[0], position)
                self._position = variable.end()
                return
            if text.startswith("${", position) and (end := text.find("}", position, position + _MAX_TEMPLATE)) > 0:
                frame.add(text[position : end + 1], position)  # noqa: E203
                self._position = end + 1
                return
            frame.add("$", position)
            self._position += 1
            if not text.startswith("(", self._position):
                return
            character = "("
        self._position += 1
        if character == "(" or (character == "`" and frame.close != "`"):
            if character == "`":
                frame.add("$", position)
            if len(self._frames) < _MAX_DEPTH:
                self._frames.append(_Frame(")" if character == "(" else "`"))
            else:
                self.cut = self.cut or (TOO_MUCH, position)
        elif character == frame.close and len(self._frames) > 1:
            self._end_command()
            self._frames.pop()
        elif character in "{}" and not self._dialect.braces_group:
            frame.add(character, position)
        else:
            self._end_command()

    def _take_redirection(self, frame: _Frame) -> None:
        text, position = self._text, self._position
        if self._dialect.here_strings and text.startswith("<#", position):
            self._skip_comment("#>")
            self._position += 2
            return
        if placeholder := _PLACEHOLDER.match(text, position):
            frame.add(placeholder[0], position)
            self._position = placeholder.end()
            return
        is_heredoc = (
            self._dialect.heredocs and text.startswith("<<", position) and text[position + 2 : position + 3] != "<"  # noqa: E203
        )
        if is_heredoc and (begin := _HEREDOC.match(text, position)):
            frame.end_word()
            frame.command.awaits = True
            self._waiting.append((_mark_of(begin), frame.command))
            self._position = begin.end()
            return
        operator = _REDIRECTION.match(text, position)
        if frame.parts and "".join(frame.parts).isdecimal():
            frame.parts = None
        frame.end_word()
        self._position = operator.end() if operator else position + 1
        frame.redirects = operator is not None and operator[0][-1] not in "0123456789-"

    def _take_heredocs(self) -> None:
        waiting, self._waiting = self._waiting, []
        for mark, command in waiting:
            if (end := self._endings.find(mark, self._position)) is not None:
                command.heredocs.append(Word(self._text[self._position : end], self._position))  # noqa: E203
                line_end = self._text.find("\n", end)
                self._position = len(self._text) if line_end < 0 else line_end

    def _skip_comment(self, ending: str) -> None:
        end = self._text.find(ending, self._position)
        if end < 0 and ending != "\n":
            self.cut = self.cut or (NO_END, self._position)
        self._position = len(self._text) if end < 0 else end

    def _end_line(self) -> None:
        self._end_command()
        while self._dialect.ends_with_line and len(self._frames) > 1:
            self._frames.pop()
            self._end_command()
        if self._dialect.ends_with_line:
            self._frames[-1].in_quotes = False

    def _end_command(self) -> None:
        frame = self._frames[-1]
        frame.end_word()
        command = frame.command
        if command.words or command.targets or command.awaits:
            self._commands.append(command)
            frame.command = Command()
        frame.redirects = False


def _mark_of(begin: re.Match[str]) -> str:
    """Return what the line says that ends a heredoc."""
    return (begin[2] or begin[3] or begin[4]).strip(" \t\r")

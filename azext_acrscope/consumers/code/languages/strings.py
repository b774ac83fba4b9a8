"""Find commands in the strings of programs: `sp.run(f"az acr login …")`, `["az", "acr", "login"]`, `sh 'az …'`.

A string is a command only where something runs it: most strings that begin so are messages, help and tests.
"""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from azext_acrscope.consumers.code.languages.ending_lines import EndingLines
from azext_acrscope.consumers.code.languages.scripts import (
    Call,
    LineAt,
    find_calls,
    lines_of,
    may_hold_commands,
    words_of,
)
from azext_acrscope.consumers.code.languages.shell import POSIX, Word
from azext_acrscope.consumers.code.limits import NO_END, note_cut

_HASH = words_of("py rb tf hcl toml tfvars ps r jl ex exs pl nu just star bzl")
_NO_SLASHES = frozenset(("py", "rb", "toml"))  # languages in which `//` and `/*` begin no comment

_SUFFIXES = _HASH | _NO_SLASHES | {"go"}
_ESCAPED, _RAW = r"`(?:[^`\\]|\\.)*(?:`|\Z)", r"`[^`]*(?:`|\Z)"  # in backquotes; raw ones are Go's
_STRINGS = (
    r"(?P<skip>\\.)"
    r'|(?P<long>"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|' + r"'''(?:[^'\\]|\\.|'(?!''))*(?:'''|\Z))"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*"?|' + r"'(?:[^'\\\n]|\\.)*'?|BACKQUOTED)"
    r"|(?P<heredoc><<[-~]?[A-Z_]{2,20}[ \t]*\n)"
)
_BEGIN = re.compile(r"[\\\"'`<#/]")  # of all that is found in a program: to look for this first is far faster
_HASH_COMMENT, _SLASH_COMMENT = r"|#[^\n]*", r"|(?<!:)//[^\n]*|(?P<block>/\*.*?(?:\*/|\Z))"
_HEREDOC = re.compile(r"<<[-~]?([A-Z_]{2,20})[ \t]*\n")
_FIRST_WORD = re.compile(r"^[ \t]*(\w+)", re.MULTILINE)
_OPENING = "([{=:@\"' \t\n"  # what may stand between a name and the string that it is given
_CALLED = re.compile(r"([\w.]{1,60})\(")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TESTS = re.compile(r"(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|/)test_|(?:_test|_spec|\.test|\.spec|Tests?)\.\w+$")
_RUNS = words_of(
    "run call popen system spawn exec execute sh bash bat cmd cmds command commands script scripts shell"
    " powershell pwsh check output invoke sync subprocess process start content inline args arguments sudo"
    " execa shelljs subprocesses entrypoint runcmd runner az retry task do quiet silent capture proc raw host"
    " container local connection customdata userdata"
)
_TELLS = words_of(
    "print printf println echo log logger logging info warn warning error debug raise throw exception message"
    " msg help description doc docs title usage assert expect contains equal equals contain includes match"
    " matches toequal tobe called name label text note write example examples hint summary console stdout"
    " stderr fail test stub mock"
)
_BEGINS = re.compile(
    r"\s*(?:#!|(?:sudo +|call +|& *|set -\w+\s+|cd [^\n]* && )?(?:az|docker|helm|podman|oras|bicep|flux)\b)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\s*,\s*[\[({]?\s*(?:(?P<value>[\w.\[\]()$]{1,60})\s*,\s*){0,8}[fFrRbBuU$@]{0,3}|\s*\+?\s*[fFrRbBuU]{0,2}"
)


@dataclass(frozen=True, slots=True)
class _String:
    start: int
    end: int
    body: str
    offset: int  # of the body


def find_string_calls(text: str, name: str) -> Iterator[Call]:
    """Yield commands that a program runs by a shell or as a list of words."""
    if not may_hold_commands(text):
        return
    line_at, is_test = lines_of(text), bool(_TESTS.search(name))
    strings = list(_read_strings(text, name.rpartition(".")[2].lower(), line_at))
    index = 0
    while index < len(strings):
        group = _group(strings, index, text)
        index += len(group)
        first = group[0]
        bare = first.body.strip().lower()
        if not (len(group) > 1 or len(bare) > 8):
            continue
        if bare in ("az", "az.cmd", "az.exe", "acr", "docker", "helm", "bicep", "podman", "oras"):
            where = _where(text, first.start)
            runs = where is not None and not where.isdisjoint(_RUNS)
            if len(group) > 1 and (runs or not is_test) and (where is None or where.isdisjoint(_TELLS)):
                yield from _list_call(group, text, line_at)
            continue
        for each in group:
            yield from _script_calls(each, first, text, line_at)


def _script_calls(string: _String, first: _String, text: str, line_at: LineAt) -> Iterator[Call]:
    """Yield the commands of a string, if what stands before it, or before the first of its list, runs them."""
    body = string.body.replace("\\n", " ;").replace('\\"', ' "')
    begins_with_group = body.lstrip()[:4].lower() == "acr "
    is_script = bool(_BEGINS.match(body)) or "\n" in string.body.strip()
    if not (begins_with_group or is_script):
        return
    where = _where(text, string.start) or _where(text, first.start)
    if not where or not where.isdisjoint(_TELLS) or where.isdisjoint(_RUNS):
        return
    shift = 0
    if begins_with_group and not where.isdisjoint({"az", "arguments", "args"}):
        body, shift = f"az {body}", 3
    elif not is_script:
        return
    yield from find_calls(body, lambda offset: line_at(string.offset + max(0, offset - shift)), POSIX)


def _list_call(group: list[_String], text: str, line_at: LineAt) -> Iterator[Call]:
    words: list[Word] = []
    for index, each in enumerate(group):
        if (
            index
            and _BETWEEN.fullmatch(text, group[index - 1].end, each.start)
            and (between := text[group[index - 1].end : each.start]).count(",") > 1  # noqa: E203
        ):
            words += [Word("$", each.offset)] * (between.count(",") - 1)
        pieces = each.body.split() if index == 1 and " " in each.body else [each.body]
        words += [Word(piece, each.offset) for piece in pieces]
    following = text[group[-1].end : group[-1].end + 40]  # noqa: E203
    if re.match(r"\s*,\s*\w", following):
        words.append(Word("$", group[-1].offset))
    if len(words) > 1:
        yield Call(words, line_at)


def _group(strings: list[_String], index: int, text: str) -> list[_String]:
    """Return the strings of one list from this one on."""
    group = [strings[index]]
    while index + len(group) < len(strings):
        following = strings[index + len(group)]
        gap = following.start - group[-1].end
        if gap > 200 or not _BETWEEN.fullmatch(text, group[-1].end, following.start):
            break
        group.append(following)
    return group


def _where(text: str, position: int) -> set[str] | None:
    """Return the parts of the names before a string: of functions it is given to, and of what it is kept in."""
    before = text[max(0, position - 160) : position]  # noqa: E203
    if text[position] == "`" and before.endswith("$"):
        return {"run"}  # of zx
    before = re.sub(r"[fFrRbBuU$@]{1,3}$", "", before) if before[-1:].isalpha() or before[-1:] in "$@" else before
    before = before.rstrip(_OPENING)
    line = before[before.rfind("\n") + 1 :]  # noqa: E203
    if not before or not (before[-1].isalnum() or before[-1] in "_$"):
        return None
    start = len(before)
    while start and (before[start - 1].isalnum() or before[start - 1] in "_$.-"):
        start -= 1
    names = [before[start:], *_CALLED.findall(line)]
    return {part.lower() for name in names for part in _PARTS.findall(name)}


@cache
def _strings_of(suffix: str) -> re.Pattern[str]:
    """Return what finds strings in a language. Comments of others are not looked for: each may end with the text."""
    pattern = _STRINGS.replace("BACKQUOTED", _RAW if suffix == "go" else _ESCAPED)
    pattern += _HASH_COMMENT if suffix in _HASH else ""
    return re.compile(pattern + (_SLASH_COMMENT if suffix not in _NO_SLASHES else "|(?P<block>(?!))"), re.DOTALL)


def _read_strings(text: str, suffix: str, line_at: LineAt) -> Iterator[_String]:
    endings = EndingLines(text, _FIRST_WORD, set(_HEREDOC.findall(text)))
    match_at, position = _strings_of(suffix if suffix in _SUFFIXES else "").match, 0
    while begin := _BEGIN.search(text, position):
        if not (match := match_at(text, begin.start())):
            position = begin.end()
            continue
        position = match.end()
        if position == len(text) and _has_no_end(match):
            note_cut(NO_END, line_at(match.start()))
        if match["long"]:
            yield _String(
                match.start(), match.end(), match["long"][3:].removesuffix(match["long"][:3]), match.start() + 3
            )
        elif match["string"]:
            body = match["string"][1:].removesuffix(match["string"][0])
            yield _String(match.start(), match.end(), body, match.start() + 1)
        elif match["heredoc"]:
            mark = match["heredoc"].strip("<-~ \t\n")
            if (end := endings.find(mark, position)) is not None:
                body, behind = text[position:end], text.index(mark, end) + len(mark)
                yield _String(match.start(), behind, body, position)
                position = behind


def _has_no_end(match: re.Match[str]) -> bool:
    """Return whether what ends with the text has no end of its own: a comment, or a string of several lines."""
    if comment := match["block"]:
        return len(comment) < 4 or not comment.endswith("*/")
    if text := match["long"]:
        return len(text) < 6 or not text.endswith(text[:3])
    text = match["string"] or ""
    return text.startswith("`") and (len(text) < 2 or not text.endswith("`"))

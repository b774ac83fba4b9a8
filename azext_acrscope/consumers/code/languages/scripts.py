"""Find the commands of a script that run: not those that are only printed, documented or compared."""

import bisect
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from azext_acrscope.consumers.code.file_names import YAML
from azext_acrscope.consumers.code.languages.shell import (
    BATCH,
    POSIX,
    POWERSHELL,
    Command,
    Dialect,
    Word,
    read_commands,
)
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.prefilter import make_prefilter
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME

LineAt = Callable[[int], int]
_MAX_PIPED = 10  # commands of a pipe
MAX_LOOKED_AT = 50  # words of a command
_MAX_NESTING = 4  # a script in a string of a script


def may_hold_commands(text: str) -> bool:
    """Return whether it is worth cutting up a text: whether a command may be in it that a pattern knows."""
    lowered = text.encode("utf-8", "replace").lower()
    return _holds_sure_word(lowered) or (_HOST.encode() in lowered and b"login" in lowered)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# One of them is in every text with a command that `command_patterns` knows, if `login` stands behind the program.
_SURE_WORDS = (
    *("acr ", 'acr"', "acr'", "acr,", "acr\\", "acr`", "attach-acr", "check-acr", "acr-env", "acr-identity"),
    *("acr-use-identity", "acrusemanagedidentitycreds", "registry-identity", "registry-username", "registry set"),
    *("docker login", "podman login", "oras login", "registry login", "buildah login", "skopeo login", "nerdctl login"),
    *("auth login", "cosign login", TOKEN_USERNAME, "/oauth2/exchange"),
    *("bicep publish", '"bicep"', "'bicep'", '"flux"', "'flux'", "provider azure", "provider=azure"),
    *('provider "azure', "provider 'azure", 'provider="azure', "provider='azure"),
    *("azcontainerregistry", "psresource", "zenml"),
)
_LISTED_LOGINS = ('"login"', "'login'")
_HOST = "azurecr."  # of a sign-in whose words are apart: `docker --config x login contoso.azurecr.io`
COMMAND_WORDS = (*_SURE_WORDS, *_LISTED_LOGINS, _HOST)
_holds_sure_word = make_prefilter({*_SURE_WORDS, *_LISTED_LOGINS})
_KEYWORDS = words_of(
    "if then else elif while until do ! time { && || = return sudo command exec nohup env call try catch @ -"
)
_ASSIGNMENT = re.compile(r"(?:export|local|readonly|declare)?\$?[A-Za-z_][\w:.]*\+?=", re.ASCII)
# The first word of a command that only tells of others. Parts of it, as in `log_info`, `Write-Host`.
_TELLS = words_of(
    "echo printf print println log logger info warn warning err error msg message say note usage help fail die"
    " debug header title step success status write rem grep egrep rg sed awk assert test [ [[ throw raise"
    " comment case for export_help hint todo display show_help abort fatal panic banner section announce alias"
)
_TELL_PARTS = words_of(
    "echo print printf log logger info warn warning err error msg message say usage help fail die debug header banner"
)
# Commands that run what a quoted word says.
_RUNS = re.compile(
    r"(?i)(?:^|[^a-z])(?:run|eval|exec|bash|sh|zsh|pwsh|powershell|cmd|ssh|retry|invoke|iex|command|try|check|do|sudo"
    r"|su|scriptblock|execute|capture|timeout|watch|script|scripts|exec-cmd|commandtoexecute)(?:$|[^a-z])"
)
_SHELLS = words_of("bash sh zsh ksh dash ssh pwsh powershell sudo su eval")
_RUN_OPTIONS = frozenset(("-c", "-command", "--command", "--scripts", "--command-line"))
# Who reads a file from standard input: the program, what it does with it, and what it takes it for.
_READS_STDIN = (
    ("kubectl", words_of("apply create replace"), "manifest.yaml"),
    ("oc", words_of("apply create replace"), "manifest.yaml"),
    ("helm", words_of("install upgrade template"), "values.yaml"),
    ("docker", words_of("compose"), "compose.yaml"),
    ("docker-compose", words_of("up run build pull"), "compose.yaml"),
)
_FILE_OPTIONS = words_of("-f --filename --values --file")
_STDIN = words_of("-f- --filename=- --values=- --file=- /dev/stdin")
_SCRIPT_FILE = re.compile(r"\.(?:sh|bash|zsh|ps1|cmd|bat|command)$", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """A command that runs: its words from the program on, and the line in which each stands."""

    words: Sequence[Word]
    line_at: LineAt

    @property
    def texts(self) -> list[str]:
        """Return the words as texts."""
        return [word.text for word in self.words]

    def line(self, index: int = 0) -> int:
        """Return the line of a word."""
        return self.line_at(self.words[index].offset)


def lines_of(text: str, first: int = 1) -> LineAt:
    """Return what tells the line of an offset of a text that begins in this line."""
    starts: list[int] = []

    def line_at(offset: int) -> int:
        if not starts:
            starts.extend(match.end() for match in re.finditer("\n", text))
            starts.append(len(text) + 1)
        return first + bisect.bisect_right(starts, offset)

    return line_at


def find_calls(text: str, line_at: LineAt, dialect: Dialect, nesting: int = 0) -> Iterator[Call]:
    """Yield the commands of a script that run, those in strings that run among them."""
    if not may_hold_commands(text):
        return
    if nesting > _MAX_NESTING:
        note_cut(TOO_MUCH, line_at(0))
        return
    for command, following in _with_following(read_commands(text, dialect, line_at)):
        is_run = command.pipes and any(word.text in _SHELLS for word in _strip(following.words)[0][:1])
        yield from _calls_of(command, line_at, dialect, nesting, is_run)


def _with_following(commands: list[Command]) -> Iterator[tuple[Command, Command]]:
    """Return each command and the one behind it, which is empty for the last."""
    return zip(commands, [*commands[1:], Command()], strict=False)


def guess_dialect(name: str, text: str) -> Dialect:
    """Return the dialect of a script by its name and its first line."""
    lowered = name.lower()
    if lowered.endswith((".ps1", ".psm1")) or re.match(r"#!.*\b(?:pwsh|powershell)\b", text):
        return POWERSHELL
    return BATCH if lowered.endswith((".bat", ".cmd")) else POSIX


def _calls_of(
    command: Command, line_at: LineAt, dialect: Dialect, nesting: int, is_run: bool = False
) -> Iterator[Call]:
    words, assigned = _strip(command.words)
    first = words[0].text if words else ""
    tells = bool(words) and _only_tells(first)
    if words and not tells:
        yield Call(words, line_at)
    for body in command.heredocs:
        if is_run or _runs_heredoc(command, first, body.text):
            yield from find_calls(body.text, _inner_lines(body, line_at), dialect, nesting + 1)
        elif (found := body.text.find("acr-env")) >= 0:
            yield Call([Word(body.text, body.offset + found)], line_at)
    if tells and not assigned:
        if command.targets and any("acr-env" in word.text for word in words):
            yield Call(words[1:], line_at)  # it writes the configuration that names the helper
        return
    quoted = [word for word in words if word.quoted and " " in word.text]
    if quoted and (assigned or _runs_words(words)):
        for word in quoted:
            value = word.text.removeprefix("@")
            yield from find_calls(value.lstrip("\n"), _inner_lines(word, line_at), dialect, nesting + 1)


@dataclass(frozen=True)
class Document:
    """A text between `<<EOF` and `EOF` that a program reads, or that becomes a file.

    :ivar name: of the file, or of what the program takes it for.
    :ivar line: of its first line.
    """

    name: str
    text: str
    line: int


def find_documents(text: str, line_at: LineAt, dialect: Dialect, nesting: int = 0) -> Iterator[Document]:
    """Yield the manifests and configurations that a script holds, and those in scripts in it."""
    if nesting > _MAX_NESTING:
        note_cut(TOO_MUCH, line_at(0))
        return
    commands = read_commands(text, dialect, line_at)
    for index, command in enumerate(commands):
        if not command.heredocs:
            continue
        pipe = [command]
        while pipe[-1].pipes and len(pipe) < _MAX_PIPED and index + len(pipe) < len(commands):
            pipe.append(commands[index + len(pipe)])
        name = next((found for each in pipe if (found := _document_name(each))), None)
        words, _ = _strip(command.words)
        first = words[0].text if words else ""
        for body in command.heredocs:
            if name:
                yield Document(name, body.text, line_at(body.offset))
            elif _runs_heredoc(command, first, body.text):
                yield from find_documents(body.text, _inner_lines(body, line_at), dialect, nesting + 1)


def _document_name(command: Command) -> str | None:
    """Return the name of the file that a command makes of its input, or of what it takes it for; None for others."""
    words = [word.text for word in command.words[:MAX_LOOKED_AT]]
    written = [*command.targets, *(words[1:] if "tee" in words[:2] else [])]
    if name := next((each for each in written if each.lower().endswith((*YAML, ".json"))), None):
        return name
    if not any(word in _STDIN or (word == "-" and before in _FILE_OPTIONS) for before, word in pairwise(words)):
        return None
    return next((name for program, actions, name in _READS_STDIN if program in words and actions & set(words)), None)


def _runs_words(words: list[Word]) -> bool:
    """Return whether a command runs what its words say."""
    if _RUNS.search(posixpath.basename(words[0].text.strip("@"))):
        return True
    return any(word.text.lower() in _RUN_OPTIONS or word.text in _SHELLS for word in words)


def _inner_lines(word: Word, line_at: LineAt) -> LineAt:
    return lines_of(word.text, line_at(word.offset))


def _strip(words: list[Word]) -> tuple[list[Word], bool]:
    """Return the words without keywords and assignments before them, and whether a command is kept in a variable."""
    index, kept = 0, False
    while index < len(words):
        text = words[index].text
        bare = text.lstrip("@-+!&.").lower()
        if match := _ASSIGNMENT.match(text):
            if " " in text and re.search(r"cmd|command|script", match[0], re.IGNORECASE):
                value = text[match.end() :]  # noqa: E203
                rest = Word(value, words[index].offset, True)
                return [rest], True
        elif re.fullmatch(r"\$[\w:]+", text) and len(words) > index + 1 and words[index + 1].text in ("=", "+="):
            kept = bool(re.search(r"cmd|command|script", text, re.IGNORECASE))
            index += 1
        elif bare not in _KEYWORDS and (bare or not text):
            break
        index += 1
    rest_words = words[index:]
    if rest_words and rest_words[0].text[:1] in "@-+" and not rest_words[0].quoted:
        head = rest_words[0]
        rest_words = [Word(head.text.lstrip("@-+"), head.offset), *rest_words[1:]]
    return rest_words, kept


def _only_tells(first: str) -> bool:
    lowered = first.lower().rpartition("/")[2].lstrip("@")
    return lowered in _TELLS or lowered.startswith("write-") or not _TELL_PARTS.isdisjoint(re.split(r"[^a-z]", lowered))


def _runs_heredoc(command: Command, first: str, body: str) -> bool:
    program = first.rpartition("/")[2]
    if all(word.text.startswith("--") for word in command.words):
        return True  # `RUN --mount=… <<EOF` of a Dockerfile
    if program in _SHELLS or any(word.text in _SHELLS for word in command.words) or body.startswith("#!"):
        return True
    written = [*command.targets, *(word.text for word in command.words[1:] if program in ("tee", "COPY", "ADD"))]
    return any(_SCRIPT_FILE.search(target) for target in written)

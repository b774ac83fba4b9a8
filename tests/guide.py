"""Run the commands of a page in Markdown, and compare what they print with what the page shows.

In a block of ```console each line that begins with `$ ` is a command; the lines below it are its output, both streams
in their order. Blocks of other kinds (```sh, ```yaml) are for copying and are not run here.

Marks, each a comment on a line of its own:

- `<!-- stage: NAME -->`, once, before the first command: the class of
  `tests.localcloud.scenarios.documented_fleets` that the page plays on.
- `<!-- meanwhile: NAME -->`: what happens between two commands; NAME is a method of the stage.
- `<!-- first: N -->`: the next block shows only N lines of each output, then `…`.

A mark or a block written in any other way is an error, because it would be left out silently.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.az import ROOT, Az, running

_PART = re.compile(
    r"^<!-- (?P<order>stage|meanwhile|first): (?P<value>.+?) -->\n|^```console\n(?P<block>.*?)^```\n", re.S | re.M
)
_MARK = re.compile(r"^ *<!--.*$|^ *```+ *console.*$", re.MULTILINE)
# What differs from run to run: identifiers, times, durations, names of records.
_VARYING = re.compile(
    r"(?P<guid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
    r"|(?P<part>[0-9a-f]{8}-[0-9a-f-]*(?= …)|(?<=…)[0-9a-f]*(?:-[0-9a-f]+)*-[0-9a-f]{12})"  # where a table cuts it
    r"|(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC))"
    r"|(?P<record>\d{8}T\d{6}Z-\d+)"
    r"|(?P<remediation>acrscope-\d{8}-\d{6}-[0-9a-f]{4})"
    r"|(?P<seconds>(?<![\w.])\d+\.\d(?!\w|\.\d))"  # not a part of a version or an address
)
_REST = "…"
_COLUMNS = 140  # of the terminal that pages show
HOME = "/home/engineer"
"""What pages call the home directory."""
_EXIT_CODE = "echo $?"
# What no page shows: a fault of the program itself.
_FAULTS = ("Traceback (most recent call last)", "The command failed with an unexpected error")


@dataclass
class Step:
    """A command with its output, or what happens meanwhile.

    :ivar span: where its output stands in the text.
    """

    command: str = ""
    output: str = ""
    meanwhile: str = ""
    first: int | None = None
    span: tuple[int, int] = (0, 0)


def pages() -> list[Path]:
    """Return README.md and the pages below docs/ that show commands with their output, the longest first."""
    found = {file: file.read_text(encoding="utf-8") for file in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))}
    shown = {file: len(re.findall(r"^\$ az ", text, re.M)) for file, text in found.items() if "```console" in text}
    # The longest begins first, so that parallel workers end at about the same time.
    return sorted(shown, key=lambda file: (-shown[file], str(file)))


def stage_of(text: str) -> str:
    """Return the name of the stage that a page plays on.

    :raises AssertionError: the page names none, or several, or only after its first command.
    """
    parts = list(_PART.finditer(text))
    names = [part["value"] for part in parts if part["order"] == "stage"]
    assert len(names) == 1, f"a page names one stage, not {len(names)}"
    assert parts[0]["order"] == "stage", "the stage stands before the first command"
    return names[0]


def steps(text: str) -> list[Step]:
    """Return the commands of a page and what happens between them, in their order.

    :raises AssertionError: a mark or a block is not understood.
    """
    found, first = list[Step](), None
    parts = list(_PART.finditer(text))
    for mark in _MARK.finditer(text):
        known = any(part.start() <= mark.start() < part.end() for part in parts)
        assert known, f"not understood: {mark[0]}"
    for part in parts:
        if part["order"] == "meanwhile":
            found.append(Step(meanwhile=part["value"]))
        elif part["order"] == "first":
            first = int(part["value"])
        elif part["block"] is not None:
            found += _commands(part["block"], part.start("block"), first)
            first = None
    return found


def _commands(block: str, begin: int, first: int | None) -> list[Step]:
    found: list[Step] = []
    assert block.startswith("$ "), f"a block of output without its command: {block}"
    for match in re.finditer(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", block, re.M):
        span = (begin + match.start("output"), begin + match.end("output"))
        found.append(Step(match["command"], match["output"], first=first, span=span))
    return found


@dataclass
class Runner:
    """Run the steps of a page in one home, one after the other.

    :ivar meanwhile: does what a name stands for.
    """

    az: Az
    meanwhile: Callable[[str], None]
    _code: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        own = self.az.home / ".local/bin"  # most people have it, and `configure-docker` looks for it
        own.mkdir(parents=True, exist_ok=True)
        self._env = {**self.az.env, "COLUMNS": str(_COLUMNS), "PATH": f"{own}{os.pathsep}{self.az.env['PATH']}"}

    def run(self, step: Step) -> str:
        """Return what the command of a step prints, as the page shows it."""
        if step.meanwhile:
            self.meanwhile(step.meanwhile)
            return ""
        if step.command == _EXIT_CODE:
            return f"{self._code}\n"
        lines = self._run(step.command).replace(str(self.az.home), HOME).splitlines(keepends=True)
        if step.first is not None and len(lines) > step.first:
            lines = [*lines[: step.first], f"{_REST}\n"]
        return "".join(lines)

    def _run(self, command: str) -> str:
        command, _, file = command.partition(" > ")
        program, *words = shlex.split(command)
        assert program == "az", command
        if self.az.forked:
            return self._fork(words, file)
        with contextlib.ExitStack() as stack:
            redirected = stack.enter_context((self.az.home / file).open("w")) if file else None
            process = stack.enter_context(
                running(
                    [str(self.az.program), *words],
                    env={**self._env, "PYTHONUNBUFFERED": "1"},
                    cwd=self.az.home,
                    stdin=subprocess.DEVNULL,
                    stdout=redirected or subprocess.PIPE,
                    stderr=subprocess.PIPE if redirected else subprocess.STDOUT,
                    text=True,
                )
            )
            stdout, stderr = process.communicate(timeout=180)
        self._code = process.returncode
        return str(stderr if redirected else stdout)

    def _fork(self, words: list[str], file: str) -> str:
        result = self.az(*words, env=self._env) if file else self.az.merged(*words, env=self._env)
        self._code = result.code
        if file:
            (self.az.home / file).write_text(result.stdout, encoding="utf-8")
        return result.stderr if file else result.stdout


@dataclass
class Reader:
    """Compare what a page shows with what is printed, from its first command to its last.

    An identifier differs from run to run, but stands for the same thing everywhere in a page.
    """

    _printed: dict[str, str] = field(default_factory=dict, init=False)
    _shown: dict[str, str] = field(default_factory=dict, init=False)

    def alike(self, shown: str, printed: str) -> bool:
        """Tell whether two outputs are the same except for what differs from run to run."""
        if not (_VARYING.search(shown) or HOME in shown):
            return shown == printed
        pairs = list(zip(_guids(shown), _guids(printed), strict=False))
        return _masked(shown) == _masked(printed) and all(
            self._printed.setdefault(ours, theirs) == theirs and self._shown.setdefault(theirs, ours) == ours
            for ours, theirs in pairs
        )


def _guids(text: str) -> list[str]:
    return [found["guid"] for found in _VARYING.finditer(text) if found["guid"]]


def _masked(text: str) -> list[str]:
    """Return the lines without the width of columns, which follows that of what differs."""
    lines = _VARYING.sub(lambda found: f"<{found.lastgroup}>", text).splitlines()
    return [re.sub(r"-{3,}", "---", re.sub(r" {2,}", "  ", line)).rstrip() for line in lines]


def follow(file: Path, runner: Runner) -> list[str]:
    """Run a page; return a complaint for each command that prints something else than the page shows.

    With ACRSCOPE_WRITE_GUIDES in the environment a page that differs is rewritten instead. Exit codes and faults of the
    program are never written: a person has to change the page, or the program.
    """
    text, reader = file.read_text(encoding="utf-8"), Reader()
    found = [(step, runner.run(step)) for step in steps(text)]
    assert any(step.command for step, _ in found), f"{file} has no commands to follow"
    wrong = [(step, out) for step, out in found if step.command and not reader.alike(step.output, out)]
    if wrong and os.environ.get("ACRSCOPE_WRITE_GUIDES"):
        # All of it, not what differs alone: identifiers have to match within a page.
        for step, printed in reversed(found):
            if step.command and not _is_for_a_person(step, printed):
                text = text[: step.span[0]] + printed + text[step.span[1] :]
        file.write_text(text, encoding="utf-8")
        wrong = [(step, printed) for step, printed in wrong if _is_for_a_person(step, printed)]
    return [f"$ {step.command}\n--- the page shows:\n{step.output}--- it prints:\n{printed}" for step, printed in wrong]


def _is_for_a_person(step: Step, printed: str) -> bool:
    return step.command == _EXIT_CODE or any(fault in printed for fault in _FAULTS)

"""A guide in Markdown whose commands are run, and whose output is what they print.

In a block of ```console each line that begins with `$ ` is a command; what follows is its output, on both streams in
their order. `<!-- meanwhile: NAME -->` is what happens between commands; with `<!-- first: N -->` the next block shows
so many lines of each output, and `…` for the rest. Where a part stands between `<!-- followed -->` and `<!-- end -->`,
that part alone is a guide. What is written in any other way is refused: it would be left out without a word.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.az import Az

_PART = re.compile(
    r"^<!-- (?P<order>meanwhile|first): (?P<value>.+?) -->\n|^```console\n(?P<block>.*?)^```\n", re.S | re.M
)
_REMARK = re.compile(r"^ *<!--.*$|^ *```+ *console.*$", re.MULTILINE)
_FOLLOWED = re.compile(r"^<!-- followed -->\n.*?^<!-- end -->\n", re.DOTALL | re.MULTILINE)
# What differs from run to run: identifiers, times, durations, names of records.
_VARYING = re.compile(
    r"(?P<guid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z| UTC))"
    r"|(?P<record>\d{8}T\d{6}Z-\d+)"
    r"|(?P<remediation>acrscope-\d{8}-\d{6}-[0-9a-f]{4})"
    r"|(?P<seconds>(?<![\w.])\d+\.\d(?!\w|\.\d))"  # and no part of a version or an address
)
_REST = "…"
_HOME = "/home/you"


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


def steps(text: str) -> list[Step]:
    found, first = list[Step](), None
    followed = [part.span() for part in _FOLLOWED.finditer(text)]
    marks = [len(re.findall(rf"<!-- *{word}", text)) for word in ("followed", "end")]
    assert marks == [len(followed)] * 2, "a part that is followed has no beginning or no end"
    parts = [each for region in followed or [(0, len(text))] for each in _PART.finditer(text, *region)]
    for begin, end in followed or [(0, len(text))]:
        for remark in _REMARK.finditer(text, begin, end):
            known = remark[0] in ("<!-- followed -->", "<!-- end -->") or any(
                part.start() <= remark.start() < part.end() for part in parts
            )
            assert known, f"not understood: {remark[0]}"
    for part in parts:
        if part["order"] == "meanwhile":
            found.append(Step(meanwhile=part["value"]))
        elif part["order"] == "first":
            first = int(part["value"])
        else:
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
    """Runs the steps of a guide in one home, one after the other.

    :ivar meanwhile: does what a name stands for.
    """

    az: Az
    meanwhile: Callable[[str], None]
    _code: int = field(default=0, init=False)

    def run(self, step: Step) -> str:
        """What the command of a step prints, as the guide shows it."""
        if step.meanwhile:
            self.meanwhile(step.meanwhile)
            return ""
        if step.command == "echo $?":
            return f"{self._code}\n"
        lines = self._run(step.command).replace(str(self.az.home), _HOME).splitlines(keepends=True)
        if step.first is not None and len(lines) > step.first:
            lines = [*lines[: step.first], f"{_REST}\n"]
        return "".join(lines)

    def _run(self, command: str) -> str:
        command, _, file = command.partition(" > ")
        program, *words = shlex.split(command)
        assert program == "az", command
        redirected = (self.az.home / file).open("w") if file else None
        try:
            done = subprocess.run(
                [str(self.az.program), *words],
                env=self.az.env | {"PYTHONUNBUFFERED": "1"},
                cwd=self.az.home,
                stdin=subprocess.DEVNULL,
                stdout=redirected or subprocess.PIPE,
                stderr=subprocess.PIPE if redirected else subprocess.STDOUT,
                text=True,
                timeout=180,
                check=False,
            )
        finally:
            if redirected:
                redirected.close()
        self._code = done.returncode
        return done.stderr if redirected else done.stdout


@dataclass
class Reader:
    """Compares what a guide shows with what is printed, from its first command to its last.

    An identifier differs from run to run, but stands for the same thing in all of a guide.
    """

    _printed: dict[str, str] = field(default_factory=dict, init=False)
    _shown: dict[str, str] = field(default_factory=dict, init=False)

    def alike(self, shown: str, printed: str) -> bool:
        """Whether two outputs are the same but for what differs from run to run."""
        if not (_VARYING.search(shown) or _HOME in shown):
            return shown == printed
        pairs = list(zip(_guids(shown), _guids(printed), strict=False))
        return _masked(shown) == _masked(printed) and all(
            self._printed.setdefault(ours, theirs) == theirs and self._shown.setdefault(theirs, ours) == ours
            for ours, theirs in pairs
        )


def _guids(text: str) -> list[str]:
    return [found["guid"] for found in _VARYING.finditer(text) if found["guid"]]


def _masked(text: str) -> list[str]:
    """Also without the width of columns, which follows that of what differs."""
    lines = _VARYING.sub(lambda found: f"<{found.lastgroup}>", text).splitlines()
    return [re.sub(r"-{3,}", "---", re.sub(r" {2,}", "  ", line)).rstrip() for line in lines]


def follow(file: Path, runner: Runner) -> list[str]:
    """Run a guide; a complaint for each command that prints something else than the guide shows.

    With ACRSCOPE_WRITE_GUIDES in the environment the guide is written anew instead.
    """
    text, reader = file.read_text(encoding="utf-8"), Reader()
    found = [(step, runner.run(step)) for step in steps(text)]
    if os.environ.get("ACRSCOPE_WRITE_GUIDES"):
        for step, printed in reversed(found):
            if step.command:
                text = text[: step.span[0]] + printed + text[step.span[1] :]
        file.write_text(text, encoding="utf-8")
    assert any(step.command for step, _ in found), f"{file} has no commands to follow"
    return [
        f"$ {step.command}\n--- the guide shows:\n{step.output}--- it prints:\n{printed}"
        for step, printed in found
        if not step.meanwhile and not reader.alike(step.output, printed)
    ]

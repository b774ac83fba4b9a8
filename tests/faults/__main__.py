"""Runs all cases, or those whose text holds each word: `python -m tests.faults [WORD ...]`; PART=3/16 is a sixteenth.

Says each finding at once, and where it is once a minute and after each command. What was done is kept in .cache/faults
until a file of the product or of these tests changes: a run that was cut off goes on where it was, and no case is run
twice by parts that run one after the other.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.az import ROOT, add_extension, build_wheel
from tests.faults.answers import WrongAnswer
from tests.faults.cases import Bench, Place, all_cases, bench

_FOLDERS = ("azext_acrscope", "tests/faults", "tests/localcloud", "tests/factories")
_FILES = ("requirements/dev.txt", "tests/az.py", "tests/az_many.py")  # the Azure CLI, and how cases run in it
_TELL_SECONDS = 60.0
Case = tuple[Place, WrongAnswer]


def main(words: list[str]) -> int:
    folder = ROOT / ".cache/faults" / _fingerprint()
    folder.mkdir(parents=True, exist_ok=True)
    part, parts = (int(each) for each in os.environ.get("PART", "1/1").split("/"))
    with tempfile.TemporaryDirectory() as name:
        add_extension(build_wheel(Path(name, "wheel")), Path(name, "extensions"), Path(name, "installer"))
        with bench(Path(name), Path(name, "extensions")) as made, open(folder / f"{os.getpid()}.jsonl", "w") as log:
            for command, right in made.right.items():
                if right.code:
                    print(f"{command} ends with {right.code} without any fault: {right.stderr[-600:]}")
            cases = all_cases(made.places)[part - 1 :: parts]
            cases = [each for each in cases if all(word in _text(each) for word in words)]
            run = _Run(made, log, _read_done(folder))
            for command in dict.fromkeys(place.command for place, _ in cases):
                run.command(command, [each for each in cases if each[0].command == command])
    return run.end(len(cases))


@dataclass
class _Run:
    """Cases one after the other, and what came of them."""

    bench: Bench
    log: IO[str]
    done: dict[str, list[str]]
    found: Counter[str] = field(default_factory=Counter)
    unused: int = 0
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def command(self, command: str, cases: list[Case]) -> None:
        found, unused, again = 0, self.unused, sum(_text(each) in self.done for each in cases)
        for number, case in enumerate(cases, 1):
            problems = self._problems(case)
            found += bool(problems)
            self.found.update(problems)
            for problem in problems:
                print(f"{_text(case)}: {problem}", flush=True)
            if number == len(cases) or time.monotonic() > self.told + _TELL_SECONDS:
                self.told = time.monotonic()
                more = f", {again} done before" if again else ""
                more += f", {self.unused - unused} where the request was not made" if self.unused > unused else ""
                print(f"{command}: {number} of {len(cases)} cases, {found} found{more}", flush=True)

    def _problems(self, case: Case) -> list[str]:
        text = _text(case)
        if text not in self.done:
            problems = self.bench.run(*case)
            self.unused += problems is None
            self.done[text] = problems or []
            if problems is not None:  # else it is tried again the next time
                print(json.dumps([text, problems]), file=self.log, flush=True)
        return self.done[text]

    def end(self, cases: int) -> int:
        seconds = time.monotonic() - self.began
        print(f"{cases} cases in {seconds:.0f} s, {self.found.total()} problems, {self.unused} requests not made")
        for problem, number in self.found.most_common():
            print(f"  {number} {problem}")
        return bool(self.found)


def _text(case: Case) -> str:
    return f"{case[0]} answered with {case[1].name!r}"


def _fingerprint() -> str:
    files = sorted(file for name in _FOLDERS for file in (ROOT / name).rglob("*.*") if "__pycache__" not in file.parts)
    files += [ROOT / name for name in _FILES]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:16]


def _read_done(folder: Path) -> dict[str, list[str]]:
    lines = [line for file in folder.glob("*.jsonl") for line in file.read_text().splitlines(keepends=True)]
    return dict(json.loads(line) for line in lines if line.endswith("\n"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

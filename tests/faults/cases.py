"""The cases: one request of one command answered wrongly, and what must not come of it."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azext_acrscope.base.foreign_json import find_object
from tests.az import Az, Result
from tests.factories.accounts import sign_in
from tests.faults.answers import WRONG_ANSWERS, WrongAnswer
from tests.faults.stage import ENV, Stage, plain
from tests.localcloud import LocalCloud

_QUERIES = "/providers/Microsoft.ResourceGraph/resources"
_ONE_LINE = str.maketrans("\n", " ")
_HOSTS = ("management.azure.com", "api.loganalytics.io", "dev.azure.com", "*.azurecr.io")
# What nothing contradicts: a service connection of any other type is none to a registry.
_CREDIBLE = ("dev.azure.com", "type is text")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSURE = ("state could not be read", "`unknown`", '"unknown"')


@dataclass(frozen=True)
class Place:
    """A request of a command: the `number`-th with this method and path, and of a query with this content.

    :ivar name: the same in each run, whatever IDs things have and whichever of several threads was first.
    :ivar answered: the body of the right answer.
    """

    command: str
    host: str
    method: str
    path: str
    content: bytes | None
    number: int
    name: str
    answered: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"{self.command}: {self.name}"


@dataclass
class Bench:
    """The stage and an `az` signed in there, for one case after the other."""

    stage: Stage
    az: Callable[..., Result]
    right: dict[str, Result]
    places: list[Place]

    def run(self, place: Place, wrong: WrongAnswer) -> list[str] | None:
        """Run a case, and return what is wrong with how the command ended; None if the request was not made."""
        if (place.host, wrong.name) == _CREDIBLE:
            return []
        cloud = self.stage.cloud
        self.stage.restore()
        cloud.faults.clear()
        where: dict[str, Any] = {"host": place.host, "method": place.method, "path": place.path}
        where |= {"asked": place.content, "after": place.number}
        fault = cloud.faults.add(**where, times=None if wrong.lasting else 1, **wrong.options)
        try:
            result = self.az(*self.stage.arguments(place.command))
        except subprocess.TimeoutExpired as endless:
            return [f"no end after {endless.timeout:.0f} seconds"]
        finally:
            cloud.faults.clear()
        if not fault.used:
            return None
        return judge(result, self.right[place.command], self.stage, wrong)


def judge(result: Result, right: Result, stage: Stage, wrong: WrongAnswer) -> list[str]:
    """Return what may not be: tracebacks, bare control characters, an exit code or a status that is not true."""
    text = result.stdout + result.stderr
    found = [word for word in ("Traceback", "unexpected error", "UnicodeEncodeError") if word in text]
    if odd := _CONTROL.search(text):
        found.append(f"control character {odd[0]!r}")
    if result.code == 0 and not _is_right_or_told(result, right, _outline if wrong.harmless else plain):
        found.append("exit code 0, but another result, and nothing is said")
    there = stage.statuses()
    for row in _rows(result):
        identifier, status = str(row.get("id")).lower(), row.get("status")
        if isinstance(status, str) and identifier in there and status not in (there[identifier], "unknown"):
            found.append(f"the status of {row.get('name')} is {there[identifier]}, and {status} is reported")
        if not isinstance(row.get("name", ""), str) or not isinstance(row.get("loginServer") or "", str):
            found.append("another type in a row")
    changed = [there[stage.open.id.lower()] != "enabled", there[stage.done.id.lower()] != "disabled"]
    word = "disabled" if changed[0] else "enabled"
    if result.code and any(changed) and not any(each in text for each in (f"`{word}`", f'"{word}"', *_UNSURE)):
        found.append("the registry was changed, and nobody says so")
    return found


def _outline(value: Any) -> Any:
    """A result whose texts may be any: what is in it, and how many."""
    if isinstance(value, dict):
        return {key: _outline(each) for key, each in plain(value).items()}
    return [_outline(each) for each in value] if isinstance(value, list) else isinstance(value, str) or value


def _is_right_or_told(result: Result, right: Result, compared: Callable[[Any], Any]) -> bool:
    """Whether a command that succeeded has the right result, or says what it could not read.

    Or what it read: that a registry refuses what its setting admits is a finding, and an answer may say just that.
    """
    try:
        value = json.loads(result.stdout)
        same = compared(value) == compared(json.loads(right.stdout))
    except ValueError:
        return False
    found = bool(find_object(value, "next").get("mismatch"))
    return same or found or bool(_warnings(result) - _warnings(right))


def _warnings(result: Result) -> set[str]:
    return {line for line in result.stderr.splitlines() if line.startswith("WARNING")}


def _rows(result: Result) -> list[dict[str, Any]]:
    """The rows of registries in a result."""
    try:
        value = json.loads(result.stdout)
    except ValueError:
        return []
    if isinstance(value, dict):
        value = value.get("registries") if isinstance(value.get("registries"), list) else [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@contextmanager
def bench(directory: Path, extensions: Path) -> Iterator[Bench]:
    """A stage, an `az` that stays, and how each command ends when all answers are right."""
    with LocalCloud(backend=False) as cloud:
        stage = Stage(cloud)
        az = Az(directory / "home", extensions, cloud.env)
        sign_in(az, stage.team)
        az.ok("account", "set", "--subscription", stage.one.id)
        with az.session(ENV) as run:
            made = Bench(stage, run, {}, [])
            for name in stage.commands:
                stage.restore()
                run(*stage.arguments(name))  # tokens are in the cache, so that their requests are no part of it
                stage.restore()
                cloud.clear_requests()
                cloud.faults.add(times=None, keep=True)
                made.right[name] = run(*stage.arguments(name))
                cloud.faults.clear()
                made.places += _places(name, stage)
            yield made
        shutil.rmtree(directory / "home", ignore_errors=True)


def _places(command: str, stage: Stage) -> list[Place]:
    seen, named = Counter[tuple[Any, ...]](), Counter[str]()
    found = []
    for request in stage.cloud.requests:
        if not any(fnmatch.fnmatchcase(request.host, host) for host in _HOSTS):
            continue
        content = request.body if request.path.endswith(_QUERIES) else None
        key = request.host, request.method, stage.path_glob(request.path), content
        name = f"{request.method} {'' if request.host == _HOSTS[0] else request.host}{stage.masked(request.path)}"
        name += _query_name(stage.masked(request.text)) if content else ""
        found.append(Place(command, *key, seen[key], f"{name} #{named[name]}", request.answered))
        seen[key] += 1
        named[name] += 1
    return sorted(found, key=str)


def _query_name(text: str) -> str:
    """A few words of a query of Resource Graph, and a number by which it differs from others that begin so."""
    query = str(json.loads(text)["query"])
    return f" ({query.partition(' and ')[0][:90].translate(_ONE_LINE)}, {zlib.crc32(text.encode()) % 10000:04d})"


def all_cases(places: list[Place]) -> list[tuple[Place, WrongAnswer]]:
    """Return every place with every wrong answer, in an order in which each part has something of everything."""
    pairs = [(place, wrong) for place in places for wrong in WRONG_ANSWERS if wrong.alters(place.answered)]
    step = 7919  # a prime: no place and no answer is passed over for long
    return [pairs[(number * step) % len(pairs)] for number in range(len(pairs))] if len(pairs) % step else pairs

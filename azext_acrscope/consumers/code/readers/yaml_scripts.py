"""Commands in YAML and JSON: steps of pipelines, cloud-init, tasks, package.json, notebooks, deployment scripts."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from azext_acrscope.consumers.code.command_patterns import judge_call
from azext_acrscope.consumers.code.declared_values import Values, assigned_in, fill_in
from azext_acrscope.consumers.code.exchanges import find_exchanges
from azext_acrscope.consumers.code.file_names import JSON, TEMPLATES, YAML, begins_script, ending_of
from azext_acrscope.consumers.code.gitlab_jobs import GitlabJobs, Run
from azext_acrscope.consumers.code.json_documents import read_nodes
from azext_acrscope.consumers.code.pins import find_cli_version
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.scripts import COMMAND_WORDS, Call, find_calls, may_hold_commands
from azext_acrscope.consumers.code.shell import POSIX, POWERSHELL, Dialect
from azext_acrscope.consumers.code.yaml_documents import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    walk,
)

ENDINGS = frozenset((*YAML, *JSON, *TEMPLATES))
# Keys whose text is for people, or names something.
_PROSE = frozenset(
    [
        "name",
        "displayname",
        "description",
        "title",
        "summary",
        "help",
        "message",
        "comment",
        "label",
        "note",
        "doc",
        "docs",
        "hint",
        "default",
        "tooltip",
        "caption",
        "reason",
        "longdescription",
        "shortdescription",
        "markdown",
        "text",
        "error",
        "warning",
        "$comment",
        "metadata",
        "id",
        "uses",
        "if",
        "condition",
        "examples",
    ]
)
_JOBS, _ALL_JOBS = "jobs", "\0"  # keys of what has jobs in it; the root of GitLab's files has no key
_SHELL_KEYS = frozenset(("shell", "scriptType", "task", "kind"))
_PIN_KEYS = frozenset(("image", "container", "with", "azCliVersion"))
_POWERSHELL_KEYS = frozenset(("pwsh", "powershell"))
WORDS = COMMAND_WORDS


def reads(name: str) -> bool:
    """Return whether a file is YAML or JSON."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the commands in the texts of a file."""
    if not may_hold_commands(text) or begins_script(name, text):
        return
    version = find_cli_version(text)
    for root in read_nodes(text, name):
        yield from _read(root, text, version)
    yield from find_exchanges(text)


class _Step(NamedTuple):
    """A node, the key that it is under, and what holds there.

    :ivar values: what is declared there for commands.
    :ivar job: the job that it is in, or the script of several, by its id; 0 outside: no job begins in another one.
    :ivar runs: the jobs of GitLab that run it; none, if what holds where it is written does.
    """

    node: Node
    key: str
    version: str | None
    dialect: Dialect
    values: Values
    job: int = 0
    runs: tuple[Run, ...] = ()


def _read(root: Node, text: str, of_text: str | None) -> Iterator[Place]:
    """Yield the commands below a node. What a job or a step pins and declares holds for it alone."""
    values = Values.of_file(root)
    gitlab = GitlabJobs(root, values)
    waiting = [_Step(root, _ALL_JOBS if gitlab else "", _version_of_file(root, of_text), POSIX, values)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        step = waiting.pop()
        node = step.node
        if not isinstance(node, Mapping) and (runs := gitlab.runs_of(node)):
            step = step._replace(runs=tuple(runs), job=id(node))
        # Once for each job: what an alias names is in each of them, and counted as often when the file was read.
        if (step.job, id(node)) in seen:
            continue
        seen.add((step.job, id(node)))
        if isinstance(node, Scalar):
            if step.key not in _PROSE:
                yield from _read_script(node, step, text)
        elif isinstance(node, Sequence):
            if (words := _listed_words(node)) is not None:
                yield from _read_script(words, step, text)
            waiting += [_enter(step, item, step.key) for item in reversed(node.items)]
        elif isinstance(node, Mapping):
            version, dialect = _pinned(node, step.version), _dialect_of(node, step.dialect)
            step = step._replace(values=step.values.inside(node), version=version, dialect=dialect)
            for name, below in reversed(node.entries):
                waiting.append(_enter(step, below, name.text.lower() if name is not None else ""))


def _enter(above: _Step, node: Node, key: str) -> _Step:
    if above.job or above.key not in (_JOBS, _ALL_JOBS):
        return above._replace(node=node, key=key)
    version = _version_of_job(node, above.version) if above.key == _JOBS else above.version
    return above._replace(node=node, key=key, version=version, job=id(node))


def _version_of_file(root: Node, of_text: str | None) -> str | None:
    """Return the version that all of a file runs: nothing of a file with jobs, which run each for themselves."""
    if isinstance(root, Mapping):
        has_scripts = any(isinstance(node, Mapping) and node.get("script") for _, node in root.entries)
        if has_scripts or root.get("jobs") or root.get("stages") or root.get("resources"):
            default = root.get("default")
            return _pinned(root, _pinned(default, None) if default else None)
    return of_text


def _version_of_job(job: Node, version: str | None) -> str | None:
    """Return the version that a step of a job installs; what holds around it if none does."""
    texts = [node.text for node in walk(job) if isinstance(node, Scalar)]
    return find_cli_version("\n".join(texts)) or version


def _read_script(node: Scalar, step: _Step, file: str) -> Iterator[Place]:
    text, dialect = node.text, step.dialect
    if not may_hold_commands(text):
        return
    if step.key in _POWERSHELL_KEYS or step.key.endswith(".ps1"):
        dialect = POWERSHELL
    notebook = re.match(r"\s*[!%]+ ?(?:sh|bash)?", text)
    shift = notebook.end() if notebook else 0
    by_version: dict[str | None, list[Values]] = {}
    for values, image in step.runs or (Run(step.values, ""),):
        by_version.setdefault(_version_in(image) or step.version, []).append(values)
    assigned = assigned_in(text) if any(map(any, by_version.values())) else None
    for call in find_calls(text[shift:], lambda offset: node.line_at(offset + shift), dialect):
        yield from _judge(call, by_version, assigned, file)


_Scopes = dict[str | None, list[Values]]  # what each job declares that runs a script, by the version that it has


def _judge(call: Call, by_version: _Scopes, assigned: frozenset[str] | None, file: str) -> Iterator[Place]:
    """Yield what a command does in each of its runs.

    :param assigned: None if nothing is declared.
    """
    if assigned is None:
        for version in by_version:
            yield from judge_call(call, file, version)
        return
    found = list(_judge_runs(call, by_version, assigned, file))
    if not found:  # where a default names no registry, a caller may
        without = {version: [each.without_defaults() for each in scopes] for version, scopes in by_version.items()}
        if without != by_version:
            found = list(_judge_runs(call, without, assigned, file))
    yield from found


def _judge_runs(call: Call, by_version: _Scopes, assigned: frozenset[str], file: str) -> Iterator[Place]:
    runs = [(each, version) for version, scopes in by_version.items() for each in fill_in(call, scopes, assigned)]
    for each, version in runs:
        for place in judge_call(each, file, version):
            yield replace(place, is_one_of_several=len(runs) > 1 and place.registry is None)


def _listed_words(node: Sequence) -> Scalar | None:
    """Return a list of words as the command it is: `["az", "acr", "login"]`."""
    words = [item.text for item in node.items if isinstance(item, Scalar)]
    if len(words) < 2 or words[0].rpartition("/")[2] not in ("az", "docker", "helm", "bicep", "oras", "flux"):
        return None
    if any("'" in word or "\n" in word for word in words):
        return None
    return Scalar(" ".join(f"'{word}'" if re.search(r"[\s\"$|;&()]", word) else word for word in words), node.line)


def _dialect_of(node: Mapping, dialect: Dialect) -> Dialect:
    """Return the dialect of a step's script, by its shell or its task."""
    if not node.may_have(_SHELL_KEYS):
        return dialect
    told = f"{node.text('shell')} {node.text('scriptType')} {node.text('task')} {node.text('kind')}".lower()
    if re.search(r"pwsh|powershell|\bps\b|pscore", told):
        return POWERSHELL
    return POSIX if re.search(r"bash|\bsh\b|azurecli@|batch", told) else dialect


def _pinned(node: Node, version: str | None) -> str | None:
    """Return the version that a job or a step pins; what holds around it if it pins none."""
    if not isinstance(node, Mapping) or not node.may_have(_PIN_KEYS):
        return version
    image = node.get("container") or node.get("image")
    told = [node.text("image"), node.text("container"), node.text("with", "azcliversion"), node.text("azCliVersion")]
    if isinstance(image, Mapping):
        told += [image.text("image"), image.text("name")]
    pins = {found for each in told if each and (found := _version_in(each))}
    return pins.pop() if len(pins) == 1 else version


def _version_in(text: str) -> str | None:
    return text if re.fullmatch(r"\d+\.\d+(?:\.\d+)?", text) else find_cli_version(text)

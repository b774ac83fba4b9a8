"""Commands in YAML and JSON: steps of pipelines, cloud-init, tasks, package.json, notebooks, deployment scripts."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from azext_acrscope.consumers.code.file_names import JSON, TEMPLATES, YAML, begins_script, ending_of
from azext_acrscope.consumers.code.languages.json_documents import read_nodes
from azext_acrscope.consumers.code.languages.scripts import COMMAND_WORDS, Call, find_calls, may_hold_commands
from azext_acrscope.consumers.code.languages.shell import POSIX, POWERSHELL, Dialect
from azext_acrscope.consumers.code.languages.yaml_documents import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    walk,
)
from azext_acrscope.consumers.code.patterns.command_patterns import judge_call, judge_open_login
from azext_acrscope.consumers.code.patterns.exchanges import find_exchanges
from azext_acrscope.consumers.code.patterns.pins import find_cli_version
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.values.declared_values import Values, assigned_in, fill_in, in_each_run, with_headers
from azext_acrscope.consumers.code.values.gitlab_jobs import Run, read_jobs
from azext_acrscope.consumers.code.values.local_calls import CALLS

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
_OPEN_PIN = re.compile(r"azure-cli[^\n]{0,20}\$")  # which version is the value of a variable
# Keys that may say which shell runs what is below, and which version of the client.
_SAYS_HOW = frozenset(
    ("shell", "scriptType", "task", "kind", "container", "image", "with", "azcliversion", "azCliVersion", "<<")
)
_POWERSHELL_KEYS = frozenset(("pwsh", "powershell"))
WORDS = (*COMMAND_WORDS, *CALLS)  # callers come in, too: what they give is known from their text alone


def reads(name: str) -> bool:
    """Return whether a file is YAML or JSON."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the commands in the texts of a file."""
    if not may_hold_commands(text) or begins_script(name, text):
        return
    version = find_cli_version(text)
    for root, header in with_headers(read_nodes(text, name)):
        yield from _read(root, header, text, version)
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


def _read(root: Node, header: Node | None, text: str, of_text: str | None) -> Iterator[Place]:
    """Yield the commands below a node. What a job or a step pins and declares holds for it alone."""
    values, gitlab = read_jobs(root, header)
    waiting = [_Step(root, _ALL_JOBS if gitlab else "", _version_of_file(root, of_text, values), POSIX, values)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        step = waiting.pop()
        node = step.node
        if isinstance(node, Scalar) and (step.key in _PROSE or not may_hold_commands(node.text)):
            continue
        if not isinstance(node, Mapping) and (runs := gitlab.runs_of(node)):
            step = step._replace(runs=tuple(runs), job=id(node))
        # Once for each job: what an alias names is in each of them, and counted as often when the file was read.
        if (step.job, id(node)) in seen:
            continue
        seen.add((step.job, id(node)))
        if isinstance(node, Scalar):
            yield from _read_script(node, step, text)
        elif isinstance(node, Sequence):
            if (words := _listed_words(node)) is not None and may_hold_commands(words.text):
                yield from _read_script(words, step, text)
            waiting += [_enter(step, item, step.key) for item in reversed(node.items)]
        elif isinstance(node, Mapping):
            values = step.values.inside(node)
            step = _inside(step, node, values)
            for name, below in reversed(node.entries):
                key = name.text if name is not None else ""
                inner = values.below(key)
                above = step if inner is values else step._replace(values=inner)
                waiting.append(_enter(above, below, key.lower()))


def _inside(step: _Step, node: Mapping, values: Values) -> _Step:
    """Return what holds in a node."""
    version, dialect = step.version, step.dialect
    if any(key is not None and key.text in _SAYS_HOW for key, _ in node.entries):
        version, dialect = _pinned(node, version, values), _dialect_of(node, dialect)
    return step._replace(values=values, version=version, dialect=dialect)


def _enter(above: _Step, node: Node, key: str) -> _Step:
    if above.job or above.key not in (_JOBS, _ALL_JOBS):
        return _Step(node, key, *above[2:])
    version = _version_of_job(node, above.version, above.values) if above.key == _JOBS else above.version
    return above._replace(node=node, key=key, version=version, job=id(node))


def _version_of_file(root: Node, of_text: str | None, values: Values) -> str | None:
    """Return the version that all of a file runs: nothing of a file with jobs, which run each for themselves."""
    if isinstance(root, Mapping):
        has_scripts = any(isinstance(node, Mapping) and node.get("script") for _, node in root.entries)
        if has_scripts or root.get("jobs") or root.get("stages") or root.get("resources"):
            default = root.get("default")
            return _pinned(root, _pinned(default, None, values) if default else None, values)
    return of_text or _version_of_job(root, None, values)


def _version_of_job(job: Node, version: str | None, values: Values) -> str | None:
    """Return the version that a step of a job installs; what holds around it if none does."""
    values = values.inside(job) if isinstance(job, Mapping) else values
    texts = [node.text for node in walk(job) if isinstance(node, Scalar)]
    texts += [said for text in texts if _OPEN_PIN.search(text) for said in in_each_run(text, values)]
    return find_cli_version("\n".join(texts)) or version


def _read_script(node: Scalar, step: _Step, file: str) -> Iterator[Place]:
    text, dialect = node.text, step.dialect
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
    in_group = any(each.in_group for scopes in by_version.values() for each in scopes)
    for each, version in runs:
        places = list(judge_call(each, file, version))
        if in_group and not places:
            places = list(judge_open_login(each, file, assigned))
        yield from (place.in_one_of(len(runs)).with_group(in_group) for place in places)


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
    told = f"{node.text('shell')} {node.text('scriptType')} {node.text('task')} {node.text('kind')}".lower()
    if re.search(r"pwsh|powershell|\bps\b|pscore", told):
        return POWERSHELL
    return POSIX if re.search(r"bash|\bsh\b|azurecli@|batch", told) else dialect


def _may_name_pin(text: str) -> bool:
    return "$" in text and ("azure-cli" in text or "/" not in text)


def _pinned(node: Node, version: str | None, values: Values) -> str | None:
    """Return the version that a job or a step pins; what holds around it if it pins none."""
    if not isinstance(node, Mapping):
        return version
    image = node.get("container") or node.get("image")
    told = [node.text("image"), node.text("container"), node.text("with", "azcliversion"), node.text("azCliVersion")]
    if isinstance(image, Mapping):
        told += [image.text("image"), image.text("name")]
    told = [said for each in told if each for said in (in_each_run(each, values) if _may_name_pin(each) else [each])]
    pins = {found for each in told if (found := _version_in(each))}
    return pins.pop() if len(pins) == 1 else version


@lru_cache(maxsize=256)  # many jobs run in the same image
def _version_in(text: str) -> str | None:
    return text if re.fullmatch(r"\d+\.\d+(?:\.\d+)?", text) else find_cli_version(text)

"""Commands in YAML and JSON: steps of pipelines, cloud-init, tasks, package.json, notebooks, deployment scripts."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections import ChainMap
from collections.abc import Iterator
from typing import NamedTuple

from azext_acrscope.consumers.code.command_patterns import judge_call
from azext_acrscope.consumers.code.declared_values import assigned_in, declared_in, fill_in
from azext_acrscope.consumers.code.exchanges import find_exchanges
from azext_acrscope.consumers.code.file_names import JSON, TEMPLATES, YAML
from azext_acrscope.consumers.code.json_documents import read_nodes
from azext_acrscope.consumers.code.pins import find_cli_version
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.scripts import COMMAND_WORDS, find_calls, may_hold_commands
from azext_acrscope.consumers.code.shell import POSIX, POWERSHELL, Dialect
from azext_acrscope.consumers.code.yaml_documents import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    walk,
)

_FILES = (*YAML, *JSON, *TEMPLATES)
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
_POWERSHELL_KEYS = frozenset(("pwsh", "powershell"))
WORDS = COMMAND_WORDS


def reads(name: str) -> bool:
    """Return whether a file is YAML or JSON."""
    return name.endswith(_FILES)


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the commands in the texts of a file."""
    if not may_hold_commands(text) or (name.lower().endswith(TEMPLATES) and text.startswith("#!")):
        return
    version = find_cli_version(text)
    for root in read_nodes(text, name):
        yield from _read(root, text, version)
    yield from find_exchanges(text)


class _Step(NamedTuple):
    """A node, the key that it is under, and what holds there.

    :ivar values: what is declared there for commands.
    :ivar in_job: whether it is in a job: no other job begins in there.
    """

    node: Node
    key: str
    version: str | None
    dialect: Dialect
    values: ChainMap[str, str]
    in_job: bool = False


def _read(root: Node, text: str, of_text: str | None) -> Iterator[Place]:
    """Yield the commands below a node. What a job or a step pins holds for it alone."""
    waiting = [_Step(root, "", _version_of_file(root, of_text), POSIX, ChainMap())]
    seen: set[int] = set()
    while waiting:
        step = waiting.pop()
        node, key, version, dialect, values, in_job = step
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            if key not in _PROSE:
                yield from _read_script(node, step, text)
        elif isinstance(node, Sequence):
            if (words := _listed_words(node)) is not None:
                yield from _read_script(words, step, text)
            waiting += [_enter(step, item, key) for item in reversed(node.items)]
        elif isinstance(node, Mapping):
            own = declared_in(node)
            values = values.new_child(own) if own else values
            step = _Step(node, key, _pinned(node, version), _dialect_of(node, dialect), values, in_job)
            for name, below in reversed(node.entries):
                waiting.append(_enter(step, below, name.text.lower() if name is not None else ""))


def _enter(above: _Step, node: Node, key: str) -> _Step:
    if above.key != "jobs" or above.in_job:
        return above._replace(node=node, key=key)
    return above._replace(node=node, key=key, version=_version_of_job(node, above.version), in_job=True)


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
    assigned = assigned_in(text) if step.values else frozenset()
    for call in find_calls(text[shift:], lambda offset: node.line_at(offset + shift), dialect):
        yield from judge_call(fill_in(call, step.values, assigned) if step.values else call, file, step.version)


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


def _pinned(node: Node, version: str | None) -> str | None:
    """Return the version that a job or a step pins; what holds around it if it pins none."""
    if not isinstance(node, Mapping):
        return version
    image = node.get("container") or node.get("image")
    told = [node.text("image"), node.text("container"), node.text("with", "azcliversion"), node.text("azCliVersion")]
    if isinstance(image, Mapping):
        told += [image.text("image"), image.text("name")]
    pins = {found for each in told if (found := _version_in(each))}
    return pins.pop() if len(pins) == 1 else version


def _version_in(text: str) -> str | None:
    return text if re.fullmatch(r"\d+\.\d+(?:\.\d+)?", text) else find_cli_version(text)

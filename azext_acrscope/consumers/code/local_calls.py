"""Find which files of a repository others call, and with which values for their inputs.

Reusable workflows and composite actions of GitHub, and files that GitLab CI includes.
"""

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from azext_acrscope.consumers.code.callers import Given
from azext_acrscope.consumers.code.declared_values import (
    Values,
    close_names,
    in_each_run_together,
    walk_with_values,
    with_headers,
)
from azext_acrscope.consumers.code.file_names import YAML
from azext_acrscope.consumers.code.yaml_documents import Mapping, Node, Scalar, read_documents, walk

_ACTIONS = ("action.yml", "action.yaml")  # what a step calls by their folder
# In every file that calls another one, and words with which a file says that it may be called.
CALLS = ("uses: ./", "uses: './", 'uses: "./', "local: ")
CALLED = ("workflow_call",)


class LocalCall(NamedTuple):
    """A call of another file.

    :ivar target: its name from the root of the repository: of a workflow, or of the folder of an action.
    :ivar given: the values for its inputs.
    """

    target: str
    given: Given


def may_call(name: str, text: str) -> bool:
    """Return whether a file may call another one of its repository."""
    return name.lower().endswith(YAML) and any(each in text for each in CALLS)


def may_be_called(name: str, text: str) -> bool:
    """Return whether others may call a file and give it values."""
    if not name.lower().endswith(YAML) or "inputs" not in text:
        return False
    return posixpath.basename(name.lower()) in _ACTIONS or "workflow_call" in text or "$[[" in text


def runs_by_itself(text: str) -> bool:
    """Return whether people run a file that others call, too, with the defaults of its inputs."""
    triggers = [root.get("on", "workflow_dispatch") for root in read_documents(text) if isinstance(root, Mapping)]
    return any(each is not None for each in triggers)


def called_name(name: str) -> str:
    """Return by which name others call a file: its own, or that of the folder of an action."""
    folder, _, file = name.rpartition("/")
    return folder if file.lower() in _ACTIONS else name


def read_calls(text: str) -> Iterator[LocalCall]:
    """Yield the calls in a file, with the values of each run of its jobs.

    :raises BeyondLimitsError: there is too much in it.
    """
    for root, header in with_headers(read_documents(text)):
        for node, values in walk_with_values(root, Values.of_file(root, header)):
            if (called := _called_by(node)) is not None:
                target, inputs = called
                for given in _given_by(node.get(inputs), values):
                    yield LocalCall(target, given)


def read_targets(text: str) -> Iterator[str]:
    """Yield what the calls in a file name.

    :raises BeyondLimitsError: there is too much in it.
    """
    for node in walk(*read_documents(text)):
        if isinstance(node, Mapping) and (called := _called_by(node)) is not None:
            yield called[0]


def _called_by(node: Mapping) -> tuple[str, str] | None:
    """Return what a step, a job or an entry of `include` calls in the repository, and the key of what it gives."""
    for key, inputs, begin in (("uses", "with", "./"), ("local", "inputs", "")):
        if (named := node.text(key).strip()) and named.startswith(begin):
            target = posixpath.normpath(named.lstrip("/"))
            return None if target.startswith("..") else (target, inputs)
    return None


def _given_by(inputs: Node | None, values: Values) -> Iterator[Given]:
    entries = inputs.items() if isinstance(inputs, Mapping) else ()
    listed = [(f"inputs.{key.text}", node.text) for key, node in entries if isinstance(node, Scalar)]
    for texts in in_each_run_together([text for _, text in listed], values):
        yield tuple((name, close_names(text)) for (name, _), text in zip(listed, texts, strict=True))

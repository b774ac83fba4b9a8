"""Find which files of a repository others call, and with which values for their inputs.

Reusable workflows and composite actions of GitHub, files that GitLab CI includes, and templates of Azure Pipelines.
"""

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from azext_acrscope.consumers.code.file_names import YAML
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, Sequence, read_documents, walk
from azext_acrscope.consumers.code.values.callers import Given
from azext_acrscope.consumers.code.values.conditional_values import Lists, branches_in, is_conditional
from azext_acrscope.consumers.code.values.declared_values import (
    Values,
    close_names,
    in_each_run_together,
    walk_with_values,
    with_headers,
)

_ACTIONS = ("action.yml", "action.yaml")  # what a step calls by their folder
# In every file that calls another one, and words with which a file says that it may be called.
CALLS = (
    *("uses: ./", "uses: './", 'uses: "./', 'uses": "./', "uses:  ", "local: ", 'local": ', "template: ", "extends:"),
    "include:",
)
CALLED = ("workflow_call",)
_PARAMETERS = ("${{ parameters.", "${{parameters.", " in parameters.")  # not Argo's `{{inputs.parameters.x}}`


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
    if not name.lower().endswith(YAML):
        return False
    if "parameters:" in text and any(each in text for each in _PARAMETERS):
        return True
    if "inputs" not in text:
        return False
    return posixpath.basename(name.lower()) in _ACTIONS or any(each in text for each in ("workflow_call", "$[["))


def runs_by_itself(name: str, text: str) -> bool:
    """Return whether a file that others call runs by itself, too, with the defaults of its inputs."""
    if posixpath.basename(name) == ".gitlab-ci.yml":
        return True
    triggers = [("on", "workflow_dispatch"), *((key,) for key in ("trigger", "pr", "schedules"))]
    roots = [root for root in read_documents(text) if isinstance(root, Mapping)]
    return any(root.get(*path) is not None for root in roots for path in triggers)


def action_folder(name: str) -> str | None:
    """Return the folder by which others call an action; None for another file."""
    folder, file = posixpath.split(name)
    return folder if file.lower() in _ACTIONS else None


def read_calls(text: str) -> Iterator[LocalCall]:
    """Yield the calls in a file, with the values of each run of its jobs.

    :raises BeyondLimitsError: there is too much in it.
    """
    for root, header in with_headers(read_documents(text)):
        for node, values in walk_with_values(root, Values.of_file(root, header)):
            if (called := _called_by(node)) is not None:
                target, key = called
                space = key if key == "parameters" else "inputs"  # as which texts name what is given
                for given in _given_by(node.get(key), values, space):
                    yield LocalCall(target, given)
            for target in _included_in(node):
                yield LocalCall(target, ())


def read_targets(text: str) -> Iterator[str]:
    """Yield what the calls in a file name.

    :raises BeyondLimitsError: there is too much in it.
    """
    for node in walk(*read_documents(text)):
        if isinstance(node, Mapping):
            if (called := _called_by(node)) is not None:
                yield called[0]
            yield from _included_in(node)


def _called_by(node: Mapping) -> tuple[str, str] | None:
    """Return what a node calls in the repository, and the key of what it gives."""
    if (template := node.text("template").strip().removesuffix("@self")).lower().endswith(YAML):
        return _in_repository(template, "parameters")
    for key, inputs, begin in (("uses", "with", "./"), ("local", "inputs", "")):
        if (named := node.text(key).strip()) and named.startswith(begin):
            called = _in_repository(named, inputs)
            return None if called is not None and called[0].startswith("..") else called
    return None


def _included_in(node: Mapping) -> Iterator[str]:
    """Yield the files of GitLab that a node includes by their names alone, which have their defaults then."""
    listed = node.get("include")
    for each in listed.items if isinstance(listed, Sequence) else [listed]:
        named = each.text.strip() if isinstance(each, Scalar) else ""
        is_here = named.lower().endswith(YAML) and "://" not in named
        if is_here and (called := _in_repository(named, "inputs")) is not None:
            yield called[0]


def _in_repository(named: str, inputs: str) -> tuple[str, str] | None:
    """Return a name from a folder on, with a key; None if only the run knows it."""
    return None if "$" in named else (posixpath.normpath(named.lstrip("/")), inputs)


def _given_by(inputs: Node | None, values: Values, space: str) -> Iterator[Given]:
    entries = inputs.items() if isinstance(inputs, Mapping) else ()
    always = {key.text: node.text if isinstance(node, Scalar) else "" for key, node in entries}
    for branch in branches_in(inputs, Lists({}), lambda _: None) or [{}]:
        listed = {name: text for name, text in {**always, **branch}.items() if not is_conditional(name)}
        for texts in in_each_run_together(list(listed.values()), values):
            yield tuple((f"{space}.{name}", close_names(text)) for name, text in zip(listed, texts, strict=True))

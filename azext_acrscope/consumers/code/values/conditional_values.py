"""Read what Azure Pipelines declare under `${{ if … }}` and `${{ each … }}`: which of it holds only the run knows.

Template expressions: https://learn.microsoft.com/azure/devops/pipelines/process/template-expressions, read 2026-11-28.
"""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field

from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, Sequence
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.values.matrices import EACH, MAX_RUNS, NONE, Matrix, read_loop

MAX_LENGTH = 1000  # of a word and of a value: hosts and images are shorter, so that longer ones name no registry
_CONDITION = re.compile(r"\$\{\{\s*(?:if|elseif|else|each)\b")
_EACH = re.compile(r"\$\{\{\s*each\s+(\w+)\s+in\s+parameters\.([\w-]+)\s*\}\}", re.ASCII)
_LOOP_NAME = re.compile(r"\$\{\{\s*([A-Za-z_]\w*(?:\.\w+)?)\s*\}\}", re.ASCII)


@dataclass(frozen=True)
class Lists:
    """What a file may loop over.

    :ivar nodes: defaults of parameters that are lists or objects, by name.
    :ivar loops: those that were read, by the key of the loop: many may have the same one.
    """

    nodes: AnyMapping[str, Node]
    loops: dict[str, Matrix] = field(default_factory=dict)


def lists_in(root: Mapping) -> dict[str, Node]:
    """Return the defaults of a file's parameters over which it may loop."""
    parameters = root.get("parameters")
    found: list[tuple[str, Node | None]]
    if isinstance(parameters, Mapping):
        found = [(key.text, node) for key, node in parameters.items()]
    else:
        listed = parameters.items if isinstance(parameters, Sequence) else []
        found = [(each.text("name"), each.get("default")) for each in listed if isinstance(each, Mapping)]
    return {name: node for name, node in found if isinstance(node, Mapping | Sequence)}


def loop_of(key: str, lists: Lists, spend: Callable[[int], None]) -> Matrix:
    """Return what the name of a loop says, as the matrix of what is below this key; nothing of another key.

    :param spend: is called with the number of values in its turns.
    """
    match = _EACH.fullmatch(key.strip()) if lists.nodes else None
    if not match or match[2] not in lists.nodes:
        return NONE
    if key not in lists.loops:
        loop = lists.loops[key] = read_loop(match[1], lists.nodes[match[2]])
        spend(sum(len(turn) for group in loop.groups for turns in group.values() for turn in turns))
    return lists.loops[key]


def is_conditional(key: str) -> bool:
    """Return whether what is below a key is there in some runs only."""
    return key.startswith("${{") and bool(_CONDITION.match(key))


def branches_in(listed: Node | None, lists: Lists, spend: Callable[[int], None]) -> list[dict[str, str]]:
    """Return what is declared in each branch of conditions, and in each turn of loops.

    :param spend: is called with the number of values of each.
    """
    found: list[dict[str, str]] = []
    for node in _with_branches(listed):
        for key, below in _conditional_entries(node):
            declared = [(name, value.text) for name, value in declarations(below)]
            for turn in loop_of(key.text, lists, spend).turns() if declared else ():
                if len(found) > MAX_RUNS:
                    note_cut(TOO_MUCH, key.line)
                    return found
                spend(len(declared) + len(turn))
                found.append({_in_turn(name, turn): _in_turn(text, turn) for name, text in declared})
    return found


def names_group(listed: Node | None) -> bool:
    """Return whether a list of variables names a group of them, which no file shows."""
    of_lists = _with_branches(listed if isinstance(listed, Sequence) else None)
    items = (each for node in of_lists if isinstance(node, Sequence) for each in node.items)
    return any(isinstance(each, Mapping) and each.text("group") for each in items)


def _with_branches(listed: Node | None) -> Iterator[Node]:
    """Yield what declares variables, then what does under conditions and loops in it, each once."""
    waiting = [listed]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node is not None and id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += [below for _, below in _conditional_entries(node)]


def _conditional_entries(node: Node) -> Iterator[tuple[Scalar, Node]]:
    for each in node.items if isinstance(node, Sequence) else [node]:
        for key, below in each.entries if isinstance(each, Mapping) else ():
            if key is not None and is_conditional(key.text):
                yield key, below


def _in_turn(text: str, turn: AnyMapping[str, str]) -> str:
    if not turn or "${{" not in text:
        return text
    return _LOOP_NAME.sub(lambda match: turn.get(EACH + match[1], match[0]), text)


def declarations(listed: Node | None) -> Iterator[tuple[str, Scalar]]:
    """Yield names and values: of a mapping, or of a list of `name` and `value`."""
    if isinstance(listed, Mapping):
        found = [
            (key.text, value.get("value") if isinstance(value, Mapping) else value) for key, value in listed.items()
        ]
    else:
        items = listed.items if isinstance(listed, Sequence) else []
        found = [(each.text("name"), each.get("value")) for each in items if isinstance(each, Mapping)]
    for name, value in found:
        if isinstance(value, Scalar) and len(value.text) <= MAX_LENGTH:
            yield name, value

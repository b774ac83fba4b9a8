"""Nodes for languages in which a value may be more than a text, a list or an object, and how all of them are asked.

YAML's nodes serve for every language; what is put together when it runs is an `Expression`.
Keys are compared without case and without `_` and `-`: `azureADAuthenticationAsArmPolicy` is written in many ways.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar, Sequence

# What makes a text of a template something that only the run knows: `[parameters('x')]`, `${x}`, `{{ x }}`, `<name>`.
_VARIABLE = re.compile(r"\A\s*\[(?!\[).*\]\s*\Z|[${}<>]", re.DOTALL)


@dataclass(slots=True, eq=False)
class Expression:
    """A value that is put together when it runs.

    :ivar words: the names in it, and the texts with something put in (`'${name}.azurecr.io'` as it is).
    :ivar parts: the nodes in it, such as both objects of `x ? { … } : { … }`.
    """

    line: int
    words: list[str] = field(default_factory=list)
    parts: list["AnyNode"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Block(Mapping):
    """A block of HCL: `resource "type" "name" { … }`."""

    labels: list[str] = field(default_factory=list)


AnyNode = Scalar | Sequence | Mapping | Expression


def fold_key(key: str) -> str:
    """Return a key as it is compared."""
    return key.lower().replace("_", "").replace("-", "")


def mappings_in(node: object) -> Iterator[Mapping]:
    """Yield the outermost objects in a value: itself, those of a list, those of each branch of a condition."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Mapping):
            yield found
        elif isinstance(found, Sequence):
            waiting += reversed(found.items)
        elif isinstance(found, Expression):
            waiting += reversed(found.parts)


def entries_of(node: object) -> Iterator[tuple[Scalar, AnyNode]]:
    """Yield the entries of each object in a value that have a key in plain letters."""
    for mapping in mappings_in(node):
        yield from mapping.items() if _may_merge(mapping) else _plain_entries(mapping)


def _may_merge(mapping: Mapping) -> bool:
    return any(key is not None and key.text == "<<" for key, _ in mapping.entries)


def _plain_entries(mapping: Mapping) -> Iterator[tuple[Scalar, AnyNode]]:
    # Not `items`: blocks of HCL of the same name are entries of their own.
    for key, node in mapping.entries:
        if key is not None:
            yield key, node


def find_entry(node: object, *path: str) -> tuple[Scalar, AnyNode] | None:
    """Return key and value of the first entry at a path of folded keys, or None."""
    return next(find_entries(node, *path), None)


def find_entries(node: object, *path: str) -> Iterator[tuple[Scalar, AnyNode]]:
    """Yield key and value of each entry at a path of folded keys."""
    first, *rest = path
    for key, below in entries_of(node):
        if fold_key(key.text) == first:
            if rest:
                yield from find_entries(below, *rest)
            else:
                yield key, below


def find_node(node: object, *path: str) -> AnyNode | None:
    """Return the value at a path of folded keys, or None."""
    found = find_entry(node, *path)
    return found[1] if found else None


def plain_text(node: object) -> str | None:
    """Return the text of a value that is one in plain letters; None for one that only the run knows."""
    return node.text.strip() if isinstance(node, Scalar) and not _VARIABLE.search(node.text) else None


def texts_in(node: object) -> Iterator[str]:
    """Yield every text and name in a value, and those in its lists and branches; not what is in its objects."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Scalar):
            yield found.text
        elif isinstance(found, Sequence):
            waiting += reversed(found.items)
        elif isinstance(found, Expression):
            yield from found.words
            waiting += reversed(found.parts)


def is_set(node: object) -> bool:
    """Return whether a value is given: not absent, not null, no empty text, list or object."""
    if isinstance(node, Scalar):
        return node.text.strip().lower() not in ("", "null", "none", "undefined", "~", "[null()]")
    if isinstance(node, Sequence):
        return any(is_set(each) for each in node.items)
    if isinstance(node, Mapping):
        return bool(node.entries)
    return node is not None


def is_false(node: object) -> bool:
    """Return whether a value is plainly false, or not given."""
    return not is_set(node) or (isinstance(node, Scalar) and node.text.strip().lower() == "false")


def is_true(node: object) -> bool:
    """Return whether a value is plainly true."""
    return isinstance(node, Scalar) and node.text.strip().lower() in ("true", "[true()]")


def walk_all(*nodes: object) -> Iterator[AnyNode]:
    """Yield nodes and all below them, each once, in the order of the file."""
    waiting = list(reversed(nodes))
    seen: set[int] = set()
    below: list[AnyNode]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            below = [each for _, each in node.entries]
        elif isinstance(node, Sequence):
            below = [*node.items]
        elif isinstance(node, Expression):
            below = list(node.parts)
        elif isinstance(node, Scalar):
            below = []
        else:
            continue
        yield node
        waiting += reversed(below)

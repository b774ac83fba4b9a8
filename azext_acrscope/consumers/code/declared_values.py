"""Put into the words of commands what the YAML around them declares: `env` and `variables`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from azext_acrscope.consumers.code.scripts import Call
from azext_acrscope.consumers.code.yaml_documents import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections import ChainMap

_NAME_OF = re.compile(
    r"\$\{\{\s*(?:env|variables|vars)\.(\w+)\s*\}\}|\$\((\w+)\)|\$\{(\w+)\}|\$(?:[Ee]nv:)?(\w+)|%(\w+)%", re.ASCII
)
_ASSIGNED = re.compile(r"(\w+)\s?=", re.ASCII)
_MAX_LENGTH = 1000  # of a word and of a value: hosts and images are shorter


def declared_in(node: Mapping) -> dict[str, str]:
    """Return the values that a node declares for what is in it."""
    return {name: value.text for key in ("env", "variables") for name, value in _declared(node.get(key))}


def _declared(listed: Node | None) -> Iterator[tuple[str, Scalar]]:
    """Yield names and values: of a mapping, or of a list of `name` and `value`."""
    if isinstance(listed, Mapping):
        found = [
            (key.text, value.get("value") if isinstance(value, Mapping) else value) for key, value in listed.items()
        ]
    else:
        items = listed.items if isinstance(listed, Sequence) else []
        found = [(each.text("name"), each.get("value")) for each in items if isinstance(each, Mapping)]
    for name, value in found:
        if isinstance(value, Scalar) and len(value.text) <= _MAX_LENGTH:
            yield name, value


def assigned_in(script: str) -> frozenset[str]:
    """Return the names that a script gives values of its own."""
    return frozenset(_ASSIGNED.findall(script))


def fill_in(call: Call, values: "ChainMap[str, str]", assigned: frozenset[str]) -> Call:
    """Return a command with the values in place of their names, but for names that the script itself assigns."""

    def value_of(match: re.Match[str]) -> str:
        name = match[match.lastindex or 0]
        return match[0] if name in assigned else values.get(name, match[0])

    words = [
        replace(word, text=_NAME_OF.sub(value_of, word.text)[:_MAX_LENGTH])
        if index and word.text[:1] != "-" and len(word.text) <= _MAX_LENGTH
        else word
        for index, word in enumerate(call.words)
    ]
    return Call(words, call.line_at)

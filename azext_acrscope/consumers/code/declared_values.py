"""Put into texts what the YAML around them declares: `env`, `variables` and the values of a matrix."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.registry_words import seems_registry_name
from azext_acrscope.consumers.code.scripts import Call
from azext_acrscope.consumers.code.shell import Word
from azext_acrscope.consumers.code.yaml_documents import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections import ChainMap

_NAME_OF = re.compile(
    r"\$\{\{\s*(?:env|variables)\.(\w+)\s*\}\}|\$\((\w+)\)|\$\{(\w+)\}|\$(?:[Ee]nv:)?(\w+)|%(\w+)%", re.ASCII
)
_ASSIGNED = re.compile(r"(?<!\w)(\w+)\s?=", re.ASCII)  # from the beginning of a word, else long words cost their square
_NOT_PLAIN = re.compile(r"[$%{(]")
_MAX_LENGTH = 1000  # of a word and of a value: hosts and images are shorter, so that longer ones name no registry
_MAX_NAMES, _MAX_RUNS = 5, 256  # of a matrix in a text: GitHub runs 256 at most, GitLab 200


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
    """Return a command with the values in place of their names.

    Names stay that the script itself assigns, and those whose value is a name of something else or nothing: a name such
    as ACR_SERVER says more than it.
    """

    def value_of(match: re.Match[str]) -> str:
        name = match[match.lastindex or 0]
        value = values.get(name, "")
        says_less = not value or (_NOT_PLAIN.search(value) and not seems_registry_name(value))
        return match[0] if name in assigned or says_less else value

    def filled(word: Word) -> Word:
        if word.text[:1] == "-" or len(word.text) > _MAX_LENGTH:
            return word
        text = _NAME_OF.sub(value_of, word.text)
        return replace(word, text=text) if len(text) <= _MAX_LENGTH else word

    return Call([*call.words[:1], *map(filled, call.words[1:])], call.line_at)


def in_each_run(text: str, names: re.Pattern[str], values_of: Callable[[re.Match[str]], list[str]]) -> list[str]:
    """Return what a text is in the runs of a matrix: once, if it names none of its values.

    :param names: finds the names in a text.
    :param values_of: returns the values of a name; none for one that stays as it is.
    """
    texts = [text[:_MAX_LENGTH]]
    known: dict[str, list[str]] = {}
    for match in names.finditer(texts[0]):
        if match[0] not in known and (values := values_of(match)):
            if len(known) == _MAX_NAMES:
                note_cut(TOO_MUCH)
                break
            known[match[0]] = values
    for name, values in known.items():
        put = (each.replace(name, value[:_MAX_LENGTH])[:_MAX_LENGTH] for each in texts for value in values)
        texts = list(islice(put, _MAX_RUNS + 1))
        if len(texts) > _MAX_RUNS:
            note_cut(TOO_MUCH)
            break
    return list(dict.fromkeys(texts))

"""Pulumi programs in TypeScript, Python, C# and YAML: arguments of resources, as far as their keys tell."""

from collections.abc import Iterator

from azext_acrscope.consumers.code.file_names import YAML, ending_of
from azext_acrscope.consumers.code.languages.brackets import read_brackets
from azext_acrscope.consumers.code.languages.expressions import entries_of, find_entry, fold_key, plain_text, walk_all
from azext_acrscope.consumers.code.languages.tokens import CSHARP, PYTHON, TYPESCRIPT
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, read_documents
from azext_acrscope.consumers.code.patterns.azure_resources import judge_anywhere
from azext_acrscope.consumers.code.place import Place

_LANGUAGES = {".ts": TYPESCRIPT, ".js": TYPESCRIPT, ".py": PYTHON, ".cs": CSHARP}


ENDINGS = frozenset((*_LANGUAGES, *YAML))
WORDS = ("azure-native", "azure_native", "azurenative")


def reads(name: str) -> bool:
    """Return whether a file may be a program or a YAML project that uses Pulumi's provider for Azure."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield what keys of arguments say of registries."""
    language = next((each for ending, each in _LANGUAGES.items() if name.lower().endswith(ending)), None)
    roots = [read_brackets(text, language)] if language else list(read_documents(text))
    for root in roots:
        yield from judge_anywhere(root)
        for node in walk_all(root):
            if isinstance(node, Mapping):
                yield from _read_status(node)


def _read_status(node: Mapping) -> Iterator[Place]:
    for key, value in entries_of(node):
        status = find_entry(value, "status") if fold_key(key.text) == "azureadauthenticationasarmpolicy" else None
        if status and (plain_text(status[1]) or "").lower() == "enabled":
            yield Place(status[0].line, "registry-status-enabled")

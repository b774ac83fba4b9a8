"""Manifests, values of charts and Compose files in scripts: what `<<EOF` gives to kubectl, or writes into a file.

Each is read as a file of its own would be. A variable in it stays one.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from azext_acrscope.consumers.code.file_names import SHELL_SCRIPTS, YAML, has_no_ending
from azext_acrscope.consumers.code.languages.scripts import Document, LineAt, find_documents, lines_of
from azext_acrscope.consumers.code.languages.shell import POSIX
from azext_acrscope.consumers.code.languages.yaml_documents import Scalar, read_documents, walk
from azext_acrscope.consumers.code.limits import TOO_MUCH, BeyondLimitsError, note_cut, watch_cuts
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import container_files, kubernetes

_SHEBANG = re.compile(r"#![^\n]*(?:/|\s)(?:ba|z|k|da|a)?sh\b")
_TABS = re.compile(r"^\t+", re.MULTILINE)  # which `<<-` takes away, and YAML does not indent with
_BEGINS = "<<"

ENDINGS = None
WORDS = kubernetes.WORDS


def reads(name: str) -> bool:
    """Return whether a file is a script of a shell, or YAML that may hold one."""
    return name.endswith((*SHELL_SCRIPTS, *YAML)) or has_no_ending(name)


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield what the manifests in a script, or in the scripts of a pipeline, do with registries."""
    if _BEGINS not in text:
        return
    for script, line_at in _scripts_of(text, name.lower()):
        for document in find_documents(script, line_at, POSIX):
            yield from _read(document)


def _scripts_of(text: str, name: str) -> list[tuple[str, LineAt]]:
    if name.endswith(YAML):
        nodes = (node for node in walk(*read_documents(text)) if isinstance(node, Scalar))
        return [(node.text, node.line_at) for node in nodes if _BEGINS in node.text and _holds_word(node.text, WORDS)]
    is_script = name.endswith(SHELL_SCRIPTS) or _SHEBANG.match(text)
    return [(text, lines_of(text))] if is_script else []


def _read(document: Document) -> Iterator[Place]:
    reader = container_files if "compose" in document.name else kubernetes
    if not reader.reads(document.name.lower()) or not _holds_word(document.text, reader.WORDS):
        return
    before, places = document.line - 1, list[Place]()
    with watch_cuts() as cuts:
        try:
            places.extend(reader.read_places(_TABS.sub("", document.text), document.name))
        except BeyondLimitsError:
            note_cut(TOO_MUCH)
    for cut in cuts:
        note_cut(cut.why, (cut.line or 1) + before)
    yield from (replace(place, line=place.line + before) for place in places)


def _holds_word(text: str, words: tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in words)

"""Read YAML into nodes that know their lines: every document of a file, as far as it can be read.

PyYAML's parser gives events, and they are put together here, for three reasons: what stands before an error is kept,
nothing recurses (depth is bounded), and an alias is the very node it names, while what it stands for counts, so that a
"YAML bomb" is refused before it grows. An alias inside the node that it names is an empty text: no node is in itself.
Nothing is constructed: no tag but `!reference` is looked at, and each scalar is the text it is.
"""

# pylint: disable=protected-access  # of other nodes of the same class

import bisect
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

from azext_acrscope.consumers.code.limits import MAX_NODES, BeyondLimitsError, note_cut

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is twenty times as fast, where PyYAML has it
_MAX_DEPTH = 200
_MAX_BROKEN_DOCUMENTS = 20_000  # of a file with an error; what comes after them is read as one
_MAX_MERGES = 100  # mappings that one look-up follows through merge keys
_TEXT_OF_NODE = 100  # characters of a text that count as one node: an alias may name a long one many times

# YAML knows further line breaks, and refuses control characters; a line is here what editors count.
_FOREIGN = re.compile(
    "[^\\t\\n\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
)
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_TEMPLATE_LINE = re.compile(r"^[ \t]*(?:\{\{[^{}\n]*\}\}[ \t]*|\{%[^{}\n]*%\}[ \t]*)+$", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}")


@dataclass(slots=True, eq=False)
class Scalar:
    """A text of a document.

    :ivar text: what it says, without quotes and indentation.
    :ivar line: where it begins, counted from 1: that of the `|` for a block.
    """

    text: str
    line: int
    _source: tuple[str, ...] = field(default=(), repr=False)  # the lines it was read from, if they are several
    _starts: list[tuple[int, int]] | None = field(default=None, repr=False)

    def line_at(self, offset: int) -> int:
        """Return the line of the file in which the character at this offset of the text stands."""
        if not self._source:
            return self.line
        if self._starts is None:
            self._starts = list(self._match_lines())
        index = bisect.bisect_right(self._starts, (offset, len(self._source) + self.line + 1)) - 1
        return self._starts[index][1] if index >= 0 else self.line

    def _match_lines(self) -> Iterator[tuple[int, int]]:
        """Yield where in the text each line of the source begins, until an escape makes the two differ."""
        position, text = 0, self.text
        for number, raw in enumerate(self._source):
            written = raw.strip()
            if number == 0:
                # Before the text may stand a key, a dash, a tag, a `|` or a quotation mark.
                head = text.partition("\n")[0].split(" ", 1)[0]
                written = written[written.rfind(head) :].rstrip("\"'") if head and head in written else ""  # noqa: E203
            if not written:
                continue
            while position < len(text) and text[position].isspace():
                position += 1
            written = written if text.startswith(written, position) else written.rstrip("\"'")
            if not text.startswith(written, position):
                if number == 0:
                    continue
                return
            yield position, self.line + number
            position += len(written)


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    line: int
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Reference(Sequence):
    """Where something else of the file is to stand: `!reference [job, script]` of GitLab, the path as its items."""


@dataclass(slots=True, eq=False)
class Mapping:
    """Nodes by key, in the order of the file.

    :ivar entries: without what a merge key (`<<`) adds; the key is None where it is no text (`{{ x }}: y`).
    """

    line: int
    entries: list[tuple[Scalar | None, "Node"]] = field(default_factory=list)
    _by_key: dict[str, "Node"] | None = field(default=None, repr=False)

    def get(self, *path: str) -> "Node | None":
        """Return the node at a path of keys, merge keys followed; None where there is none."""
        if len(path) == 1:
            return self._look_up(path[0])
        node: Node | None = self
        for key in path:
            node = node._look_up(key) if isinstance(node, Mapping) else None
        return node

    def text(self, *path: str) -> str:
        """Return the text at a path of keys; empty where there is none."""
        node = self.get(*path)
        return node.text if isinstance(node, Scalar) else ""

    def items(self) -> Iterator[tuple[Scalar, "Node"]]:
        """Yield key and node of each entry, then those that merge keys add."""
        seen: set[str] = set()
        for mapping in self._with_merged():
            for key, node in mapping.entries:
                if key is not None and key.text != "<<" and key.text not in seen:
                    seen.add(key.text)
                    yield key, node

    def _look_up(self, key: str) -> "Node | None":
        own = self._by_key if self._by_key is not None else self._index()
        if key in own or "<<" not in own:
            return own.get(key)
        for mapping in self._with_merged():
            if key in (by_key := mapping._index()):
                return by_key[key]
        return None

    def _index(self) -> dict[str, "Node"]:
        if self._by_key is None:
            self._by_key = {name.text: node for name, node in self.entries if name is not None}
        return self._by_key

    def _with_merged(self) -> Iterator["Mapping"]:
        waiting: list[Mapping] = [self]
        seen: set[int] = set()
        while waiting and len(seen) < _MAX_MERGES:
            mapping = waiting.pop()
            if id(mapping) in seen:
                continue
            seen.add(id(mapping))
            yield mapping
            # Few have any, and most look-ups find nothing: they must not cost as much as there are entries.
            for key, node in mapping.entries if "<<" in mapping._index() else ():
                if key is not None and key.text == "<<":
                    several = node.items[: _MAX_MERGES + 1] if isinstance(node, Sequence) else [node]
                    waiting += [each for each in reversed(several) if isinstance(each, Mapping)]
        if waiting:
            note_cut("too many merge keys", self.line)


Node = Scalar | Sequence | Mapping


class _Read(NamedTuple):
    """Documents as far as they were read, and the line of the first error, from 1."""

    roots: tuple[Node, ...]
    error_line: int | None = None


def read_documents(text: str, line: int = 1) -> tuple[Node, ...]:
    """Return the documents of a file, each as far as it can be read. Any text does, within bounds.

    A document with templating that is no YAML is read without it: lines of nothing else are left out, and elsewhere
    `{{ … }}` becomes `$`, which is part of no name that anyone looks for.

    :param line: the number of its first line in the file, for the line of an error.
    :raises BeyondLimitsError: there are too many nodes, or too many in each other.
    """
    read = _read_all(text)
    if read is None:
        raise BeyondLimitsError
    if read.error_line is not None:
        note_cut("its YAML has an error here", read.error_line + line - 1)
    return read.roots


@functools.lru_cache(maxsize=1)  # several readers read the same file, one after the other
def _read_all(text: str) -> _Read | None:
    """Return the documents; None beyond the limits, so that this is found out once."""
    text = _FOREIGN.sub(" ", text.replace("\r\n", "\n"))
    try:
        read = _compose(text, 0)
        return read if read.error_line is None else _read_apart(text)
    except BeyondLimitsError:
        return None


def _read_apart(text: str) -> _Read:
    """Read the documents one by one, so that an error ends its own only."""
    roots, error_line = list[Node](), None
    starts = [match.start() for match in _DOCUMENT_START.finditer(text)][:_MAX_BROKEN_DOCUMENTS]
    start, line = 0, 0
    for end in [*starts, len(text)]:
        part = text[start:end]
        if part and not part.isspace():
            read = _read_document(part, line)
            roots += read.roots
            error_line = error_line or read.error_line
        start, line = end, line + part.count("\n")
    return _Read(tuple(roots), error_line)


def walk(*nodes: Node) -> Iterator[Node]:
    """Yield nodes and all below them, each once however often it is named, in the order of the file."""
    waiting: list[Node] = list(reversed(nodes))
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, Mapping):
            waiting += [below for _, below in reversed(node.entries)]
        elif isinstance(node, Sequence):
            waiting += reversed(node.items)


def _read_document(text: str, line: int) -> _Read:
    read = _compose(text, line)
    if read.error_line is not None and _TEMPLATE.search(text):
        read = _compose(_TEMPLATE.sub("$", _TEMPLATE_LINE.sub("", text)), line)
    return read


def _compose(text: str, line: int) -> _Read:
    """Return the roots of a text up to its first error.

    :param line: how many lines stand before it in the file.
    """
    composer = _Composer(text, line)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        return _Read(tuple(composer.roots), line + 1 + (mark.line if mark else 0))
    return _Read(tuple(composer.roots))


class _Composer:  # pylint: disable=too-few-public-methods, too-many-instance-attributes  # where it is, and its bounds
    """Put nodes together from events; what is open when the events end is kept as it is."""

    def __init__(self, text: str, line: int) -> None:
        self.roots: list[Node] = []
        self._text = text
        self._lines: list[str] | None = None
        self._first_line = line + 1
        self._open: list[Sequence | Mapping] = []
        self._keys: list[tuple[Scalar | None] | None] = []  # of each open node: the key whose value comes next
        self._anchors: dict[str, Node] = {}
        # Numbers of nodes, those below an alias as often as it is named: readers look at them as often.
        self._size = 0
        self._begins: list[int] = []  # of each open node
        self._sizes: dict[int, int] = {}

    def take(self, event: yaml.Event) -> None:
        """Take the next event.

        :raises BeyondLimitsError: depth or size have reached their bound.
        """
        kind = type(event)
        if kind is yaml.ScalarEvent:
            start, end = event.start_mark.line, event.end_mark.line
            source = () if start == end else self._source(start, end)
            self._size += len(event.value) // _TEXT_OF_NODE
            self._add(event.anchor, Scalar(event.value, self._first_line + start, source))
        elif kind is yaml.MappingStartEvent:
            self._enter(event.anchor, Mapping(self._first_line + event.start_mark.line))
        elif kind is yaml.SequenceStartEvent:
            made = Reference if event.tag == "!reference" else Sequence
            self._enter(event.anchor, made(self._first_line + event.start_mark.line))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._sizes[id(self._open.pop())] = self._size - self._begins.pop()
            self._keys.pop()
        elif kind is yaml.AliasEvent:
            node = self._anchors.get(event.anchor)
            if node is None or id(node) not in self._sizes:  # nobody's, or of a node that is still open
                node = Scalar("", self._first_line + event.start_mark.line)
            self._size += self._sizes.get(id(node), 0)
            self._add(None, node)
        if len(self._open) > _MAX_DEPTH or self._size > MAX_NODES:
            raise BeyondLimitsError

    def _enter(self, anchor: str | None, node: Sequence | Mapping) -> None:
        self._add(anchor, node)
        self._open.append(node)
        self._begins.append(self._size)
        self._keys.append(None)

    def _add(self, anchor: str | None, node: Node) -> None:
        self._size += 1
        if anchor:
            self._anchors[anchor] = node
            if isinstance(node, Scalar):
                self._sizes[id(node)] = len(node.text) // _TEXT_OF_NODE
        if not self._open:
            self.roots.append(node)
            return
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            self._keys[-1] = (node if isinstance(node, Scalar) else None,)
        else:
            parent.entries.append((key[0], node))
            self._keys[-1] = None

    def _source(self, start: int, end: int) -> tuple[str, ...]:
        if self._lines is None:
            self._lines = self._text.split("\n")
        return tuple(self._lines[start : end + 1])  # noqa: E203

"""Read what is piped into the command: manifests, as `kubectl get` and `helm template` print them.

A cluster's objects come as one list that is larger than any file of a repository. Both programs always indent in the
same way, so its items are told apart by their indentation, and each is read by itself: memory holds one at a time.
"""

import re
import sys
from collections.abc import Iterator
from typing import BinaryIO

from azext_acrscope.consumers.code import errors
from azext_acrscope.consumers.code.counts import WalkCounts
from azext_acrscope.consumers.code.walk import MAX_FILE_BYTES, SCRIPT

SHOWN_NAME = "stdin"  # in results
_YAML_LIST, _YAML_ITEM = b"items:", b"- "
_JSON_LIST, _JSON_ITEM, _JSON_LIST_ENDS = b'    "items": [', b"        {", (b"    ]", b"    ],")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COMMENT = re.compile(rb"^[ \t]*#.*$", re.MULTILINE)
_WORD = re.compile(rb"\w")
# A line that begins an object or a list, or has a key of one: the table that `kubectl get` prints by default has none.
_OBJECT = re.compile(rb"""^[ \t]*(?:[\[{]|- |"[^"\n]*"\s*:|'[^'\n]*'\s*:|[^\s"'][^\n]*?:(?:\s|$))""", re.MULTILINE)


def read_objects(counts: WalkCounts) -> Iterator[tuple[int, str, bytes]]:
    """Yield line (from 0), name and text of each object: items of a list, documents of YAML; else all of it.

    The names end in `.json` or `.yaml`, so that readers know what they read.

    :raises RequiredArgumentMissingError: nothing is piped, as by a program that failed before it printed anything.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise errors.nothing_piped()
    name, silent = "", True
    for begin, lines in _split_objects(_lines_of(sys.stdin.buffer)):
        text = b"".join(lines).removeprefix(_BYTE_ORDER_MARK)
        if not text.strip():
            continue
        silent = False
        if len(text) <= MAX_FILE_BYTES and not text.startswith(SCRIPT) and _is_no_object(text):
            counts.unreadable.add(f"{SHOWN_NAME}, line {begin + 1} ({errors.NO_OBJECT})")
            continue
        name = name or ("piped.json" if text.lstrip().startswith((b"{", b"[")) else "piped.yaml")
        if len(text) > MAX_FILE_BYTES:
            counts.large.add(f"{SHOWN_NAME}, line {begin + 1}")
        else:
            yield begin, name, text.rstrip().removesuffix(b",") if name == "piped.json" else text
    if silent:
        raise errors.nothing_piped()
    counts.files += bool(name)


def _is_no_object(text: bytes) -> bool:
    """Whether a text has something to say and says it neither as YAML nor as JSON; comments are nothing."""
    said = _COMMENT.sub(b"", text)
    return bool(_WORD.search(said)) and not _OBJECT.search(said)


def _lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; of one that is too long only its beginning, which is too large as well."""
    while line := stream.readline(MAX_FILE_BYTES + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_FILE_BYTES)
        yield line


def _split_objects(lines: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the number of the first line, from 0, and the lines of each object; too many of them are cut off."""
    begin, size, in_list, current = 0, 0, False, list[bytes]()
    for number, line in enumerate(lines):
        bare = line.rstrip()
        if bare == b"---" or bare.startswith(b"--- ") or (in_list and _begins_object(bare)):
            yield begin, current
            begin, size, current = number, 0, []
            in_list = in_list and bare.startswith((_YAML_ITEM, _JSON_ITEM))
            line = b"  " + line[2:] if in_list and bare.startswith(_YAML_ITEM) else line  # the item, without its list
        in_list = in_list or bare in (_YAML_LIST, _JSON_LIST)
        if size <= MAX_FILE_BYTES:  # what is larger is not read, so its end is not needed
            size += len(line)
            current.append(line)
    yield begin, current


def _begins_object(bare: bytes) -> bool:
    """Whether a line in a list is its next item, or ends it."""
    if bare.startswith(_YAML_ITEM) or bare == _JSON_ITEM or bare in _JSON_LIST_ENDS:
        return True
    return bare[:1] not in (b"", b" ", b"-", b"#", b"}", b"]")

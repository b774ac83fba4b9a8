"""Read JSON, also with the comments and commas too many that editors' configurations have, into nodes with lines."""

import functools
from collections.abc import Iterator

from azext_acrscope.consumers.code.file_names import is_json
from azext_acrscope.consumers.code.languages.brackets import read_brackets
from azext_acrscope.consumers.code.languages.expressions import Expression
from azext_acrscope.consumers.code.languages.tokens import JSON
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Sequence, read_documents
from azext_acrscope.consumers.code.limits import BeyondLimitsError, Cut, note_cut, watch_cuts


def read_nodes(text: str, name: str) -> tuple[Node, ...]:
    """Return the documents of a file of JSON or YAML, as its name says.

    :raises BeyondLimitsError: as `read_json` and `read_documents` do.
    """
    return read_json(text) if is_json(name) else read_documents(text)


def read_json(text: str) -> tuple[Node, ...]:
    """Return the values of a file, which is one, or one for each line.

    :raises BeyondLimitsError: there is too much in it, or too much within each other.
    """
    read = _read_all(text)
    if read is None:
        raise BeyondLimitsError
    roots, cuts = read
    for cut in cuts:
        note_cut(*cut)
    return roots


@functools.lru_cache(maxsize=1)  # several readers read the same file, one after the other
def _read_all(text: str) -> tuple[tuple[Node, ...], list[Cut]] | None:
    """Return the values and what was not read of them; None beyond the limits, so that this is found out once."""
    with watch_cuts() as cuts:
        try:
            return tuple(_values_of(read_brackets(text, JSON))), cuts
        except BeyondLimitsError:
            return None


def _values_of(file: Mapping | Sequence) -> Iterator[Node]:
    """Yield what stands side by side in a file, of which the parser makes one value."""
    for each in file.items if isinstance(file, Sequence) else [file]:
        parts = each.parts if isinstance(each, Expression) else [each]
        yield from (part for part in parts if not isinstance(part, Expression))

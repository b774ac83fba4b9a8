"""Read Terraform in JSON (`.tf.json`, which CDK for Terraform writes) into the blocks of its own language."""

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.languages.expressions import AnyNode, Block, Expression, entries_of
from azext_acrscope.consumers.code.languages.json_documents import read_json
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar, Sequence

JSON_ENDINGS = (".tf.json", ".tofu.json")
_LABELS = {"resource": 2, "module": 1, "provider": 1, "variable": 1, "locals": 0}  # the kinds that are looked at
_REFERENCE = re.compile(r"\$\{\s*([\w.\[\]-]+)\s*\}")


def read_blocks(text: str) -> Iterator[tuple[Scalar, Block]]:
    """Yield name and content of each block; a name has the line of the block's last label."""
    for root in read_json(text):
        for key, node in entries_of(root):
            if (labels := _LABELS.get(key.text)) is not None:
                yield from _blocks(key.text, key, node, labels, [])


def _blocks(kind: str, last: Scalar, node: AnyNode, wanted: int, labels: list[str]) -> Iterator[tuple[Scalar, Block]]:
    if wanted:
        for key, below in entries_of(node):
            yield from _blocks(kind, key, below, wanted - 1, [*labels, key.text])
        return
    for each in node.items if isinstance(node, Sequence) else [node]:
        if isinstance(each, Mapping):
            entries = [(key, _translated(below)) for key, below in each.entries]
            yield Scalar(kind, last.line), Block(each.line, entries, labels=labels)  # type: ignore[arg-type]


def _translated(node: object) -> object:
    """Return a value in which texts that are nothing but a reference are one: `"${var.server}"`."""
    if isinstance(node, Scalar):
        reference = _REFERENCE.fullmatch(node.text)
        return Expression(node.line, [reference[1]], []) if reference else node
    if isinstance(node, Sequence):
        return Sequence(node.line, [_translated(each) for each in node.items])  # type: ignore[misc]
    if isinstance(node, Mapping):
        return Mapping(node.line, [(key, _translated(below)) for key, below in node.entries])  # type: ignore[misc]
    return node

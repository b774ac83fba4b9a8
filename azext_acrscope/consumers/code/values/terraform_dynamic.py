"""Put what `dynamic` blocks of Terraform make in their place, in its own language and in JSON.

A block is made for each element of `for_each`. Where the file does not say these in plain letters, it is read once, as
its content is written, because whoever deploys decides whether there is any.
"""

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.languages.expressions import (
    AnyNode,
    Block,
    Expression,
    find_node,
    fold_key,
    mappings_in,
    plain_text,
)
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar, Sequence
from azext_acrscope.consumers.code.patterns.azure_resources import Resolver, resolve_plain

_MAX_ELEMENTS = 20  # whose blocks are made; real files have a few
_COPIES = ("toset", "tolist", "tomap")  # functions that keep the elements

_Entries = list[tuple[Scalar | None, AnyNode]]
_Elements = list[tuple[str, AnyNode]]  # with their keys


def expand_dynamic(block: Block, resolve: Resolver) -> Block:
    """Return a block with the blocks that `dynamic` makes in it in place of those."""
    return _block(block, _entries(block, resolve, True))


def _block(block: Mapping, entries: _Entries) -> Block:
    labels = block.labels if isinstance(block, Block) else []
    return Block(block.line, entries, labels=labels)  # type: ignore[arg-type]


def _entries(block: Mapping, resolve: Resolver, is_outermost: bool) -> _Entries:
    made: _Entries = []
    for key, node in block.entries:
        if key is not None and key.text == "dynamic":
            for name, dynamic in _definitions(key, node):
                made += [(name, each) for each in _made(name.text, dynamic, resolve, is_outermost)]
        else:
            made.append((key, _expanded(node, resolve, is_outermost)))
    return made


def _expanded(node: AnyNode, resolve: Resolver, is_outermost: bool) -> AnyNode:
    if isinstance(node, Sequence):
        return Sequence(node.line, [_expanded(each, resolve, is_outermost) for each in node.items])  # type: ignore[misc]
    return _block(node, _entries(node, resolve, is_outermost)) if isinstance(node, Mapping) else node


def _definitions(key: Scalar, node: AnyNode) -> Iterator[tuple[Scalar, Mapping]]:
    """Yield the names and definitions: of one by its label, or of several of JSON by their keys."""
    if isinstance(node, Block) and node.labels:
        yield Scalar(node.labels[0], key.line), node
        return
    for each in mappings_in(node):
        for name, below in each.entries:
            if name is not None:
                yield from ((name, definition) for definition in mappings_in(below))


def _made(name: str, definition: Mapping, resolve: Resolver, is_outermost: bool) -> list[Mapping]:
    content = next(mappings_in(find_node(definition, "content")), Mapping(definition.line))
    written = _block(content, _entries(content, resolve, False))
    # Not of blocks in blocks, which would be the product of all of them.
    elements = _elements(resolve_plain(find_node(definition, "foreach"), resolve)) if is_outermost else None
    if elements is None or len(elements) > _MAX_ELEMENTS:
        return [written]
    iterator = find_node(definition, "iterator")
    called = iterator.words[0] if isinstance(iterator, Expression) and iterator.words else plain_text(iterator) or name
    names = re.compile(rf"{re.escape(called)}\.(key|value)(?:\.([\w-]+))?")
    texts = re.compile(rf"\$\{{\s*{names.pattern}\s*\}}")
    return [_block(written, _put_all(written, names, texts, element)) for element in elements]


def _elements(listed: object) -> _Elements | None:
    """Return keys and values of `for_each`; None if the file does not say them all."""
    found: _Elements | None = None
    if isinstance(listed, Expression) and listed.words[1:] == ["?", ":"] and len(listed.parts) == 2:
        either = [_elements(each) for each in listed.parts]
        found = [element for each in either for element in each or []] if None not in either else None
    elif isinstance(listed, Expression) and len(listed.words) == 1 and len(listed.parts) == 1:
        arguments = listed.parts[0]
        is_copy = listed.words[0] in _COPIES and isinstance(arguments, Sequence) and len(arguments.items) == 1
        found = _elements(arguments.items[0]) if is_copy and isinstance(arguments, Sequence) else None
    elif isinstance(listed, Sequence):
        found = [(plain_text(each) or "", each) for each in listed.items]
    elif isinstance(listed, Mapping):
        found = [(key.text if key is not None else "", value) for key, value in listed.entries]
    return found if found is not None and all(isinstance(each, Scalar | Mapping) for _, each in found) else None


def _put_all(
    content: Mapping, names: re.Pattern[str], texts: re.Pattern[str], element: tuple[str, AnyNode]
) -> _Entries:
    """Return the entries of a content with an element in place of its name."""

    def said(match: re.Match[str]) -> AnyNode | None:
        key, value = element
        if match[2]:
            return find_node(value, fold_key(match[2]))
        return Scalar(key, content.line) if match[1] == "key" else value

    def put(node: AnyNode) -> AnyNode:
        if isinstance(node, Mapping):
            return _block(node, [(key, put(below)) for key, below in node.entries])
        if not isinstance(node, Expression) or len(node.words) != 1:
            return node
        word = node.words[0] + "".join(f".{plain_text(each)}" for part in node.parts for each in _items(part))
        if match := names.fullmatch(word):
            return said(match) or node
        text = texts.sub(lambda found: plain_text(said(found)) or found[0], word)
        return node if "${" in text or text == word else Scalar(text, node.line)

    return [(key, put(node)) for key, node in content.entries]


def _items(node: AnyNode) -> list[AnyNode]:
    return list(node.items[:2]) if isinstance(node, Sequence) else []

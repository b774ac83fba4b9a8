"""Tokens into expressions."""

from __future__ import annotations

from typing import Any

from tests.localcloud.kql.stream import Stream
from tests.localcloud.kql.syntax import Call, Column, Expression, Literal, Member

_COMPARISONS = (
    *("==", "!=", "=~", "!~", "<", "<=", ">", ">="),
    *("contains", "!contains", "has", "!has", "startswith", "!startswith", "endswith", "!endswith"),
)
_MEMBERSHIPS = ("in", "in~", "!in", "!in~")
_WORDS = {"true": True, "false": False}


def expression(stream: Stream) -> Expression:
    left = _and(stream)
    while token := stream.skip("or"):
        left = Call("or", (left, _and(stream)), token)
    return left


def _and(stream: Stream) -> Expression:
    left = _comparison(stream)
    while token := stream.skip("and"):
        left = Call("and", (left, _comparison(stream)), token)
    return left


def _comparison(stream: Stream) -> Expression:
    left = _sum(stream)
    if token := stream.skip(*_COMPARISONS):
        return Call(token.text, (left, _sum(stream)), token)
    if token := stream.skip("matches"):
        stream.expect("regex")
        return Call("matches regex", (left, _sum(stream)), token)
    if token := stream.skip(*_MEMBERSHIPS):
        return Call(token.text, (left, *arguments(stream)), token)
    return left


def _sum(stream: Stream) -> Expression:
    left = _product(stream)
    while token := stream.skip("+", "-"):
        left = Call(token.text, (left, _product(stream)), token)
    return left


def _product(stream: Stream) -> Expression:
    left = _unary(stream)
    while token := stream.skip("*", "/"):
        left = Call(token.text, (left, _unary(stream)), token)
    return left


def _unary(stream: Stream) -> Expression:
    if token := stream.skip("-"):
        return Call("negate", (_unary(stream),), token)
    return _postfix(stream)


def _postfix(stream: Stream) -> Expression:
    found = _primary(stream)
    while True:
        if stream.skip("."):
            # After a dot every word is a member's name, a keyword too (`properties.on`).
            token = stream.take()
            if token.kind != "name":
                raise token.failure("expected a member")
            found = Member(found, Literal(token.text, token), token)
        elif token_ := stream.skip("["):
            found = Member(found, expression(stream), token_)
            stream.expect("]")
        else:
            return found


def _primary(stream: Stream) -> Expression:
    token = stream.next
    if token.kind == "literal":
        return Literal(stream.take().value, token)
    if stream.skip("("):
        inner = expression(stream)
        stream.expect(")")
        return inner
    if token.kind == "name" and token.text in _WORDS:
        return Literal(_WORDS[stream.take().text], token)
    name = stream.name()
    if not stream.at("("):
        return Column(name.text, name)
    if name.text == "dynamic":
        stream.expect("(")
        value = _json(stream)
        stream.expect(")")
        return Literal(value, name)
    return Call(name.text, arguments(stream), name)


def arguments(stream: Stream) -> tuple[Expression, ...]:
    """A list in parentheses, possibly empty."""
    stream.expect("(")
    found: list[Expression] = []
    if not stream.at(")"):
        found.append(expression(stream))
        while stream.skip(","):
            found.append(expression(stream))
    stream.expect(")")
    return tuple(found)


def _json(stream: Stream) -> Any:
    """What stands in dynamic(…): JSON, with strings in either quotes."""
    token = stream.take()
    if token.kind == "literal":
        return token.value
    if token.kind == "name" and token.text in (*_WORDS, "null"):
        return _WORDS.get(token.text)
    if token.text == "-" and isinstance(stream.next.value, (int, float)):
        return -stream.take().value
    if token.text == "[":
        items: list[Any] = []
        while not stream.skip("]"):
            if items:
                stream.expect(",")
            items.append(_json(stream))
        return items
    if token.text == "{":
        return _bag(stream)
    raise token.failure("not a dynamic literal")


def _bag(stream: Stream) -> dict[str, Any]:
    bag: dict[str, Any] = {}
    while not stream.skip("}"):
        if bag:
            stream.expect(",")
        key = stream.take()
        if not isinstance(key.value, str):
            raise key.failure("expected a key in quotes")
        stream.expect(":")
        bag[key.value] = _json(stream)
    return bag

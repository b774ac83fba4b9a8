"""Bicep: modules from registries, resources that pull, and registries' own templates."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from azext_acrscope.consumers.code.file_names import ending_of
from azext_acrscope.consumers.code.languages.brackets import BracketParser
from azext_acrscope.consumers.code.languages.expressions import AnyNode, Expression, find_node, is_set, walk_all
from azext_acrscope.consumers.code.languages.tokens import BICEP, MARK, NAME, NEWLINE, STRING
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.patterns.azure_resources import (
    MAX_NAMES,
    PASSWORD_PATTERNS,
    REGISTRY,
    RESOURCE_WORDS,
    Judged,
    Resolver,
    judge_anywhere,
    judge_resource,
)
from azext_acrscope.consumers.code.patterns.registry_names import find_acr
from azext_acrscope.consumers.code.place import Place

_WITH_VALUE = frozenset(("resource", "module", "var", "param", "output", "test", "func", "metadata"))
_FROM_REGISTRY = frozenset(("module", "import", "using", "extends", "extension", "provider", "test"))
_KEYWORDS = _WITH_VALUE | _FROM_REGISTRY
_ALIAS = re.compile(r"br/([\w-]+):(?=.)")
_REGISTRY_MODULE = re.compile(r"(?i)avm/res/container-registry/registry:v?([\w.-]+)\Z")


@dataclass
class Statement:
    """A statement: `resource name 'type' existing = value`."""

    keyword: str
    name: str
    line: int
    texts: list[Scalar] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    value: AnyNode | None = None


ENDINGS = frozenset((".bicep", ".bicepparam"))
WORDS = (*RESOURCE_WORDS, "registries:", "registries':", "param registries", "listcredentials", "br:", "br/")


def reads(name: str) -> bool:
    """Return whether a file is Bicep, or Bicep's parameters."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield modules from registries, resources that pull, and what sets the status of a registry back."""
    statements = list(_read_statements(text))
    judged: Judged = {}
    values = {each.name: (each.value, each.keyword == "param") for each in statements if each.keyword in _NAMED}

    def resolve(node: object) -> tuple[object, bool]:
        may_differ = False
        for _ in range(MAX_NAMES + 1):  # names that stand for each other have no end
            if not isinstance(node, Expression) or len(node.words) != 1 or node.parts or node.words[0] not in values:
                return node, may_differ
            found, is_parameter = values[node.words[0]]
            if found is None:
                return node, True
            node, may_differ = found, may_differ or is_parameter
        note_cut(TOO_MUCH)
        return node, may_differ

    if name.lower().endswith(".bicepparam"):
        yield from _read_parameters(statements, resolve, judged)
    for statement in statements:
        if statement.keyword in _FROM_REGISTRY:
            yield from _read_module_source(statement)
        if statement.value is None:
            continue
        places = list(_read_value(statement, resolve, judged))
        yield from places
        if not any(place.pattern in PASSWORD_PATTERNS for place in places):
            yield from _read_admin_user(statement.value)


_NAMED = ("var", "param")


def _read_parameters(statements: list[Statement], resolve: Resolver, judged: Judged) -> Iterator[Place]:
    """Judge what a file of parameters gives a template, as a key with a value would be there."""
    for each in statements:
        if each.keyword == "param" and each.value is not None:
            found = Mapping(each.line, [(Scalar(each.name, each.line), each.value)])  # type: ignore[list-item]
            yield from judge_anywhere(found, resolve, judged)


def _read_statements(text: str) -> Iterator[Statement]:
    parser = BracketParser(text, BICEP)
    while token := parser.peek():
        second = parser.peek(1)
        keyword = token.text if token.kind == NAME else ""
        # `import { a } from 'br:…'` is the one whose keyword a bracket may follow.
        if second and (keyword == "import" or (keyword in _KEYWORDS and second.kind != MARK)):
            parser.take()
            yield _read_statement(parser, keyword, token.line)
        elif token.kind == NAME and token.text == "type":
            parser.value(True)
        elif token.kind in (NEWLINE, MARK):
            if token.text in ")}]":
                parser.take_closing(token)
                continue
            parser.take()
            if token.text in "({[":
                parser.group(token.text, token.line)
        else:
            parser.value(True)


def _read_statement(parser: BracketParser, keyword: str, line: int) -> Statement:
    """Return a statement of which the keyword is taken: up to its `=` what it is, behind it its value."""
    statement = Statement(keyword, "", line)
    while token := parser.peek():
        if token.kind == NEWLINE:
            break
        parser.take()
        if token.kind == MARK and token.text == "=":
            statement.value = parser.value(True)
            break
        if token.kind == STRING:
            statement.texts.append(Scalar(token.text, token.line))
        elif token.kind == MARK and token.text in "({[":
            parser.group(token.text, token.line)
        elif token.kind == NAME:
            statement.words.append(token.text)
    statement.name = statement.words[0] if statement.words else ""
    return statement


def _read_module_source(statement: Statement) -> Iterator[Place]:
    for source in statement.texts:
        if source.text.startswith("br:") and (host := find_acr(source.text[3:])):
            yield Place(source.line, "bicep-module", host)
        elif (alias := _ALIAS.match(source.text)) and alias[1] != "public":
            yield Place(source.line, "bicep-alias-module", alias=alias[1])


def _read_value(statement: Statement, resolve: Resolver, judged: Judged) -> Iterator[Place]:
    value = statement.value
    kind = statement.texts[0].text.partition("@")[0] if statement.texts else ""
    if value is None or statement.keyword in ("func", "metadata"):
        return
    if statement.keyword == "resource":
        if "existing" not in statement.words[1:]:
            yield from judge_resource(kind, value, statement.line, resolve, judged)
        yield from _read_nested(kind, value, resolve, judged)
    elif statement.keyword == "module":
        yield from judge_anywhere(value, resolve, judged)
        if (version := _REGISTRY_MODULE.search(statement.texts[0].text if statement.texts else "")) and not is_set(
            find_node(value, "params", "azureadauthenticationasarmpolicystatus")
        ):
            yield from _judge_registry_module(version[1], statement.line)
    elif statement.keyword in _NAMED:
        yield from _read_named(value, resolve, judged)


def _read_named(value: AnyNode, resolve: Resolver, judged: Judged) -> Iterator[Place]:
    """Judge what a variable holds, but for `registries`, which are judged where the variable is used."""
    for place in judge_anywhere(value, resolve, judged):
        if not place.pattern.startswith("container-app-reg"):
            yield place


def _judge_registry_module(version: str, line: int) -> Iterator[Place]:
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    if numbers < [0, 11]:
        yield Place(line, "registry-module-default", None, version)


def _read_nested(parent: str, body: AnyNode, resolve: Resolver, judged: Judged) -> Iterator[Place]:
    # pylint: disable=too-many-nested-blocks
    for mapping in walk_all(body):
        if not isinstance(mapping, Mapping):
            continue
        for key, node in mapping.entries:
            if key is None and isinstance(node, Expression) and node.words[:1] == ["resource"] and node.parts:
                kind, value = node.parts[0], node.parts[-1]
                if isinstance(kind, Scalar) and "existing" not in node.words:
                    name = kind.text.partition("@")[0]
                    full = name if "." in name else f"{parent}/{name}"
                    for place in judge_resource(full, value, node.line, resolve, judged):
                        # Keys that are nobody else's were found with the parent.
                        if full.lower() != REGISTRY and place.pattern in _OWN_OF_NESTED:
                            yield place


_OWN_OF_NESTED = frozenset(
    ("acr-task", "acr-cache-rule", "app-service-image", "app-service-password", "batch-identity", "batch-password")
)


def _read_admin_user(value: AnyNode) -> Iterator[Place]:
    for node in walk_all(value):
        if isinstance(node, Expression):
            for word in node.words:
                if word == "listCredentials" or word.endswith(".listCredentials") or ".listCredentials" in word:
                    yield Place(node.line, "admin-user")
                    return

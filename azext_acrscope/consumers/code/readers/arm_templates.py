"""ARM templates in JSON, with comments or without, compiled from Bicep or not; and bicepconfig.json."""

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.file_names import ending_of
from azext_acrscope.consumers.code.languages.expressions import (
    entries_of,
    find_entry,
    find_node,
    fold_key,
    is_true,
    mappings_in,
    plain_text,
    walk_all,
)
from azext_acrscope.consumers.code.languages.json_documents import read_json
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar
from azext_acrscope.consumers.code.limits import TOO_MUCH, BeyondLimitsError, note_cut
from azext_acrscope.consumers.code.patterns.azure_resources import (
    MAX_NAMES,
    PASSWORD_PATTERNS,
    RESOURCE_WORDS,
    Judged,
    Resolver,
    judge_resource,
)
from azext_acrscope.consumers.code.patterns.registry_names import find_acr
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.values.module_aliases import CONFIGURATION

_CALL = re.compile(r"\[(parameters|variables)\('([^']*)'\)\]")
_MAX_NESTING = 20  # templates in templates
_DEPLOYMENT = "microsoft.resources/deployments"
_MARKS = ("deploymentTemplate.json", "deploymentParameters.json", '"contentVersion"')
ENDINGS = frozenset((".json", ".jsonc", ".json5"))
WORDS = (*RESOURCE_WORDS, 'registries"', "azurecr.", "listcredentials", "modulealiases")


def reads(name: str) -> bool:
    """Return whether a file is JSON, which may be a template or Bicep's configuration."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield resources that pull, and what sets the status of a registry back."""
    is_configuration = name.lower().rpartition("/")[2] == CONFIGURATION
    if not is_configuration and not any(mark in text for mark in _MARKS):
        return
    for file in (each for root in read_json(text) for each in mappings_in(root)):
        if is_configuration:
            yield from _read_configuration(file)
        else:
            yield from _read_parameters(file)
            yield from _read_template(file, {}, 0)


def _read_configuration(file: Mapping) -> Iterator[Place]:
    for alias, value in entries_of(find_node(file, "modulealiases", "br")):
        registry = find_entry(value, "registry")
        if alias.text != "public" and registry and (host := find_acr(plain_text(registry[1]) or "")):
            yield Place(registry[0].line, "bicep-alias", host)
    for key, value in entries_of(find_node(file, "extensions")):
        text = plain_text(value) or ""
        if text.startswith("br:") and (host := find_acr(text[3:])):
            yield Place(key.line, "bicep-module", host)


def _read_parameters(file: Mapping) -> Iterator[Place]:
    if "deploymentParameters.json" not in (plain_text(find_node(file, "$schema")) or ""):
        return
    for key, value in entries_of(find_node(file, "parameters")):
        if fold_key(key.text) == "azureadauthenticationasarmpolicystatus":
            found = find_entry(value, "value")
            if found and (plain_text(found[1]) or "").lower() == "enabled":
                yield Place(found[0].line, "registry-status-enabled")


def _read_template(template: Mapping, given: dict[str, object], nesting: int) -> Iterator[Place]:
    if nesting > _MAX_NESTING:
        raise BeyondLimitsError
    resolve, judged = _make_resolver(template, given), Judged()
    waiting = [("", each) for _, each in _resources_of(template)]
    for parent, resource in waiting:
        kind = plain_text(find_node(resource, "type")) or ""
        if not kind or not find_entry(resource, "apiversion") or is_true(find_node(resource, "existing")):
            continue
        kind = f"{parent}/{kind}" if parent and "." not in kind else kind
        if kind.lower() == _DEPLOYMENT:
            inner = find_node(resource, "properties", "template")
            passed = dict(_passed(resource, resolve))
            for each in mappings_in(inner):
                yield from _read_template(each, passed, nesting + 1)
            continue
        places = list(judge_resource(kind, resource, resource.line, resolve, judged))
        yield from places
        waiting += [(kind, each) for _, each in _resources_of(resource)]
        if not any(place.pattern in PASSWORD_PATTERNS for place in places):
            yield from _read_admin_user(resource)


def _resources_of(template: Mapping) -> Iterator[tuple[str, Mapping]]:
    """Yield resources: of a list, or of an object in which they have symbolic names."""
    resources = find_node(template, "resources")
    for each in mappings_in(resources):
        if find_entry(each, "type"):
            yield "", each
        elif each is resources:
            for key, below in each.items():
                if isinstance(below, Mapping):
                    yield key.text, below


def _passed(deployment: Mapping, resolve: Resolver) -> Iterator[tuple[str, object]]:
    for key, value in entries_of(find_node(deployment, "properties", "parameters")):
        yield key.text.lower(), resolve(find_node(value, "value"))


def _make_resolver(template: Mapping, given: dict[str, object]) -> Resolver:
    def resolve(node: object) -> tuple[object, bool]:
        may_differ = False
        for _ in range(MAX_NAMES + 1):  # names that stand for each other have no end
            call = _CALL.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
            if not call:
                break
            name = fold_key(call[2])
            if call[1] == "variables":
                found = find_node(template, "variables", name)
            elif call[2].lower() in given:
                value = given[call[2].lower()]
                return value if isinstance(value, tuple) else (value, False)
            else:
                found, may_differ = find_node(template, "parameters", name, "defaultvalue"), True
            if found is None:
                return node, True
            node = found
        else:
            note_cut(TOO_MUCH)
        return node, may_differ

    return resolve


def _read_admin_user(resource: Mapping) -> Iterator[Place]:
    for node in walk_all(resource):
        if isinstance(node, Scalar) and "listCredentials(" in node.text and node.text.lstrip().startswith("["):
            yield Place(node.line, "admin-user")
            return

"""The $filter of the generic resources list, as far as registry tools use it."""

from __future__ import annotations

import re

from tests.localcloud.arm.errors import bad_filter
from tests.localcloud.world.registries import Registry

_TERM = re.compile(r"\s*(resourceType|name|resourceGroup)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
_AND = re.compile(r"and\b", re.IGNORECASE)


def parse(text: str) -> dict[str, str]:
    """`resourceType eq 'x' and name eq 'y'` as {"resourcetype": "x", "name": "y"}, values in lower case.

    Anything else answers 400, as Azure does for expressions it does not support.
    """
    terms: dict[str, str] = {}
    position = 0
    while True:
        match = _TERM.match(text, position)
        if match is None:
            raise bad_filter(text)
        terms[match[1].lower()] = match[2].replace("''", "'").lower()
        position = match.end()
        if position == len(text):
            return terms
        joint = _AND.match(text, position)
        if joint is None:
            raise bad_filter(text)
        position = joint.end()


def meets(registry: Registry, terms: dict[str, str]) -> bool:
    return (
        terms.get("resourcetype", "microsoft.containerregistry/registries") == "microsoft.containerregistry/registries"
        and terms.get("name", registry.name.lower()) == registry.name.lower()
        and terms.get("resourcegroup", registry.resource_group.lower()) == registry.resource_group.lower()
    )

"""Configurations of container clients: credential helpers, and credentials that are stored in the file."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.languages.expressions import entries_of, find_entries, find_entry, plain_text
from azext_acrscope.consumers.code.languages.json_documents import read_json
from azext_acrscope.consumers.code.patterns.registry_names import find_acr
from azext_acrscope.consumers.code.patterns.stored_credentials import pattern_of_user, user_of_auth
from azext_acrscope.consumers.code.place import Place

_FILE = re.compile(r"(?:^|/)(?:[\w.-]*docker[\w.-]*/)?[\w.-]*(?:config|auth)[\w.-]*\.json\Z|dockercfg\Z", re.IGNORECASE)


_PARTS_OF_NAMES = ("config", "auth", "dockercfg")
ENDINGS = None
WORDS = ("azurecr.", "acr-env", '"acr"')


def reads(name: str) -> bool:
    """Return whether a file may be such a configuration."""
    return (
        name.endswith((".json", "dockercfg"))
        and any(part in name for part in _PARTS_OF_NAMES)
        and bool(_FILE.search(name))
    )


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the registries that have a helper of Azure's, or a credential in the file."""
    if not any(mark in text for mark in ('"auths"', '"credHelpers"', '"credsStore"')):
        return
    for file in read_json(text):
        for key, helper in (each for _, node in find_entries(file, "credhelpers") for each in entries_of(node)):
            if (plain_text(helper) or "") in ("acr-env", "acr"):
                yield Place(key.line, "docker-acr-helper", find_acr(key.text))
        store = find_entry(file, "credsstore")
        if store and plain_text(store[1]) == "acr-env":
            yield Place(store[0].line, "docker-acr-helper")
        for key, entry in (each for _, node in find_entries(file, "auths") for each in entries_of(node)):
            auth = find_entry(entry, "auth")
            if auth and (host := find_acr(key.text)) and (user := user_of_auth(plain_text(auth[1]) or "")):
                yield Place(key.line, pattern_of_user(user), host)

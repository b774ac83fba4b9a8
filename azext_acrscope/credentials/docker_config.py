"""What the docker client makes of its config.json.

docker goes on without a file that it cannot read to the end, with a warning only; and its next login writes the file
anew, without the credentials that it had not read (tried with 28.2; docker/cli#5075). So a login is refused before.
"""

import base64
import binascii
import shutil
from typing import Any

from azext_acrscope.base import systems

_TEXTS = ("credsStore", "currentContext", "detachKeys", "experimental")  # and whatever ends in `Format`
_LISTS = ("pruneFilters", "cliPluginsExtraDirs")
_OBJECTS_OF_TEXTS = ("HttpHeaders", "credHelpers", "aliases", "features")
_OBJECTS_OF_OBJECTS = ("auths", "plugins", "proxies")


def find_problem(content: dict[str, Any]) -> str:
    """Return what keeps docker from reading this configuration, by its name; empty if nothing does."""
    for member, value in content.items():
        if value is not None and (problem := _shape_problem(member, value)):
            return problem
    for key, entry in (content.get("auths") or {}).items():
        if entry and not _is_valid_auth(entry.get("auth")):
            return f"the 'auth' of the entry '{key}' is not valid"
    return ""


def _shape_problem(member: str, value: Any) -> str:
    if (member in _TEXTS or member.endswith("Format")) and not isinstance(value, str):
        return f"'{member}' is not a text"
    if member in _LISTS and not (isinstance(value, list) and all(map(_is_text, value))):
        return f"'{member}' is not a list of texts"
    if member in _OBJECTS_OF_TEXTS + _OBJECTS_OF_OBJECTS:
        if not isinstance(value, dict):
            return f"'{member}' is not a JSON object"
        problem_of = _text_problem if member in _OBJECTS_OF_TEXTS else _object_problem
        return next((problem for name, each in value.items() if (problem := problem_of(member, name, each))), "")
    return ""


def _text_problem(member: str, name: str, value: Any) -> str:
    return "" if _is_text(value) else f"'{name}' in '{member}' is not a text"


def _object_problem(member: str, name: str, value: Any) -> str:
    if not isinstance(value, (dict, type(None))):
        return f"'{name}' in '{member}' is not a JSON object"
    wrong = [part for part, text in (value or {}).items() if not _is_text(text)]
    return f"'{wrong[0]}' of '{name}' in '{member}' is not a text" if wrong else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, type(None)))


def _is_valid_auth(auth: str | None) -> bool:
    """Whether it is base64 of USER:PASSWORD, with a user, or nothing at all."""
    try:
        decoded = base64.b64decode("".join((auth or "").splitlines()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return not auth or decoded.find(b":") > 0


def default_store(content: dict[str, Any]) -> str:
    """Return the keychain that docker, helm and oras pick by themselves; empty if they pick none.

    They do while their file names no helper and has no entry (docker/cli#6719), if the keychain's helper is on PATH.
    """
    if any(content.get(member) for member in ("auths", "credHelpers", "credsStore")):
        return ""
    name = systems.this_system().keychain(shutil.which)
    return name if shutil.which(f"docker-credential-{name}") else ""

"""Least privilege: a refresh token is good for an access token that opens some repositories only (75 minutes).

Wire format, as documented (Azure/acr, docs/AAD-OAuth.md): ``POST /oauth2/token`` with the form
``grant_type=refresh_token&service=…&scope=repository:NAME:pull,push&refresh_token=…``, the scope once for each
repository, answers ``{"access_token": "…"}``. What was granted is in the token's own claim ``access``: a list of
objects with ``type``, ``name`` and ``actions``. Registries leave out what the identity may not do, and do not say so
otherwise. Such a token serves as a password of the user `protocol_constants.TOKEN_USERNAME`, as the refresh token does.
"""

import re
from typing import Any

from azext_acrscope.base import hosts
from azext_acrscope.base.foreign_json import find_objects
from azext_acrscope.base.tokens import AccessToken, RefreshToken, parse_json_object, read_claims, read_expiry, safe_word
from azext_acrscope.hops import login_server_errors
from azext_acrscope.hops.token_endpoints import (
    LoginServer,
    LoginServerAnswer,
    is_expired,
    read_correlation_id,
    read_error_envelope,
)

# A word on the command line, and the actions of the registry's scopes that it stands for.
PERMISSIONS = {
    "pull": ["pull"],
    "push": ["pull", "push"],  # a push asks first which layers are there
    "delete": ["delete"],
    "metadata": ["metadata_read"],
    "metadata-write": ["metadata_read", "metadata_write"],
}


def requested_actions(repositories: list[str] | None, permissions: list[str] | None) -> dict[str, list[str]]:
    """Return the actions wanted in each repository, by words of `PERMISSIONS`, by default `pull`; empty without any."""
    actions = list(dict.fromkeys(action for word in permissions or ["pull"] for action in PERMISSIONS[word]))
    return dict.fromkeys(repositories or [], actions)


def acquire_access_token(
    server: LoginServer, service: str, token: RefreshToken, wanted: dict[str, list[str]]
) -> AccessToken:
    """Exchange a refresh token for an access token that opens the repositories named and nothing else.

    :param service: the service of the registry's challenge.
    :param wanted: actions by repository.
    :raises ForbiddenError: nothing of what was wanted in a repository was granted.
    :raises UnauthorizedError, AzureResponseError, AzureInternalError, AzureConnectionError: as for the second hop.
    """
    form: dict[str, str | list[str]] = {
        "grant_type": "refresh_token",
        "service": service,
        "scope": [f"repository:{name}:{','.join(each)}" for name, each in wanted.items()],
        "refresh_token": token.value,
    }
    return read_access_token(server.post("/oauth2/token", form), server.host, server.suffix, wanted)


def read_access_token(
    answer: LoginServerAnswer, login_server: str, suffix: str, wanted: dict[str, list[str]]
) -> AccessToken:
    """Return the access token of a registry's answer, which must be for it and grant nothing that was not wanted."""
    if answer.status != 200:
        code, _, correlation = read_error_envelope(answer)
        raise login_server_errors.access_refused(login_server, answer.status, code, correlation)
    value = parse_json_object(answer.body).get("access_token")
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise login_server_errors.bad_access_answer(login_server, "no access token", read_correlation_id(answer))
    token_claims = read_claims(value)
    meant_for = token_claims.get("aud", "nobody")
    if not hosts.is_own_service(meant_for, login_server, suffix):
        raise login_server_errors.bad_access_answer(
            login_server, f"a token for '{safe_word(meant_for)}'", read_correlation_id(answer)
        )
    if is_expired(answer, token_claims):
        raise login_server_errors.bad_access_answer(
            login_server, "an access token that has expired already", read_correlation_id(answer)
        )
    opened = granted_actions(token_claims)
    more = [name for name, each in opened.items() if not set(each) <= set(wanted.get(name, []))]
    if more:
        what = f"more than was asked for ({', '.join(safe_word(name) for name in more)})"
        raise login_server_errors.bad_access_answer(login_server, what, read_correlation_id(answer))
    nothing = [name for name in wanted if not opened.get(name)]
    if nothing:
        raise login_server_errors.nothing_granted(login_server, nothing, wanted[nothing[0]])
    return AccessToken(value, login_server, read_expiry(token_claims), opened)


def missing_actions(token: AccessToken, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what was wanted and not granted: actions by repository, without the repositories where all was."""
    missing = {name: [action for action in each if action not in token.granted[name]] for name, each in wanted.items()}
    return {name: each for name, each in missing.items() if each}


def granted_actions(token_claims: dict[str, Any]) -> dict[str, list[str]]:
    """Return the actions by repository in an access token's claims; other things it opens are `TYPE:NAME`."""
    found: dict[str, list[str]] = {}
    for entry in find_objects(token_claims, "access"):
        if isinstance(entry.get("actions"), list):
            kind, name = entry.get("type"), str(entry.get("name"))
            key = name if kind == "repository" else f"{kind}:{name}"
            found.setdefault(key, []).extend(map(str, entry["actions"]))
    return found

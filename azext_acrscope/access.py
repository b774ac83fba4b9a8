"""Least privilege: a refresh token is good for an access token that opens some repositories only (75 minutes).

Wire format, as documented (Azure/acr, docs/AAD-OAuth.md): ``POST /oauth2/token`` with the form
``grant_type=refresh_token&service=…&scope=repository:NAME:pull,push&refresh_token=…``, the scope once for each
repository, answers ``{"access_token": "…"}``. What was granted is in the token's own claim ``access``: a list of objects
with ``type``, ``name`` and ``actions``. Registries leave out what the identity may not do, and do not say so otherwise.
Such a token serves as a password of the user `clients.USERNAME`, as the refresh token does.
"""

import re

from azext_acrscope import _errors
from azext_acrscope.login_server import Answer, LoginServer, correlation_id, envelope
from azext_acrscope.tokens import AccessToken, RefreshToken, claims, expiry, json_object, plain

# A word on the command line, and the actions of the registry's scopes that it stands for.
PERMISSIONS = {
    "pull": ["pull"],
    "push": ["pull", "push"],  # a push asks first which layers are there
    "delete": ["delete"],
    "metadata": ["metadata_read"],
    "metadata-write": ["metadata_read", "metadata_write"],
}
_REPOSITORY = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*")  # the distribution specification's names, a little wider


def actions(permissions: list[str]) -> list[str]:
    """The actions that words of `PERMISSIONS` stand for, each once."""
    return list(dict.fromkeys(action for word in permissions for action in PERMISSIONS[word]))


def is_repository(name: str) -> bool:
    """Whether a repository can be named so; anything else would change the scope that is asked for."""
    return bool(_REPOSITORY.fullmatch(name)) and len(name) <= 255


def limit(server: LoginServer, service: str, token: RefreshToken, wanted: dict[str, list[str]]) -> AccessToken:
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
    return read_access(server.post("/oauth2/token", form), server.host, wanted)


def read_access(answer: Answer, login_server: str, wanted: dict[str, list[str]]) -> AccessToken:
    """The access token of a registry's answer, which must grant nothing that was not wanted."""
    if answer.status != 200:
        code, _, correlation = envelope(answer)
        raise _errors.access_refused(login_server, answer.status, code, correlation)
    value = json_object(answer.body).get("access_token")
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise _errors.bad_access_answer(login_server, "no access token", correlation_id(answer))
    token_claims = claims(value)
    granted = _granted(token_claims.get("access"))
    more = [name for name, each in granted.items() if not set(each) <= set(wanted.get(name, []))]
    if more:
        what = f"more than was asked for ({', '.join(plain(name) for name in more)})"
        raise _errors.bad_access_answer(login_server, what, correlation_id(answer))
    nothing = [name for name in wanted if not granted.get(name)]
    if nothing:
        raise _errors.nothing_granted(login_server, nothing, wanted[nothing[0]])
    return AccessToken(value, login_server, expiry(token_claims), granted)


def less(token: AccessToken, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    """What was wanted and not granted: actions by repository, without the repositories where all was."""
    missing = {name: [action for action in each if action not in token.granted[name]] for name, each in wanted.items()}
    return {name: each for name, each in missing.items() if each}


def _granted(access: object) -> dict[str, list[str]]:
    """Actions by repository of an access claim; anything else that it names counts as a repository of that name."""
    granted: dict[str, list[str]] = {}
    for entry in access if isinstance(access, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("actions"), list):
            name = str(entry.get("name"))
            kind = entry.get("type")
            granted.setdefault(name if kind == "repository" else f"{kind}:{name}", []).extend(
                map(str, entry["actions"])
            )
    return granted

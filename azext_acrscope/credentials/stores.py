"""Credential stores: a credential file, or a helper program that keeps credentials in docker's protocol.

docker-py has a client of that protocol, too. It was weighed and left: it is nowhere in the CLI, so it would be shipped
for eighty lines, and those have no time-out, so a helper that asks its user something unseen would hang the command.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from azext_acrscope.base import processes
from azext_acrscope.base.hosts import host_of_reference
from azext_acrscope.base.tokens import AccessToken, RefreshToken, parse_json_object
from azext_acrscope.credentials import credential_file, errors
from azext_acrscope.credentials.protocol_constants import IDENTITY_TOKEN_USERNAME, NOT_FOUND_TEXT, TOKEN_USERNAME

OWN_HELPER = "acrscope"  # as credHelpers name it
_HELPER_SECONDS = 60
_WINCRED_MAX_BYTES = 2560  # Windows refuses larger ones (CRED_MAX_CREDENTIAL_BLOB_SIZE)


@dataclass(frozen=True)
class StoredCredential:
    """What is stored for a host. `identity` tells a refresh token that a client will use as such."""

    username: str
    secret: str = field(repr=False)
    identity: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it is a token of the registry's own, as every sign-in with Entra ID leaves behind."""
        return self.username in (TOKEN_USERNAME, IDENTITY_TOKEN_USERNAME)


class CredentialStore(Protocol):
    """Where credentials lie; `name` is a file's path or a helper's program."""

    @property
    def name(self) -> str: ...

    def get(self, host: str) -> StoredCredential | None:
        """The credential of a host, None if there is none."""

    def put(self, tokens: list[RefreshToken | AccessToken]) -> None:
        """Keep these tokens, each for its login server."""

    def erase(self, host: str) -> None:
        """Forget the credential of a host, in all its spellings."""

    def hosts(self) -> list[str]:
        """The hosts that there are credentials for."""


class FileStore:
    """The `auths` of a credential file. Errors are those of `credential_file`."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def name(self) -> str:
        return str(self.file)

    def get(self, host: str) -> StoredCredential | None:
        auths = credential_file.read_credential_file(self.file).get("auths") or {}
        found = [auths[key] for key in _keys_of_host(auths, host)]
        return _parse_auth_entry(found[0]) if found else None

    def put(self, tokens: list[RefreshToken | AccessToken]) -> None:
        """As user and password, which all clients read; an identity token is not known to all, and must not stay.

        (docker itself writes `identitytoken`, over which podman refuses to log in, and which oras-py does not see.)
        """
        with credential_file.edit_credential_file(self.file) as content:
            auths = content["auths"] = content.get("auths") or {}
            for token in tokens:
                before = auths.get(token.login_server)
                kept = (
                    {key: before[key] for key in before if key not in _SECRET_MEMBERS}
                    if isinstance(before, dict)
                    else {}
                )
                auths[token.login_server] = {"auth": encode_auth(TOKEN_USERNAME, token.value), **kept}

    def erase(self, host: str) -> None:
        with credential_file.edit_credential_file(self.file) as content:
            auths = content.get("auths") or {}
            for key in _keys_of_host(auths, host):
                del auths[key]

    def hosts(self) -> list[str]:
        auths = credential_file.read_credential_file(self.file).get("auths") or {}
        return [host_of_reference(key) for key in auths if _parse_auth_entry(auths[key])]


_SECRET_MEMBERS = ("auth", "identitytoken", "registrytoken", "username", "password")


class HelperStore:
    """A program docker-credential-NAME on PATH.

    Its errors come as its last words: FileOperationError, or ValidationError if it cannot be found or run.
    """

    def __init__(self, helper: str) -> None:
        self.helper = helper

    @property
    def name(self) -> str:
        return f"docker-credential-{self.helper}"

    @property
    def renews(self) -> bool:
        """Whether it is our own, which makes a credential whenever it is asked for one."""
        return self.helper == OWN_HELPER

    def get(self, host: str) -> StoredCredential | None:
        answer = self._ask("get", host, host)
        if answer is None:
            return None
        credential = parse_json_object(answer)
        username, secret = credential.get("Username"), credential.get("Secret")
        if not (isinstance(username, str) and isinstance(secret, str)):
            raise errors.helper_failed(self.name, "get", host, "its answer is not a credential")
        return StoredCredential(username, secret)

    def put(self, tokens: list[RefreshToken | AccessToken]) -> None:
        for token in tokens:
            self.check_size(token)
            entry = {"ServerURL": token.login_server, "Username": TOKEN_USERNAME, "Secret": token.value}
            self._ask("store", json.dumps(entry), token.login_server)

    def erase(self, host: str) -> None:
        self._ask("erase", host, host)

    def hosts(self) -> list[str]:
        return list(self.usernames())

    def usernames(self) -> dict[str, str]:
        """The user name of each host's credential; no secret is asked for."""
        answer = (self._ask("list", "unused", "all hosts") or b"{}").strip()
        if not parse_json_object(answer) and answer not in (b"{}", b"null"):  # null is Go's empty map
            raise errors.helper_failed(self.name, "list", "all hosts", "its answer is not a list of hosts")
        return {host_of_reference(key): str(name) for key, name in parse_json_object(answer).items()}

    def check(self) -> None:
        """Raise if the program is not there."""
        if not processes.find_program(self.name):
            raise errors.helper_not_found(self.name)

    def check_size(self, token: RefreshToken | AccessToken) -> None:
        """Raise if the store cannot take the token: its own error says nothing, and its usual cure deletes all else."""
        size = len(token.value.encode())
        if self.helper.removesuffix(".exe") == "wincred" and size > _WINCRED_MAX_BYTES:
            raise errors.too_large_for_wincred(token.login_server, size, _WINCRED_MAX_BYTES)

    def _ask(self, action: str, text: str, host: str) -> bytes | None:
        """The helper's answer to what it reads; None if it says that there is no such credential."""
        program = processes.find_program(self.name)
        if not program:
            raise errors.helper_not_found(self.name)
        try:
            ended = processes.run_program([program, action], text.encode(), _HELPER_SECONDS)
        except TimeoutError:
            raise errors.helper_failed(self.name, action, host, "it did not end within a minute") from None
        if ended.code == 0:
            return ended.stdout
        if ended.stdout.decode(errors="replace").strip() == NOT_FOUND_TEXT:
            return None
        raise errors.helper_failed(self.name, action, host, ended.said)


def choose_store(file: Path, host: str, knows_store: bool = True) -> CredentialStore:
    """The store that a client uses for a host: credHelpers[host], else credsStore, else the file itself.

    :param knows_store: whether the client knows `credsStore`; podman and its kin do not.
    """
    config = credential_file.read_credential_file(file)
    of_all = config.get("credsStore") if knows_store else None
    helper = (config.get("credHelpers") or {}).get(host, of_all)  # an empty one means the file, too
    return HelperStore(helper) if isinstance(helper, str) and helper else FileStore(file)


def encode_auth(username: str, secret: str) -> str:
    """The `auth` member of an entry."""
    return base64.b64encode(f"{username}:{secret}".encode()).decode()


def _parse_auth_entry(entry: Any) -> StoredCredential | None:
    """The credential of an entry of `auths`; None for a broken or an empty one (docker leaves such beside a store)."""
    if not isinstance(entry, dict):
        return None
    try:
        username, _, password = base64.b64decode(entry.get("auth") or "", validate=True).decode().partition(":")
    except (binascii.Error, ValueError, TypeError):
        return None
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return StoredCredential(username or IDENTITY_TOKEN_USERNAME, token, identity=True)
    return StoredCredential(username, password.rstrip("\0")) if username and password else None


def _keys_of_host(auths: dict[str, Any], host: str) -> list[str]:
    """Return the keys of a host, the plain one first. A key may be a URL, as older clients wrote it; one of a single
    repository (host/name) is another credential.
    """
    urls = [key for key in auths if key != host and host_of_reference(key) == host and ("://" in key or "/" not in key)]
    return ([host] if host in auths else []) + urls

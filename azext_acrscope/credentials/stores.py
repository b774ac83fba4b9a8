"""Credential stores: a credential file, or a helper program that keeps credentials in docker's protocol.

docker-py has a client of that protocol, too. It was weighed and left: it is nowhere in the CLI, so it would be shipped
for eighty lines, and those have no time-out, so a helper that asks its user something unseen would hang the command.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from azext_acrscope.base import files, processes, systems
from azext_acrscope.base.hosts import host_of_reference
from azext_acrscope.base.tokens import AccessToken, RefreshToken, parse_json_object
from azext_acrscope.credentials import credential_file, docker_config, errors, file_errors
from azext_acrscope.credentials.protocol_constants import IDENTITY_TOKEN_USERNAME, NOT_FOUND_TEXT, TOKEN_USERNAME

OWN_HELPER = "acrscope"  # as credHelpers name it
LEGACY_FILE_NAME = ".dockercfg"  # without `auths`: its entries are the whole file
# They keep nothing: they make credentials for these registries alone, and refuse a `store`, or ignore it.
FETCHING_HELPERS = {"ecr-login": "Amazon ECR", "gcloud": "Google Cloud"}
_HELPER_SECONDS, _LIST_SECONDS = 60, 10
_WINCRED_MAX_BYTES = 2560  # Windows refuses larger ones (CRED_MAX_CREDENTIAL_BLOB_SIZE)


@dataclass(frozen=True)
class StoredCredential:
    """What is stored for a host. `identity` tells a refresh token that a client will use as such.

    :ivar key: the entry of the file, where it is not the host itself.
    """

    username: str
    secret: str = field(repr=False)
    identity: bool = False
    key: str = ""

    @property
    def is_ours(self) -> bool:
        """Return whether it is a token of the registry's own, as every sign-in with Entra ID leaves behind."""
        return self.username in (TOKEN_USERNAME, IDENTITY_TOKEN_USERNAME)


class CredentialStore(Protocol):
    """Where credentials lie; `name` is a file's path or a helper's program."""

    @property
    def name(self) -> str:
        """Return what people call the store."""

    def get(self, host: str) -> StoredCredential | None:
        """Return the credential of a host, None if there is none."""

    def put(self, tokens: list[RefreshToken | AccessToken]) -> None:
        """Keep these tokens, each for its login server."""

    def erase(self, host: str) -> None:
        """Forget the credential of a host, in all its spellings."""

    def hosts(self) -> list[str]:
        """Return the hosts that there are credentials for."""


class FileStore:
    """The `auths` of a credential file. Errors are those of `credential_file`.

    :param whole_host: an entry of a repository (HOST/NAME) stands for its whole host.
    """

    def __init__(self, file: Path, whole_host: bool = False) -> None:
        self.file = file
        self.whole_host = whole_host

    @property
    def name(self) -> str:
        """Return what people call the store."""
        return str(self.file)

    def get(self, host: str) -> StoredCredential | None:
        """Return the stored credential of a host; None if there is none.

        :raises BrokenEntryError: there is an entry, and it cannot be decoded.
        """
        auths = self._read_auths()
        for key in self._keys_of_host(auths, host):
            try:
                found = _parse_auth_entry(auths[key])
            except ValueError:
                raise file_errors.auth_entry_broken(host, str(self.file), key) from None
            return replace(found, key="" if key == host else key) if found else None
        return None

    def put(self, tokens: list[RefreshToken | AccessToken]) -> None:
        """Store tokens as user and password, which all clients read; an identity token must not stay beside them.

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
        """Remove the credential of a host, in all its spellings; that of another user stays."""
        with credential_file.edit_credential_file(self.file) as content:
            auths = content.get("auths") or {}
            for key in self._keys_of_host(auths, host):
                if not _is_somebody_elses(auths[key]):
                    del auths[key]

    def hosts(self) -> list[str]:
        """Return the hosts with a credential, and HOST/NAME where that has one of its own."""
        auths = self._read_auths()
        return [
            key if self._is_of_repository(key) else host_of_reference(key)
            for key, entry in auths.items()
            if not _is_broken(entry) and _parse_auth_entry(entry)
        ]

    def broken_keys(self, host: str) -> list[str]:
        """Return the entries of a host, and of its repositories, that cannot be decoded."""
        auths = self._read_auths()
        own = [*self._keys_of_host(auths, host), *(key for key in auths if key.startswith(f"{host}/"))]
        return [key for key in dict.fromkeys(own) if _is_broken(auths[key])]

    def _read_auths(self) -> dict[str, Any]:
        content = credential_file.read_credential_file(self.file)
        return content if self.file.name == LEGACY_FILE_NAME else content.get("auths") or {}

    def _is_of_repository(self, key: str) -> bool:
        """Whether an entry is for a repository alone. A URL is for its host: older clients wrote such."""
        return not self.whole_host and "/" in key and "://" not in key

    def _keys_of_host(self, auths: dict[str, Any], host: str) -> list[str]:
        """The keys of a host, the plain one first."""
        others = [
            key for key in auths if key != host and host_of_reference(key) == host and not self._is_of_repository(key)
        ]
        return ([host] if host in auths else []) + others


_SECRET_MEMBERS = ("auth", "identitytoken", "registrytoken", "username", "password")


class HelperStore:
    """A program docker-credential-NAME on PATH.

    Its errors come as its last words: FileOperationError, or ValidationError if it cannot be found or run.
    """

    def __init__(self, helper: str) -> None:
        self.helper = helper

    @property
    def name(self) -> str:
        """Return what people call the store."""
        return f"docker-credential-{self.helper}"

    @property
    def renews(self) -> bool:
        """Return whether it is our own, which makes a credential whenever it is asked for one."""
        return self.helper == OWN_HELPER

    def get(self, host: str) -> StoredCredential | None:
        """Return the stored credential of a host; None if there is none."""
        answer = self._ask("get", host, host)
        if answer is None:
            return None
        credential = parse_json_object(answer)
        username, secret = credential.get("Username"), credential.get("Secret")
        if not (isinstance(username, str) and isinstance(secret, str)):
            raise errors.helper_failed(self.name, "get", host, "its answer is not a credential")
        # docker-credential-pass answers with an empty one where it has none.
        return StoredCredential(username, secret) if secret else None

    def put(self, tokens: list[RefreshToken | AccessToken]) -> None:
        """Store tokens with the helper."""
        for token in tokens:
            self.check_size(token)
            entry = {"ServerURL": token.login_server, "Username": TOKEN_USERNAME, "Secret": token.value}
            self._ask("store", json.dumps(entry), token.login_server)

    def erase(self, host: str) -> None:
        """Remove the credential of a host."""
        self._ask("erase", host, host)

    def hosts(self) -> list[str]:
        """Return the hosts with a credential."""
        return list(self.usernames())

    def usernames(self) -> dict[str, str]:
        """Return the user name of each host's credential; no secret is asked for."""
        answer = (self._ask("list", "unused", "all hosts") or b"{}").strip()
        if not parse_json_object(answer) and answer not in (b"{}", b"null"):  # null is Go's empty map
            raise errors.helper_failed(self.name, "list", "all hosts", "its answer is not a list of hosts")
        return {host_of_reference(key): str(name) for key, name in parse_json_object(answer).items()}

    def check(self) -> None:
        """Raise if the program is not there, or cannot be run."""
        self._program()

    def check_alive(self) -> list[str]:
        """Return the hosts that the helper lists, none if it has no list; no credential is asked for.

        :raises FileOperationError: it does not speak the protocol, in which an error is exit code 1 and a text.
        """
        ended = self._run("list", "unused", "all hosts", _LIST_SECONDS)
        refused = ended.code == 1 and ended.stdout.strip() and not self.renews
        if ended.code != 0 and not refused:
            raise errors.helper_failed(self.name, "list", "all hosts", errors.how_it_ended(ended.code, ended.said))
        return [] if refused else [host_of_reference(key) for key in parse_json_object(ended.stdout)]

    def check_size(self, token: RefreshToken | AccessToken) -> None:
        """Raise if the store cannot take the token: its own error says nothing, and its usual cure deletes all else."""
        size = len(token.value.encode())
        if systems.plain_name(self.helper) == "wincred" and size > _WINCRED_MAX_BYTES:
            raise errors.too_large_for_wincred(token.login_server, size, _WINCRED_MAX_BYTES)

    def _ask(self, action: str, text: str, host: str) -> bytes | None:
        """The helper's answer to what it reads; None if it says that there is no such credential."""
        ended = self._run(action, text, host, _HELPER_SECONDS)
        if ended.code == 0:
            return ended.stdout
        if ended.stdout.decode(errors="replace").strip() == NOT_FOUND_TEXT:
            return None
        raise errors.helper_failed(self.name, action, host, errors.how_it_ended(ended.code, ended.said))

    def _run(self, action: str, text: str, host: str, seconds: float) -> processes.ProcessResult:
        program = self._program()
        try:
            return processes.run_program([program, action], text.encode(), seconds)
        except TimeoutError:
            why = f"it did not end within {seconds:g} seconds"
        except OSError as error:
            why = f"{program} cannot be run: {files.os_error_reason(error)}"
        raise errors.helper_failed(self.name, action, host, why)

    def _program(self) -> str:
        program = processes.find_program(self.name)
        if not program:
            raise errors.helper_not_found(self.name, processes.find_unexecutable(self.name))
        return program


def choose_store(  # pylint: disable=too-many-positional-arguments
    file: Path,
    host: str,
    knows_store: bool = True,
    detects_store: bool = False,
    whole_host: bool = False,
    config: dict[str, Any] | None = None,
) -> CredentialStore:
    """Return the store that a client uses for a host: credHelpers[host], else credsStore, else the file itself.

    :param knows_store: whether the client knows `credsStore`; podman and its kin do not.
    :param detects_store: whether it picks the keychain by itself while its file has no credentials.
    :param whole_host: whether an entry of a repository stands for its whole host to it.
    :param config: what the file says, where it was read already.
    """
    config = credential_file.read_credential_file(file) if config is None else config
    of_all = config.get("credsStore") if knows_store else None
    if detects_store:
        of_all = of_all or docker_config.default_store(config)
    helper = (config.get("credHelpers") or {}).get(host, of_all)  # an empty one means the file, too
    return HelperStore(helper) if helper else FileStore(file, whole_host)


def encode_auth(username: str, secret: str) -> str:
    """Return the `auth` member of an entry."""
    return base64.b64encode(f"{username}:{secret}".encode()).decode()


def _is_broken(entry: Any) -> bool:
    try:
        _parse_auth_entry(entry)
    except ValueError:
        return True
    return False


def _is_somebody_elses(entry: Any) -> bool:
    """Whether it is the credential of another user. One that cannot be decoded is nobody's."""
    credential = None if _is_broken(entry) else _parse_auth_entry(entry)
    return credential is not None and not credential.is_ours


def _parse_auth_entry(entry: Any) -> StoredCredential | None:
    """The credential of an entry of `auths`; None for an empty one (docker leaves such beside a store).

    :raises ValueError: it cannot be decoded.
    """
    if not isinstance(entry, dict):
        return None
    try:
        auth = "".join(str(entry.get("auth") or "").splitlines())
        username, _, password = base64.b64decode(auth, validate=True).decode(errors="replace").partition(":")
    except binascii.Error as error:
        raise ValueError from error
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return StoredCredential(username or IDENTITY_TOKEN_USERNAME, token, identity=True)
    return StoredCredential(username, password.rstrip("\0")) if username and password else None

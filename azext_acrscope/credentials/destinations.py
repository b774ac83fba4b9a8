"""Where a credential goes, and what would keep clients from using it there.

Three kinds: a client on this machine, which stores it by its own login; a credential file (`--auth-file`); and, where
there is no client, docker's configuration, by docker's rules.
"""

import os
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError, FileOperationError
from knack.log import get_logger

from azext_acrscope.base.tokens import AccessToken, RefreshToken, parse_json_object
from azext_acrscope.credentials import clients, credential_file, errors, stores
from azext_acrscope.credentials.clients import ContainerClient
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import CredentialStore, FileStore, HelperStore, StoredCredential

RegistryToken = RefreshToken | AccessToken
logger = get_logger(__name__)


@dataclass(frozen=True)
class Destination:
    """A client, or a file; neither means docker's configuration."""

    client: ContainerClient | None = None
    file: Path | None = None

    @property
    def kind(self) -> str | None:
        """Return the client whose rules hold; None for a file that any may read, and for a client of unknown rules."""
        if self.file:
            return None
        name = self.client.name if self.client else "docker"
        return name if name in clients.KNOWN_CLIENTS else None

    def store(self, host: str) -> CredentialStore | None:
        """Return where the credential of a host lies; None for a client of unknown rules."""
        if self.file:
            return FileStore(self.file)
        return clients.store_of_client(self.kind, host) if self.kind else None

    def check(self, host: str) -> None:
        """Raise if the credential of this host could not be put here; asked before any token is.

        :raises FileOperationError: the file cannot be understood.
        :raises ValidationError: the helper is not there, or podman would refuse, for it finds an identity token.
        """
        store = self.store(host)
        if isinstance(store, HelperStore):
            if not self.client:  # a client may have a PATH of its own
                store.check()
        elif self.kind == "podman":
            _refuse_podman_identity_token(host)
        elif store:
            store.get(host)

    def put(self, tokens: list[RegistryToken]) -> dict[str, AzCLIError]:
        """Keep the tokens, each for its login server; what failed, by login server."""
        # A file takes all at once; clients come one after the other.
        batches = [tokens] if self.file and tokens else [[token] for token in tokens]
        failed: dict[str, AzCLIError] = {}
        for batch in batches:
            try:
                self._put(batch)
            except AzCLIError as error:
                failed |= {token.login_server: error for token in batch}
        return failed

    def _put(self, batch: list[RegistryToken]) -> None:
        if self.file:
            FileStore(self.file).put(batch)
            return
        (token,) = batch
        store = self.store(token.login_server)
        if isinstance(store, HelperStore):
            store.check_size(token)
        if self.client:
            with _lock_written_file(store):
                clients.run_login(self.client, token)
        elif store:
            store.put(batch)

    def erase(self, host: str) -> str:
        """Forget what a sign-in put here for a host; empty, or why there was nothing to forget.

        Errors are those of the client, the helper or the file.
        """
        store = self.store(host)
        if isinstance(store, HelperStore) and store.renews:
            return _erase_from_own_helper(store, host)
        before = store.get(host) if store else None
        if store and not before:
            return errors.nothing_stored(store.name)
        if store and before and not before.is_ours:
            return errors.somebody_elses(store.name, before.username)
        if self.client:
            with _lock_written_file(store):
                clients.run_logout(self.client, host)
        elif store:
            store.erase(host)
        if store and store.get(host) == before:  # docker, for one, ends well although its helper failed
            raise errors.still_stored(host, store.name)
        return ""

    def hosts(self) -> list[str]:
        """Return the hosts that something is stored for here, as far as the client's rules are known."""
        if self.file:
            return FileStore(self.file).hosts()
        if not self.kind:
            return []
        file = clients.config_file(self.kind)
        config = credential_file.read_credential_file(file)
        found = FileStore(file).hosts() + list(config.get("credHelpers") or {})
        store = stores.choose_store(file, "", clients.KNOWN_CLIENTS[self.kind].knows_store)
        if isinstance(store, HelperStore):
            found += store.hosts()
        return list(dict.fromkeys(found))

    def shadows(self, host: str) -> list[str]:
        """Return sentences on what clients read before, or instead of, the credential of a host that was put here."""
        file = self.file or (clients.config_file(self.kind) if self.kind else None)
        found = [errors.shadowed_by_variable(host)] if self._in_variable(host) else []
        if not file:
            return found
        config = credential_file.read_credential_file(file)
        if self.file:
            own, of_all = (config.get("credHelpers") or {}).get(host), config.get("credsStore")
            if own or of_all:
                found.append(errors.shadowed_by_helper(host, str(file), str(own or of_all), not own))
            named = os.environ.get("REGISTRY_AUTH_FILE")
            if named and os.path.realpath(named) != os.path.realpath(file):
                found.append(errors.shadowed_by_auth_file(named))
        if self.kind in (None, "podman"):
            narrower = [key for key in config.get("auths") or {} if key.startswith(f"{host}/")]
            found += [errors.shadowed_by_repositories(host, str(file), narrower)] if narrower else []
        if self.kind in ("docker", "oras"):
            with suppress(FileOperationError):  # if helm's own file is broken, or nowhere, helm says so
                helm = clients.config_file("helm")
                if helm != file and FileStore(helm).get(host):
                    found.append(errors.shadowed_for_helm(host, str(helm)))
        return found

    def _in_variable(self, host: str) -> bool:
        auths = parse_json_object(os.environ.get("DOCKER_AUTH_CONFIG") or "{}").get("auths")
        return self.kind in (None, "docker", "nerdctl") and isinstance(auths, dict) and host in auths


def _erase_from_own_helper(store: HelperStore, host: str) -> str:
    """It must not be asked for a credential to look at: it would make one."""
    username = store.usernames().get(host, TOKEN_USERNAME)
    if not StoredCredential(username, "").is_ours:
        return errors.somebody_elses(store.name, username)
    store.erase(host)
    logger.warning(errors.helper_makes_another(host))
    return ""


def choose_destination(client: str | None, auth_file: str | None) -> Destination:
    """Return what the user named, else what there is. Errors are those of `clients.find_client`."""
    if auth_file:
        return Destination(file=Path(os.path.abspath(os.path.expanduser(auth_file))))
    return Destination(client=clients.find_client(client))


def erase_credentials(
    destination: Destination, meant: dict[str, list[str]]
) -> tuple[list[dict[str, Any]], list[AzCLIError]]:
    """Forget what a sign-in stored; what failed does not keep the others.

    :param meant: login servers by what their user called them; a name without any makes a row, too.
    :returns: a row a login server (name, loginServer, client, credentialStore, removed, reason), and the errors.
    """
    rows, failed = [], []
    for name, host in [(name, host) for name, login_servers in meant.items() for host in login_servers or [""]]:
        place, reason = None, errors.nothing_stored_for(name)
        if host:
            try:
                store = destination.store(host)
                place, reason = store.name if store else None, destination.erase(host)
            except AzCLIError as error:
                failed.append(error)
                reason = error.error_msg
        client = destination.client.name if destination.client else None
        row = {"name": name, "loginServer": host or None, "client": client, "credentialStore": place}
        rows.append({**row, "removed": not reason, "reason": reason})
    return rows, failed


def _lock_written_file(store: CredentialStore | None) -> AbstractContextManager[None]:
    """One client at a time that writes this file: they take no lock, and of two at once one's entry is lost."""
    return credential_file.lock_file(store.file) if isinstance(store, FileStore) else nullcontext()


def _refuse_podman_identity_token(host: str) -> None:
    """podman refuses to log in if what it finds first for the host, wherever it lies, is an identity token."""
    own, *others = clients.podman_files()
    for file in [own, *others]:
        before = FileStore(file).get(host)
        if before and before.identity:
            raise errors.identity_token_in_the_way(host, str(file), str(own))
        if before:
            return

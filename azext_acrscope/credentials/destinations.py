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

from azext_acrscope.base import systems
from azext_acrscope.base.tokens import AccessToken, RefreshToken, parse_json_object
from azext_acrscope.credentials import clients, credential_file, docker_config, errors, file_errors, stores
from azext_acrscope.credentials.clients import ClientRules, ContainerClient
from azext_acrscope.credentials.file_errors import BrokenEntryError
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import CredentialStore, FileStore, HelperStore, StoredCredential

_KEPT_IN_ENTRY = {"auth", "identitytoken"}  # by those that keep certain members alone
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

    @property
    def rules(self) -> ClientRules | None:
        """Return the rules of the client that is run; None if none is, or its rules are not known."""
        return clients.KNOWN_CLIENTS[self.kind] if self.client and self.kind else None

    def store(self, host: str) -> CredentialStore | None:
        """Return where the credential of a host lies; None for a client of unknown rules."""
        if self.file:
            return FileStore(self.file)
        return clients.store_of_client(self.kind, host, detect=self.client is not None) if self.kind else None

    def check(self, host: str) -> None:
        """Raise if the credential of this host could not be put here; asked before any token is.

        :raises FileOperationError: the file cannot be understood, or not by the client.
        :raises ValidationError: the helper is not there, or stores nothing, or podman finds an identity token.
        """
        store = self.store(host)
        if problem := self._unreadable_for_client():
            raise file_errors.client_ignores_file(*problem)
        if isinstance(store, HelperStore):
            name = self.client.name if self.client else "docker"
            if served := stores.FETCHING_HELPERS.get(systems.plain_name(store.helper)):
                raise errors.helper_of_others(name, store.name, served, host)
            if not self.client:  # a client may have a PATH of its own
                store.check()
        elif self.file:
            credential_file.read_credential_file(self.file)
        elif self.client and self.rules and not self.rules.whole_host:
            _refuse_podman_identity_token(self.client, host)

    def _unreadable_for_client(self) -> tuple[str, str, str] | None:
        """What the client cannot read, and would lose: its name, its file, and the problem."""
        if not (self.client and self.kind and self.rules and self.rules.loses_unreadable):
            return None
        file = clients.config_file(self.kind)
        problem = docker_config.find_problem(credential_file.read_credential_file(file))
        return (self.client.name, str(file), problem) if problem else None

    def _client_may_write(self) -> bool:
        """Whether nothing of the client's file is lost when the client writes it: else, we do."""
        if not (self.client and self.kind and self.rules):
            return self.client is not None
        kept = self.rules.kept_members
        content = credential_file.read_credential_file(clients.config_file(self.kind))
        entries = [set(entry or {}) for entry in (content.get("auths") or {}).values()]
        if kept is not None and not (kept.issuperset(content) and all(entry <= _KEPT_IN_ENTRY for entry in entries)):
            return False
        return not self._unreadable_for_client()

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
        if self.client and self._client_may_write():
            with _lock_written_file(store):
                clients.run_login(self.client, token, store.name if isinstance(store, HelperStore) else "")
        elif store:
            store.put(batch)

    def erase(self, host: str) -> str:
        """Forget what a sign-in put here for a host; empty, or why there was nothing to forget.

        Errors are those of the client, the helper or the file.
        """
        store = self.store(host)
        if isinstance(store, HelperStore) and store.renews:
            return _erase_from_own_helper(store, host)
        try:
            before = store.get(host) if store else None
        except BrokenEntryError:  # clients fail on it, or lose others over it
            if store:
                store.erase(host)
            return ""
        if store and not before:
            return " ".join([errors.nothing_stored(store.name), *self._stored_elsewhere(host)])
        if store and before and not before.is_ours:
            return errors.somebody_elses(store.name, before.username)
        self._log_out(store, host, before)
        if store and store.get(host) == before:  # docker, for one, ends well although its helper failed
            raise errors.still_stored(host, store.name)
        for remark in self._stored_elsewhere(host):
            logger.warning(remark)
        return ""

    def _log_out(self, store: CredentialStore | None, host: str, before: StoredCredential | None) -> None:
        if self.client and self._client_may_write():
            with _lock_written_file(store):
                clients.run_logout(self.client, host)
            left = store.get(host) if isinstance(store, FileStore) else None
            if not left or (left == before and not left.key):
                return
        if store:  # with the entries that stand for the host, too, and that clients leave
            store.erase(host)

    def _stored_elsewhere(self, host: str) -> list[str]:
        """Sentences on the files that the client reads after its own, and does not log out of."""
        others = clients.auth_files(self.client)[1:] if self.client else []
        found = []
        for file in others:
            with suppress(FileOperationError):  # what is broken there is not what was asked for
                if FileStore(file).get(host):
                    found.append(errors.stored_elsewhere(self.client.name if self.client else "", str(file), host))
        return found

    def hosts(self) -> list[str]:
        """Return the hosts that something is stored for here, as far as the client's rules are known."""
        if self.file:
            return FileStore(self.file).hosts()
        if not self.kind:
            return []
        file = clients.config_file(self.kind)
        config = credential_file.read_credential_file(file)
        found = FileStore(file, clients.KNOWN_CLIENTS[self.kind].whole_host).hosts()
        found += list(config.get("credHelpers") or {})
        store = self.store("")
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
        if not (self.kind and clients.KNOWN_CLIENTS[self.kind].whole_host):
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
        if self.kind not in (None, "docker", "nerdctl") or not isinstance(auths, dict) or host not in auths:
            return False
        docker = self.client if self.client and self.kind == "docker" else ContainerClient("docker", "")
        return self.kind == "nerdctl" or clients.reads_auth_variable(docker)


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


def _refuse_podman_identity_token(client: ContainerClient, host: str) -> None:
    """podman refuses to log in if what it finds first for the host, wherever it lies, is an identity token.

    :raises BrokenEntryError: it fails on what it finds.
    """
    own, *others = clients.auth_files(client)
    for file in [own, *others]:
        before = FileStore(file).get(host)
        if before and before.identity:
            raise errors.identity_token_in_the_way(client.name, host, str(file), str(own))
        if before:
            return

"""Where a credential goes, and what would keep clients from using it there.

Three kinds: a client on this machine, which stores it by its own login; a credential file (`--auth-file`); and, where
there is no client, docker's configuration, by docker's rules.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, clients, credential_file, stores
from azext_acrscope.clients import Client
from azext_acrscope.stores import FileStore, HelperStore, Store
from azext_acrscope.tokens import AccessToken, RefreshToken, json_object

Token = RefreshToken | AccessToken


@dataclass(frozen=True)
class Destination:
    """A client, or a file; neither means docker's configuration."""

    client: Client | None = None
    file: Path | None = None

    @property
    def kind(self) -> str | None:
        """The client whose rules hold; None for a file that any may read, and for a client of unknown rules."""
        if self.file:
            return None
        name = self.client.name if self.client else "docker"
        return name if name in clients.KINDS else None

    def store(self, host: str) -> Store | None:
        """Where the credential of a host lies; None for a client of unknown rules."""
        if self.file:
            return FileStore(self.file)
        return clients.store(self.kind, host) if self.kind else None

    def check(self, host: str) -> None:
        """Raise if the credential of this host could not be put here; asked before any token is.

        :raises FileOperationError: the file cannot be understood.
        :raises ValidationError: podman would refuse, for its file holds an identity token for the host.
        """
        store = self.store(host)
        if self.kind == "podman" and isinstance(store, FileStore):
            before = store.get(host)
            if before and before.identity:
                raise _errors.identity_token_in_the_way(host, store.name)

    def put(self, tokens: list[Token]) -> dict[str, AzCLIError]:
        """Keep the tokens, each for its login server; what failed, by login server."""
        # A file takes all at once. Clients come one after the other: two logins of a client at once lose an entry.
        batches = [tokens] if self.file else [[token] for token in tokens]
        failed: dict[str, AzCLIError] = {}
        for batch in batches:
            try:
                self._put(batch)
            except AzCLIError as error:
                failed |= {token.login_server: error for token in batch}
        return failed

    def _put(self, batch: list[Token]) -> None:
        if self.file:
            FileStore(self.file).put(batch)
            return
        (token,) = batch
        store = self.store(token.login_server)
        if isinstance(store, HelperStore):
            store.check_size(token)
        if self.client:
            clients.login(self.client, token)
        elif store:
            store.put(batch)

    def erase(self, host: str) -> bool:
        """Forget what a sign-in put here for a host; whether there was such a thing."""
        store = self.store(host)
        before = store.get(host) if store else None
        if store and not (before and before.is_ours):
            return False
        if self.client:
            clients.logout(self.client, host)
        elif store:
            store.erase(host)
        return True

    def hosts(self) -> list[str]:
        """The hosts that something is stored for here, as far as the client's rules are known."""
        if self.file:
            return FileStore(self.file).hosts()
        if not self.kind:
            return []
        file = clients.config_file(self.kind)
        config = credential_file.read(file)
        found = FileStore(file).hosts() + list(config.get("credHelpers") or {})
        store = stores.choose(file, "", clients.KINDS[self.kind].knows_store)
        if isinstance(store, HelperStore):
            found += store.hosts()
        return list(dict.fromkeys(found))

    def shadows(self, host: str) -> list[str]:
        """Sentences on what clients read before, or instead of, the credential of a host that was put here."""
        file = self.file or (clients.config_file(self.kind) if self.kind else None)
        found = [_errors.shadowed_by_variable(host)] if self._in_variable(host) else []
        if not file:
            return found
        config = credential_file.read(file)
        if self.file:
            own, of_all = (config.get("credHelpers") or {}).get(host), config.get("credsStore")
            if own or of_all:
                found.append(_errors.shadowed_by_helper(host, str(file), str(own or of_all), not own))
            named = os.environ.get("REGISTRY_AUTH_FILE")
            if named and os.path.realpath(named) != os.path.realpath(file):
                found.append(_errors.shadowed_by_auth_file(named))
        if self.kind in (None, "podman"):
            narrower = [key for key in config.get("auths") or {} if key.startswith(f"{host}/")]
            found += [_errors.shadowed_by_repositories(host, str(file), narrower)] if narrower else []
        if self.kind in ("docker", "oras"):
            helm = clients.config_file("helm")
            if helm != file and (credential_file.read(helm).get("auths") or {}).get(host):
                found.append(_errors.shadowed_for_helm(host, str(helm)))
        return found

    def _in_variable(self, host: str) -> bool:
        auths = json_object(os.environ.get("DOCKER_AUTH_CONFIG") or "{}").get("auths")
        return self.kind != "podman" and isinstance(auths, dict) and host in auths


def choose(client: str | None, auth_file: str | None) -> Destination:
    """What the user named, else what there is. Errors are those of `clients.find`."""
    if auth_file:
        return Destination(file=Path(os.path.abspath(os.path.expanduser(auth_file))))
    return Destination(client=clients.find(client))


def log_out(destination: Destination, meant: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Forget what a sign-in stored. A row a login server: loginServer, client, credentialStore, removed.

    :param meant: login servers by what their user called them; a name without any makes a row, too.
    """
    named = [(name, host) for name, login_servers in meant.items() for host in login_servers or [""]]
    return [_log_out_of(destination, name, host) for name, host in named]


def _log_out_of(destination: Destination, name: str, host: str) -> dict[str, Any]:
    store = destination.store(host) if host else None
    return {
        "loginServer": host or name,
        "client": destination.client.name if destination.client else None,
        "credentialStore": store.name if store else None,
        "removed": bool(host) and destination.erase(host),
    }

"""What is stored on this machine for a login server: by which client, until when, and what comes before it.

Nothing is made by looking: a helper is asked only if it is known to keep credentials. Ours would make one, and others
would go and get a token, some of them for ARM's audience.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, clients
from azext_acrscope.clients import Client
from azext_acrscope.destinations import Destination
from azext_acrscope.stores import Credential, FileStore, HelperStore
from azext_acrscope.tokens import claims, expiry

# nerdctl and oras read docker's file, by docker's rules.
_CLIENTS = ("docker", "podman", "helm")
_KEEPERS = ("osxkeychain", "wincred", "pass", "secretservice", "desktop")
_ARM_HELPERS = ("acr-env",)  # asks for an ARM-audience token; seen in its source


@dataclass
class Stored:
    """What one client finds for a login server; `store` is empty where it cannot be read.

    :ivar expires_on: UTC in ISO 8601, None where that is not known.
    :ivar makes: a helper makes the credential when it is needed.
    :ivar wrong: of what was seen, that which is no good.
    """

    client: str
    store: str
    expires_on: str | None = None
    makes: bool = False
    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {
            "client": self.client,
            "credentialStore": self.store or None,
            "expiresOn": self.expires_on,
            "madeWhenNeeded": self.makes,
            "remarks": self.wrong,
        }


def credentials(host: str) -> list[Stored]:
    """What each client that has anything for a host would use; a place that cannot be read is a remark."""
    return [found for client in _CLIENTS if (found := _of_client(client, host))]


def _of_client(client: str, host: str) -> Stored | None:
    destination = Destination(client=Client(client, ""))
    try:
        store = destination.store(host)
        found = _of_helper(client, store, host) if isinstance(store, HelperStore) else _of_files(client, host)
        shadows = destination.shadows(host) if found or client == "docker" else []
    except AzCLIError as error:
        return _wrong(Stored(client, ""), [error.error_msg], list(error.recommendations))
    if shadows and not found:
        found = Stored(client, str(clients.config_file(client)))
    return _wrong(found, shadows, []) if found else None


def _of_helper(client: str, store: HelperStore, host: str) -> Stored | None:
    name = store.helper.removesuffix(".exe")
    if name in _KEEPERS:
        credential = store.get(host)
        return _described(client, store.name, credential, host) if credential else None
    found = Stored(client, store.name, makes=True)
    if name in _ARM_HELPERS:
        seen, to_do = _errors.stored_by_arm_helper(client, store.name, host)
        return _wrong(found, [seen], [to_do])
    found.seen.append(_errors.stored_by_helper(client, store.name))
    return found


def _of_files(client: str, host: str) -> Stored | None:
    own = clients.config_file(client)
    for file in [own, *_later_files(client)]:
        credential = FileStore(file).get(host)
        if credential:
            return _described(client, str(file), credential, host)
    return None


def _later_files(client: str) -> list[Path]:
    """The files that a client reads after its own; not docker's, which has a row of its own."""
    docker = clients.config_file("docker")
    return [file for file in clients.files_of_podman()[1:] if file != docker] if client == "podman" else []


def _described(client: str, store: str, credential: Credential, host: str) -> Stored:
    token = claims(credential.secret)
    until, expires = expiry(token), token.get("exp")
    if until and isinstance(expires, (int, float)) and expires < time.time():
        seen, to_do = _errors.stored_expired(client, store, until, host)
        return _wrong(Stored(client, store, until), [seen], [to_do])
    return Stored(client, store, until, seen=[_errors.stored_until(client, store, until)])


def _wrong(found: Stored, seen: list[str], to_do: list[str]) -> Stored:
    found.seen += seen
    found.wrong += seen
    found.to_do += to_do
    return found

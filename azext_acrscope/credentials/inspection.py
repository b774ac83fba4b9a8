"""What is stored on this machine for a login server: by which client, until when, and what comes before it.

Nothing is made by looking: a helper is asked for a credential only if it is known to keep them. Ours would make one,
and others would go and get a token, some of them for ARM's audience; these are asked for their list of hosts, which
shows that they work.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base import systems
from azext_acrscope.base.errors import NoHomeError
from azext_acrscope.base.tokens import read_claims, read_expiry
from azext_acrscope.credentials import clients, credential_file, docker_config, errors, file_errors, stores
from azext_acrscope.credentials.clients import ContainerClient
from azext_acrscope.credentials.destinations import Destination
from azext_acrscope.credentials.stores import FileStore, HelperStore, StoredCredential

# nerdctl and oras read docker's file, by docker's rules.
_INSPECTED_CLIENTS = ("docker", "podman", "helm")
_STORING_HELPERS = ("osxkeychain", "wincred", "pass", "secretservice", "desktop")
_ARM_TOKEN_HELPERS = ("acr-env",)  # asks for an ARM-audience token; seen in its source


@dataclass
class FoundCredential:
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
    actions: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return the row of the result."""
        return {
            "client": self.client,
            "credentialStore": self.store or None,
            "expiresOn": self.expires_on,
            "madeWhenNeeded": self.makes,
            "remarks": self.wrong,
        }


def _file_problems(client: str, host: str) -> list[AzCLIError]:
    """What in a client's files it fails on, though nothing is read from there yet."""
    file = clients.config_file(client)
    rules = clients.KNOWN_CLIENTS[client]
    if rules.loses_unreadable and (problem := docker_config.find_problem(credential_file.read_credential_file(file))):
        return [file_errors.client_ignores_file(client, str(file), problem)]
    if rules.whole_host:
        return []
    return [
        file_errors.auth_entry_broken(host, str(each), key)
        for each in clients.auth_files(ContainerClient(client, ""))
        for key in FileStore(each).broken_keys(host)
    ]


def find_credentials(host: str) -> list[FoundCredential]:
    """Return what each client that has anything for a host would use; a place that cannot be read is a remark."""
    return [found for client in _INSPECTED_CLIENTS if (found := _inspect_client(client, host))]


def _inspect_client(client: str, host: str) -> FoundCredential | None:
    destination = Destination(client=ContainerClient(client, ""))
    try:
        store = destination.store(host)
        problems = _file_problems(client, host)
        if isinstance(store, HelperStore):
            found = _inspect_helper(client, store, host)
        else:
            found = None if problems else _inspect_files(client, host)
        shadows = destination.shadows(host) if found or client == "docker" else []
    except NoHomeError:
        return None
    except AzCLIError as error:
        return _add_problem(FoundCredential(client, ""), [error.error_msg], list(error.recommendations))
    if (shadows or problems) and not found:
        found = FoundCredential(client, str(clients.config_file(client)))
    for each in problems:
        _add_problem(found or FoundCredential(client, ""), [each.error_msg], list(each.recommendations))
    return _add_problem(found, shadows, []) if found else None


def _inspect_helper(client: str, store: HelperStore, host: str) -> FoundCredential | None:
    name = systems.plain_name(store.helper)
    if name in _STORING_HELPERS:
        credential = store.get(host)
        return _describe_credential(client, store.name, credential, host) if credential else None
    found = FoundCredential(client, store.name)
    listed = store.check_alive()
    if served := stores.FETCHING_HELPERS.get(name):
        seen, actions = errors.served_by_no_helper(client, store.name, served, host)
        return _add_problem(found, [seen], [actions])
    found.makes = store.renews or name in _ARM_TOKEN_HELPERS
    if name in _ARM_TOKEN_HELPERS:
        seen, actions = errors.stored_by_arm_helper(client, store.name, host)
        return _add_problem(found, [seen], [actions])
    own = errors.stored_by_helper(client, store.name)
    found.seen.append(own if store.renews else errors.listed_by_helper(client, store.name, host in listed))
    return found


def _inspect_files(client: str, host: str) -> FoundCredential | None:
    own, *others = clients.auth_files(ContainerClient(client, ""))
    docker = clients.config_file("docker")  # which has a row of its own
    for file in [own, *(each for each in others if each != docker)]:
        credential = FileStore(file, clients.KNOWN_CLIENTS[client].whole_host).get(host)
        if credential:
            place = f"{file} (entry '{credential.key}')" if "/" in credential.key else str(file)
            return _describe_credential(client, place, credential, host)
    return None


def _describe_credential(client: str, store: str, credential: StoredCredential, host: str) -> FoundCredential:
    token = read_claims(credential.secret)
    until, expires = read_expiry(token), token.get("exp")
    if until and isinstance(expires, (int, float)) and expires < time.time():
        seen, actions = errors.stored_expired(client, store, until, host)
        return _add_problem(FoundCredential(client, store, until), [seen], [actions])
    return FoundCredential(client, store, until, seen=[errors.stored_until(client, store, until)])


def _add_problem(found: FoundCredential, seen: list[str], actions: list[str]) -> FoundCredential:
    found.seen += seen
    found.wrong += seen
    found.actions += actions
    return found

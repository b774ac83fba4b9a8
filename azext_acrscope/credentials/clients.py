"""Container clients: finding them, handing them a credential by their own login, and where they keep it.

The clients' `login` needs no daemon: docker falls back to signing in by itself, the others never ask one.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger

from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import files, processes, systems
from azext_acrscope.base.tokens import AccessToken, RefreshToken
from azext_acrscope.credentials import errors, file_errors, stores
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import CredentialStore

_LOGIN_SECONDS, _VERSION_SECONDS = 120, 10

logger = get_logger(__name__)


@dataclass(frozen=True)
class ClientRules:  # pylint: disable=too-many-instance-attributes  # a table of clients, of which it is a row
    """What is to know of a client: its words for login and logout, its files, and how it reads and writes them.

    :ivar file: the one that it writes, and reads first.
    :ivar further_files: those that it reads after it.
    :ivar exclusive_variables: where one of them names the file, it is the only one, in versions `exclusive_since`.
    :ivar knows_store: it knows docker's `credsStore`.
    :ivar detects_store: it picks the keychain by itself while its file has no credentials.
    :ivar whole_host: an entry of a repository (HOST/NAME) stands for its whole host, as in docker.
    :ivar kept_members: the members of its file that it keeps when it writes; None for all that matter.
    :ivar loses_unreadable: it goes on without a file that it cannot read, and writes it anew.
    """

    file: Callable[[], Path]
    login: tuple[str, ...] = ("login",)
    logout: tuple[str, ...] = ("logout",)
    further_files: tuple[Callable[[], Path], ...] = ()
    exclusive_variables: tuple[str, ...] = ()
    exclusive_since: tuple[int, int] | None = None
    knows_store: bool = True
    detects_store: bool = True
    whole_host: bool = True
    kept_members: frozenset[str] | None = None
    loses_unreadable: bool = False


@dataclass(frozen=True)
class ContainerClient:
    """A container client: `name` as a person types it, `path` as it is run."""

    name: str
    path: str

    def store(self, login_server: str) -> CredentialStore | None:
        """Return where the client keeps the credential of a login server; None if its rules are not known."""
        return store_of_client(self.name, login_server) if self.name in KNOWN_CLIENTS else None


def find_client(wanted: str | None = None) -> ContainerClient | None:
    """Return the client to use: `wanted`, else DOCKER_COMMAND, else docker, else podman; None without any of them.

    :raises ValidationError: the one named cannot be found or run, or what was found lies in the working directory.
    """
    chosen = os.environ.get("DOCKER_COMMAND") if wanted in (None, "docker") else None
    for command in [chosen] if chosen else [wanted] if wanted else ["docker", "podman"]:
        path = processes.find_program(command, trusted=bool(chosen))
        if path:
            name = Path(path).name
            return ContainerClient(systems.plain_name(name), path)
    if chosen:
        raise errors.client_not_found(chosen)
    if wanted:
        raise errors.client_not_on_path(wanted)
    return None


def run_login(client: ContainerClient, token: RefreshToken | AccessToken, helper: str = "") -> None:
    """Run the client's login for the token's login server; the token goes through its standard input only.

    :param helper: the credential helper that keeps the client's credentials, if one does.
    :raises ClientRequestError: the client failed, with what it said; it may refuse, or not reach, the registry.
    :raises ValidationError: the client cannot be run.
    """
    words = KNOWN_CLIENTS[client.name].login if client.name in KNOWN_CLIENTS else ClientRules.login
    command = [client.path, *words, "--username", TOKEN_USERNAME, "--password-stdin", token.login_server]
    try:
        ended = processes.run_program(command, token.value.encode(), _LOGIN_SECONDS)
    except TimeoutError:
        raise errors.client_timed_out(client.name, token.login_server, _LOGIN_SECONDS) from None
    except OSError as error:
        raise errors.client_not_runnable(client.path, files.os_error_reason(error)) from None
    if ended.code != 0:
        raise errors.client_failed(client.name, token.login_server, ended.code, ended.said, helper)
    if ended.said:
        logger.warning("%s says: %s", client.name, ended.said)


def run_logout(client: ContainerClient, login_server: str) -> None:
    """Run the client's logout. Errors are those of `login`."""
    words = KNOWN_CLIENTS[client.name].logout if client.name in KNOWN_CLIENTS else ClientRules.logout
    try:
        ended = processes.run_program([client.path, *words, login_server], b"", _LOGIN_SECONDS)
    except TimeoutError:
        raise errors.client_timed_out(client.name, login_server, _LOGIN_SECONDS) from None
    except OSError as error:
        raise errors.client_not_runnable(client.path, files.os_error_reason(error)) from None
    if ended.code != 0:
        raise errors.logout_failed(client.name, login_server, ended.code, ended.said)


def store_of_client(name: str, login_server: str, detect: bool = True) -> CredentialStore:
    """Return where a client keeps the credential of a login server, by its own rules.

    :param detect: the client itself is going to do it, and may pick the keychain.
    """
    rules = KNOWN_CLIENTS[name]
    detects = detect and rules.detects_store
    return stores.choose_store(config_file(name), login_server, rules.knows_store, detects, rules.whole_host)


def auth_files(client: ContainerClient) -> list[Path]:
    """Return the files in which a client looks for a credential, in this order; it writes the first alone.

    Of a client of unknown rules, none.
    """
    rules = KNOWN_CLIENTS.get(client.name)
    if not rules:
        return []
    found = [config_file(client.name)]
    named = any(os.environ.get(variable) for variable in rules.exclusive_variables)
    if not (named and _is_since(client, rules.exclusive_since)):
        for file in rules.further_files:
            with suppress(base_errors.NoHomeError):  # then it has none there
                found.append(locate_file(file, "HOME"))
    return list(dict.fromkeys(found))


def config_file(name: str) -> Path:
    """Return the file in which the client called `name` keeps credentials, or names who does.

    :raises FileOperationError: DOCKER_CONFIG begins with a ~ that no shell has replaced: docker takes it as it is. Or
        the file is in a home directory, and there is none.
    """
    return locate_file(KNOWN_CLIENTS[name].file, _FILE_VARIABLES.get(name, "DOCKER_CONFIG"))


def locate_file(file: Callable[[], Path], variable: str) -> Path:
    """Return where a client's file is.

    :param variable: that says where it is, for a user without a home directory.
    :raises FileOperationError: it is in the home directory, and there is none.
    """
    try:
        return Path(os.path.abspath(file()))
    except RuntimeError:  # pathlib's, if neither HOME nor the system names a home
        raise base_errors.no_home(variable) from None


def reads_auth_variable(client: ContainerClient) -> bool:
    """Return whether docker reads credentials from DOCKER_AUTH_CONFIG: since 28.3 (docker/cli#6008)."""
    return _is_since(client, (28, 3), unknown=True)


def _is_since(client: ContainerClient, first: tuple[int, int] | None, unknown: bool = False) -> bool:
    """Whether a client is of this version, or a newer one. It is asked for its version, which takes a moment."""
    program = client.path
    with suppress(AzCLIError):  # what lies in the working directory is not run
        program = program or processes.find_program(client.name) or ""
    version = _version(program) if first and program else None
    return unknown if version is None or first is None else version >= first


@cache
def _version(program: str) -> tuple[int, int] | None:
    try:
        said = processes.run_program([program, "--version"], b"", _VERSION_SECONDS).stdout
    except OSError:
        return None
    found = re.search(rb"version v?(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def _docker_config_file() -> Path:
    place = os.environ.get("DOCKER_CONFIG")
    if place and place.startswith("~") and not os.path.isdir(place):
        raise file_errors.literal_tilde("DOCKER_CONFIG", place)
    return Path(place or Path.home() / ".docker") / "config.json"


def _containers_auth_file() -> Path:
    if os.environ.get("REGISTRY_AUTH_FILE"):
        return Path(os.environ["REGISTRY_AUTH_FILE"])
    if os.environ.get("DOCKER_CONFIG"):
        return _docker_config_file()
    return Path(systems.this_system().containers_auth_file(str(Path.home())))


def containers_home_file() -> Path:
    """Return the file that podman and its kin read after the one they sign in to, and which a restart leaves."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "containers" / "auth.json"


def _legacy_file() -> Path:
    return Path.home() / stores.LEGACY_FILE_NAME


def _helm_registry_file() -> Path:
    if os.environ.get("HELM_REGISTRY_CONFIG"):
        return Path(os.environ["HELM_REGISTRY_CONFIG"])
    if os.environ.get("HELM_CONFIG_HOME"):
        home = Path(os.environ["HELM_CONFIG_HOME"])
    elif os.environ.get("XDG_CONFIG_HOME"):
        home = Path(os.environ["XDG_CONFIG_HOME"]) / "helm"
    else:
        home = Path(systems.this_system().helm_folder(str(Path.home())))
    return home / "registry" / "config.json"


_FILE_VARIABLES = {"helm": "HELM_REGISTRY_CONFIG"}  # of docker and its kin, DOCKER_CONFIG
_FILE_VARIABLES |= dict.fromkeys(("podman", "skopeo", "buildah"), "REGISTRY_AUTH_FILE")
_CONTAINERS = ClientRules(
    _containers_auth_file,
    further_files=(containers_home_file, _docker_config_file, _legacy_file),
    exclusive_variables=("REGISTRY_AUTH_FILE", "DOCKER_CONFIG"),
    knows_store=False,
    detects_store=False,
    whole_host=False,
    kept_members=frozenset(("auths", "credHelpers")),
)
# What each looks through, which tests/e2e/test_auth_files.py tries with each program.
KNOWN_CLIENTS = {
    "docker": ClientRules(_docker_config_file, loses_unreadable=True),
    "podman": replace(_CONTAINERS, exclusive_since=(4, 4)),
    "nerdctl": ClientRules(_docker_config_file, detects_store=False, loses_unreadable=True),
    "helm": ClientRules(_helm_registry_file, ("registry", "login"), ("registry", "logout"), (_docker_config_file,)),
    "oras": ClientRules(_docker_config_file),
    "skopeo": replace(_CONTAINERS, exclusive_since=(1, 11)),
    "buildah": replace(_CONTAINERS, exclusive_since=(1, 29)),
}

"""Container clients: finding them, handing them a credential by their own login, and where they keep it.

The clients' `login` needs no daemon: docker falls back to signing in by itself, the others never ask one.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from knack.log import get_logger

from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import processes
from azext_acrscope.base.tokens import AccessToken, RefreshToken
from azext_acrscope.credentials import errors, stores
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import CredentialStore

_LOGIN_SECONDS = 120

logger = get_logger(__name__)


@dataclass(frozen=True)
class ClientRules:
    """What is to know of a client: its words for login and logout, its file, whether it knows docker's `credsStore`."""

    file: Callable[[], Path]
    login: tuple[str, ...] = ("login",)
    logout: tuple[str, ...] = ("logout",)
    knows_store: bool = True


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
            return ContainerClient(Path(path).stem if name.lower().endswith(".exe") else name, path)
    if chosen:
        raise errors.client_not_found(chosen)
    if wanted:
        raise errors.client_not_on_path(wanted)
    return None


def run_login(client: ContainerClient, token: RefreshToken | AccessToken) -> None:
    """Run the client's login for the token's login server; the token goes through its standard input only.

    :raises ClientRequestError: the client failed, with what it said; it may refuse, or not reach, the registry.
    :raises ValidationError: the client cannot be run.
    """
    words = KNOWN_CLIENTS[client.name].login if client.name in KNOWN_CLIENTS else ClientRules.login
    command = [client.path, *words, "--username", TOKEN_USERNAME, "--password-stdin", token.login_server]
    try:
        ended = processes.run_program(command, token.value.encode(), _LOGIN_SECONDS)
    except TimeoutError:
        raise errors.client_timed_out(client.name, token.login_server, _LOGIN_SECONDS) from None
    if ended.code != 0:
        raise errors.client_failed(client.name, token.login_server, ended.code, ended.said)
    if ended.said:
        logger.warning("%s says: %s", client.name, ended.said)


def run_logout(client: ContainerClient, login_server: str) -> None:
    """Run the client's logout. Errors are those of `login`."""
    words = KNOWN_CLIENTS[client.name].logout if client.name in KNOWN_CLIENTS else ClientRules.logout
    try:
        ended = processes.run_program([client.path, *words, login_server], b"", _LOGIN_SECONDS)
    except TimeoutError:
        raise errors.client_timed_out(client.name, login_server, _LOGIN_SECONDS) from None
    if ended.code != 0:
        raise errors.logout_failed(client.name, login_server, ended.code, ended.said)


def store_of_client(name: str, login_server: str) -> CredentialStore:
    """Return where a client keeps the credential of a login server, by its own rules."""
    kind = KNOWN_CLIENTS[name]
    return stores.choose_store(config_file(name), login_server, kind.knows_store)


def podman_files() -> list[Path]:
    """Return the files in which podman looks for a credential, in this order; only one if a variable names it."""
    own = config_file("podman")
    if os.environ.get("REGISTRY_AUTH_FILE") or os.environ.get("DOCKER_CONFIG"):
        return [own]
    return [own, locate_file(containers_home_file, "XDG_CONFIG_HOME"), config_file("docker")]


def containers_home_file() -> Path:
    """Return the file that podman reads after the one it signs in to, and which a restart leaves."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "containers" / "auth.json"


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


def _docker_config_file() -> Path:
    place = os.environ.get("DOCKER_CONFIG")
    if place and place.startswith("~") and not os.path.isdir(place):
        raise errors.literal_tilde("DOCKER_CONFIG", place)
    return Path(place or Path.home() / ".docker") / "config.json"


def _podman_auth_file() -> Path:
    if os.environ.get("REGISTRY_AUTH_FILE"):
        return Path(os.environ["REGISTRY_AUTH_FILE"])
    if os.environ.get("DOCKER_CONFIG"):
        return _docker_config_file()
    if not sys.platform.startswith("linux"):
        return Path.home() / ".config" / "containers" / "auth.json"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "containers" / "auth.json" if runtime else Path(f"/run/containers/{os.getuid()}/auth.json")


def _helm_registry_file() -> Path:
    if os.environ.get("HELM_REGISTRY_CONFIG"):
        return Path(os.environ["HELM_REGISTRY_CONFIG"])
    if os.environ.get("HELM_CONFIG_HOME"):
        home = Path(os.environ["HELM_CONFIG_HOME"])
    elif os.environ.get("XDG_CONFIG_HOME"):
        home = Path(os.environ["XDG_CONFIG_HOME"]) / "helm"
    elif sys.platform == "win32":
        home = Path(os.environ.get("APPDATA", Path.home())) / "helm"
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Preferences" / "helm"
    else:
        home = Path.home() / ".config" / "helm"
    return home / "registry" / "config.json"


_FILE_VARIABLES = {"podman": "REGISTRY_AUTH_FILE", "helm": "HELM_REGISTRY_CONFIG"}  # of the others, DOCKER_CONFIG
KNOWN_CLIENTS = {
    "docker": ClientRules(_docker_config_file),
    "podman": ClientRules(_podman_auth_file, knows_store=False),
    "nerdctl": ClientRules(_docker_config_file),
    "helm": ClientRules(_helm_registry_file, ("registry", "login"), ("registry", "logout")),
    "oras": ClientRules(_docker_config_file),
}

"""Container clients: finding docker or podman on this machine and handing it a credential by its own login command.

The client's `login` needs no daemon: docker falls back to signing in by itself, podman never asks one.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from knack.log import get_logger

from azext_acrscope import _errors
from azext_acrscope.tokens import RefreshToken, json_object, redact_strictly

# The user name that tells a registry to expect a refresh token as the password.
USERNAME = "00000000-0000-0000-0000-000000000000"
_LOGIN_SECONDS = 120
_WORDS = 2000  # bytes of a client's output that are worth repeating

logger = get_logger(__name__)


@dataclass(frozen=True)
class Client:
    """A container client: `name` as a person types it, `path` as it is run."""

    name: str
    path: str


def find() -> Client | None:
    """The client to use: DOCKER_COMMAND if set, else docker, else podman; None if there is none.

    :raises ValidationError: DOCKER_COMMAND cannot be run, or what was found lies in the working directory.
    """
    chosen = os.environ.get("DOCKER_COMMAND")
    for command in [chosen] if chosen else ["docker", "podman"]:
        path = shutil.which(command) or shutil.which(f"{command}.exe")  # .exe: docker of the host, seen from WSL
        if path:
            if not (chosen and os.path.isabs(chosen)):
                _refuse_working_directory(path)
            name = Path(path).name
            return Client(Path(path).stem if name.lower().endswith(".exe") else name, path)
    if chosen:
        raise _errors.client_not_found(chosen)
    return None


def login(client: Client, token: RefreshToken) -> None:
    """Run the client's `login` for the token's login server; the token goes through its standard input only.

    :raises ClientRequestError: the client failed, with what it said; it may refuse, or not reach, the registry.
    :raises ValidationError: the client cannot be run.
    """
    command = [client.path, "login", "--username", USERNAME, "--password-stdin", token.login_server]
    # Files, not pipes: a helper that the client leaves running would keep a pipe open and us waiting.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            done = subprocess.run(
                command, input=token.value.encode(), stdout=out, stderr=err, timeout=_LOGIN_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise _errors.client_timed_out(client.name, token.login_server, _LOGIN_SECONDS) from None
        except OSError as error:
            raise _errors.client_not_runnable(client.path, error.strerror or type(error).__name__) from None
        said = _last_words(err) or (_last_words(out) if done.returncode else "")
    if done.returncode != 0:
        raise _errors.client_failed(client.name, token.login_server, done.returncode, said)
    if said:
        logger.warning("%s says: %s", client.name, said)


def _last_words(stream: IO[bytes]) -> str:
    """The end of what a client printed, without anything in it that may be the token, whole or in pieces."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _WORDS))
    lines = stream.read().decode(errors="replace").splitlines()
    return "\n".join(redact_strictly(line) for line in lines if line.strip())


def credential_store(client: Client, login_server: str) -> str | None:
    """Where the client keeps the credential of a login server: the path of a file or the name of a helper program.

    By the rules of each: docker takes credHelpers[host], then credsStore, then its file; podman does not know
    credsStore and has its own file, whose place depends on four variables. None for a client with other rules.
    """
    if client.name not in _FILES:
        return None
    file = Path(os.path.abspath(_FILES[client.name]()))
    config = _read_json(file)
    helpers = config.get("credHelpers")
    helper = config.get("credsStore") if client.name != "podman" else None
    if isinstance(helpers, dict) and login_server in helpers:
        helper = helpers[login_server]
    return f"docker-credential-{helper}" if helper else str(file)


def _docker_file() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"


def _podman_file() -> Path:
    if os.environ.get("REGISTRY_AUTH_FILE"):
        return Path(os.environ["REGISTRY_AUTH_FILE"])
    if os.environ.get("DOCKER_CONFIG"):
        return _docker_file()
    if os.name != "posix" or os.uname().sysname == "Darwin":
        return Path.home() / ".config" / "containers" / "auth.json"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "containers" / "auth.json" if runtime else Path(f"/run/containers/{os.getuid()}/auth.json")


_FILES = {"docker": _docker_file, "nerdctl": _docker_file, "podman": _podman_file}


def _read_json(file: Path) -> dict[str, Any]:
    try:
        return json_object(file.read_bytes())
    except OSError:
        return {}


def _refuse_working_directory(path: str) -> None:
    """A program of the working directory may be anyone's (a cloned repository's, say): it gets no token."""
    if not os.path.isabs(path):  # found through a relative entry of PATH: it depends on where one stands
        raise _errors.client_in_working_directory(path)
    here = os.path.realpath(os.getcwd())
    for place in (os.path.abspath(path), os.path.realpath(path)):
        if os.path.realpath(os.path.dirname(place)) == here:
            raise _errors.client_in_working_directory(path)

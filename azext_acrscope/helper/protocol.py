"""The protocol of docker's credential helpers (github.com/docker/docker-credential-helpers): one verb as the argument,
the request on standard input, the answer or the error's text on standard output, and 0 or 1 as the exit code.

The standard library alone, until the cache cannot answer.
"""

import json
import os
import sys
import time

from azext_acrscope.helper import cache, state

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# A refresh token is answered under the user name that registries expect with it, and not as `<token>`, which means the
# same to docker, podman, helm and oras, but is a mere user name to oras-py and others.
USERNAME = "00000000-0000-0000-0000-000000000000"
IDENTITY_TOKEN = "<token>"  # noqa: S105  (a user name: docker stores the token under it that a registry gave it at login)
# These texts mean something to clients, to the letter: the first lets them go on without a credential.
NOT_FOUND = "credentials not found in native keychain"
NO_SERVER, NO_USER = "no credentials server URL", "no credentials username"
_LARGEST = 1024 * 1024
_USAGE = "Usage: docker-credential-acrscope <store|get|erase|list|version>"


class Refusal(Exception):
    """An error whose text belongs to the protocol."""


def main(arguments: "list[str]", out: int) -> int:
    """Do what the verb says, and write the answer to the descriptor `out`; returns the exit code."""
    try:
        code, text = 0, _answer(arguments)
    except Refusal as refusal:
        code, text = 1, str(refusal)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  (whatever it is, the client must be told in the protocol's own way)
        code, text = 1, _told(error)
        # docker's client goes on without a credential and does not show the answer, only what is on stderr.
        print(text, file=sys.stderr)
    if text:
        with os.fdopen(out, "wb") as stream:
            stream.write(text.encode(errors="backslashreplace") + b"\n")
    return code


def _answer(arguments: "list[str]") -> str:
    verb = arguments[0] if len(arguments) == 1 else ""
    verbs: dict[str, Callable[[], str]] = {"get": get, "store": store, "erase": erase, "list": list_}
    if verb in verbs:
        return verbs[verb]()
    if verb in ("version", "-v", "--version"):
        return version()
    if verb in ("-h", "--help"):
        return _USAGE
    raise Refusal(_USAGE)


def get() -> str:
    """The credential of the host on standard input."""
    server = _input()
    if not server:
        raise Refusal(NO_SERVER)
    host = host_of(server)
    if not host:
        raise Refusal(NOT_FOUND)
    username, secret = _credential(host)
    return json.dumps({"ServerURL": server, "Username": username, "Secret": secret})


def _credential(host: str) -> "tuple[str, str]":
    content = cache.read()
    handed_over = cache.stored(content, host)
    if handed_over:
        _refuse_over(content["stored"][host], host)
        return handed_over
    source = state.settings().get(host, state.CLI)
    token = cache.token(content, state.identity(source), host)
    if not token:
        from azext_acrscope.helper import renewal

        try:
            token = renewal.token(host)
        except renewal.NotOurs:
            raise Refusal(NOT_FOUND) from None
    return USERNAME, token


def _refuse_over(stored: "dict[str, Any]", host: str) -> None:
    """A token for some repositories that is over is not replaced unasked: the next one would open all of them."""
    if "over" in stored and cache.moment(stored, "over") <= time.time():
        from azext_acrscope.helper import cli

        raise cli.errors().helper_limited_token_over(host)


def store() -> str:
    """Keep what `docker login` hands over: a refresh token of this registry in the cache, anything else as it is."""
    from azext_acrscope.helper import login

    try:
        request = json.loads(_input())
        server, username, secret = (str(request.get(name) or "") for name in ("ServerURL", "Username", "Secret"))
    except (ValueError, AttributeError, RecursionError):
        raise Refusal(_USAGE) from None
    if not server:
        raise Refusal(NO_SERVER)
    if not username:
        raise Refusal(NO_USER)
    login.store(server, host_of(server), username, secret)
    return ""


def erase() -> str:
    """Forget what is known for the host on standard input, whoever it was for. The next `get` makes a new token."""
    from azext_acrscope.helper import login

    server = _input()
    if not server:
        raise Refusal(NO_SERVER)
    login.erase([host_of(server)])
    return ""


def list_() -> str:
    """The hosts that were set up, that have a token, or that `docker login` named; with their user names."""
    content = cache.read()
    tokens = [host for hosts in content["tokens"].values() for host in hosts if "secret" in hosts[host]]
    stored = {host: entry.get("username") for host, entry in content["stored"].items()}
    return json.dumps({**dict.fromkeys([*state.settings(), *tokens], USERNAME), **stored})


def version() -> str:
    from importlib.metadata import version as version_of

    from azext_acrscope.helper import cli

    cli.packages()
    return f"docker-credential-acrscope (acrscope) {version_of('acrscope')}"


def host_of(server: str) -> str:
    """The host that a client means by a server: clients say HOST, HOST:443, https://HOST or https://HOST/v2/.

    Empty for what cannot be a login server: http, another port, user info.
    """
    bare = server[8:] if server[:8].lower() == "https://" else server
    bare = bare.partition("/")[0].removesuffix(":443").lower()
    return bare if bare and all(c in "abcdefghijklmnopqrstuvwxyz0123456789.-" for c in bare) else ""


def _input() -> str:
    data = sys.stdin.buffer.read(_LARGEST).decode(errors="replace")
    return "".join(data.splitlines()).strip()


def _told(error: Exception) -> str:
    """The text of an error: what happened and what to do, in one line; never a traceback, never a token."""
    from azext_acrscope.helper import cli

    try:
        return str(cli.errors().helper_said(error))
    except ImportError:
        # The CLI that the launcher was made for is damaged or gone; its error classes, too.
        return (
            "acrscope: the Azure CLI's packages cannot be loaded. Repair the Azure CLI, then run "
            "`az acr scope configure-docker` for this registry again."
        )

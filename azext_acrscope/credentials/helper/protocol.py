"""The protocol of docker's credential helpers (github.com/docker/docker-credential-helpers): one verb as the argument,
the request on standard input, the answer or the error's text on standard output, and 0 or 1 as the exit code.

The standard library alone, until the cache cannot answer.
"""

import os
import sys
import time

from azext_acrscope.base import light_json
from azext_acrscope.credentials.helper import cache, state
from azext_acrscope.credentials.protocol_constants import (
    NO_SERVER_TEXT,
    NO_USERNAME_TEXT,
    NOT_FOUND_TEXT,
    TOKEN_USERNAME,
)

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
_MAX_REQUEST_BYTES = 1024 * 1024
_USAGE_TEXT = "Usage: docker-credential-acrscope <store|get|erase|list|version>"


class ProtocolError(Exception):
    """An error whose text belongs to the protocol."""


class RememberedError(Exception):
    """What is remembered of a host that failed a moment ago; its text is for people."""


def main(arguments: "list[str]", out: int) -> int:
    """Do what the verb says, and write the answer to the descriptor `out`; returns the exit code."""
    try:
        code, text = 0, _run_verb(arguments)
    except ProtocolError as refusal:
        code, text = 1, str(refusal)
    except RememberedError as failure:
        code, text = 1, str(failure)
        print(text, file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    # Whatever it is, the client must be told in the protocol's own way.
    except Exception as error:  # pylint: disable=broad-exception-caught
        code, text = 1, _describe_error(error)
        # docker's client goes on without a credential and does not show the answer, only what is on stderr.
        print(text, file=sys.stderr)
    if text:
        with os.fdopen(out, "wb") as stream:
            stream.write(text.encode(errors="backslashreplace") + b"\n")
    return code


def _run_verb(arguments: "list[str]") -> str:
    verb = arguments[0] if len(arguments) == 1 else ""
    verbs: dict[str, Callable[[], str]] = {
        "get": answer_get,
        "store": answer_store,
        "erase": answer_erase,
        "list": answer_list,
    }
    if verb in verbs:
        return verbs[verb]()
    if verb in ("version", "-v", "--version"):
        return answer_version()
    if verb in ("-h", "--help"):
        return _USAGE_TEXT
    raise ProtocolError(_USAGE_TEXT)


def answer_get() -> str:
    """Return the credential of the host on standard input."""
    server = _read_request()
    if not server:
        raise ProtocolError(NO_SERVER_TEXT)
    host = host_of_server_url(server)
    if not host:
        raise ProtocolError(NOT_FOUND_TEXT)
    username, secret = _credential_for_host(host)
    return light_json.dump({"ServerURL": server, "Username": username, "Secret": secret})


def _credential_for_host(host: str) -> "tuple[str, str]":
    content = cache.read_cache()
    handed_over = cache.stored_login(content, host)
    if handed_over:
        _refuse_expired_limited_token(content["stored"][host], host)
        return handed_over
    source = identity = None
    try:
        source = state.read_settings().get(host, state.DEFAULT_SOURCE)
        identity = state.identity_key(source)
        token = cache.cached_token(content, identity, host) or _token_after_failure(content, identity, host)
        return TOKEN_USERNAME, token or _obtain_token(host)
    except (ProtocolError, RememberedError):
        raise
    except state.Unreadable as error:
        old = cache.sole_token(content, host, source)
        problem: Exception = error
    # A token that is still valid is answered whatever else is broken.
    except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
        old = cache.cached_token(content, identity, host, last_resort=True)
        problem = error
    if not old:
        raise problem
    print(_describe_error(problem), file=sys.stderr)
    return TOKEN_USERNAME, old


def _token_after_failure(content: "dict[str, Any]", identity: "str | None", host: str) -> "str | None":
    """The old token, if it is valid and could not be renewed a moment ago; None if a new one is worth a try.

    :raises RememberedError: it is not, so that a job that asks for every host does not wait for one that is down.
    """
    entry = cache.token_entry(content, identity, host)
    if not cache.failed_just_now(entry):
        return None
    old = cache.cached_token(content, identity, host, last_resort=True)
    if not old and (said := cache.remembered_failure(entry, host)):
        raise RememberedError(f"acrscope: {said}")
    return old


def _obtain_token(host: str) -> str:
    from azext_acrscope.credentials.helper import renewal

    try:
        return renewal.obtain_token(host)
    except renewal.ForeignHost:
        raise ProtocolError(NOT_FOUND_TEXT) from None


def _refuse_expired_limited_token(stored: "dict[str, Any]", host: str) -> None:
    """A token for some repositories that is over is not replaced unasked: the next one would open all of them."""
    if "over" in stored and cache.entry_time(stored, "over") <= time.time():
        from azext_acrscope.credentials.helper import cli

        raise cli.load_errors().helper_limited_token_over(host)


def answer_store() -> str:
    """Keep what `docker login` hands over: a refresh token of this registry in the cache, anything else as it is."""
    from azext_acrscope.credentials.helper import login

    try:
        request = light_json.load_bytes(_read_request().encode())
        server, username, secret = (str(request.get(name) or "") for name in ("ServerURL", "Username", "Secret"))
    except (ValueError, AttributeError, RecursionError):
        raise ProtocolError(_USAGE_TEXT) from None
    if not server:
        raise ProtocolError(NO_SERVER_TEXT)
    if not username:
        raise ProtocolError(NO_USERNAME_TEXT)
    login.store_docker_login(server, host_of_server_url(server), username, secret)
    return ""


def answer_erase() -> str:
    """Forget what is known for the host on standard input, whoever it was for. The next `get` makes a new token."""
    from azext_acrscope.credentials.helper import login

    server = _read_request()
    if not server:
        raise ProtocolError(NO_SERVER_TEXT)
    login.forget_hosts([host_of_server_url(server)])
    return ""


def answer_list() -> str:
    """Return the hosts that were set up, that have a token, or that `docker login` named; with their user names."""
    content = cache.read_cache()
    tokens = [host for hosts in content["tokens"].values() for host in hosts if "secret" in hosts[host]]
    stored = {host: entry.get("username") for host, entry in content["stored"].items()}
    return light_json.dump({**dict.fromkeys([*state.read_settings(), *tokens], TOKEN_USERNAME), **stored})


def answer_version() -> str:
    """Return the answer to `version`.

    :raises ImportError: the Azure CLI is gone, without which no token can be had.
    """
    from importlib.metadata import version as version_of
    from importlib.util import find_spec

    from azext_acrscope.credentials.helper import cli

    cli.add_cli_packages()
    if not find_spec("azure.cli.core"):
        raise ImportError("azure.cli.core")
    return f"docker-credential-acrscope (acrscope) {version_of('acrscope')}"


def host_of_server_url(server: str) -> str:
    """Return the host that a client means by a server: clients say HOST, HOST:443, https://HOST or https://HOST/v2/.

    Empty for what cannot be a login server: http, another port, user info. Stricter than `hosts.host_of_reference`, and
    without its imports.
    """
    bare = server[8:] if server[:8].lower() == "https://" else server
    bare = bare.partition("/")[0].removesuffix(":443").lower()
    return bare if bare and all(c in "abcdefghijklmnopqrstuvwxyz0123456789.-" for c in bare) else ""


def _read_request() -> str:
    data = sys.stdin.buffer.read(_MAX_REQUEST_BYTES).decode(errors="replace")
    return "".join(data.splitlines()).strip()


def _describe_error(error: Exception) -> str:
    """The text of an error: what happened and what to do, in one line; never a traceback, never a token."""
    from azext_acrscope.credentials.helper import cli

    try:
        return str(cli.load_errors().helper_said(error))
    except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught
        # The CLI that the launcher was made for is damaged or gone; its error classes, too.
        return (
            "acrscope: the Azure CLI's packages cannot be loaded. Repair the Azure CLI, then run "
            "`az acr scope configure-docker` for this registry again."
        )

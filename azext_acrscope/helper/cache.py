"""The helper's cache of ACR refresh tokens: one file, readable by its owner alone, replaced as a whole.

``{"version": 1, "tokens": {IDENTITY: {HOST: {"secret", "renew", "expires", "failed", "failure"}}}, "stored": {HOST:
{"username", "secret", "expires", "over"}}}``; moments in seconds since the epoch. `stored` is what `docker login`
handed over and was no token of ours; it is forgotten when it `expires`, and kept to say so when it is `over`. On
Windows the file is encrypted for its user (DPAPI), elsewhere it is as plain as the CLI's own token cache. A file that
makes no sense is taken as empty: all but `stored` can be had again.

Read on each `get`, so the standard library alone, until something is to be written.
"""

import json
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress

from azext_acrscope.helper import state

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

VERSION = 1
USABLE_SECONDS = 60.0  # a token with less to live than this is not handed out
_RENEW_SHARE, _RENEW_SECONDS = 0.25, 45 * 60.0  # renewed when so much of its life is left: 45 minutes of three hours
_FAILURE_SECONDS = 600.0  # how long a failure is remembered


def file() -> str:
    return os.path.join(state.folder(), "helper-tokens.bin" if sys.platform == "win32" else "helper-tokens.json")


def read() -> "dict[str, Any]":
    """The content, with `tokens` and `stored` whatever the file is like."""
    content = _parse(_bytes())
    if content.get("version") != VERSION:
        content = {}
    tokens = _table(content, "tokens")
    tokens = {identity: _table(tokens, identity) for identity in tokens}
    return {"version": VERSION, "tokens": tokens, "stored": _table(content, "stored")}


def stored(content: "dict[str, Any]", host: str) -> "tuple[str, str] | None":
    """User name and secret that `docker login` handed over for a host."""
    entry = content["stored"].get(host, {})
    if "expires" in entry and moment(entry, "expires") < time.time() + USABLE_SECONDS:
        return None
    username, secret = entry.get("username"), entry.get("secret")
    return (username, secret) if isinstance(username, str) and isinstance(secret, str) else None


def token(content: "dict[str, Any]", identity: "str | None", host: str, last_resort: bool = False) -> "str | None":
    """The token of an identity for a host, if it is not to be renewed yet; as a last resort, if it is still valid."""
    entry = of(content, identity, host)
    until = moment(entry, "expires") - USABLE_SECONDS if last_resort else moment(entry, "renew")
    secret = entry.get("secret")
    return secret if isinstance(secret, str) and time.time() < until else None


def moment(entry: "dict[str, Any]", name: str) -> float:
    """A moment of an entry; long ago, if it is not there or makes no sense."""
    value = entry.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def of(content: "dict[str, Any]", identity: "str | None", host: str) -> "dict[str, Any]":
    found: dict[str, Any] = content["tokens"].get(identity, {}).get(host, {})
    return found


def entry(secret: str, claims: "dict[str, Any]") -> "dict[str, Any]":
    """A token with the moments that count, from its claims `iat` and `exp`.

    A machine whose clock is behind must not take the token for valid longer than it lives.
    """
    now = time.time()
    try:
        issued, expires = float(claims.get("iat", now)), float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        issued = expires = now
    lives = max(expires - issued, 0.0)
    until = min(expires, now + lives)
    return {"secret": secret, "renew": until - min(lives * _RENEW_SHARE, _RENEW_SECONDS), "expires": until}


@contextmanager
def update() -> "Iterator[dict[str, Any]]":
    """The content, to be changed in place; it is saved at the end, without what is over.

    :raises FileOperationError: it cannot be written, or another process keeps it.
    """
    from pathlib import Path

    from azext_acrscope.helper import cli

    cli.packages()
    from azext_acrscope import credential_file

    private(state.folder())
    with credential_file.lock(Path(file())):
        content = read()
        yield content
        credential_file.write(Path(file()), _sealed(json.dumps(_current(content)).encode()))


def _current(content: "dict[str, Any]") -> "dict[str, Any]":
    """Without what has expired, and without identities that nothing is left of."""
    now = time.time()
    tokens = {
        identity: {
            host: entry
            for host, entry in hosts.items()
            if max(moment(entry, "expires"), moment(entry, "failed") + _FAILURE_SECONDS) > now
        }
        for identity, hosts in content["tokens"].items()
    }
    kept = {
        h: entry for h, entry in content["stored"].items() if "expires" not in entry or moment(entry, "expires") > now
    }
    return {**content, "tokens": {identity: hosts for identity, hosts in tokens.items() if hosts}, "stored": kept}


def _table(content: "dict[str, Any]", name: str) -> "dict[str, Any]":
    """A member that is a dictionary of dictionaries; whatever else is in it is dropped."""
    member = content.get(name)
    if not isinstance(member, dict):
        return {}
    return {key: value for key, value in member.items() if isinstance(value, dict)}


def _parse(data: bytes) -> "dict[str, Any]":
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bytes() -> bytes:
    """The file's content, decrypted; nothing if there is none, if it is not ours, or if it cannot be read."""
    try:
        with open(file(), "rb") as handle:
            if sys.platform != "win32" and not _ours(handle.fileno()):
                return b""
            return _opened(handle.read())
    except OSError:
        return b""


def _ours(descriptor: int) -> bool:
    """Whether it is the user's own file; if others may read it, no longer. Root may use anybody's (sudo)."""
    if sys.platform == "win32":
        return True
    status = os.fstat(descriptor)
    if os.geteuid() not in (0, status.st_uid):
        return False
    if stat.S_IMODE(status.st_mode) & 0o077:
        os.fchmod(descriptor, 0o600)
    return True


def private(folder: str) -> None:
    """A folder that only its owner can look into, as far as there is a say in it."""
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if stat.S_IMODE(os.stat(folder).st_mode) & 0o077:
            os.chmod(folder, 0o700)


def _opened(data: bytes) -> bytes:
    return _agent().unprotect(data).encode() if sys.platform == "win32" and data else data


def _sealed(data: bytes) -> bytes:
    return bytes(_agent().protect(data.decode())) if sys.platform == "win32" else data


def _agent() -> "Any":
    """Windows' encryption for the user, as the CLI uses it for its own tokens."""
    from azext_acrscope.helper import cli

    cli.packages()
    from msal_extensions.windows import WindowsDataProtectionAgent

    return WindowsDataProtectionAgent()

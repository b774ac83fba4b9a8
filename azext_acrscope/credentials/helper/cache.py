"""The helper's cache of ACR refresh tokens: one file, readable by its owner alone, replaced as a whole.

``{"version": 1, "tokens": {IDENTITY: {HOST: {"secret", "renew", "expires", "failed", "failure"}}}, "stored": {HOST:
{"username", "secret", "expires", "over"}}}``; moments in seconds since the epoch. `stored` is what `docker login`
handed over and was no token of ours; it is forgotten when it `expires`, and kept to say so when it is `over`. On
Windows the file is encrypted for its user (DPAPI), elsewhere it is as plain as the CLI's own token cache. A file that
makes no sense is taken as empty, and that is said when it is replaced: all but `stored` can be had again.

Read on each `get`, so the standard library alone, until something is to be written.
"""

import json
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress

from azext_acrscope.base.regular_files import open_regular_file
from azext_acrscope.credentials.helper import state

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FORMAT_VERSION = 1
MIN_USABLE_SECONDS = 60.0  # a token with less to live than this is not handed out
_RENEW_AT_SHARE, _RENEW_AT_SECONDS = (
    0.25,
    45 * 60.0,
)  # renewed when so much of its life is left: 45 minutes of three hours
_FAILURE_REMEMBERED_SECONDS = 600.0  # how long a failure is remembered


def cache_file() -> str:
    """Return the path of the cache."""
    return os.path.join(state.helper_folder(), "helper-tokens.bin" if sys.platform == "win32" else "helper-tokens.json")


def read_cache() -> "dict[str, Any]":
    """Return the content, with `tokens` and `stored` whatever the file is like."""
    return _load_cache()[0]


def _load_cache() -> "tuple[dict[str, Any], str]":
    """The content, and what is wrong with a file of which something is lost."""
    content: dict[str, Any] = {}
    problem = ""
    try:
        content = json.loads(_read_decrypted())
        if not isinstance(content, dict) or content.get("version") != FORMAT_VERSION:
            content, problem = {}, "it has another format"
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except (ValueError, RecursionError):
        problem = "it is not JSON"
    tokens = _object_member(content, "tokens")
    tokens = {identity: _object_member(tokens, identity) for identity in tokens}
    return {"version": FORMAT_VERSION, "tokens": tokens, "stored": _object_member(content, "stored")}, problem


def stored_login(content: "dict[str, Any]", host: str) -> "tuple[str, str] | None":
    """Return the user name and secret that `docker login` handed over for a host."""
    entry = content["stored"].get(host, {})
    if "expires" in entry and entry_time(entry, "expires") < time.time() + MIN_USABLE_SECONDS:
        return None
    username, secret = entry.get("username"), entry.get("secret")
    return (username, secret) if isinstance(username, str) and isinstance(secret, str) else None


def cached_token(
    content: "dict[str, Any]", identity: "str | None", host: str, last_resort: bool = False
) -> "str | None":
    """Return the token of an identity for a host unless it is due for renewal; as a last resort, while it is valid."""
    entry = token_entry(content, identity, host)
    until = entry_time(entry, "expires") - MIN_USABLE_SECONDS if last_resort else entry_time(entry, "renew")
    secret = entry.get("secret")
    return secret if isinstance(secret, str) and time.time() < until else None


def sole_token(content: "dict[str, Any]", host: str, source: "dict[str, str] | None") -> "str | None":
    """Return the valid token for a host where it is not known who is signed in; None if there may be several.

    :param source: the host's settings; None if they are not known.
    """
    found = [
        token
        for identity in content["tokens"]
        if (token := cached_token(content, identity, host, last_resort=True)) and state.may_be_in_use(identity, source)
    ]
    return found[0] if len(found) == 1 else None


def entry_time(entry: "dict[str, Any]", name: str) -> float:
    """Return a moment of an entry; long ago, if it is not there or makes no sense."""
    value = entry.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def token_entry(content: "dict[str, Any]", identity: "str | None", host: str) -> "dict[str, Any]":
    """Return the cached token of an identity for a host; empty if there is none."""
    found: dict[str, Any] = content["tokens"].get(identity, {}).get(host, {})
    return found


def make_entry(secret: str, claims: "dict[str, Any]") -> "dict[str, Any]":
    """Return a token with the moments that count, from its claims `iat` and `exp`.

    A machine whose clock is behind must not take the token for valid longer than it lives.
    """
    now = time.time()
    try:
        issued, expires = float(claims.get("iat", now)), float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        issued = expires = now
    lives = max(expires - issued, 0.0)
    until = min(expires, now + lives)
    return {"secret": secret, "renew": until - min(lives * _RENEW_AT_SHARE, _RENEW_AT_SECONDS), "expires": until}


@contextmanager
def update_cache() -> "Iterator[dict[str, Any]]":
    """Return the content, to be changed in place; it is saved at the end, without what is over.

    :raises FileOperationError: it cannot be written, or another process keeps it.
    """
    from pathlib import Path

    from azext_acrscope.credentials.helper import cli

    cli.add_cli_packages()
    from azext_acrscope.credentials import credential_file

    make_private_folder(state.helper_folder())
    with credential_file.lock_file(Path(cache_file())):
        content, problem = _load_cache()
        yield content
        credential_file.replace_file(Path(cache_file()), _encrypt(json.dumps(_drop_expired(content)).encode()))
        if problem:
            print(cli.load_errors().helper_cache_replaced(cache_file(), problem), file=sys.stderr)


def _drop_expired(content: "dict[str, Any]") -> "dict[str, Any]":
    """Without what has expired, and without identities that nothing is left of."""
    now = time.time()
    tokens = {
        identity: {
            host: entry
            for host, entry in hosts.items()
            if max(entry_time(entry, "expires"), entry_time(entry, "failed") + _FAILURE_REMEMBERED_SECONDS) > now
        }
        for identity, hosts in content["tokens"].items()
    }
    kept = {
        h: entry
        for h, entry in content["stored"].items()
        if "expires" not in entry or entry_time(entry, "expires") > now
    }
    return {**content, "tokens": {identity: hosts for identity, hosts in tokens.items() if hosts}, "stored": kept}


def _object_member(content: "dict[str, Any]", name: str) -> "dict[str, Any]":
    """A member that is a dictionary of dictionaries; whatever else is in it is dropped."""
    member = content.get(name)
    if not isinstance(member, dict):
        return {}
    return {key: value for key, value in member.items() if isinstance(value, dict)}


def _read_decrypted() -> bytes:
    """The file's content, decrypted.

    :raises OSError: there is none, it cannot be read, or it is not ours.
    """
    with os.fdopen(open_regular_file(cache_file()), "rb") as handle:
        if sys.platform != "win32" and not _is_own_file(handle.fileno()):
            raise OSError(None, "it belongs to another user")
        return _decrypt(handle.read())


def _is_own_file(descriptor: int) -> bool:
    """Whether it is the user's own file; if others may read it, no longer. Root may use anybody's (sudo)."""
    if sys.platform == "win32":
        return True
    status = os.fstat(descriptor)
    if os.geteuid() not in (0, status.st_uid):
        return False
    if stat.S_IMODE(status.st_mode) & 0o077:
        with suppress(OSError):  # it is as it is where nothing can be written
            os.fchmod(descriptor, 0o600)
    return True


def make_private_folder(folder: str) -> None:
    """Create a folder that only its owner can read, as far as the system allows it."""
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if stat.S_IMODE(os.stat(folder).st_mode) & 0o077:
            os.chmod(folder, 0o700)


def _decrypt(data: bytes) -> bytes:
    return _windows_encryption().unprotect(data).encode() if sys.platform == "win32" and data else data


def _encrypt(data: bytes) -> bytes:
    return bytes(_windows_encryption().protect(data.decode())) if sys.platform == "win32" else data


def _windows_encryption() -> "Any":
    """Windows' encryption for the user, as the CLI uses it for its own tokens."""
    from azext_acrscope.credentials.helper import cli

    cli.add_cli_packages()
    from msal_extensions.windows import WindowsDataProtectionAgent

    return WindowsDataProtectionAgent()

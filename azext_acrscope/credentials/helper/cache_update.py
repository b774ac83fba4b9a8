"""Changes of the helper's cache: a file that is locked, written aside and replaced; see `cache` for what is in it."""

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from azext_acrscope.base import light_json, systems
from azext_acrscope.credentials.helper import cache, cli, state

# A token is renewed when so much of its life is left: 45 minutes of three hours.
_RENEW_AT_SHARE, _RENEW_AT_SECONDS = 0.25, 45 * 60.0
_FAILURE_REMEMBERED_SECONDS = 600.0
_MAX_FAILURES = 100  # without a token, of one identity


def make_entry(secret: str, claims: dict[str, Any]) -> dict[str, Any]:
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
def update_cache() -> Iterator[dict[str, Any]]:
    """Return the content, to be changed in place; it is saved at the end, without what is over.

    :raises FileOperationError: it cannot be written, or another process keeps it.
    """
    cli.add_cli_packages()
    from azext_acrscope.credentials import credential_file  # it needs the CLI's packages

    make_private_folder(state.helper_folder())
    with credential_file.lock_file(Path(cache.cache_file())):
        content, problem = cache.load_cache()
        yield content
        credential_file.replace_file(
            Path(cache.cache_file()), _encrypt(light_json.dump(_drop_expired(content)).encode())
        )
        if problem:
            print(cli.load_errors().helper_cache_replaced(cache.cache_file(), problem), file=sys.stderr)


def _drop_expired(content: dict[str, Any]) -> dict[str, Any]:
    """Without what has expired, and without identities that nothing is left of."""
    now = time.time()
    tokens = {
        identity: _drop_failures({host: entry for host, entry in hosts.items() if _is_of_use_until(entry) > now})
        for identity, hosts in content["tokens"].items()
    }
    kept = {
        h: entry
        for h, entry in content["stored"].items()
        if "expires" not in entry or cache.entry_time(entry, "expires") > now
    }
    return {**content, "tokens": {identity: hosts for identity, hosts in tokens.items() if hosts}, "stored": kept}


def _drop_failures(hosts: dict[str, Any]) -> dict[str, Any]:
    """Without the oldest, where very many hosts have failed."""
    failed = sorted(
        (host for host, entry in hosts.items() if "secret" not in entry),
        key=lambda host: cache.entry_time(hosts[host], "failed"),
    )
    return {host: entry for host, entry in hosts.items() if host not in failed[:-_MAX_FAILURES]}


def _is_of_use_until(entry: dict[str, Any]) -> float:
    return max(cache.entry_time(entry, "expires"), cache.entry_time(entry, "failed") + _FAILURE_REMEMBERED_SECONDS)


def make_private_folder(folder: str) -> None:
    """Create a folder that only its owner can read, as far as the system allows it."""
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if stat.S_IMODE(os.stat(folder).st_mode) & 0o077:
            os.chmod(folder, 0o700)


def _encrypt(data: bytes) -> bytes:
    return bytes(cache.windows_encryption().protect(data.decode())) if systems.this_system().encrypts else data

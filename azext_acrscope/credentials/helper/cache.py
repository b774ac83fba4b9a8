"""The helper's cache of ACR refresh tokens: one file, readable by its owner alone, replaced as a whole.

``{"version": 1, "tokens": {IDENTITY: {HOST: {"secret", "renew", "expires", "failed", "failure", "network"}}}, "stored":
{HOST: {"username", "secret", "expires", "over"}}}``; moments in seconds since the epoch. `failed` is when the last try
failed, `failure` why, and `network` is a number if it was for want of an answer, else null. `stored` is what `docker
login` handed over and was no token of ours; it is forgotten when it `expires`, and kept to say so when it is `over`. On
Windows the file is encrypted for its user (DPAPI), elsewhere it is as plain as the CLI's own token cache. A file that
makes no sense is taken as empty, and that is said when it is replaced: all but `stored` can be had again.

Read on each `get`, so the standard library alone, and of that only what is cheap: `cache_update` writes.
"""

import os
import stat
import time

from azext_acrscope.base import light_json, systems
from azext_acrscope.base.regular_files import open_regular_file
from azext_acrscope.credentials.helper import state

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from typing import Any

FORMAT_VERSION = 1
MIN_USABLE_SECONDS = 60.0  # a token with less to live than this is not handed out
RETRY_AFTER_SECONDS = 60.0  # after a failure, before the next try
# What decides how a host is reached, besides the network itself.
_NETWORK_VARIABLES = ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def cache_file() -> str:
    """Return the path of the cache."""
    suffix = "bin" if systems.this_system().encrypts else "json"
    return os.path.join(state.helper_folder(), f"helper-tokens.{suffix}")


def read_cache() -> "dict[str, Any]":
    """Return the content, with `tokens` and `stored` whatever the file is like."""
    return load_cache()[0]


def load_cache() -> "tuple[dict[str, Any], str]":
    """Return the content, and what is wrong with a file of which something is lost."""
    content: dict[str, Any] = {}
    problem = ""
    try:
        content = light_json.load_bytes(_read_decrypted())
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


def failed_just_now(entry: "dict[str, Any]") -> bool:
    """Return whether the last try failed within the last minute. A moment to come is of a clock that was ahead."""
    now = time.time()
    return now - RETRY_AFTER_SECONDS < entry_time(entry, "failed") <= now


def remembered_failure(entry: "dict[str, Any]", host: str) -> str:
    """Return what to say of a host that gave no answer within the last minute; empty if it is worth another try.

    It is if somebody has signed in since, or reaches the network in another way. What a host or Entra ID refused is
    never remembered: the right may have been granted in this moment.
    """
    why, failed = entry.get("failure"), entry_time(entry, "failed")
    if not isinstance(why, str) or not failed_just_now(entry) or entry.get("network") != network_settings():
        return ""
    if state.signed_in_since(failed):
        return ""
    at, again = (time.strftime("%H:%M:%S", time.gmtime(moment)) for moment in (failed, failed + RETRY_AFTER_SECONDS))
    return (
        f"{why.rstrip('.')}. This is remembered from {at} UTC, and nothing was sent now; the next try is at "
        f"{again} UTC. `az acr scope login --name {host}` tries at once."
    )


def network_settings() -> int:
    """Return a number for the variables by which hosts are reached; others have another one, most likely."""
    from binascii import crc32

    values = [os.environ.get(name) for each in _NETWORK_VARIABLES for name in (each, each.lower())]
    return crc32(repr(values).encode(errors="replace"))


def entry_time(entry: "dict[str, Any]", name: str) -> float:
    """Return a moment of an entry; long ago, if it is not there or makes no sense."""
    value = entry.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def token_entry(content: "dict[str, Any]", identity: "str | None", host: str) -> "dict[str, Any]":
    """Return the cached token of an identity for a host; empty if there is none."""
    found: dict[str, Any] = content["tokens"].get(identity, {}).get(host, {})
    return found


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
        if not _is_own_file(handle.fileno()):
            raise OSError(None, "it belongs to another user")
        return _decrypt(handle.read())


def _is_own_file(descriptor: int) -> bool:
    """Whether it is the user's own file; if others may read it, no longer. Root may use anybody's (sudo)."""
    if not systems.this_system().has_owners:
        return True
    status = os.fstat(descriptor)
    if os.geteuid() not in (0, status.st_uid):
        return False
    if stat.S_IMODE(status.st_mode) & 0o077:
        try:  # noqa: SIM105  (contextlib costs half as much as Python's own start)
            os.fchmod(descriptor, 0o600)
        except OSError:  # it is as it is where nothing can be written
            pass
    return True


def _decrypt(data: bytes) -> bytes:
    return windows_encryption().unprotect(data).encode() if data and systems.this_system().encrypts else data


def windows_encryption() -> "Any":
    """Return Windows' encryption for the user, as the CLI uses it for its own tokens."""
    from azext_acrscope.credentials.helper import cli

    cli.add_cli_packages()
    from msal_extensions.windows import WindowsDataProtectionAgent

    return WindowsDataProtectionAgent()

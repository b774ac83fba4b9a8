"""Credential files, changed so that nothing is ever lost: docker's config.json and the containers' auth.json.

Both are a JSON object with `auths` and `credHelpers` among members that are none of our business. A file is replaced
as a whole by renaming a complete one over it, so a reader sees the old or the new, and our own writers take turns.
docker and podman take no lock, so against them only the shortness of the moment helps.
"""

import errno
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from azext_acrscope.base import files
from azext_acrscope.base.polling import Polling
from azext_acrscope.credentials import errors

_LOCK_SECONDS = 60.0
_LOCK_RETRY_SECONDS = 0.02
_LOCKS_UNSUPPORTED = (
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
)  # of a file system: NFS without lockd, Lustre as it comes


def read_credential_file(file: Path) -> dict[str, Any]:
    """Return the content of a credential file; empty if there is none, or nothing in it, as docker takes it.

    :raises FileOperationError: it cannot be read, or is no JSON object with objects for `auths` and `credHelpers`.
    """
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # a pipe would be waited for, a device be replaced
            raise errors.credential_file_unreadable(str(file), "it is not a regular file")
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise errors.credential_file_unreadable(str(file), _parse_problem(error)) from None
    if not text.strip():
        return {}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.credential_file_unreadable(str(file), _parse_problem(error)) from None
    if not isinstance(content, dict):
        raise errors.credential_file_unreadable(str(file), "it is not a JSON object")
    for member in ("auths", "credHelpers"):
        if not isinstance(content.get(member), (dict, type(None))):
            raise errors.credential_file_unreadable(str(file), f"its '{member}' is not a JSON object")
    return content


@contextmanager
def edit_credential_file(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the content of a credential file to change in place; it is saved at the end if it was changed.

    A link is followed, unknown members and their order are kept, and the file ends up readable by its owner alone.

    :raises FileOperationError: it cannot be read (and is left alone), or not be written.
    """
    with lock_file(file):
        content = read_credential_file(file)
        before = json.dumps(content)
        yield content
        if json.dumps(content) != before:
            replace_file(file, json.dumps(content, indent="\t", ensure_ascii=False).encode() + b"\n")


@contextmanager
def lock_file(file: Path, seconds: float | None = None) -> Iterator[None]:
    """Let one process at a time in. Reading needs no lock.

    portalocker and not msal_extensions.CrossPlatLock, which stands on it: that one deletes its lock file at the
    end, so that one waiter may hold the deleted file's lock and a newcomer the new file's, both at once.

    :param seconds: how long to wait for another process; a minute, if nothing is said.
    :raises FileBusyError: another process holds it for longer.
    :raises FileOperationError: it cannot be locked.
    """
    from portalocker import unlock
    from portalocker.exceptions import LockException

    seconds = _LOCK_SECONDS if seconds is None else seconds
    target = Path(os.path.realpath(file))
    place = target.with_name(f".{target.name}.acrscope-lock")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_lock_file(place)
        held = open(place, "a", encoding="utf-8")  # noqa: SIM115  (held until the end, below)
    except OSError as error:
        raise errors.credential_file_unwritable(str(file), _parse_problem(error)) from None
    with held:
        try:
            _acquire_lock(held, seconds)
        except LockException:
            raise errors.credential_file_locked(str(file), str(place), seconds) from None
        except OSError as error:
            raise errors.credential_file_unwritable(str(file), _parse_problem(error)) from None
        try:
            yield
        finally:
            unlock(held)


def _create_lock_file(place: Path) -> None:
    """Others cannot hold it, for they cannot open it; with sudo, the folder's owner can."""
    with suppress(FileExistsError):
        descriptor = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            if os.name == "posix" and os.geteuid() == 0:
                folder = os.stat(place.parent)
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
        finally:
            os.close(descriptor)


def _acquire_lock(held: IO[str], seconds: float) -> None:
    """Not portalocker.Lock, which waits to the end where there are no locks at all."""
    from portalocker import LOCK_EX, LOCK_NB, lock
    from portalocker.exceptions import LockException

    polling = Polling(seconds, time.sleep, _LOCK_RETRY_SECONDS, _LOCK_RETRY_SECONDS)
    while True:
        try:
            lock(held, LOCK_EX | LOCK_NB)
            return
        except LockException as error:
            cause = error.args[0] if error.args else None
            if isinstance(cause, OSError) and cause.errno in _LOCKS_UNSUPPORTED:
                raise cause from None
            if not polling.wait():
                raise


def replace_file(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file (the one that a link points to) by one with this content, complete on disk before it is there.

    :raises FileOperationError: it cannot be written; the old one is as it was.
    """
    try:
        files.replace_file(file, content, mode)
    except OSError as error:
        raise errors.credential_file_unwritable(str(file), _parse_problem(error)) from None


def _parse_problem(error: Exception) -> str:
    """What is wrong, without anything of the content."""
    if isinstance(error, OSError):
        return files.os_error_reason(error)
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON (line {error.lineno}, column {error.colno})"
    return "it is not JSON"

"""Credential files, changed so that nothing is ever lost: docker's config.json and the containers' auth.json.

Both are a JSON object with `auths` and `credHelpers` among members that are none of our business. A file is replaced
as a whole by renaming a complete one over it, so a reader sees the old or the new, and our own writers take turns.
docker and podman take no lock, so against them only the shortness of the moment helps.
"""

import errno
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from azext_acrscope.base import files, systems
from azext_acrscope.base.polling import Polling
from azext_acrscope.base.regular_files import open_regular_file, read_regular_file
from azext_acrscope.credentials import file_errors

_LOCK_SECONDS = 60.0
_LOCK_RETRY_SECONDS = 0.02
_LOCKS_UNSUPPORTED = (
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
)  # of a file system: NFS without lockd, Lustre as it comes


def read_credential_file(file: Path) -> dict[str, Any]:
    """Return the content of a credential file; empty if there is none, or nothing in it, as docker takes it.

    What Go's clients cannot read is refused: docker would go on without it, and write the file anew without its
    credentials.

    :raises FileOperationError: it cannot be read, or its `auths`, `credHelpers` or `credsStore` have another shape.
    """
    content = read_json_file(file, file_errors.credential_file_unreadable)
    if problem := _shape_problem(content):
        raise file_errors.credential_file_unreadable(str(file), problem)
    return content


def read_json_file(file: Path, unreadable: Callable[[str, str], Exception]) -> dict[str, Any]:
    """Return the JSON object in a file; empty if there is none, or nothing in it. A pipe is never waited for.

    :param unreadable: makes the error, of the file's name and the reason.
    """
    try:
        text = read_regular_file(file).decode("utf-8-sig")
        if not text.strip():
            return {}
        content = json.loads(text, parse_float=_number, parse_constant=_number, object_pairs_hook=_object)
    except FileNotFoundError:
        if file.is_symlink() and not os.path.isdir(os.path.dirname(os.path.realpath(file))):
            where = os.path.realpath(file)
            raise unreadable(str(file), f"it is a link to {where}, and there is no such folder") from None
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(str(file), _parse_problem(error, file)) from None
    if not isinstance(content, dict):
        raise unreadable(str(file), "it is not a JSON object")
    return content


class _NotKept(ValueError):
    """JSON that could not be written again as it is."""


def _number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise _NotKept(f"the number {text} is out of range")
    return number


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):  # docker joins them
        names = [name for name, _ in members]
        raise _NotKept(f"it names '{next(name for name in names if names.count(name) > 1)}' twice in one object")
    return found


def _shape_problem(content: dict[str, Any]) -> str:
    """What is no text or no object where clients expect one, by its name; empty if all is well."""
    for member in ("auths", "credHelpers"):
        if not isinstance(content.get(member), (dict, type(None))):
            return f"its '{member}' is not a JSON object"
    texts = {"'credsStore'": content.get("credsStore")}
    texts |= {f"'credHelpers' for {host}": name for host, name in (content.get("credHelpers") or {}).items()}
    for key, entry in (content.get("auths") or {}).items():
        if not isinstance(entry, (dict, type(None))):
            return f"the entry '{key}' in its 'auths' is not a JSON object"
        texts |= {f"'{name}' of the entry '{key}'": (entry or {}).get(name) for name in ("auth", "identitytoken")}
    wrong = [name for name, value in texts.items() if not isinstance(value, (str, type(None)))]
    return f"its {wrong[0]} is not a text" if wrong else ""


def edit_credential_file(file: Path) -> AbstractContextManager[dict[str, Any]]:
    """Yield the content of a credential file to change in place; it is saved at the end if it was changed.

    A link is followed, unknown members and their order are kept, and the file ends up readable by its owner alone.

    :raises FileOperationError: it cannot be read (and is left alone), or not be written.
    """
    return edit_json_file(file, file_errors.credential_file_unreadable, _shape_problem)


@contextmanager
def edit_json_file(
    file: Path, unreadable: Callable[[str, str], Exception], find_problem: Callable[[dict[str, Any]], str] | None = None
) -> Iterator[dict[str, Any]]:
    """Do so with any JSON object; see `read_json_file`.

    :param find_problem: says what is wrong with the object; empty if nothing is.
    """
    with lock_file(file):
        content = read_json_file(file, unreadable)
        if find_problem and (problem := find_problem(content)):
            raise unreadable(str(file), problem)
        before = json.dumps(content)
        yield content
        if json.dumps(content) != before:
            text = json.dumps(content, indent="\t", ensure_ascii=False)
            replace_file(file, text.encode(errors="backslashreplace") + b"\n")  # half a character as JSON escapes it


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
        held = os.fdopen(open_regular_file(place, os.O_WRONLY | os.O_APPEND), "a", encoding="utf-8")
    except OSError as error:
        at_lock = os.path.lexists(place)
        why = _parse_problem(error, place if at_lock else target.parent)
        raise file_errors.credential_file_unwritable(
            str(file), f"its lock {place}: {why}" if at_lock else why
        ) from None
    with held:
        try:
            _acquire_lock(held, seconds)
        except LockException:
            raise file_errors.credential_file_locked(str(file), str(place), seconds) from None
        except OSError as error:
            raise file_errors.credential_file_unwritable(str(file), _parse_problem(error, place)) from None
        try:
            yield
        finally:
            unlock(held)


def _create_lock_file(place: Path) -> None:
    """Others cannot hold it, for they cannot open it; with sudo, the folder's owner can."""
    with suppress(FileExistsError):
        descriptor = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            if systems.this_system().has_owners and os.geteuid() == 0:
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
        raise file_errors.credential_file_unwritable(str(file), _parse_problem(error, file.parent)) from None


def _parse_problem(error: Exception, file: Path) -> str:
    """What is wrong, without anything secret of the content; of a file of another user, whose it is."""
    if isinstance(error, PermissionError):
        return files.os_error_reason(error) + files.other_owner(file)
    if isinstance(error, OSError):
        return files.os_error_reason(error)
    if isinstance(error, _NotKept):
        return str(error)
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON (line {error.lineno}, column {error.colno})"
    return "it is not JSON"

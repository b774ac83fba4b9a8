"""Reading files, and replacing one so that a reader sees the old or the new one, whole; a crash leaves one of them."""

import json
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from azext_acrscope.base import systems
from azext_acrscope.base.regular_files import NOT_REGULAR


def expand_path(name: str) -> Path:
    """Return the file of this name, in which ~ and ~USER are folders of people, if there are such people."""
    return Path(os.path.expanduser(name))


def os_error_reason(error: OSError) -> str:
    """Return why the system refused, in its own words; without a path, which the caller's sentence names."""
    return error.strerror or type(error).__name__


def other_owner(file: Path) -> str:
    """Return, for a message, that a file belongs to another user; empty if it does not, or that is not known."""
    if not systems.this_system().has_owners:
        return ""
    try:
        owner = os.stat(file).st_uid
    except OSError:
        return ""
    if owner == os.geteuid():
        return ""
    import pwd

    try:
        return f" ({file} belongs to {pwd.getpwuid(owner).pw_name})"
    except KeyError:
        return f" ({file} belongs to user {owner})"


def read_json_document(
    name: str, unreadable: Callable[[str, str], Exception], malformed: Callable[[str, str], Exception]
) -> Any:
    """Return what a JSON file that a person named holds, in UTF-8 or UTF-16 (Windows PowerShell's `>`), BOM or not.

    :param unreadable: makes the error for a file that cannot be read, of its name and the reason.
    :param malformed: makes the error for a file that is not JSON, likewise.
    """
    try:
        return json.loads(expand_path(name).read_bytes())
    except OSError as error:
        raise unreadable(name, os_error_reason(error)) from error
    except (ValueError, RecursionError) as error:
        raise malformed(name, "it is not JSON") from error


def replace_file(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file (the one that a link points to) by one with this content, complete on disk before it is there.

    :raises OSError: it cannot be written; the old one is as it was.
    """
    target = os.path.realpath(file)
    descriptor, temporary = tempfile.mkstemp(prefix=".acrscope-", dir=os.path.dirname(target))  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        _keep_owner(file, target, temporary)
        if mode != 0o600:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
        _sync_directory(os.path.dirname(target))
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def replace_document(file: Path, text: str) -> None:
    """Replace a document without secrets: its permissions stay, or are those of the umask for a new one.

    :raises OSError: it cannot be written, or is something else than a file; the old one is as it was.
    """
    mode = _document_mode(file)
    if mode is None:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    replace_file(file, text.encode("utf-8"), mode)


def check_document_writable(file: Path) -> None:
    """See, before much work is done for it, whether a document can be put there; nothing is left behind.

    :raises OSError: it cannot.
    """
    _document_mode(file)
    descriptor, temporary = tempfile.mkstemp(prefix=".acrscope-", dir=os.path.dirname(os.path.realpath(file)))
    os.close(descriptor)
    os.unlink(temporary)


def _document_mode(file: Path) -> int | None:
    """Who may read it, as in chmod; None if it is not there.

    :raises OSError: it is something else than a file, or cannot be looked at.
    """
    try:
        old = os.stat(file)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(old.st_mode):
        raise OSError(None, NOT_REGULAR)
    return stat.S_IMODE(old.st_mode)


def _keep_owner(file: Path, target: str, temporary: str) -> None:
    """With sudo, the file stays its user's; without the right to that, the writer's own.

    Only in a folder of that user: elsewhere (/tmp), anybody may have laid a file or a link to wait for root's tokens.
    """
    if systems.this_system().has_owners:
        with suppress(FileNotFoundError, PermissionError):
            old = os.stat(target)
            if old.st_uid != os.stat(os.path.dirname(os.path.abspath(file))).st_uid:
                return
            if stat.S_ISREG(old.st_mode) and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(temporary, old.st_uid, old.st_gid)


def _sync_directory(directory: str) -> None:
    if systems.this_system().has_owners:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

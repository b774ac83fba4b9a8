"""Read a file without ever waiting for it: a named pipe has no end before somebody writes, a device may have none.

The credential helper loads this on each `get`, so it imports the standard library alone.
"""

import os
import stat

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from typing import BinaryIO

NOT_REGULAR = "it is not a regular file"
_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def open_regular_file(path: "str | os.PathLike[str]", flags: int = os.O_RDONLY) -> int:
    """Return a descriptor of a regular file, following links.

    :raises OSError: it cannot be opened, or it is something else (a folder, a pipe, a socket, a device).
    """
    return open_with_size(path, flags)[0]


def open_with_size(path: "str | os.PathLike[str]", flags: int = os.O_RDONLY) -> tuple[int, int]:
    """Return what `open_regular_file` does, and the size of the file."""
    descriptor = os.open(path, flags | _NO_WAITING)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode):
        return descriptor, found.st_size
    os.close(descriptor)
    raise OSError(None, NOT_REGULAR)


def read_regular_file(path: "str | os.PathLike[str]", limit: int = -1) -> bytes:
    """Return the content of a regular file, at most `limit` bytes of it. Errors are those of `open_regular_file`."""
    handle: BinaryIO
    with os.fdopen(open_regular_file(path), "rb") as handle:
        return handle.read(limit)

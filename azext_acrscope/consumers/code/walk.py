"""Read the files of folders that other people fill: never waits, never leaves a folder through a link, always ends.

Nothing of a tree is run, and nothing is taken on trust: a link is not followed, what is no regular file is not opened,
and what is not read is counted (`WalkCounts`), so that it cannot pass for clean.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from azext_acrscope.base.files import os_error_reason
from azext_acrscope.base.regular_files import open_with_size
from azext_acrscope.base.text import one_line
from azext_acrscope.consumers.code import errors
from azext_acrscope.consumers.code.counts import WalkCounts
from azext_acrscope.consumers.code.file_names import NO_SCRIPTS

STDIN = "-"  # as a path: standard input
MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_ENTRIES = 1_000_000  # files and folders of a run; the names of more would not fit in memory for certain
# What holds other people's code, or none: what is committed there is not what deploys or signs in.
LEFT_OUT_FOLDERS = frozenset(
    (".git", ".hg", ".svn", "node_modules", "bower_components", "vendor", "site-packages", ".venv", "venv", ".tox")
    + (".nox", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform", ".terragrunt-cache")
    + (".gradle", ".yarn", ".pnpm-store", ".next", ".nuget")
)
SCRIPT = b"#!"  # begins a script, whatever the name of the file
_BEGINNING = 8192  # bytes in which a NUL makes a file binary, as for git
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which Windows PowerShell writes
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class SourceRoot:
    """One of the folders or files that were given.

    :ivar shown: what stands before the names of its files in results: nothing for the only folder.
    :ivar path: where it is.
    :ivar repository: the root of the repository that it is in; without one, the folder itself.
    """

    shown: str
    path: str
    repository: str

    def shown_name(self, path: str) -> str:
        """Return the name of a file as results have it: printable, with `/`."""
        name = os.path.relpath(path, self.path) if path != self.path else ""
        return printable(os.path.normpath(os.path.join(self.shown, name)))

    def name_in_repository(self, path: str) -> str:
        """Return the name of a file in its repository, which readers know files by: printable, with `/`."""
        return printable(os.path.relpath(path, self.repository))


def printable(name: str) -> str:
    """Return a name as text on one line: it may hold bytes that are no text, line breaks, what a terminal obeys."""
    return one_line(name.replace(os.sep, "/"))


def find_roots(paths: list[str]) -> list[SourceRoot]:
    """Return what was given, each once. Standard input is not among them.

    :raises FileOperationError: there is no such folder or file.
    """
    given = [os.path.expanduser(each) for each in dict.fromkeys(paths) if each != STDIN]
    for each in given:
        if not os.path.exists(each):
            raise errors.no_such_source(each)
    roots: dict[str, SourceRoot] = {}
    for each in given:
        path = os.path.realpath(each)
        is_folder = os.path.isdir(path)
        shown = "" if is_folder and len(given) == 1 else each
        roots.setdefault(path, SourceRoot(shown, path, _repository_of(path if is_folder else os.path.dirname(path))))
    return list(roots.values())


def _repository_of(folder: str) -> str:
    above = (str(each) for each in (Path(folder), *Path(folder).parents))
    return next((each for each in above if os.path.lexists(os.path.join(each, ".git"))), folder)


def read_files(
    root: SourceRoot, counts: WalkCounts, is_wanted: Callable[[str], object] = bool
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each text file in a root, in UTF-8; what is not read is in `counts`.

    :param is_wanted: says by its path whether a file is to be read; scripts are in any case.
    """
    if not os.path.isdir(root.path):
        if (content := _read_text(root.path, root, counts, is_wanted)) is not None:
            yield root.path, content
        return
    folders = [root.path]
    while folders and not counts.cut:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    counts.entries += 1
                    if counts.entries > MAX_ENTRIES:
                        counts.cut = True
                        return
                    if entry.is_file(follow_symlinks=False):
                        if (content := _read_text(entry.path, root, counts, is_wanted)) is not None:
                            yield entry.path, content
                    elif _is_searched_folder(entry, counts):
                        folders.append(entry.path)
        except OSError as error:
            counts.unreadable.add(f"{root.shown_name(folder)} ({os_error_reason(error)})")


def _is_searched_folder(entry: "os.DirEntry[str]", counts: WalkCounts) -> bool:
    if entry.is_symlink() or getattr(entry, "is_junction", bool)():
        counts.links += 1
    elif not entry.is_dir():
        counts.special += 1
    elif (name := entry.name.lower()) in LEFT_OUT_FOLDERS:
        counts.left_out[name] += 1
    else:
        return True
    return False


def _read_text(path: str, root: SourceRoot, counts: WalkCounts, is_wanted: Callable[[str], object]) -> bytes | None:
    """Return the content of a file, if it is wanted and text that can be read."""
    wanted = bool(is_wanted(path))
    if not wanted and path.rpartition(".")[2].lower() in NO_SCRIPTS:
        counts.other_formats += 1
        return None
    try:
        content, size = _read_content(path, only_script=not wanted)
    except OSError as error:
        if wanted:
            counts.unreadable.add(f"{root.shown_name(path)} ({os_error_reason(error)})")
        else:
            counts.other_formats += 1
        return None
    if not wanted and not content:
        counts.other_formats += 1
        return None
    if content.startswith(_BYTE_ORDER_MARKS):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    elif content.find(b"\0", 0, _BEGINNING) >= 0:
        counts.binary += 1
        return None
    if size > MAX_FILE_BYTES:
        counts.large.add(root.shown_name(path))
        return None
    counts.files += 1
    return content


def _read_content(path: str, only_script: bool) -> tuple[bytes, int]:
    """Return the content and the size of a file; of a file that is too large its beginning.

    :param only_script: whether the content is wanted only of what begins as a script does, and nothing of all else.

    What claims to be empty is not read: files of /proc and /sys do, and some of them would wait.

    :raises OSError: it cannot be opened or read, or is no regular file.
    """
    descriptor, size = open_with_size(path, os.O_RDONLY | _NO_LINK)
    try:
        wanted = size if size <= MAX_FILE_BYTES else _BEGINNING
        content = os.read(descriptor, len(SCRIPT) if only_script else wanted) if wanted else b""
        if only_script and content != SCRIPT:
            return b"", size
        while len(content) < wanted and (more := os.read(descriptor, wanted - len(content))):
            content += more  # some file systems give less than was asked for
        return content, size
    finally:
        os.close(descriptor)

"""What is released: one commit, with nothing beside it, and a version that HISTORY.rst has an entry for."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from release.errors import RefusedError
from release.notes import entry_of


@dataclass(frozen=True)
class Source:
    """A commit that may be released.

    :ivar root: the folder of the checkout.
    :ivar commit: its full hash.
    :ivar date: when it was made, in seconds since 1970: the time of everything in the release.
    :ivar home: the address of the project.
    :ivar entry: what HISTORY.rst says of the version.
    """

    root: Path
    commit: str
    date: int
    version: str
    home: str
    entry: str

    @property
    def tag(self) -> str:
        """Return the name of the tag that a release of this version has."""
        return f"v{self.version}"

    def unpack(self, folder: Path) -> Path:
        """Unpack the files of the commit into a new folder, which is returned."""
        folder.mkdir(parents=True)
        archive = folder.with_suffix(".tar")
        # Not by tarfile, whose filters the Python of Debian 12 lacks.
        _git(self.root, "archive", "--format", "tar", "--output", str(archive), self.commit)
        subprocess.run(["tar", "-xpf", str(archive), "-C", str(folder)], check=True)
        archive.unlink()
        return folder


def find_source(root: Path, tag: str = "") -> Source:
    """Return what is to be released from a checkout.

    :param tag: the tag that the release is for, where there is one.
    :raises RefusedError: files differ from the commit, the version has no entry in HISTORY.rst, or the tag is another.
    """
    if changed := _git(root, "status", "--porcelain"):
        raise RefusedError(
            f"The checkout differs from its commit, and a release holds what is committed:\n{changed}\n"
            "Commit the changes, or take them back with `git stash --include-untracked`."
        )
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    version, home = (_setting(project, name) for name in ("version", "Home"))
    source = Source(
        root=root,
        commit=_git(root, "rev-parse", "HEAD"),
        date=int(_git(root, "log", "-1", "--format=%ct")),
        version=version,
        home=home,
        entry=entry_of((root / "HISTORY.rst").read_text(encoding="utf-8"), version),
    )
    if tag and tag != source.tag:
        raise RefusedError(
            f"The tag is {tag} and pyproject.toml has version {version}, whose tag is {source.tag}. "
            "Set the version, or make the other tag."
        )
    return source


def _setting(project: str, name: str) -> str:
    found = re.search(rf'^{name} = "(.+)"$', project, re.MULTILINE)
    if not found:
        raise RefusedError(f"pyproject.toml has no line `{name} = …`. Add it.")
    return found[1]


def _git(root: Path, *words: str) -> str:
    # The modes of files stand in the wheel, whatever the developer's settings are.
    done = subprocess.run(
        ["git", "-c", "tar.umask=0022", *words], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RefusedError(f"A release is made from a git checkout, and `git {words[0]}` failed: {done.stderr.strip()}")
    return done.stdout.strip()

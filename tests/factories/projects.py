"""A project of a few files in git, in the shape of this one."""

import subprocess
from pathlib import Path

from tests.factories.files import write

PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "example"
version = "1.2.0"
[project.urls]
Home = "https://example.com/example"

[tool.setuptools]
packages = ["example"]
"""
HISTORY = """\
Release History
===============

1.2.0
+++++
* ``example``: what it does,
  and how.
* A line.

1.1.0
+++++
* Older.
"""


def make_project(root: Path) -> Path:
    """Make a project with one commit in a new folder, and return the folder."""
    write(root / "pyproject.toml", PROJECT)
    write(root / "HISTORY.rst", HISTORY)
    write(root / "example/__init__.py", '"""Example."""\n')
    make_repository(root)
    return root


def make_repository(root: Path) -> None:
    """Make a git repository of a folder, with one commit on the branch main."""
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root)


def commit(root: Path) -> None:
    """Commit all that is there."""
    git(root, "add", "--all")
    git(root, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "A change")


def git(root: Path, *words: str) -> None:
    """Run git, without the settings of this machine."""
    environment = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": "/usr/bin:/bin"}
    subprocess.run(["git", *words], cwd=root, env=environment, check=True)

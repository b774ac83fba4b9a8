"""The versions that other files decide, for the tests of those that name them."""

import json
import re

from tests.az import ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def locked(name: str, package: str) -> str:
    """Return the version of a package in requirements/NAME.txt."""
    (found,) = re.findall(rf"^{re.escape(package)}==(\S+)", read(f"requirements/{name}.txt"), re.MULTILINE)
    return found


def locked_for_node(name: str, package: str) -> str:
    """Return the version of a package in requirements/NAME/package-lock.json."""
    packages = json.loads(read(f"requirements/{name}/package-lock.json"))["packages"]
    return str(packages[f"node_modules/{package}"]["version"])


_PROJECT = read("pyproject.toml")
VERSION = re.findall(r'^version = "(.*)"', _PROJECT, re.MULTILINE)[0]
PYTHONS = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', _PROJECT)
# The Azure CLIs that have a lock file of their own, the oldest one first; the newest is in that of the tests.
_OLDER = [re.findall(r"^azure-cli==(\S+)", each.read_text(), re.M)[0] for each in ROOT.glob("requirements/cli-*.in")]
OLDER_CLIS = sorted(_OLDER, key=lambda version: [int(part) for part in version.split(".")])
NEWEST_CLI = locked("dev", "azure-cli")

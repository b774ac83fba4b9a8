"""Offline bundles: the wheel and all that `az extension add` installs beside it, for machines without an index.

pip installs what the extension needs into a folder of its own and does not look at what the CLI carries. So a bundle
has all of it, and two of the packages (cryptography, cffi) are programs of one system. There is one bundle for each
system, for all Pythons that the extension supports.
"""

import platform
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement

from release.errors import RefusedError
from release.source import Source

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


@dataclass(frozen=True)
class System:
    """A system that a bundle is for.

    :ivar name: part of the bundle's name.
    :ivar platforms: what pip calls it; the oldest of it that wheels may be made for.
    :ivar markers: what conditions in requirements ask about it.
    """

    name: str
    platforms: tuple[str, ...]
    markers: tuple[str, str, str]


# macOS on Intel is not here: cryptography has no wheel for it any more.
SYSTEMS = (
    *(
        System(
            f"linux-{machine}",
            tuple(f"manylinux{version}_{machine}" for version in ("2014", "_2_17", "_2_28")),
            ("linux", "posix", "Linux"),
        )
        for machine in ("x86_64", "aarch64")
    ),
    System("windows-amd64", ("win_amd64",), ("win32", "nt", "Windows")),
    System("macos-arm64", ("macosx_11_0_arm64",), ("darwin", "posix", "Darwin")),
)


def make_bundle(source: Source, system: System, wheel: Path, out: Path) -> Path:
    """Make the bundle of a system in a folder, and return its file. Two of the same commit are the same."""
    name = f"acrscope-{source.version}-offline-{system.name}"
    with tempfile.TemporaryDirectory(prefix="acrscope-bundle-") as place:
        download(system, (source.root / "requirements/bundle.txt").read_text(encoding="utf-8"), Path(place))
        files = {file.name: file.read_bytes() for file in [wheel, *Path(place).iterdir()]}
    files["README.txt"] = _readme(wheel.name, system).encode()
    return write_zip(out / f"{name}.zip", {f"{name}/{each}": content for each, content in files.items()}, source.date)


def download(system: System, locked: str, folder: Path) -> None:
    """Download what a lock file names for a system, for all Pythons; pip checks the hashes.

    :raises RefusedError: pip could not.
    """
    for python in PYTHONS:
        missing = [each for each in wanted(locked, system, python) if not list(folder.glob(_pure_wheel(each)))]
        lines = folder / "requirements.txt"
        lines.write_text("\n".join(missing), encoding="utf-8")
        platforms = [word for each in system.platforms for word in ("--platform", each)]
        command = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        command += ["--require-hashes", "--python-version", python, *platforms, "--dest", str(folder)]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *command, "--requirement", str(lines)],
            capture_output=True,
            text=True,
            check=False,
        )
        lines.unlink()
        if done.returncode:
            raise RefusedError(f"pip could not download the bundle {system.name} for Python {python}:\n{done.stderr}")


def wanted(locked: str, system: System, python: str) -> Iterator[str]:
    """Yield the lines of a lock file that count on a system with a Python, without their conditions."""
    sys_platform, os_name, platform_system = system.markers
    environment: dict[str, Any] = {
        **default_environment(),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    environment |= {"sys_platform": sys_platform, "os_name": os_name, "platform_system": platform_system}
    environment |= {"python_version": python, "python_full_version": f"{python}.99"}
    for line in re.sub(r"\\\n\s*", "", locked).splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield " ".join([f"{requirement.name}{requirement.specifier}", *hashes])


def _pure_wheel(line: str) -> str:
    """Return the pattern of the name of a requirement's wheel if it is one for all systems and Pythons."""
    name, version = line.split()[0].split("==")
    return f"{name.replace('-', '_')}-{version}-*-none-any.whl"


def write_zip(file: Path, content: dict[str, bytes], date: int) -> Path:
    """Write a zip that has its files in order and one date."""
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(content):
            member = zipfile.ZipInfo(name, time.gmtime(date)[:6])
            member.create_system, member.external_attr = 3, 0o100644 << 16  # the same wherever it is written
            archive.writestr(member, content[name])  # wheels are packed already
    return file


def _readme(wheel: str, system: System) -> str:
    return f"""\
acrscope for a machine without a package index: {system.name}, Azure CLI with Python {PYTHONS[0]} to {PYTHONS[-1]}.
In this folder:

Linux, macOS:
  export PIP_NO_INDEX=1 PIP_FIND_LINKS=.
  az extension add --upgrade --yes --source {wheel}

Windows (PowerShell):
  $env:PIP_NO_INDEX = "1"; $env:PIP_FIND_LINKS = "."
  az extension add --upgrade --yes --source {wheel}
"""


def this_system() -> System:
    """Return the system that this runs on.

    :raises RefusedError: there is no bundle for it.
    """
    name = f"{platform.system()}-{platform.machine()}".lower().replace("darwin", "macos")
    for system in SYSTEMS:
        if system.name == name:
            return system
    raise RefusedError(f"There is no bundle for {name}, so its contents cannot be listed. Run it on Linux.")

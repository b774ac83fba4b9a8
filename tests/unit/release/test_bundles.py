"""What an offline bundle has for which system and Python."""

import re
import zipfile
from pathlib import Path

import pytest

from release.bundles import PYTHONS, SYSTEMS, System, this_system, wanted, write_zip
from release.errors import RefusedError
from tests.az import ROOT

LOCKED = """\
# Made by a program.
always==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r bundle.in
windows-only==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:cc
old==3.0 ; python_full_version < '3.11' and platform_python_implementation != 'PyPy' \\
    --hash=sha256:dd
old==3.1 ; python_full_version >= '3.11' and platform_python_implementation != 'PyPy' \\
    --hash=sha256:ee
"""
LINUX, WINDOWS, MACOS = SYSTEMS[0], SYSTEMS[2], SYSTEMS[3]
ALWAYS, WINDOWS_ONLY = "always==1.0 --hash=sha256:aa --hash=sha256:bb", "windows-only==2.0 --hash=sha256:cc"


@pytest.mark.parametrize(
    ("system", "python", "expected"),
    [
        (LINUX, "3.10", [ALWAYS, "old==3.0 --hash=sha256:dd"]),
        (LINUX, "3.11", [ALWAYS, "old==3.1 --hash=sha256:ee"]),
        (WINDOWS, "3.10", [ALWAYS, WINDOWS_ONLY, "old==3.0 --hash=sha256:dd"]),
        (WINDOWS, "3.14", [ALWAYS, WINDOWS_ONLY, "old==3.1 --hash=sha256:ee"]),
        (MACOS, "3.14", [ALWAYS, "old==3.1 --hash=sha256:ee"]),
    ],
)
def test_conditions_are_those_of_the_machine_that_it_is_for(system: System, python: str, expected: list[str]) -> None:
    assert list(wanted(LOCKED, system, python)) == expected


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_the_lock_file_has_each_package_once_with_hashes(system: System, python: str) -> None:
    lines = list(wanted((ROOT / "requirements/bundle.txt").read_text(encoding="utf-8"), system, python))
    names = [line.split("==")[0] for line in lines]
    assert "azure-identity" in names
    assert len(names) == len(set(names))
    assert all(" --hash=sha256:" in line for line in lines)


def test_the_bundles_are_for_every_python_that_the_extension_supports() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert list(PYTHONS) == re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)


def test_the_bundle_asks_for_what_the_wheel_asks_for() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = (ROOT / "requirements/bundle.in").read_text(encoding="utf-8").splitlines()[-1]
    assert f'dependencies = ["{asked}"]' in project


def test_a_zip_is_the_same_in_whatever_order_it_is_filled(tmp_path: Path) -> None:
    content = {"a/x.txt": b"x", "a/b.whl": b"b"}
    one = write_zip(tmp_path / "one.zip", content, 1_700_000_000)
    other = write_zip(tmp_path / "other.zip", dict(reversed(content.items())), 1_700_000_000)
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == content
        assert {member.date_time for member in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux-x86_64"),
        ("Linux", "aarch64", "linux-aarch64"),
        ("Darwin", "arm64", "macos-arm64"),
        ("Windows", "AMD64", "windows-amd64"),
    ],
)
def test_the_system_is_known_by_what_python_calls_it(
    system: str, machine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert this_system().name == name


def test_another_system_is_an_error_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(RefusedError, match="no bundle for macos-x86_64"):
        this_system()

"""The rules of Linux, macOS and Windows, all tried on the system that this runs on."""

import os
import re
from pathlib import Path

import pytest

from azext_acrscope.base import systems
from azext_acrscope.base.systems import Linux, MacOS, Windows
from tests.az import ROOT

SYSTEMS = {"linux": Linux, "darwin": MacOS, "win32": Windows, "freebsd14": Linux, "cygwin": Linux}


@pytest.mark.parametrize(("platform", "rules"), SYSTEMS.items())
def test_the_rules_are_those_of_the_system(platform: str, rules: type[Linux], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azext_acrscope.base.systems.sys.platform", platform)
    assert type(systems.this_system()) is rules


def test_no_other_file_asks_which_system_it_runs_on() -> None:
    asks = re.compile(r"\bsys\.platform\b|\bos\.name\b|\bplatform\.(?:system|uname)\b|\buname\b")
    sources = (ROOT / "azext_acrscope").rglob("*.py")
    assert [file.name for file in sources if asks.search(file.read_text(encoding="utf-8"))] == ["systems.py"]


@pytest.mark.parametrize(
    ("rules", "on_path", "expected"),
    [
        (Linux, ("pass",), "pass"),
        (Linux, (), "secretservice"),
        (MacOS, ("pass",), "osxkeychain"),
        (Windows, ("pass",), "wincred"),
    ],
)
def test_the_keychain_that_clients_take_by_themselves(
    rules: type[Linux], on_path: tuple[str, ...], expected: str
) -> None:
    assert rules().keychain(lambda name: f"/usr/bin/{name}" if name in on_path else None) == expected


@pytest.mark.parametrize(
    ("rules", "auth_file", "helm_folder"),
    [
        (Linux, "/run/user/7/containers/auth.json", "/home/ann/.config/helm"),
        (MacOS, "/home/ann/.config/containers/auth.json", "/home/ann/Library/Preferences/helm"),
        (Windows, "/home/ann/.config/containers/auth.json", "C:\\Users\\ann\\AppData\\Roaming\\helm"),
    ],
)
def test_files_of_clients(
    rules: type[Linux], auth_file: str, helm_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setenv("APPDATA", "C:\\Users\\ann\\AppData\\Roaming")
    assert rules().containers_auth_file("/home/ann") == auth_file
    assert rules().helm_folder("/home/ann") == helm_folder


def test_files_of_clients_where_the_session_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("APPDATA", raising=False)
    assert Linux().containers_auth_file("/home/ann") == f"/run/containers/{os.getuid()}/auth.json"
    assert Windows().helm_folder("C:\\Users\\ann") == "C:\\Users\\ann\\helm"


def test_the_name_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPUTERNAME", "BUILD-7")
    assert Windows().machine_name() == "BUILD-7"
    assert Linux().machine_name() == MacOS().machine_name() == os.uname().nodename


@pytest.mark.parametrize(
    ("folder", "link"),
    [
        ("opt/homebrew/Cellar/azure-cli/2.91.0", "opt/homebrew/opt/azure-cli"),
        ("home/linuxbrew/.linuxbrew/Cellar/azure-cli/2.91.0_1", "home/linuxbrew/.linuxbrew/opt/azure-cli"),
        (
            "home/ann/.local/share/mise/installs/azure-cli/2.91.0",
            "home/ann/.local/share/mise/installs/azure-cli/latest",
        ),
    ],
)
@pytest.mark.parametrize("rules", [Linux, MacOS])
def test_an_interpreter_is_named_by_a_link_that_an_upgrade_keeps(
    rules: type[Linux], folder: str, link: str, tmp_path: Path
) -> None:
    python = tmp_path / folder / "libexec/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert rules().stable_path(str(python)) == str(python), "there is no link yet"
    stable = tmp_path / link
    stable.parent.mkdir(parents=True, exist_ok=True)
    stable.symlink_to(tmp_path / folder, target_is_directory=True)
    assert rules().stable_path(str(python)) == str(stable / "libexec/bin/python")
    assert Windows().stable_path(str(python)) == str(python)


def test_a_link_that_leads_to_another_file_is_not_taken(tmp_path: Path) -> None:
    for version in ("2.90.0", "2.91.0"):
        python = tmp_path / f"Cellar/azure-cli/{version}/bin/python"
        python.parent.mkdir(parents=True)
        python.touch()
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/azure-cli").symlink_to(tmp_path / "Cellar/azure-cli/2.90.0", target_is_directory=True)
    assert MacOS().stable_path(str(python)) == str(python)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("desktop.exe", "desktop"),  # what Docker Desktop writes into a file of WSL
        ("wincred.EXE", "wincred"),
        ("docker", "docker"),
        ("exe", "exe"),
        ("pass.exe.sh", "pass.exe.sh"),
    ],
)
def test_a_program_of_the_host_has_the_name_that_it_has_everywhere(written: str, plain: str) -> None:
    assert systems.plain_name(written) == plain


def test_a_program_of_the_host_is_found_where_there_is_no_other() -> None:
    assert systems.program_names("docker") == ("docker", "docker.exe")


def test_files_have_owners_or_are_encrypted() -> None:
    assert [(rules.has_owners, rules.encrypts) for rules in (Linux, MacOS, Windows)] == [
        (True, False),
        (True, False),
        (False, True),
    ]


def test_who_may_read_the_key_of_azure_arc() -> None:
    assert "usermod --append --groups himds" in Linux().arc_key_advice()
    assert "Hybrid agent extension applications" in Windows().arc_key_advice()

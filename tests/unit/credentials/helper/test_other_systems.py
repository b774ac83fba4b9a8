"""The helper and the clients' files by the rules of Linux, macOS and Windows, whichever this runs on."""

import os
import sys
from pathlib import Path

import pytest

from azext_acrscope.base import systems
from azext_acrscope.base.systems import Linux, MacOS, Windows
from azext_acrscope.credentials import clients, docker_config
from azext_acrscope.credentials.helper import cache, cli, launcher, state
from tests.factories.container_clients import fake_client


def play(monkeypatch: pytest.MonkeyPatch, rules: type[Linux]) -> None:
    monkeypatch.setattr(systems, "this_system", rules)


@pytest.mark.parametrize(
    ("rules", "programs", "store"),
    [
        (Linux, ["pass", "docker-credential-pass"], "pass"),
        (Linux, ["pass", "docker-credential-secretservice"], ""),
        (Linux, ["docker-credential-secretservice"], "secretservice"),
        (MacOS, ["docker-credential-osxkeychain", "docker-credential-desktop"], "osxkeychain"),
        (MacOS, ["docker-credential-pass", "pass"], ""),
        (Windows, ["docker-credential-wincred"], "wincred"),
        (Windows, [], ""),
    ],
)
def test_docker_keeps_credentials_in_the_systems_keychain_if_its_helper_is_there(
    rules: type[Linux], programs: list[str], store: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, rules)
    for name in programs:
        fake_client(home / "bin", name, "exit 0")
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert docker_config.default_store({}) == store
    assert docker_config.default_store({"auths": {"contoso.azurecr.io": {}}}) == ""


@pytest.mark.parametrize(
    ("rules", "podman", "helm"),
    [
        (Linux, f"/run/containers/{os.getuid()}/auth.json", ".config/helm/registry/config.json"),
        (MacOS, ".config/containers/auth.json", "Library/Preferences/helm/registry/config.json"),
        (Windows, ".config/containers/auth.json", "C:\\Users\\ann\\AppData\\helm/registry/config.json"),
    ],
)
def test_a_client_reads_the_file_of_its_system(
    rules: type[Linux], podman: str, helm: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, rules)
    monkeypatch.setenv("APPDATA", "C:\\Users\\ann\\AppData")
    for name in ("HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert str(clients.config_file("docker")) == str(home / ".docker/config.json")
    assert str(clients.config_file("podman")).endswith(podman)
    assert str(clients.config_file("helm")).endswith(f"/{helm}")


@pytest.mark.parametrize(
    ("rules", "name"),
    [(Linux, "helper-tokens.json"), (MacOS, "helper-tokens.json"), (Windows, "helper-tokens.bin")],
)
def test_the_cache_has_another_name_where_it_is_encrypted(
    rules: type[Linux], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, rules)
    assert os.path.basename(cache.cache_file()) == name


def test_on_windows_the_cache_is_what_its_users_encryption_makes_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reversed:
        @staticmethod
        def unprotect(data: bytes) -> str:
            return data.decode()[::-1]

    play(monkeypatch, Windows)
    monkeypatch.setattr(cache, "windows_encryption", Reversed)
    file = Path(cache.cache_file())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"version": 1, "tokens": {"me": {"contoso.azurecr.io": {"secret": "x"}}}, "stored": {}}'[::-1])
    file.chmod(0o644)
    assert cache.read_cache()["tokens"] == {"me": {"contoso.azurecr.io": {"secret": "x"}}}
    assert file.stat().st_mode & 0o777 == 0o644, "modes say nothing there"


def test_identities_of_a_machine_are_told_apart_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    source = {"credential": "managed-identity"}
    keys = set()
    for rules, name in ((Windows, "BUILD-7"), (Windows, "BUILD-8"), (Linux, "")):
        play(monkeypatch, rules)
        monkeypatch.setenv("COMPUTERNAME", name)
        keys.add(state.identity_key(source))
    assert len(keys) == 3


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """An az from the MSI, in a folder with a space, and an extension whose path has a percent sign."""
    play(monkeypatch, Windows)
    monkeypatch.setattr(sys, "executable", r"C:\Program Files\Microsoft SDKs\Azure\CLI2\python.exe")
    monkeypatch.setattr(cli, "EXTENSION_ROOT", r"C:\Users\100%sure\.azure\cliextensions\acrscope")


def test_the_launcher_of_windows_is_a_command_script(windows: None, home: Path) -> None:
    assert launcher.launcher_path(home).name == "docker-credential-acrscope.cmd"
    text = launcher.launcher_text(folder="")
    lines = text.split("\r\n")
    assert "\n" not in "".join(lines)
    assert lines[0] == "@echo off"
    python = r'"C:\Program Files\Microsoft SDKs\Azure\CLI2\python.exe"'
    assert f"if not exist {python} goto missing" in lines
    (start,) = [line for line in lines if line.endswith(" %*")]
    assert start.startswith(f"{python} -I -S ")
    assert "100%%sure" in start
    assert "exit /b %errorlevel%" in lines
    assert not [line for line in lines if "AZURE_CONFIG_DIR" in line]
    assert "#!/bin/sh" not in text


def test_the_launcher_of_windows_keeps_the_configuration_directory(windows: None) -> None:
    lines = launcher.launcher_text(folder=r"D:\50% off").split("\r\n")
    assert r'if not defined AZURE_CONFIG_DIR set "AZURE_CONFIG_DIR=D:\50%% off"' in lines


def test_on_windows_a_dead_launcher_is_left_to_configure_docker(
    windows: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / "bin/docker-credential-acrscope.cmd"
    program.parent.mkdir()
    program.write_bytes(launcher.launcher_text().encode())
    monkeypatch.setenv("PATH", str(program.parent))
    assert launcher.installed_launcher() == program
    before = program.read_bytes()
    assert launcher.repair_launcher() is None
    assert program.read_bytes() == before


def test_on_windows_a_folder_is_the_users_own_if_the_user_may_write_there(windows: None, home: Path) -> None:
    shared = home / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert launcher.is_own_folder(str(shared))


def test_on_posix_a_folder_that_everybody_may_write_to_is_nobodys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, MacOS)
    shared = home / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert not launcher.is_own_folder(str(shared))

"""Container clients: where each keeps its credentials, and which one is chosen."""

import json
from pathlib import Path

import pytest
from azure.cli.core.azclierror import ValidationError

from azext_acrscope import clients
from azext_acrscope.clients import Client

HOST = "contoso.azurecr.io"
DOCKER, PODMAN = Client("docker", "/usr/bin/docker"), Client("podman", "/usr/bin/podman")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DOCKER_CONFIG", "DOCKER_COMMAND", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("config", "store"),
    [
        ({}, None),
        ({"credsStore": "pass"}, "docker-credential-pass"),
        ({"credHelpers": {HOST: "acr"}, "credsStore": "pass"}, "docker-credential-acr"),
        ({"credHelpers": {"other.azurecr.io": "acr"}}, None),
        ("not json", None),
        ([1], None),
    ],
)
def test_docker_stores_in_the_hosts_helper_then_the_store_then_its_file(
    config: object, store: str | None, tmp_path: Path
) -> None:
    file = tmp_path / ".docker/config.json"
    write(file, config)
    assert clients.credential_store(DOCKER, HOST) == (store or str(file))


def test_docker_config_moves_dockers_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "elsewhere"))
    assert clients.credential_store(DOCKER, HOST) == str(tmp_path / "elsewhere/config.json")


def test_podmans_file_lies_where_its_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clients.credential_store(PODMAN, HOST).startswith("/run/containers/")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert clients.credential_store(PODMAN, HOST) == str(tmp_path / "run/containers/auth.json")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    assert clients.credential_store(PODMAN, HOST) == str(tmp_path / "docker/config.json")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    assert clients.credential_store(PODMAN, HOST) == str(tmp_path / "auth.json")


def test_podman_does_not_know_a_credentials_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    write(tmp_path / "auth.json", {"credsStore": "pass"})
    assert clients.credential_store(PODMAN, HOST) == str(tmp_path / "auth.json")
    write(tmp_path / "auth.json", {"credHelpers": {HOST: "acr"}})
    assert clients.credential_store(PODMAN, HOST) == "docker-credential-acr"


def program(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_docker_comes_before_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert clients.find() is None
    podman = program(tmp_path / "bin/podman")
    assert clients.find() == Client("podman", str(podman))
    docker = program(tmp_path / "bin/docker")
    assert clients.find() == Client("docker", str(docker))


def test_a_link_into_the_working_directory_is_seen_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloned = program(tmp_path / "cloned/docker")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").symlink_to(cloned)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path / "cloned")
    with pytest.raises(ValidationError, match="working directory"):
        clients.find()


def test_an_absolute_docker_command_is_trusted_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = program(tmp_path / "docker")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_COMMAND", str(docker))
    assert clients.find() == Client("docker", str(docker))


def test_the_host_docker_is_found_from_wsl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = program(tmp_path / "bin/docker.exe")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert clients.find() == Client("docker", str(docker))

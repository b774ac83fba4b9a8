"""Container clients: where each keeps its credentials, and which one is chosen."""

import os
import time
from pathlib import Path

import pytest
from azure.cli.core.azclierror import ClientRequestError, FileOperationError, ValidationError

from azext_acrscope.base.tokens import RefreshToken
from azext_acrscope.credentials import clients
from azext_acrscope.credentials.clients import ContainerClient
from tests.factories.files import write

HOST = "contoso.azurecr.io"
DOCKER, PODMAN = ContainerClient("docker", "/usr/bin/docker"), ContainerClient("podman", "/usr/bin/podman")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (
        "HELM_CONFIG_HOME",
        "HELM_REGISTRY_CONFIG",
        "DOCKER_CONFIG",
        "DOCKER_COMMAND",
        "REGISTRY_AUTH_FILE",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
    ):
        monkeypatch.delenv(name, raising=False)


def store_name(client: ContainerClient) -> str:
    store = client.store(HOST)
    assert store
    return store.name


@pytest.mark.parametrize(
    ("config", "store"),
    [
        ({}, None),
        ({"credsStore": "pass"}, "docker-credential-pass"),
        ({"credHelpers": {HOST: "acr"}, "credsStore": "pass"}, "docker-credential-acr"),
        ({"credHelpers": {"other.azurecr.io": "acr"}}, None),
        ({"credHelpers": {HOST: ""}, "credsStore": "pass"}, None),
    ],
)
def test_docker_stores_in_the_hosts_helper_then_the_store_then_its_file(
    config: object, store: str | None, tmp_path: Path
) -> None:
    file = tmp_path / ".docker/config.json"
    write(file, config)
    assert store_name(DOCKER) == (store or str(file))


@pytest.mark.parametrize("config", [{"credHelpers": ["acr"]}, "[" * 100_000, "not json", [1]])
def test_a_configuration_that_cannot_be_understood_is_an_error(config: object, tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", config)
    with pytest.raises(FileOperationError, match="The file was not changed"):
        store_name(DOCKER)


def test_docker_config_moves_dockers_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "elsewhere"))
    assert store_name(DOCKER) == str(tmp_path / "elsewhere/config.json")


def test_podmans_file_lies_where_its_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store_name(PODMAN) == f"/run/containers/{os.getuid()}/auth.json"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert store_name(PODMAN) == str(tmp_path / "run/containers/auth.json")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    assert store_name(PODMAN) == str(tmp_path / "docker/config.json")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    assert store_name(PODMAN) == str(tmp_path / "auth.json")


FIRST, HOMES, DOCKERS, LEGACY = (
    "run/containers/auth.json",
    "home/containers/auth.json",
    "docker/config.json",
    ".dockercfg",
)
NAMED, PLAIN = "named.json", ".docker/config.json"


@pytest.mark.parametrize(
    ("version", "variables", "files"),
    [
        ("4.3", {}, [FIRST, HOMES, PLAIN, LEGACY]),
        ("5.2", {}, [FIRST, HOMES, PLAIN, LEGACY]),
        ("4.3", {"DOCKER_CONFIG": "docker"}, [DOCKERS, HOMES, LEGACY]),
        ("5.2", {"DOCKER_CONFIG": "docker"}, [DOCKERS]),
        ("4.3", {"REGISTRY_AUTH_FILE": NAMED}, [NAMED, HOMES, PLAIN, LEGACY]),
        ("5.2", {"REGISTRY_AUTH_FILE": NAMED}, [NAMED]),
        ("4.3", {"REGISTRY_AUTH_FILE": NAMED, "DOCKER_CONFIG": "docker"}, [NAMED, HOMES, DOCKERS, LEGACY]),
    ],
)
def test_podman_looks_through_these_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, variables: dict[str, str], files: list[str]
) -> None:
    podman = program(tmp_path / "bin/podman")
    podman.write_text(f"#!/bin/sh\necho podman version {version}.1\n")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    found = clients.auth_files(ContainerClient("podman", str(podman)))
    assert found == [tmp_path / file for file in files]


def test_helm_looks_through_dockers_file_after_its_own(tmp_path: Path) -> None:
    files = [tmp_path / ".config/helm/registry/config.json", tmp_path / PLAIN]
    assert clients.auth_files(ContainerClient("helm", "")) == files
    assert clients.auth_files(DOCKER) == [tmp_path / PLAIN]
    assert clients.auth_files(ContainerClient("mydocker", "")) == []


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_client_that_cannot_be_run_is_named(tmp_path: Path, name: str) -> None:
    broken = program(tmp_path / name)
    broken.write_text("#!/no/such/program\n")
    client = ContainerClient(name, str(broken))
    with pytest.raises(ValidationError, match=f"'{broken}' cannot be run: No such file"):
        clients.run_login(client, TOKEN)
    with pytest.raises(ValidationError, match=f"'{broken}' cannot be run: No such file"):
        clients.run_logout(client, HOST)


def test_podman_does_not_know_a_credentials_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    write(tmp_path / "auth.json", {"credsStore": "pass"})
    assert store_name(PODMAN) == str(tmp_path / "auth.json")
    write(tmp_path / "auth.json", {"credHelpers": {HOST: "acr"}})
    assert store_name(PODMAN) == "docker-credential-acr"


def program(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_docker_comes_before_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert clients.find_client() is None
    podman = program(tmp_path / "bin/podman")
    assert clients.find_client() == ContainerClient("podman", str(podman))
    docker = program(tmp_path / "bin/docker")
    assert clients.find_client() == ContainerClient("docker", str(docker))


def test_a_link_into_the_working_directory_is_seen_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloned = program(tmp_path / "cloned/docker")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").symlink_to(cloned)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path / "cloned")
    with pytest.raises(ValidationError, match="working directory"):
        clients.find_client()


def test_an_absolute_docker_command_is_trusted_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = program(tmp_path / "docker")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_COMMAND", str(docker))
    assert clients.find_client() == ContainerClient("docker", str(docker))


def test_the_host_docker_is_found_from_wsl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = program(tmp_path / "bin/docker.exe")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert clients.find_client() == ContainerClient("docker", str(docker))


def test_a_client_found_through_a_relative_entry_of_path_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin/docker")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin")
    with pytest.raises(ValidationError, match="working directory"):
        clients.find_client()
    monkeypatch.setenv("DOCKER_COMMAND", "bin/docker")
    with pytest.raises(ValidationError, match="working directory"):
        clients.find_client()


def test_a_client_with_rules_of_its_own_has_no_store_that_we_know() -> None:
    assert ContainerClient("mydocker", "/usr/bin/mydocker").store(HOST) is None


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        ({}, ".config/helm/registry/config.json"),
        ({"XDG_CONFIG_HOME": "{home}/xdg"}, "xdg/helm/registry/config.json"),
        ({"HELM_CONFIG_HOME": "{home}/helm"}, "helm/registry/config.json"),
        ({"HELM_REGISTRY_CONFIG": "{home}/registry.json"}, "registry.json"),
    ],
)
def test_helms_file_lies_where_its_variables_say(
    variables: dict[str, str], file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    assert store_name(ContainerClient("helm", "/usr/bin/helm")) == str(tmp_path / file)


def test_a_tilde_that_no_shell_replaced_makes_no_folder_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", "~/.docker")
    with pytest.raises(FileOperationError, match="does not expand the ~"):
        store_name(DOCKER)


def test_a_client_asked_for_by_name_is_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    program(tmp_path / "bin/docker")
    podman = program(tmp_path / "bin/podman")
    monkeypatch.setenv("DOCKER_COMMAND", "docker")
    assert clients.find_client("podman") == ContainerClient("podman", str(podman))
    with pytest.raises(ValidationError, match="helm is not on PATH"):
        clients.find_client("helm")


TOKEN = RefreshToken("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjb250b3NvIn0.c2lnbmF0dXJlMTIzNDU2Nzg5MA", HOST, None)


def test_a_helper_that_a_client_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    client = program(tmp_path / "docker")
    client.write_text("#!/bin/sh\ncat >/dev/null\nsleep 60 &\nexit 0\n")
    started = time.monotonic()
    clients.run_login(ContainerClient("docker", str(client)), TOKEN)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("cat >&2; exit 1", "failed with exit code 1"),
        ("cat | fold -w 20 >&2; exit 1", "failed with exit code 1"),
        ("cat | base64 >&2; exit 1", "failed with exit code 1"),
        ("cat >/dev/null; kill -9 $$", "was killed by signal 9"),
        ("cat >/dev/null; echo went wrong; exit 1", "went wrong"),
        ("cat >/dev/null; printf '\\033]0;pwn\\007bad' >&2; exit 1", "bad"),
        ("cat >/dev/null; yes | head -c 3000000 >&2; exit 1", "failed"),
        ("cat >/dev/null; echo 'auth file contains an Identity token' >&2; exit 1", "Identity token"),
    ],
)
def test_what_a_failing_client_says_is_short_and_holds_no_token(tmp_path: Path, script: str, says: str) -> None:
    client = program(tmp_path / "docker")
    client.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(ClientRequestError) as caught:
        clients.run_login(ContainerClient("docker", str(client)), TOKEN)
    text = caught.value.error_msg
    assert says in text
    assert len(text) < 5000
    assert "\x1b" not in text
    pieces = [TOKEN.value[at : at + 16] for at in range(len(TOKEN.value) - 16)]
    assert not [piece for piece in pieces if piece in text.replace("\n", "")] or "fold" in script

"""Where a credential goes: what is checked before, what is written, what would shadow it, what a logout leaves."""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError, ValidationError

from azext_acrscope.base.tokens import RefreshToken
from azext_acrscope.credentials import destinations
from azext_acrscope.credentials.clients import ContainerClient
from azext_acrscope.credentials.destinations import Destination
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import FileStore
from tests.factories.files import write
from tests.factories.tokens import jwt

HOST, OTHER = "contoso.azurecr.io", "fabrikam.azurecr.io"
VALUE = jwt(aud=HOST)
TOKEN, OTHER_TOKEN = RefreshToken(VALUE, HOST, None), RefreshToken(jwt(aud=OTHER), OTHER, None)


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


OURS = {"auth": auth(f"{TOKEN_USERNAME}:{VALUE}")}
IDENTITY = {"auth": auth(f"{TOKEN_USERNAME}:"), "identitytoken": VALUE}
ADMIN = {"auth": auth("contoso:secret")}


pytestmark = pytest.mark.usefixtures("home")


def auths(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())["auths"]
    return found


def client(home: Path, name: str, script: str) -> Destination:
    program = write(home / "bin" / name, f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Destination(client=ContainerClient(name, str(program)))


def test_a_named_file_comes_before_any_client(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    assert destinations.choose_destination(None, "auth.json") == Destination(file=home / "auth.json")
    assert destinations.choose_destination(None, "~/auth.json") == Destination(file=home / "auth.json")


# --- before any token is asked for ---


@pytest.mark.parametrize("content", ["{", "[]", '{"auths": []}'])
def test_a_file_that_cannot_be_understood_is_found_before(home: Path, content: str) -> None:
    broken = write(home / "auth.json", content)
    with pytest.raises(FileOperationError, match="The file was not changed"):
        Destination(file=broken).check(HOST)
    write(home / ".docker/config.json", content)
    with pytest.raises(FileOperationError, match="The file was not changed"):
        Destination().check(HOST)


def test_a_device_is_no_credential_file() -> None:
    with pytest.raises(FileOperationError, match="not a regular file"):
        Destination(file=Path("/dev/null")).check(HOST)


def test_a_pipe_is_no_credential_file(home: Path) -> None:
    os.mkfifo(home / "pipe")
    with pytest.raises(FileOperationError, match="not a regular file"):
        Destination(file=home / "pipe").check(HOST)


def test_a_helper_that_is_not_there_is_found_before_unless_a_client_finds_it_by_itself(home: Path) -> None:
    write(home / ".docker/config.json", {"credsStore": "nosuch"})
    with pytest.raises(ValidationError, match="docker-credential-nosuch"):
        Destination().check(HOST)
    client(home, "docker", "exit 0").check(HOST)


PODMANS_FILES = ["run/containers/auth.json", ".config/containers/auth.json", ".docker/config.json"]


@pytest.mark.parametrize("name", ["podman", "skopeo", "buildah"])
@pytest.mark.parametrize("file", PODMANS_FILES)
def test_an_identity_token_that_podman_finds_is_named_with_its_file(home: Path, file: str, name: str) -> None:
    podman = client(home, name, "exit 0")
    podman.check(HOST)
    write(home / file, {"auths": {HOST: IDENTITY}})
    podman.check(OTHER)
    with pytest.raises(ValidationError, match=f"{name} refuses") as caught:
        podman.check(HOST)
    assert str(home / file) in caught.value.error_msg
    advice = str(caught.value.recommendations)
    assert f"`az acr scope logout --name {HOST} --auth-file {home / file}` removes it" in advice
    assert f"--auth-file {home / PODMANS_FILES[0]}" in advice


def test_podman_does_not_mind_an_identity_token_behind_a_credential_of_its_own(home: Path) -> None:
    write(home / ".docker/config.json", {"auths": {HOST: IDENTITY}})
    write(home / PODMANS_FILES[0], {"auths": {HOST: OURS}})
    client(home, "podman", "exit 0").check(HOST)


@pytest.mark.parametrize(
    ("version", "refused"), [("podman version 4.3.1", True), ("podman version 5.2.0", False), ("?", True)]
)
def test_a_file_named_by_a_variable_is_the_only_one_that_a_newer_podman_reads(
    home: Path, monkeypatch: pytest.MonkeyPatch, version: str, refused: bool
) -> None:
    write(home / ".docker/config.json", {"auths": {HOST: IDENTITY}})
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "mine.json"))
    podman = client(home, "podman", f"echo '{version}'")
    if refused:
        with pytest.raises(ValidationError, match="podman refuses"):
            podman.check(HOST)
    else:
        podman.check(HOST)


BROKEN = {"auth": "eyJhbGciOiJIUzI1NiJ"}  # cut short


@pytest.mark.parametrize("file", PODMANS_FILES)
def test_a_broken_entry_that_podman_would_fail_on_is_named_with_its_file(home: Path, file: str) -> None:
    podman = client(home, "podman", "exit 0")
    write(home / file, {"auths": {HOST: BROKEN}})
    podman.check(OTHER)
    with pytest.raises(FileOperationError, match=f"The entry '{HOST}' in {home / file} is broken"):
        podman.check(HOST)


UNREADABLE = [
    ({"auths": {OTHER: BROKEN}}, f"the 'auth' of the entry '{OTHER}' is not valid"),
    ({"auths": {OTHER: {"auth": auth("nocolon")}}}, f"the 'auth' of the entry '{OTHER}' is not valid"),
    ({"auths": {OTHER: {"auth": auth(":nouser")}}}, f"the 'auth' of the entry '{OTHER}' is not valid"),
    ({"experimental": True}, "'experimental' is not a text"),
    ({"psFormat": 7}, "'psFormat' is not a text"),
    ({"features": {"buildkit": True}}, "'buildkit' in 'features' is not a text"),
    ({"HttpHeaders": []}, "'HttpHeaders' is not a JSON object"),
    ({"pruneFilters": "x"}, "'pruneFilters' is not a list of texts"),
    ({"plugins": {"x": 7}}, "'x' in 'plugins' is not a JSON object"),
    ({"proxies": {"default": {"httpProxy": 7}}}, "'httpProxy' of 'default' in 'proxies' is not a text"),
]


@pytest.mark.parametrize(("content", "problem"), UNREADABLE)
@pytest.mark.parametrize("name", ["docker", "nerdctl"])
def test_what_docker_cannot_read_and_would_lose_is_refused(
    home: Path, name: str, content: dict[str, Any], problem: str
) -> None:
    file = write(home / ".docker/config.json", {"auths": {}, **content})
    with pytest.raises(FileOperationError, match=re.escape(problem)) as caught:
        client(home, name, "exit 0").check(HOST)
    assert caught.value.error_msg.startswith(f"{name} cannot read {file}: ")


def test_what_docker_reads_is_not_refused(home: Path) -> None:
    config = {
        "auths": {HOST: OURS, OTHER: {}, "a.example": None, "b.example": IDENTITY},
        "HttpHeaders": {"X": "y"},
        "features": None,
        "plugins": {"x": {"y": "z"}, "n": None},
        "proxies": {"default": {"noProxy": "x"}},
        "psFormat": "x",
        "pruneFilters": ["x"],
        "somethingNew": {"x": 7},
    }
    write(home / ".docker/config.json", config)
    client(home, "docker", "exit 0").check(HOST)


@pytest.mark.parametrize(("name", "served"), [("ecr-login", "Amazon ECR"), ("gcloud", "Google Cloud")])
@pytest.mark.parametrize("place", ["credHelpers", "credsStore"])
def test_a_helper_that_stores_nothing_is_refused_with_what_works(
    home: Path, name: str, served: str, place: str
) -> None:
    write(home / ".docker/config.json", {place: {HOST: name} if place == "credHelpers" else name})
    for destination in (client(home, "docker", "exit 0"), Destination()):
        with pytest.raises(ValidationError, match=f"docker-credential-{name}, which serves {served} only") as caught:
            destination.check(HOST)
        assert f"`az acr scope configure-docker --name {HOST}`" in caught.value.recommendations[0]


def test_a_helper_that_fails_a_client_is_named(home: Path) -> None:
    helper = "dev-containers-a1b2c3d4-5678-90ab-cdef-1234567890ab"
    write(home / ".docker/config.json", {"credsStore": helper})
    failed = client(home, "docker", f"echo 'exec: docker-credential-{helper}: gone' >&2; exit 1").put([TOKEN])[HOST]
    assert f"with exit code 1: exec: docker-credential-{helper}: gone." in failed.error_msg
    assert f"credential helper docker-credential-{helper}." in failed.error_msg
    assert "configure-docker" in failed.recommendations[1]


# --- the keychain that docker picks by itself ---


def keychain(home: Path) -> None:
    client(
        home, "docker-credential-secretservice", 'case $1 in get) cat "$HOME/kept";; store) cat > "$HOME/kept";; esac'
    )


@pytest.mark.parametrize("content", [None, {}, {"psFormat": "x"}, {"auths": {}}])
def test_while_its_file_has_no_credentials_docker_uses_the_keychain(home: Path, content: object) -> None:
    keychain(home)
    if content is not None:
        write(home / ".docker/config.json", content)
    for name in ("docker", "helm", "oras"):
        store = client(home, name, "exit 0").store(HOST)
        assert store
        assert store.name == "docker-credential-secretservice"
    for destination in (client(home, "podman", ""), client(home, "nerdctl", ""), Destination()):
        assert isinstance(destination.store(HOST), FileStore)


@pytest.mark.parametrize("content", [{"auths": {OTHER: {}}}, {"credHelpers": {OTHER: "x"}}])
def test_once_its_file_has_credentials_docker_does_not(home: Path, content: object) -> None:
    keychain(home)
    write(home / ".docker/config.json", content)
    assert isinstance(client(home, "docker", "exit 0").store(HOST), FileStore)


def test_the_keychain_called_pass_needs_the_program_pass(home: Path) -> None:
    client(home, "docker-credential-pass", "")
    docker = client(home, "docker", "exit 0")
    assert isinstance(docker.store(HOST), FileStore)
    client(home, "pass", "")
    store = docker.store(HOST)
    assert store
    assert store.name == "docker-credential-pass"


# --- putting ---


def test_a_file_takes_all_tokens_at_once(home: Path) -> None:
    destination = Destination(file=home / "auth.json")
    assert destination.put([TOKEN, OTHER_TOKEN]) == {}
    assert set(auths(home / "auth.json")) == {HOST, OTHER}


def test_no_token_leaves_no_trace(home: Path) -> None:
    assert Destination(file=home / "new/auth.json").put([]) == {}
    assert not (home / "new").exists()


def test_a_file_that_cannot_be_written_fails_them_all(home: Path) -> None:
    write(home / "file", "")
    failed = Destination(file=home / "file/auth.json").put([TOKEN, OTHER_TOKEN])
    assert set(failed) == {HOST, OTHER}


def test_a_client_that_fails_for_one_gets_the_others(home: Path) -> None:
    docker = client(home, "docker", f'cat >/dev/null; echo "$5" >> "$HOME/seen"; [ "$5" != {HOST} ]')
    failed = docker.put([TOKEN, OTHER_TOKEN])
    assert set(failed) == {HOST}
    assert (home / "seen").read_text().split() == [HOST, OTHER]


def test_two_clients_never_write_one_file_at_once(home: Path) -> None:
    from threading import Thread

    script = 'cat >/dev/null; mkdir "$HOME/busy" || exit 9; sleep 0.1; rmdir "$HOME/busy"'
    docker = client(home, "docker", script)
    failed: list[object] = []
    tokens = [RefreshToken("x", f"contoso{number}.azurecr.io", None) for number in range(4)]
    threads = [Thread(target=lambda token=token: failed.append(docker.put([token]))) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [{}] * 4


@pytest.mark.parametrize("place", ["credHelpers", "credsStore"])
def test_without_a_client_dockers_rules_hold(home: Path, place: str) -> None:
    client(home, "docker-credential-keep", 'cat > "$HOME/kept"')
    config = write(home / ".docker/config.json", {place: {HOST: "keep"} if place == "credHelpers" else "keep"})
    before = config.read_text()
    assert Destination().put([TOKEN]) == {}
    assert json.loads((home / "kept").read_text())["ServerURL"] == HOST
    assert config.read_text() == before


def test_a_client_is_not_run_where_wincred_could_not_hold_the_token(home: Path) -> None:
    write(home / ".docker/config.json", {"credsStore": "wincred", "auths": {OTHER: OURS}})
    docker = client(home, "docker", 'touch "$HOME/ran"')
    failed = docker.put([RefreshToken("x" * 3000, HOST, None)])
    assert "3000 bytes" in failed[HOST].error_msg
    assert not (home / "ran").exists()
    assert set(auths(home / ".docker/config.json")) == {OTHER}


DOCKERS = {"HttpHeaders": {"X": "y"}, "credsStore": "desktop", "currentContext": "c", "proxies": {"default": {}}}


@pytest.mark.parametrize("variable", ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG"])
@pytest.mark.parametrize("name", ["podman", "skopeo", "buildah"])
def test_what_podman_would_drop_from_dockers_file_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    file = write(home / "docker/config.json", {**DOCKERS, "auths": {OTHER: OURS}})
    monkeypatch.setenv(variable, str(file if variable == "REGISTRY_AUTH_FILE" else file.parent))
    podman = client(home, name, 'case $1 in log*) touch "$HOME/ran";; esac')
    assert podman.put([TOKEN]) == {}
    assert json.loads(file.read_text()) == {**DOCKERS, "auths": {OTHER: OURS, HOST: OURS}}
    rows, failed = log_out(podman, HOST)
    assert (rows[0]["removed"], failed) == (True, [])
    assert json.loads(file.read_text()) == {**DOCKERS, "auths": {OTHER: OURS}}
    assert not (home / "ran").exists()


def test_what_podman_would_drop_from_an_entry_is_kept(home: Path) -> None:
    file = write(home / PODMANS_FILES[0], {"auths": {OTHER: {"username": "me", "password": "p"}}})
    assert client(home, "podman", "exit 9").put([TOKEN]) == {}
    assert auths(file) == {OTHER: {"username": "me", "password": "p"}, HOST: OURS}


def test_a_file_of_its_own_is_written_by_podman(home: Path) -> None:
    write(home / PODMANS_FILES[0], {"auths": {OTHER: OURS}, "credHelpers": {OTHER: "x"}})
    client(home, "podman", 'touch "$HOME/ran"').put([TOKEN])
    assert (home / "ran").exists()


# --- what shadows ---


def test_what_nothing_shadows_is_silent(home: Path) -> None:
    file = write(home / "auth.json", {"auths": {HOST: OURS, f"{OTHER}/team": OURS}, "credHelpers": {OTHER: "x"}})
    assert Destination(file=file).shadows(HOST) == []
    assert Destination().shadows(HOST) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"credHelpers": {HOST: "acr"}}, f"the helper acr as credHelpers[{HOST}]"),
        ({"credsStore": "desktop"}, "the helper desktop as credsStore"),
        ({"auths": {f"{HOST}/team": OURS}}, f"single repositories, which clients use before the one for {HOST}"),
    ],
)
def test_what_in_a_file_shadows_the_new_credential_is_named(home: Path, content: object, says: str) -> None:
    (found,) = Destination(file=write(home / "auth.json", content)).shadows(HOST)
    assert says in found
    assert str(home / "auth.json") in found


def test_variables_that_name_another_place_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: ADMIN}}))
    (found,) = Destination().shadows(HOST)
    assert "DOCKER_AUTH_CONFIG" in found
    assert Destination().shadows(OTHER) == []
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "auth.json"))
    assert Destination(file=home / "auth.json").shadows(OTHER) == []
    (found,) = Destination(file=home / "other.json").shadows(OTHER)
    assert "REGISTRY_AUTH_FILE" in found


@pytest.mark.parametrize(
    ("said", "reads"),
    [
        ("Docker version 28.2.2, build e6534b4", False),
        ("Docker version 28.3.0, build 38b7060", True),
        ("Docker version 29.0.0-rc.1, build x", True),
        ("podman version 5.2.0", False),
        ("", True),
    ],
)
def test_a_variable_counts_for_a_docker_that_reads_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, said: str, reads: bool
) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: ADMIN}}))
    docker = client(home, "docker", f"echo '{said}'")
    for destination in (docker, Destination(), Destination(file=home / "auth.json")):
        assert any("DOCKER_AUTH_CONFIG" in each for each in destination.shadows(HOST)) is reads


@pytest.mark.parametrize("value", ["", "{", "[]", '{"auths": []}'])
def test_a_variable_without_sense_shadows_nothing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", value)
    assert Destination().shadows(HOST) == []


def test_what_helm_would_read_instead_is_named_if_it_can_be_read(home: Path) -> None:
    helm = write(home / ".config/helm/registry/config.json", {"auths": {HOST: OURS}})
    (found,) = Destination().shadows(HOST)
    assert "helm registry logout" in found
    helm.write_text("{broken")
    assert Destination().shadows(HOST) == []


# --- logging out ---


def log_out(destination: Destination, *hosts: str) -> tuple[list[dict[str, Any]], list[str]]:
    rows, failed = destinations.erase_credentials(destination, {host: [host] for host in hosts})
    return rows, [error.error_msg for error in failed]


@pytest.mark.parametrize("entry", [OURS, IDENTITY])
def test_a_logout_removes_what_a_sign_in_put_there(home: Path, entry: object) -> None:
    file = write(home / "auth.json", {"auths": {HOST: entry, OTHER: OURS}})
    rows, failed = log_out(Destination(file=file), HOST)
    assert failed == []
    assert rows == [
        {
            "name": HOST,
            "loginServer": HOST,
            "client": None,
            "credentialStore": str(file),
            "removed": True,
            "reason": "",
        }
    ]
    assert set(auths(file)) == {OTHER}


@pytest.mark.parametrize("entry", [ADMIN, {"auth": auth("contoso:"), "identitytoken": VALUE}])
def test_somebody_elses_credential_stays_and_is_said(home: Path, entry: object) -> None:
    file = write(home / "auth.json", {"auths": {HOST: entry}})
    before = file.read_text()
    rows, failed = log_out(Destination(file=file), HOST)
    assert (rows[0]["removed"], failed) == (False, [])
    assert "of the user 'contoso'" in rows[0]["reason"]
    assert file.read_text() == before


def test_where_nothing_is_stored_no_client_is_run(home: Path) -> None:
    docker = client(home, "docker", 'touch "$HOME/ran"')
    rows, failed = log_out(docker, HOST)
    assert (rows[0]["removed"], failed) == (False, [])
    assert "no credential" in rows[0]["reason"]
    assert not (home / "ran").exists()


def test_a_client_that_says_it_removed_what_is_still_there_has_failed(home: Path) -> None:
    write(home / ".docker/config.json", {"auths": {HOST: OURS}})
    rows, failed = log_out(client(home, "docker", "exit 0"), HOST)
    assert not rows[0]["removed"]
    assert "still has the credential" in failed[0]


def test_one_logout_that_fails_keeps_no_other_back(home: Path) -> None:
    file = write(home / ".docker/config.json", {"auths": {OTHER: OURS}, "credHelpers": {HOST: "nosuch"}})
    rows, failed = log_out(Destination(), HOST, OTHER)
    assert [row["removed"] for row in rows] == [False, True]
    assert "docker-credential-nosuch" in rows[0]["reason"] == failed[0]
    assert auths(file) == {}


def test_the_hosts_of_dockers_configuration_are_those_of_all_its_stores(home: Path) -> None:
    client(home, "docker-credential-keep", f"""cat >/dev/null; echo '{{"https://{OTHER}": "me"}}'""")
    helped = {"northwind.azurecr.io": "x"}
    write(home / ".docker/config.json", {"auths": {HOST: OURS}, "credsStore": "keep", "credHelpers": helped})
    assert Destination().hosts() == [HOST, "northwind.azurecr.io", OTHER]


def test_a_client_of_unknown_rules_is_asked_to_log_out_whatever_is_stored(home: Path) -> None:
    mine = client(home, "mydocker", 'echo "$@" > "$HOME/argv"')
    rows, failed = log_out(mine, HOST)
    assert (rows[0]["removed"], rows[0]["credentialStore"], failed) == (True, None, [])
    assert (home / "argv").read_text().split() == ["logout", HOST]


DOCKER_LOGOUT = 'sed -i "s/, \\"$2\\": {[^}]*}//" "$HOME/.docker/config.json"'


@pytest.mark.parametrize("more", [{}, {HOST: OURS}])
def test_what_docker_takes_for_the_host_is_removed_with_it(home: Path, more: dict[str, Any]) -> None:
    file = write(home / ".docker/config.json", {"auths": {f"{HOST}/team": OURS, OTHER: OURS, **more}})
    docker = client(home, "docker", "exit 0" if not more else DOCKER_LOGOUT)
    assert docker.hosts().count(HOST) == 1
    rows, failed = log_out(docker, HOST)
    assert (rows[0]["removed"], failed) == (True, [])
    assert set(auths(file)) == {OTHER}


def test_a_broken_entry_is_removed_without_the_client_that_would_lose_others(home: Path) -> None:
    file = write(home / ".docker/config.json", {"auths": {HOST: BROKEN, OTHER: OURS}})
    rows, failed = log_out(client(home, "docker", 'touch "$HOME/ran"'), HOST)
    assert (rows[0]["removed"], failed) == (True, [])
    assert auths(file) == {OTHER: OURS}
    assert not (home / "ran").exists()


def test_a_logout_beside_a_broken_entry_is_done_without_the_client(home: Path) -> None:
    file = write(home / ".docker/config.json", {"auths": {HOST: OURS, OTHER: BROKEN}})
    rows, failed = log_out(client(home, "docker", 'touch "$HOME/ran"'), HOST)
    assert (rows[0]["removed"], failed) == (True, [])
    assert auths(file) == {OTHER: BROKEN}
    assert not (home / "ran").exists()


@pytest.mark.parametrize("own", [{}, {HOST: OURS}])
def test_a_credential_in_a_file_that_podman_only_reads_is_named(
    home: Path, caplog: pytest.LogCaptureFixture, own: dict[str, Any]
) -> None:
    write(home / PODMANS_FILES[0], {"auths": own, "x": "written by us"})
    other = write(home / ".docker/config.json", {"auths": {HOST: IDENTITY}})
    rows, _ = log_out(client(home, "podman", "exit 0"), HOST)
    assert rows[0]["removed"] is bool(own)
    said = rows[0]["reason"] or caplog.text
    assert f"podman also reads {other}, which has a credential." in said
    assert f"logout --name {HOST} --auth-file {other}" in said


def test_the_old_spelling_of_a_host_goes_too(home: Path) -> None:
    file = write(home / "auth.json", {"auths": {f"https://{HOST}": OURS, f"{HOST}:443": OURS}})
    log_out(Destination(file=file), HOST)
    assert FileStore(file).hosts() == []

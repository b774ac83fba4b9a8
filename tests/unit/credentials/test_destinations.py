"""Where a credential goes: what is checked before, what is written, what would shadow it, what a logout leaves."""

import base64
import json
import os
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


@pytest.mark.parametrize(("file", "program"), list(zip(PODMANS_FILES, ("podman", "docker", "docker"), strict=True)))
def test_an_identity_token_that_podman_finds_is_named_with_its_file(home: Path, file: str, program: str) -> None:
    podman = client(home, "podman", "exit 0")
    podman.check(HOST)
    write(home / file, {"auths": {HOST: IDENTITY}})
    podman.check(OTHER)
    with pytest.raises(ValidationError, match="podman refuses") as caught:
        podman.check(HOST)
    assert str(home / file) in caught.value.error_msg
    advice = str(caught.value.recommendations)
    assert f"`{program} logout {HOST}`" in advice
    assert f"--auth-file {home / PODMANS_FILES[0]}" in advice


def test_podman_does_not_mind_an_identity_token_behind_a_credential_of_its_own(home: Path) -> None:
    write(home / ".docker/config.json", {"auths": {HOST: IDENTITY}})
    write(home / PODMANS_FILES[0], {"auths": {HOST: OURS}})
    client(home, "podman", "exit 0").check(HOST)


def test_a_file_named_by_a_variable_is_the_only_one_that_podman_reads(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / ".docker/config.json", {"auths": {HOST: IDENTITY}})
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "mine.json"))
    client(home, "podman", "exit 0").check(HOST)


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


def test_the_old_spelling_of_a_host_goes_too(home: Path) -> None:
    file = write(home / "auth.json", {"auths": {f"https://{HOST}": OURS, f"{HOST}:443": OURS}})
    log_out(Destination(file=file), HOST)
    assert FileStore(file).hosts() == []

"""What is stored on this machine for a login server, without making anything by looking."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.credentials import inspection
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import encode_auth
from tests.factories.files import write
from tests.factories.tokens import jwt

HOST = "contoso.azurecr.io"
HOUR = 3600


pytestmark = pytest.mark.usefixtures("home")


def docker(home: Path, content: object) -> Path:
    return write(home / ".docker/config.json", content)


def entry(lives: float = HOUR) -> dict[str, str]:
    return {"auth": encode_auth(TOKEN_USERNAME, jwt(aud=HOST, exp=int(time.time() + lives)))}


def rows() -> list[dict[str, Any]]:
    return [each.row() for each in inspection.find_credentials(HOST)]


def test_nothing_stored_is_no_row(home: Path) -> None:
    assert rows() == []


def test_a_credential_has_its_file_and_its_end(home: Path) -> None:
    file = docker(home, {"auths": {HOST: entry()}})
    (row,) = rows()
    assert (row["client"], row["credentialStore"], row["remarks"]) == ("docker", str(file), [])
    assert row["expiresOn"].endswith("Z")


def test_what_has_expired_is_a_remark_with_the_command_that_mends_it(home: Path) -> None:
    docker(home, {"auths": {HOST: entry(-HOUR)}})
    (found,) = inspection.find_credentials(HOST)
    assert "expired" in found.wrong[0]
    assert f"az acr scope login --name {HOST}" in found.actions[0]


def test_each_client_has_its_own_row(home: Path) -> None:
    docker(home, {"auths": {HOST: entry()}})
    write(home / "run/containers/auth.json", {"auths": {HOST: entry()}})
    write(home / ".config/helm/registry/config.json", {"auths": {HOST: entry(-HOUR)}})
    assert [row["client"] for row in rows()] == ["docker", "podman", "helm"]
    assert any("helm reads" in remark for remark in rows()[0]["remarks"]), "helm's older one comes before docker's"


def test_podmans_second_file_counts_and_dockers_does_not_twice(home: Path) -> None:
    docker(home, {"auths": {HOST: entry()}})
    assert [row["client"] for row in rows()] == ["docker"]
    second = write(home / ".config/containers/auth.json", {"auths": {HOST: entry()}})
    assert rows()[1]["credentialStore"] == str(second)


def test_a_variable_that_comes_first_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: entry()}}))
    (row,) = rows()
    assert "DOCKER_AUTH_CONFIG" in row["remarks"][0]


def helper(home: Path, name: str, script: str) -> None:
    program = write(home / f"bin/docker-credential-{name}", f"#!/bin/sh\necho $1 >> {home}/asked\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "makes", "says"),
    [
        ("acrscope", True, "works, and creates a credential when one is needed"),
        ("acr-env", True, "signs in with ARM-audience tokens"),
        ("ecr-login", False, "serves Amazon ECR only"),
        ("somebodys", False, "works, and lists no credential for it"),
    ],
)
@pytest.mark.parametrize("member", ["credHelpers", "credsStore"])
def test_a_helper_that_may_make_a_token_is_asked_for_its_list_alone(
    home: Path, name: str, makes: bool, says: str, member: str
) -> None:
    helper(home, name, "echo '{}'")
    docker(home, {member: {HOST: name} if member == "credHelpers" else name})
    (found,) = inspection.find_credentials(HOST)
    assert (found.store, found.makes) == (f"docker-credential-{name}", makes)
    assert says in found.seen[0]
    assert bool(found.wrong) is (name in ("acr-env", "ecr-login"))
    assert (home / "asked").read_text().split() == ["list"]


def test_what_somebodys_helper_lists_is_said(home: Path) -> None:
    helper(home, "somebodys", f"""echo '{{"https://{HOST}": "me"}}'""")
    docker(home, {"credsStore": "somebodys"})
    (found,) = inspection.find_credentials(HOST)
    assert "lists a credential for it. This check did not request one" in found.seen[0]


@pytest.mark.parametrize("name", ["acrscope", "acr-env", "ecr-login", "somebodys", "pass"])
def test_a_dead_helper_is_no_good(home: Path, name: str) -> None:
    helper(home, name, "echo no such file >&2; exit 255")
    docker(home, {"credsStore": name})
    (found,) = inspection.find_credentials(HOST)
    assert f"docker-credential-{name}" in found.wrong[0]
    assert "exit code 255: no such file" in found.wrong[0]
    assert found.actions


def test_a_helper_known_for_arms_audience_is_a_warning(home: Path) -> None:
    helper(home, "acr-env", "echo list is unimplemented; exit 1")
    docker(home, {"credHelpers": {HOST: "acr-env"}})
    (found,) = inspection.find_credentials(HOST)
    assert "ARM-audience" in found.wrong[0]
    assert "configure-docker" in found.actions[0]


def test_a_helper_that_keeps_credentials_is_asked(home: Path) -> None:
    secret = jwt(aud=HOST, exp=int(time.time() + HOUR))
    helper(home, "pass", f"""echo '{json.dumps({"ServerURL": HOST, "Username": TOKEN_USERNAME, "Secret": secret})}'""")
    docker(home, {"credsStore": "pass"})
    (found,) = inspection.find_credentials(HOST)
    assert (found.store, found.makes, found.wrong) == ("docker-credential-pass", False, [])
    assert found.expires_on
    assert (home / "asked").read_text().split() == ["get"]
    assert secret not in repr(found)


def test_a_helper_that_fails_and_a_broken_file_are_remarks(home: Path) -> None:
    docker(home, {"credsStore": "pass"})
    write(home / "run/containers/auth.json", "{")
    broken = {row["client"]: row["remarks"] for row in rows()}
    assert "not on PATH" in broken["docker"][0]
    assert "cannot be read" in broken["podman"][0]


def test_what_docker_cannot_read_is_a_remark(home: Path) -> None:
    file = docker(home, {"auths": {HOST: entry(), "other.example": {"auth": "x"}}})
    (row,) = rows()
    assert row["remarks"][0].startswith(f"docker cannot read {file}: the 'auth' of the entry 'other.example'")
    assert row["expiresOn"] is None


@pytest.mark.parametrize("key", [HOST, f"{HOST}/team", f"https://{HOST}/v2/"])
def test_a_broken_entry_in_any_of_podmans_files_is_a_remark(home: Path, key: str) -> None:
    file = write(home / ".config/containers/auth.json", {"auths": {key: {"auth": "x"}}})
    (found,) = inspection.find_credentials(HOST)
    assert found.client == "podman"
    assert found.wrong[0].startswith(f"The entry '{key}' in {file} is broken")
    assert found.actions


def test_the_entry_of_a_repository_counts_for_docker(home: Path) -> None:
    file = docker(home, {"auths": {f"{HOST}/team": entry()}})
    (row,) = rows()
    assert (row["client"], row["credentialStore"]) == ("docker", f"{file} (entry '{HOST}/team')")


def test_a_directory_that_cannot_be_is_a_remark(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", "~/.docker")
    assert all("DOCKER_CONFIG" in row["remarks"][0] for row in rows() if row["client"] != "helm")

"""`az acr scope logout`: what a sign-in put there goes, everything else stays, and no network is needed."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.container_clients import KEEPER, fake_client, only_path
from tests.localcloud import LocalCloud, Registry


def login(az: Az, *arguments: str, **env: str) -> None:
    result = az("acr", "scope", "login", *arguments, env=env)
    assert result.code == 0, result


def logout(az: Az, *arguments: str, **env: str) -> Result:
    return az("acr", "scope", "logout", *arguments, env=env)


def auths(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())["auths"]
    return found


@pytest.mark.parametrize("client", ["docker", "podman"])
def test_a_real_client_forgets_what_it_was_given(az: Az, cloud: LocalCloud, registry: Registry, client: str) -> None:
    login(az, "-n", registry.login_server, "--client", client)
    cloud.clear_requests()
    result = logout(az, "-n", registry.login_server, "--client", client)
    assert result.code == 0, result
    (row,) = result.json
    assert row == {
        "name": registry.login_server,
        "loginServer": registry.login_server,
        "client": client,
        "credentialStore": row["credentialStore"],
        "removed": True,
        "reason": "",
    }
    assert json.loads(Path(row["credentialStore"]).read_text()).get("auths", {}) == {}
    again = logout(az, "-n", registry.login_server, "--client", client)
    assert (again.code, again.json[0]["removed"]) == (0, False)
    assert cloud.requests == []


@pytest.mark.parametrize("client", ["nerdctl", "helm", "oras"])
def test_each_client_logs_out_by_its_own_words(az: Az, registry: Registry, tmp_path: Path, client: str) -> None:
    """These clients are played by scripts that change their file as they do."""
    login_file = {"helm": ".config/helm/registry/config.json"}.get(client, ".docker/config.json")
    login(az, "-n", registry.login_server, "--auth-file", str(az.home / login_file))
    script = f'printf "%s\\n" "$@" > "$HOME/argv"; echo "{{}}" > "$HOME/{login_file}"'
    fake_client(tmp_path / "bin", client, script)
    path = only_path(az, tmp_path / "bin", Path("/bin"))
    result = logout(az, "-n", registry.login_server, "--client", client, PATH=path)
    assert (result.code, result.json[0]["removed"]) == (0, True), result
    words = ["registry", "logout"] if client == "helm" else ["logout"]
    assert (az.home / "argv").read_text().split() == [*words, registry.login_server]


def test_without_a_client_dockers_configuration_and_its_helper_forget(
    az: Az, registry: Registry, tmp_path: Path
) -> None:
    login(az, "-n", registry.login_server, PATH=only_path(az))
    assert logout(az, "-n", registry.login_server, PATH=only_path(az)).json[0]["removed"]
    assert auths(az.home / ".docker/config.json") == {}
    fake_client(tmp_path / "helpers", "docker-credential-keep", KEEPER)
    (az.home / ".docker/config.json").write_text(json.dumps({"credHelpers": {registry.login_server: "keep"}}))
    env = {"PATH": only_path(az, tmp_path / "helpers")}
    login(az, "-n", registry.login_server, **env)
    assert (az.home / "kept").exists()
    (row,) = logout(az, "-n", registry.name, **env).json
    assert (row["credentialStore"], row["removed"]) == ("docker-credential-keep", True)
    assert not (az.home / "kept").exists()


def test_a_name_means_all_its_login_servers_and_no_other(
    az: Az, cloud: LocalCloud, registry_name: str, registry: Registry, tmp_path: Path
) -> None:
    other = cloud.world.add_registry(f"{registry_name}other", regions=("westeurope",))
    file = tmp_path / "auth.json"
    login(az, "-n", other.login_server, "--endpoint", "all", "--auth-file", str(file))
    login(az, "-n", registry.login_server, "--auth-file", str(file))
    cloud.clear_requests()
    result = logout(az, "-n", other.name, "nosuchregistry", "--auth-file", str(file))
    assert result.code == 0, result
    rows = {row["loginServer"]: row for row in result.json}
    regional = f"{other.name}.westeurope.geo.azurecr.io"
    assert {host: row["removed"] for host, row in rows.items()} == {
        other.login_server: True,
        regional: True,
        None: False,
    }
    assert "nosuchregistry" in rows[None]["reason"]
    assert set(auths(file)) == {registry.login_server}
    assert cloud.requests == []


def test_all_means_every_registry_of_the_cloud_and_nobody_elses_credential(
    az: Az, cloud: LocalCloud, registry_name: str, registry: Registry, tmp_path: Path
) -> None:
    by_admin = cloud.world.add_registry(f"{registry_name}admin", admin_user=True)
    password = base64.b64encode(f"{by_admin.name}:{by_admin.admin_passwords[0]}".encode()).decode()
    file = tmp_path / "auth.json"
    others = {by_admin.login_server: {"auth": password}, "docker.example": {"auth": "eDp5"}}
    file.write_text(json.dumps({"auths": others, "HttpHeaders": {}}))
    login(az, "-n", registry.login_server, "--auth-file", str(file))
    result = logout(az, "--all", "--auth-file", str(file))
    assert result.code == 0, result
    rows = {row["loginServer"]: row for row in result.json}
    assert {host: row["removed"] for host, row in rows.items()} == {
        by_admin.login_server: False,
        registry.login_server: True,
    }
    assert f"of the user '{by_admin.name}'" in rows[by_admin.login_server]["reason"]
    assert json.loads(file.read_text()) == {"auths": others, "HttpHeaders": {}}


def test_a_logout_that_fails_is_in_its_row_and_the_others_are_done(
    az: Az, cloud: LocalCloud, registry_name: str, registry: Registry
) -> None:
    other = cloud.world.add_registry(f"{registry_name}other")
    login(az, "-n", registry.login_server, other.login_server, PATH=only_path(az))
    file = az.home / ".docker/config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "credHelpers": {registry.login_server: "nosuch"}}))
    result = logout(az, "-n", registry.login_server, other.login_server, PATH=only_path(az))
    assert result.code == 1
    assert [row["removed"] for row in result.json] == [False, True]
    assert "docker-credential-nosuch" in result.json[0]["reason"]
    assert "1 of 2" in result.stderr
    alone = logout(az, "-n", registry.login_server, PATH=only_path(az))
    assert (alone.code, alone.stdout) == (1, "")
    assert "docker-credential-nosuch" in alone.stderr


def test_a_client_that_fails_behind_its_exit_code_is_found_out(az: Az, registry: Registry, tmp_path: Path) -> None:
    login(az, "-n", registry.login_server, PATH=only_path(az))
    fake_client(tmp_path / "bin", "docker", "exit 0")
    path = only_path(az, tmp_path / "bin", Path("/bin"))
    result = logout(az, "-n", registry.login_server, PATH=path)
    assert (result.code, result.stdout) == (1, "")
    assert "still has the credential" in result.stderr


def test_a_table_has_a_line_for_each(az: Az, registry: Registry, tmp_path: Path) -> None:
    file = str(tmp_path / "auth.json")
    login(az, "-n", registry.login_server, "--auth-file", file)
    header, _, line = logout(az, "-n", registry.login_server, "--auth-file", file, "-o", "table").stdout.splitlines()
    assert header.split() == ["Name", "LoginServer", "CredentialStore", "Removed", "Reason"]
    assert line.split()[:4] == [registry.login_server, registry.login_server, file, "True"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "No registry was named"),
        (["-n", "evil.example"], "not a login server"),
    ],
)
def test_what_cannot_be_meant_is_refused(az: Az, arguments: list[str], says: str) -> None:
    result = logout(az, *arguments)
    assert (result.code, result.stdout) == (1, "")
    assert says in result.stderr

"""Files of real clients as they are on people's machines: nothing in them is lost, and what is wrong is named."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az
from tests.clients import CLIENTS, Desk
from tests.e2e.test_auth_files import admin, entry
from tests.factories.container_clients import USERNAME, fake_client
from tests.factories.files import write
from tests.localcloud import LocalCloud, Registry

ELSEWHERE = "elsewhere.example"
DOCKER = {"DOCKER_COMMAND": str(shutil.which("docker"))}
KEYCHAIN = """
case "$1" in
  store) cat > "$HOME/kept";;
  get) cat > /dev/null; if [ -f "$HOME/kept" ]; then cat "$HOME/kept"; else
    echo "credentials not found in native keychain"; exit 1; fi;;
  erase) cat > /dev/null; rm -f "$HOME/kept";;
  list) cat > /dev/null; echo "{}";;
esac
"""

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="docker is needed")


@pytest.fixture
def desk(az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path) -> Desk:
    """A registry that its admin user may sign in to."""
    registry = cloud.world.add_registry(registry_name, resource_group="rg-apps", backend=True)
    registry.properties["adminUserEnabled"] = True
    return Desk(az, registry.login_server, tmp_path)


def registry_of(cloud: LocalCloud, desk: Desk) -> Registry:
    return next(each for each in cloud.world.registries if each.login_server == desk.server)


def config(az: Az) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((az.home / ".docker/config.json").read_text())
    return found


def docker_login(az: Az, registry: Registry) -> None:
    """Signs in as the registry's admin user, as people do, without this extension."""
    command = f"echo {registry.admin_passwords[0]} | docker login -u {registry.name} --password-stdin"
    done = az.tool("sh", "-c", f"{command} {registry.login_server}")
    assert done.code == 0, done


@pytest.mark.parametrize("broken", [{"auths": {"b.example": {"auth": "%%%"}}}, {"experimental": True}])
def test_a_login_that_docker_would_lose_others_over_is_refused(
    az: Az, cloud: LocalCloud, desk: Desk, broken: dict[str, Any]
) -> None:
    # docker stops at the broken entry and reads entries in an order that Go draws anew each time: of this many, some
    # come after it.
    others = {f"z{number}.example": entry("me") for number in range(40)}
    content = {**broken, "auths": {**broken.get("auths", {}), **others}}
    file = az.home / ".docker/config.json"

    def docker_loses_some() -> bool:
        write(file, content)
        docker_login(az, registry_of(cloud, desk))
        return any(config(az)["auths"][name] == {} for name in others)

    write(file, content)
    refused = az("acr", "scope", "login", "--name", desk.server, env=DOCKER)
    assert refused.code == 1
    assert f"docker cannot read {file}: " in refused.stderr
    assert json.loads(file.read_text()) == content
    assert not [each for each in cloud.requests if "oauth2" in each.path]
    assert any(docker_loses_some() for _ in range(5)), "docker keeps them all now: refuse no longer"


def test_docker_still_uses_the_keychain_for_other_registries(az: Az, cloud: LocalCloud, desk: Desk) -> None:
    programs = fake_client(az.home / "bin", "docker-credential-secretservice", KEYCHAIN).parent
    az.env["PATH"] = f"{programs}:{az.env['PATH']}"
    command = ("acr", "scope", "configure-docker", "--yes")
    az.ok(*command, "--name", "fabrikam.azurecr.io", "--bin-dir", str(programs))
    docker_login(az, registry_of(cloud, desk))
    assert json.loads((az.home / "kept").read_text())["ServerURL"] == desk.server
    assert config(az)["auths"] == {desk.server: {}}
    assert az.tool("docker", "logout", desk.server).code == 0
    az.ok(*command, "--remove", "--bin-dir", str(programs))
    assert {name: value for name, value in config(az).items() if value} == {}


def test_a_helper_of_another_cloud_is_refused_and_comes_back(az: Az, registry: Registry) -> None:
    assert shutil.which("docker-credential-ecr-login"), "scripts/test installs it"
    file = write(az.home / ".docker/config.json", {"credsStore": "ecr-login", "credHelpers": {ELSEWHERE: "ecr-login"}})
    before = json.loads(file.read_text())
    refused = az("acr", "scope", "login", "--name", registry.login_server, env=DOCKER)
    assert refused.code == 1
    assert "docker-credential-ecr-login, which serves Amazon ECR only" in refused.stderr
    assert f"az acr scope configure-docker --name {registry.login_server}" in refused.stderr
    row = az("acr", "scope", "check", "--name", registry.name).json
    (found,) = row["credentials"]
    assert (found["credentialStore"], found["madeWhenNeeded"]) == ("docker-credential-ecr-login", False)
    assert "serves Amazon ECR only" in found["remarks"][0]
    programs = az.home / "bin"
    programs.mkdir()
    az.env["PATH"] = f"{programs}:{az.env['PATH']}"
    command = ("acr", "scope", "configure-docker", "--yes", "--bin-dir", str(programs))
    az.ok(*command, "--name", registry.login_server)
    login = az("acr", "scope", "login", "--name", registry.login_server, env=DOCKER)
    assert login.code == 0, login
    assert login.json["credentialStore"] == "docker-credential-acrscope"
    az.ok(*command, "--remove")
    assert {name: value for name, value in config(az).items() if name != "auths"} == before


@pytest.mark.parametrize(
    ("name", "script", "says"),
    [
        ("dev-containers-a1b2c3d4-5678-90ab-cdef-1234567890ab", "echo gone >&2; exit 255", "exit code 255: gone"),
        ("rancher-desktop2", None, "is not executable"),
        ("nosuchstore2", "", "not on PATH"),
    ],
)
def test_a_helper_that_does_not_work_is_named(
    az: Az, registry: Registry, name: str, script: str | None, says: str
) -> None:
    if script != "":
        program = fake_client(az.home / "bin", f"docker-credential-{name}", script or "")
        program.chmod(0o755 if script else 0o644)
        az.env["PATH"] = f"{program.parent}:{az.env['PATH']}"
    write(az.home / ".docker/config.json", {"credsStore": name})
    failed = az("acr", "scope", "login", "--name", registry.login_server, env=DOCKER)
    assert failed.code == 1
    assert f"It keeps credentials with the credential helper docker-credential-{name}." in failed.stderr
    assert "configure-docker" in failed.stderr
    assert '"***"' not in failed.stderr
    row = az("acr", "scope", "check", "--name", registry.name).json
    (found,) = row["credentials"]
    assert f"docker-credential-{name}" in found["remarks"][0]
    assert says in found["remarks"][0]


def test_what_podman_would_drop_from_dockers_file_is_kept(az: Az, cloud: LocalCloud, desk: Desk) -> None:
    members = {"credsStore": "desktop", "proxies": {"default": {"noProxy": "x"}}, "HttpHeaders": {"X": "y"}}
    file = write(az.home / "job/config.json", {**members, "auths": {ELSEWHERE: entry("me")}})
    az.env["DOCKER_CONFIG"] = str(file.parent)
    login = az("acr", "scope", "login", "--name", desk.server, "--client", "podman")
    assert login.code == 0, login
    assert login.json["credentialStore"] == str(file)
    written = json.loads(file.read_text())
    assert {name: written[name] for name in members} == members
    assert set(written["auths"]) == {ELSEWHERE, desk.server}
    signed_in = az.tool("podman", "login", "--get-login", desk.server)
    assert signed_in.stdout.strip() == USERNAME
    (row,) = az.ok("acr", "scope", "logout", "--all", "--client", "podman")
    assert row["removed"]
    assert json.loads(file.read_text()) == {**members, "auths": {ELSEWHERE: entry("me")}}


def test_an_entry_for_a_repository_that_docker_uses_for_the_host_is_shown_and_removed(
    az: Az, cloud: LocalCloud, desk: Desk
) -> None:
    (login,) = [az.ok("acr", "scope", "login", "--name", desk.server, "--expose-token")]
    secret = base64.b64encode(f"{USERNAME}:{login['refreshToken']}".encode()).decode()
    key = f"{desk.server}/team"
    file = write(az.home / ".docker/config.json", {"auths": {key: {"auth": secret}, ELSEWHERE: entry("me")}})
    (docker,) = (each for each in CLIENTS if each.name == "docker")
    said = docker.pull(desk)
    assert "unauthorized" not in said.stderr, "docker uses it"
    row = az("acr", "scope", "check", "--name", desk.server.partition(".")[0]).json
    assert [each["credentialStore"] for each in row["credentials"]] == [f"{file} (entry '{key}')"]
    (removed,) = az.ok("acr", "scope", "logout", "--all", env=DOCKER)
    assert (removed["loginServer"], removed["removed"]) == (desk.server, True)
    assert set(config(az)["auths"]) == {ELSEWHERE}
    assert "unauthorized" in docker.pull(desk).stderr


def test_a_variable_is_warned_of_where_docker_reads_it(az: Az, cloud: LocalCloud, desk: Desk) -> None:
    az.env["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {desk.server: admin(registry_of(cloud, desk))}})
    (docker,) = (each for each in CLIENTS if each.name == "docker")
    reads = "unauthorized" not in docker.pull(desk).stderr
    login = az("acr", "scope", "login", "--name", desk.server, env=DOCKER)
    assert login.code == 0, login
    assert ("DOCKER_AUTH_CONFIG" in login.stderr) is reads

"""Real container clients against a real registry, with what `az acr scope login` left for them."""

import base64
import json
import shutil
from itertools import product
from pathlib import Path

import pytest

from tests.az import Az, Result
from tests.clients import CLIENTS, HELM, Client, Desk, stock
from tests.factories.localcloud import long_ago
from tests.localcloud import LocalCloud, Registry

TOKEN_USER = "00000000-0000-0000-0000-000000000000"
ROUTES = ("docker", "auth-file")
FURTHER_ROUTES = ("podman", "helm", "dockerconfigjson")  # other ways to the form that auth-file has, too
FEW = tuple(client for client in CLIENTS if client.name in ("skopeo", "helm"))


@pytest.fixture
def real_registry(cloud: LocalCloud, registry_name: str) -> Registry:
    """An enforced registry with the docker-registry program behind it."""
    return cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled", backend=True)


@pytest.fixture
def stocked(cloud: LocalCloud, real_registry: Registry, az: Az, tmp_path: Path) -> Registry:
    """The same with the image app:v1, put there by its admin user."""
    real_registry.properties["adminUserEnabled"] = True
    login = f"{real_registry.name}:{real_registry.admin_passwords[0]}"
    stock(az, real_registry.login_server, tmp_path, base64.b64encode(login.encode()).decode())
    real_registry.properties["adminUserEnabled"] = False
    cloud.clear_requests()
    return real_registry


def login(az: Az, registry: Registry, client: str, **env: str) -> Result:
    program = shutil.which(client)
    assert program, f"{client} is needed for this test: scripts/test installs it"
    result = az("acr", "scope", "login", "--name", registry.login_server, env={"DOCKER_COMMAND": program, **env})
    assert result.code == 0, result
    assert result.json["client"] == client
    return result


def sign_in_by(route: str, az: Az, registry: Registry) -> dict[str, str]:
    """Signs in on one route, for all clients; what they need in the environment to find the credential.

    docker: docker's own file, with an identity token. podman, helm: a file with a user and a password in it. auth-file:
    the same form, by our own hand. dockerconfigjson: the same form, as a pull secret has it. helper: no credential in a
    file, but the name of our helper.
    """
    if route == "docker":
        login(az, registry, "docker")
        return {}
    file = az.home / "credentials/config.json"
    file.parent.mkdir(exist_ok=True)
    # One file for those that take a file's name, and for those that take a folder's.
    env = {"REGISTRY_AUTH_FILE": str(file), "DOCKER_CONFIG": str(file.parent)}
    command = ("acr", "scope", "login", "--name", registry.login_server)
    if route == "podman":
        login(az, registry, "podman", **env)
    elif route == "helm":
        env = {**env, "HELM_REGISTRY_CONFIG": str(file)}
        path = f"{HELM.parent}:{az.env['PATH']}"
        assert az(*command, "--client", "helm", env={**env, "PATH": path}).code == 0
    elif route == "helper":
        programs = az.home / "bin"
        programs.mkdir(exist_ok=True)
        env["PATH"] = f"{programs}:{az.env['PATH']}"
        command = ("acr", "scope", "configure-docker", "--name", registry.login_server)
        az.ok(*command, "--bin-dir", str(programs), "--yes", env=env)
    elif route == "auth-file":
        az.ok(*command, "--auth-file", str(file))
    else:
        exposed = az.ok(*command, "--expose-token", "--token-format", "dockerconfigjson")
        file.write_text(json.dumps(exposed))
    return env


def answered(cloud: LocalCloud, registry: Registry, method: str) -> int:
    """How many manifests the registry has taken (PUT) or given out (GET)."""
    return sum(
        request.method == method and "/manifests/" in request.path and request.status in (200, 201)
        for request in cloud.requests_to(registry.login_server)
    )


@pytest.mark.parametrize(("route", "client"), [*product(ROUTES, CLIENTS), *product(FURTHER_ROUTES, FEW)], ids=str)
def test_a_client_pushes_and_pulls_with_what_a_sign_in_left(
    az: Az, cloud: LocalCloud, stocked: Registry, tmp_path: Path, client: Client, route: str
) -> None:
    desk = Desk(az, stocked.login_server, tmp_path, sign_in_by(route, az, stocked))
    pushed, pulled = client.push(desk), client.pull(desk)
    broken = client.no_identity_token if route == "docker" else frozenset()
    assert (pushed.code != 0) is ("push" in broken), pushed
    assert (pulled.code != 0) is ("pull" in broken), pulled
    assert (answered(cloud, stocked, "PUT") > 0) is ("push" not in broken)
    assert (answered(cloud, stocked, "GET") > 0) is ("pull" not in broken)


@pytest.mark.parametrize("client", FEW, ids=str)
def test_after_three_hours_a_client_is_refused_until_the_next_sign_in(
    az: Az, cloud: LocalCloud, stocked: Registry, tmp_path: Path, client: Client
) -> None:
    with long_ago(cloud):
        desk = Desk(az, stocked.login_server, tmp_path, sign_in_by("podman", az, stocked))
        assert client.push(desk).code == 0
    refused = client.pull(desk)
    assert refused.code != 0
    assert "unauthorized" in (refused.stdout + refused.stderr).lower()
    sign_in_by("podman", az, stocked)
    pulled = client.pull(desk)
    assert pulled.code == 0, pulled


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_after_three_hours_the_helper_renews_without_a_word(
    az: Az, cloud: LocalCloud, stocked: Registry, tmp_path: Path, client: Client
) -> None:
    with long_ago(cloud):
        desk = Desk(az, stocked.login_server, tmp_path, sign_in_by("helper", az, stocked))
        assert client.push(desk).code == 0
    cloud.clear_requests()
    pulled = client.pull(desk)
    assert pulled.code == 0, pulled
    assert "acrscope" not in pulled.stderr
    assert sum(request.path == "/oauth2/exchange" for request in cloud.requests) == 1
    assert client.pull(desk).code == 0
    assert sum(request.path == "/oauth2/exchange" for request in cloud.requests) == 1


def test_docker_signs_in_without_a_daemon_and_keeps_an_identity_token(az: Az, real_registry: Registry) -> None:
    result = login(az, real_registry, "docker")
    config = az.home / ".docker/config.json"
    assert result.json["credentialStore"] == str(config)
    entry = json.loads(config.read_text())["auths"][real_registry.login_server]
    assert base64.b64decode(entry["auth"]).decode() == f"{TOKEN_USER}:"
    assert entry["identitytoken"].count(".") == 2


def test_podman_signs_in_where_it_looks_for_credentials(
    az: Az, cloud: LocalCloud, stocked: Registry, tmp_path: Path
) -> None:
    result = login(az, stocked, "podman")
    assert result.json["credentialStore"] == str(az.home / "run/containers/auth.json")
    (podman,) = (client for client in CLIENTS if client.name == "podman")
    pulled = podman.pull(Desk(az, stocked.login_server, tmp_path))
    assert pulled.code == 0, pulled


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_without_a_login_the_registry_refuses(az: Az, stocked: Registry, tmp_path: Path, client: Client) -> None:
    refused = client.push(Desk(az, stocked.login_server, tmp_path))
    assert refused.code != 0
    assert "unauthorized" in (refused.stdout + refused.stderr).lower()


def test_a_helper_that_docker_is_told_to_use_is_named(az: Az, registry: Registry) -> None:
    (az.home / ".docker").mkdir()
    (az.home / ".docker/config.json").write_text(json.dumps({"credsStore": "nosuchstore"}))
    result = az(
        "acr", "scope", "login", "-n", registry.login_server, env={"DOCKER_COMMAND": str(shutil.which("docker"))}
    )
    assert result.code == 1
    assert "docker-credential-nosuchstore" in result.stderr

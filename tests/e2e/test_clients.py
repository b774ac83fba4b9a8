"""Real container clients against a real registry: docker, podman and skopeo, signed in by `az acr scope login`."""

import base64
import json
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.az import Az, Result
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.images import write_oci_layout


@pytest.fixture
def real_registry(cloud: LocalCloud, registry_name: str) -> Registry:
    """An enforced registry with the docker-registry program behind it."""
    return cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled", backend=True)


def login(az: Az, registry: Registry, client: str) -> Result:
    program = shutil.which(client)
    assert program, f"{client} is needed for this test: scripts/test installs it"
    result = az("acr", "scope", "login", "--name", registry.login_server, env={"DOCKER_COMMAND": program})
    assert result.code == 0, result
    assert result.json["client"] == client
    return result


def push_and_pull(az: Az, registry: Registry, tmp_path: Path, authfile: Path) -> None:
    write_oci_layout(tmp_path / "image", marker=registry.name)
    image = f"docker://{registry.login_server}/app:v1"
    skopeo = ("skopeo", "copy", "--quiet", "--insecure-policy", "--authfile", str(authfile))
    pushed = az.tool(*skopeo, f"oci:{tmp_path / 'image'}", image)
    assert pushed.code == 0, pushed
    pulled = az.tool(*skopeo, image, f"oci:{tmp_path / 'copy'}")
    assert pulled.code == 0, pulled
    original = sorted(file.name for file in (tmp_path / "image" / "blobs/sha256").iterdir())
    assert sorted(file.name for file in (tmp_path / "copy" / "blobs/sha256").iterdir()) == original


def test_docker_signs_in_without_a_daemon_and_its_credential_pushes_and_pulls(
    az: Az, real_registry: Registry, tmp_path: Path
) -> None:
    result = login(az, real_registry, "docker")
    config = az.home / ".docker/config.json"
    assert result.json["credentialStore"] == str(config)
    entry = json.loads(config.read_text())["auths"][real_registry.login_server]
    assert entry.get("identitytoken") or base64.b64decode(entry["auth"]).count(b".") == 2
    push_and_pull(az, real_registry, tmp_path, config)
    listed = az.tool("docker", "manifest", "inspect", f"{real_registry.login_server}/app:v1")
    assert listed.code == 0, listed
    assert json.loads(listed.stdout)["layers"]


def test_podman_signs_in_pushes_and_pulls(az: Az, real_registry: Registry, tmp_path: Path) -> None:
    result = login(az, real_registry, "podman")
    authfile = az.home / "run/containers/auth.json"
    assert result.json["credentialStore"] == str(authfile)
    push_and_pull(az, real_registry, tmp_path, authfile)
    image = f"{real_registry.login_server}/app:v1"
    runroot = tempfile.mkdtemp(prefix="acrscope")  # podman takes no path of more than 50 characters here
    store = ("--storage-driver", "vfs", "--root", str(tmp_path / "root"), "--runroot", runroot)
    pulled = az.tool("podman", *store, "pull", "--quiet", image)
    assert pulled.code == 0, pulled
    assert az.tool("podman", *store, "images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split() == [image]
    pushed = az.tool("podman", *store, "push", "--quiet", image, f"docker://{real_registry.login_server}/app:v2")
    assert pushed.code == 0, pushed
    shutil.rmtree(runroot, ignore_errors=True)


def test_skopeo_pushes_and_pulls_with_an_exposed_token(az: Az, real_registry: Registry, tmp_path: Path) -> None:
    exposed = az.ok("acr", "scope", "login", "--name", real_registry.login_server, "--expose-token")
    authfile = tmp_path / "auth.json"
    secret = base64.b64encode(f"{exposed['username']}:{exposed['refreshToken']}".encode()).decode()
    authfile.write_text(json.dumps({"auths": {real_registry.login_server: {"auth": secret}}}))
    authfile.chmod(0o600)
    push_and_pull(az, real_registry, tmp_path, authfile)


def test_without_a_login_the_registry_refuses(az: Az, real_registry: Registry, tmp_path: Path) -> None:
    write_oci_layout(tmp_path / "image", marker="nobody")
    refused = az.tool(
        "skopeo",
        "copy",
        "--insecure-policy",
        f"oci:{tmp_path / 'image'}",
        f"docker://{real_registry.login_server}/app:v1",
    )
    assert refused.code != 0
    assert "unauthorized" in refused.stderr.lower() or "authentication required" in refused.stderr.lower()


def test_a_helper_that_docker_is_told_to_use_is_named(az: Az, registry: Registry) -> None:
    (az.home / ".docker").mkdir()
    (az.home / ".docker/config.json").write_text(json.dumps({"credsStore": "nosuchstore"}))
    result = az(
        "acr", "scope", "login", "-n", registry.login_server, env={"DOCKER_COMMAND": str(shutil.which("docker"))}
    )
    assert result.code == 1
    assert "docker-credential-nosuchstore" in result.stderr

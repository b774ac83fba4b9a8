"""docker-credential-acrscope, set up by `az acr scope configure-docker`, under real container clients."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.az import ROOT, Az, Result
from tests.factories.versions import VERSION
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.scenarios.images import write_oci_layout

USER = "00000000-0000-0000-0000-000000000000"
NOT_FOUND = "credentials not found in native keychain\n"
CONFIG = ".docker/config.json"


@pytest.fixture
def real_registry(cloud: LocalCloud, registry_name: str) -> Registry:
    """An enforced registry with the docker-registry program behind it."""
    return cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled", backend=True)


@pytest.fixture
def az(az: Az) -> Az:
    """As everywhere, with a directory on PATH that is the user's own."""
    (az.home / ".local/bin").mkdir(parents=True)
    az.env["PATH"] = f"{az.home / '.local/bin'}{os.pathsep}{az.env['PATH']}"
    return az


def configure(az: Az, *arguments: str) -> Any:
    return az.ok("acr", "scope", "configure-docker", "--yes", *arguments)


def helper(az: Az, verb: str, given: str = "") -> Result:
    program = shutil.which("docker-credential-acrscope", path=az.env["PATH"])
    assert program
    done = subprocess.run(
        [program, verb], input=given, env=az.env, cwd=az.home, capture_output=True, text=True, timeout=180, check=False
    )
    return Result(("docker-credential-acrscope", verb), done.returncode, done.stdout, done.stderr)


def get(az: Az, server: str) -> dict[str, str]:
    result = helper(az, "get", server + "\n")
    assert result.code == 0, result
    found: dict[str, str] = result.json
    return found


def exchanges(cloud: LocalCloud) -> int:
    return [request.path for request in cloud.requests].count("/oauth2/exchange")


def push_and_pull(az: Az, registry: Registry, tmp_path: Path, tag: str = "v1") -> None:
    write_oci_layout(tmp_path / tag, marker=registry.name)
    image = f"docker://{registry.login_server}/app:{tag}"
    copy = ("skopeo", "copy", "--quiet", "--insecure-policy")
    for source, target in ((f"oci:{tmp_path / tag}", image), (image, f"oci:{tmp_path / f'{tag}-copy'}")):
        result = az.tool(*copy, source, target)
        assert result.code == 0, result


# --- clients -------------------------------------------------------------------------------------------------------


def test_docker_podman_skopeo_and_buildah_need_no_login(
    az: Az, cloud: LocalCloud, real_registry: Registry, tmp_path: Path
) -> None:
    host = real_registry.login_server
    result = configure(az, "--name", host)
    assert result == {
        "launcher": str(az.home / ".local/bin/docker-credential-acrscope"),
        "client": "docker",
        "file": str(az.home / CONFIG),
        "hosts": [{"loginServer": host, "result": "added"}],
    }
    assert not cloud.requests
    push_and_pull(az, real_registry, tmp_path)
    listed = az.tool("docker", "manifest", "inspect", f"{host}/app:v1")
    assert listed.code == 0, listed
    assert json.loads(listed.stdout)["layers"]
    with tempfile.TemporaryDirectory(prefix="acrscope") as runroot:  # podman takes no path of more than 50 characters
        store = ("--storage-driver", "vfs", "--root", str(tmp_path / "root"), "--runroot", runroot)
        for client in ("podman", "buildah"):
            pulled = az.tool(client, *store, "pull", "--quiet", f"{host}/app:v1")
            assert pulled.code == 0, pulled
            pushed = az.tool(client, *store, "push", "--quiet", f"{host}/app:v1", f"docker://{host}/app:{client}")
            assert pushed.code == 0, pushed
    assert exchanges(cloud) == 1
    assert "auths" not in json.loads((az.home / CONFIG).read_text())


def test_podmans_own_file_serves_podman_buildah_and_skopeo(
    az: Az, cloud: LocalCloud, real_registry: Registry, tmp_path: Path
) -> None:
    result = configure(az, "--name", real_registry.name, "--client", "podman")
    assert result["file"] == str(az.home / ".config/containers/auth.json")
    push_and_pull(az, real_registry, tmp_path)
    for client in ("podman", "buildah"):
        assert az.tool(client, "login", "--get-login", real_registry.login_server).stdout == f"{USER}\n"
    assert exchanges(cloud) == 1


def test_docker_login_and_logout_still_work(az: Az, cloud: LocalCloud, real_registry: Registry) -> None:
    host = real_registry.login_server
    configure(az, "--name", host)
    login = az("acr", "scope", "login", "--name", host, env={"DOCKER_COMMAND": str(shutil.which("docker"))})
    assert login.code == 0, login
    assert login.json["credentialStore"] == "docker-credential-acrscope"
    cloud.clear_requests()
    secret = get(az, host)["Secret"]
    assert not cloud.requests
    assert secret not in (az.home / CONFIG).read_text()
    assert helper(az, "list").json == {host: USER}
    logout = az.tool("docker", "logout", host)
    assert logout.code == 0, logout
    assert get(az, host)["Secret"] != secret
    assert exchanges(cloud) == 1


def test_our_own_logout_makes_no_token_only_to_forget_it(az: Az, cloud: LocalCloud, real_registry: Registry) -> None:
    host = real_registry.login_server
    configure(az, "--name", host)
    secret = get(az, host)["Secret"]
    cloud.clear_requests()
    for _ in range(2):
        result = az("acr", "scope", "logout", "--name", host, "--client", "docker")
        assert (result.code, result.json[0]["removed"]) == (0, True), result
        assert f"az acr scope configure-docker --name {host} --remove" in result.stderr
    assert exchanges(cloud) == 0
    assert get(az, host)["Secret"] != secret


def test_a_login_as_the_admin_user_is_kept_until_the_logout(az: Az, cloud: LocalCloud, real_registry: Registry) -> None:
    host = real_registry.login_server
    real_registry.properties["adminUserEnabled"] = True
    configure(az, "--name", host)
    password = real_registry.admin_passwords[0]
    command = ["docker", "login", "--username", real_registry.name, "--password-stdin", host]
    subprocess.run(command, input=password, env=az.env, text=True, capture_output=True, check=True)
    assert get(az, host) == {"ServerURL": host, "Username": real_registry.name, "Secret": password}
    left = az("acr", "scope", "logout", "--name", host, "--client", "docker")
    assert left.json[0]["removed"] is False
    assert real_registry.name in left.json[0]["reason"]
    assert az.tool("docker", "logout", host).code == 0
    assert get(az, host)["Username"] == USER


# --- cache and renewal ---------------------------------------------------------------------------------------------


def test_a_warm_get_sends_nothing_and_a_cold_one_makes_one_exchange(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    configure(az, "--name", registry.login_server)
    secret = get(az, registry.login_server)["Secret"]
    assert sorted(request.path for request in cloud.requests if request.host == registry.login_server) == [
        "/oauth2/exchange",
        "/v2/",
    ]
    cloud.clear_requests()
    assert get(az, f"https://{registry.login_server}/")["Secret"] == secret
    assert not cloud.requests


def test_fifty_gets_at_once_on_an_empty_cache_make_one_exchange(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    configure(az, "--name", registry.login_server)
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: get(az, registry.login_server)["Secret"], range(50)))
    assert len(set(found)) == 1
    assert exchanges(cloud) == 1


def test_a_token_that_has_expired_is_renewed_without_a_word(
    az: Az, cloud: LocalCloud, real_registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(az, "--name", real_registry.login_server)
    monkeypatch.setattr(cloud.world, "acr_refresh_lifetime", 61)  # of which the helper uses the first second
    push_and_pull(az, real_registry, tmp_path, "v1")
    before = exchanges(cloud)
    age(az, 120)
    result = helper(az, "get", real_registry.login_server)
    assert result.code == 0, result
    assert result.stderr == ""
    assert exchanges(cloud) == before + 1
    push_and_pull(az, real_registry, tmp_path, "v2")


def test_a_renewal_that_fails_leaves_the_token_that_is_still_valid(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    configure(az, "--name", registry.login_server)
    secret = get(az, registry.login_server)["Secret"]
    age(az, 9000)
    registry.firewall = "203.0.113.9"
    result = helper(az, "get", registry.login_server)
    assert result.code == 0
    assert result.json["Secret"] == secret
    assert "still valid" in result.stderr
    assert "203.0.113.9" in result.stderr
    age(az, 1800)
    result = helper(az, "get", registry.login_server)
    assert result.code == 1
    assert "refuses this machine's network" in result.stdout


def age(az: Az, seconds: float) -> None:
    """Let so many seconds pass for what is in the cache."""
    file = az.config / "acrscope/helper-tokens.json"
    content = json.loads(file.read_text())
    for hosts in content["tokens"].values():
        for entry in hosts.values():
            for moment in ("renew", "expires", "failed"):
                if moment in entry:
                    entry[moment] -= seconds
    file.write_text(json.dumps(content))


def test_a_host_that_is_down_costs_one_try_and_the_others_nothing(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    down = cloud.world.add_registry(f"{registry.name}down", resource_group="rg-apps").login_server
    configure(az, "--name", registry.login_server, down)
    cloud.faults.add(host=down, status=503, times=None)
    first = helper(az, "get", down)
    assert (first.code, f"{down} failed" in first.stdout) == (1, True), first
    cloud.clear_requests()
    second = helper(az, "get", down)
    assert (second.code, second.stdout) == (1, second.stderr)
    assert f"{down} failed" in second.stdout
    assert "This is remembered from" in second.stdout
    assert cloud.requests_to(down) == []
    assert get(az, registry.login_server)["Secret"]
    shown = az.ok("acr", "scope", "configure-docker", "--show")["hosts"]
    assert {row["loginServer"]: row["works"] for row in shown} == {registry.login_server: True, down: False}
    asks_all = "import docker; docker.auth.load_config().get_all_credentials()"
    asked = az.tool(str(ROOT / ".venvs/clients/bin/python"), "-c", asks_all)
    assert "This is remembered from" in asked.stderr
    assert cloud.requests_to(down) == []
    cloud.faults.clear()
    assert az("acr", "scope", "login", "--name", down, "--expose-token").code == 0
    assert get(az, down)["Secret"]


def test_the_cache_is_its_owners_alone_and_a_broken_one_is_replaced(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    configure(az, "--name", registry.login_server)
    get(az, registry.login_server)
    file = az.config / "acrscope/helper-tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.write_text('{"version": 1, "tokens')
    result = helper(az, "get", registry.login_server)
    assert result.code == 0, result
    assert "could not be read and was replaced: it is not JSON" in result.stderr
    assert exchanges(cloud) == 2
    assert json.loads(file.read_text())["version"] == 1


def test_no_token_of_one_account_is_given_to_another(
    az: Az, cloud: LocalCloud, registry: Registry, sign_in_as: Callable[[ServicePrincipal], None]
) -> None:
    configure(az, "--name", registry.login_server)
    first = get(az, registry.login_server)["Secret"]
    reader = cloud.world.add_service_principal("reader")
    cloud.world.grant(reader, registry.id, "AcrPull")
    sign_in_as(reader)
    second = get(az, registry.login_server)["Secret"]
    assert first != second
    assert get(az, registry.login_server)["Secret"] == second
    sign_in_as(cloud.world.add_service_principal("stranger"))
    refused = helper(az, "get", registry.login_server)
    assert refused.code == 1
    assert "did not accept the token of this account" in refused.stdout
    az.ok("account", "clear")
    nobody = helper(az, "get", registry.login_server)
    assert nobody.code == 1
    assert nobody.stdout.startswith("acrscope: The Azure CLI is not signed in")


@pytest.fixture
def sign_in_as(az: Az) -> Callable[[ServicePrincipal], None]:
    def sign_in(principal: ServicePrincipal) -> None:
        secret = ["--username", principal.app_id, "--password", principal.secret or ""]
        az.ok("account", "clear")
        az.ok("login", "--service-principal", *secret, "--tenant", principal.tenant_id, "--allow-no-subscriptions")

    return sign_in


def test_an_identity_of_the_environment_needs_no_sign_in(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    principal = cloud.world.add_service_principal("builder")
    cloud.world.grant(principal, registry.id, "AcrPull")
    configure(az, "--name", registry.login_server, "--credential", "environment")
    az.ok("account", "clear")
    missing = helper(az, "get", registry.login_server)
    assert missing.code == 1
    assert "AZURE_CLIENT_ID" in missing.stdout
    az.env |= {
        "AZURE_CLIENT_ID": principal.app_id,
        "AZURE_TENANT_ID": principal.tenant_id,
        "AZURE_CLIENT_SECRET": principal.secret or "",
    }
    assert get(az, registry.login_server)["Username"] == USER
    assert exchanges(cloud) == 1


# --- what must not happen ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "server", ["docker.io", "https://index.docker.io/v1/", "http://{host}", "{host}:5000", "{host}.evil.example"]
)
def test_other_hosts_are_not_found_and_get_no_request(
    az: Az, cloud: LocalCloud, registry: Registry, server: str
) -> None:
    configure(az, "--name", registry.login_server)
    result = helper(az, "get", server.format(host=registry.login_server))
    assert (result.code, result.stdout) == (1, NOT_FOUND)
    assert not cloud.requests


def test_a_realm_elsewhere_ends_it_before_a_token_is_sent(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    configure(az, "--name", registry.login_server)
    registry.challenge_realm = "https://evil.example/oauth2/token"
    result = helper(az, "get", registry.login_server)
    assert result.code == 1
    assert "directs credentials to another host" in result.stdout
    assert "No token was sent" in result.stdout
    assert exchanges(cloud) == 0


@pytest.mark.parametrize(
    "command", [("docker", "manifest", "inspect", "{}/app:v1"), ("skopeo", "inspect", "docker://{}/app:v1")]
)
def test_an_error_reaches_the_user_through_the_client(az: Az, registry: Registry, command: tuple[str, ...]) -> None:
    configure(az, "--name", registry.login_server)
    az.ok("account", "clear")
    result = az.tool(*(word.format(registry.login_server) for word in command))
    assert result.code != 0
    assert "The Azure CLI is not signed in" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_no_token_shows_in_what_the_helper_says_nor_in_a_file_others_can_read(
    az: Az, cloud: LocalCloud, real_registry: Registry
) -> None:
    host = real_registry.login_server
    configure(az, "--name", host)
    said = helper(az, "get", host).stderr + helper(az, "list").stdout + helper(az, "version").stdout
    cloud.faults.add(host=host, path="/oauth2/exchange", status=404, times=None)
    helper(az, "erase", host)
    said += str(helper(az, "get", host))
    assert [secret for secret in cloud.world.secrets if secret in said] == []
    readable = [file for file in az.home.rglob("*") if file.is_file() and file.stat().st_mode & 0o077]
    texts = [file.read_text(errors="replace") for file in readable]
    assert [secret for secret in cloud.world.secrets if any(secret in text for text in texts)] == []


# --- configure-docker ----------------------------------------------------------------------------------------------


def test_all_registries_are_set_up_and_taken_out_again(new_az: Callable[..., Az], cloud: LocalCloud) -> None:
    subscription = cloud.world.add_subscription("Contoso Images")
    names = ["imagesbase", "imagesapps"]
    for name in names:
        cloud.world.add_registry(name, resource_group="rg-images", subscription=subscription)
    owner = cloud.world.add_service_principal("images")
    cloud.world.grant(owner, subscription.scope, "Contributor")
    az = new_az(owner)
    bin_dir = az.home / "tools"
    result = configure(az, "--all", "--subscription", "Contoso Images", "--bin-dir", str(bin_dir))
    assert [row["loginServer"] for row in result["hosts"]] == ["imagesapps.azurecr.io", "imagesbase.azurecr.io"]
    settings = json.loads((az.config / "acrscope/helper.json").read_text())["hosts"]
    assert {entry["subscription"] for entry in settings.values()} == {subscription.id}
    az.env["PATH"] = f"{bin_dir}{os.pathsep}{az.env['PATH']}"
    get(az, "imagesapps.azurecr.io")
    one = configure(az, "--remove", "--name", "imagesapps")
    assert one["hosts"] == [{"loginServer": "imagesapps.azurecr.io", "result": "removed"}]
    assert "imagesapps" not in (az.config / "acrscope/helper-tokens.json").read_text()
    assert (bin_dir / "docker-credential-acrscope").exists()
    configure(az, "--remove")
    assert not (bin_dir / "docker-credential-acrscope").exists()
    assert json.loads((az.home / CONFIG).read_text()) == {}
    again = az("acr", "scope", "configure-docker", "--remove")
    assert again.code == 0
    assert "No registry uses the helper in " in again.stderr


def test_what_is_set_up_is_shown_and_nothing_is_requested(
    az: Az, cloud: LocalCloud, registry: Registry, operator: ServicePrincipal
) -> None:
    configure(az, "--name", registry.login_server)
    secret = get(az, registry.login_server)["Secret"]
    configure(az, "--name", "fabrikam.azurecr.io", "--client", "podman", "--credential", "managed-identity")
    cloud.clear_requests()
    found = az.ok("acr", "scope", "configure-docker", "--show", "--name", registry.name)
    (row,) = found["hosts"]
    assert (row["loginServer"], row["works"], row["remarks"]) == (registry.login_server, True, [])
    assert row["signsInAs"] == operator.app_id
    assert row["tokenExpiresOn"].endswith("Z")
    assert secret not in str(found)
    assert found["launcher"] == {
        "file": str(az.home / ".local/bin/docker-credential-acrscope"),
        "version": VERSION,
        "works": True,
    }
    table = az("acr", "scope", "configure-docker", "--show", "--client", "podman", "--output", "table")
    assert table.stdout.splitlines()[3].split()[:3] == ["fabrikam.azurecr.io", "yes", "managed-identity"]
    assert not cloud.requests
    (az.home / ".local/bin/docker-credential-acrscope").unlink()
    broken = az("acr", "scope", "configure-docker", "--show", "--name", registry.login_server, "-n", "northwind")
    assert (broken.code, broken.json["hosts"][0]["works"]) == (0, False)
    assert "docker-credential-acrscope is not on PATH" in broken.stderr
    assert "The helper is not set up for northwind." in broken.stderr


def test_nothing_is_written_without_a_yes_and_everything_is_shown(az: Az, registry: Registry) -> None:
    result = az("acr", "scope", "configure-docker", "--name", registry.login_server)
    assert result.code == 1
    assert "#!/bin/sh" in result.stderr
    assert f"+ {registry.login_server}: acrscope" in result.stderr
    assert "--yes" in result.stderr
    assert "--dry-run" not in result.stderr
    assert not (az.home / CONFIG).exists()
    assert not list((az.home / ".local/bin").iterdir())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "No registry was selected"),
        (("--name", "contoso.azurecr.io", "--all"), "--name cannot be combined with --all"),
        (("--show", "--remove"), "--show cannot be combined with --remove"),
        (("--name", "nosuchregistry"), "No registry named 'nosuchregistry'"),
        (("--name", "contoso.azurecr.io.evil.example"), "not a login server of the active cloud"),
        (("--name", "contoso", "--credential", "environment"), "Only Azure Resource Manager knows the login server of"),
        (("--name", "contoso.azurecr.io", "--client-id", "x"), "--client-id cannot be used"),
    ],
)
def test_a_slip_is_named_and_nothing_is_written(az: Az, arguments: tuple[str, ...], text: str) -> None:
    result = az("acr", "scope", "configure-docker", "--yes", *arguments)
    assert result.code != 0
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert not (az.home / CONFIG).exists()

"""`az acr scope login --repository`: a credential that opens just that, held against a real registry."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.scenarios.images import write_oci_layout

COPY = ("skopeo", "copy", "--quiet", "--insecure-policy", "--authfile")


@pytest.fixture
def registry(cloud: LocalCloud, registry_name: str) -> Registry:
    return cloud.world.add_registry(registry_name, resource_group="rg-apps", backend=True)


def login(az: Az, registry: Registry, *arguments: str, **env: str) -> Result:
    return az("acr", "scope", "login", "-n", registry.login_server, *arguments, env=env)


class Shelf:
    """A registry with an image, seen with a credential file."""

    def __init__(self, az: Az, registry: Registry, folder: Path) -> None:
        self._az, self._host, self._folder = az, registry.login_server, folder
        write_oci_layout(folder / "image", marker=registry.login_server)

    def push(self, file: Path, repository: str) -> Result:
        source, target = f"oci:{self._folder / 'image'}", f"docker://{self._host}/{repository}:v1"
        return self._az.tool(*COPY, str(file), source, target)

    def pull(self, file: Path, repository: str) -> Result:
        target = f"oci:{self._folder / 'copy'}"
        return self._az.tool(*COPY, str(file), f"docker://{self._host}/{repository}:v1", target)


@pytest.fixture
def shelf(az: Az, registry: Registry, tmp_path: Path) -> Shelf:
    """With an image in team/app and in other."""
    shelf, file = Shelf(az, registry, tmp_path), tmp_path / "all.json"
    assert login(az, registry, "--auth-file", str(file)).code == 0
    for repository in ("team/app", "other"):
        pushed = shelf.push(file, repository)
        assert pushed.code == 0, pushed
    return shelf


def test_a_token_to_pull_one_repository_pulls_that_and_does_nothing_else(
    az: Az, registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    file = tmp_path / "auth.json"
    result = login(az, registry, "--repository", "team/app", "--auth-file", str(file))
    assert result.code == 0, result
    assert result.json["permissions"] == {"team/app": ["pull"]}
    assert shelf.pull(file, "team/app").code == 0
    for refused in (shelf.push(file, "team/app"), shelf.pull(file, "other"), shelf.push(file, "new")):
        assert refused.code != 0
        assert "denied" in refused.stderr or "unauthorized" in refused.stderr or "401" in refused.stderr, refused


def test_a_token_to_push_pushes_there_and_nowhere_else(
    az: Az, registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    file = tmp_path / "auth.json"
    more = ("--permission", "PUSH", "--auth-file", str(file))
    result = login(az, registry, "--repository", "team/app", "team/new", *more)
    assert result.json["permissions"] == dict.fromkeys(["team/app", "team/new"], ["pull", "push"])
    assert shelf.push(file, "team/app").code == 0
    assert shelf.push(file, "team/new").code == 0
    assert shelf.push(file, "other").code != 0
    assert shelf.pull(file, "other").code != 0


@pytest.mark.parametrize("client", ["docker", "podman"])
def test_a_real_client_takes_and_uses_it(az: Az, registry: Registry, shelf: Shelf, client: str, tmp_path: Path) -> None:
    result = login(az, registry, "--repository", "team/app", "--client", client)
    assert result.code == 0, result
    file = Path(result.json["credentialStore"])
    assert shelf.pull(file, "team/app").code == 0
    assert shelf.pull(file, "other").code != 0


@pytest.fixture
def puller(new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry) -> Az:
    """Somebody who may pull and no more."""
    account = cloud.world.add_service_principal(f"puller of {registry.name}")
    cloud.world.grant(account, registry.id, "AcrPull")
    return new_az(account, name="puller")


def test_less_than_was_asked_for_is_said(puller: Az, registry: Registry, tmp_path: Path) -> None:
    file = ["--auth-file", str(tmp_path / "auth.json")]
    result = login(puller, registry, "--repository", "team/app", "--permission", "push", "metadata", *file)
    assert result.code == 0, result
    assert result.json["permissions"] == {"team/app": ["pull", "metadata_read"]}
    assert "less than was requested. Missing: push in team/app" in result.stderr


def test_nothing_of_what_was_asked_for_is_an_error_and_nothing_is_stored(
    puller: Az, registry: Registry, tmp_path: Path
) -> None:
    file = tmp_path / "auth.json"
    result = login(puller, registry, "--repository", "team/app", "--permission", "delete", "--auth-file", str(file))
    assert (result.code, result.stdout) == (1, "")
    assert "grants this account nothing of delete in team/app" in result.stderr
    assert "AcrDelete" in result.stderr
    assert not file.exists()


def test_a_registry_that_grants_more_or_sends_the_token_on_gets_nothing_stored(
    az: Az, cloud: LocalCloud, registry: Registry, tmp_path: Path
) -> None:
    file, evil = tmp_path / "auth.json", cloud.hostile("evil.example")
    claims: dict[str, Any] = {"aud": registry.login_server, "exp": 4102444800, "grant_type": "access_token"}
    wide = [{"type": "repository", "name": name, "actions": ["pull"]} for name in ("team/app", "other")]
    for claim, says in (
        ({"access": wide}, "more than was asked for (other)"),
        ({"access": wide[:1], "aud": "fabrikam.azurecr.io"}, "a token for 'fabrikam.azurecr.io'"),
    ):
        token = cloud.world.acr_key.sign({**claims, **claim})
        cloud.faults.add(host=registry.login_server, path="/oauth2/token", status=200, body={"access_token": token})
        result = login(az, registry, "--repository", "team/app", "--auth-file", str(file))
        assert result.code == 1
        assert says in result.stderr
        assert token not in result.stderr
    cloud.faults.add(host=registry.login_server, path="/oauth2/token", redirect="https://evil.example/steal")
    result = login(az, registry, "--repository", "team/app", "--auth-file", str(file))
    assert "Redirects are refused" in result.stderr
    assert evil.requests == []
    assert not file.exists()


def test_an_exposed_one_is_called_what_it_is(az: Az, registry: Registry) -> None:
    limited = ["--repository", "team/app", "--expose-token"]
    exposed = login(az, registry, *limited).json
    assert set(exposed) == {"loginServer", "username", "accessToken", "expiresOn", "permissions"}
    lines = login(az, registry, *limited, "--token-format", "env").stdout.splitlines()
    assert [line.split("=")[0] for line in lines] == ["ACR_LOGIN_SERVER", "ACR_USERNAME", "ACR_ACCESS_TOKEN"]


def test_it_is_kept_only_for_just_what_it_opens(az: Az, registry: Registry, tmp_path: Path) -> None:
    file = ["--auth-file", str(tmp_path / "auth.json"), "--min-ttl", "45m"]

    def again(*arguments: str) -> Any:
        return login(az, registry, *arguments, *file).json["result"]

    assert again("--repository", "team/app") == "signed in"
    assert again("--repository", "team/app") == "kept"
    assert again("--repository", "team/app", "--permission", "push") == "signed in", "it opens too little"
    assert again("--repository", "team/app") == "signed in", "it opens too much"
    assert again() == "signed in", "it is no refresh token"
    assert again("--repository", "team/app") == "signed in", "a refresh token opens everything"
    assert list(json.loads((tmp_path / "auth.json").read_text())["auths"]) == [registry.login_server]

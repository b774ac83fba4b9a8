"""Where `az acr scope login` puts a credential, and the clients that use it from there."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.container_clients import KEEPER, RECORD, USERNAME, fake_client, only_path
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.scenarios.images import write_oci_layout


def login(az: Az, *arguments: str, **env: str) -> Result:
    return az("acr", "scope", "login", *arguments, env=env)


def auths(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())["auths"]
    return found


def write(file: Path, content: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def admin(registry: Registry) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{registry.name}:{registry.admin_passwords[0]}".encode()).decode()}


# --- files ---


def test_skopeo_pushes_and_pulls_with_the_file_alone(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registry = cloud.world.add_registry(registry_name, backend=True)
    file = tmp_path / "auth.json"
    result = login(az, "-n", registry.login_server, "--auth-file", str(file), PATH=only_path(az))
    assert result.code == 0, result
    assert (result.json["client"], result.json["credentialStore"]) == (None, str(file))
    write_oci_layout(tmp_path / "image", marker=registry.login_server)
    image, copy = f"docker://{registry.login_server}/team/app:v1", f"oci:{tmp_path / 'copy'}"
    for source, target in ((f"oci:{tmp_path / 'image'}", image), (image, copy)):
        command = ["skopeo", "copy", "--quiet", "--insecure-policy", "--authfile", str(file), source, target]
        done = az.tool(*command)
        assert done.code == 0, done
    assert (az.home / ".docker").exists() is False


def test_what_is_written_without_a_client_is_what_docker_uses(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registry = cloud.world.add_registry(registry_name, backend=True)
    assert login(az, "-n", registry.login_server, PATH=only_path(az)).code == 0
    write_oci_layout(tmp_path / "image", marker=registry.login_server)
    image = f"{registry.login_server}/app:v1"
    copy = ["skopeo", "copy", "--quiet", "--insecure-policy", "--format", "v2s2"]
    pushed = az.tool(*copy, f"oci:{tmp_path / 'image'}", f"docker://{image}")  # finds docker's file by itself
    assert pushed.code == 0, pushed
    inspected = az.tool("docker", "manifest", "inspect", image)
    assert inspected.code == 0, inspected
    assert inspected.json["schemaVersion"] == 2


def test_links_modes_and_what_others_keep_in_a_file_survive(az: Az, registry: Registry, tmp_path: Path) -> None:
    content = {"psFormat": "table", "auths": {"other.example": {"auth": "eDp5"}}, "proxies": {"default": {}}}
    real = write(tmp_path / "real/config.json", content)
    (tmp_path / "link").symlink_to(real)
    assert login(az, "-n", registry.login_server, "--auth-file", str(tmp_path / "link")).code == 0
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    found = json.loads(real.read_text())
    assert list(found) == list(content)
    assert set(found["auths"]) == {"other.example", registry.login_server}


@pytest.mark.parametrize("content", ['{"auths": {', '{"auths": "x"}'])
def test_a_file_that_cannot_be_understood_is_left_alone_and_nothing_is_asked(
    az: Az, cloud: LocalCloud, registry: Registry, tmp_path: Path, content: str
) -> None:
    for file, more in (
        (tmp_path / "auth.json", ["--auth-file", str(tmp_path / "auth.json")]),
        (az.home / ".docker/config.json", []),
    ):
        write(file, content)
        result = login(az, "-n", registry.login_server, *more)
        assert (result.code, result.stdout) == (1, "")
        assert str(file) in result.stderr
        assert "The file was not changed" in result.stderr
        assert file.read_text() == content
    # The challenge, which carries no token, would be asked for with the first hop.
    assert cloud.requests == []


def test_what_is_no_file_is_not_replaced_by_one(az: Az, registry: Registry) -> None:
    result = login(az, "-n", registry.login_server, "--auth-file", "/dev/null")
    assert result.code == 1
    assert "not a regular file" in result.stderr
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_tilde_that_no_shell_replaced_is_said(az: Az, registry: Registry, cloud: LocalCloud) -> None:
    result = login(az, "-n", registry.login_server, DOCKER_CONFIG="~/.docker")
    assert result.code == 1
    assert 'DOCKER_CONFIG="$HOME/.docker"' in result.stderr
    assert not (az.home / "~").exists()
    assert cloud.requests == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--auth-file", ""], "--auth-file is empty"),
        (["--expose-token", "--auth-file", "x"], "cannot be combined"),
        (["--client", "helm"], "helm is not on PATH"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_asked(
    az: Az, cloud: LocalCloud, arguments: list[str], says: str
) -> None:
    result = login(az, "-n", "contoso.azurecr.io", *arguments, PATH=only_path(az))
    assert (result.code, result.stdout) == (1, "")
    assert says in result.stderr
    assert cloud.requests == []


# --- clients ---


@pytest.mark.parametrize(
    ("client", "words", "file"),
    [
        ("docker", ["login"], ".docker/config.json"),
        ("podman", ["login"], "run/containers/auth.json"),
        ("nerdctl", ["login"], ".docker/config.json"),
        ("helm", ["registry", "login"], ".config/helm/registry/config.json"),
        ("oras", ["login"], ".docker/config.json"),
    ],
)
def test_each_client_is_logged_in_by_its_own_words(
    az: Az, registry: Registry, tmp_path: Path, client: str, words: list[str], file: str
) -> None:
    fake_client(tmp_path / "bin", client, RECORD)
    path = only_path(az, tmp_path / "bin", Path("/bin"))
    result = login(az, "-n", registry.login_server, "--client", client, PATH=path)
    assert result.code == 0, result
    expected = [*words, "--username", USERNAME, "--password-stdin", registry.login_server]
    assert (az.home / "argv").read_text().split() == expected
    assert (az.home / "stdin").read_text().count(".") == 2
    assert (result.json["client"], result.json["credentialStore"]) == (client, str(az.home / file))


def test_podman_is_told_which_identity_token_is_in_its_way_and_how_to_go_on(az: Az, registry: Registry) -> None:
    """docker keeps an identity token, podman finds it, and refuses: both are real here."""
    assert login(az, "-n", registry.login_server, "--client", "docker").code == 0
    dockers, own = az.home / ".docker/config.json", az.home / "run/containers/auth.json"
    assert "identitytoken" in auths(dockers)[registry.login_server]
    refused = login(az, "-n", registry.login_server, "--client", "podman")
    assert refused.code == 1
    assert str(dockers) in refused.stderr
    assert f"--auth-file {own}" in refused.stderr
    assert login(az, "-n", registry.login_server, "--auth-file", str(own)).code == 0
    assert login(az, "-n", registry.login_server, "--client", "podman").code == 0
    assert "identitytoken" in auths(dockers)[registry.login_server], "docker's own stays"


# --- helpers ---


def without_client(az: Az, tmp_path: Path, **helpers: str) -> dict[str, str]:
    """An environment without any client, with these helpers; the first of them keeps all of docker's credentials."""
    for name, script in helpers.items():
        fake_client(tmp_path / "helpers", f"docker-credential-{name}", script)
    write(az.home / ".docker/config.json", {"credsStore": next(iter(helpers), "nosuch")})
    return {"PATH": only_path(az, tmp_path / "helpers")}


def test_without_a_client_dockers_helper_gets_the_credential(az: Az, registry: Registry, tmp_path: Path) -> None:
    env = without_client(az, tmp_path, keep=KEEPER)
    result = login(az, "-n", registry.login_server, **env)
    assert result.code == 0, result
    assert result.json["credentialStore"] == "docker-credential-keep"
    kept = json.loads((az.home / "kept").read_text())
    assert (kept["ServerURL"], kept["Username"], kept["Secret"].count(".")) == (registry.login_server, USERNAME, 2)
    assert json.loads((az.home / ".docker/config.json").read_text()) == {"credsStore": "keep"}


def test_a_helper_that_is_not_there_is_said_before_anything_is_asked(
    az: Az, cloud: LocalCloud, registry: Registry, tmp_path: Path
) -> None:
    result = login(az, "-n", registry.login_server, **without_client(az, tmp_path))
    assert result.code == 1
    assert "docker-credential-nosuch, which is not on PATH" in result.stderr
    assert cloud.requests == []


def test_a_helper_that_fails_is_quoted_without_the_token(az: Az, registry: Registry, tmp_path: Path) -> None:
    env = without_client(az, tmp_path, locked='echo "keychain is locked: $(/bin/cat)"; exit 1')
    result = login(az, "-n", registry.login_server, **env)
    assert (result.code, result.stdout) == (1, "")
    assert "`docker-credential-locked store` failed" in result.stderr
    assert "keychain is locked" in result.stderr
    assert "eyJ" not in result.stderr


# --- what shadows it ---


def test_what_would_be_read_instead_is_said_on_standard_error(az: Az, registry: Registry, tmp_path: Path) -> None:
    file = write(
        tmp_path / "auth.json", {"credsStore": "desktop", "auths": {f"{registry.login_server}/a": admin(registry)}}
    )
    variable = {"REGISTRY_AUTH_FILE": "/elsewhere/auth.json"}
    result = login(az, "-n", registry.login_server, "--auth-file", str(file), **variable)
    assert result.code == 0, result
    for says in ("the helper desktop as credsStore", "single repositories", "REGISTRY_AUTH_FILE names /elsewhere"):
        assert says in result.stderr
    assert set(result.json) == {"loginServer", "username", "client", "credentialStore", "expiresOn", "result"}
    write(az.home / ".config/helm/registry/config.json", {"auths": {registry.login_server: admin(registry)}})
    result = login(az, "-n", registry.login_server)
    assert result.code == 0, result
    assert f"helm registry logout {registry.login_server}" in result.stderr


# --- not before it is needed ---


@pytest.mark.parametrize("place", ["docker", "podman", "file", "helper"])
def test_a_credential_that_lives_long_enough_is_kept_and_nothing_is_asked(
    az: Az, cloud: LocalCloud, registry: Registry, tmp_path: Path, place: str
) -> None:
    env = without_client(az, tmp_path, keep=KEEPER) if place == "helper" else {}
    more = {"file": ["--auth-file", str(tmp_path / "auth.json")], "helper": []}.get(place, ["--client", place])
    first = login(az, "-n", registry.login_server, *more, "--min-ttl", "45m", **env)
    assert first.json["result"] == "signed in"
    cloud.clear_requests()
    second = login(az, "-n", registry.login_server, *more, "--min-ttl", "2h59m", **env)
    assert (second.json["result"], second.json["expiresOn"]) == ("kept", first.json["expiresOn"])
    assert cloud.requests == []


def test_a_credential_that_is_old_or_somebody_elses_is_replaced(
    az: Az, cloud: LocalCloud, registry: Registry, tmp_path: Path
) -> None:
    file = write(tmp_path / "auth.json", {"auths": {registry.login_server: admin(registry)}})
    command = ["-n", registry.login_server, "--auth-file", str(file), "--min-ttl"]
    cloud.world.acr_refresh_lifetime = 1800
    try:
        assert login(az, *command, "1m").json["result"] == "signed in", "the admin user's is not ours"
        assert login(az, *command, "45m").json["result"] == "signed in", "it lives for half an hour only"
    finally:
        cloud.world.acr_refresh_lifetime = 10800
    assert login(az, *command, "45m").json["result"] == "signed in"
    assert login(az, *command, "45m").json["result"] == "kept"


# --- tokens for others ---


def expose(az: Az, registry: Registry, *more: str, **env: str) -> Result:
    return login(az, "-n", registry.login_server, "--expose-token", *more, **env)


@pytest.mark.parametrize(
    ("env", "form", "token_format"),
    [
        ({"GITHUB_ACTIONS": "true"}, "::add-mask::", "json"),
        ({"GITHUB_ACTIONS": "true"}, "::add-mask::", "external"),
        ({"TF_BUILD": "True"}, "##vso[task.setsecret]", "env"),
    ],
)
def test_a_pipeline_hides_the_token_before_it_sees_it(
    az: Az, cloud: LocalCloud, registry: Registry, tmp_path: Path, env: dict[str, str], form: str, token_format: str
) -> None:
    both = tmp_path / "both"
    command = f'"$0" acr scope login -n {registry.login_server} --expose-token --token-format {token_format} >"$1" 2>&1'
    done = az.tool("sh", "-c", command, str(az.program), str(both), env=env)
    assert done.code == 0, done
    secrets = {line.removeprefix(form) for line in both.read_text().splitlines() if line.startswith(form)}
    assert len(secrets) == 2
    shown = [line for line in both.read_text().splitlines() if any(secret in line for secret in secrets)]
    assert [line.startswith(form) for line in shown[:2]] == [True, True], "the masks come first"
    assert len(shown) > 2
    assert [line for line in cloud.secrets if line in both.read_text() and line not in secrets] == []


def test_variables_are_lines_that_a_shell_and_an_environment_file_read(az: Az, registry: Registry) -> None:
    result = expose(az, registry, "--token-format", "env", "--output", "table")
    assert result.code == 0, result
    read = az.tool("sh", "-ec", f'{result.stdout} echo "$ACR_LOGIN_SERVER $ACR_USERNAME"; test -n "$ACR_REFRESH_TOKEN"')
    assert read.stdout.split() == [registry.login_server, USERNAME]
    assert read.code == 0
    assert result.stderr == ""


def test_the_content_of_a_secret_is_itself_a_credential_file_whatever_the_output(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registry = cloud.world.add_registry(registry_name, backend=True)
    file = tmp_path / "secret.json"
    for output in ("json", "table"):
        file.write_text(expose(az, registry, "--token-format", "dockerconfigjson", "--output", output).stdout)
        listed = az.tool("skopeo", "list-tags", "--authfile", str(file), f"docker://{registry.login_server}/none")
        assert "404 (Not Found)" in listed.stderr, "it was let in, and found nothing"


@pytest.mark.parametrize(
    ("printed", "command"),
    [
        ("--token-format env", ["login", "-n", "contoso.azurecr.io", "--expose-token", "--token-format", "env"]),
        ("--print", ["policy", "assign", "--effect", "audit", "--print", "bicep"]),
        ("a report that is printed", ["report", "--format", "csv"]),
    ],
)
def test_whoever_asks_for_a_part_of_what_is_printed_whole_does_not_get_all_of_it(
    az: Az, cloud: LocalCloud, printed: str, command: list[str]
) -> None:
    cloud.clear_requests()
    result = az("acr", "scope", *command, "--query", "kind")
    assert (result.code, result.stdout) == (1, "")
    assert f"--query cannot be combined with {printed}" in result.stderr
    assert not cloud.requests


def test_a_whole_secret_is_named_and_never_printed_in_part(az: Az, registry: Registry) -> None:
    whole = ("--token-format", "kubernetes", "--secret-name", "pull.contoso", "--namespace", "team", "--output", "tsv")
    exposed = expose(az, registry, *whole, "--debug")
    secret = exposed.json
    assert secret["data"][".dockerconfigjson"] not in exposed.stderr
    assert (secret["metadata"]["name"], secret["metadata"]["namespace"]) == ("pull.contoso", "team")
    assert secret["metadata"]["annotations"]["acrscope/expires-on"].endswith("Z")
    content = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    assert set(content["auths"]) == {registry.login_server}
    part = expose(az, registry, "-n", "nosuchregistry.azurecr.io", *whole)
    assert (part.code, part.stdout) == (1, "")
    assert "so no secret was printed" in part.stderr
    assert "nosuchregistry.azurecr.io" in part.stderr


def test_of_several_exposed_tokens_the_failed_ones_are_missing_and_the_run_fails(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    result = expose(az, registry, "-n", "nosuchregistry.azurecr.io")
    assert result.code == 1
    assert [each["loginServer"] for each in result.json] == [registry.login_server]


def test_a_default_registry_is_meant_where_none_is_named(az: Az, registry: Registry, tmp_path: Path) -> None:
    az("config", "set", f"defaults.acr={registry.login_server}")
    file = tmp_path / "auth.json"
    assert login(az, "--auth-file", str(file)).json["loginServer"] == registry.login_server
    assert set(auths(file)) == {registry.login_server}

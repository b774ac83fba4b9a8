"""`az acr scope login` through the real `az`: the two hops, the host rules, and what may go wrong."""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from tests.az import Az, Result
from tests.factories.accounts import sign_in
from tests.factories.container_clients import RECORD, USERNAME, fake_client, only_path
from tests.localcloud import LocalCloud, Registry, ServicePrincipal

ARM = "management.azure.com"
ACR_AUDIENCE = "https://containerregistry.azure.net"


def expose(az: Az, name: str, *more: str, **options: dict[str, str]) -> Result:
    return az("acr", "scope", "login", "--name", name, "--expose-token", *more, **options)  # type: ignore[arg-type]


def registry_requests(cloud: LocalCloud) -> list[str]:
    return [f"{request.method} {request.path}" for request in cloud.requests_to("*.azurecr.*")]


def assert_no_exchange(cloud: LocalCloud) -> None:
    """No Entra token was sent to any registry or anywhere foreign."""
    assert not [request for request in cloud.requests if "oauth2/exchange" in request.path]


def test_exposing_a_token_takes_two_registry_requests_and_no_arm(az: Az, registry: Registry, cloud: LocalCloud) -> None:
    exposed = expose(az, registry.login_server).json
    assert set(exposed) == {"loginServer", "username", "accessToken", "refreshToken", "expiresOn"}
    assert (exposed["loginServer"], exposed["username"]) == (registry.login_server, USERNAME)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", exposed["expiresOn"])
    assert registry_requests(cloud) == ["GET /v2/", "POST /oauth2/exchange"]
    assert cloud.requests_to(ARM) == []


def test_an_enforced_registry_takes_the_narrow_token(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    registry = cloud.world.add_registry(registry_name, policy_status="disabled")
    assert expose(az, registry.login_server).code == 0


def test_an_enforced_registry_refuses_the_wide_token_named_by_its_user(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    wide = {"AZURE_ACR_AUDIENCE_RESOURCE": "https://management.core.windows.net/"}
    assert expose(az, registry.login_server, env=wide).code == 0
    registry.policy_status = "disabled"
    refused = expose(az, registry.login_server, env=wide)
    assert refused.code == 1
    assert "for the audience https://management.core.windows.net/" in refused.stderr
    assert "az config unset acr.audience_resource" in refused.stderr


def test_a_name_is_looked_up_first(az: Az, registry: Registry, cloud: LocalCloud) -> None:
    assert expose(az, registry.name).json["loginServer"] == registry.login_server
    assert len(cloud.requests_to(ARM)) == 2
    cloud.clear_requests()
    assert expose(az, registry.name, "-g", "rg-apps").json["loginServer"] == registry.login_server
    assert len(cloud.requests_to(ARM)) == 1


@pytest.mark.parametrize("form", ["name", "id", "login_server"])
def test_a_hash_is_never_lost(az: Az, cloud: LocalCloud, registry_name: str, form: str) -> None:
    """The built-in strips it where ARM does not know the registry, and signs in to somebody else's."""
    other = cloud.world.add_registry(
        registry_name, resource_group="rg-other", subscription=cloud.world.add_subscription("Not ours")
    )
    hashed = cloud.world.add_registry(registry_name, resource_group="rg-apps", domain_name_label_hash="e7gg9xb2")
    assert expose(az, getattr(hashed, form)).json["loginServer"] == hashed.login_server
    assert cloud.requests_to(other.login_server) == []


def test_who_may_only_pull_and_is_forbidden_to_look_is_told_the_host(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    puller = cloud.world.add_service_principal("puller")
    cloud.world.grant(puller, registry.id, "AcrPull")
    az = new_az(puller)
    result = expose(az, registry.name, "-g", "rg-apps")
    assert result.code == 0, result
    assert result.json["loginServer"] == registry.login_server
    assert f"Signing in to {registry.login_server}" in result.stderr


def test_a_name_that_arm_does_not_know_is_a_slip_and_nothing_is_sent_anywhere(
    new_az: Callable[..., Az], az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    """To ARM an account that may only pull sees nothing: it names the login server."""
    puller = cloud.world.add_service_principal("puller")
    cloud.world.grant(puller, registry.id, "AcrPull")
    for who, name in ((az, "tailspin"), (new_az(puller), registry.name)):
        cloud.clear_requests()
        result = expose(who, name)
        assert result.code == 3, result
        assert f"No registry named '{name}' was found" in result.stderr
        assert "az acr scope login --name LOGIN_SERVER" in result.stderr
        assert registry_requests(cloud) == []


def test_a_regional_login_server_is_used_as_given(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    registry = cloud.world.add_registry(registry_name, regions=("westeurope",))
    regional = f"{registry_name}.westeurope.geo.azurecr.io"
    assert expose(az, regional).json["loginServer"] == regional
    assert cloud.requests_to(registry.login_server) == []


# --- hosts that must never get a token ---


@pytest.mark.parametrize(
    "host",
    [
        "x-azurecr.io",
        "contoso.azurecr.io.evil.example",
        "contoso.azurecr.io@evil.example",
        "user@contoso.azurecr.io",
        "contoso.azurecr.io:8443",
        "http://contoso.azurecr.io",
        "https://contoso.azurecr.io",
        "contoso.westeurope.data.azurecr.io",
        "contoso.azurecr.cn",
        "evil.example",
    ],
)
def test_nothing_is_sent_to_a_host_that_is_no_login_server(az: Az, cloud: LocalCloud, host: str) -> None:
    result = expose(az, host)
    assert result.code == 1
    assert "--name" not in result.stderr or "login server" in result.stderr
    assert cloud.requests == []
    assert not [name for name in cloud.refused_hosts if "evil" in name or "azurecr" in name]


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/oauth2/token",
        "http://{host}/oauth2/token",
        "https://{host}:8443/oauth2/token",
        "https://{host}@evil.example/oauth2/token",
        "https://{host}.evil.example/oauth2/token",
    ],
)
def test_nothing_is_sent_when_the_challenge_names_a_foreign_realm(
    az: Az, cloud: LocalCloud, registry: Registry, realm: str
) -> None:
    evil = cloud.hostile("evil.example")
    registry.challenge_realm = realm.format(host=registry.login_server)
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "No token was sent" in result.stderr
    assert_no_exchange(cloud)
    assert evil.requests == []


def test_nothing_is_sent_when_the_challenge_names_a_foreign_service(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    registry.challenge_service = "fabrikam.azurecr.io"
    assert expose(az, registry.login_server).code == 1
    assert_no_exchange(cloud)


@pytest.mark.parametrize(
    "header", ["", 'Basic realm="x"', "Bearer", "Bearer realm", 'Bearer realm="\\"', "Negotiate, Bearer"]
)
def test_a_challenge_that_makes_no_sense_ends_the_sign_in(
    az: Az, cloud: LocalCloud, registry: Registry, header: str
) -> None:
    registry.challenge_header = header
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "Traceback" not in result.stderr
    assert_no_exchange(cloud)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/"), ("POST", "/oauth2/exchange")])
@pytest.mark.parametrize("target", ["https://evil.example/steal", "http://{host}/v2/", "https://{host}/elsewhere"])
def test_a_redirect_is_refused(
    az: Az, cloud: LocalCloud, registry: Registry, method: str, path: str, target: str
) -> None:
    evil = cloud.hostile("evil.example")
    cloud.faults.add(
        host=registry.login_server, method=method, path=path, redirect=target.format(host=registry.login_server)
    )
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "redirect" in result.stderr
    assert evil.requests == []
    assert len(registry_requests(cloud)) == (1 if method == "GET" else 2)


def test_a_token_for_another_audience_is_not_sent(
    az: Az, cloud: LocalCloud, registry: Registry, operator: ServicePrincipal
) -> None:
    """A broken or hostile identity endpoint may answer with the wide token."""
    wide = cloud.world.mint(operator, "https://management.core.windows.net/")
    answer = json.dumps({"token_type": "Bearer", "expires_in": 3600, "access_token": wide})
    cloud.faults.add(host="login.microsoftonline.com", method="POST", path="*/token", status=200, body=answer)
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "It was not sent to the registry" in result.stderr
    assert_no_exchange(cloud)


# --- what may go wrong on the way ---


def test_without_a_role_the_error_says_how_to_get_one(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    stranger = cloud.world.add_service_principal("stranger")
    result = expose(new_az(stranger), registry.login_server)
    assert result.code == 1
    assert "no role" in result.stderr
    assert "az role assignment create" in result.stderr
    assert re.search(r"correlation id [0-9a-f-]{36}", result.stderr)
    assert "UNAUTHORIZED" in result.stderr


def test_a_firewall_is_told_apart_from_missing_rights(az: Az, registry: Registry) -> None:
    registry.firewall = "203.0.113.9"
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "refuses this machine's network" in result.stderr
    assert "203.0.113.9" in result.stderr
    assert "DENIED" in result.stderr


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (
            401,
            '{"errors":[{"code":"UNAUTHORIZED","message":"retrieving permissions failed"}]}',
            "did not accept the token",
        ),
        (403, "", "refuses this machine's network"),
        (404, "404 page not found", "no token exchange"),
        (413, "", "too large"),
        (400, '{"errors":[{"code":"UNSUPPORTED","message":"x"}]}', "UNSUPPORTED"),
        (200, "{}", "no refresh token"),
        (200, "<html>hello</html>", "no refresh token"),
        (200, '{"refresh_token": 7}', "no refresh token"),
        (200, "x" * 400_000, "no refresh token"),
    ],
)
def test_each_refusal_of_the_exchange_has_its_own_words(
    az: Az, cloud: LocalCloud, registry: Registry, status: int, body: str, says: str
) -> None:
    headers = {"X-Ms-Correlation-Request-Id": "11111111-aaaa-bbbb-cccc-222222222222"}
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=status, headers=headers, body=body)
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert says in result.stderr
    assert "11111111-aaaa-bbbb-cccc-222222222222" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hello" not in result.stderr
    assert len(registry_requests(cloud)) == 2


@pytest.mark.parametrize(("status", "says"), [(429, "is throttling sign-ins"), (500, "failed"), (503, "failed")])
def test_retries_are_bounded(az: Az, cloud: LocalCloud, registry: Registry, status: int, says: str) -> None:
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=status, times=None)
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert says in result.stderr
    assert registry_requests(cloud).count("POST /oauth2/exchange") == 4


def test_a_busy_registry_is_waited_for_as_long_as_it_asks(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.faults.add(
        host=registry.login_server, path="/oauth2/exchange", status=429, headers={"Retry-After": "2"}, times=1
    )
    result = expose(az, registry.login_server)
    assert result.code == 0, result
    first, second = (request.time for request in cloud.requests_to(registry.login_server) if request.method == "POST")
    assert second - first >= 2
    assert "The registry is busy (HTTP 429). Retrying in" in result.stderr


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 502}])
@pytest.mark.parametrize("path", ["/v2/", "/oauth2/exchange"])
def test_a_passing_fault_is_survived(
    az: Az, cloud: LocalCloud, registry: Registry, fault: dict[str, object], path: str
) -> None:
    cloud.faults.add(host=registry.login_server, path=path, times=1, **fault)  # type: ignore[arg-type]
    result = expose(az, registry.login_server)
    assert result.code == 0, result


@pytest.mark.parametrize("path", ["/v2/", "/oauth2/exchange"])
def test_an_answer_that_breaks_off_is_a_connection_error(
    az: Az, cloud: LocalCloud, registry: Registry, path: str
) -> None:
    cloud.faults.add(host=registry.login_server, path=path, truncate=True, times=None)
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "could not be reached" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_registry_that_does_not_exist_is_a_connection_error(az: Az, cloud: LocalCloud) -> None:
    result = expose(az, "nosuchregistry.azurecr.io")
    assert result.code == 1
    assert "nosuchregistry.azurecr.io could not be reached" in result.stderr


@pytest.mark.parametrize("certificate", ["untrusted", "expired"])
def test_a_bad_certificate_is_said_and_no_token_sent(
    az: Az, cloud: LocalCloud, registry: Registry, certificate: Literal["untrusted", "expired"]
) -> None:
    registry.certificate = certificate
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "certificate" in result.stderr.lower()
    assert "REQUESTS_CA_BUNDLE" in result.stderr
    assert_no_exchange(cloud)


def test_a_sign_in_that_entra_refuses_names_the_command_that_mends_it(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    user = cloud.world.add_user("someone@contoso.example", "pass-word-1")
    cloud.world.grant(user, registry.id, "AcrPull")
    az = new_az()
    az.ok("login", "--username", user.upn, "--password", "pass-word-1", "--allow-no-subscriptions")
    cloud.world.entra_error(
        user,
        ACR_AUDIENCE,
        50076,
        "Due to a configuration change you must use multi-factor authentication.",
        error="interaction_required",
    )
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "AADSTS50076" in result.stderr
    assert f'az login --tenant "{cloud.world.tenant_id}" --scope "{ACR_AUDIENCE}/.default"' in result.stderr
    assert_no_exchange(cloud)


def test_without_a_sign_in_no_token_is_exchanged(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    result = expose(new_az(), registry.login_server)
    assert result.code == 1
    assert "az login" in result.stderr
    assert_no_exchange(cloud)


def test_the_admin_user_is_never_used_and_nothing_is_prompted(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    """The built-in falls back to the admin password, then to a prompt."""
    registry = cloud.world.add_registry(registry_name, resource_group="rg-apps", admin_user=True)
    reader = cloud.world.add_service_principal("lister")
    cloud.world.grant(
        reader,
        registry.id,
        (
            "Microsoft.ContainerRegistry/registries/read",
            "Microsoft.ContainerRegistry/registries/listCredentials/action",
        ),
    )
    result = expose(new_az(reader), registry.name, "-g", "rg-apps")
    assert result.code == 1
    assert not [request for request in cloud.requests if "listCredentials" in request.path]
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "oops"), (503, ""), (200, "<html>"), (200, "[]"), (200, "null"), (400, '{"error": 7}')],
)
@pytest.mark.parametrize("command", ["login", "show"])
def test_an_entra_that_answers_nonsense_is_said_without_a_traceback(
    new_az: Callable[..., Az],
    cloud: LocalCloud,
    operator: ServicePrincipal,
    registry: Registry,
    command: str,
    status: int,
    body: str,
) -> None:
    az = new_az(operator)
    (az.config / "msal_token_cache.json").unlink()
    cloud.faults.add(host="login.microsoftonline.com", path="*/token", status=status, body=body, times=None)
    more = ["--expose-token"] if command == "login" else ["-g", "rg-apps"]
    result = az("acr", "scope", command, "-n", registry.login_server, *more)
    assert result.code == 1
    assert "Entra ID" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_secret_that_entra_repeats_is_not_shown(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    account = cloud.world.add_service_principal("forgetful")
    az = new_az(account)
    (az.config / "msal_token_cache.json").unlink()
    text = f"AADSTS7000215: Invalid client secret provided: {account.secret}. Use {account.secret} Trace ID: x"
    body = json.dumps({"error": "invalid_client", "error_description": text, "error_codes": [7000215]})
    cloud.faults.add(host="login.microsoftonline.com", path="*/token", status=401, body=body, times=None)
    result = expose(az, registry.login_server)
    assert result.code == 1
    assert "AADSTS7000215" in result.stderr
    assert "az login --service-principal" in result.stderr
    assert str(account.secret) not in result.stderr


def test_an_id_is_signed_in_as_the_account_of_its_tenant(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world = cloud.world
    here, there = world.add_tenant(f"Here {registry_name}"), world.add_tenant(f"There {registry_name}")
    ours = world.add_subscription(f"Ours {registry_name}", here.id)
    theirs = world.add_subscription(f"Theirs {registry_name}", there.id)
    az = new_az()
    for tenant, subscription in ((there, theirs), (here, ours)):
        account = world.add_service_principal(f"worker of {tenant.name}", tenant_id=tenant.id)
        world.grant(account, subscription.scope, "Contributor")
        sign_in(az, account)
    az.ok("account", "set", "--subscription", ours.id)
    registry = world.add_registry(registry_name, subscription=theirs)
    cloud.clear_requests()
    result = expose(az, registry.id)
    assert result.code == 0, result
    sent = next(request for request in cloud.requests if request.path == "/oauth2/exchange")
    assert sent.form["tenant"] == there.id


def test_a_slip_in_the_group_does_not_guess_a_host(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    hashed = cloud.world.add_registry(registry_name, resource_group="rg-apps", domain_name_label_hash="e7gg9xb2")
    elsewhere = cloud.world.add_subscription("Somebody else")
    cloud.world.add_registry(registry_name, resource_group="rg-x", subscription=elsewhere)
    for arguments in ([registry_name, "-g", "rg-typo"], [hashed.id.replace("rg-apps", "rg-typo")]):
        result = expose(az, *arguments)
        assert result.code == 3
        assert_no_exchange(cloud)


def test_naming_arms_audience_is_warned_about(az: Az, registry: Registry) -> None:
    result = expose(
        az, registry.login_server, env={"AZURE_ACR_AUDIENCE_RESOURCE": "https://management.core.windows.net"}
    )
    assert result.code == 0, result
    assert "gives access to far more than images" in result.stderr


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "abc", "1e9"])
def test_a_senseless_timeout_is_refused_before_anything_is_asked(az: Az, cloud: LocalCloud, value: str) -> None:
    env = {"AZURE_ACRSCOPE_OPERATION_TIMEOUT": value}
    result = az("acr", "scope", "enforce", "-n", "contoso", env=env)
    assert result.code == 1
    assert "AZURE_ACRSCOPE_OPERATION_TIMEOUT" in result.stderr
    assert cloud.requests == []


def login(az: Az, name: str, cwd: Path | None = None, **env: str) -> Result:
    return az("acr", "scope", "login", "--name", name, env=env, cwd=cwd)


def test_the_client_gets_the_token_on_standard_input_and_docker_ps_is_not_run(
    az: Az, registry: Registry, tmp_path: Path
) -> None:
    fake_client(tmp_path / "bin", "docker", RECORD)
    result = login(az, registry.login_server, PATH=only_path(az, tmp_path / "bin", Path("/bin")))
    assert result.code == 0, result
    assert (az.home / "argv").read_text().split() == [
        "login",
        "--username",
        USERNAME,
        "--password-stdin",
        registry.login_server,
    ]
    assert (az.home / "stdin").read_text().count(".") == 2
    assert set(result.json) == {"loginServer", "username", "client", "credentialStore", "expiresOn", "result"}
    assert result.json["client"] == "docker"
    assert result.json["credentialStore"] == str(az.home / ".docker/config.json")
    assert "Login Succeeded" not in result.stdout
    assert "stored in plain text" in result.stderr


def test_podman_is_used_where_there_is_no_docker(az: Az, registry: Registry, tmp_path: Path) -> None:
    fake_client(tmp_path / "bin", "podman", RECORD)
    path = only_path(az, tmp_path / "bin", tmp_path / "tools")
    fake_client(tmp_path / "tools", "cat", 'exec /bin/cat "$@"')
    result = login(az, registry.login_server, PATH=path)
    assert result.code == 0, result
    assert result.json["client"] == "podman"


def test_docker_command_is_honoured(az: Az, registry: Registry, tmp_path: Path) -> None:
    program = fake_client(tmp_path / "elsewhere", "nerdctl", RECORD)
    assert login(az, registry.login_server, DOCKER_COMMAND=str(program)).json["client"] == "nerdctl"


def test_a_docker_command_that_is_not_there_is_an_error(az: Az, registry: Registry, cloud: LocalCloud) -> None:
    result = login(az, registry.login_server, DOCKER_COMMAND="/no/such/docker")
    assert result.code == 1
    assert "/no/such/docker" in result.stderr
    assert cloud.requests == []


@pytest.mark.parametrize("env", [{}, {"DOCKER_COMMAND": "docker"}, {"DOCKER_COMMAND": "./docker"}])
def test_a_client_in_the_working_directory_is_not_run(
    az: Az, registry: Registry, cloud: LocalCloud, tmp_path: Path, env: dict[str, str]
) -> None:
    cloned = tmp_path / "cloned"
    fake_client(cloned, "docker", RECORD)
    result = login(az, registry.login_server, cwd=cloned, PATH=only_path(az, cloned), **env)
    assert result.code == 1
    assert "working directory" in result.stderr
    assert not (az.home / "stdin").exists()
    assert cloud.requests == []


def test_without_a_client_dockers_configuration_is_written(az: Az, registry: Registry, tmp_path: Path) -> None:
    result = login(az, registry.login_server, PATH=only_path(az))
    assert result.code == 0, result
    file = az.home / ".docker/config.json"
    assert (result.json["client"], result.json["credentialStore"]) == (None, str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())["auths"]) == {registry.login_server}


def test_a_client_that_fails_is_a_failure_and_its_words_are_shown(az: Az, registry: Registry, tmp_path: Path) -> None:
    program = fake_client(
        tmp_path / "bin2", "docker", 'token=$(cat); echo "cannot store $token: keychain locked" >&2; exit 7'
    )
    result = login(az, registry.login_server, DOCKER_COMMAND=str(program))
    assert result.code == 1
    assert "exit code 7" in result.stderr
    assert "cannot store ***: keychain locked" in result.stderr

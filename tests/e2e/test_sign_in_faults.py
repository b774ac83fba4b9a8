"""Entra ID, a machine's identity endpoint and ARM's challenges at their worst: no traceback, no secret, the cause."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from azext_acrscope.hops.principals import CREDENTIALS
from tests.az import Az, Result
from tests.factories.accounts import sign_in
from tests.localcloud import LocalCloud, Registry, ServicePrincipal

ENTRA = "login.microsoftonline.com"
ACR_AUDIENCE = "https://containerregistry.azure.net"
NewAz = Callable[..., Az]


def forget_tokens(az: Az) -> None:
    """The account stays signed in, but has to ask Entra ID for every token, beginning with where to ask."""
    for name in ("msal_token_cache.json", "msal_http_cache.bin"):
        (az.config / name).unlink(missing_ok=True)


def set_up_helper(az: Az, host: str, *options: str) -> Callable[[], Result]:
    """Let docker ask the helper for a host; returns what asks it."""
    folder = az.home / ".local/bin"
    folder.mkdir(parents=True)
    az.ok("acr", "scope", "configure-docker", "--yes", "--name", host, "--bin-dir", str(folder), *options)

    def get() -> Result:
        program = str(folder / "docker-credential-acrscope")
        done = subprocess.run(
            [program, "get"], input=host, env=az.env, capture_output=True, text=True, timeout=180, check=False
        )
        return Result((program, "get"), done.returncode, done.stdout, done.stderr)

    return get


def said(result: Result) -> str:
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"reset": True}, "Entra ID could not be reached"),
        ({"truncate": True}, "Entra ID could not be reached"),
        ({"status": 200, "body": "<html>", "path": "*openid-configuration"}, "Entra ID, or a proxy in its place"),
        ({"status": 503}, "Entra ID, or a proxy in its place"),
    ],
)
def test_an_entra_that_is_broken_is_said_by_every_command_without_a_token(
    az: Az, cloud: LocalCloud, registry: Registry, fault: dict[str, Any], says: str
) -> None:
    """MSAL connects as soon as it is made."""
    get = set_up_helper(az, registry.login_server)
    cloud.faults.add(host=ENTRA, times=None, **fault)
    for arguments in (("show", "-n", registry.name), ("login", "-n", registry.login_server, "--expose-token")):
        forget_tokens(az)
        result = az("acr", "scope", *arguments)
        assert result.code == 1, result
        assert says in result.stderr
        assert "Traceback" not in result.stderr
    forget_tokens(az)
    helped = get()
    assert helped.code == 1
    assert says in helped.stdout
    assert len(helped.stderr.splitlines()) == 1  # the answer once more, for clients that do not show it


def test_an_answer_of_entra_that_breaks_off_is_requested_once_more(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    for path in ("*openid-configuration", "*/token"):
        forget_tokens(az)
        cloud.faults.add(host=ENTRA, path=path, truncate=True)
        assert az("acr", "scope", "login", "-n", registry.login_server, "--expose-token").code == 0


@pytest.mark.parametrize("status", [200, 400])
def test_an_entra_that_repeats_the_request_brings_no_secret_into_any_log(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, status: int
) -> None:
    account = cloud.world.add_service_principal("echoed")
    cloud.world.grant(account, cloud.world.subscriptions[0].scope, "Contributor")
    account.secret = "ab8Q~" + "Cd.ef_gh.Ij-kl~mn.OPqr.st"
    az = new_az(account)
    az("config", "set", "logging.enable_log_file=yes", f"logging.log_dir={az.home / 'logs'}")
    get = set_up_helper(az, registry.login_server)
    echo = f"client_secret={account.secret}&again={quote(account.secret)}"
    bodies = [f"<html>{echo}", json.dumps({"error": "invalid_grant", "error_description": f"AADSTS7000215: {echo}"})]
    results = []
    for body in bodies:
        cloud.faults.add(host=ENTRA, path="*/token", status=status, body=body, times=None)
        for arguments in (("show", "-n", registry.name), ("login", "-n", registry.login_server, "--expose-token")):
            forget_tokens(az)
            results.append(az("acr", "scope", *arguments, "--debug"))
        forget_tokens(az)
        results.append(get())
        cloud.faults.clear()
    assert [result.code for result in results] == [1] * len(results)
    logged = [file.read_text() for file in (az.home / "logs").rglob("*") if file.is_file()]
    assert any("msal" in text for text in [*logged, *map(said, results)])
    for text in [*map(said, results), *logged]:
        assert account.secret not in text
        assert quote(account.secret) not in text


@pytest.mark.parametrize("status", [307, 308])
def test_a_secret_does_not_follow_a_redirect_where_the_connection_is_ours(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, status: int
) -> None:
    evil = cloud.hostile("evil.example")
    evil.requests.clear()
    account = cloud.world.add_service_principal("redirected")
    cloud.faults.add(host=ENTRA, path="*/token", status=status, redirect="https://evil.example/token", times=None)
    env = {
        "AZURE_CLIENT_ID": account.app_id,
        "AZURE_TENANT_ID": account.tenant_id,
        "AZURE_CLIENT_SECRET": account.secret,
    }
    command = ("acr", "scope", "login", "-n", registry.login_server, "--expose-token", "--credential", "environment")
    result = new_az()(*command, env=env)
    assert result.code == 1
    assert evil.requests == []
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("claims", ["%%%", base64.b64encode(b"\xff\xfe").decode(), base64.b64encode(b"no").decode()])
def test_a_claims_challenge_that_cannot_be_read_leaves_arms_refusal(
    az: Az, cloud: LocalCloud, registry: Registry, claims: str
) -> None:
    challenge = f'Bearer error="insufficient_claims", claims="{claims}"'
    body = {"error": {"code": "InvalidAuthenticationToken", "message": "x"}}
    headers = {"WWW-Authenticate": challenge}
    cloud.faults.add(host="management.azure.com", status=401, headers=headers, body=body, times=None)
    result = az("acr", "scope", "show", "-n", registry.name, "-g", "rg-apps")
    assert result.code == 1
    assert "[InvalidAuthenticationToken, HTTP 401" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_account_of_a_machine_is_told_its_own_way(new_az: NewAz, cloud: LocalCloud, registry: Registry) -> None:
    identity = cloud.world.add_managed_identity(f"vm of {registry.name}", system_assigned=True)
    cloud.world.grant(identity, registry.id, "AcrPull")
    az = new_az()
    az.env.update(cloud.managed_identity_env)
    az.ok("login", "--identity", "--allow-no-subscriptions")
    command = ("acr", "scope", "login", "-n", registry.login_server, "--expose-token")
    try:
        assert az(*command).code == 0
        body = {"error": {"code": "AudienceNotSupported", "message": "is not a supported MSI token audience."}}
        cloud.faults.add(host="127.0.0.1", path="/metadata/*", status=400, body=body, times=None)
        for more in ((), ("--credential", "managed-identity")):
            result = az(*command, *more)
            assert result.code == 1
            assert "this machine issues no tokens for that audience [AudienceNotSupported]" in result.stderr
            assert "acr.audience_resource=https://management.azure.com" in result.stderr
            assert "--password" not in result.stderr
            assert ("az login --identity" in result.stderr) == (not more)
        deliberate = {"AZURE_ACR_AUDIENCE_RESOURCE": "https://management.azure.com"}
        cloud.faults.clear()
        assert az(*command, env=deliberate).code == 0
    finally:
        del cloud.world.principals[identity.object_id]


@pytest.mark.parametrize(
    ("name", "content"), [("msal_token_cache.json", '{"AccessToken": {'), ("service_principal_entries.json", "")]
)
def test_a_file_of_az_that_was_cut_short_is_named(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, operator: ServicePrincipal, name: str, content: str
) -> None:
    az = new_az()
    sign_in(az, operator)
    forget_tokens(az)
    file = az.config / name
    file.write_text(content)
    result = az("acr", "scope", "login", "-n", registry.login_server, "--expose-token")
    assert result.code == 1
    assert f"cannot read its own file {file}" in result.stderr
    assert f'rm "{file}"\naz account clear\naz login --service-principal' in result.stderr
    file.unlink()
    assert az("account", "clear").code == 0  # the advice works


@pytest.fixture
def alone(tmp_path: Path, extensions: Path) -> Path:
    """An extension folder as `pip install --no-deps` leaves it: without azure-identity."""
    folder = tmp_path / "extensions/acrscope"
    folder.mkdir(parents=True)
    for each in (extensions / "acrscope").iterdir():
        if each.name.startswith(("azext_acrscope", "acrscope-")) and each.is_dir():
            shutil.copytree(each, folder / each.name)
    return folder.parent


MISSING = "needs the Python package azure-identity, which is not installed"
# What a credential reads before it needs the package.
VARIABLES = dict.fromkeys(("AZURE_CLIENT_ID", "AZURE_TENANT_ID"), "11111111-2222-3333-4444-555555555555") | {
    "AZURE_CLIENT_SECRET": "not-a-real-one"
}


def test_every_credential_without_azure_identity_says_what_is_missing(
    new_az: NewAz, registry: Registry, alone: Path
) -> None:
    az = new_az()
    az.env |= VARIABLES | {"AZURE_EXTENSION_DIR": str(alone)}
    for credential in (each for each in CREDENTIALS if each != "cli"):
        command = ("acr", "scope", "login", "-n", registry.login_server, "--expose-token", "--credential", credential)
        result = az(*command)
        assert result.code == 1, result
        assert result.stdout == ""
        assert f"--credential {credential} {MISSING}" in result.stderr
        assert "az extension add --source acrscope-" in result.stderr
        assert "Traceback" not in result.stderr


def test_the_helper_without_azure_identity_says_what_is_missing(new_az: NewAz, registry: Registry, alone: Path) -> None:
    az = new_az()
    az.env["AZURE_EXTENSION_DIR"] = str(alone)
    result = set_up_helper(az, registry.login_server, "--credential", "managed-identity")()
    assert result.code == 1
    # Clients show the helper's standard output as the reason, in one line.
    assert f"acrscope: --credential managed-identity {MISSING}" in result.stdout
    assert "Run: az extension" in result.stdout or "az extension add --source acrscope-" in result.stdout
    assert "Traceback" not in said(result)


def test_the_account_of_az_login_needs_no_azure_identity(az: Az, registry: Registry, alone: Path) -> None:
    az.env["AZURE_EXTENSION_DIR"] = str(alone)
    assert az.ok("acr", "scope", "show", "-n", registry.name)["status"] == "enabled"
    assert az.ok("acr", "scope", "login", "-n", registry.login_server, "--expose-token")["accessToken"]
    answer = set_up_helper(az, registry.login_server)()
    assert answer.code == 0
    assert answer.json["Secret"]

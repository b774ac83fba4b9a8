"""`az acr scope check` through the real `az`: every disagreement has its row, and no token goes astray."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.localcloud import long_ago
from tests.factories.secrets import holds_any
from tests.localcloud import LocalCloud, Registry

ARM_AUDIENCES = ("https://management.core.windows.net/", "https://management.azure.com/")


def check(az: Az, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return az("acr", "scope", "check", *arguments, env=env)


def one(az: Az, registry: Registry, *more: str) -> tuple[int, dict[str, Any]]:
    result = check(az, "--name", registry.name, "-g", registry.resource_group, *more)
    assert "Traceback" not in result.stderr
    return result.code, result.json


def outcomes(row: dict[str, Any]) -> tuple[str, str]:
    return row["probe"]["acr"]["result"], row["probe"]["arm"]["result"]


def exchanges(cloud: LocalCloud) -> Counter[str]:
    return Counter(request.host for request in cloud.requests if request.path == "/oauth2/exchange")


def assert_tokens_stayed_home(cloud: LocalCloud, *results: Result) -> None:
    """No token in anything printed; Entra tokens at ARM and in exchanges of the registry's own host alone."""
    secrets = {secret.encode() for secret in cloud.secrets if len(secret) >= 8}
    for result in results:
        assert not holds_any(result.stdout.encode(), secrets), result.command
        assert not holds_any(result.stderr.encode(), secrets), result.command
    for request in cloud.requests:
        if request.host.endswith("azurecr.io") and request.path != "/oauth2/exchange":
            assert not request.body
            assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("status", "in_effect", "arm"),
    [("disabled", "yes", "refused"), ("enabled", "no", "accepted"), (None, "no", "accepted")],
)
def test_a_registry_that_does_as_its_status_says_is_ok(
    az: Az, cloud: LocalCloud, registry_name: str, status: Any, in_effect: str, arm: str
) -> None:
    registry = cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status=status)
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"]) == (0, "ok", in_effect), row
    assert outcomes(row) == ("accepted", arm)
    assert (row["id"], row["loginServer"], row["actions"]) == (registry.id, registry.login_server, [])
    assert row["statusIsDefault"] == (status is None)
    assert all(row["probe"][each]["correlationId"] for each in ("acr", "arm"))
    assert exchanges(cloud) == {registry.login_server: 2}
    assert (row["network"]["route"], row["network"]["answer"]) == ("proxy", "challenge")


def test_disabled_but_arm_tokens_still_taken(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    registry.policy_status, registry.ignore_policy = "disabled", True
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"], outcomes(row)) == (
        1,
        "failed",
        "no",
        ("accepted", "accepted"),
    )
    assert "take effect" in row["actions"][0]
    assert exchanges(cloud) == {registry.login_server: 2}


def test_enabled_but_arm_tokens_refused(az: Az, registry: Registry) -> None:
    registry.refuse_all_arm = True
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"], outcomes(row)) == (
        1,
        "failed",
        "yes",
        ("accepted", "refused"),
    )


def test_the_narrow_token_refused_and_the_wide_one_taken(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "some words"}]})
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=401, body=body)
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"], outcomes(row)) == (
        1,
        "failed",
        "no",
        ("refused", "accepted"),
    )
    assert "Do not enforce" in row["actions"][0]


@pytest.mark.parametrize("status", ["enabled", "disabled"])
def test_no_role_is_told_from_a_refused_audience(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry, status: Any
) -> None:
    reader = cloud.world.add_service_principal("reader")
    rights = ("Microsoft.ContainerRegistry/registries/read", "Microsoft.Resources/subscriptions/read")
    cloud.world.grant(reader, cloud.world.subscriptions[0].scope, rights)  # the role Reader may pull
    registry.policy_status = status
    code, row = one(new_az(reader), registry)
    assert (code, row["verdict"], row["enforcedInEffect"]) == (1, "failed", "unknown")
    assert outcomes(row) == ("refused", "refused")
    assert "no role" in row["observations"][-1]
    assert f"--role AcrPull --assignee IDENTITY --scope {registry.id}" in row["actions"][0]


def test_a_foreign_realm_gets_nothing(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    registry.challenge_realm = "https://evil.example/oauth2/token"
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"], outcomes(row)) == (
        1,
        "failed",
        "unknown",
        ("not sent", "not sent"),
    )
    assert row["network"]["answer"] == "no registry"
    assert "directs credentials to another host" in row["observations"][-1]
    assert (evil.requests, exchanges(cloud)) == ([], {})


def test_a_redirect_gets_nothing(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", redirect="https://evil.example/", times=None)
    code, row = one(az, registry)
    assert (code, row["enforcedInEffect"], outcomes(row)) == (1, "unknown", ("unanswered", "not sent"))
    assert (evil.requests, exchanges(cloud)) == ([], {registry.login_server: 1})


def test_a_firewall_is_named_with_the_address_it_sees(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    registry.firewall = "203.0.113.7"
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"]) == (1, "failed", "unknown")
    assert row["network"]["answer"] == "firewall"
    assert "203.0.113.7" in row["observations"][-1]
    assert any("network-rule add" in each for each in row["actions"])
    assert exchanges(cloud) == {}


@pytest.mark.parametrize("certificate", ["expired", "untrusted"])
def test_a_bad_certificate_gets_nothing(az: Az, cloud: LocalCloud, registry: Registry, certificate: Any) -> None:
    registry.certificate = certificate
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"]) == (1, "failed", "unknown")
    assert row["network"]["answer"] == "untrusted certificate"
    assert "certificate" in row["observations"][-1]
    assert exchanges(cloud) == {}


def test_a_registry_at_its_limit_is_not_pressed(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    headers = {"Retry-After": "1"}
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=429, headers=headers, times=None)
    code, row = one(az, registry)
    assert (code, row["enforcedInEffect"], outcomes(row)) == (1, "unknown", ("unanswered", "not sent"))
    assert exchanges(cloud) == {registry.login_server: 4}, "bounded, and no second token after that"


def test_the_wide_token_can_be_left_out(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    code, row = one(az, registry, "--skip-arm-probe")
    assert (code, row["verdict"], row["enforcedInEffect"], outcomes(row)) == (
        0,
        "ok",
        "unknown",
        ("accepted", "not sent"),
    )
    assert exchanges(cloud) == {registry.login_server: 1}


def test_the_probe_goes_to_the_login_server_that_arm_names(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    """Not to the one that the name would give, which is somebody else's."""
    other = cloud.world.add_registry(
        registry_name, resource_group="rg-other", subscription=cloud.world.add_subscription("Not ours")
    )
    hashed = cloud.world.add_registry(registry_name, resource_group="rg-apps", domain_name_label_hash="e7gg9xb2")
    code, row = one(az, hashed)
    assert (code, row["loginServer"]) == (0, hashed.login_server)
    assert cloud.requests_to(other.login_server) == []


def test_a_login_server_that_arm_does_not_know_gets_no_token(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    stranger = cloud.world.add_registry(
        f"{registry.name}b", subscription=cloud.world.add_subscription(f"Not ours {registry.name}")
    )
    result = check(az, "-n", stranger.login_server)
    assert result.code == 3
    assert cloud.requests_to("*.azurecr.io") == []


@pytest.mark.parametrize("named", ["evil.example", "contoso.westeurope.data.azurecr.io"])
def test_what_arm_names_must_be_a_login_server(az: Az, cloud: LocalCloud, registry: Registry, named: str) -> None:
    evil = cloud.hostile(named)
    registry.properties["loginServer"] = named
    code, row = one(az, registry)
    assert (code, row["verdict"], row["enforcedInEffect"]) == (1, "failed", "unknown")
    assert (evil.requests, exchanges(cloud)) == ([], {})


def test_a_setting_that_names_arms_audience_does_not_spoil_the_control(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    registry.policy_status = "disabled"
    wide = {"AZURE_ACR_AUDIENCE_RESOURCE": "https://management.core.windows.net/"}
    result = check(az, "-n", registry.name, env=wide)
    assert (result.code, result.json["enforcedInEffect"]) == (0, "yes")
    assert "acr.audience_resource" in result.stderr


def test_a_wide_token_that_entra_refuses_leaves_it_unknown(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    puller = cloud.world.add_service_principal("puller")
    cloud.world.grant(puller, cloud.world.subscriptions[0].scope, "Contributor")
    az = new_az(puller)
    cloud.world.entra_error(puller, "https://containerregistry.azure.net", 53003, "Access has been blocked by policy.")
    code, row = one(az, registry)
    assert (code, row["enforcedInEffect"], outcomes(row)) == (1, "unknown", ("unanswered", "not sent"))
    assert "AADSTS53003" in " ".join(row["observations"])
    assert exchanges(cloud) == {}


# --- several ---


def test_a_group_has_a_row_each_and_one_failure_makes_the_exit_code(
    az: Az, cloud: LocalCloud, registry_name: str
) -> None:
    group = f"rg-{registry_name}"
    made = [
        cloud.world.add_registry(f"{registry_name}x{i}", resource_group=group, policy_status="disabled")
        for i in range(6)
    ]
    result = check(az, "-g", group)
    assert result.code == 0, result
    assert [row["name"] for row in result.json] == [each.name for each in made]
    assert {row["enforcedInEffect"] for row in result.json} == {"yes"}
    assert exchanges(cloud) == {each.login_server: 2 for each in made}
    tokens_asked = [request for request in cloud.requests_to("login.microsoftonline.com") if request.method == "POST"]
    assert len(tokens_asked) <= 2, "one for each audience, not for each registry"

    made[1].ignore_policy = True
    made[2].firewall = "203.0.113.7"
    made[3].certificate = "expired"
    result = check(az, "-g", group)
    assert result.code == 1
    assert [row["verdict"] for row in result.json] == ["ok", "failed", "failed", "failed", "ok", "ok"]
    assert [row["enforcedInEffect"] for row in result.json] == ["yes", "no", "unknown", "unknown", "yes", "yes"]
    assert "3 of 6 registries did not pass" in result.stderr


def test_all_of_a_subscription(new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str) -> None:
    world = cloud.world
    subscription = world.add_subscription(f"All of {registry_name}")
    account = world.add_service_principal(f"checks {registry_name}")
    world.grant(account, subscription.scope, "Contributor")
    for i in range(3):
        world.add_registry(f"{registry_name}y{i}", subscription=subscription, policy_status="disabled")
    az = new_az(account)
    result = check(az, "--all")
    assert (result.code, [row["verdict"] for row in result.json]) == (0, ["ok"] * 3)
    table = check(az, "--all", "--output", "table")
    assert table.stdout.split()[:6] == ["Name", "Status", "EnforcedInEffect", "Verdict", "AcrToken", "ArmToken"]


def test_all_subscriptions_and_a_management_group(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world, group = cloud.world, f"mg-check-{registry_name}"
    auditor = world.add_service_principal(f"group checker of {registry_name}")
    world.add_management_group(group)
    inside, outside = (world.add_subscription(f"Check {side} {registry_name}") for side in ("inside", "outside"))
    world.move(inside, group)
    for subscription in (inside, outside):
        world.grant(auditor, subscription.scope, "Reader")
    world.grant(auditor, f"/providers/Microsoft.Management/managementGroups/{group}", "Reader")
    below = world.add_registry(f"{registry_name}in", "rg-check", inside, policy_status="disabled")
    beside = world.add_registry(f"{registry_name}out", "rg-check", outside)
    az = new_az(auditor, subscription=outside)
    everything = check(az, "--all-subscriptions")
    assert {row["name"]: row["verdict"] for row in everything.json} == {below.name: "ok", beside.name: "ok"}
    only = check(az, "--management-group", group)
    assert [(row["name"], row["enforcedInEffect"]) for row in only.json] == [(below.name, "yes")]


def test_of_several_one_that_is_not_there_is_a_failed_row(az: Az, registry: Registry) -> None:
    result = check(az, "-n", registry.name, "nosuchregistry")
    assert result.code == 1
    assert [(row["name"], row["verdict"]) for row in result.json] == [
        (registry.name, "ok"),
        ("nosuchregistry", "failed"),
    ]
    assert check(az, "-n", "nosuchregistry").code == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "No registry was selected"),
        (["--all", "-g", "x"], "cannot be combined"),
        (["--all", "-n", "contoso"], "cannot"),
        (["--all", "--all-subscriptions"], "cannot be combined"),
        (["--management-group", "x", "-n", "contoso"], "cannot be combined"),
    ],
)
def test_what_cannot_be_meant_is_refused(az: Az, cloud: LocalCloud, arguments: list[str], says: str) -> None:
    result = check(az, *arguments)
    assert result.code in (1, 2)
    assert says in result.stderr
    assert cloud.requests == []


# --- this machine, and leaks ---


def test_what_this_machine_has_stored_is_told_and_our_helper_makes_no_token(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    az.ok("acr", "scope", "login", "-n", registry.login_server, "--client", "podman")
    bin_dir = az.home / "bin"
    az.ok("acr", "scope", "configure-docker", "-n", registry.login_server, "--yes", "--bin-dir", str(bin_dir))
    az.env["PATH"] = f"{bin_dir}:{az.env['PATH']}"
    cloud.clear_requests()
    code, row = one(az, registry)
    assert (code, exchanges(cloud)) == (0, {registry.login_server: 2})
    docker, podman = row["credentials"]
    assert (docker["credentialStore"], docker["madeWhenNeeded"]) == ("docker-credential-acrscope", True)
    assert (podman["client"], podman["credentialStore"]) == ("podman", str(az.home / "run/containers/auth.json"))
    assert podman["expiresOn"]


def test_a_credential_that_has_expired_is_a_warning(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    with long_ago(cloud):
        az.ok("acr", "scope", "login", "-n", registry.login_server, "--auth-file", str(az.home / ".docker/config.json"))
    code, row = one(az, registry)
    assert (code, row["verdict"]) == (0, "warning")
    assert f"az acr scope login --name {registry.login_server}" in row["actions"][0]


def test_no_token_is_anywhere_it_should_not_be(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world = cloud.world
    account = world.add_service_principal("careful")
    world.grant(account, world.subscriptions[0].scope, "Contributor")
    group = f"rg-{registry_name}"
    made = [world.add_registry(f"{registry_name}z{i}", resource_group=group) for i in range(5)]
    made[0].policy_status = "disabled"
    made[1].ignore_policy = True
    made[2].challenge_realm = "https://evil.example/oauth2/token"
    made[3].firewall = "203.0.113.7"
    evil = cloud.hostile("evil.example")
    az = new_az(account)
    az("config", "set", "logging.enable_log_file=yes", f"logging.log_dir={az.home / 'logs'}")
    first = check(az, "-g", group, "--debug")
    token = next(request.form["access_token"] for request in cloud.requests if request.path == "/oauth2/exchange")
    echo = json.dumps({"errors": [{"code": token, "message": f"bad token {token}"}]})
    for status in (401, 403, 500):
        cloud.faults.add(host="*.azurecr.io", path="/oauth2/exchange", status=status, body=echo, times=None)
        second = check(az, "-n", made[0].name, "--debug")
        assert second.code == 1
        assert_tokens_stayed_home(cloud, second)
        cloud.faults.clear()
    enforced = az("acr", "scope", "enforce", "-n", made[4].name, "--verify", "--debug")
    assert_tokens_stayed_home(cloud, first, enforced)
    assert evil.requests == []
    wide_at = {
        request.host
        for request in cloud.requests
        if request.path == "/oauth2/exchange"
        and world.entra_key.verify(request.form["access_token"])["aud"] in ARM_AUDIENCES
    }
    assert wide_at == {made[0].login_server, made[1].login_server, made[4].login_server}
    secrets = {secret.encode() for secret in cloud.secrets if len(secret) >= 8}
    kept = {"msal_token_cache.json", "service_principal_entries.json"}
    leaks = [
        path.name
        for path in az.home.rglob("*")
        if path.is_file() and path.name not in kept and holds_any(path.read_bytes(), secrets)
    ]
    assert leaks == []
    assert (az.home / "logs").exists()

"""`az acr scope show` through the real `az`."""

from collections.abc import Callable

import pytest

from tests.az import Az
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world import registry_children

ARM = "management.azure.com"
KEYS = [
    "id",
    "name",
    "resourceGroup",
    "subscriptionId",
    "loginServer",
    "status",
    "statusIsDefault",
    "acceptedAudiences",
    "otherSignIns",
]


def arm_paths(cloud: LocalCloud) -> list[str]:
    return [f"{request.method} {request.path}" for request in cloud.requests_to(ARM)]


def test_show_tells_the_status_and_the_audiences(az: Az, registry: Registry, cloud: LocalCloud) -> None:
    shown = az.ok("acr", "scope", "show", "--name", registry.name, "--resource-group", "rg-apps")
    assert set(shown) == set(KEYS)
    assert shown["id"] == registry.id
    assert shown["loginServer"] == registry.login_server
    assert (shown["status"], shown["statusIsDefault"]) == ("enabled", False)
    assert shown["acceptedAudiences"] == ["https://containerregistry.azure.net", "https://management.core.windows.net/"]
    assert len(arm_paths(cloud)) == 1


def test_an_enforced_registry_accepts_one_audience(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled", admin_user=True)
    shown = az.ok("acr", "scope", "show", "-r", registry_name, "-g", "rg-apps")
    assert shown["status"] == "disabled"
    assert shown["acceptedAudiences"] == ["https://containerregistry.azure.net"]
    assert shown["otherSignIns"] == {"adminUser": True, "anonymousPull": False}


def test_a_missing_status_is_enabled_by_default(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status=None)
    shown = az.ok("acr", "scope", "show", "-n", registry_name, "-g", "rg-apps")
    assert (shown["status"], shown["statusIsDefault"]) == ("enabled", True)


def test_the_table_has_a_row_for_people(az: Az, registry: Registry) -> None:
    result = az("acr", "scope", "show", "--registry", registry.name, "-g", "rg-apps", "--output", "table")
    head, _, row = result.stdout.splitlines()
    assert head.split() == ["Name", "Status", "AcceptedAudiences", "AdminUser", "AnonymousPull", "LoginServer"]
    assert row.split()[:2] == [registry.name, "enabled"]


def test_the_status_alone_equals_what_the_built_in_prints(az: Az, registry: Registry) -> None:
    ours = az("acr", "scope", "show", "-n", registry.name, "--query", "status", "-o", "tsv")
    built_in = az(
        "acr", "config", "authentication-as-arm", "show", "-r", registry.name, "--query", "status", "-o", "tsv"
    )
    assert ours.stdout == built_in.stdout == "enabled\n"


@pytest.mark.parametrize("form", ["id", "login_server"])
def test_a_registry_may_be_named_by_id_or_login_server(
    az: Az, registry: Registry, cloud: LocalCloud, form: str
) -> None:
    shown = az.ok("acr", "scope", "show", "-n", getattr(registry, form))
    assert shown["id"] == registry.id
    assert len(arm_paths(cloud)) == (1 if form == "id" else 2)


def test_without_a_group_the_other_registries_are_not_listed(az: Az, registry: Registry, cloud: LocalCloud) -> None:
    az.ok("acr", "scope", "show", "-n", registry.name)
    search, read = cloud.requests_to(ARM)
    assert search.path.endswith("/resources")
    assert f"name eq '{registry.name}'" in str(search.query)
    assert read.path.endswith(f"/registries/{registry.name}")


def test_a_default_registry_can_be_configured(az: Az, registry: Registry) -> None:
    az("config", "set", f"defaults.acr={registry.name}")
    assert az.ok("acr", "scope", "show")["name"] == registry.name


def test_a_default_group_does_not_contradict_an_id(az: Az, registry: Registry) -> None:
    az("config", "set", "defaults.group=rg-elsewhere")
    assert az.ok("acr", "scope", "show", "-n", registry.id)["id"] == registry.id
    assert az("acr", "scope", "show", "-n", registry.id, "-g", "rg-elsewhere").code == 1


def test_a_hashed_login_server_is_found_and_not_mistaken(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    hashed = cloud.world.add_registry(registry_name, resource_group="rg-apps", domain_name_label_hash="e7gg9xb2")
    assert az.ok("acr", "scope", "show", "-n", hashed.login_server)["id"] == hashed.id
    plain = az("acr", "scope", "show", "-n", f"{registry_name}.azurecr.io")
    assert plain.code == 3
    assert hashed.login_server in plain.stderr


def test_another_subscription_is_searched_when_named(
    az: Az, cloud: LocalCloud, operator: object, registry_name: str
) -> None:
    other = cloud.world.add_subscription("Contoso Test")
    cloud.world.grant(operator, other.scope, "Reader")  # type: ignore[arg-type]
    cloud.world.add_registry(registry_name, resource_group="rg-test", subscription=other)
    az.ok("account", "list", "--refresh")
    missing = az("acr", "scope", "show", "-n", registry_name)
    assert missing.code == 3
    assert cloud.world.subscriptions[0].id in missing.stderr
    assert (
        az.ok("acr", "scope", "show", "-n", registry_name, "--subscription", "Contoso Test")["subscriptionId"]
        == other.id
    )


@pytest.mark.parametrize("group", [[], ["-g", "rg-apps"]])
def test_a_registry_that_does_not_exist_is_an_error(
    az: Az, cloud: LocalCloud, registry: Registry, group: list[str]
) -> None:
    """The built-in prints {"status": null} and exits 0."""
    result = az("acr", "scope", "show", "-n", "nosuchregistry", *group)
    assert result.code == 3
    assert result.stdout == ""
    assert cloud.world.subscriptions[0].id in result.stderr
    assert "--subscription" in result.stderr or "--resource-group" in result.stderr


def test_a_registry_that_may_not_be_read_is_forbidden_and_says_which_right_is_missing(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    stranger = cloud.world.add_service_principal("puller")
    cloud.world.grant(stranger, registry.id, "AcrPull")
    result = new_az(stranger)("acr", "scope", "show", "-n", registry.id)
    assert result.code == 1
    assert "AuthorizationFailed" in result.stderr
    assert "Microsoft.ContainerRegistry/registries/read" in result.stderr


def test_without_a_sign_in_the_next_step_is_named(new_az: Callable[..., Az]) -> None:
    result = new_az()("acr", "scope", "show", "-n", "contoso")
    assert result.code == 1
    assert "az login" in result.stderr


def test_an_expired_sign_in_is_said(new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry) -> None:
    expired = cloud.world.add_service_principal("expired")
    cloud.world.grant(expired, registry.id, "Reader")
    az = new_az(expired)
    cloud.world.entra_error(
        expired, "https://management.core.windows.net/", 7000222, "The provided client secret keys are expired."
    )
    (az.config / "msal_token_cache.json").unlink()
    result = az("acr", "scope", "show", "-n", registry.name, "-g", "rg-apps")
    assert result.code == 1
    assert "AADSTS7000222" in result.stderr
    assert "az login --service-principal" in result.stderr


@pytest.mark.parametrize(
    "body",
    ['{"value": []}', "<html>Sign in to the guest network</html>", '{"type": "Microsoft.Web/sites", "properties": {}}'],
)
def test_a_reply_that_is_no_registry_is_told_apart(az: Az, cloud: LocalCloud, registry: Registry, body: str) -> None:
    cloud.faults.add(host=ARM, path="*/registries/*", status=200, body=body)
    result = az("acr", "scope", "show", "-n", registry.name, "-g", "rg-apps")
    assert result.code == 1
    assert "is not a container registry" in result.stderr
    assert "guest network" not in result.stderr


def test_a_redirect_of_arm_is_not_followed(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    cloud.faults.add(host=ARM, path="*/registries/*", redirect="https://evil.example/steal")
    result = az("acr", "scope", "show", "-n", registry.name, "-g", "rg-apps")
    assert result.code == 1
    assert "redirect" in result.stderr
    assert evil.requests == []


def test_a_next_page_elsewhere_is_not_followed(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    cloud.faults.add(
        host=ARM, path="*/resources", status=200, body='{"value": [], "nextLink": "https://evil.example/next"}'
    )
    result = az("acr", "scope", "show", "-n", registry.name)
    assert result.code == 1
    assert "returned a link to another host" in result.stderr
    assert evil.requests == []


def test_a_passing_failure_of_arm_is_retried(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.faults.add(host=ARM, path="*/registries/*", status=503, times=1)
    cloud.faults.add(host=ARM, path="*/registries/*", status=429, headers={"Retry-After": "1"}, times=1)
    assert az.ok("acr", "scope", "show", "-n", registry.name, "-g", "rg-apps")["status"] == "enabled"
    assert [request.status for request in cloud.requests_to(ARM)] == [503, 429, 200]


def test_without_a_network_the_endpoint_is_named(az: Az, registry: Registry) -> None:
    dead = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    result = az("acr", "scope", "show", "-n", registry.name, "-g", "rg-apps", env=dead)
    assert result.code == 1
    assert "could not be reached" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_bad_name_is_refused_before_any_request(az: Az, cloud: LocalCloud) -> None:
    result = az("acr", "scope", "show", "-n", "no good")
    assert result.code == 1
    assert cloud.requests == []


def test_sign_ins_are_read_on_request_with_the_policies_that_close_them(
    az: Az, registry: Registry, cloud: LocalCloud
) -> None:
    registry_children.add_token(registry, "builders", passwords={"password1": "2099-01-01T00:00:00Z"})
    registry_children.add_token(registry, "old", "disabled", passwords={"password1": None})
    registry_children.add_connected_registry(registry, "factory", identity=f"{registry.id}/id")
    cloud.world.page_size = 1
    try:
        result = az("acr", "scope", "show", "-n", registry.id, "--sign-ins")
    finally:
        cloud.world.page_size = 1000
    assert result.code == 0, result
    assert "WARNING" not in result.stderr
    other = result.json["otherSignIns"]
    assert (other["adminUser"], other["anonymousPull"]) == (False, False)
    assert other["repositoryTokens"]["state"] == "open"
    builders, old = other["repositoryTokens"]["items"]
    assert (builders["canSignIn"], old["canSignIn"]) == (True, False)
    assert builders["passwords"] == [{"name": "password1", "expiry": "2099-01-01T00:00:00Z"}]
    assert [each["authType"] for each in other["connectedRegistries"]["items"]] == ["ManagedIdentity"]
    assert (other["tasksNetworkBypass"], other["writableCacheRepos"]) == ("denied", "Disabled")
    assert other["closedBy"]["repositoryTokens"][0]["name"] == "ff05e24e-195c-447e-b322-5e90c9f9f366"
    table = az("acr", "scope", "show", "-n", registry.id, "--sign-ins", "--output", "table")
    assert "open (2)" in table.stdout


def test_sign_ins_that_may_not_be_read_are_unknown_and_never_none(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    registry_children.add_token(registry, "builders", passwords={"password1": None})
    reader = cloud.world.add_service_principal(f"reads {registry.name} alone")
    cloud.world.grant(reader, registry.id, ("Microsoft.ContainerRegistry/registries/read",))
    result = new_az(reader)("acr", "scope", "show", "-n", registry.id, "--sign-ins")
    assert result.code == 0, result
    other = result.json["otherSignIns"]
    assert other["repositoryTokens"] == other["connectedRegistries"] == {"state": "unknown", "items": None}
    assert other["tasksNetworkBypass"] == "denied"
    assert "Microsoft.ContainerRegistry/registries/tokens/read" in result.stderr
    assert "Microsoft.ContainerRegistry/registries/connectedRegistries/read" in result.stderr

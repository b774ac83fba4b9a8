"""The registry resource through the management SDK, over HTTP: what it sends, and how it takes what comes back."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.cli.core.azclierror import (
    AuthenticationError,
    AzureConnectionError,
    AzureResponseError,
    InvalidArgumentValueError,
)

from azext_acrscope import _client_factory
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.registry import sdk_client
from azext_acrscope.registry.resource import PREVIEW_API_VERSION
from tests.localcloud import LocalCloud
from tests.localcloud.arm import api_versions
from tests.localcloud.base.messages import Request
from tests.unit.registry.conftest import SignedIn

ARM_HOST = "management.azure.com"
BODY = {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}


def sent(cloud: LocalCloud) -> list[Request]:
    return cloud.requests_to(ARM_HOST)


# --- reading one ---------------------------------------------------------------------------------------------------


def test_one_registry_is_one_request_and_the_json_as_it_came(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    contoso.body["properties"]["somethingNew"] = {"aMember": [1, None]}
    reply = sdk_client.read_registry(arm, contoso.id)
    assert reply.status == 200
    assert reply.body == api_versions.shown(contoso.body, "2025-04-01")
    [request] = sent(cloud)
    assert (request.method, request.path) == ("GET", contoso.id)
    assert request.query == {"api-version": "2025-04-01"}


def test_a_missing_status_stays_missing(cloud: LocalCloud, arm: ArmClient) -> None:
    old = cloud.world.add_registry("contoso", policy_status=None)
    policies = sdk_client.read_registry(arm, old.id).body["properties"]["policies"]
    assert "azureADAuthenticationAsArmPolicy" not in policies


@pytest.mark.parametrize(
    "body", [[], "text", 1, {"properties": "text"}, {"id": 3, "properties": {"policies": [1], "creationDate": "never"}}]
)
def test_an_odd_answer_is_handed_over_as_it_is(cloud: LocalCloud, arm: ArmClient, contoso: Any, body: Any) -> None:
    cloud.faults.add(host=ARM_HOST, status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})
    assert sdk_client.read_registry(arm, contoso.id).body == body


def test_an_answer_that_is_no_json_has_no_body(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    cloud.faults.add(host=ARM_HOST, status=200, body="<html>", headers={"Content-Type": "text/html"})
    assert sdk_client.read_registry(arm, contoso.id).body is None


def test_regional_login_servers_are_in_a_preview_which_every_sdk_can_ask_for(cloud: LocalCloud, arm: ArmClient) -> None:
    regional = cloud.world.add_registry("contoso", regions=("westeurope",))
    assert "regionalEndpointHostNames" not in sdk_client.read_registry(arm, regional.id).body["properties"]
    preview = sdk_client.read_registry(arm, regional.id, PREVIEW_API_VERSION)
    assert preview.body["properties"]["regionalEndpointHostNames"]
    assert [request.query["api-version"] for request in sent(cloud)] == ["2025-04-01", PREVIEW_API_VERSION]


def test_every_subscription_is_asked_over_the_same_connection(
    cloud: LocalCloud, account: SignedIn, arm: ArmClient, contoso: Any
) -> None:
    other = cloud.world.add_subscription("other")
    cloud.world.grant(account.principal, other.scope, "Contributor")
    fabrikam = cloud.world.add_registry("fabrikam", subscription=other)
    assert sdk_client.read_registry(arm, contoso.id).body["name"] == "contoso"
    assert sdk_client.read_registry(arm, fabrikam.id).body["name"] == "fabrikam"
    assert [each["name"] for each in sdk_client.list_registries(arm, other.id)] == ["fabrikam"]
    assert account.asked == 1


# --- names ---------------------------------------------------------------------------------------------------------

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def identifier(subscription: str = SUBSCRIPTION, group: str = "rg", name: str = "contoso") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
    )


@pytest.mark.parametrize(
    "registry_id",
    [
        identifier(subscription=".."), identifier(group=".."), identifier(group="."), identifier(group=""),
        identifier(group="a/../b"), identifier(group="%2e%2e"), identifier(group="rg?x="), identifier(group="rg#"),
        identifier(group="rg."), identifier(group="rg\n"), identifier(name=".."), identifier(name="con toso"),
        identifier(name="contoso?"), identifier(name="ｃontoso"), identifier(name=""),
        identifier() + "/webhooks/hook", identifier().replace("/resourceGroups/rg", ""),
        identifier().replace("ContainerRegistry/registries", "Storage/storageAccounts"), "", "contoso",
        "https://management.azure.com" + identifier(),
    ],
)  # fmt: skip
def test_what_is_no_id_of_a_registry_is_not_asked_for(cloud: LocalCloud, arm: ArmClient, registry_id: str) -> None:
    for use in (USES["get"], USES["write"], USES["tokens"], USES["connected"]):
        with pytest.raises(InvalidArgumentValueError):
            use(arm, registry_id)
    assert not sent(cloud)


@pytest.mark.parametrize("group", ["..", ".", "", "a/../b", "%2e%2e", "rg?x", "rg#", "rg.", "rg/providers/x"])
def test_what_is_no_group_or_subscription_is_not_listed(cloud: LocalCloud, arm: ArmClient, group: str) -> None:
    with pytest.raises(InvalidArgumentValueError):
        sdk_client.list_registries(arm, SUBSCRIPTION, group)
    with pytest.raises(InvalidArgumentValueError):
        sdk_client.list_registries(arm, group)
    assert not sent(cloud)


def test_a_valid_name_arrives_to_the_letter(cloud: LocalCloud, arm: ArmClient) -> None:
    odd = cloud.world.add_registry("contoso", resource_group="Rg_(1).größe-x")
    assert sdk_client.read_registry(arm, odd.id).body["id"] == odd.id
    assert [each["id"] for each in sdk_client.list_registries(arm, odd.subscription_id, "Rg_(1).größe-x")] == [odd.id]


# --- lists ---------------------------------------------------------------------------------------------------------


def add_many(cloud: LocalCloud, count: int) -> list[str]:
    names = [(f"contoso{number}", f"rg{number % 2}") for number in range(count)]
    return [cloud.world.add_registry(name, resource_group=group).id for name, group in names]


def test_a_list_is_all_pages_and_some_are_empty(cloud: LocalCloud, arm: ArmClient) -> None:
    ids = add_many(cloud, 5)
    cloud.world.page_size, cloud.world.empty_pages = 2, 1
    found = sdk_client.list_registries(arm, cloud.world.subscriptions[0].id)
    assert sorted(each["id"] for each in found) == sorted(ids)
    assert len(sent(cloud)) == 6
    assert {request.query["api-version"] for request in sent(cloud)} == {"2025-04-01"}


def test_a_list_of_a_group_is_of_that_group(cloud: LocalCloud, arm: ArmClient) -> None:
    ids = add_many(cloud, 5)
    cloud.world.page_size = 1
    found = sdk_client.list_registries(arm, cloud.world.subscriptions[0].id, "rg1")
    assert [each["id"] for each in found] == [ids[1], ids[3]]


def test_items_of_a_list_are_as_they_came(cloud: LocalCloud, arm: ArmClient) -> None:
    items = [{"id": 3}, {}, {"properties": "text"}, {"properties": {"policies": [1]}, "unknown": None}]
    cloud.faults.add(host=ARM_HOST, status=200, body={"value": items})
    assert sdk_client.list_registries(arm, SUBSCRIPTION) == items


def test_an_empty_list_is_empty(cloud: LocalCloud, arm: ArmClient) -> None:
    assert sdk_client.list_registries(arm, cloud.world.subscriptions[0].id) == []


EVIL = "evil.example"
BAD_PAGES: dict[str, Any] = {
    "no value": {},
    "null": {"value": None},
    "an object": {"value": {}},
    "a text in it": {"value": [{"id": "x"}, "text"]},
    "null in it": {"value": [None]},
    "a list": [],
    "a text": "text",
    "foreign link": {"value": [], "nextLink": f"https://{EVIL}/next"},
    "foreign link, odata": {"value": [], "@odata.nextLink": f"https://{EVIL}/next"},
    "user in front": {"value": [], "nextLink": f"https://{ARM_HOST}@{EVIL}/next"},
    "longer host": {"value": [], "nextLink": f"https://{ARM_HOST}.{EVIL}/next"},
    "other port": {"value": [], "nextLink": f"https://{ARM_HOST}:8443/next"},
    "not https": {"value": [], "nextLink": f"http://{ARM_HOST}/next"},
    "relative": {"value": [], "nextLink": "/subscriptions"},
    "no host": {"value": [], "nextLink": "https:///next"},
    "no link": {"value": [], "nextLink": {"href": "x"}},
}


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("kind", BAD_PAGES)
def test_a_list_that_would_have_a_gap_is_an_error_and_nothing_goes_elsewhere(
    cloud: LocalCloud, arm: ArmClient, kind: str, after: int
) -> None:
    evil = [cloud.hostile(host) for host in (EVIL, f"{ARM_HOST}.{EVIL}")]
    add_many(cloud, 3)
    cloud.world.page_size = 1
    cloud.faults.add(host=ARM_HOST, status=200, after=after, body=json.dumps(BAD_PAGES[kind]))
    with pytest.raises(AzureResponseError):
        sdk_client.list_registries(arm, cloud.world.subscriptions[0].id)
    assert len(sent(cloud)) == after + 1
    assert not any(each.requests for each in evil)
    assert not cloud.refused_hosts


def test_a_list_without_an_end_is_an_error(cloud: LocalCloud, arm: ArmClient) -> None:
    again = f"https://{ARM_HOST}{cloud.world.subscriptions[0].scope}/providers/Microsoft.ContainerRegistry/registries"
    cloud.faults.add(host=ARM_HOST, status=200, times=None, body={"value": [{}], "nextLink": f"{again}?page=2"})
    with pytest.raises(AzureResponseError, match="no end"):
        sdk_client.list_registries(arm, cloud.world.subscriptions[0].id)
    assert len(sent(cloud)) == 2


# --- writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["disabled", "enabled"])
def test_a_write_carries_that_property_and_nothing_else(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, status: str
) -> None:
    reply = sdk_client.write_status(arm, contoso.id, status)
    [request] = sent(cloud)
    assert (request.method, request.path, request.query) == ("PATCH", contoso.id, {"api-version": "2025-04-01"})
    assert request.json() == {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": status}}}}
    assert request.headers["Content-Type"] == "application/json"
    assert reply.status == 201
    assert reply.body["properties"]["policies"]["azureADAuthenticationAsArmPolicy"]["status"] == status


def test_a_write_is_not_waited_for_and_tells_where_to_look(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, slept: list[float]
) -> None:
    operation = sdk_client.write_status(arm, contoso.id, "disabled").headers["Azure-AsyncOperation"]
    assert len(sent(cloud)) == 1
    assert arm.follow(operation).body == {"status": "Updating"}
    assert arm.follow(operation).body == {"status": "Succeeded"}
    assert slept == []


def test_a_write_that_is_done_at_once_has_nothing_to_look_at(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    cloud.world.sync_patch = True
    reply = sdk_client.write_status(arm, contoso.id, "disabled")
    assert reply.status == 200
    assert "Azure-AsyncOperation" not in reply.headers


def test_a_202_is_a_write_that_was_taken(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    """The operation of the SDK raises on it."""
    where = {"Azure-AsyncOperation": f"https://{ARM_HOST}/operations/1", "Retry-After": "17"}
    cloud.faults.add(host=ARM_HOST, method="PATCH", status=202, headers=where)
    reply = sdk_client.write_status(arm, contoso.id, "disabled")
    assert (reply.status, reply.body, reply.retry_after) == (202, None, 17)
    assert reply.headers["Azure-AsyncOperation"] == where["Azure-AsyncOperation"]


def test_a_foreign_operation_is_not_asked(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    evil = cloud.hostile(EVIL)
    where = {"Azure-AsyncOperation": f"https://{EVIL}/operations/1", "Location": f"https://{EVIL}/operations/1"}
    cloud.faults.add(host=ARM_HOST, method="PATCH", status=201, headers=where, body={})
    operation = sdk_client.write_status(arm, contoso.id, "disabled").headers["Azure-AsyncOperation"]
    assert not arm.owns(operation)
    with pytest.raises(AzureResponseError):
        arm.follow(operation)
    assert not evil.requests


@pytest.mark.parametrize("status", [403, 429])
def test_an_operation_that_may_not_be_looked_at_is_a_refusal_and_the_registry_can_be_read(
    cloud: LocalCloud, cli_ctx: Any, account: SignedIn, contoso: Any, status: int
) -> None:
    arm = ArmClient(cli_ctx, patient=False)
    operation = sdk_client.write_status(arm, contoso.id, "disabled").headers["Azure-AsyncOperation"]
    cloud.faults.add(path="*/operationStatuses/*", status=status, headers={"Retry-After": "5"})
    with pytest.raises(ArmError) as caught:
        arm.follow(operation)
    assert (caught.value.status, caught.value.retry_after) == (status, 5)
    assert sdk_client.read_registry(arm, contoso.id).body["properties"]["provisioningState"] == "Updating"


# --- refusals ------------------------------------------------------------------------------------------------------

Use = Callable[[ArmClient, str], Any]
USES: dict[str, Use] = {
    "get": lambda arm, registry_id: sdk_client.read_registry(arm, registry_id),
    "list": lambda arm, registry_id: sdk_client.list_registries(arm, parse_resource_id(registry_id).subscription),
    "list of a group": lambda arm, registry_id: sdk_client.list_registries(
        arm, parse_resource_id(registry_id).subscription, "rg"
    ),
    "write": lambda arm, registry_id: sdk_client.write_status(arm, registry_id, "disabled"),
    "tokens": lambda arm, registry_id: sdk_client.list_children(arm, registry_id, "tokens"),
    "connected": lambda arm, registry_id: sdk_client.list_children(
        arm, registry_id, "connected_registries", PREVIEW_API_VERSION
    ),
}


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 409, 412])
@pytest.mark.parametrize("use", USES)
def test_a_refusal_keeps_what_arm_said(cloud: LocalCloud, arm: ArmClient, contoso: Any, use: str, status: int) -> None:
    assignment = "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/a"
    violation = {"type": "PolicyViolation", "info": {"policyAssignmentId": assignment}}
    details = [{"code": "DisallowedProvider", "message": "x"}]
    error = {"code": "Nope", "message": "Not like this.", "additionalInfo": [violation], "details": details}
    headers = {"x-ms-correlation-request-id": "c-1", "Retry-After": "7"}
    cloud.faults.add(host=ARM_HOST, times=None, status=status, body={"error": error}, headers=headers)
    with pytest.raises(ArmError) as caught:
        USES[use](arm, contoso.id)
    refused = caught.value
    known = status != 304  # which never has a body
    assert (refused.status, refused.correlation, refused.retry_after) == (status, "c-1", 7)
    assert refused.code == ("Nope" if known else "no error code")
    assert refused.message == ("Not like this." if known else "Not Modified")
    assert refused.assignments == ((assignment,) if known else ())
    assert refused.reasons == (("DisallowedProvider",) if known else ())


def test_a_refusal_that_is_no_json_is_a_refusal(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    cloud.faults.add(host=ARM_HOST, status=400, body="<html>", headers={"Content-Type": "text/html"})
    with pytest.raises(ArmError, match="no error code"):
        sdk_client.read_registry(arm, contoso.id)


@pytest.mark.parametrize("use", USES)
def test_no_resource_provider_is_registered(cloud: LocalCloud, arm: ArmClient, contoso: Any, use: str) -> None:
    """The SDK's own pipeline would write to the subscription."""
    message = "The subscription is not registered to use namespace 'Microsoft.ContainerRegistry'."
    error = {"code": "MissingSubscriptionRegistration", "message": message}
    cloud.faults.add(host=ARM_HOST, status=409, body={"error": error})
    with pytest.raises(ArmError, match="MissingSubscriptionRegistration"):
        USES[use](arm, contoso.id)
    assert len(sent(cloud)) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("target", [f"https://{EVIL}/steal", f"https://{ARM_HOST}/steal"])
@pytest.mark.parametrize("use", USES)
def test_a_redirect_is_never_followed(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, use: str, target: str, status: int
) -> None:
    evil = cloud.hostile(EVIL)
    cloud.faults.add(host=ARM_HOST, status=status, redirect=target)
    with pytest.raises(ArmError) as caught:
        USES[use](arm, contoso.id)
    assert caught.value.status == status
    assert len(sent(cloud)) == 1
    assert not evil.requests


# --- what passes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": True}, {"truncate": True}])
def test_what_may_pass_is_tried_again(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, use: str, fault: dict[str, Any]
) -> None:
    cloud.faults.add(host=ARM_HOST, **fault)
    USES[use](arm, contoso.id)
    assert len(sent(cloud)) == 2


@pytest.mark.parametrize("use", USES)
def test_it_is_not_tried_for_ever(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, use: str, slept: list[float]
) -> None:
    cloud.faults.add(host=ARM_HOST, times=None, status=503)
    with pytest.raises(ArmError):
        USES[use](arm, contoso.id)
    assert len(sent(cloud)) == 4
    assert sum(slept) < 60


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": True}, {"truncate": True}])
def test_a_fleet_that_is_patient_itself_gets_the_first_answer(
    cloud: LocalCloud, cli_ctx: Any, account: SignedIn, contoso: Any, use: str, fault: dict[str, Any]
) -> None:
    cloud.faults.add(host=ARM_HOST, **fault)
    with pytest.raises(ArmError if "status" in fault else AzureConnectionError):
        USES[use](ArmClient(cli_ctx, patient=False), contoso.id)
    assert len(sent(cloud)) == 1


@pytest.mark.parametrize(("asked", "waited"), [("9", 9), ("3600", 60)])
@pytest.mark.parametrize("use", USES)
def test_retry_after_is_heeded_up_to_a_minute_and_a_long_wait_is_announced(
    cloud: LocalCloud,
    arm: ArmClient,
    contoso: Any,
    slept: list[float],
    caplog: pytest.LogCaptureFixture,
    use: str,
    asked: str,
    waited: float,
) -> None:
    cloud.faults.add(host=ARM_HOST, status=429, headers={"Retry-After": asked})
    USES[use](arm, contoso.id)
    assert slept == [waited]
    assert f"asked to wait. Retrying in {waited} s." in caplog.text


def test_a_host_that_cannot_be_reached_is_a_connection_error(monkeypatch: pytest.MonkeyPatch, arm: ArmClient) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(AzureConnectionError, match="Azure Resource Manager"):
        sdk_client.read_registry(arm, identifier())


@pytest.mark.parametrize("use", USES)
def test_every_request_has_its_limits_in_time(
    arm: ArmClient, contoso: Any, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    import requests

    limits = []
    real = requests.Session.request

    def request(*arguments: Any, **options: Any) -> Any:
        limits.append(options["timeout"])
        return real(*arguments, **options)

    monkeypatch.setattr(requests.Session, "request", request)
    USES[use](arm, contoso.id)
    assert limits == [(10, 60)]


# --- who asks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES)
def test_a_failure_to_get_a_token_is_one_of_signing_in(
    cloud: LocalCloud, account: SignedIn, arm: ArmClient, contoso: Any, use: str
) -> None:
    account.refusal = AuthenticationError("AADSTS700082: The refresh token has expired. eyJhbGciOiJSUzI1NiJ9.e30.c2ln")
    with pytest.raises(AuthenticationError) as caught:
        USES[use](arm, contoso.id)
    assert "eyJ" not in caught.value.error_msg
    assert caught.value.recommendations
    assert not sent(cloud)


def test_no_token_is_in_a_log(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.faults.add(host=ARM_HOST, status=503)
    cloud.faults.add(host=ARM_HOST, truncate=True)
    for use in USES.values():
        use(arm, contoso.id)
    assert "Request URL" in caplog.text
    assert not [secret for secret in cloud.secrets if secret in caplog.text]


def test_azure_sees_which_extension_asks(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    for use in USES.values():
        use(arm, contoso.id)
    for request in sent(cloud):
        assert "CliExtension/acrscope" in request.headers["User-Agent"]
        assert request.headers["CommandName"] == "acr scope show"
        assert request.headers["x-ms-client-request-id"]


def test_a_write_carries_the_policy_token_that_the_user_asked_for(
    cloud: LocalCloud, cli_ctx: Any, account: SignedIn, contoso: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure.cli.core.sdk import policies

    if not hasattr(policies, "get_custom_hook_policy"):
        pytest.skip("this Azure CLI has no --acquire-policy-token")
    asked: list[Any] = []

    class Given:
        status_code = 200
        content = b'{"token": "policy-token"}'

    def send_raw_request(*_arguments: Any, **options: Any) -> Given:
        asked.append(json.loads(options["body"])["operation"])
        return Given()

    monkeypatch.setattr("azure.cli.core.util.send_raw_request", send_raw_request)
    cli_ctx.data["_acquire_policy_token"] = True
    arm = ArmClient(cli_ctx)
    sdk_client.read_registry(arm, contoso.id)
    sdk_client.write_status(arm, contoso.id, "disabled")
    [operation] = asked
    assert (operation["httpMethod"], operation["content"]) == ("PATCH", BODY)
    assert operation["uri"].endswith(f"{contoso.id}?api-version=2025-04-01")
    carried = [request.headers.get("x-ms-policy-external-evaluations") for request in sent(cloud)]
    assert carried == [None, "policy-token"]


# --- many at the same time -----------------------------------------------------------------------------------------


def test_threads_share_one_client(
    cloud: LocalCloud, cli_ctx: Any, account: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    other = cloud.world.add_subscription("other")
    cloud.world.grant(account.principal, other.scope, "Contributor")
    ids = [
        cloud.world.add_registry(f"contoso{number}", subscription=cloud.world.subscriptions[number % 2]).id
        for number in range(96)
    ]
    arm = ArmClient(cli_ctx)
    with ThreadPoolExecutor(32) as writers:
        replies = list(writers.map(lambda each: sdk_client.write_status(arm, each, "disabled"), ids))
    assert [reply.body["id"] for reply in replies] == ids
    assert sorted(request.path for request in sent(cloud)) == sorted(ids)
    assert "pool is full" not in caplog.text


# --- what it costs -------------------------------------------------------------------------------------------------


def test_nothing_heavy_is_loaded_before_a_client_is_made() -> None:
    code = "import sys, azext_acrscope._client_factory; print([n for n in sys.modules if n.startswith('azure')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_client_is_the_sdks_own_and_made_once(arm: ArmClient, contoso: Any) -> None:
    operations = sdk_client.operations(arm, contoso.subscription_id, "registries")
    assert type(operations).__module__.startswith("azure.mgmt.containerregistry.")
    assert sdk_client.operations(arm, contoso.subscription_id, "registries") is operations


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    from azure.cli.core.commands import client_factory

    calls: list[dict[str, Any]] = []
    real = client_factory.get_mgmt_service_client

    def get_mgmt_service_client(*arguments: Any, **options: Any) -> Any:
        calls.append(options)
        return real(*arguments, **options)

    monkeypatch.setattr(client_factory, "get_mgmt_service_client", get_mgmt_service_client)
    return calls


def test_the_client_comes_from_the_azure_clis_factory(arm: ArmClient, contoso: Any, made: list[dict[str, Any]]) -> None:
    sdk_client.read_registry(arm, contoso.id)
    sdk_client.write_status(arm, contoso.id, "disabled")
    [options] = made
    assert options["api_version"] == _client_factory.REGISTRY_API_VERSION == "2025-04-01"
    assert options["subscription_id"] == contoso.subscription_id


def test_the_client_is_made_without_the_models_of_the_sdk_which_still_work() -> None:
    script = """
import sys, types
from azext_acrscope.registry.sdk_client import operations
from tests.factories.cli import command_context
arm = types.SimpleNamespace(cli_ctx=command_context(), credential=object(), sdk_clients={})
module = sys.modules[type(operations(arm, "00000000-0000-0000-0000-000000000001", "registries")).__module__]
late = sum(name.startswith("azure.mgmt.containerregistry") and "models" in name for name in sys.modules)
made = module._models.Registry(location="westeurope")
from azure.mgmt.containerregistry.models import Registry
print(late, type(made) is Registry)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0", "True"], done.stderr

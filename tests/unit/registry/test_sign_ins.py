"""The other ways into a registry: what is read of them, and that what could not be read is never told as none."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from azext_acrscope.arm.client import ArmClient
from azext_acrscope.base.foreign_json import UnexpectedShape
from azext_acrscope.registry import sign_ins
from azext_acrscope.registry.resource import PREVIEW_API_VERSION
from tests.factories.shapes import json_objects
from tests.localcloud import LocalCloud
from tests.localcloud.world import registry_children

ARM_HOST = "management.azure.com"
NOW = datetime.now(timezone.utc)
PAST, FUTURE = ((NOW + timedelta(days=days)).isoformat() for days in (-1, 1))
IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-edge"


def read(arm: ArmClient, registry: Any) -> tuple[dict[str, Any], list[str]]:
    return sign_ins.read_sign_ins(arm, registry.body)


def test_a_registry_without_any_has_none_and_the_defaults(cloud: LocalCloud, arm: ArmClient, contoso: Any) -> None:
    found, unread = read(arm, contoso)
    assert unread == []
    assert found == {
        "repositoryTokens": {"state": "none", "items": []},
        "connectedRegistries": {"state": "none", "items": []},
        "tasksNetworkBypass": "denied",
        "networkRuleBypassOptions": "AzureServices",
        "writableCacheRepos": "Disabled",
        "roleAssignmentMode": "LegacyRegistryPermissions",
        "closedBy": sign_ins.built_in_policies(),
    }
    asked = {request.path.rpartition("/")[2]: request.query["api-version"] for request in cloud.requests_to(ARM_HOST)}
    assert asked == {"contoso": PREVIEW_API_VERSION, "tokens": "2025-04-01", "connectedRegistries": PREVIEW_API_VERSION}


def test_tokens_are_read_with_their_credentials_and_no_secret(arm: ArmClient, contoso: Any) -> None:
    registry_children.add_token(contoso, "builders", passwords={"password1": None, "password2": PAST})
    registry_children.add_token(contoso, "auditors", "disabled", {"password1": FUTURE}, {"certificate1": FUTURE})
    found, unread = read(arm, contoso)
    assert unread == []
    assert found["repositoryTokens"]["state"] == "open"
    auditors, builders = found["repositoryTokens"]["items"]
    assert builders == {
        "name": "builders",
        "status": "enabled",
        "canSignIn": True,
        "scopeMap": "_repositories_pull",
        "passwords": [{"name": "password1", "expiry": None}, {"name": "password2", "expiry": PAST}],
        "certificates": [],
    }
    assert (auditors["canSignIn"], auditors["certificates"]) == (False, [{"name": "certificate1", "expiry": FUTURE}])


@pytest.mark.parametrize(
    ("status", "credentials", "can"),
    [
        ("enabled", {"passwords": [{"name": "password1", "expiry": None}]}, True),
        ("Enabled", {"passwords": [{"name": "password1"}]}, True),
        ("enabled", {"certificates": [{"name": "certificate1", "expiry": FUTURE}]}, True),
        ("enabled", {"passwords": [{"expiry": PAST}], "certificates": [{"expiry": FUTURE}]}, True),
        ("enabled", {"passwords": [{"expiry": PAST}]}, False),
        ("enabled", {"passwords": [], "certificates": None}, False),
        ("enabled", {}, False),
        ("disabled", {"passwords": [{"expiry": None}]}, False),
        ("DISABLED", {"passwords": [{"expiry": None}]}, False),
        ("disabled", None, False),
        ("enabled", None, None),
        ("enabled", {"passwords": [{"expiry": "soon"}]}, None),
        ("enabled", {"passwords": [{"expiry": "soon"}, {"expiry": None}]}, True),
        ("", {"passwords": [{"expiry": None}]}, True),
        ("paused", {"passwords": [{"expiry": None}]}, True),
    ],
)
def test_a_token_that_is_not_known_to_be_closed_is_not_told_as_closed(
    status: str, credentials: Any, can: bool | None
) -> None:
    token = {"id": "/tokens/t", "name": "t", "properties": {"status": status, "credentials": credentials}}
    assert sign_ins.describe_token(token)["canSignIn"] is can


@pytest.mark.parametrize(
    ("tokens", "state"),
    [
        ([("enabled", None), ("disabled", {"passwords": [{}]})], "unknown"),
        ([("enabled", None), ("enabled", {"passwords": [{}]})], "open"),
        ([("disabled", None), ("enabled", {})], "closed"),
        ([], "none"),
    ],
)
def test_the_state_of_tokens_is_that_of_the_most_open_one(
    arm: ArmClient, contoso: Any, tokens: list[Any], state: str
) -> None:
    for number, (status, credentials) in enumerate(tokens):
        registry_children.add_token(contoso, f"t{number}", status)
        contoso.children["tokens"][-1]["properties"]["credentials"] = credentials
    assert read(arm, contoso)[0]["repositoryTokens"]["state"] == state


def test_items_that_do_not_say_how_they_sign_in_are_named_in_a_sentence(arm: ArmClient, contoso: Any) -> None:
    registry_children.add_token(contoso, "builders", passwords={"password1": None})
    for number in range(5):
        registry_children.add_token(contoso, f"odd{number}")
        contoso.children["tokens"][-1]["properties"]["credentials"] = None
    registry_children.add_connected_registry(contoso, "edge")
    del contoso.children["connectedregistries"][0]["properties"]["parent"]
    found, unread = read(arm, contoso)
    assert found["repositoryTokens"]["state"] == "open"
    assert "does not say how odd0, odd1, odd2 and 2 more can sign in" in unread[0]
    assert "does not say how edge can sign in" in unread[1]


@pytest.mark.parametrize("change", [{"name": "other"}, {"id": None}, {"id": "/tokens/other"}, {"properties": []}])
def test_an_item_that_is_not_what_its_id_says_makes_the_list_unknown(
    arm: ArmClient, contoso: Any, change: dict[str, Any]
) -> None:
    registry_children.add_token(contoso, "builders", passwords={"password1": None})
    contoso.children["tokens"][0].update(change)
    found, unread = read(arm, contoso)
    assert found["repositoryTokens"] == {"state": "unknown", "items": None}
    assert len(unread) == 1


def test_connected_registries_are_read_with_what_they_sync_with(arm: ArmClient, contoso: Any) -> None:
    registry_children.add_connected_registry(contoso, "factory", token="factory-sync")
    registry_children.add_connected_registry(contoso, "edge", identity=IDENTITY)
    edge, factory = read(arm, contoso)[0]["connectedRegistries"]["items"]
    common = {"mode": "ReadOnly", "connectionState": "Online", "clientTokens": []}
    assert edge == {"name": "edge", "authType": "ManagedIdentity", "token": "", "identities": [IDENTITY], **common}
    assert factory == {"name": "factory", "authType": "SyncToken", "token": "factory-sync", "identities": [], **common}


def test_one_that_does_not_say_how_it_signs_in_is_unknown_unless_it_has_a_token() -> None:
    def auth_type(sync: Any) -> Any:
        properties = {"mode": "ReadOnly", "parent": {"syncProperties": sync}}
        connected = {"id": "/connectedRegistries/edge", "name": "edge", "properties": properties}
        return sign_ins.describe_connected_registry(connected)["authType"]

    assert auth_type(None) == auth_type({}) == auth_type({"tokenId": None}) == "unknown"
    assert auth_type({"tokenId": "/a/tokens/t"}) == "SyncToken"


def test_lists_are_read_to_their_last_page_in_the_version_that_shows_all(
    cloud: LocalCloud, arm: ArmClient, contoso: Any
) -> None:
    for number in range(5):
        registry_children.add_token(contoso, f"t{number}", passwords={"password1": None})
        registry_children.add_connected_registry(contoso, f"c{number}", identity=IDENTITY)
    cloud.world.page_size, cloud.world.empty_pages = 2, 1
    found, unread = read(arm, contoso)
    assert unread == []
    assert [item["name"] for item in found["repositoryTokens"]["items"]] == [f"t{number}" for number in range(5)]
    connected = found["connectedRegistries"]["items"]
    assert [item["authType"] for item in connected] == ["ManagedIdentity"] * 5


def test_what_may_pass_the_network_rules_is_told(arm: ArmClient, contoso: Any) -> None:
    contoso.properties.update(
        networkRuleBypassAllowedForTasks=True,
        networkRuleBypassOptions="None",
        writableCacheRepos="Enabled",
        roleAssignmentMode="AbacRepositoryPermissions",
    )
    found, _ = read(arm, contoso)
    assert found["tasksNetworkBypass"] == "allowed"
    assert [found[name] for name in ("networkRuleBypassOptions", "writableCacheRepos", "roleAssignmentMode")] == [
        *("None", "Enabled", "AbacRepositoryPermissions")
    ]


def test_a_property_that_is_missing_is_unknown_and_said(arm: ArmClient, contoso: Any) -> None:
    del contoso.properties["writableCacheRepos"]
    contoso.properties["networkRuleBypassAllowedForTasks"] = None
    found, unread = read(arm, contoso)
    assert (found["writableCacheRepos"], found["tasksNetworkBypass"]) == ("unknown", "unknown")
    [sentence] = unread
    assert "has no tasksNetworkBypass, writableCacheRepos" in sentence


PARTS = {
    "*/registries/contoso": ("tasksNetworkBypass", "registries/read"),
    "*/tokens": ("repositoryTokens", "registries/tokens/read"),
    "*/connectedRegistries": ("connectedRegistries", "registries/connectedRegistries/read"),
}
FAILURES: dict[str, dict[str, Any]] = {
    "403": {"status": 403, "body": {"error": {"code": "AuthorizationFailed", "message": "No."}}},
    "404": {"status": 404, "body": {"error": {"code": "NotFound", "message": "No."}}},
    "400": {"status": 400, "body": {"error": {"code": "NoRegisteredProviderFound", "message": "No."}}},
    "no json": {"status": 200, "body": "<html>"},
    "a list": {"status": 200, "body": "[]"},
    "null": {"status": 200, "body": json.dumps({"value": None, "properties": 1})},
    "odd item": {"status": 200, "body": json.dumps({"value": [{"name": 1}], "properties": [1]})},
    "foreign link": {
        "status": 200,
        "body": json.dumps({"value": [], "nextLink": "https://evil.example/", "properties": "x"}),
    },
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("path", PARTS)
def test_what_cannot_be_read_is_unknown_and_said_and_the_others_are_there(
    cloud: LocalCloud, arm: ArmClient, contoso: Any, path: str, failure: str
) -> None:
    registry_children.add_token(contoso, "builders", passwords={"password1": None})
    registry_children.add_connected_registry(contoso, "factory", token="sync")
    evil = cloud.hostile("evil.example")
    cloud.faults.add(host=ARM_HOST, path=path, times=None, **FAILURES[failure])
    found, unread = read(arm, contoso)
    [sentence] = unread
    name, right = PARTS[path]
    assert right in sentence
    assert "contoso" in sentence
    assert found[name] == ("unknown" if name == "tasksNetworkBypass" else {"state": "unknown", "items": None})
    others = {"repositoryTokens", "connectedRegistries"} - {name}
    assert all(found[other]["state"] == "open" for other in others)
    assert evil.requests == []


def test_each_way_names_the_built_in_policies_that_close_it() -> None:
    policies = sign_ins.built_in_policies()
    assert [each["effects"] for each in policies["repositoryTokens"]] == ["Audit, Deny", "Modify"]
    assert policies["repositoryTokens"][0]["name"] == "ff05e24e-195c-447e-b322-5e90c9f9f366"
    assert policies["connectedRegistries"] == policies["writableCacheRepos"] == policies["tasksNetworkBypass"] == []


_SCALARS: list[Any] = [None, True, 0, -1.5, "", "disabled", "/a/b/c", "\ud800", "2026-01-01T00:00:00Z", [], {}, [1]]
_MEMBERS = ("name", "identity", "userAssignedIdentities", "properties", "status", "credentials", "passwords", "expiry",
            "certificates", "scopeMapId", "mode", "parent", "syncProperties", "tokenId", "clientTokenIds")  # fmt: skip
_OBJECTS = json_objects(lambda random: random.choice(_SCALARS), _MEMBERS)


@given(_OBJECTS, _OBJECTS)
def test_any_json_is_described_or_refused_for_its_shape(child: dict[str, Any], properties: dict[str, Any]) -> None:
    for describe in (sign_ins.describe_token, sign_ins.describe_connected_registry):
        for one in (child, {"id": "/x/one", "name": "one", "properties": {"mode": "Mirror", **properties}}):
            try:
                described = describe(one)
            except UnexpectedShape:
                continue
            assert described["name"]
            json.dumps(described)

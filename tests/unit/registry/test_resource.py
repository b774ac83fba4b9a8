"""The registry resource: reading its status, and writing it when ARM behaves as it was seen or documented to."""

from typing import Any

import pytest
from azure.cli.core.azclierror import (
    AzureResponseError,
    InvalidArgumentValueError,
    MutuallyExclusiveArgumentError,
    ResourceNotFoundError,
)

from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.base.resource_ids import REGISTRY_TYPE
from azext_acrscope.registry import resource as registry_resource
from tests.factories.registries import SUBSCRIPTION, ScriptedArm, resource

OPERATION = "https://management.azure.com/operationStatuses/registries-1?api-version=2025-04-01"


@pytest.mark.parametrize("status", ["enabled", "disabled"])
def test_a_status_that_azure_returns_is_not_the_default(status: str) -> None:
    assert registry_resource.status_of(resource(status)) == (status, False)


@pytest.mark.parametrize(
    "policies",
    [
        None,
        {},
        {"azureADAuthenticationAsArmPolicy": None},
        {"azureADAuthenticationAsArmPolicy": {}},
        {"azureADAuthenticationAsArmPolicy": {"status": None}},
    ],
)
def test_a_missing_status_is_enabled_by_default(policies: Any) -> None:
    assert registry_resource.status_of(resource(policies=policies)) == ("enabled", True)


def test_an_unknown_status_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(AzureResponseError, match="'partly'"):
        registry_resource.status_of(resource("partly"))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {"type": "Microsoft.Storage/storageAccounts", "properties": {}},
        {"type": REGISTRY_TYPE},
        {"type": REGISTRY_TYPE, "properties": {}},
    ],
)
def test_a_reply_that_is_no_registry_is_an_error(body: Any) -> None:
    with pytest.raises(AzureResponseError, match="not a container registry"):
        registry_resource.get_registry(ScriptedArm([body]), resource()["id"])  # type: ignore[arg-type]


def test_describe_lists_the_audiences_and_the_other_ways_in() -> None:
    described = registry_resource.describe_registry(resource("enabled", adminUserEnabled=True), ScriptedArm.audience)
    assert described["acceptedAudiences"] == [
        "https://containerregistry.azure.net",
        "https://management.core.windows.net/",
    ]
    assert described["otherSignIns"] == {"adminUser": True, "anonymousPull": False}
    assert registry_resource.describe_registry(resource("disabled"), ScriptedArm.audience)["acceptedAudiences"] == [
        "https://containerregistry.azure.net"
    ]


def find(arm: ScriptedArm, ref: RegistryRef, group: str | None = None) -> dict[str, Any]:
    return registry_resource.find_registry(arm, ref, group, ".azurecr.io")  # type: ignore[arg-type]


def test_with_a_group_a_registry_is_found_in_one_request() -> None:
    arm = ScriptedArm([resource()])
    assert find(arm, RegistryRef("contoso"), "rg")["name"] == "contoso"
    assert len(arm.requests) == 1


def test_without_a_group_the_search_names_the_one_registry() -> None:
    arm = ScriptedArm([resource()], found=[{"id": resource()["id"], "name": "contoso"}])
    assert find(arm, RegistryRef("Contoso"))["name"] == "contoso"
    assert "name eq 'Contoso'" in arm.requests[0]
    assert len(arm.requests) == 2


def test_a_registry_that_is_not_found_names_the_subscription() -> None:
    with pytest.raises(ResourceNotFoundError, match=SUBSCRIPTION):
        find(ScriptedArm([None]), RegistryRef("contoso"))


def test_a_group_that_contradicts_the_id_is_refused() -> None:
    with pytest.raises(MutuallyExclusiveArgumentError):
        find(ScriptedArm([resource()]), RegistryRef("contoso", None, "rg", SUBSCRIPTION), "other")


def test_registries_of_the_same_name_are_told_apart_by_login_server_only() -> None:
    one = resource(group="one", loginServer="contoso-aaaa.azurecr.io")
    two = resource(group="two", loginServer="contoso-bbbb.azurecr.io")
    found = [{"id": item["id"], "name": "contoso"} for item in (one, two)]
    with pytest.raises(InvalidArgumentValueError, match="2 registries"):
        find(ScriptedArm([one], found=found), RegistryRef("contoso"))
    ref = RegistryRef("contoso", "contoso-bbbb.azurecr.io")
    assert find(ScriptedArm([one, two], found=list(found)), ref)["id"] == two["id"]
    with pytest.raises(ResourceNotFoundError, match=r"contoso-aaaa\.azurecr\.io, contoso-bbbb"):
        find(ScriptedArm([one, two], found=list(found)), RegistryRef("contoso", "contoso.azurecr.io"))


def test_a_regional_login_server_finds_its_registry() -> None:
    arm = ScriptedArm([resource()])
    ref = RegistryRef("contoso", "contoso.westeurope.geo.azurecr.io")
    assert find(arm, ref, "rg")["name"] == "contoso"


@pytest.mark.parametrize(
    "body",
    [
        resource(policies=[1]),
        resource(policies={"azureADAuthenticationAsArmPolicy": "enabled"}),
        resource("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln"),
        {**resource(), "id": registry_resource.build_registry_id(SUBSCRIPTION, "rg", "fabrikam")},
        {key: value for key, value in resource().items() if key != "name"},
    ],
)
def test_an_odd_registry_is_an_error_without_a_token_in_it(body: Any) -> None:
    with pytest.raises(AzureResponseError) as caught:
        registry_resource.get_registry(ScriptedArm([body]), resource()["id"])  # type: ignore[arg-type]
    assert "eyJ" not in caught.value.error_msg


@pytest.mark.parametrize("group", ["rg?x=1", "rg#", "..", "rg/apps", "rg.", ""])
def test_a_group_name_cannot_change_the_path(group: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="resource group"):
        registry_resource.build_registry_id(SUBSCRIPTION, group, "contoso")


def test_an_account_without_a_subscription_is_told_so() -> None:
    arm = ScriptedArm([resource()])
    arm.has_subscription = False
    arm.tenant = "tenant-1"  # type: ignore[attr-defined]
    with pytest.raises(ResourceNotFoundError, match="no subscription in tenant tenant-1"):
        find(arm, RegistryRef("contoso"))

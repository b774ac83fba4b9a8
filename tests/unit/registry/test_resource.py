"""The registry resource: reading its status, and writing it when ARM behaves as it was seen or documented to."""

from typing import Any

import pytest
from azure.cli.core.azclierror import (
    AzCLIError,
    AzureResponseError,
    ForbiddenError,
    InvalidArgumentValueError,
    ManualInterrupt,
    MutuallyExclusiveArgumentError,
    ResourceNotFoundError,
)

from azext_acrscope.arm.client import ArmError, Reply
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.base.resource_ids import REGISTRY_TYPE
from azext_acrscope.registry import change
from azext_acrscope.registry import resource as registry_resource
from tests.factories.registries import SUBSCRIPTION, RegistryArm, resource

OPERATION = "https://management.azure.com/operationStatuses/registries-1?api-version=2025-04-01"


class FakeArm(RegistryArm):
    """Answers from scripts: a list of replies for each kind of request, the last one repeated."""

    def __init__(
        self, gets: list[Any], patch: Any = None, polls: list[Any] | None = None, found: list[Any] | None = None
    ):
        super().__init__()
        self.gets, self.patch_reply, self.polls, self.found = gets, patch, polls or [], found or []
        self.patches: list[Any] = []
        self.requests: list[str] = []

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        path, _, version = url.removeprefix(self.endpoint).partition("?api-version=")
        if url == OPERATION:
            self.requests.append(f"POLL {url}")
            return self._next_of(self.polls)
        if path.endswith("/resources"):
            self.requests.append(f"GET {path} {query.get('$filter')}")
            return Reply(200, {}, {"value": self.found})
        self.requests.append(f"{method} {path} {version}")
        if method == "PATCH":
            self.patches.append(body)
            return self._answer(self.patch_reply)
        return self._next_of(self.gets)

    def _next_of(self, scripted: list[Any]) -> Reply:
        return self._answer(scripted.pop(0) if len(scripted) > 1 else scripted[0])

    @staticmethod
    def _answer(scripted: Any) -> Reply:
        if isinstance(scripted, Exception):
            raise scripted
        return scripted if isinstance(scripted, Reply) else Reply(200, {}, scripted)


def set_status(arm: FakeArm, target: str = "disabled", timeout: float = 60) -> dict[str, Any]:
    return change.set_registry_status(arm, resource(), target, timeout, sleep=lambda _seconds: None)  # type: ignore[arg-type]


ASYNC = Reply(201, {"Azure-AsyncOperation": OPERATION}, resource("disabled"))


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
        registry_resource.get_registry(FakeArm([body]), resource()["id"])  # type: ignore[arg-type]


def test_describe_lists_the_audiences_and_the_other_ways_in() -> None:
    described = registry_resource.describe_registry(resource("enabled", adminUserEnabled=True), FakeArm.audience)
    assert described["acceptedAudiences"] == [
        "https://containerregistry.azure.net",
        "https://management.core.windows.net/",
    ]
    assert described["otherSignIns"] == {"adminUser": True, "anonymousPull": False}
    assert registry_resource.describe_registry(resource("disabled"), FakeArm.audience)["acceptedAudiences"] == [
        "https://containerregistry.azure.net"
    ]


def find(arm: FakeArm, ref: RegistryRef, group: str | None = None) -> dict[str, Any]:
    return registry_resource.find_registry(arm, ref, group, ".azurecr.io")  # type: ignore[arg-type]


def test_with_a_group_a_registry_is_found_in_one_request() -> None:
    arm = FakeArm([resource()])
    assert find(arm, RegistryRef("contoso"), "rg")["name"] == "contoso"
    assert len(arm.requests) == 1


def test_without_a_group_the_search_names_the_one_registry() -> None:
    arm = FakeArm([resource()], found=[{"id": resource()["id"], "name": "contoso"}])
    assert find(arm, RegistryRef("Contoso"))["name"] == "contoso"
    assert "name eq 'Contoso'" in arm.requests[0]
    assert len(arm.requests) == 2


def test_a_registry_that_is_not_found_names_the_subscription() -> None:
    with pytest.raises(ResourceNotFoundError, match=SUBSCRIPTION):
        find(FakeArm([None]), RegistryRef("contoso"))


def test_a_group_that_contradicts_the_id_is_refused() -> None:
    with pytest.raises(MutuallyExclusiveArgumentError):
        find(FakeArm([resource()]), RegistryRef("contoso", None, "rg", SUBSCRIPTION), "other")


def test_registries_of_the_same_name_are_told_apart_by_login_server_only() -> None:
    one = resource(group="one", loginServer="contoso-aaaa.azurecr.io")
    two = resource(group="two", loginServer="contoso-bbbb.azurecr.io")
    found = [{"id": item["id"], "name": "contoso"} for item in (one, two)]
    with pytest.raises(InvalidArgumentValueError, match="2 registries"):
        find(FakeArm([one], found=found), RegistryRef("contoso"))
    ref = RegistryRef("contoso", "contoso-bbbb.azurecr.io")
    assert find(FakeArm([one, two], found=list(found)), ref)["id"] == two["id"]
    with pytest.raises(ResourceNotFoundError, match=r"contoso-aaaa\.azurecr\.io, contoso-bbbb"):
        find(FakeArm([one, two], found=list(found)), RegistryRef("contoso", "contoso.azurecr.io"))


def test_a_regional_login_server_finds_its_registry() -> None:
    arm = FakeArm([resource()])
    ref = RegistryRef("contoso", "contoso.westeurope.geo.azurecr.io")
    assert find(arm, ref, "rg")["name"] == "contoso"


def test_a_write_carries_one_property_and_nothing_else() -> None:
    arm = FakeArm([resource("disabled")], patch=resource("disabled"))
    set_status(arm)
    assert arm.patches == [{"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}]
    assert arm.requests[0].endswith("2025-04-01")


def test_a_synchronous_write_is_read_back() -> None:
    arm = FakeArm([resource("disabled")], patch=resource("disabled"))
    assert registry_resource.status_of(set_status(arm))[0] == "disabled"
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "GET"]


def test_an_asynchronous_write_is_waited_for() -> None:
    arm = FakeArm(
        [resource("disabled")],
        patch=ASYNC,
        polls=[{"status": "Updating"}, {"status": "Updating"}, {"status": "Succeeded"}],
    )
    set_status(arm)
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "POLL", "POLL", "POLL", "GET"]


def test_an_operation_that_fails_says_why_and_what_the_state_is_now() -> None:
    failed = {"status": "Failed", "error": {"code": "Conflict", "message": "Key vault is gone"}}
    with pytest.raises(AzureResponseError, match="Key vault is gone") as caught:
        set_status(FakeArm([resource("enabled")], patch=ASYNC, polls=[failed]))
    assert caught.value.error_msg.endswith("It is `enabled` now.")


def test_an_operation_that_never_ends_is_an_error_that_tells_the_state() -> None:
    with pytest.raises(AzureResponseError, match="had not ended after 0 seconds") as caught:
        set_status(FakeArm([resource("disabled")], patch=ASYNC, polls=[{"status": "Updating"}]), timeout=0)
    assert caught.value.error_msg.endswith("It is `disabled` now.")


def test_a_read_back_that_disagrees_is_an_error() -> None:
    with pytest.raises(AzureResponseError, match="reading it back"):
        set_status(FakeArm([resource("enabled")], patch=resource("disabled")))


def test_without_the_right_to_poll_the_registry_itself_is_polled() -> None:
    denied = ArmError(403, "AuthorizationFailed", "no operationStatuses/read", "c")
    updating = resource("disabled", provisioningState="Updating")
    arm = FakeArm([updating, updating, resource("disabled")], patch=ASYNC, polls=[denied])
    assert registry_resource.status_of(set_status(arm))[0] == "disabled"
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "POLL", "GET", "GET", "GET", "GET"]


def test_without_the_right_to_poll_an_unchanged_registry_is_an_error() -> None:
    denied = ArmError(403, "AuthorizationFailed", "no operationStatuses/read", "c")
    with pytest.raises(AzureResponseError, match="reading it back"):
        set_status(FakeArm([resource("enabled")], patch=ASYNC, polls=[denied]))


@pytest.mark.parametrize("code", ["AuthorizationFailed", "RequestDisallowedByPolicy"])
def test_a_refused_write_says_what_the_state_is_now(code: str) -> None:
    with pytest.raises(ForbiddenError) as caught:
        set_status(FakeArm([resource("enabled")], patch=ArmError(403, code, "no", "c-1")))
    assert code in caught.value.error_msg
    assert caught.value.error_msg.endswith("It is `enabled` now.")
    assert caught.value.recommendations


def test_a_locked_registry_says_so() -> None:
    with pytest.raises(ForbiddenError, match="lock protects"):
        set_status(FakeArm([resource("enabled")], patch=ArmError(409, "ScopeLocked", "locked", "c")))


def test_a_state_that_cannot_be_read_is_not_invented() -> None:
    gone = ArmError(500, "InternalServerError", "oops", "c")
    with pytest.raises(AzCLIError, match="could not be read"):
        set_status(FakeArm([gone], patch=ArmError(403, "AuthorizationFailed", "no", "c")))


def test_an_operation_url_of_another_host_is_not_asked() -> None:
    foreign = Reply(201, {"Azure-AsyncOperation": "https://evil.example/op"}, resource("disabled"))
    arm = FakeArm([resource("disabled")], patch=foreign)
    assert registry_resource.status_of(set_status(arm))[0] == "disabled"
    assert not [request for request in arm.requests if request.startswith("POLL")]


@pytest.mark.parametrize("word", ["succeeded", "SUCCEEDED"])
def test_azures_words_count_in_any_case(word: str) -> None:
    arm = FakeArm([resource("disabled")], patch=ASYNC, polls=[{"status": word}])
    assert registry_resource.status_of(set_status(arm))[0] == "disabled"


@pytest.mark.parametrize("status", [500, 503, 401])
def test_an_operation_that_cannot_be_read_is_judged_by_the_registry(status: int) -> None:
    broken = ArmError(status, "InternalServerError", "oops", "c")
    arm = FakeArm([resource("disabled")], patch=ASYNC, polls=[broken])
    assert registry_resource.status_of(set_status(arm))[0] == "disabled"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_failed_read_back_says_that_the_change_was_accepted(status: int) -> None:
    broken = ArmError(status, "Whatever", "oops", "c")
    with pytest.raises(AzCLIError, match="Azure had accepted the change"):
        set_status(FakeArm([broken], patch=resource("disabled")))


def test_an_interrupted_wait_says_that_azure_goes_on() -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    arm = FakeArm([resource("disabled")], patch=ASYNC, polls=[{"status": "Updating"}])
    with pytest.raises(ManualInterrupt, match="Azure accepted the change"):
        change.set_registry_status(arm, resource(), "disabled", 60, sleep=interrupt)  # type: ignore[arg-type]


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
        registry_resource.get_registry(FakeArm([body]), resource()["id"])  # type: ignore[arg-type]
    assert "eyJ" not in caught.value.error_msg


@pytest.mark.parametrize("group", ["rg?x=1", "rg#", "..", "rg/apps", "rg.", ""])
def test_a_group_name_cannot_change_the_path(group: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="resource group"):
        registry_resource.build_registry_id(SUBSCRIPTION, group, "contoso")


def test_an_account_without_a_subscription_is_told_so() -> None:
    arm = FakeArm([resource()])
    arm.has_subscription = False
    arm.tenant = "tenant-1"  # type: ignore[attr-defined]
    with pytest.raises(ResourceNotFoundError, match="no subscription in tenant tenant-1"):
        find(arm, RegistryRef("contoso"))

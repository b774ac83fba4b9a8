"""One registry's change: what it sends, what it waits for, and what it says of the state whatever ARM answers.

Played through the executor, the one place that makes changes.
"""

import time
from pathlib import Path

import pytest
from azure.cli.core.azclierror import AzCLIError, AzureResponseError, ForbiddenError

from azext_acrscope.arm.client import ArmError, Reply
from azext_acrscope.enforcement import executor
from azext_acrscope.enforcement.executor import PlanExecutor
from azext_acrscope.enforcement.plan_item import PlanItem
from azext_acrscope.enforcement.record import RunRecord
from azext_acrscope.registry.change import StatusChange
from tests.factories.registries import OPERATION, ScriptedArm, resource

ASYNC = Reply(201, {"Azure-AsyncOperation": OPERATION}, resource("disabled"))
UPDATING = resource("disabled", provisioningState="Updating")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(executor, "_FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(executor, "_READ_BACK_SECONDS", 0.001)
    monkeypatch.chdir(tmp_path)


def set_status(arm: ScriptedArm, timeout: float = 60) -> str:
    """The status that one change ends with; what went wrong is raised."""
    item = PlanItem(resource(), "enabled", "disabled", pause=0.001)
    record = RunRecord(Path("run.jsonl"))
    runner = PlanExecutor(lambda _: arm, record, timeout, planned=time.monotonic())
    runner.run([item])
    record.close()
    if item.error:
        raise item.error
    return item.status


def test_a_write_carries_one_property_and_nothing_else() -> None:
    arm = ScriptedArm([resource("disabled")], patch=resource("disabled"))
    set_status(arm)
    assert arm.patches == [{"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}]
    assert arm.requests[0].endswith("2025-04-01")


def test_a_synchronous_write_is_read_back() -> None:
    arm = ScriptedArm([resource("disabled")], patch=resource("disabled"))
    assert set_status(arm) == "disabled"
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "GET"]


def test_an_asynchronous_write_is_waited_for() -> None:
    arm = ScriptedArm(
        [UPDATING, resource("disabled")],
        patch=ASYNC,
        polls=[{"status": "Updating"}, {"status": "Updating"}, {"status": "Succeeded"}],
    )
    set_status(arm)
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "GET", "POLL", "POLL", "POLL", "GET"]


def test_an_asynchronous_write_that_is_over_already_is_read_back_and_nothing_else() -> None:
    arm = ScriptedArm([resource("disabled")], patch=ASYNC)
    assert set_status(arm) == "disabled"
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "GET"]


def test_a_registry_that_is_settled_with_the_old_status_leaves_it_to_the_operation_to_say_why() -> None:
    failed = {"status": "Canceled", "error": {"code": "Conflict", "message": "Key vault is gone"}}
    arm = ScriptedArm([resource("enabled")], patch=ASYNC, polls=[{"status": "Updating"}, failed])
    with pytest.raises(AzureResponseError, match="Key vault is gone"):
        set_status(arm)
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "GET", "POLL", "POLL", "GET"]


def test_an_operation_that_fails_says_why_and_what_the_state_is_now() -> None:
    failed = {"status": "Failed", "error": {"code": "Conflict", "message": "Key vault is gone"}}
    with pytest.raises(AzureResponseError, match="Key vault is gone") as caught:
        set_status(ScriptedArm([resource("enabled")], patch=ASYNC, polls=[failed]))
    assert caught.value.error_msg.endswith("It is `enabled` now.")


def test_an_operation_that_never_ends_is_an_error_that_tells_the_state() -> None:
    with pytest.raises(AzureResponseError, match="had not ended after 0 seconds") as caught:
        set_status(ScriptedArm([UPDATING], patch=ASYNC, polls=[{"status": "Updating"}]), timeout=0)
    assert caught.value.error_msg.endswith("It is `disabled` now.")


def test_a_read_back_that_disagrees_is_an_error() -> None:
    with pytest.raises(AzureResponseError, match="reading it back"):
        set_status(ScriptedArm([resource("enabled")], patch=resource("disabled")))


def test_without_the_right_to_poll_the_registry_itself_is_polled() -> None:
    denied = ArmError(403, "AuthorizationFailed", "no operationStatuses/read", "c")
    arm = ScriptedArm([UPDATING, UPDATING, UPDATING, resource("disabled")], patch=ASYNC, polls=[denied])
    assert set_status(arm) == "disabled"
    assert [request.split()[0] for request in arm.requests] == ["PATCH", "GET", "POLL", "GET", "GET", "GET", "GET"]


def test_without_the_right_to_poll_an_unchanged_registry_is_an_error() -> None:
    denied = ArmError(403, "AuthorizationFailed", "no operationStatuses/read", "c")
    with pytest.raises(AzureResponseError, match="reading it back"):
        set_status(ScriptedArm([resource("enabled")], patch=ASYNC, polls=[denied]))


@pytest.mark.parametrize("code", ["AuthorizationFailed", "RequestDisallowedByPolicy"])
def test_a_refused_write_says_what_the_state_is_now(code: str) -> None:
    with pytest.raises(ForbiddenError) as caught:
        set_status(ScriptedArm([resource("enabled")], patch=ArmError(403, code, "no", "c-1")))
    assert code in caught.value.error_msg
    assert caught.value.error_msg.endswith("It is `enabled` now.")
    assert caught.value.recommendations


def test_a_locked_registry_says_so() -> None:
    with pytest.raises(ForbiddenError, match="lock protects"):
        set_status(ScriptedArm([resource("enabled")], patch=ArmError(409, "ScopeLocked", "locked", "c")))


def test_a_state_that_cannot_be_read_is_not_invented() -> None:
    gone = ArmError(500, "InternalServerError", "oops", "c")
    with pytest.raises(AzCLIError, match="could not be read"):
        set_status(ScriptedArm([gone], patch=ArmError(403, "AuthorizationFailed", "no", "c")))


def test_an_operation_url_of_another_host_is_not_asked() -> None:
    foreign = Reply(201, {"Azure-AsyncOperation": "https://evil.example/op"}, UPDATING)
    arm = ScriptedArm([UPDATING, resource("disabled")], patch=foreign)
    assert set_status(arm) == "disabled"
    assert not [request for request in arm.requests if request.startswith("POLL")]


@pytest.mark.parametrize("word", ["succeeded", "SUCCEEDED"])
def test_azures_words_count_in_any_case(word: str) -> None:
    arm = ScriptedArm([UPDATING, resource("disabled")], patch=ASYNC, polls=[{"status": word}])
    assert set_status(arm) == "disabled"
    assert len(arm.requests) == 4


@pytest.mark.parametrize("status", [500, 503, 401])
def test_an_operation_that_cannot_be_read_is_judged_by_the_registry(status: int) -> None:
    broken = ArmError(status, "InternalServerError", "oops", "c")
    arm = ScriptedArm([UPDATING, resource("disabled")], patch=ASYNC, polls=[broken])
    assert set_status(arm) == "disabled"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_failed_read_back_says_that_the_change_was_accepted(status: int) -> None:
    broken = ArmError(status, "Whatever", "oops", "c")
    with pytest.raises(AzCLIError, match="Azure had accepted the change"):
        set_status(ScriptedArm([broken], patch=resource("disabled")))


def test_each_request_says_what_is_left_of_its_kind() -> None:
    reads, writes = (f"x-ms-ratelimit-remaining-subscription-{kind}" for kind in ("reads", "writes"))
    arm = ScriptedArm(
        [Reply(200, {reads: "7"}, resource("disabled"))],
        patch=Reply(201, {**ASYNC.headers, writes: "9", reads: "1"}, ASYNC.body),
        polls=[Reply(200, {reads: "8"}, {"status": "Succeeded"})],
    )
    change, left = StatusChange(arm, resource(), "disabled"), []
    for step in (change.send, change.look, change.read_status):
        step()
        left.append(change.requests_left)
    assert left == [9, 8, 7]

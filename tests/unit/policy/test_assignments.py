"""Assignments by name, and taking back those that are ours."""

import pytest
from azure.cli.core.azclierror import AzureResponseError, InvalidArgumentValueError, ValidationError

from azext_acrscope.arm.client import Reply
from azext_acrscope.policy import assignments, roles
from azext_acrscope.policy.planning import AssignmentRequest
from tests.factories.policy import AT_MANAGEMENT_GROUP, AT_SUBSCRIPTION, MODIFYING, FakeArm, assign, refusal, stored


@pytest.mark.parametrize("name", ["a/b", "a?b", "x.y", "a b ", "", "a\nb", "n" * 65, "../../x", "a#b" * 30])
def test_a_name_that_azure_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="1 to 64 characters"):
        assignments.check_assignment_name(name, AT_SUBSCRIPTION)


def test_names_are_shorter_at_management_groups() -> None:
    assignments.check_assignment_name("n" * 24, AT_MANAGEMENT_GROUP)
    with pytest.raises(InvalidArgumentValueError, match="1 to 24 characters"):
        assignments.check_assignment_name("n" * 25, AT_MANAGEMENT_GROUP)


# --- removing ------------------------------------------------------------------------------------------------------


def remove(arm: FakeArm, name: str | None = None) -> None:
    found = assignments.find_removable(arm, AT_SUBSCRIPTION, name)
    assert found
    granted = roles.find_granted_roles(
        arm,
        AT_SUBSCRIPTION,
        assignments.assignment_id(AT_SUBSCRIPTION, found["name"]),
        roles.identity_principals(found),
    )
    assignments.remove_assignment(arm, AT_SUBSCRIPTION, found, granted)


def test_the_role_goes_before_the_assignment_so_that_a_repeat_finds_what_is_left() -> None:
    arm = FakeArm()
    assign(arm, MODIFYING)
    arm.writes.clear()
    arm.refuse("DELETE", "policyAssignments", refusal(500, "InternalServerError"))
    with pytest.raises(Exception, match="InternalServerError"):
        remove(arm)
    remove(arm)
    assert arm.objects == {}
    assert [(method, path.split("/")[-2]) for method, path, _ in arm.writes] == [
        ("DELETE", "roleAssignments"),
        ("DELETE", "policyAssignments"),
        ("DELETE", "policyAssignments"),
    ]


def test_somebody_elses_assignment_is_left_alone() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest())
    stored(arm)["properties"]["metadata"] = {"assignedBy": "Jo"}
    assert assignments.find_removable(arm, AT_SUBSCRIPTION, None) is None
    with pytest.raises(ValidationError, match="was not created by"):
        assignments.find_removable(arm, AT_SUBSCRIPTION, "acrscope")


def test_one_of_several_has_to_be_named() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest())
    assign(arm, MODIFYING)
    with pytest.raises(ValidationError, match="acrscope, acrscope-modify"):
        assignments.find_removable(arm, AT_SUBSCRIPTION, None)
    remove(arm, "acrscope")
    remove(arm)
    assert arm.objects == {}


@pytest.mark.parametrize("answer", [None, {}, [], {"properties": {"parameters": {"effect": {"value": 5}}}}])
@pytest.mark.parametrize("done", [True, False])
def test_an_assignment_counts_once_it_is_read_as_it_was_written(answer: object, done: bool) -> None:
    class Odd(FakeArm):
        def put(self, path: str, api_version: str, body: dict[str, object]) -> Reply:
            if done:
                super().put(path, api_version, body)
            return Reply(200, {}, answer)

    if done:
        assert assign(Odd(), AssignmentRequest("deny"))["effect"] == "Deny"
        return
    with pytest.raises(AzureResponseError, match="not known whether the policy is assigned"):
        assign(Odd(), AssignmentRequest("deny"))

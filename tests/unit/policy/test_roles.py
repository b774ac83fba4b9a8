"""The role of an assignment's identity: waiting until the directory knows it, and finding what is there."""

from typing import Any

import pytest
from azure.cli.core.azclierror import AzureResponseError

from azext_acrscope.arm.client import Reply
from azext_acrscope.policy import roles
from azext_acrscope.policy.definitions import CONTRIBUTOR_ROLE
from tests.factories.policy import AT_MANAGEMENT_GROUP, AT_SUBSCRIPTION, PRINCIPAL, SUBSCRIPTION, FakeArm, refusal

ASSIGNMENT = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/acrscope-modify"


def unknown() -> Any:
    return refusal(400, "PrincipalNotFound")


def test_the_name_is_the_same_each_time_and_for_any_case() -> None:
    one = roles.role_assignment_path(AT_SUBSCRIPTION, ASSIGNMENT, PRINCIPAL)
    assert one == roles.role_assignment_path(AT_SUBSCRIPTION, ASSIGNMENT.upper(), PRINCIPAL.upper())
    assert one != roles.role_assignment_path(AT_SUBSCRIPTION, ASSIGNMENT + "2", PRINCIPAL)


def test_an_identity_the_directory_does_not_know_yet_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    arm = FakeArm()
    arm.refuse("PUT", "roleAssignments", unknown(), unknown())
    waits: list[float] = []
    made = roles.grant_contributor(arm, AT_SUBSCRIPTION, ASSIGNMENT, PRINCIPAL, timeout=60, sleep=waits.append)
    assert made.lower() in arm.objects
    assert waits == [1.0, 2.0]
    told = capsys.readouterr().err.splitlines()
    assert told.count("The new identity is not known everywhere yet. Waiting to assign its role …") == 1


def test_the_wait_has_an_end() -> None:
    arm = FakeArm()
    arm.refuse("PUT", "roleAssignments", *(unknown() for _ in range(3)))
    with pytest.raises(AzureResponseError, match="still unknown to the directory after 0 seconds"):
        roles.grant_contributor(arm, AT_SUBSCRIPTION, ASSIGNMENT, PRINCIPAL, timeout=0, sleep=lambda _: None)


def test_an_equal_assignment_made_meanwhile_is_as_good() -> None:
    arm = FakeArm()
    other = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/other"
    arm.put(other, "", {"properties": {"principalId": PRINCIPAL, "roleDefinitionId": f"/x/{CONTRIBUTOR_ROLE}"}})
    arm.refuse("PUT", "roleAssignments", refusal(409, "RoleAssignmentExists"))
    assert (
        roles.grant_contributor(arm, AT_SUBSCRIPTION, ASSIGNMENT, PRINCIPAL, timeout=60, sleep=lambda _: None) == other
    )


@pytest.mark.parametrize(
    ("role", "condition", "suffices"),
    [
        (CONTRIBUTOR_ROLE.upper(), None, True),
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", None, True),
        (CONTRIBUTOR_ROLE, "@Resource[...]", False),
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", None, False),
    ],
)
def test_contributor_or_owner_without_a_condition_suffices(role: str, condition: str | None, suffices: bool) -> None:
    arm = FakeArm()
    held = {"principalId": PRINCIPAL, "roleDefinitionId": f"/providers/x/{role}", "condition": condition}
    arm.put(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/held", "", {"properties": held})
    assert bool(roles.find_role_assignment(arm, AT_SUBSCRIPTION, PRINCIPAL)) is suffices
    assert arm.filters == [f"atScope() and assignedTo('{PRINCIPAL}')"]


def test_above_subscriptions_the_role_is_named_without_one() -> None:
    arm = FakeArm()
    roles.grant_contributor(arm, AT_MANAGEMENT_GROUP, ASSIGNMENT, PRINCIPAL, timeout=60)
    roles.grant_contributor(arm, AT_SUBSCRIPTION, ASSIGNMENT, PRINCIPAL, timeout=60)
    below = f"/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR_ROLE}"
    assert [body["properties"]["roleDefinitionId"] for _, _, body in arm.writes] == [below, SUBSCRIPTION + below]


@pytest.mark.parametrize("answer", [None, {}, [], "<html>", {"properties": {"principalId": "another"}}])
@pytest.mark.parametrize("done", [True, False])
def test_a_role_counts_once_it_is_there_whatever_the_write_answered(answer: Any, done: bool) -> None:
    class Odd(FakeArm):
        def put(self, path: str, api_version: str, body: dict[str, Any]) -> Reply:
            if done:
                super().put(path, api_version, body)
            return Reply(204, {}, answer)

    def grant() -> str:
        return roles.grant_contributor(Odd(), AT_SUBSCRIPTION, ASSIGNMENT, PRINCIPAL, timeout=60, sleep=lambda _: None)

    if done:
        assert grant().lower().startswith(SUBSCRIPTION.lower())
        return
    with pytest.raises(AzureResponseError, match="its identity has no role yet"):
        grant()

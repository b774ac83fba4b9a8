"""Planning and making assignments: what is written, and above all what is not."""

import copy

import pytest
from azure.cli.core.azclierror import (
    AzureResponseError,
    ForbiddenError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.arm.paths import check_resource_id, encode_path
from azext_acrscope.policy import assignments, planning
from azext_acrscope.policy.definitions import AUDIT_OR_DENY_ID, CONTRIBUTOR_ROLE, MODIFY_ID
from azext_acrscope.policy.planning import AssignmentRequest
from azext_acrscope.policy.scopes import PolicyScope
from tests.factories.policy import (
    AT_GROUP,
    AT_MANAGEMENT_GROUP,
    AT_SUBSCRIPTION,
    IDENTITY,
    MODIFYING,
    PRINCIPAL,
    SUBSCRIPTION,
    FakeArm,
    assign,
    refusal,
    stored,
)


@pytest.mark.parametrize("scope", [AT_SUBSCRIPTION, AT_GROUP, AT_MANAGEMENT_GROUP])
def test_a_new_assignment_audits_by_default(scope: PolicyScope) -> None:
    arm = FakeArm()
    assert assign(arm, AssignmentRequest(), scope)["changed"] is True
    properties = stored(arm, "acrscope", scope)["properties"]
    assert properties["policyDefinitionId"] == AUDIT_OR_DENY_ID
    assert properties["parameters"] == {"effect": {"value": "Audit"}}
    assert properties["enforcementMode"] == "Default"
    assert "identity" not in stored(arm, "acrscope", scope)


@pytest.mark.parametrize(
    "wanted", [AssignmentRequest(), AssignmentRequest("deny", enforcement="do-not-enforce", message="no"), MODIFYING]
)
def test_a_repeat_writes_nothing(wanted: AssignmentRequest) -> None:
    arm = FakeArm()
    assign(arm, wanted)
    arm.writes.clear()
    assert assign(arm, wanted)["changed"] is False
    assert arm.writes == []


def test_letter_case_and_spelled_out_defaults_are_no_difference() -> None:
    arm = FakeArm()
    scope = f"{SUBSCRIPTION}/resourceGroups/rg-A"
    assign(arm, AssignmentRequest(not_scopes=[scope]))
    there = stored(arm)["properties"]
    there["policyDefinitionId"] = AUDIT_OR_DENY_ID.lower()
    there["notScopes"] = [scope.lower()]
    there["parameters"]["effect"]["value"] = "audit"
    del there["enforcementMode"]
    arm.writes.clear()
    assert assign(arm, AssignmentRequest("audit", not_scopes=[scope], enforcement="default"))["changed"] is False
    assert arm.writes == []


def test_the_order_of_excluded_scopes_is_no_difference() -> None:
    arm = FakeArm()
    one, two = f"{SUBSCRIPTION}/resourceGroups/a", f"{SUBSCRIPTION}/resourceGroups/b"
    assign(arm, AssignmentRequest(not_scopes=[one, two]))
    assert assign(arm, AssignmentRequest(not_scopes=[two, one]))["changed"] is False


def test_what_is_there_and_unknown_survives_a_change() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest())
    there = stored(arm)["properties"]
    there |= {
        "resourceSelectors": [{"name": "r", "selectors": [{"kind": "resourceLocation", "in": ["westeurope"]}]}],
        "overrides": [{"kind": "policyEffect", "value": "Disabled"}],
        "description": "ours",
        "somethingNew": {"a": 1},
        "scope": SUBSCRIPTION,
        "instanceId": "1",
    }
    there["metadata"]["team"] = "platform"
    before = copy.deepcopy(there)
    assign(arm, AssignmentRequest("deny"))
    after = stored(arm)["properties"]
    assert after.pop("parameters") == {"effect": {"value": "Deny"}}
    for gone in ("parameters", "scope", "instanceId"):  # the last two Azure alone says
        before.pop(gone)
    assert after == before


def test_options_left_out_leave_an_assignment_as_it_is() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest("deny", display_name="Mine", enforcement="do-not-enforce", message="no"))
    arm.writes.clear()
    result = assign(arm, AssignmentRequest())
    assert result["effect"] == "Deny"
    assert arm.writes == []


def test_a_dry_run_tells_each_change_with_what_is_there_now() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest())
    plan = planning.plan_assignment(arm, AT_SUBSCRIPTION, AssignmentRequest("deny", display_name="Mine", message="no"))
    result = planning.assignment_result(plan, None, {"registries": 1, "of": 2})
    assert [(each["what"], each["before"], each["after"]) for each in result["plannedChanges"]] == [
        ("effect", "Audit", "Deny"),
        ("display name", "Container registries accept ACR-audience tokens only", "Mine"),
        ("message", None, "no"),
    ]
    assert result["effect"] == "Audit"
    assert result["changed"] is False


def test_excluded_scopes_and_the_message_can_be_taken_back() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest(not_scopes=[f"{SUBSCRIPTION}/resourceGroups/a"], message="no"))
    assign(arm, AssignmentRequest(not_scopes=[], message=""))
    assert stored(arm)["properties"]["notScopes"] == []
    assert stored(arm)["properties"]["nonComplianceMessages"] == []


def test_an_assignment_of_another_definition_is_not_touched() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest())
    arm.writes.clear()
    with pytest.raises(ValidationError, match="assigns another definition"):
        assign(arm, AssignmentRequest("modify", name="acrscope", location="westeurope"))
    assert arm.writes == []


def test_an_answer_that_is_no_assignment_is_an_error() -> None:
    arm = FakeArm()
    arm.objects[assignments.assignment_id(AT_SUBSCRIPTION, "acrscope").lower()] = {"properties": None}
    with pytest.raises(AzureResponseError, match="a policy assignment cannot be read"):
        assign(arm, AssignmentRequest())


# --- modify: the identity and its role -----------------------------------------------------------------------------


def test_modify_gives_the_identity_the_role_at_the_scope() -> None:
    arm = FakeArm()
    result = assign(arm, MODIFYING)
    made = stored(arm, "acrscope-modify")
    assert made["properties"]["policyDefinitionId"] == MODIFY_ID
    assert made["location"] == "westeurope"
    assert result["identityPrincipalId"] == PRINCIPAL
    role = arm.objects[result["roleAssignmentId"].lower()]["properties"]
    assert role["principalId"] == PRINCIPAL
    assert role["principalType"] == "ServicePrincipal"
    assert role["roleDefinitionId"].endswith(CONTRIBUTOR_ROLE)


def test_interrupted_between_the_two_writes_a_repeat_writes_the_second_alone() -> None:
    arm = FakeArm()
    arm.refuse("PUT", "roleAssignments", refusal(500, "InternalServerError"))
    with pytest.raises(Exception, match="InternalServerError"):
        assign(arm, MODIFYING)
    arm.writes.clear()
    plan = planning.plan_assignment(arm, AT_SUBSCRIPTION, MODIFYING)
    assert [each.what for each in plan.changes] == ["new role of its identity"]
    assert assign(arm, MODIFYING)["changed"] is True
    assert [path.split("/")[-2] for _, path, _ in arm.writes] == ["roleAssignments"]


def test_a_location_is_needed_where_the_scope_has_none() -> None:
    arm = FakeArm()
    with pytest.raises(RequiredArgumentMissingError, match="needs a location"):
        assign(arm, AssignmentRequest("modify"))
    assert arm.writes == []


def test_the_resource_groups_location_is_the_default() -> None:
    arm = FakeArm()
    arm.objects[AT_GROUP.path.lower()] = {"location": "norwayeast"}
    assign(arm, AssignmentRequest("modify"), AT_GROUP)
    assert stored(arm, "acrscope-modify", AT_GROUP)["location"] == "norwayeast"


def test_another_location_than_that_of_the_assignment_is_refused() -> None:
    arm = FakeArm()
    assign(arm, MODIFYING)
    assert assign(arm, AssignmentRequest("modify", location="West Europe"))["changed"] is False
    assert assign(arm, AssignmentRequest("modify"))["changed"] is False
    with pytest.raises(ValidationError, match="cannot move to northeurope"):
        assign(arm, AssignmentRequest("modify", location="northeurope"))


def test_a_default_location_is_used_and_contradicts_nothing() -> None:
    arm, wanted = FakeArm(), AssignmentRequest("modify", default_location="northeurope")
    assert assign(arm, wanted)["changed"] is True
    assert stored(arm, "acrscope-modify")["location"] == "northeurope"
    assert assign(arm, AssignmentRequest("modify", default_location="westeurope"))["changed"] is False
    AssignmentRequest("audit", default_location="westeurope").check(AT_GROUP)


def test_a_user_assigned_identity_is_used_and_kept() -> None:
    arm = FakeArm()
    wanted = AssignmentRequest("modify", location="westeurope", identity=IDENTITY)
    result = assign(arm, wanted)
    assert result["identityPrincipalId"] == PRINCIPAL
    assert result["roleAssignmentId"]
    arm.writes.clear()
    other_case = AssignmentRequest(
        "modify", identity=IDENTITY.lower().replace("microsoft.managedidentity", "Microsoft.ManagedIdentity")
    )
    for again in (wanted, AssignmentRequest("modify"), other_case):
        assert assign(arm, again)["changed"] is False
    assert arm.writes == []


def test_a_change_of_identity_takes_the_old_ones_role_away_first() -> None:
    arm = FakeArm()
    old = assign(arm, MODIFYING)["roleAssignmentId"]
    arm.writes.clear()
    plan = planning.plan_assignment(arm, AT_SUBSCRIPTION, AssignmentRequest("modify", identity=IDENTITY))
    assert [str(each) for each in plan.changes] == [
        f"identity: {IDENTITY} (now SystemAssigned)",
        "new role of its identity: Contributor at subscription 1",
    ]
    planning.apply_assignment(plan, arm, 60, lambda _: None)
    assert [(method, path.split("/")[-2]) for method, path, _ in arm.writes] == [
        ("DELETE", "roleAssignments"),
        ("PUT", "policyAssignments"),
        ("PUT", "roleAssignments"),
    ]
    assert arm.writes[0][1] == old


# --- what was typed ------------------------------------------------------------------------------------------------


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    arm = FakeArm()
    assign(arm, AssignmentRequest(name="a #b"))
    assert encode_path(check_resource_id(arm.writes[0][1])) == (
        f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/a%20%23b"
    )


@pytest.mark.parametrize(
    ("scope", "excluded"),
    [
        (AT_SUBSCRIPTION, "/subscriptions/other/resourceGroups/a"),
        (AT_GROUP, f"{SUBSCRIPTION}/resourceGroups/rg2"),
        (AT_SUBSCRIPTION, "rg"),
        (AT_MANAGEMENT_GROUP, "mg2"),
    ],
)
def test_what_does_not_lie_in_the_scope_cannot_be_excluded(scope: PolicyScope, excluded: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="cannot be excluded"):
        AssignmentRequest(not_scopes=[excluded]).check(scope)


@pytest.mark.parametrize(
    "wanted", [AssignmentRequest("deny", identity=IDENTITY), AssignmentRequest(location="westeurope")]
)
def test_identity_options_belong_to_modify(wanted: AssignmentRequest) -> None:
    with pytest.raises(RequiredArgumentMissingError, match="--effect modify"):
        wanted.check(AT_SUBSCRIPTION)


def test_an_identity_is_named_by_its_resource_id() -> None:
    with pytest.raises(InvalidArgumentValueError, match="user-assigned"):
        AssignmentRequest("modify", identity="id-1").check(AT_SUBSCRIPTION)


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "kind", "code", "role"),
    [
        ("GET", "policyAssignments", "AuthorizationFailed", '"Reader"'),
        ("PUT", "policyAssignments", "AuthorizationFailed", '"Resource Policy Contributor"'),
        ("GET", "roleAssignments", "AuthorizationFailed", '"Reader"'),
        ("PUT", "roleAssignments", "AuthorizationFailed", '"Role Based Access Control Administrator"'),
        ("PUT", "policyAssignments", "LinkedAuthorizationFailed", '"Managed Identity Operator"'),
    ],
)
def test_a_missing_right_names_the_role_to_ask_for(method: str, kind: str, code: str, role: str) -> None:
    arm = FakeArm()
    arm.refuse(method, kind, refusal(403, code))
    with pytest.raises(ForbiddenError) as caught:
        assign(arm, MODIFYING)
    assert role in " ".join(caught.value.recommendations)


def test_a_management_group_that_is_not_there_is_said_to_be_missing() -> None:
    arm = FakeArm()
    arm.refuse("GET", "policyAssignments", refusal(404, "NotFound"))
    with pytest.raises(ResourceNotFoundError, match="no management group 'mg'"):
        assign(arm, AssignmentRequest(), AT_MANAGEMENT_GROUP)


def test_a_cloud_without_the_definition_is_not_mistaken_for_a_missing_group() -> None:
    arm = FakeArm()
    arm.refuse("PUT", "policyAssignments", refusal(404, "PolicyDefinitionNotFound"))
    with pytest.raises(AzureResponseError, match="PolicyDefinitionNotFound"):
        assign(arm, AssignmentRequest(), AT_MANAGEMENT_GROUP)

"""The local Azure Policy beside the recorded traffic of the real one: same definitions, same members, same words.

The recordings lie beside the checkout, never in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.factories.wire import Recordings
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.policy.definitions import AUDIT_DENY, BUILT_IN, MODIFY

AUTHORIZATION = "/providers/Microsoft.Authorization"
INSIGHTS = "/providers/Microsoft.PolicyInsights"


def recorded(recordings: Recordings, file: str, method: str, part: str, status: int) -> dict[str, Any]:
    """The first recorded answer in a file to such a request."""
    found = (
        pair["response"]
        for pair in recordings.pairs(f"policy/{file}.json")
        if pair["request"]["method"] == method
        and part in pair["request"]["url"].lower()
        and pair["response"]["status"] == status
    )
    return next(found)


def body(response: dict[str, Any]) -> Any:
    return json.loads(response["body"])


def members(value: Any) -> Any:
    """The names of members at every depth of objects, in their order."""
    return {name: members(one) for name, one in value.items()} if isinstance(value, dict) else None


@pytest.fixture
def subscription(cloud: LocalCloud) -> str:
    return cloud.world.subscriptions[0].scope


@pytest.fixture
def owner(cloud: LocalCloud, subscription: str) -> Client:
    user = cloud.world.add_user("user@example.com", "Passw0rd!")
    cloud.world.grant(user, subscription, "Owner")
    return Client(cloud, user)


@pytest.fixture
def assignment(cloud: LocalCloud, registry: Registry, subscription: str) -> Assignment:
    made = cloud.world.assign_policy(subscription, MODIFY)
    cloud.world.evaluate_policies()
    return made


@pytest.mark.parametrize(
    ("file", "definition"),
    [
        ("ACR_AADAuthenticationAsArmPolicy_AuditDeny", BUILT_IN[0]),
        ("ACR_AADAuthenticationAsArmDisabled_Modify", BUILT_IN[1]),
    ],
)
def test_the_definitions_judge_as_the_published_ones(recordings: Recordings, file: str, definition: Any) -> None:
    published = recordings.pairs(f"policy/{file}.json")[0]
    assert definition.id == published["id"]
    assert definition.content["policyRule"] == published["properties"]["policyRule"]
    effect = published["properties"]["parameters"]["effect"]
    assert definition.parameters == {"effect": effect}
    for name in ("displayName", "mode", "policyType", "version"):
        assert definition.content[name] == published["properties"][name]


def test_an_assignment_has_the_recorded_members(recordings: Recordings, owner: Client, subscription: str) -> None:
    real = recorded(
        recordings, "flow_modify_assignment_identity_remediation_reevaluate", "PUT", "policyassignments", 201
    )
    content = {
        "location": "westus",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "policyDefinitionId": MODIFY,
            "parameters": {"effect": {"value": "Modify"}},
            "enforcementMode": "Default",
        },
    }
    path = f"{subscription}{AUTHORIZATION}/policyAssignments/a"
    answer = owner.arm("PUT", path, "2021-06-01", json=content)
    assert answer.status_code == real["status"]
    mine, theirs = members(answer.json()), members(body(real))
    mine["properties"].pop("parameters")
    theirs["properties"].pop("parameters")
    assert json.dumps(mine) == json.dumps(theirs)


def test_a_definition_is_missed_in_the_recorded_words(recordings: Recordings, owner: Client, subscription: str) -> None:
    (pair,) = recordings.pairs("policy/error_404_PolicyDefinitionNotFound_sub_scope.json")
    name = pair["request"]["url"].rsplit("/", 1)[-1].split("?")[0]
    answer = owner.arm("GET", f"{subscription}{AUTHORIZATION}/policyDefinitions/{name}", "2021-06-01")
    assert (answer.status_code, answer.json()) == (pair["response"]["status"], body(pair["response"]))


def test_a_new_identity_is_unknown_in_the_recorded_words(
    recordings: Recordings, cloud: LocalCloud, owner: Client, subscription: str
) -> None:
    (pair,) = recordings.pairs("policy/error_400_PrincipalNotFound_roleAssignment_replication_delay.json")
    made = cloud.world.policies.assign(subscription, MODIFY)
    (principal,) = made.principal_ids
    cloud.world.principals[principal].unknown_for = 2  # type: ignore[attr-defined]
    role = f"{subscription}{AUTHORIZATION}/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    content = {"properties": {"roleDefinitionId": role, "principalId": principal}}
    path = f"{subscription}{AUTHORIZATION}/roleAssignments/88888888-0000-0000-0000-000000000001"

    def words(text: str) -> str:
        return re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "GUID", text)

    refused = owner.arm("PUT", path, "2022-04-01", json=content)
    assert refused.status_code == pair["response"]["status"]
    assert words(refused.text) == words(pair["response"]["body"])
    owner.arm("PUT", path, "2022-04-01", json=content)
    real = recorded(recordings, "flow_assignment_systemassigned_identity_roleassignment", "PUT", "roleassignments", 201)
    answer = owner.arm("PUT", path, "2022-04-01", json=content)
    assert answer.status_code == real["status"]
    assert json.dumps(members(answer.json())) == json.dumps(members(body(real)))


def test_a_remediation_has_the_recorded_members(
    recordings: Recordings, owner: Client, assignment: Assignment, subscription: str
) -> None:
    file = "flow_remediation_complete_cancel"
    path = f"{subscription}{INSIGHTS}/remediations/r"
    content = {"properties": {"policyAssignmentId": assignment.id}}
    made = owner.arm("PUT", path, "2021-10-01", json=content)
    real = recorded(recordings, file, "PUT", "remediations", 201)
    assert made.status_code == real["status"]
    assert json.dumps(members(made.json())) == json.dumps(members(body(real)))
    assert made.json()["properties"]["provisioningState"] == body(real)["properties"]["provisioningState"]
    for _ in range(3):
        running = owner.arm("GET", path, "2021-10-01").json()
    assert running["properties"]["provisioningState"] == "Running"
    (deployment,) = owner.arm("POST", f"{path}/listDeployments", "2021-10-01").json()["value"]
    theirs = body(recorded(recordings, file, "POST", "listdeployments", 200))["value"][0]
    assert json.dumps(members(deployment)) == json.dumps(members(theirs))
    assert deployment["status"] == theirs["status"]
    cancelled = owner.arm("POST", f"{path}/cancel", "2021-10-01").json()
    real_cancelled = body(recorded(recordings, file, "POST", "/cancel", 200))
    assert cancelled["properties"]["provisioningState"] == real_cancelled["properties"]["provisioningState"]


def _rows(recordings: Recordings) -> Iterator[dict[str, Any]]:
    for file, what in (
        ("flow_triggerEvaluation_202_poll", "queryresults"),
        ("resource_policyStates_expand_PolicyEvaluationDetails_200", "queryresults"),
    ):
        yield from body(recorded(recordings, file, "POST", what, 200))["value"]


def test_a_state_has_the_recorded_members(
    recordings: Recordings, owner: Client, assignment: Assignment, registry: Registry
) -> None:
    path = f"{registry.id}{INSIGHTS}/policyStates/latest/queryResults"
    for expand, real in zip((None, "PolicyEvaluationDetails"), list(_rows(recordings))[:2], strict=True):
        params = {"$expand": expand} if expand else {}
        (mine,) = owner.arm("POST", path, "2019-10-01", params=params).json()["value"]
        assert list(mine) == list(real)
        assert {name: type(value) for name, value in mine.items()} == {name: type(real[name]) for name in real}
        for name in ("resourceId", "policyAssignmentId", "policyDefinitionId"):
            assert real[name] == real[name].lower()
            assert mine[name] == mine[name].lower()


def test_the_pages_of_states_have_the_recorded_members(
    recordings: Recordings, owner: Client, assignment: Assignment, registry: Registry
) -> None:
    path = f"{registry.id}{INSIGHTS}/policyStates/latest/queryResults"
    real = body(recorded(recordings, "flow_triggerEvaluation_202_poll", "POST", "queryresults", 200))
    assert list(owner.arm("POST", path, "2019-10-01").json()) == list(real)
    top = body(
        recorded(recordings, "resource_policyStates_expand_PolicyEvaluationDetails_200", "POST", "queryresults", 200)
    )
    assert list(owner.arm("POST", path, "2019-10-01", params={"$top": "2"}).json()) == list(top)


def test_a_summary_has_the_recorded_members(
    recordings: Recordings, owner: Client, cloud: LocalCloud, subscription: str
) -> None:
    cloud.world.add_registry("contoso")
    cloud.world.assign_policy(subscription, AUDIT_DENY)
    cloud.world.evaluate_policies()
    real = body(recorded(recordings, "sub_policyStates_summarize_200", "POST", "summarize", 200))
    path = f"{subscription}{INSIGHTS}/policyStates/latest/summarize"
    mine = owner.arm("POST", path, "2019-10-01").json()
    assert list(mine) == list(real)
    ours, theirs = mine["value"][0], real["value"][0]
    assert json.dumps(members(ours)) == json.dumps(members(theirs))
    first, other = ours["policyAssignments"][0], theirs["policyAssignments"][0]
    assert json.dumps(members(first)) == json.dumps(members(other))
    assert members(first["policyDefinitions"][0]) == members(other["policyDefinitions"][0])

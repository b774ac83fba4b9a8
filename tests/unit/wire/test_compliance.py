"""The recorded traffic of Azure Policy (states, evaluations, remediations) reads as what it is; it lies beside the
checkout, never in it.
"""

import json
from typing import Any

import pytest

from azext_acrscope.arm.client import ArmClient, Reply
from azext_acrscope.arm.paths import check_resource_id
from azext_acrscope.policy import compliance, effective_rules, remediation
from azext_acrscope.policy.effective_rules import PolicyRule
from azext_acrscope.policy.remediation import RemediationTask
from azext_acrscope.policy.scopes import PolicyScope
from tests.factories.wire import Recordings, headers

SCOPE = PolicyScope(check_resource_id("/subscriptions/x"), "subscription x")
Pair = dict[str, Any]


def recorded(recordings: Recordings, pattern: str, method: str, part: str) -> list[Pair]:
    found = [
        pair
        for pair in recordings.pairs(pattern)
        if pair["request"]["method"] == method and part.lower() in pair["request"]["url"].lower()
    ]
    assert found, f"{pattern} holds no {method} of {part}"
    return found


class Replay(ArmClient):
    """Gives recorded answers one after the other, whatever is asked."""

    endpoint = "https://management.azure.com"

    def __init__(self, answers: list[Pair]) -> None:
        self.answers = answers
        self.sent: list[tuple[str, str, Any]] = []

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        self.sent.append((method, url, body))
        pair = self.answers.pop(0)
        content = pair["response"].get("body")
        return Reply(pair["response"]["status"], headers(pair), json.loads(content) if content else None)


@pytest.mark.parametrize("scope", ["mg", "sub", "rg", "resource", "definition", "assignment"])
def test_recorded_policy_states_are_a_list(recordings: Recordings, scope: str) -> None:
    pair = recordings.pairs(f"policy/{scope}_policyStates_queryResults_200.json")[0]
    items = Replay([pair]).posted_pages(check_resource_id("/x"), "2019-10-01")
    assert len(items) == json.loads(pair["response"]["body"])["@odata.count"]


def test_a_whole_recorded_policy_state_is_read(recordings: Recordings) -> None:
    pair = recordings.pairs("policy/resource_policyStates_expand_PolicyEvaluationDetails_200.json")[0]
    arm = Replay([pair])
    states, unread = compliance.read_states(arm, SCOPE)
    assert not unread
    assert states
    assert {state.state for state in states} <= {"NonCompliant", "Compliant", "Exempt"}
    assert all(state.registry == state.registry.lower() and state.evaluated for state in states)
    assert arm.sent[0][0] == "POST"


def test_a_recorded_evaluation_is_waited_for(recordings: Recordings) -> None:
    flow = recordings.pairs("policy/flow_triggerEvaluation_202_poll.json")
    trigger = [pair for pair in flow if pair["request"]["url"].lower().count("triggerevaluation")]
    polls = [pair for pair in flow if "asyncoperationresults" in pair["request"]["url"].lower()]
    arm, pauses = Replay([trigger[-1], *polls]), list[float]()
    compliance.run_evaluation(arm, [SCOPE], 600, pauses.append)
    assert arm.answers == []
    assert len(pauses) == len(polls) - 1


@pytest.mark.parametrize("flow", ["complete_cancel", "audit_assignment", "management_group"])
def test_recorded_remediations_are_followed(recordings: Recordings, flow: str) -> None:
    looks = recorded(recordings, f"policy/flow_remediation_{flow}.json", "GET", "/remediations/")
    for pair in looks:
        said = json.loads(pair["response"]["body"])["properties"]
        state, _, total, _ = remediation._read_progress(Replay([pair]), a_task())
        assert state == said["provisioningState"]
        assert total == said["deploymentStatus"]["totalDeployments"]


def test_recorded_deployments_are_read(recordings: Recordings) -> None:
    pair = recorded(recordings, "policy/flow_remediation_complete_cancel.json", "POST", "/listDeployments")[0]
    found = remediation.read_deployments(Replay([pair]), a_task())
    assert found
    assert set(found.values()) == {"its deployment is Evaluating"}


def test_recorded_assignments_are_no_rules_of_ours(recordings: Recordings) -> None:
    pages = recorded(recordings, "policy/flow_remediation_complete_cancel.json", "GET", "/policyAssignments?")
    items = [item for pair in pages for item in Replay([pair]).pages(check_resource_id("/x"), "2021-06-01")]
    assert items
    assert [rule for item in items for rule in effective_rules.rules_of_assignment(item, None)] == []


def test_a_remediation_is_asked_for_as_the_recorded_one(recordings: Recordings) -> None:
    put = recorded(
        recordings, "policy/flow_modify_assignment_identity_remediation_reevaluate.json", "PUT", "/remediations/"
    )[0]
    theirs = json.loads(put["request"]["body"])["properties"]
    arm = Replay([put])
    remediation.start_remediation(arm, a_task(theirs["policyAssignmentId"]))
    method, _, ours = arm.sent[0]
    assert method == "PUT"
    assert {name: ours["properties"][name] for name in theirs} == theirs


def a_task(
    assignment: str = "/subscriptions/x/providers/Microsoft.Authorization/policyAssignments/a",
) -> RemediationTask:
    return RemediationTask(PolicyRule(assignment, "a", "", "/subscriptions/x", "", "modify"), SCOPE, [])

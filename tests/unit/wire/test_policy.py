"""The recorded traffic of the real Azure Policy reads as what it is. It lies beside the checkout, never in it."""

import json
from typing import Any

import pytest

from azext_acrscope.arm import client
from azext_acrscope.policy import planning, roles, shapes
from azext_acrscope.policy.definitions import AUDIT_OR_DENY_ID, CONTRIBUTOR_ROLE, EFFECTS, MODIFY_ID
from tests.factories.policy import AT_GROUP, FakeArm
from tests.factories.wire import Recordings, headers

FLOWS = ["flow_assignment_systemassigned_identity_roleassignment", "flow_assignment_userassigned_identity"]


def requests(recordings: Recordings, flow: str, method: str, part: str) -> list[dict[str, Any]]:
    found = [
        pair
        for pair in recordings.pairs(f"policy/{flow}.json")
        if pair["request"]["method"] == method and part in pair["request"]["url"]
    ]
    assert found
    return found


def body(pair: dict[str, Any], side: str = "response") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(pair[side]["body"])
    return content


def refusal(pair: dict[str, Any]) -> client.ArmError:
    recorded = pair["response"]
    return client.parse_arm_error(
        recorded["status"], headers(pair), recorded.get("reason"), json.loads(recorded["body"])
    )


@pytest.mark.parametrize("flow", FLOWS)
def test_every_recorded_assignment_tells_its_identities(recordings: Recordings, flow: str) -> None:
    for pair in requests(recordings, flow, "PUT", "policyAssignments"):
        answer = shapes.check_assignment(body(pair))
        kind = body(pair, "request").get("identity", {}).get("type")
        assert len(roles.identity_principals(answer)) == (kind in ("SystemAssigned", "UserAssigned"))


@pytest.mark.parametrize("flow", FLOWS)
def test_what_is_sent_again_is_what_the_recorded_update_sent(recordings: Recordings, flow: str) -> None:
    """An update that changes the identity alone, or adds the description: the rest is what was read before it."""
    before, compared = None, 0
    for pair in recordings.pairs(f"policy/{flow}.json"):
        if "policyAssignments" not in pair["request"]["url"] or pair["response"]["status"] >= 300:
            continue
        if pair["request"]["method"] == "PUT" and before:
            sent, again = body(pair, "request"), planning._writable_content(before)
            assert again.pop("location") == sent.pop("location")
            again.pop("identity", None), sent.pop("identity")
            changed = {key for key in sent["properties"] if sent["properties"][key] != again["properties"].get(key)}
            assert changed <= {"description"}
            assert set(again["properties"]) <= set(sent["properties"])
            compared += 1
        before = body(pair) if pair["request"]["method"] == "GET" else None
    assert compared > 2


@pytest.mark.parametrize("flow", FLOWS)
def test_the_recorded_identities_are_sent_in_the_recorded_form(recordings: Recordings, flow: str) -> None:
    for pair in requests(recordings, flow, "PUT", "policyAssignments"):
        if "identity" in body(pair, "request"):
            assert planning._writable_identity(body(pair)) == body(pair, "request")["identity"]


def test_the_recorded_replication_delay_is_waited_out(recordings: Recordings) -> None:
    writes = requests(recordings, FLOWS[0], "PUT", "roleAssignments")[:3]
    assert [pair["response"]["status"] for pair in writes] == [400, 400, 201]
    fake, waits = FakeArm(), list[float]()
    fake.refuse("PUT", "roleAssignments", *map(refusal, writes[:2]))
    roles.grant_contributor(
        fake, AT_GROUP, "assignment", body(writes[2])["properties"]["principalId"], timeout=60, sleep=waits.append
    )
    assert len(waits) == 2
    ours, recorded = fake.writes[-1][2]["properties"], body(writes[2], "request")["properties"]
    assert set(recorded) < set(ours)
    assert ours["roleDefinitionId"].split("/")[1] == recorded["roleDefinitionId"].split("/")[1] == "subscriptions"


def test_a_recorded_role_assignment_is_judged_by_its_role(recordings: Recordings) -> None:
    recorded = body(requests(recordings, FLOWS[0], "PUT", "roleAssignments")[2])
    assert not roles._is_sufficient_role(recorded)  # Reader
    reader = recorded["properties"]["roleDefinitionId"].rpartition("/")[2]
    recorded["properties"]["roleDefinitionId"] = recorded["properties"]["roleDefinitionId"].replace(
        reader, CONTRIBUTOR_ROLE
    )
    assert roles._is_sufficient_role(recorded)


def test_the_published_definitions_have_the_effects_and_the_role_that_are_assigned(recordings: Recordings) -> None:
    for file, definition in (
        ("ACR_AADAuthenticationAsArmPolicy_AuditDeny", AUDIT_OR_DENY_ID),
        ("ACR_AADAuthenticationAsArmDisabled_Modify", MODIFY_ID),
    ):
        published = recordings.pairs(f"policy/{file}.json")[0]
        allowed = published["properties"]["parameters"]["effect"]["allowedValues"]
        assert {effect for owner, effect in EFFECTS.values() if owner == definition} < set(allowed)
        role_ids = published["properties"]["policyRule"]["then"].get("details", {}).get("roleDefinitionIds", [])
        assert [each.rpartition("/")[2] for each in role_ids] == ([CONTRIBUTOR_ROLE] if definition == MODIFY_ID else [])

"""Remediations: tasks that change registries as a modify definition says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY

INSIGHTS = "/providers/Microsoft.PolicyInsights"
VERSION = "2021-10-01"


@pytest.fixture
def subscription(cloud: LocalCloud) -> str:
    return cloud.world.subscriptions[0].scope


@pytest.fixture
def assignment(cloud: LocalCloud, registry: Registry, subscription: str) -> Assignment:
    """The modify definition on the subscription, evaluated, with an identity that may act."""
    made = cloud.world.assign_policy(subscription, MODIFY, "Arm-Off")
    cloud.world.evaluate_policies()
    return made


def begin(client: Client, scope: str, assignment: Assignment, name: str = "Fix", **properties: Any) -> Any:
    content = {"properties": {"policyAssignmentId": assignment.id, **properties}}
    return client.arm("PUT", f"{scope}{INSIGHTS}/remediations/{name}", VERSION, json=content)


def finish(client: Client, scope: str, name: str = "Fix") -> list[dict[str, Any]]:
    """Polls until the end; the properties of every answer."""
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["provisioningState"] not in ("Succeeded", "Failed", "Canceled"):
        seen.append(client.arm("GET", f"{scope}{INSIGHTS}/remediations/{name}", VERSION).json()["properties"])
        assert len(seen) < 50
    return seen


def deployments(client: Client, scope: str, name: str = "Fix") -> list[dict[str, Any]]:
    path = f"{scope}{INSIGHTS}/remediations/{name}/listDeployments"
    found: list[dict[str, Any]] = []
    params: dict[str, str] = {}
    while True:
        body = client.arm("POST", path, VERSION, params=params).json()
        assert len(body["value"]) <= 100
        found += body["value"]
        if "nextLink" not in body:
            return found
        params = {"$skiptoken": body["nextLink"].split("skiptoken=")[1].replace("%3D", "=")}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class TestProgress:
    def test_from_accepted_to_succeeded(
        self, client: Client, registry: Registry, assignment: Assignment, subscription: str
    ) -> None:
        answer = begin(client, subscription, assignment)
        assert answer.status_code == 201
        made = answer.json()
        assert made["id"] == f"{subscription}{INSIGHTS}/remediations/fix".lower()
        assert made["properties"]["policyAssignmentId"] == assignment.id.lower()
        assert deployments(client, subscription) == []
        seen = finish(client, subscription)
        assert [one["provisioningState"] for one in seen] == ["Accepted", "Accepted", "Running", "Succeeded"]
        assert seen[-1]["deploymentStatus"] == {
            "totalDeployments": 1,
            "successfulDeployments": 1,
            "failedDeployments": 0,
        }
        (deployment,) = deployments(client, subscription)
        assert deployment["remediatedResourceId"] == registry.id.lower()
        assert (deployment["status"], deployment["resourceLocation"]) == ("Succeeded", "westeurope")
        assert registry.policy_status == "disabled"

    def test_an_assignment_that_only_audits_has_succeeded_at_once(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        audit = cloud.world.assign_policy(subscription, AUDIT_DENY)
        cloud.world.evaluate_policies()
        made = begin(client, subscription, audit)
        assert made.status_code == 201
        assert made.json()["properties"]["provisioningState"] == "Succeeded"
        assert deployments(client, subscription) == []
        assert registry.policy_status == "enabled"

    def test_nothing_known_to_be_wrong_is_nothing_to_do(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        assignment = cloud.world.assign_policy(subscription, MODIFY)
        assert begin(client, subscription, assignment).json()["properties"]["provisioningState"] == "Succeeded"
        again = begin(client, subscription, assignment, "again", resourceDiscoveryMode="ReEvaluateCompliance")
        assert again.json()["properties"]["provisioningState"] == "Accepted"
        assert finish(client, subscription, "again")[-1]["deploymentStatus"]["successfulDeployments"] == 1

    def test_it_ends_by_itself(
        self, cloud: LocalCloud, client: Client, registry: Registry, assignment: Assignment, subscription: str
    ) -> None:
        begin(client, subscription, assignment)
        cloud.world.advance(601)
        assert len(finish(client, subscription)) == 1
        assert registry.policy_status == "disabled"

    def test_cancelled_it_leaves_the_rest_alone(
        self, client: Client, registry: Registry, assignment: Assignment, subscription: str
    ) -> None:
        begin(client, subscription, assignment)
        path = f"{subscription}{INSIGHTS}/remediations/fix"
        assert code(client.arm("DELETE", path, VERSION)) == (400, "InvalidDeleteRemediationRequest")
        answer = client.arm("POST", f"{path}/cancel", VERSION)
        assert answer.json()["properties"]["provisioningState"] == "Cancelling"
        assert finish(client, subscription)[-1]["provisioningState"] == "Canceled"
        assert registry.policy_status == "enabled"
        assert code(client.arm("POST", f"{path}/cancel", VERSION)) == (400, "InvalidCancelRemediationRequest")
        assert client.arm("DELETE", path, VERSION).status_code == 200
        assert client.arm("DELETE", path, VERSION).status_code == 204

    def test_the_states_follow(
        self, cloud: LocalCloud, client: Client, assignment: Assignment, subscription: str
    ) -> None:
        begin(client, subscription, assignment)
        finish(client, subscription)
        cloud.world.evaluate_policies()
        assert [state.row["complianceState"] for state in cloud.world.policy_states.at(subscription)] == ["Compliant"]


class TestFailures:
    def test_an_identity_without_the_role(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        assignment = cloud.world.assign_policy(subscription, MODIFY, role=None)
        cloud.world.evaluate_policies()
        begin(client, subscription, assignment)
        assert finish(client, subscription)[-1]["provisioningState"] == "Failed"
        (deployment,) = deployments(client, subscription)
        assert deployment["status"] == "Failed"
        assert deployment["error"]["code"] == "AuthorizationFailed"
        assert assignment.principal_ids[0] in deployment["error"]["message"]
        assert registry.policy_status == "enabled"

    def test_locks_customer_managed_keys_and_what_is_gone(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        world = cloud.world
        encrypted, locked, gone = (world.add_registry(name) for name in ("encrypted", "locked", "gone"))
        encrypted.properties["encryption"] = {"status": "enabled"}
        world.lock(locked.id)
        assignment = world.assign_policy(subscription, MODIFY)
        world.evaluate_policies()
        begin(client, subscription, assignment)
        client.arm("GET", f"{subscription}{INSIGHTS}/remediations/fix", VERSION)
        client.arm("GET", f"{subscription}{INSIGHTS}/remediations/fix", VERSION)
        client.arm("GET", f"{subscription}{INSIGHTS}/remediations/fix", VERSION)
        world.remove_registry(gone)
        last = finish(client, subscription)[-1]
        assert last["deploymentStatus"] == {"totalDeployments": 4, "successfulDeployments": 1, "failedDeployments": 3}
        found = {one["remediatedResourceId"].rsplit("/", 1)[-1]: one for one in deployments(client, subscription)}
        assert {name: (one.get("error") or {}).get("code") for name, one in found.items()} == {
            "contoso": None,
            "encrypted": "BadRequest",
            "locked": "ScopeLocked",
            "gone": "ResourceNotFound",
        }

    def test_failures_under_the_threshold_do_not_fail_it(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.lock(cloud.world.add_registry("locked").id)
        assignment = cloud.world.assign_policy(subscription, MODIFY)
        cloud.world.evaluate_policies()
        begin(client, subscription, assignment, failureThreshold={"percentage": 0.5}, parallelDeployments=10)
        last = finish(client, subscription)[-1]
        assert (last["provisioningState"], last["parallelDeployments"]) == ("Succeeded", 10)


class TestRequests:
    def test_wrong_ones(
        self, cloud: LocalCloud, client: Client, registry: Registry, assignment: Assignment, subscription: str
    ) -> None:
        estate = cloud.world.add_management_group("estate")
        cloud.world.grant(client.principal, estate.id, "Contributor")
        both = cloud.world.policies.add_initiative(subscription, "both")
        initiative = cloud.world.assign_policy(subscription, both.id)
        mode = {"resourceDiscoveryMode": "ReEvaluateCompliance"}
        for answer, reason in (
            (begin(client, estate.id, assignment, **mode), "only supported for remediations at subscription scope"),
            (begin(client, subscription, initiative), "must specify a single policy definition reference ID"),
            (begin(client, subscription, assignment, resourceCount=50001), "resource count"),
        ):
            assert code(answer) == (400, "InvalidCreateRemediationRequest")
            assert reason in answer.json()["error"]["message"]

    def test_one_at_a_time(self, client: Client, assignment: Assignment, subscription: str) -> None:
        begin(client, subscription, assignment)
        assert code(begin(client, subscription, assignment)) == (400, "InvalidUpdateRemediationRequest")
        other = begin(client, f"{subscription}/resourceGroups/rg-app", assignment, "other")
        assert code(other) == (400, "InvalidCreateRemediationRequest")
        assert "'Fix' are already running" in other.json()["error"]["message"]
        finish(client, subscription)
        assert begin(client, subscription, assignment).status_code == 200

    def test_one_definition_of_an_initiative(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        both = cloud.world.policies.add_initiative(subscription, "both")
        assignment = cloud.world.assign_policy(subscription, both.id)
        cloud.world.evaluate_policies()
        begin(client, subscription, assignment, policyDefinitionReferenceId="Arm-Audience-Off")
        assert finish(client, subscription)[-1]["policyDefinitionReferenceId"] == "arm-audience-off"
        assert registry.policy_status == "disabled"

    def test_locations_and_narrower_scopes(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        east = cloud.world.add_registry("east", location="eastus")
        other = cloud.world.add_registry("other", "rg-other")
        assignment = cloud.world.assign_policy(subscription, MODIFY)
        cloud.world.evaluate_policies()
        begin(client, subscription, assignment, filters={"locations": ["eastus"]})
        assert finish(client, subscription)[-1]["filters"] == {"locations": ["eastus"]}
        group = f"{subscription}/resourceGroups/rg-other"
        begin(client, group, assignment)
        finish(client, group)
        assert [one.policy_status for one in (east, other, registry)] == ["disabled", "disabled", "enabled"]

    @pytest.mark.parametrize(("role", "expected"), [("Reader", 403), ("Contributor", 201)])
    def test_rights(
        self, cloud: LocalCloud, assignment: Assignment, subscription: str, role: str, expected: int
    ) -> None:
        someone = cloud.world.add_service_principal("someone")
        cloud.world.grant(someone, subscription, role)
        assert begin(Client(cloud, someone), subscription, assignment).status_code == expected

    def test_lists_show_tasks_below_a_subscription(
        self, client: Client, registry: Registry, assignment: Assignment, subscription: str
    ) -> None:
        group = f"{subscription}/resourceGroups/rg-app"
        begin(client, group, assignment, "one")
        finish(client, group, "one")
        begin(client, subscription, assignment, "two")
        found = client.arm("GET", f"{subscription}{INSIGHTS}/remediations", VERSION).json()["value"]
        assert [one["name"] for one in found] == ["two", "one"]


def test_500_of_a_large_estate(cloud: LocalCloud) -> None:
    world = cloud.world
    estate = world.add_management_group("estate")
    world.move(world.subscriptions[0], estate)
    for number in range(600):
        world.add_registry(f"reg{number}")
    assignment = world.assign_policy(estate.id, MODIFY)
    world.evaluate_policies()
    owner = world.add_service_principal("owner")
    world.grant(owner, estate.id, "Owner")
    client = Client(cloud, owner)
    world.remediations.batch = 200
    begin(client, estate.id, assignment)
    seen = [one["deploymentStatus"]["successfulDeployments"] for one in finish(client, estate.id)]
    assert seen[2:] == [0, 200, 400, 500]
    assert len({one["remediatedResourceId"] for one in deployments(client, estate.id)}) == 500
    assert sum(one.policy_status == "disabled" for one in world.registries) == 500

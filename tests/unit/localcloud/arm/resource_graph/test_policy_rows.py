"""Azure Policy and role assignments as Resource Graph shows them."""

from __future__ import annotations

from typing import Any

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.policy.definitions import AUDIT_DENY

STATES = """policyresources
| where type =~ 'Microsoft.PolicyInsights/PolicyStates'
| extend complianceState = tostring(properties.complianceState)
| project id, complianceState"""


def rows(client: Client, query: str, **more: Any) -> list[dict[str, Any]]:
    path = "/providers/Microsoft.ResourceGraph/resources"
    answer = client.arm("POST", path, "2022-10-01", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_every_kind_of_policy_row(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    scope = cloud.world.subscriptions[0].scope
    assignment = cloud.world.assign_policy(scope, AUDIT_DENY, effect="Deny")
    cloud.world.policies.add_initiative(scope, "both")
    cloud.world.policies.exempt(registry.id, assignment)
    cloud.world.evaluate_policies()
    found = rows(client, "policyresources | summarize count() by type | order by type asc")
    assert {row["type"]: row["count_"] for row in found} == {
        "microsoft.authorization/policyassignments": 1,
        "microsoft.authorization/policydefinitions": 2,
        "microsoft.authorization/policyexemptions": 1,
        "microsoft.authorization/policysetdefinitions": 1,
        "microsoft.policyinsights/policystates": 1,
    }
    query = "policyresources | where type == 'microsoft.authorization/policyassignments' | project properties"
    properties = rows(client, query)[0]["properties"]
    assert properties["parameters"] == {"effect": {"value": "Deny"}}


def test_states_have_a_lag_of_their_own(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.world.policy_states.graph_lag = 60
    cloud.world.assign_policy(cloud.world.subscriptions[0].scope, AUDIT_DENY)
    cloud.world.evaluate_policies()
    assert rows(client, STATES) == []
    cloud.world.advance(61)
    assert [row["complianceState"] for row in rows(client, STATES)] == ["NonCompliant"]


def test_only_what_may_be_read_is_shown(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    estate = cloud.world.add_management_group("estate")
    hidden = cloud.world.add_subscription("Hidden")
    for one in (cloud.world.subscriptions[0], hidden):
        cloud.world.move(one, estate)
    cloud.world.add_registry("hidden", subscription=hidden)
    cloud.world.assign_policy(estate.id, AUDIT_DENY)
    cloud.world.evaluate_policies()
    assert len(rows(client, STATES)) == 1
    assignments = "policyresources | where type == 'microsoft.authorization/policyassignments' | project id"
    assert rows(client, assignments) == []
    cloud.world.grant(client.principal, estate.id, "Reader")
    assert len(rows(client, STATES)) == 2
    assert len(rows(client, assignments)) == 1


def test_role_assignments_join_their_definitions(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    puller = cloud.world.add_managed_identity("kubelet")
    grant = cloud.world.grant(puller, registry.id, "AcrPull")
    query = f"""authorizationresources
    | where type =~ 'microsoft.authorization/roleassignments'
    | where properties.principalId == '{puller.object_id}'
    | project id, scope = tostring(properties.scope), role = tostring(properties.roleDefinitionId)"""
    (row,) = rows(client, query)
    assert (row["id"], row["scope"]) == (grant.id, registry.id)
    assert row["role"].endswith("/7f951dda-4ed3-4680-a7ca-43fe172d538d")

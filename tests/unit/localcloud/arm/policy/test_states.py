"""Policy states: what Azure Policy says of the registries, and since when."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world import scopes
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY
from tests.localcloud.world.policy.states import PolicyStates

INSIGHTS = "/providers/Microsoft.PolicyInsights"
VERSION = "2019-10-01"
LATEST = f"{INSIGHTS}/policyStates/latest"


@pytest.fixture
def subscription(cloud: LocalCloud) -> str:
    return cloud.world.subscriptions[0].scope


def rows(client: Client, scope: str, **options: str) -> list[dict[str, Any]]:
    params = {f"${name}": value for name, value in options.items()}
    answer = client.arm("POST", f"{scope}{LATEST}/queryResults", VERSION, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ms-ratelimit-remaining-policy-insights-requests"] == "149"
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def states(client: Client, scope: str, **options: str) -> dict[str, str]:
    return {row["resourceId"].rsplit("/", 1)[-1]: row["complianceState"] for row in rows(client, scope, **options)}


class TestLag:
    def test_a_new_assignment_shows_after_an_evaluation(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY)
        assert states(client, subscription) == {}
        cloud.world.evaluate_policies()
        assert states(client, subscription) == {"contoso": "NonCompliant"}

    def test_a_change_by_hand_does_not_show(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY)
        cloud.world.evaluate_policies()
        registry.policy_status = "disabled"
        cloud.world.advance(3600)
        assert states(client, subscription) == {"contoso": "NonCompliant"}

    def test_a_write_shows_a_quarter_of_an_hour_later(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY)
        cloud.world.evaluate_policies()
        content = {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}
        client.arm("PATCH", registry.id, json=content)
        assert states(client, subscription) == {"contoso": "NonCompliant"}
        cloud.world.advance(901)
        assert states(client, subscription) == {"contoso": "Compliant"}

    def test_an_evaluation_on_demand_is_polled(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY)
        cloud.world.policy_states.evaluation_polls = 2
        begun = client.arm("POST", f"{subscription}{LATEST}/triggerEvaluation", VERSION)
        assert (begun.status_code, begun.content) == (202, b"")
        assert "Retry-After" not in begun.headers
        path = begun.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
        polls = [client.arm("GET", path, VERSION) for _ in range(3)]
        assert [one.status_code for one in polls] == [202, 202, 200]
        assert polls[0].headers["Location"] == begun.headers["Location"]
        assert polls[2].json() == {"status": "Succeeded"}
        assert states(client, subscription) == {"contoso": "NonCompliant"}

    def test_of_a_resource_group_only(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.add_registry("other", "rg-other")
        cloud.world.assign_policy(subscription, AUDIT_DENY)
        cloud.world.evaluate_policies(f"{subscription}/resourceGroups/RG-OTHER")
        assert states(client, subscription) == {"other": "NonCompliant"}


class TestRows:
    def test_ids_are_lower_cased(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        assignment = cloud.world.assign_policy(subscription, MODIFY, "Arm-Off")
        cloud.world.evaluate_policies()
        (row,) = rows(client, subscription)
        assert row["resourceId"] == registry.id.lower()
        assert row["policyAssignmentId"] == assignment.id.lower()
        assert row["policyDefinitionId"] == MODIFY.lower()
        assert row["policyAssignmentName"] == "Arm-Off"
        assert row["policyDefinitionAction"] == "modify"

    def test_every_state_there_is(self, cloud: LocalCloud, client: Client, subscription: str) -> None:
        for name, status in (("on", "enabled"), ("off", "disabled"), ("old", None)):
            cloud.world.add_registry(name, policy_status=status)  # type: ignore[arg-type]
        excluded = cloud.world.add_registry("excluded")
        exempt = cloud.world.add_registry("exempt")
        assignment = cloud.world.assign_policy(subscription, AUDIT_DENY, not_scopes=(excluded.id,))
        cloud.world.policies.exempt(exempt.id, assignment)
        cloud.world.evaluate_policies()
        assert states(client, subscription) == {
            "on": "NonCompliant",
            "off": "Compliant",
            "old": "NonCompliant",
            "exempt": "Exempt",
        }

    def test_an_effect_that_is_switched_off_has_no_rows(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Disabled")
        cloud.world.assign_policy(subscription, AUDIT_DENY, "watch", effect="Deny", enforcement="DoNotEnforce")
        cloud.world.evaluate_policies()
        assert [row["policyAssignmentName"] for row in rows(client, subscription)] == ["watch"]

    def test_scopes(self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str) -> None:
        estate = cloud.world.add_management_group("estate")
        cloud.world.move(cloud.world.subscriptions[0], estate)
        cloud.world.grant(client.principal, estate.id, "Reader")
        outside = cloud.world.add_subscription("Outside")
        cloud.world.add_registry("outside", subscription=outside)
        cloud.world.add_registry("other", "rg-other")
        assignment = cloud.world.assign_policy(estate.id, AUDIT_DENY)
        cloud.world.assign_policy(registry.id, MODIFY)
        cloud.world.evaluate_policies()
        assert set(states(client, estate.id)) == {"contoso", "other"}
        assert set(states(client, f"{subscription}/resourceGroups/rg-other")) == {"other"}
        assert len(rows(client, registry.id)) == 2
        assert set(states(client, assignment.id)) == {"contoso", "other"}
        assert set(states(client, subscription + MODIFY)) == {"contoso"}

    def test_an_initiative_has_a_row_for_each_of_its_definitions(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        both = cloud.world.policies.add_initiative(subscription, "both")
        cloud.world.assign_policy(subscription, both.id, "all", effect="Deny")
        cloud.world.evaluate_policies()
        found = {row["policyDefinitionReferenceId"]: row for row in rows(client, subscription)}
        assert {name: row["policyDefinitionAction"] for name, row in found.items()} == {
            "arm-audience": "deny",
            "arm-audience-off": "modify",
        }
        assert found["arm-audience"]["policySetDefinitionId"] == both.id

    def test_expand_says_what_was_looked_at(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY)
        cloud.world.evaluate_policies()
        (row,) = rows(client, registry.id, expand="PolicyEvaluationDetails")
        expressions = row["policyEvaluationDetails"]["evaluatedExpressions"]
        assert expressions[-1]["expressionValue"] == "enabled"
        assert "policyEvaluationDetails" not in rows(client, registry.id)[0]

    def test_rights(self, cloud: LocalCloud, registry: Registry, subscription: str) -> None:
        nobody = Client(cloud, cloud.world.add_service_principal("nobody"))
        for what in ("queryResults", "summarize", "triggerEvaluation"):
            assert nobody.arm("POST", f"{subscription}{LATEST}/{what}", VERSION).status_code == 403
        cloud.world.grant(nobody.principal, subscription, "Reader")
        assert rows(nobody, subscription) == []
        assert nobody.arm("POST", f"{subscription}{LATEST}/triggerEvaluation", VERSION).status_code == 403


class TestQueries:
    @pytest.fixture(autouse=True)
    def evaluated(self, cloud: LocalCloud, subscription: str) -> None:
        for number in range(4):
            cloud.world.add_registry(f"on{number}")
        cloud.world.add_registry("off", policy_status="disabled")
        cloud.world.assign_policy(subscription, AUDIT_DENY, "one")
        cloud.world.assign_policy(subscription, MODIFY, "two")
        cloud.world.evaluate_policies()

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("isCompliant eq false", 8),
            ("complianceState eq 'NonCompliant' and PolicyAssignmentName eq 'one'", 4),
            ("policyAssignmentName eq 'one' or isCompliant eq true", 6),
            ("not (isCompliant eq false)", 2),
            ("contains(resourceId, '/registries/ON') and policyDefinitionAction ne 'audit'", 4),
        ],
    )
    def test_filters(self, client: Client, subscription: str, text: str, count: int) -> None:
        assert len(rows(client, subscription, filter=text)) == count

    def test_times(self, cloud: LocalCloud, client: Client, subscription: str) -> None:
        now = cloud.world.now()
        before, after = scopes.stamp(now - 60), scopes.stamp(now + 60)
        path = f"{subscription}{LATEST}/queryResults"
        for params, count in (
            ({"$from": before, "$to": after}, 10),
            ({"$from": after}, 0),
            ({"$to": "2022-04-01T00:00:00.000Z"}, 0),
        ):
            body = client.arm("POST", path, VERSION, params=params).json()
            assert body["@odata.count"] == count
        assert client.arm("POST", path, VERSION, params={"$from": "yesterday"}).status_code == 400

    def test_a_filter_that_makes_no_sense(self, client: Client, subscription: str) -> None:
        for text in ("isCompliant is false", "nothing eq 'x'", "isCompliant eq"):
            answer = client.arm("POST", f"{subscription}{LATEST}/queryResults", VERSION, params={"$filter": text})
            assert answer.status_code == 400

    def test_groups_are_counted_and_sorted(self, client: Client, subscription: str) -> None:
        found = rows(
            client,
            subscription,
            apply="groupby((policyAssignmentName, complianceState), aggregate($count as n))",
            orderby="n desc, policyAssignmentName asc",
            top="3",
            select="policyAssignmentName, n",
        )
        plain = [{key: value for key, value in row.items() if "@" not in key} for row in found]
        assert plain == [
            {"policyAssignmentName": "one", "n": 4},
            {"policyAssignmentName": "two", "n": 4},
            {"policyAssignmentName": "one", "n": 1},
        ]

    def test_pages(self, cloud: LocalCloud, client: Client, subscription: str) -> None:
        cloud.world.policy_states.page_size = 4
        path, found, counts = f"{subscription}{LATEST}/queryResults", [], []
        params: dict[str, str] = {}
        while True:
            body = client.arm("POST", path, VERSION, params=params).json()
            found += [row["resourceId"] for row in body["value"]]
            counts.append(body["@odata.count"])
            link = body["@odata.nextLink"]
            if link is None:
                break
            params = {"$skiptoken": link.split("skiptoken=")[1].replace("%3D", "=")}
        assert (len(found), counts) == (10, [4, 4, 2])

    def test_a_summary_counts_registries_and_policies(self, client: Client, subscription: str) -> None:
        answer = client.arm("POST", f"{subscription}{LATEST}/summarize", VERSION, params={"$top": "1"}).json()
        (entry,) = answer["value"]
        results = entry["results"]
        assert (results["nonCompliantResources"], results["nonCompliantPolicies"]) == (4, 2)
        assert results["resourceDetails"] == [
            {"complianceState": "compliant", "count": 1},
            {"complianceState": "noncompliant", "count": 4},
        ]
        (assignment,) = entry["policyAssignments"]
        assert assignment["results"]["nonCompliantResources"] == 4
        assert assignment["policyDefinitions"][0]["effect"] in ("audit", "modify")


def test_a_large_estate_is_evaluated_once_and_read_by_pages(cloud: LocalCloud) -> None:
    """Each registry is judged once an evaluation, and never to answer a query."""
    world = cloud.world
    estate = world.add_management_group("estate")
    for number in range(20):
        subscription = world.add_subscription(f"Team {number}")
        world.move(subscription, estate)
        for one in range(100):
            world.add_registry(f"team{number}reg{one}", subscription=subscription)
    world.assign_policy(estate.id, MODIFY)
    judged: list[Any] = []
    original = PolicyStates._judge
    world.policy_states._judge = lambda *args: judged.append(args) or original(world.policy_states, *args)  # type: ignore[func-returns-value, method-assign]
    world.evaluate_policies()
    assert len(world.policy_states.at(estate.id)) == 2000
    reader = world.add_service_principal("reader")
    world.grant(reader, estate.id, "Reader")
    client = Client(cloud, reader)
    assert len(rows(client, estate.id)) == 1000
    assert len(rows(client, estate.id, top="2000")) == 2000
    assert len(judged) == 2000

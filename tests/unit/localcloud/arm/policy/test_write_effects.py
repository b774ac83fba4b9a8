"""What Azure Policy does to writes of registries: deny refuses, modify rewrites, audit lets pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories.localcloud import NEWEST, Client
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY


def patch(client: Client, registry: Registry, content: Any, version: str = NEWEST) -> Any:
    return client.arm("PATCH", registry.id, version, json=content)


def status(value: str) -> dict[str, Any]:
    return {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": value}}}}


TAGS = {"tags": {"a": "b"}}


@pytest.fixture
def subscription(cloud: LocalCloud) -> str:
    return cloud.world.subscriptions[0].scope


class TestDeny:
    def test_it_refuses_every_write_that_leaves_the_registry_enabled(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        assignment = cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Deny", display_name="No ARM tokens")
        answer = patch(client, registry, TAGS)
        assert answer.status_code == 403
        error = answer.json()["error"]
        assert (error["code"], error["target"]) == ("RequestDisallowedByPolicy", registry.name)
        assert json.loads(error["message"].split("Policy identifiers: '")[1].rstrip(".'")) == [
            {
                "policyAssignment": {"name": "No ARM tokens", "id": assignment.id},
                "policyDefinition": {
                    "name": "Container registries should have ARM audience token authentication disabled.",
                    "id": AUDIT_DENY,
                    "version": "1.0.0",
                },
            }
        ]
        (info,) = error["additionalInfo"]
        assert info["type"] == "PolicyViolation"
        assert info["info"]["policyAssignmentId"] == assignment.id
        assert info["info"]["policyDefinitionEffect"] == "Deny"
        assert info["info"]["evaluationDetails"]["evaluatedExpressions"][-1]["expressionValue"] == "enabled"
        assert registry.body["tags"] == {}

    def test_it_lets_the_registry_become_compliant(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Deny")
        assert patch(client, registry, status("disabled")).status_code == 201
        assert patch(client, registry, TAGS).status_code == 201
        assert patch(client, registry, status("enabled")).status_code == 403
        assert registry.policy_status == "disabled"

    def test_a_refused_creation_leaves_nothing(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Deny")
        identifier = registry.id + "2"
        content = {"location": "westeurope", "sku": {"name": "Basic"}}
        assert client.arm("PUT", identifier, json=content).status_code == 403
        assert cloud.world.registry(identifier) is None
        assert client.arm("PUT", identifier, json={**content, **status("disabled")}).status_code == 200

    @pytest.mark.parametrize(
        "more",
        [
            {"effect": "Audit"},
            {"effect": "Disabled"},
            {"effect": "Deny", "enforcement": "DoNotEnforce"},
            {"effect": "Deny", "not_scopes": ("{subscription}/resourceGroups/RG-APP",)},
        ],
        ids=["audit", "disabled", "not enforced", "excluded"],
    )
    def test_what_does_not_refuse(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str, more: dict[str, Any]
    ) -> None:
        if "not_scopes" in more:
            more = {**more, "not_scopes": tuple(one.format(subscription=subscription) for one in more["not_scopes"])}
        cloud.world.assign_policy(subscription, AUDIT_DENY, **more)
        assert patch(client, registry, TAGS).status_code == 201

    def test_an_exempt_registry_may_be_written_until_the_exemption_ends(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        assignment = cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Deny")
        cloud.world.policies.exempt(registry.id, assignment, expires_on="2000-01-01T00:00:00Z")
        assert patch(client, registry, TAGS).status_code == 403
        cloud.world.policies.exempt(registry.id, assignment)
        assert patch(client, registry, TAGS).status_code == 201

    def test_an_assignment_is_enforced_after_a_while(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.policies.enforcement_delay = 60
        cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Deny")
        assert patch(client, registry, TAGS).status_code == 201
        cloud.world.advance(61)
        assert patch(client, registry, TAGS).status_code == 403

    def test_through_an_initiative_above_the_subscription(
        self, cloud: LocalCloud, client: Client, registry: Registry
    ) -> None:
        estate = cloud.world.add_management_group("estate")
        cloud.world.move(cloud.world.subscriptions[0], estate)
        both = cloud.world.policies.add_initiative(estate.id, "both")
        parameters = {"effect": "Deny", "modifyEffect": "Disabled"}
        cloud.world.assign_policy(estate.id, both.id, parameters=parameters)
        (info,) = patch(client, registry, TAGS).json()["error"]["additionalInfo"]
        assert info["info"]["policySetDefinitionId"] == both.id
        assert info["info"]["policyDefinitionReferenceId"] == "arm-audience"


class TestModify:
    def test_it_rewrites_every_write(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, MODIFY, role=None)
        answer = patch(client, registry, TAGS)
        assert answer.json()["properties"]["policies"]["azureADAuthenticationAsArmPolicy"] == {"status": "disabled"}
        assert patch(client, registry, status("enabled")).status_code == 201
        assert registry.policy_status == "disabled"

    def test_it_comes_before_deny(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, AUDIT_DENY, effect="Deny")
        cloud.world.assign_policy(subscription, MODIFY)
        assert patch(client, registry, TAGS).status_code == 201
        assert registry.policy_status == "disabled"

    def test_an_api_version_without_the_property_is_only_audited(
        self, cloud: LocalCloud, client: Client, registry: Registry, subscription: str
    ) -> None:
        cloud.world.assign_policy(subscription, MODIFY)
        assert patch(client, registry, TAGS, "2019-05-01").status_code == 201
        assert registry.policy_status == "enabled"

"""Definitions, initiatives, assignments and exemptions of Azure Policy, over Azure Resource Manager."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY

AUTHORIZATION = "/providers/Microsoft.Authorization"
VERSION = "2025-11-01"


@pytest.fixture
def owner(cloud: LocalCloud) -> Client:
    """Someone who owns a management group with the first subscription in it."""
    estate = cloud.world.add_management_group("estate")
    cloud.world.move(cloud.world.subscriptions[0], estate)
    principal = cloud.world.add_service_principal("owner")
    cloud.world.grant(principal, estate.id, "Owner")
    return Client(cloud, principal)


@pytest.fixture
def scope(cloud: LocalCloud) -> str:
    return cloud.world.subscriptions[0].scope


ESTATE = "/providers/Microsoft.Management/managementGroups/estate"


def put(client: Client, scope: str, name: str = "arm-off", definition: str = MODIFY, **more: Any) -> Any:
    """Assigns a definition; `identity` and `location` beside the properties are those that modify needs."""
    properties = {"policyDefinitionId": definition, **more.pop("properties", {})}
    content = {"properties": properties, "location": "westeurope", "identity": {"type": "SystemAssigned"}, **more}
    content = {key: value for key, value in content.items() if value is not None}
    return client.arm("PUT", f"{scope}{AUTHORIZATION}/policyAssignments/{name}", VERSION, json=content)


def names(client: Client, scope: str, text: str | None = None) -> list[str]:
    params = {"$filter": text} if text else {}
    answer = client.arm("GET", f"{scope}{AUTHORIZATION}/policyAssignments", VERSION, params=params)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["value"]]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class TestDefinitions:
    @pytest.mark.parametrize("identifier", [AUDIT_DENY, MODIFY])
    def test_a_built_in_one_is_found_in_the_tenant_only(self, owner: Client, scope: str, identifier: str) -> None:
        assert code(owner.arm("GET", scope + identifier, VERSION)) == (404, "PolicyDefinitionNotFound")
        found = owner.arm("GET", identifier, VERSION).json()
        assert found["id"] == identifier
        assert found["properties"]["policyType"] == "BuiltIn"

    def test_an_initiative_is_kept_and_shown(self, owner: Client) -> None:
        path = f"{ESTATE}{AUTHORIZATION}/policySetDefinitions/both"
        content = {
            "properties": {
                "parameters": {"effect": {"type": "String", "defaultValue": "Audit"}},
                "policyDefinitions": [
                    {"policyDefinitionId": AUDIT_DENY, "parameters": {"effect": {"value": "[parameters('effect')]"}}}
                ],
            }
        }
        assert owner.arm("PUT", path, VERSION, json=content).status_code == 201
        found = owner.arm("GET", path, VERSION).json()
        assert found["properties"]["policyType"] == "Custom"
        assert found["properties"]["policyDefinitions"][0]["policyDefinitionReferenceId"] == "1"
        listed = owner.arm("GET", f"{ESTATE}{AUTHORIZATION}/policySetDefinitions", VERSION).json()["value"]
        assert [one["name"] for one in listed] == ["both"]

    def test_a_rule_that_cannot_be_judged_is_refused(self, owner: Client, scope: str) -> None:
        rule = {"if": {"field": "kind", "sounds": "x"}, "then": {"effect": "audit"}}
        path = f"{scope}{AUTHORIZATION}/policyDefinitions/mine"
        answer = owner.arm("PUT", path, VERSION, json={"properties": {"policyRule": rule}})
        assert code(answer) == (400, "InvalidPolicyRule")


class TestAssignments:
    def test_it_is_created_with_an_identity_and_deleted(self, owner: Client, cloud: LocalCloud, scope: str) -> None:
        answer = put(owner, scope, properties={"displayName": "ARM off"})
        assert answer.status_code == 201
        made = answer.json()
        assert made["identity"]["principalId"] in cloud.world.principals
        assert made["properties"]["scope"] == scope
        assert made["properties"]["metadata"]["createdBy"] == owner.principal.object_id
        assert owner.arm("GET", made["id"], VERSION).json() == made
        assert owner.arm("DELETE", made["id"], VERSION).json() == made
        assert code(owner.arm("GET", made["id"], VERSION)) == (404, "PolicyAssignmentNotFound")
        assert owner.arm("DELETE", made["id"], VERSION).status_code == 204
        assert made["identity"]["principalId"] not in cloud.world.principals

    def test_an_update_answers_201_and_keeps_who_created_it(self, owner: Client, scope: str) -> None:
        before = put(owner, scope).json()
        answer = put(owner, scope, properties={"description": "new"})
        after = answer.json()
        assert answer.status_code == 201
        assert after["identity"] == before["identity"]
        assert after["properties"]["description"] == "new"
        assert after["properties"]["metadata"]["createdOn"] == before["properties"]["metadata"]["createdOn"]
        assert after["properties"]["metadata"]["updatedBy"] == owner.principal.object_id

    def test_an_identity_taken_away_and_given_again_is_another(self, owner: Client, scope: str) -> None:
        def change(kind: str) -> Any:
            return put(owner, scope, definition=AUDIT_DENY, identity={"type": kind}).json()["identity"]

        first = change("SystemAssigned")
        assert change("None") == {"type": "None"}
        assert change("SystemAssigned")["principalId"] != first["principalId"]

    def test_a_user_assigned_identity_shows_its_ids(self, owner: Client, cloud: LocalCloud, scope: str) -> None:
        identity = cloud.world.add_managed_identity("policies")
        wanted = {"type": "UserAssigned", "userAssignedIdentities": {identity.resource_id: {}}}
        shown = put(owner, scope, identity=wanted).json()["identity"]["userAssignedIdentities"]
        assert shown == {
            identity.resource_id: {"principalId": identity.object_id, "clientId": identity.client_id},
        }

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"identity": None}, "ResourceIdentityRequired"),
            ({"location": None}, "LocationRequired"),
            ({"definition": MODIFY + "0"}, "PolicyDefinitionNotFound"),
            ({"properties": {"parameters": {"effect": {"value": "modify"}}}}, "PolicyParameterValueNotAllowed"),
            ({"properties": {"parameters": {"other": {"value": 1}}}}, "UndefinedPolicyParameter"),
            ({"name": "x" * 65}, "InvalidPolicyAssignmentName"),
        ],
    )
    def test_what_is_wrong_is_refused(self, owner: Client, scope: str, change: Any, expected: str) -> None:
        answer = put(owner, scope, **change)
        assert answer.json()["error"]["code"] == expected
        assert names(owner, scope) == []

    def test_a_name_in_a_management_group_has_24_characters_at_most(self, owner: Client) -> None:
        assert put(owner, ESTATE, "x" * 24).status_code == 201
        assert code(put(owner, ESTATE, "x" * 25)) == (400, "InvalidPolicyAssignmentName")

    def test_scopes_that_are_not_there(self, owner: Client, scope: str) -> None:
        assert code(put(owner, f"{scope}/resourceGroups/none")) == (404, "ResourceGroupNotFound")
        missing = f"{scope}/resourceGroups/none/providers/Microsoft.ContainerRegistry/registries/none"
        assert code(put(owner, missing)) == (404, "ResourceGroupNotFound")

    @pytest.mark.parametrize(
        ("role", "expected"),
        [("Resource Policy Contributor", 201), ("Owner", 201), ("Contributor", 403), ("Reader", 403)],
    )
    def test_rights(self, cloud: LocalCloud, scope: str, role: str, expected: int) -> None:
        principal = cloud.world.add_service_principal("someone")
        cloud.world.grant(principal, scope, role)
        answer = put(Client(cloud, principal), scope)
        assert answer.status_code == expected
        if expected == 403:
            message = answer.json()["error"]["message"]
            assert "'Microsoft.Authorization/policyAssignments/write'" in message
            assert f"over scope '{scope}{AUTHORIZATION}/policyAssignments/arm-off'" in message

    def test_lists_show_what_is_above_and_below(self, owner: Client, registry: Registry, scope: str) -> None:
        group = f"{scope}/resourceGroups/rg-app"
        for place, name in ((ESTATE, "high"), (scope, "middle"), (group, "low"), (registry.id, "lowest")):
            assert put(owner, place, name).status_code == 201
        put(owner, scope, "other", AUDIT_DENY)
        assert set(names(owner, scope)) == {"high", "middle", "other", "low", "lowest"}
        assert set(names(owner, scope, "atScope()")) == {"high", "middle", "other"}
        assert set(names(owner, scope, "atExactScope()")) == {"middle", "other"}
        assert set(names(owner, scope, f"policyDefinitionId eq '{AUDIT_DENY.lower()}'")) == {"other"}
        assert set(names(owner, group)) == {"high", "middle", "other", "low", "lowest"}
        assert names(owner, ESTATE) == ["high"]
        bad = owner.arm("GET", f"{scope}{AUTHORIZATION}/policyAssignments", VERSION, params={"$filter": "name eq 'x'"})
        assert code(bad) == (400, "InvalidFilterInQueryString")


class TestExemptions:
    def test_it_is_kept_and_listed(self, owner: Client, cloud: LocalCloud, registry: Registry, scope: str) -> None:
        assignment = cloud.world.assign_policy(scope, AUDIT_DENY, effect="Deny")
        path = f"{registry.id}{AUTHORIZATION}/policyExemptions/legacy"
        content = {"properties": {"policyAssignmentId": assignment.id, "exemptionCategory": "Waiver"}}
        assert owner.arm("PUT", path, "2022-07-01-preview", json=content).status_code == 201
        assert owner.arm("GET", path, "2022-07-01-preview").json()["properties"] == content["properties"]
        listed = owner.arm("GET", f"{scope}{AUTHORIZATION}/policyExemptions", "2022-07-01-preview").json()["value"]
        assert [one["name"] for one in listed] == ["legacy"]

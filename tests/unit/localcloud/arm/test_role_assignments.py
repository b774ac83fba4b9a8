"""Role assignments and role definitions over Azure Resource Manager."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.identities import new_id
from tests.localcloud.world.policy.definitions import MODIFY

AUTHORIZATION = "/providers/Microsoft.Authorization"
VERSION = "2022-04-01"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"


@pytest.fixture
def owner(cloud: LocalCloud) -> Client:
    principal = cloud.world.add_service_principal("owner")
    cloud.world.grant(principal, cloud.world.subscriptions[0].scope, "Owner")
    return Client(cloud, principal)


@pytest.fixture
def scope(cloud: LocalCloud) -> str:
    return cloud.world.subscriptions[0].scope


def assign(client: Client, scope: str, principal_id: str, name: str | None = None, **more: Any) -> Any:
    role = f"{scope}{AUTHORIZATION}/roleDefinitions/{more.pop('role', CONTRIBUTOR)}"
    properties = {"roleDefinitionId": role, "principalId": principal_id, **more}
    path = f"{scope}{AUTHORIZATION}/roleAssignments/{name or new_id()}"
    return client.arm("PUT", path, VERSION, json={"properties": properties})


def listed(client: Client, scope: str, text: str = "") -> list[Any]:
    params = {"$filter": text} if text else {}
    found: list[Any] = client.arm("GET", f"{scope}{AUTHORIZATION}/roleAssignments", VERSION, params=params).json()[
        "value"
    ]
    return found


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def new_identity(client: Client, scope: str) -> str:
    """The identity of an assignment that was made this moment."""
    content = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"policyDefinitionId": MODIFY},
    }
    path = f"{scope}{AUTHORIZATION}/policyAssignments/arm-off"
    return str(client.arm("PUT", path, "2025-11-01", json=content).json()["identity"]["principalId"])


class TestReplication:
    def test_a_new_identity_is_unknown_twice(self, owner: Client, scope: str) -> None:
        principal = new_identity(owner, scope)
        answers = [assign(owner, scope, principal) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [400, 400, 201]
        assert answers[0].json()["error"]["code"] == "PrincipalNotFound"
        assert f"Principal {principal.replace('-', '')} does not exist" in answers[0].json()["error"]["message"]

    def test_naming_its_type_ends_the_wait(self, owner: Client, scope: str) -> None:
        answer = assign(owner, scope, new_identity(owner, scope), principalType="ServicePrincipal")
        assert answer.status_code == 201

    def test_a_role_may_count_later(self, owner: Client, cloud: LocalCloud, scope: str, registry: Registry) -> None:
        cloud.world.role_delay = 30
        reader = cloud.world.add_service_principal("reader")
        assert assign(owner, scope, reader.object_id).status_code == 201
        assert Client(cloud, reader).arm("GET", registry.id).status_code == 403
        cloud.world.advance(31)
        assert Client(cloud, reader).arm("GET", registry.id).status_code == 200


class TestAssignments:
    def test_one_gives_the_role_and_its_end_takes_it(
        self, owner: Client, cloud: LocalCloud, scope: str, registry: Registry
    ) -> None:
        reader = cloud.world.add_service_principal("reader")
        made = assign(owner, scope, reader.object_id).json()
        assert made["properties"]["principalType"] == "ServicePrincipal"
        assert Client(cloud, reader).arm("GET", registry.id).status_code == 200
        assert owner.arm("DELETE", made["id"], VERSION).status_code == 200
        assert owner.arm("DELETE", made["id"], VERSION).status_code == 204
        assert Client(cloud, reader).arm("GET", registry.id).status_code == 403

    def test_the_same_again_is_a_conflict(self, owner: Client, scope: str) -> None:
        principal, name = owner.principal.object_id, new_id()
        made = assign(owner, scope, principal, name)
        again = assign(owner, scope, principal)
        assert code(again) == (409, "RoleAssignmentExists")
        assert name.replace("-", "") in again.json()["error"]["message"]
        assert assign(owner, scope, principal, name).json() == made.json()
        other = assign(owner, scope, principal, name, role="acdd72a7-3385-48ef-bd42-f606fba81ae7")
        assert code(other) == (400, "RoleAssignmentUpdateNotPermitted")

    def test_unknown_principals_and_roles(self, owner: Client, scope: str) -> None:
        assert code(assign(owner, scope, new_id())) == (400, "PrincipalNotFound")
        assert code(assign(owner, scope, owner.principal.object_id, role=new_id())) == (
            400,
            "RoleDefinitionDoesNotExist",
        )

    @pytest.mark.parametrize(
        ("role", "expected"),
        [
            ("User Access Administrator", 201),
            ("Role Based Access Control Administrator", 201),
            ("Contributor", 403),
            ("Resource Policy Contributor", 403),
        ],
    )
    def test_rights(self, cloud: LocalCloud, scope: str, role: str, expected: int) -> None:
        principal = cloud.world.add_service_principal("someone")
        cloud.world.grant(principal, scope, role)
        answer = assign(Client(cloud, principal), scope, principal.object_id)
        assert answer.status_code == expected
        assert expected == 201 or "'Microsoft.Authorization/roleAssignments/write'" in answer.text

    def test_lists_show_grants_at_above_and_below(
        self, owner: Client, cloud: LocalCloud, scope: str, registry: Registry
    ) -> None:
        puller = cloud.world.add_managed_identity("kubelet")
        cloud.world.grant(puller, registry.id, "AcrPull")
        cloud.world.grant(puller, cloud.world.add_registry("other").id, "AcrPull")
        mine = f"principalId eq '{puller.object_id}'"
        assert len(listed(owner, scope, mine)) == 2
        assert len(listed(owner, registry.id, f"assignedTo('{puller.object_id}')")) == 1
        assert [one["properties"]["principalId"] for one in listed(owner, scope, "atScope()")] == [
            owner.principal.object_id
        ]
        assert {one["properties"]["principalId"] for one in listed(owner, registry.id)} == {
            owner.principal.object_id,
            puller.object_id,
        }

    def test_what_the_caller_may_do(self, owner: Client, scope: str) -> None:
        found = owner.arm("GET", f"{scope}{AUTHORIZATION}/permissions", VERSION).json()["value"]
        assert [one["actions"] for one in found] == [["*"]]


class TestRoles:
    def test_one_is_found_by_its_name_and_by_its_id(self, owner: Client, scope: str) -> None:
        path = f"{scope}{AUTHORIZATION}/roleDefinitions"
        (found,) = owner.arm("GET", path, VERSION, params={"$filter": "roleName eq 'contributor'"}).json()["value"]
        assert found["name"] == CONTRIBUTOR
        assert owner.arm("GET", f"{path}/{CONTRIBUTOR}", VERSION).json() == found

    def test_custom_roles_have_an_id_of_their_own(self, owner: Client, cloud: LocalCloud, scope: str) -> None:
        someone = cloud.world.add_service_principal("someone")
        cloud.world.grant(someone, scope, ("Microsoft.ContainerRegistry/registries/read",))
        (grant,) = listed(owner, scope, f"principalId eq '{someone.object_id}'")
        role = owner.arm("GET", grant["properties"]["roleDefinitionId"], VERSION).json()
        assert role["properties"]["type"] == "CustomRole"
        assert role["properties"]["permissions"][0]["actions"] == ["Microsoft.ContainerRegistry/registries/read"]

"""Management groups: the tree, who may look at it, and how far a role at a group reaches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, ManagementGroup, World
from tests.localcloud.world.identities import ServicePrincipal
from tests.localcloud.world.world import Subscription

GROUPS = "/providers/Microsoft.Management/managementGroups/"
VERSION = "2020-05-01"
READER = ("Microsoft.Management/managementGroups/read", "Microsoft.Management/managementGroups/descendants/read")
GRAPH = "/providers/Microsoft.ResourceGraph/resources"


class Tree:
    """root > platform > {online > sub-online, sub-platform}; root > first subscription."""

    def __init__(self, world: World) -> None:
        self.platform = world.add_management_group("platform", display_name="Platform")
        self.online = world.add_management_group("Online", self.platform)
        self.in_online = world.add_subscription("In Online")
        self.in_platform = world.add_subscription("In Platform")
        world.move(self.in_online, self.online)
        world.move(self.in_platform, "PLATFORM")


@pytest.fixture
def tree(cloud: LocalCloud) -> Tree:
    return Tree(cloud.world)


@pytest.fixture
def principal(cloud: LocalCloud) -> ServicePrincipal:
    return cloud.world.add_service_principal("looker")


@pytest.fixture
def looker(cloud: LocalCloud, principal: ServicePrincipal) -> Client:
    return Client(cloud, principal)


def get(client: Client, path: str, **more: Any) -> Any:
    return client.arm("GET", GROUPS + path, version=more.pop("version", VERSION), **more)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class TestGet:
    def test_a_group(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.platform.id, READER)
        body = get(looker, "online").json()
        assert body["id"] == GROUPS + "Online"
        assert body["type"] == "Microsoft.Management/managementGroups"
        assert (body["name"], body["properties"]["displayName"]) == ("Online", "Online")
        assert body["properties"]["tenantId"] == cloud.world.tenant_id
        parent = {"id": GROUPS + "platform", "name": "platform", "displayName": "Platform"}
        assert body["properties"]["details"]["parent"] == parent

    def test_the_root_group_has_the_tenants_id(self, cloud: LocalCloud, looker: Client) -> None:
        cloud.world.grant(looker.principal, GROUPS + cloud.world.tenant_id, READER)
        body = get(looker, cloud.world.tenant_id).json()
        assert body["properties"]["displayName"] == "Tenant Root Group"
        assert "parent" not in body["properties"]["details"]

    def test_without_the_right(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.online.id, "Reader")
        for name in ("platform", "missing"):
            answer = get(looker, name)
            assert code(answer) == (403, "AuthorizationFailed")
            action = "'Microsoft.Management/managementGroups/read' over scope '" + GROUPS + name
            assert action in answer.json()["error"]["message"]

    def test_a_role_at_a_subscription_shows_no_group(self, cloud: LocalCloud, tree: Tree, client: Client) -> None:
        assert code(get(client, cloud.world.tenant_id)) == (403, "AuthorizationFailed")

    def test_a_group_that_is_not_there(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, "/", "Reader")
        answer = get(looker, "missing")
        assert code(answer) == (404, "NotFound")
        assert answer.json()["error"]["message"] == f"'{GROUPS}missing' not found"

    def test_groups_of_other_tenants_are_not_there(self, cloud: LocalCloud, looker: Client) -> None:
        cloud.world.grant(looker.principal, "/", "Reader")
        assert code(get(looker, cloud.world.add_tenant("Fabrikam").id)) == (404, "NotFound")

    def test_an_unknown_api_version(self, looker: Client) -> None:
        assert get(looker, "x", version="1999-01-01").status_code == 400


class TestDescendants:
    def test_groups_and_subscriptions_at_any_depth(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.platform.id, READER)
        body = get(looker, "platform/descendants").json()
        assert body == {
            "value": [
                {
                    "id": GROUPS + "Online",
                    "type": "Microsoft.Management/managementGroups",
                    "name": "Online",
                    "properties": {"displayName": "Online", "parent": {"id": GROUPS + "platform"}},
                },
                {
                    "id": tree.in_online.scope,
                    "type": "/subscriptions",
                    "name": tree.in_online.id,
                    "properties": {"displayName": "In Online", "parent": {"id": GROUPS + "Online"}},
                },
                {
                    "id": tree.in_platform.scope,
                    "type": "/subscriptions",
                    "name": tree.in_platform.id,
                    "properties": {"displayName": "In Platform", "parent": {"id": GROUPS + "platform"}},
                },
            ]
        }

    def test_the_root_holds_everything(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, GROUPS + cloud.world.tenant_id, READER)
        assert len(get(looker, f"{cloud.world.tenant_id}/descendants").json()["value"]) == 5

    def test_pages(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.platform.id, READER)
        cloud.world.page_size = 2
        cloud.world.empty_pages = 1
        sizes, found = [], 0
        answer = get(looker, "platform/descendants")
        while True:
            body = answer.json()
            sizes.append(len(body["value"]))
            found += len(body["value"])
            if "nextLink" not in body:
                break
            headers = {"Authorization": f"Bearer {looker.token()}"}
            answer = looker.session.get(body["nextLink"], headers=headers, timeout=20)
        assert (sizes, found) == ([0, 2, 0, 1], 3)

    def test_it_has_a_right_of_its_own(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.platform.id, READER[:1])
        answer = get(looker, "platform/descendants")
        assert code(answer) == (403, "AuthorizationFailed")
        assert "managementGroups/descendants/read" in answer.json()["error"]["message"]


class TestReach:
    def test_a_role_at_a_group_reaches_the_registries_below(
        self, cloud: LocalCloud, tree: Tree, looker: Client
    ) -> None:
        inside = cloud.world.add_registry("inside", subscription=tree.in_online)
        outside = cloud.world.add_registry("outside")
        grant = cloud.world.grant(looker.principal, tree.platform.id, "Contributor")
        assert looker.arm("GET", inside.id).status_code == 200
        assert looker.arm("GET", outside.id).status_code == 403
        path = f"{tree.in_online.scope}/providers/Microsoft.ContainerRegistry/registries"
        assert len(looker.arm("GET", path).json()["value"]) == 1
        cloud.world.revoke(grant)
        assert looker.arm("GET", inside.id).status_code == 403

    def test_it_shows_the_subscriptions_below(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.online.id, "Reader")
        shown = looker.arm("GET", "/subscriptions", version="2022-12-01").json()["value"]
        assert [one["displayName"] for one in shown] == ["In Online"]

    def test_it_moves_with_the_subscription(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        registry = cloud.world.add_registry("moving")
        cloud.world.grant(looker.principal, tree.online.id, "Reader")
        assert looker.arm("GET", registry.id).status_code == 403
        cloud.world.move(cloud.world.subscriptions[0], tree.online)
        assert looker.arm("GET", registry.id).status_code == 200

    def test_new_subscriptions_are_under_the_root(self, cloud: LocalCloud, looker: Client) -> None:
        world = cloud.world
        world.grant(looker.principal, GROUPS + world.tenant_id, "Reader")
        for name in ("first", "second"):
            registry = world.add_registry(name, subscription=world.add_subscription(name))
            assert looker.arm("GET", registry.id).status_code == 200

    def test_a_role_below_does_not_reach_up(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        registry = cloud.world.add_registry("above", subscription=tree.in_platform)
        cloud.world.grant(looker.principal, tree.online.id, "Owner")
        assert looker.arm("GET", registry.id).status_code == 403


class TestInResourceGraph:
    def query(self, client: Client, groups: list[str], query: str = "resources | project id, name") -> Any:
        body = {"managementGroups": groups, "query": query}
        return client.arm("POST", GRAPH, version="2022-10-01", json=body)

    def found(self, client: Client, *groups: str) -> list[str]:
        return sorted(row["name"] for row in self.query(client, list(groups)).json()["data"])

    @pytest.fixture(autouse=True)
    def _registries(self, cloud: LocalCloud, tree: Tree) -> None:
        places: list[tuple[str, Subscription]] = [
            ("at-root", cloud.world.subscriptions[0]),
            ("in-platform", tree.in_platform),
            ("in-online", tree.in_online),
        ]
        for name, subscription in places:
            cloud.world.add_registry(name, subscription=subscription)

    def test_a_group_and_all_below_it(self, cloud: LocalCloud, looker: Client) -> None:
        cloud.world.grant(looker.principal, GROUPS + cloud.world.tenant_id, "Reader")
        assert self.found(looker, "platform") == ["in-online", "in-platform"]
        assert self.found(looker, "online", "platform") == ["in-online", "in-platform"]
        assert self.found(looker, cloud.world.tenant_id) == ["at-root", "in-online", "in-platform"]

    def test_only_what_the_caller_may_read(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.in_online.scope, "Reader")
        assert self.found(looker, "platform") == ["in-online"]

    def test_nothing_to_see(self, tree: Tree, looker: Client) -> None:
        assert code(self.query(looker, ["platform"])) == (403, "AccessDenied")

    def test_an_unknown_group(self, client: Client) -> None:
        answer = self.query(client, ["missing"])
        assert code(answer) == (400, "BadRequest")
        assert answer.json()["error"]["details"][0]["code"] == "ManagementGroupsContainInvalidIds"

    def test_the_ancestors_of_a_subscription(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.in_online.scope, "Reader")
        query = (
            "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
            "| mv-expand group = properties.managementGroupAncestorsChain | project name = tostring(group.name)"
        )
        chain = [row["name"] for row in self.query(looker, ["platform"], query).json()["data"]]
        assert chain == ["Online", "platform", cloud.world.tenant_id]

    def test_groups_are_rows(self, cloud: LocalCloud, tree: Tree, looker: Client) -> None:
        cloud.world.grant(looker.principal, tree.platform.id, "Reader")
        query = "resourcecontainers | where type == 'microsoft.management/managementgroups' | project id, name"
        rows = self.query(looker, ["platform"], query).json()["data"]
        assert [row["name"] for row in rows] == ["platform", "Online"]


class TestTree:
    def test_names_are_taken_once(self) -> None:
        world = World()
        world.add_management_group("one")
        with pytest.raises(ValueError, match="already"):
            world.add_management_group("ONE")

    def test_unknown_parents(self) -> None:
        with pytest.raises(ValueError, match="no management group"):
            World().add_management_group("one", parent="none")

    def test_subscriptions_stay_in_their_tenant(self) -> None:
        world = World()
        foreign = world.add_subscription("foreign", world.add_tenant("Fabrikam").id)
        group: ManagementGroup = world.add_management_group("one")
        with pytest.raises(ValueError, match="own tenant"):
            world.move(foreign, group)

"""Azure Resource Graph: who sees which rows, pages, quota, lag and refusals."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry, World

PATH = "/providers/Microsoft.ResourceGraph/resources"
VERSION = "2022-10-01"
FLEET = """resources
| where type =~ 'microsoft.containerregistry/registries'
| project id, name, location, tags, loginServer = tostring(properties.loginServer), \
status = tostring(properties.policies.azureADAuthenticationAsArmPolicy.status), \
adminUser = tobool(properties.adminUserEnabled)
| order by id asc"""


def post(client: Client, query: str, options: dict[str, Any] | None = None, **body: Any) -> Any:
    version = body.pop("version", VERSION)
    return client.arm("POST", PATH, version=version, json={"query": query, "options": options or {}, **body})


def names(client: Client, query: str = "resources | project id, name", **body: Any) -> list[str]:
    answer = post(client, query, **body)
    assert answer.status_code == 200, answer.text
    return sorted(row["name"] for row in answer.json()["data"])


def reasons(answer: Any) -> tuple[int, str, list[str]]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], [detail["code"] for detail in error["details"]]


@pytest.fixture
def nobody(cloud: LocalCloud) -> Client:
    return Client(cloud, cloud.world.add_service_principal("nobody"))


class TestAnswers:
    def test_the_form_of_an_answer(self, client: Client, registry: Registry) -> None:
        answer = post(client, FLEET)
        assert list(answer.json()) == ["totalRecords", "count", "data", "facets", "resultTruncated"]
        assert answer.json() == {
            "totalRecords": 1,
            "count": 1,
            "data": [
                {
                    "id": registry.id,
                    "name": "contoso",
                    "location": "westeurope",
                    "tags": {},
                    "loginServer": "contoso.azurecr.io",
                    "status": "enabled",
                    "adminUser": False,
                }
            ],
            "facets": [],
            "resultTruncated": "false",
        }

    def test_headers(self, client: Client) -> None:
        headers = post(client, FLEET).headers
        assert headers["x-ms-user-quota-remaining"] == "14"
        assert headers["x-ms-user-quota-resets-after"] == "00:00:05"
        assert headers["x-ms-ratelimit-remaining-tenant-resource-requests"] == "14"
        assert "x-ms-tenant-subscription-limit-hit" not in headers

    def test_a_registry_as_a_row(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_registry("Contoso", "RG-Apps", tags={"team": "a"})
        row = post(client, "resources").json()["data"][0]
        assert row["type"] == "microsoft.containerregistry/registries"
        assert row["resourceGroup"] == "rg-apps"
        assert "/resourceGroups/RG-Apps/" in row["id"]
        assert row["tenantId"] == cloud.world.tenant_id
        assert row["sku"] == {"name": "Premium", "tier": "Premium"}
        assert (row["kind"], row["plan"], row["tags"]) == ("", None, {"team": "a"})

    def test_no_policy_is_an_empty_text(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_registry("old", policy_status=None)
        assert post(client, FLEET).json()["data"][0]["status"] == ""

    def test_as_a_table(self, client: Client, registry: Registry) -> None:
        query = "resources | project id, tags, properties.adminUserEnabled | union (resources | count)"
        assert post(client, query, {"resultFormat": "table"}).json()["data"] == {
            "columns": [
                {"name": "id", "type": "string"},
                {"name": "tags", "type": "object"},
                {"name": "properties_adminUserEnabled", "type": "boolean"},
                {"name": "Count", "type": "integer"},
            ],
            "rows": [[registry.id, {}, False, None], [None, None, None, 1]],
        }

    @pytest.mark.parametrize("version", ["2021-03-01", "2021-06-01-preview", "2022-10-01", "2024-04-01"])
    def test_api_versions(self, client: Client, version: str) -> None:
        assert post(client, FLEET, version=version).status_code == 200

    def test_an_unknown_api_version(self, client: Client) -> None:
        assert post(client, FLEET, version="2019-01-01").status_code == 400

    def test_only_post(self, client: Client) -> None:
        assert client.arm("GET", PATH, version=VERSION).status_code == 405

    def test_it_needs_a_token(self, client: Client) -> None:
        assert client.arm("POST", PATH, version=VERSION, token=None, json={"query": FLEET}).status_code == 401


class TestRefusals:
    def test_a_query_that_is_not_understood(self, client: Client) -> None:
        answer = post(client, "where what")
        assert reasons(answer) == (400, "BadRequest", ["InvalidQuery", "ParserFailure"])
        error = answer.json()["error"]
        assert f"correlationId = {answer.headers['x-ms-correlation-request-id']}." in error["message"]
        parser = error["details"][1]
        assert (parser["line"], parser["characterPositionInLine"], parser["token"]) == (1, 6, "what")
        assert answer.headers["x-ms-user-quota-remaining"] == "14"

    def test_an_unknown_table(self, client: Client) -> None:
        assert reasons(post(client, "nonsense | take 1"))[2] == ["InvalidQuery", "ParserFailure"]

    @pytest.mark.parametrize(
        "options",
        [{"$top": 0}, {"$top": 1001}, {"$top": "5"}, {"$skip": -1}, {"$skipToken": "x"}, {"resultFormat": "csv"}],
    )
    def test_options_out_of_range(self, client: Client, options: dict[str, Any]) -> None:
        assert post(client, FLEET, options).status_code == 400

    @pytest.mark.parametrize(
        "body", [{}, {"query": ""}, {"query": 1}, [], {"query": "resources", "subscriptions": "x"}]
    )
    def test_bodies_against_the_schema(self, client: Client, body: Any) -> None:
        assert client.arm("POST", PATH, version=VERSION, json=body).status_code == 400

    def test_subscriptions_that_are_no_guids(self, client: Client) -> None:
        answer = post(client, FLEET, subscriptions=["Contoso Production"])
        assert reasons(answer) == (400, "BadRequest", ["SubscriptionsContainInvalidGuids"])


class TestWhoSeesWhat:
    def test_only_what_the_caller_may_read(self, cloud: LocalCloud, nobody: Client) -> None:
        world = cloud.world
        one, _, three = (world.add_registry(name, group) for name, group in (("a", "g1"), ("b", "g2"), ("c", "g3")))
        world.grant(nobody.principal, one.id, "Reader")
        world.grant(nobody.principal, three.id.split("/providers")[0], "Reader")
        assert names(nobody) == ["a", "c"]

    def test_the_right_to_pull_shows_no_registry(self, cloud: LocalCloud, nobody: Client, registry: Registry) -> None:
        cloud.world.grant(nobody.principal, registry.id, "AcrPull")
        assert names(nobody) == []

    def test_without_scopes_every_readable_subscription(self, cloud: LocalCloud, client: Client) -> None:
        world = cloud.world
        second, third = world.add_subscription("Second"), world.add_subscription("Third")
        for number, subscription in enumerate((world.subscriptions[0], second, third)):
            world.add_registry(f"r{number}", subscription=subscription)
        world.grant(client.principal, second.scope, "Reader")
        assert names(client) == ["r0", "r1"]
        assert names(client, subscriptions=[second.id.upper()]) == ["r1"]

    def test_subscriptions_nobody_may_see_are_left_out_in_silence(self, cloud: LocalCloud, client: Client) -> None:
        hidden = cloud.world.add_subscription("Hidden")
        cloud.world.add_registry("r1", subscription=hidden)
        cloud.world.add_registry("r0")
        assert names(client, subscriptions=[cloud.world.subscriptions[0].id, hidden.id]) == ["r0"]
        answer = post(client, FLEET, subscriptions=[hidden.id])
        assert reasons(answer) == (400, "BadRequest", ["NoValidSubscriptionsInQueryRequest"])
        assert f"Given: '{hidden.id}'." in answer.json()["error"]["details"][0]["message"]

    def test_nothing_to_see_at_all(self, nobody: Client, registry: Registry) -> None:
        assert reasons(post(nobody, FLEET)) == (400, "BadRequest", ["NoValidSubscriptionsInQueryRequest"])

    def test_other_tenants_are_not_seen(self, cloud: LocalCloud, client: Client) -> None:
        tenant = cloud.world.add_tenant("Fabrikam")
        foreign = cloud.world.add_subscription("Foreign", tenant.id)
        cloud.world.add_registry("r0")
        cloud.world.add_registry("r1", subscription=foreign)
        cloud.world.grant(client.principal, "/", "Reader")
        assert names(client) == ["r0"]

    def test_subscriptions_as_rows(self, cloud: LocalCloud, nobody: Client, registry: Registry) -> None:
        cloud.world.add_subscription("Hidden")
        cloud.world.grant(nobody.principal, registry.id, "Reader")
        query = (
            "ResourceContainers | where type == 'microsoft.resources/subscriptions' "
            "| project id, name, subscriptionId, chain = properties.managementGroupAncestorsChain"
        )
        subscription = cloud.world.subscriptions[0]
        assert post(nobody, query).json()["data"] == [
            {
                "id": subscription.scope,
                "name": "Contoso Production",
                "subscriptionId": subscription.id,
                "chain": [{"displayName": "Tenant Root Group", "name": cloud.world.tenant_id}],
            }
        ]

    def test_resource_groups_as_rows(self, cloud: LocalCloud, client: Client, nobody: Client) -> None:
        registry = cloud.world.add_registry("r0", "RG-One")
        cloud.world.grant(nobody.principal, registry.id, "Reader")
        query = "resourcecontainers | where type =~ 'Microsoft.Resources/subscriptions/resourceGroups'"
        row = post(client, query).json()["data"][0]
        assert (row["name"], row["resourceGroup"]) == ("RG-One", "rg-one")
        assert post(nobody, query).json()["data"] == []

    def test_rows_that_a_test_adds(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        scope = cloud.world.subscriptions[0].scope
        hidden = cloud.world.add_subscription("Hidden").scope
        for base in (scope, hidden):
            row = {"id": f"{base}/providers/Microsoft.Web/sites/s", "name": "s", "type": "microsoft.web/sites", "x": 1}
            cloud.world.add_graph_row("Resources", row)
        assert names(client, "resources | where x == 1") == ["s"]
        assert names(client) == ["contoso", "s"]

    def test_other_tables_hold_only_added_rows(self, cloud: LocalCloud, client: Client) -> None:
        query = "advisorresources | project id, role = properties.roleName"
        assert post(client, query).json()["data"] == []
        cloud.world.add_graph_row("advisorresources", {"id": "/x", "properties": {"roleName": "Owner"}})
        assert post(client, query).json()["data"] == [{"id": "/x", "role": "Owner"}]


class TestPages:
    @pytest.fixture(autouse=True)
    def _five(self, cloud: LocalCloud) -> None:
        for number in range(5):
            cloud.world.add_registry(f"r{number}")

    def test_a_hundred_rows_by_default(self, cloud: LocalCloud, client: Client) -> None:
        for number in range(5, 120):
            cloud.world.add_registry(f"r{number}")
        answer = post(client, FLEET).json()
        assert (answer["totalRecords"], answer["count"], answer["resultTruncated"]) == (120, 100, "false")

    def test_tokens_lead_to_the_end(self, client: Client) -> None:
        query = "resources | project id, name | order by name asc"
        first = post(client, query, {"$top": 2, "$skip": 1}).json()
        assert list(first)[-1] == "$skipToken"
        token = json.loads(base64.b64decode(first["$skipToken"]))
        assert (token["$id"], token["MaxRows"], token["RowsToSkip"]) == ("1", 2, 3)
        second = post(client, query, {"$skipToken": first["$skipToken"]}).json()
        assert [row["name"] for row in first["data"] + second["data"]] == ["r1", "r2", "r3", "r4"]
        assert "$skipToken" not in second
        assert second["totalRecords"] == 5

    def test_top_stands_above_the_token(self, client: Client) -> None:
        first = post(client, FLEET, {"$top": 2}).json()
        second = post(client, FLEET, {"$top": 1, "$skipToken": first["$skipToken"]}).json()
        assert [row["name"] for row in second["data"]] == ["r2"]

    @pytest.mark.parametrize("query", ["resources | project name", "resources | project id | limit 4"])
    def test_no_token_without_an_id_or_with_a_limit(self, client: Client, query: str) -> None:
        answer = post(client, query, {"$top": 2}).json()
        assert answer["resultTruncated"] == "true"
        assert "$skipToken" not in answer

    def test_a_limit_that_fits(self, client: Client) -> None:
        answer = post(client, "resources | project id | limit 2", {"$top": 2}).json()
        assert (answer["totalRecords"], answer["resultTruncated"]) == (2, "false")

    def test_truncated_on_demand(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.graph_truncated = True
        answer = post(client, FLEET, {"$top": 2}).json()
        assert (answer["count"], answer["totalRecords"], answer["resultTruncated"]) == (2, 5, "true")
        assert "$skipToken" not in answer

    def test_too_many_subscriptions_on_demand(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.graph_subscription_limit_hit = True
        assert post(client, FLEET).headers["x-ms-tenant-subscription-limit-hit"] == "true"


class TestQuota:
    def test_the_sixteenth_query_in_five_seconds(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.graph_throttling = True
        left = [post(client, FLEET).headers["x-ms-user-quota-remaining"] for _ in range(15)]
        assert left == [str(number) for number in range(14, -1, -1)]
        answer = post(client, FLEET)
        assert reasons(answer) == (429, "RateLimiting", ["RateLimiting"])
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
        assert answer.headers["x-ms-user-quota-remaining"] == "0"
        cloud.world.advance(float(answer.headers["Retry-After"]))
        assert post(client, FLEET).status_code == 200

    def test_each_user_has_a_quota(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.graph_throttling = True
        cloud.world.graph_quota.queries = 1
        other = Client(cloud, cloud.default_account("other"))
        assert [post(one, FLEET).status_code for one in (client, client, other)] == [200, 429, 200]

    def test_off_by_default(self, client: Client) -> None:
        assert {post(client, FLEET).status_code for _ in range(20)} == {200}

    def test_arm_reads_of_the_tenant_are_counted_too(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.throttling = True
        answer = post(client, FLEET)
        assert answer.headers["x-ms-ratelimit-remaining-tenant-reads"] == "249"


class TestLag:
    def status(self, client: Client) -> str:
        return str(post(client, FLEET).json()["data"][0]["status"])

    def test_none_by_default(self, client: Client, registry: Registry) -> None:
        registry.policy_status = "disabled"
        assert self.status(client) == "disabled"

    def test_a_patch_shows_after_the_lag(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.graph_lag = 60
        policies = {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}
        assert client.arm("PATCH", registry.id, json={"properties": {"policies": policies}}).status_code == 201
        assert self.status(client) == "enabled"
        cloud.world.advance(59)
        assert self.status(client) == "enabled"
        cloud.world.advance(2)
        assert self.status(client) == "disabled"

    def test_changes_show_in_their_order(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.graph_lag = 60
        seen = []
        for status in ("disabled", "enabled", "disabled"):
            registry.policy_status = status
            cloud.world.advance(40)
            seen.append(self.status(client))
        assert seen == ["enabled", "disabled", "enabled"]

    def test_changes_within_the_body_too(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.graph_lag = 60
        registry.properties["adminUserEnabled"] = True
        query = "resources | project id, a = properties.adminUserEnabled"
        assert post(client, query).json()["data"][0]["a"] is False
        cloud.world.advance(61)
        assert post(client, query).json()["data"][0]["a"] is True

    def test_new_and_deleted_registries(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.graph_lag = 60
        cloud.world.remove_registry(registry)
        cloud.world.add_registry("fresh")
        assert names(client) == ["contoso"]
        cloud.world.advance(61)
        assert names(client) == ["fresh"]

    def test_what_was_before_counts_as_long_known(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        registry.policy_status = "disabled"
        cloud.world.graph_lag = 60
        assert self.status(client) == "disabled"
        cloud.world.graph_lag = 0
        registry.policy_status = "enabled"
        assert self.status(client) == "enabled"


def test_ten_thousand_registries_come_in_ten_pages(cloud: LocalCloud, client: Client) -> None:
    world = cloud.world
    subscriptions = [world.subscriptions[0], *(world.add_subscription(f"Sub {number}") for number in range(19))]
    for number in range(10_000):
        world.add_registry(f"reg{number:05d}", f"rg-{number % 50}", subscriptions[number % 20])
    world.grant(client.principal, f"/providers/Microsoft.Management/managementGroups/{world.tenant_id}", "Reader")
    options: dict[str, Any] = {"$top": 1000}
    seen: list[str] = []
    for _ in range(10):
        answer = post(client, FLEET, options).json()
        seen += [row["id"] for row in answer["data"]]
        options = {"$top": 1000, "$skipToken": answer.get("$skipToken")}
    assert len(set(seen)) == 10_000
    assert "$skipToken" not in answer


def test_a_world_alone_has_no_history() -> None:
    world = World()
    assert world.graph_lag == 0
    assert world.graph_history.bodies() == []

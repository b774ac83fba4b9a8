"""Azure Resource Manager: the tokens, versions, rights and filters it insists on, and what a PATCH changes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.factories.localcloud import NEWEST, Client
from tests.localcloud import ACR_AUDIENCE, LocalCloud, Registry


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def patch(client: Client, registry: Registry, properties: dict[str, Any], **more: Any) -> Any:
    return client.arm("PATCH", registry.id, json={"properties": properties}, **more)


def disable(client: Client, registry: Registry, **more: Any) -> Any:
    block = {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}
    return patch(client, registry, {"policies": block}, **more)


class TestTokens:
    def test_no_token(self, client: Client, registry: Registry) -> None:
        answer = client.arm("GET", registry.id, token=None)
        assert code(answer) == (401, "AuthenticationFailed")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    def test_a_token_signed_by_another_key(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        forged = client.token(key=cloud.world.stranger_key)
        assert code(client.arm("GET", registry.id, token=forged)) == (401, "InvalidAuthenticationToken")

    def test_a_token_changed_after_signing(self, client: Client, registry: Registry) -> None:
        head, body, signature = client.token().split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        changed = base64.urlsafe_b64encode(json.dumps({**claims, "oid": "other"}).encode()).rstrip(b"=").decode()
        answer = client.arm("GET", registry.id, token=f"{head}.{changed}.{signature}")
        assert code(answer) == (401, "InvalidAuthenticationToken")

    def test_a_token_without_a_signature(self, client: Client, registry: Registry) -> None:
        head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        unsigned = f"{head}.{client.token().split('.')[1]}."
        assert code(client.arm("GET", registry.id, token=unsigned)) == (401, "InvalidAuthenticationToken")

    def test_an_expired_token(self, client: Client, registry: Registry) -> None:
        answer = client.arm("GET", registry.id, token=client.token(lifetime=-1))
        assert code(answer) == (401, "ExpiredAuthenticationToken")

    def test_a_good_token_that_has_aged(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        token = client.token()
        assert client.arm("GET", registry.id, token=token).status_code == 200
        cloud.world.advance(5010)
        assert code(client.arm("GET", registry.id, token=token)) == (401, "ExpiredAuthenticationToken")

    def test_a_token_for_another_audience(self, client: Client, registry: Registry) -> None:
        answer = client.arm("GET", registry.id, token=client.token(ACR_AUDIENCE))
        assert code(answer) == (401, "InvalidAuthenticationTokenAudience")
        assert f"wrong audience or resource '{ACR_AUDIENCE}'" in answer.json()["error"]["message"]

    def test_a_token_of_another_tenant(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        token = client.token(tenant_id=cloud.world.add_tenant("Fabrikam").id)
        assert code(client.arm("GET", registry.id, token=token)) == (401, "InvalidAuthenticationTokenTenant")


class TestVersions:
    def test_none(self, client: Client, registry: Registry) -> None:
        assert code(client.arm("GET", registry.id, version=None)) == (400, "MissingApiVersionParameter")

    def test_unknown(self, client: Client, registry: Registry) -> None:
        assert code(client.arm("GET", registry.id, version="2024-02-30")) == (400, "NoRegisteredProviderFound")

    @pytest.mark.parametrize(
        ("version", "shown"),
        [("2019-05-01", False), ("2021-08-01-preview", False), ("2022-02-01-preview", True), ("2023-07-01", True)],
    )
    def test_old_ones_do_not_show_the_policy(
        self, client: Client, registry: Registry, version: str, shown: bool
    ) -> None:
        policies = client.arm("GET", registry.id, version=version).json()["properties"]["policies"]
        assert ("azureADAuthenticationAsArmPolicy" in policies) is shown
        assert "retentionPolicy" in policies

    def test_the_oldest_shows_no_policies_at_all(self, client: Client, registry: Registry) -> None:
        assert "policies" not in client.arm("GET", registry.id, version="2017-10-01").json()["properties"]

    def test_only_the_newest_previews_show_regional_endpoints(self, client: Client) -> None:
        registry = client.cloud.world.add_registry("contoso", domain_name_label_hash="h4sh", regions=("eastus",))
        plain = client.cloud.world.add_registry("fabrikam")

        def seen(registry: Registry, version: str) -> tuple[str | None, list[str] | None]:
            properties = client.arm("GET", registry.id, version=version).json()["properties"]
            return properties.get("regionalEndpoints"), properties.get("regionalEndpointHostNames")

        for version in ("2026-01-01-preview", "2026-09-01-preview"):
            assert seen(registry, version) == ("Enabled", ["contoso-h4sh.eastus.geo.azurecr.io"])
            assert seen(plain, version) == ("Disabled", [])
        for version in ("2025-04-01", "2025-11-01", "2025-06-01-preview"):
            assert seen(registry, version) == (None, None)

    def test_an_old_one_cannot_change_what_it_does_not_know(self, client: Client, registry: Registry) -> None:
        assert disable(client, registry, version="2021-08-01-preview").status_code == 201
        assert registry.policy_status == "enabled"


class TestPatch:
    def test_one_policy_changes_and_everything_else_stays(self, client: Client, registry: Registry) -> None:
        before = json.loads(json.dumps(registry.body))
        answer = disable(client, registry)
        assert answer.status_code == 201
        assert answer.json()["properties"]["provisioningState"] == "Updating"
        assert registry.policy_status == "disabled"
        after = json.loads(json.dumps(registry.body))
        for body in (before, after):
            del body["properties"]["policies"]["azureADAuthenticationAsArmPolicy"]
            del body["properties"]["provisioningState"]
            del body["systemData"]
        assert after == before

    def test_carrying_the_retention_policy_rewrites_its_time(self, client: Client, registry: Registry) -> None:
        policies = registry.properties["policies"]
        times = {name: policies[name]["lastUpdatedTime"] for name in ("retentionPolicy", "softDeletePolicy")}
        patch(client, registry, {"policies": {"retentionPolicy": {"days": 7, "status": "disabled"}}})
        policies = registry.properties["policies"]
        assert policies["retentionPolicy"]["lastUpdatedTime"] != times["retentionPolicy"]
        assert policies["softDeletePolicy"]["lastUpdatedTime"] == times["softDeletePolicy"]

    @pytest.mark.parametrize("value", ["Disabled", "off", "", 1, True])
    def test_an_unknown_status_is_refused(self, client: Client, registry: Registry, value: Any) -> None:
        answer = patch(client, registry, {"policies": {"azureADAuthenticationAsArmPolicy": {"status": value}}})
        assert answer.status_code == 400
        assert registry.policy_status == "enabled"

    @pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"properties": []}'])
    def test_nonsense_is_refused(self, client: Client, registry: Registry, content: bytes) -> None:
        answer = client.arm("PATCH", registry.id, data=content, headers={"Content-Type": "application/json"})
        assert code(answer) == (400, "InvalidRequestContent")

    def test_a_body_that_is_not_json_is_refused(self, client: Client, registry: Registry) -> None:
        assert client.arm("PATCH", registry.id, data={"a": "b"}).status_code == 415

    def test_read_only_members_stay(self, client: Client, registry: Registry) -> None:
        patch(client, registry, {"loginServer": "evil.example", "publicNetworkAccess": "Disabled"})
        assert registry.login_server == "contoso.azurecr.io"
        assert registry.properties["publicNetworkAccess"] == "Disabled"

    def test_it_may_answer_at_once(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.sync_patch = True
        answer = disable(client, registry)
        assert (answer.status_code, "Azure-AsyncOperation" in answer.headers) == (200, False)


class TestOperations:
    def poll(self, client: Client, answer: Any) -> Any:
        path = answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0]
        return client.arm("GET", path)

    def test_polls_end_with_success(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.async_polls = 2
        answer = disable(client, registry)
        assert "/operationStatuses/registries-" in answer.headers["Azure-AsyncOperation"]
        statuses = [self.poll(client, answer).json()["status"] for _ in range(4)]
        assert statuses == ["Updating", "Updating", "Succeeded", "Succeeded"]
        assert registry.properties["provisioningState"] == "Succeeded"

    @pytest.mark.parametrize(("applied", "status"), [(False, "enabled"), (True, "disabled")])
    def test_a_failed_one_says_why_and_changes_nothing_unless_told(
        self, cloud: LocalCloud, client: Client, registry: Registry, applied: bool, status: str
    ) -> None:
        cloud.world.async_polls = 0
        registry.operation_outcome, registry.apply_anyway = "Failed", applied
        body = self.poll(client, disable(client, registry)).json()
        assert (body["status"], "code" in body["error"]) == ("Failed", True)
        assert registry.policy_status == status

    def test_one_that_never_ends(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        registry.operation_outcome = "never"
        answer = disable(client, registry)
        cloud.world.advance(3600)
        assert {self.poll(client, answer).json()["status"] for _ in range(5)} == {"Updating"}

    def test_one_that_nobody_polls_ends_by_itself(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        disable(client, registry)
        assert client.arm("GET", registry.id).json()["properties"]["provisioningState"] == "Updating"
        cloud.world.advance(11)
        assert client.arm("GET", registry.id).json()["properties"]["provisioningState"] == "Succeeded"

    def test_a_write_may_be_ignored(self, client: Client, registry: Registry) -> None:
        registry.ignore_writes = True
        assert disable(client, registry).status_code == 201
        assert client.arm("GET", registry.id).json() == registry.body
        assert registry.policy_status == "enabled"

    def test_polling_needs_its_own_right(self, cloud: LocalCloud, registry: Registry) -> None:
        narrow = cloud.world.add_service_principal("narrow")
        actions = ("Microsoft.ContainerRegistry/registries/read", "Microsoft.ContainerRegistry/registries/write")
        cloud.world.grant(narrow, registry.id, actions)
        client = Client(cloud, narrow)
        answer = self.poll(client, disable(client, registry))
        assert code(answer) == (403, "AuthorizationFailed")
        assert "registries/operationStatuses/read" in answer.json()["error"]["message"]


class TestRights:
    def test_reading_needs_a_role(self, cloud: LocalCloud, registry: Registry) -> None:
        nobody = cloud.world.add_service_principal("nobody")
        answer = Client(cloud, nobody).arm("GET", registry.id)
        assert code(answer) == (403, "AuthorizationFailed")
        assert answer.json()["error"]["message"].startswith(
            f"The client '{nobody.app_id}' with object id '{nobody.object_id}' does not have authorization to perform "
            f"action 'Microsoft.ContainerRegistry/registries/read' over scope '{registry.id}'"
        )

    def test_a_reader_cannot_write(self, cloud: LocalCloud, registry: Registry) -> None:
        reader = cloud.world.add_service_principal("reader")
        cloud.world.grant(reader, registry.id.upper(), "reader")
        client = Client(cloud, reader)
        assert client.arm("GET", registry.id).status_code == 200
        assert code(disable(client, registry)) == (403, "AuthorizationFailed")

    def test_a_list_leaves_out_what_one_may_not_read(self, cloud: LocalCloud, registry: Registry) -> None:
        cloud.world.add_registry("hidden", "rg-hidden")
        reader = cloud.world.add_service_principal("reader")
        cloud.world.grant(reader, registry.id, "Reader")
        path = f"/subscriptions/{registry.subscription_id}/providers/Microsoft.ContainerRegistry/registries"
        assert [one["name"] for one in Client(cloud, reader).arm("GET", path).json()["value"]] == ["contoso"]

    def test_a_name_that_begins_alike_is_not_under_a_scope(self, cloud: LocalCloud, registry: Registry) -> None:
        longer = cloud.world.add_registry("contosoprod")
        reader = cloud.world.add_service_principal("reader")
        cloud.world.grant(reader, registry.id, "Reader")
        assert Client(cloud, reader).arm("GET", longer.id).status_code == 403

    def test_a_lock_forbids_writing(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.lock(registry.id.rsplit("/providers", 1)[0])
        assert code(disable(client, registry)) == (409, "ScopeLocked")
        assert client.arm("GET", registry.id).status_code == 200

    def test_a_deny_policy_says_which_it_is(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.deny_policy("keep-arm", f"/subscriptions/{registry.subscription_id}")
        answer = disable(client, registry)
        assert code(answer) == (403, "RequestDisallowedByPolicy")
        (info,) = answer.json()["error"]["additionalInfo"]
        assert (info["type"], info["info"]["policyAssignmentName"]) == ("PolicyViolation", "keep-arm")
        assert registry.policy_status == "enabled"


class TestFinding:
    def test_paths_are_case_insensitive(self, client: Client, registry: Registry) -> None:
        assert client.arm("GET", registry.id.upper()).json()["id"] == registry.id

    def test_a_missing_registry_is_told_by_the_gateway(self, client: Client, registry: Registry) -> None:
        answer = client.arm("GET", registry.id + "x")
        assert code(answer) == (404, "ResourceNotFound")
        assert answer.headers["x-ms-failure-cause"] == "gateway"

    def test_a_missing_group(self, client: Client, registry: Registry) -> None:
        assert code(client.arm("GET", registry.id.replace("rg-app", "rg-none"))) == (404, "ResourceGroupNotFound")

    def test_a_missing_subscription(self, client: Client) -> None:
        path = "/subscriptions/00000000-0000-0000-0000-00000000dead/resources"
        assert code(client.arm("GET", path)) == (404, "SubscriptionNotFound")

    def test_the_generic_list_has_no_properties(self, client: Client, registry: Registry) -> None:
        query = {"$filter": "resourceType eq 'Microsoft.ContainerRegistry/registries' and name eq 'CONTOSO'"}
        path = f"/subscriptions/{registry.subscription_id}/resources"
        (item,) = client.arm("GET", path, params=query).json()["value"]
        assert "properties" not in item
        assert (item["id"], item["sku"]["name"]) == (registry.id, "Premium")

    @pytest.mark.parametrize(
        "text",
        [
            "name eq contoso",
            "name ne 'contoso'",
            "name eq 'a' or name eq 'b'",
            "name eq 'a' and",
            "properties/x eq 'y'",
            "",
        ],
    )
    def test_a_filter_it_does_not_know_is_refused(self, client: Client, registry: Registry, text: str) -> None:
        path = f"/subscriptions/{registry.subscription_id}/resources"
        assert code(client.arm("GET", path, params={"$filter": text})) == (400, "InvalidFilterInQueryString")

    def test_pages_among_them_empty_ones(self, cloud: LocalCloud, client: Client) -> None:
        names = [cloud.world.add_registry(f"contoso{number}").name for number in range(5)]
        cloud.world.page_size, cloud.world.empty_pages = 2, 2
        path = f"{cloud.world.subscriptions[0].scope}/providers/Microsoft.ContainerRegistry/registries"
        pages = [client.arm("GET", path).json()]
        while "nextLink" in pages[-1]:
            link = pages[-1]["nextLink"].removeprefix("https://management.azure.com")
            assert "api-version=" + NEWEST in link
            pages.append(client.arm("GET", link, version=None).json())
        assert [len(page["value"]) for page in pages] == [0, 0, 2, 0, 0, 2, 0, 0, 1]
        assert [one["name"] for page in pages for one in page["value"]] == names

    def test_credentials_need_the_admin_user(self, client: Client, registry: Registry) -> None:
        assert client.arm("POST", f"{registry.id}/listCredentials").status_code == 400
        registry.properties["adminUserEnabled"] = True
        passwords = client.arm("POST", f"{registry.id}/listCredentials").json()["passwords"]
        assert {one["value"] for one in passwords} <= client.cloud.secrets

    def test_create_and_delete(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        path = registry.id.replace("contoso", "fabrikam")
        content = {"location": "westus", "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True}}
        created = client.arm("PUT", path, json=content).json()
        assert (created["sku"]["name"], created["properties"]["adminUserEnabled"]) == ("Basic", True)
        assert client.arm("DELETE", path).status_code == 202
        assert client.arm("GET", path).status_code == 404


class TestThrottling:
    def test_reads_beyond_the_bucket_wait(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        now = [0.0]
        cloud.world.throttle.clock = lambda: now[0]
        cloud.world.throttle.limits["reads"] = (3, 0.5)
        cloud.world.throttling = True
        answers = [client.arm("GET", registry.id) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        header = "x-ms-ratelimit-remaining-subscription-reads"
        assert [answer.headers[header] for answer in answers] == ["2", "1", "0", "0"]
        assert code(answers[-1]) == (429, "SubscriptionRequestsThrottled")
        assert answers[-1].headers["Retry-After"] == "2"
        now[0] = 1.9
        assert client.arm("GET", registry.id).status_code == 429
        now[0] = 2.0
        assert client.arm("GET", registry.id).status_code == 200

    def test_writes_have_a_bucket_of_their_own(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.throttle.limits["writes"] = (1, 0.001)
        cloud.world.throttling = True
        assert disable(client, registry).status_code == 201
        refused = disable(client, registry)
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 900) == (429, True)
        assert client.arm("GET", registry.id).status_code == 200

    def test_it_tells_of_both_buckets_of_a_subscription(
        self, cloud: LocalCloud, client: Client, registry: Registry
    ) -> None:
        headers = disable(client, registry).headers
        left = {
            name: headers.get(f"x-ms-ratelimit-remaining-subscription-{name}") for name in ("writes", "global-writes")
        }
        assert left == {"writes": "199", "global-writes": "2999"}
        cloud.world.throttle.tells = False
        assert not [name for name in disable(client, registry).headers if "ratelimit" in name.lower()]

    def test_it_is_off_by_default(self, client: Client, registry: Registry) -> None:
        header = "x-ms-ratelimit-remaining-subscription-reads"
        assert [client.arm("GET", registry.id).headers[header] for _ in range(2)] == ["249", "249"]

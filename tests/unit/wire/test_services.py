"""What the services send reads as what it is; see `tests.factories.wire`."""

import json
from typing import Any

import pytest

from azext_acrscope.arm import client, log_analytics
from azext_acrscope.arm.resource_graph import list_kql
from azext_acrscope.base import hosts
from azext_acrscope.base.resource_ids import REGISTRY_TYPE
from azext_acrscope.base.tokens import ACR_AUDIENCE, parse_json_object
from azext_acrscope.consumers import knowledge, queries, registry_uses, row_readers, site_readers, verdicts
from azext_acrscope.hops import entra, exchange, token_endpoints
from azext_acrscope.registry import change
from azext_acrscope.registry import resource as registry_resource
from tests.factories.tokens import jwt
from tests.factories.wire import Recordings, headers
from tests.localcloud import kql
from tests.localcloud.arm.resource_graph.tables import COLUMNS, TYPES


def answer(pair: dict[str, Any]) -> token_endpoints.LoginServerAnswer:
    """A recorded answer of a login server."""
    body = (pair["response"].get("body") or "").encode()
    return token_endpoints.LoginServerAnswer(pair["response"]["status"], headers(pair), body)


def registry_bodies(recordings: Recordings) -> list[dict[str, Any]]:
    """Every registry object in the recordings, from answers to GET, PUT, PATCH and the lists."""
    found = []
    for pair in (
        recordings.pairs("cli_recordings/*.json")
        + recordings.pairs("sdk_recordings/cpa_*.json")
        + recordings.pairs("sdk_recordings/azd_reg*.json")
    ):
        try:
            body = json.loads(pair["response"].get("body") or "null")
        except ValueError:
            continue
        items = body.get("value", [body]) if isinstance(body, dict) else []
        found += [
            item
            for item in items
            if str(item.get("type", "")).lower() == REGISTRY_TYPE.lower() and "properties" in item
        ]
    return found


def test_every_recorded_registry_reads_as_enabled_with_a_login_server(recordings: Recordings) -> None:
    defaults = set()
    for body in registry_bodies(recordings):
        if body["properties"].get("provisioningState") == "Creating":
            continue
        described = registry_resource.describe_registry(body, "https://management.core.windows.net/")
        assert described["status"] == "enabled"
        has_value = "azureADAuthenticationAsArmPolicy" in (body["properties"].get("policies") or {})
        assert described["statusIsDefault"] is not has_value
        defaults.add(described["statusIsDefault"])
        assert described["loginServer"].startswith(body["name"].lower())
    assert defaults == {True, False}


def test_every_recorded_login_server_passes_the_host_rules(recordings: Recordings) -> None:
    servers = {registry_resource.login_server_of(body) for body in registry_bodies(recordings)} - {""}
    assert any("-" in server for server in servers), "the hashed login server is missing from the recordings"
    for server in servers:
        suffix = ".azurecr.cn" if server.endswith(".cn") else ".azurecr.io"
        assert hosts.check_login_server(server, suffix) == server


@pytest.mark.parametrize(
    "pattern", ["cli_recordings/2026_v2_challenge_401.json", "sdk_recordings/pysdk_401_challenge_with_scope.json"]
)
def test_recorded_challenges_are_understood(recordings: Recordings, pattern: str) -> None:
    for pair in recordings.pairs(pattern):
        realm, service = exchange.parse_challenge(answer(pair).headers["WWW-Authenticate"])
        assert hosts.is_own_realm(realm, service)


@pytest.mark.parametrize("pattern", ["cli_recordings/2026_exchange_200*.json", "sdk_recordings/*exchange_200*.json"])
def test_recorded_exchanges_carry_the_refresh_token_where_it_is_looked_for(
    recordings: Recordings, pattern: str
) -> None:
    for pair in recordings.pairs(pattern):
        assert "grant_type=access_token" in pair["request"]["body"]
        assert parse_json_object(answer(pair).body)["refresh_token"]


def test_recorded_refusals_of_the_exchange_tell_code_and_correlation(recordings: Recordings) -> None:
    for pair in recordings.pairs("errors/exchange_401_*.json"):
        code, message, correlation = token_endpoints.read_error_envelope(answer(pair))
        assert code == "UNAUTHORIZED"
        assert message
        if "X-Ms-Correlation-Request-Id" in (pair["response"].get("headers") or {}):
            assert len(correlation) == 36


def test_the_correlation_id_is_found_in_the_message_too(recordings: Recordings) -> None:
    (pair,) = recordings.pairs("errors/exchange_401_no_role_2026.json")
    correlation = token_endpoints.read_error_envelope(answer(pair))[2]
    assert len(correlation) == 36
    assert f"CorrelationId: {correlation}" in pair["response"]["body"]


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("cli_recordings/error_404_ResourceNotFound_arm.json", "ResourceNotFound"),
        ("cli_recordings/error_404_ResourceNotFound_rp_status_Failed.json", "ResourceNotFound"),
        ("sdk_recordings/cpa_*_get_404_ResourceNotFound.json", "ResourceNotFound"),
        ("sdk_recordings/cpa_*_list_404_ResourceGroupNotFound.json", "ResourceGroupNotFound"),
        ("cli_recordings/2026_error_409_RegistryNameAlreadyInUse.json", "RegistryNameAlreadyInUse"),
        ("errors/arm_401_InvalidAuthenticationTokenAudience.json", "InvalidAuthenticationTokenAudience"),
        ("errors/arm_429_SubscriptionRequestsThrottled_reads.json", "SubscriptionRequestsThrottled"),
        ("policy/error_403_AuthorizationFailed_policyDefinitions_read.json", "AuthorizationFailed"),
    ],
)
def test_recorded_arm_errors_tell_their_code(recordings: Recordings, pattern: str, code: str) -> None:
    for pair in recordings.pairs(pattern):
        recorded = pair["response"]
        error = client.parse_arm_error(
            recorded["status"], headers(pair), recorded.get("reason"), json.loads(recorded["body"])
        )
        assert (error.status, error.code) == (pair["response"]["status"], code)
        assert error.message


def test_the_recorded_search_finds_a_registry_by_name(recordings: Recordings) -> None:
    for pair in recordings.pairs("cli_recordings/*resources_filter_list*.json"):
        items = json.loads(pair["response"]["body"])["value"]
        assert items
        assert all(hosts.parse_registry(item["id"], ".azurecr.io").name == item["name"] for item in items)


def test_the_recorded_asynchronous_write_is_understood(recordings: Recordings) -> None:
    flow = recordings.pairs("cli_recordings/flow_patch_201_async_anonymousPull.json")
    write = next(pair for pair in flow if pair["request"]["method"] == "PATCH")
    poll = next(pair for pair in flow if "operationStatuses" in pair["request"]["url"])
    assert write["response"]["status"] == 201
    assert headers(write)["Azure-AsyncOperation"].lower().startswith("https://management.azure.com/")
    reply = client.Reply(200, headers(poll), json.loads(poll["response"]["body"]))
    assert change._read_operation_state(reply) == change.OperationState("Succeeded")


def test_a_recorded_patch_of_one_policy_keeps_the_others(recordings: Recordings) -> None:
    """What the one-property write relies on."""
    (pair,) = recordings.pairs("cli_recordings/registry_patch_partial_policies_exportPolicy_disabled_200.json")
    assert list(json.loads(pair["request"]["body"])["properties"]["policies"]) == ["exportPolicy"]
    kept = json.loads(pair["response"]["body"])["properties"]["policies"]
    assert {"quarantinePolicy", "retentionPolicy", "azureADAuthenticationAsArmPolicy"} <= set(kept)


def test_the_recorded_claims_are_those_of_the_registry_audience(recordings: Recordings) -> None:
    (recorded,) = recordings.pairs("entra/acr_audience_token_claims_2026.json")
    entra._check_audience(jwt(**recorded["claims"]), ACR_AUDIENCE)


def consumer_rows(recordings: Recordings, pattern: str) -> list[dict[str, Any]]:
    """Recorded resources, through the query for consumers, as Resource Graph would give them."""
    found = []
    for pair in recordings.pairs(f"consumers/{pattern}.json"):
        resource = pair["row"]
        shown = {column: resource.get(column) for column in COLUMNS} | {"type": resource["type"].lower()}
        by_host = queries.site_condition("tostring(properties) contains '.azurecr.io'")
        whole, naming = list_kql(queries.TYPES_READ_WHOLE), list_kql(queries.TYPES_NAMING_LOGIN_SERVERS)
        where = f"type in~ ({whole}) or (type in~ ({naming}) and ({by_host}))"
        text = queries.RESOURCES_QUERY.format(where=where)
        table = kql.Table(COLUMNS, [shown], TYPES)
        rows, pools = (kql.run(query, lambda _, table=table: table).rows for query in (text, queries.NODE_POOLS_QUERY))  # type: ignore[misc]
        found += [{**row, **(pools[0] if pools else {})} for row in rows]
    return found


queries_run = pytest.mark.stage  # by the local Azure's engine, which takes seconds to plan them


@queries_run
@pytest.mark.parametrize(
    ("pattern", "kind", "how"),
    [
        ("containerapp_identity_*", "container-app", registry_uses.MANAGED_IDENTITY),
        ("containerapp_password", "container-app", registry_uses.ADMIN_USER),
        ("containerapp_registry_msi", "container-app", registry_uses.ADMIN_USER),
        ("containerapp_job_registries", "container-app-job", registry_uses.ADMIN_USER),
        ("containergroup_password", "container-instance", registry_uses.ADMIN_USER),
        ("acr_task*", "acr-task", registry_uses.UNKNOWN_AUTH),
        ("ml_workspace", "machine-learning", registry_uses.UNKNOWN_AUTH),
    ],
)
def test_recorded_consumers_read_as_what_they_are(recordings: Recordings, pattern: str, kind: str, how: str) -> None:
    for row in consumer_rows(recordings, pattern):
        assert [(use.kind, use.sign_in) for use in row_readers.READERS_BY_TYPE[row["type"]](row, ".azurecr.io")] == [
            (kind, how)
        ]


@queries_run
@pytest.mark.parametrize("pattern", ["functionapp_acr_site", "functionapp_acr_deploy_site", "webapp_site_customer"])
def test_recorded_sites_name_their_image_and_sign_in(recordings: Recordings, pattern: str) -> None:
    [row] = consumer_rows(recordings, pattern)
    sign_in = site_readers.site_auth(row)
    assert sign_in
    assert [use.sign_in for use in site_readers.read_site_uses(row, sign_in, ".azurecr.io")] == [
        registry_uses.PASSWORD_OR_NONE
    ]


@queries_run
@pytest.mark.parametrize("pattern", ["managedcluster", "managedcluster_windows"])
def test_recorded_clusters_have_nodes_that_are_judged(recordings: Recordings, pattern: str) -> None:
    [row] = consumer_rows(recordings, pattern)
    assert row_readers.kubelet_principals(row)
    assert verdicts.judge_node_pools(row, knowledge.load_knowledge().aks)[0] == "breaks"


def test_the_documented_answer_of_log_analytics_is_a_table(recordings: Recordings) -> None:
    [sample] = recordings.pairs("consumers/loganalytics_query_response.json")
    sent, body = sample["row"]["request"], sample["row"]["response"]
    assert sent["url"].endswith("/v1/workspaces/{workspaceId}/query")
    assert set(sent["body"]) == {"query", "timespan"}
    answer = log_analytics.read_log_answer(200, body, "AzureActivity", "guid", "https://api.loganalytics.io")
    (table,) = body["tables"]
    assert [list(row.values()) for row in answer.rows] == table["rows"]
    assert set(answer.rows[0]) == {"Category", "count_"}

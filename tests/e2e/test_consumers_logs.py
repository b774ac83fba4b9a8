"""`az acr scope consumers --workspace` through the real `az`: who signed in, who is refused since an enforcement."""

import datetime
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.secrets import holds_any
from tests.localcloud import ACR_AUDIENCE, Answer, LocalCloud, Registry, ServicePrincipal, json_answer
from tests.localcloud.scenarios.container_client import KUBELET, Client
from tests.localcloud.world.login_events import Workspace
from tests.localcloud.world.world import Subscription

ARM, LOGS = "management.azure.com", "api.loganalytics.io"


@dataclass
class Estate:
    """A registry that logs its sign-ins, and an operator who may enforce it and query the log."""

    operator: ServicePrincipal
    subscription: Subscription
    registry: Registry
    workspace: Workspace


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    operator = world.add_service_principal(f"operator of {registry_name}")
    subscription = world.add_subscription(f"Logs {registry_name}")
    world.grant(operator, subscription.scope, "Contributor")
    registry = world.add_registry(f"{registry_name}log", "rg-apps", subscription)
    workspace = world.logs.add_workspace(f"log-{registry_name}", subscription=subscription)
    world.logs.send(registry, workspace)
    return Estate(operator, subscription, registry, workspace)


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.operator, subscription=estate.subscription)


@pytest.fixture
def nodes(cloud: LocalCloud, estate: Estate) -> Client:
    principal = cloud.world.add_service_principal("nodes")
    cloud.world.grant(principal, estate.registry.id, "AcrPull")
    return Client(cloud, principal, estate.registry)


def consumers(az: Az, estate: Estate, *arguments: str, workspace: str = "") -> Result:
    named = ("--name", estate.registry.name, "--workspace", workspace or estate.workspace.customer_id)
    return az("acr", "scope", "consumers", *named, *arguments)


def logins(result: Result) -> list[dict[str, Any]]:
    [registry] = result.json["registries"]
    found: list[dict[str, Any]] = registry["logins"]
    return found


def errors(result: Result) -> str:
    """What is said before anything else: the last words of stderr."""
    return result.stderr.partition("ERROR:")[2]


def test_who_is_refused_since_the_enforcement_is_named(
    az: Az, estate: Estate, cloud: LocalCloud, nodes: Client
) -> None:
    laptop = Client(cloud, nodes.principal, estate.registry, "20.9.9.9", "docker/28.1.1 go/go1.23", ACR_AUDIENCE)
    assert (nodes.sign_in(), laptop.sign_in()) == (200, 200)
    before = consumers(az, estate, "--fail-on", "breaks")
    assert before.code == 0, before
    assert {row["newlyRefused"] for row in logins(before)} == {False}
    assert az("acr", "scope", "enforce", "--name", estate.registry.name).code == 0
    assert (nodes.sign_in(), nodes.sign_in(), laptop.sign_in()) == (401, 401, 200)
    result = consumers(az, estate, "--fail-on", "breaks")
    assert result.code == 1
    assert "1 client is newly refused" in errors(result)
    refused, fine = logins(result)
    assert refused == {
        **refused,
        "identity": nodes.principal.object_id,
        "address": "20.1.2.3",
        "userAgent": KUBELET,
        "client": "kubelet",
        "signIns": 1,
        "refusals": 2,
        "other": 0,
        "results": {"200": 1, "401": 2},
        "newlyRefused": True,
    }
    assert refused["lastSignIn"] <= refused["refusedSince"] <= refused["lastRefusal"]
    assert (fine["address"], fine["client"], fine["newlyRefused"]) == ("20.9.9.9", "docker", False)
    assert "1 client signed in before and is now refused:" in result.stderr
    assert f"{nodes.principal.object_id} from 20.1.2.3 with kubelet: signed in until" in result.stderr
    command = result.stderr.partition("at once: `az ")[2].partition("`")[0]
    assert az(*shlex.split(command), "--yes").code == 0
    assert nodes.sign_in() == 200
    assert consumers(az, estate, "--fail-on", "breaks").code == 0


def test_our_own_checks_of_an_enforced_registry_raise_no_alarm(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.world.grant(estate.operator, estate.registry.id, "AcrPull")
    assert az("acr", "scope", "enforce", "--name", estate.registry.name, "--verify").code == 0
    assert az("acr", "scope", "check", "--name", estate.registry.name).code == 0
    [row] = logins(consumers(az, estate, "--fail-on", "breaks"))
    assert (row["client"], row["results"]) == ("acrscope's own probe", {"200": 2, "401": 2})


def test_a_refusal_without_identity_is_told_by_address_and_user_agent(
    az: Az, estate: Estate, cloud: LocalCloud, nodes: Client
) -> None:
    cloud.world.logs.refusals_name_identity = False
    try:
        nodes.sign_in()
        estate.registry.policy_status = "disabled"
        nodes.sign_in()
    finally:
        cloud.world.logs.refusals_name_identity = True
    refused = next(row for row in logins(consumers(az, estate)) if row["newlyRefused"])
    assert (refused["identity"], refused["possibleIdentities"]) == ("", [nodes.principal.object_id])


def test_what_the_log_cannot_say_is_said(az: Az, estate: Estate, nodes: Client) -> None:
    nodes.sign_in()
    result = consumers(az, estate)
    assert "The log does not show the audience" in result.stderr
    assert "A client that is not in the log may still pull" in result.stderr


def test_without_a_workspace_the_result_is_as_it_was(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    result = az("acr", "scope", "consumers", "--name", estate.registry.name)
    assert "log" not in result.json
    assert "logins" not in result.json["registries"][0]
    assert not cloud.requests_to(LOGS)


def test_a_client_is_joined_to_the_consumer_that_pulls_with_its_identity(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    known = cloud.world.consumers
    assigned = known.add_assigned("id-shop", estate.subscription)
    image = f"{estate.registry.login_server}/app"
    app = known.add_container_app("shop", image, estate.subscription, identity=assigned)
    for identity in (assigned.principal_id, assigned.client_id.upper(), "somebody@contoso.example"):
        cloud.world.logs.write(estate.registry, 200, Identity=identity)
    found = {row["identity"]: row["consumers"] for row in logins(consumers(az, estate))}
    assert found == {
        assigned.principal_id: [app],
        assigned.client_id.upper(): [app],
        "somebody@contoso.example": [],
    }


def test_one_request_more_by_guid_and_two_by_resource_id(
    az: Az, estate: Estate, cloud: LocalCloud, nodes: Client
) -> None:
    nodes.sign_in()
    counts = []
    for arguments in ([], ["--workspace", estate.workspace.customer_id], ["--workspace", estate.workspace.id]):
        cloud.clear_requests()
        assert az("acr", "scope", "consumers", "--name", estate.registry.name, *arguments).code == 0
        counts.append(len(cloud.requests_to(ARM)) + len(cloud.requests_to(LOGS)))
    plain, by_guid, by_id = counts
    assert (by_guid - plain, by_id - plain) == (1, 2)


def test_all_registries_take_one_query_and_each_has_its_own_clients(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    world = cloud.world
    others = [
        world.add_registry(f"{estate.registry.name}n{number}", "rg-apps", estate.subscription) for number in range(60)
    ]
    stranger = world.add_registry(f"{estate.registry.name}x")
    for number, registry in enumerate([estate.registry, *others[:5], stranger]):
        world.logs.send(registry, estate.workspace)
        world.logs.write(registry, 200, Identity=f"client {number}")
    result = az("acr", "scope", "consumers", "--all", "--workspace", estate.workspace.id)
    seen = {each["name"]: [row["identity"] for row in each["logins"]] for each in result.json["registries"]}
    assert len(seen) == 61
    assert {name: clients for name, clients in seen.items() if clients} == {
        registry.name: [f"client {number}"] for number, registry in enumerate([estate.registry, *others[:5]])
    }
    assert len(cloud.requests_to(LOGS)) == 1
    assert "and 52 more" in result.stderr


def test_days_bound_the_log(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    now = datetime.datetime.fromtimestamp(cloud.world.now(), datetime.timezone.utc)
    for days in (0, 3, 8):
        cloud.world.logs.write(estate.registry, 200, TimeGenerated=now - datetime.timedelta(days=days))
    seen = [logins(consumers(az, estate, *days))[0]["signIns"] for days in ([], ["--days", "2"], ["--days", "90"])]
    assert seen == [2, 1, 3]


def test_an_empty_log_is_no_proof_and_the_command_that_is_named_mends_it(
    az: Az, estate: Estate, cloud: LocalCloud, nodes: Client
) -> None:
    cloud.world.logs.settings.clear()
    nodes.sign_in()
    result = consumers(az, estate, workspace=estate.workspace.id)
    assert result.code == 0
    assert logins(result) == []
    assert "That proves nothing" in result.stderr
    assert consumers(az, estate, "--fail-on", "unknown").code == 1
    command = result.stderr.partition("`az monitor ")[2].partition("`")[0]
    assert az("monitor", *shlex.split(command)).code == 0
    nodes.sign_in()
    assert logins(consumers(az, estate))[0]["signIns"] == 1


def test_a_workspace_without_the_table_has_no_events(az: Az, estate: Estate) -> None:
    estate.workspace.has_table = False
    result = consumers(az, estate)
    assert result.code == 0, result
    assert "diagnostic setting" in result.stderr


def test_a_result_in_part_is_said_and_closes_the_strict_gate(
    az: Az, estate: Estate, cloud: LocalCloud, nodes: Client
) -> None:
    nodes.sign_in()
    cloud.world.logs.partial = "EngineError"
    try:
        result = consumers(az, estate, "--fail-on", "unknown")
    finally:
        cloud.world.logs.partial = None
    assert "only part of its answer (PartialError, EngineError)" in result.stderr
    assert result.code == 1


def test_throttling_and_lag_are_not_refusals(az: Az, estate: Estate, cloud: LocalCloud, nodes: Client) -> None:
    nodes.sign_in()
    for status in (429, 503):
        cloud.world.logs.write(estate.registry, status, Identity=nodes.principal.object_id, UserAgent=KUBELET,
                               CallerIpAddress=nodes.address)  # fmt: skip
    [row] = logins(consumers(az, estate, "--fail-on", "breaks"))
    assert (row["signIns"], row["refusals"], row["other"], row["newlyRefused"]) == (1, 0, 2, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--workspace", "my-workspace"),
        ("--workspace", "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Web/sites/x"),
        ("--workspace", "11111111-2222-3333-4444-555555555555", "--days", "0"),
        ("--workspace", "11111111-2222-3333-4444-555555555555", "--days", "91"),
        ("--workspace", "11111111-2222-3333-4444-555555555555", "--days", "week"),
        ("--days", "3"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_request(
    az: Az, estate: Estate, cloud: LocalCloud, arguments: tuple[str, ...]
) -> None:
    result = az("acr", "scope", "consumers", "--name", estate.registry.name, *arguments)
    assert result.code == 1
    assert arguments[-2] in result.stderr or "az monitor log-analytics workspace list" in result.stderr
    assert not cloud.requests


def test_a_workspace_that_is_not_there_is_not_found(az: Az, estate: Estate) -> None:
    by_guid = consumers(az, estate, workspace="11111111-2222-3333-4444-555555555555")
    by_id = consumers(az, estate, workspace=f"{estate.workspace.id}2")
    assert (by_guid.code, by_id.code) == (3, 3)
    assert "PathNotFoundError" in by_guid.stderr
    assert "ResourceNotFound" in by_id.stderr


def test_who_may_not_query_is_told_the_role(new_az: Callable[..., Az], estate: Estate, cloud: LocalCloud) -> None:
    reader = cloud.world.add_service_principal(f"reader of {estate.registry.name}")
    cloud.world.grant(reader, estate.registry.id, "Reader")
    other = new_az(reader, "reader")
    by_guid = consumers(other, estate)
    assert by_guid.code == 1
    assert "InsufficientAccessError" in by_guid.stderr
    assert "Log Analytics Reader" in by_guid.stderr
    by_id = consumers(other, estate, workspace=estate.workspace.id)
    assert by_id.code == 1
    assert "Log Analytics Reader" in by_id.stderr
    cloud.world.grant(reader, estate.workspace.id, "Log Analytics Reader")
    assert consumers(other, estate, workspace=estate.workspace.id).code == 0


def test_a_throttled_query_is_repeated_and_at_last_said(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.faults.add(host=LOGS, status=429, headers={"Retry-After": "1"}, times=2)
    assert consumers(az, estate).code == 0
    assert len(cloud.requests_to(LOGS)) == 3
    cloud.faults.add(host=LOGS, status=429, headers={"Retry-After": "0"}, times=None)
    result = consumers(az, estate)
    assert result.code == 1
    assert "throttling" in result.stderr
    assert len(cloud.requests_to(LOGS)) <= 9


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(302, b"", {"Location": "https://elsewhere.example/"}), "redirect"),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), "not a table"),
        (Answer(200, b"", {}), "not a table"),
        (json_answer(200, {"tables": []}), "not a table"),
        (json_answer(200, {"tables": [{"columns": [{"name": "a"}], "rows": ["a"]}]}), "not a table"),
        (json_answer(200, ["eyJhbGciOiJSUzI1NiJ9"] * 5), "not a table"),
        (json_answer(418, {"error": {"code": "x" * 2000, "message": "eyJhbGciOiJSUzI1NiJ9.e30.x"}}), "(unreadable)"),
        (Answer(200, b" " * (64 * 1024 * 1024 + 1), {"Content-Type": "application/json"}), "longer than any"),
    ],
)
def test_a_hostile_answer_is_no_table(az: Az, estate: Estate, cloud: LocalCloud, answer: Answer, says: str) -> None:
    cloud.faults.add(host=LOGS, status=answer.status, headers=answer.headers, body=answer.body, times=None)
    result = consumers(az, estate)
    assert result.code == 1
    assert says in errors(result)
    assert "Traceback" not in result.stderr
    assert "eyJ" not in result.stderr
    assert "elsewhere.example" not in cloud.refused_hosts


def test_odd_rows_are_said_and_hide_nobody(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    names = ("_ResourceId", "LoginServer", "Identity", "CallerIpAddress", "UserAgent", "ResultDescription")
    columns = [{"name": name, "type": "string"} for name in (*names, "events", "firstEvent", "lastEvent")]
    time = "2026-11-25T14:02:11.1234567Z"
    rows = [
        [estate.registry.id, "", "\x1b[31mred", "1.2.3.4", "a" * 5000, "200", 3, time, time],
        [estate.registry.id, "", "late", "1.2.3.4", "", "200", 1, "yesterday", time],
        [None, estate.registry.login_server, None, None, None, None, 1, time, time],
    ]
    body = json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})
    cloud.faults.add(host=LOGS, status=200, body=body, headers={"Content-Type": "application/json"}, times=None)
    result = consumers(az, estate)
    found = {row["identity"]: row for row in logins(result)}
    assert set(found) == {"[31mred", ""}
    assert len(found["[31mred"]["userAgent"]) == 200
    assert found[""]["other"] == 1
    assert "1 row of the log could not be read" in result.stderr


def test_a_connection_that_breaks_is_an_error_of_the_network(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.faults.add(host=LOGS, truncate=True, times=1)
    assert consumers(az, estate).code == 0
    cloud.faults.add(host=LOGS, reset=True, times=None)
    result = consumers(az, estate)
    assert result.code == 1
    assert "could not be reached" in errors(result)


def test_a_cloud_without_the_endpoint_is_told_so(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    config = az.config / "clouds.config"
    config.write_text("[AzureCloud]\nendpoint_log_analytics_resource_id = http://api.loganalytics.io\n")
    result = consumers(az, estate)
    assert result.code == 1
    assert "defines no https endpoint for Log Analytics" in result.stderr
    assert not cloud.requests_to(LOGS)


def test_the_token_goes_to_one_host_and_shows_nowhere(
    az: Az, estate: Estate, cloud: LocalCloud, nodes: Client, tmp_path: Path
) -> None:
    nodes.sign_in()
    result = consumers(az, estate, "--debug", workspace=estate.workspace.id)
    assert result.code == 0
    [query] = cloud.requests_to(LOGS)
    token = query.bearer() or ""
    assert cloud.world.entra_key.verify(token)["aud"] == "https://api.loganalytics.io"
    with_it = {each.host for each in cloud.requests if each.bearer() == token}
    assert with_it == {LOGS}
    secrets = {secret.encode() for secret in cloud.secrets if len(secret) >= 8}
    assert token.encode() in secrets
    assert not holds_any(result.stderr.encode(), secrets)
    assert not holds_any(result.stdout.encode(), secrets)


def test_a_table_has_a_row_for_each_client(az: Az, estate: Estate, nodes: Client) -> None:
    nodes.sign_in()
    estate.registry.policy_status = "disabled"
    nodes.sign_in()
    lines = consumers(az, estate, "--output", "table").stdout.splitlines()
    [line] = [line for line in lines if "sign-ins" in line]
    assert nodes.principal.object_id in line
    assert "newly refused" in line
    assert "20.1.2.3: 200 1x, 401 1x; last sign-in" in line

"""`az acr scope list` through the real `az`: the fleet by Resource Graph and live, and the gate."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.az import Az, Result
from tests.localcloud import LocalCloud, ServicePrincipal
from tests.localcloud.world.world import Subscription

ARM = "management.azure.com"
_ODD_REFUSAL = json.dumps({"error": {"code": "Forbidden", "message": "Go\u202eaway\r\n\x1b[0m"}})


@dataclass
class Estate:
    """Two subscriptions of an auditor, with registries of this test only."""

    auditor: ServicePrincipal
    production: Subscription
    test: Subscription


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    auditor = world.add_service_principal(f"auditor of {registry_name}")
    production = world.add_subscription(f"Production {registry_name}")
    test = world.add_subscription(f"Test {registry_name}")
    for subscription in (production, test):
        world.grant(auditor, subscription.scope, "Reader")
    for number, status in enumerate(("enabled", "disabled", "disabled", None)):
        world.add_registry(f"{registry_name}p{number}", "rg-apps", production, policy_status=status)  # type: ignore[arg-type]
    world.add_registry(f"{registry_name}t0", "rg-test", test, policy_status="disabled", admin_user=True)
    return Estate(auditor, production, test)


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.auditor, subscription=estate.production)


def scope_list(az: Az, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return az("acr", "scope", "list", *arguments, env=env)


def statuses(result: Result) -> list[str]:
    return [row["status"] for row in result.json]


VIEWS = pytest.mark.parametrize("view", [[], ["--live"]])


@VIEWS
def test_the_subscription_in_use_is_listed(az: Az, estate: Estate, view: list[str]) -> None:
    result = scope_list(az, *view)
    assert result.code == 0, result
    assert statuses(result) == ["enabled", "disabled", "disabled", "enabled"]
    assert [row["statusIsDefault"] for row in result.json] == [False, False, False, True]
    row = result.json[0]
    assert row["subscriptionName"] == estate.production.name
    assert row["location"] == "westeurope"
    assert row["resourceGroup"] == "rg-apps"
    assert row["loginServer"].endswith(".azurecr.io")
    assert "4 registries, 2 enforced, 2 not" in result.stderr


def test_both_views_agree(az: Az) -> None:
    assert scope_list(az, "--all-subscriptions", "--live").json == scope_list(az, "--all-subscriptions").json


def test_a_broken_page_of_the_live_list_closes_the_gate(az: Az, cloud: LocalCloud) -> None:
    cloud.faults.add(host=ARM, method="GET", path="*/registries", status=200, body="<html>")
    result = scope_list(az, "--live", "--require", "disabled")
    assert result.code == 1
    assert "could not be read" in result.stderr


def test_an_odd_item_of_a_list_is_neither_hidden_nor_hides_the_others(az: Az, cloud: LocalCloud) -> None:
    whole = scope_list(az, "--live").json[0]
    item = {key: whole[key] for key in ("id", "name", "location")} | {
        "properties": {"loginServer": whole["loginServer"]}
    }
    cloud.faults.add(host=ARM, method="GET", path="*/registries", status=200, body=json.dumps({"value": [item, {}]}))
    result = scope_list(az, "--live", "--require", "enabled")
    assert result.code == 1
    assert len(result.json) == 1
    assert "1 item of its list is not a registry" in result.stderr


def test_a_connection_that_breaks_in_one_subscription_leaves_the_others(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    path = f"/subscriptions/{estate.test.id}/*/registries"
    cloud.faults.add(host=ARM, method="GET", path=path, reset=True, times=None)
    result = scope_list(az, "--live", "--all-subscriptions", "--require", "disabled")
    assert result.code == 1
    assert len(result.json) == 4
    assert estate.test.id in result.stderr


@VIEWS
def test_a_token_that_arm_sends_back_is_not_shown(az: Az, estate: Estate, cloud: LocalCloud, view: list[str]) -> None:
    token = cloud.world.mint(estate.auditor, "https://management.core.windows.net/")
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": f"You sent {token}."}})
    cloud.faults.add(host=ARM, path="*/registries", status=403, body=body, times=None)
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, body=body, times=None)
    result = scope_list(az, *view, "--debug")
    assert "You sent ***" in result.stderr
    assert token not in result.stderr


@pytest.mark.parametrize("body", ["<html>", "[]", '{"data": 7}'])
def test_an_answer_that_is_not_of_resource_graph_is_said(az: Az, cloud: LocalCloud, body: str) -> None:
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=200, body=body)
    result = scope_list(az)
    assert result.code == 1
    assert "Traceback" not in result.stderr


def test_a_page_that_links_to_itself_has_an_end(az: Az, cloud: LocalCloud) -> None:
    body = json.dumps({"data": [], "count": 0, "totalRecords": 9, "resultTruncated": "false", "$skipToken": "same"})
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=200, body=body, times=None)
    assert scope_list(az).code == 1
    assert len(cloud.requests_to(ARM)) <= 4  # of both queries


@VIEWS
def test_all_subscriptions_are_listed_and_summed_up(az: Az, estate: Estate, view: list[str]) -> None:
    result = scope_list(az, "--all-subscriptions", *view)
    assert len(result.json) == 5
    assert "In scope: 5 registries, 3 enforced, 2 not" in result.stderr
    assert f"{estate.test.name}: 1 registry, 1 enforced, 0 not" in result.stderr


@VIEWS
def test_a_group_and_a_status_narrow_the_list(az: Az, estate: Estate, view: list[str]) -> None:
    assert len(scope_list(az, "-g", "RG-Apps", *view).json) == 4
    assert statuses(scope_list(az, "--status", "disabled", *view)) == ["disabled", "disabled"]
    assert scope_list(az, "--subscription", estate.test.name, *view).json[0]["otherSignIns"]["adminUser"] is True


@VIEWS
def test_a_group_that_does_not_exist_is_an_error(az: Az, view: list[str]) -> None:
    result = scope_list(az, "-g", "rg-aps", *view)
    assert (result.code, result.stdout) == (3, "")
    assert "There is no resource group 'rg-aps' in subscription" in result.stderr


def test_a_group_whose_registries_resource_graph_does_not_show_yet_is_not_told_as_empty(
    az: Az, estate: Estate, cloud: LocalCloud, registry_name: str
) -> None:
    cloud.world.graph_lag = 60.0
    try:
        cloud.world.add_registry(f"{registry_name}new", "rg-new", estate.production)
        result = scope_list(az, "-g", "rg-new")
        assert result.code == 0
        assert "Resource Graph does not show the registries of this resource group yet" in result.stderr
        assert scope_list(az, "-g", "rg-new", "--require", "disabled").code == 1
    finally:
        cloud.world.graph_lag = 0.0


def test_a_group_that_arm_does_not_confirm_is_said(az: Az, cloud: LocalCloud) -> None:
    cloud.faults.add(host=ARM, path="*/registries", status=403, body=_ODD_REFUSAL, times=None)
    result = scope_list(az, "-g", "rg-aps")
    assert result.code == 0
    assert "whether there is such a group is unknown" in result.stderr
    assert scope_list(az, "-g", "rg-aps", "--require", "disabled").code == 1


def test_a_name_cannot_give_the_terminal_orders(
    new_az: Callable[..., Az], estate: Estate, cloud: LocalCloud, registry_name: str
) -> None:
    """In JSON it is a string like any other, for programs: the CLI escapes what JSON has to."""
    odd = cloud.world.add_subscription(f"Odd\u202e\x1b[2J\nWARNING: forged {registry_name}")
    cloud.world.grant(estate.auditor, odd.scope, "Reader")
    cloud.world.add_registry(f"{registry_name}odd", "rg-odd", odd)
    az = new_az(estate.auditor, name="odd", subscription=estate.production)
    table = scope_list(az, "--all-subscriptions", "--output", "table", env={"COLUMNS": "250"})
    assert f"Odd��[2J WARNING: forged {registry_name}" in table.stdout
    assert f"  Odd��[2J WARNING: forged {registry_name}: 1 registry" in table.stderr
    cloud.faults.add(host=ARM, path="*/registries/*", status=403, body=_ODD_REFUSAL, times=None)
    refused = az("acr", "scope", "show", "--name", f"{registry_name}p0", "--resource-group", "rg-apps")
    assert "Go�away �[0m" in refused.stderr
    for text in (table.stdout, table.stderr, refused.stderr):
        assert not {"\u202e", "\x1b"} & set(text)


def test_summaries_are_no_warnings(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    assert "WARNING" not in scope_list(az).stderr
    cloud.faults.add(host=ARM, path=f"/subscriptions/{estate.test.id}/*/registries", status=403, times=None)
    partly = scope_list(az, "--live", "--all-subscriptions").stderr.splitlines()
    warnings = [line for line in partly if line.startswith("WARNING: ")]
    assert [line for line in warnings if estate.test.id in line] == warnings != []


def test_table_and_query_behave(az: Az) -> None:
    table = scope_list(az, "-o", "table").stdout.splitlines()
    assert table[0].split()[:3] == ["Name", "Status", "Subscription"]
    assert len(table) == 6
    tsv = scope_list(az, "--query", "[?status=='enabled'].name", "-o", "tsv").stdout.splitlines()
    assert len(tsv) == 2
    assert scope_list(az, "--only-show-errors").stderr == ""


@VIEWS
def test_the_gate_opens_only_if_all_are_enforced(az: Az, estate: Estate, view: list[str]) -> None:
    closed = scope_list(az, "--require", "disabled", *view)
    assert closed.code == 1
    assert len(closed.json) == 4, "the rows are printed although the gate is closed"
    assert "2 registries not `disabled`" in closed.stderr
    assert scope_list(az, "--require", "disabled", "--subscription", estate.test.id, *view).code == 0


@VIEWS
def test_the_gate_looks_at_more_than_is_listed(az: Az, view: list[str]) -> None:
    result = scope_list(az, "--status", "disabled", "--require", "disabled", *view)
    assert result.code == 1
    assert statuses(result) == ["disabled", "disabled"]


@VIEWS
def test_a_subscription_that_cannot_be_read_closes_the_gate(
    az: Az, estate: Estate, cloud: LocalCloud, view: list[str]
) -> None:
    for grant in cloud.world.grants(estate.auditor):
        if estate.production.id in grant.scope:
            cloud.world.revoke(grant)
    result = scope_list(az, "--all-subscriptions", "--require", "disabled", *view)
    assert result.code == 1, result
    assert statuses(result) == ["disabled"]
    assert "1 subscription that could not be read" in result.stderr
    assert estate.production.id in result.stderr


@VIEWS
def test_an_empty_view_does_not_open_the_gate(az: Az, view: list[str]) -> None:
    result = scope_list(az, "--require", "disabled", "-g", "rg-typo", *view)
    assert result.code == 3, result


def test_a_default_group_narrows_the_list_and_is_said_but_not_a_wider_scope(az: Az, estate: Estate) -> None:
    az("config", "set", "defaults.group=rg-test")
    narrowed = scope_list(az, "--subscription", estate.test.id)
    assert len(narrowed.json) == 1
    assert "In resource group rg-test" in narrowed.stderr
    assert len(scope_list(az, "--all-subscriptions").json) == 5


def test_pages_are_followed_by_a_thousand(az: Az, estate: Estate, cloud: LocalCloud, registry_name: str) -> None:
    for number in range(1200):
        cloud.world.add_registry(f"{registry_name}n{number:04}", "rg-many", estate.test)
    result = scope_list(az, "--subscription", estate.test.id)
    assert len(result.json) == 1201
    assert len({row["id"] for row in result.json}) == 1201
    assert len(cloud.requests_to(ARM)) == 3
    live = scope_list(az, "--subscription", estate.test.id, "--live")
    assert live.json == result.json


def test_empty_pages_of_the_live_list_are_followed(az: Az, cloud: LocalCloud) -> None:
    cloud.world.page_size, cloud.world.empty_pages = 2, 3
    try:
        result = scope_list(az, "--live")
    finally:
        cloud.world.page_size, cloud.world.empty_pages = 1000, 0
    assert len(result.json) == 4


def test_an_answer_cut_short_is_said_and_closes_the_gate(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.world.graph_truncated = True
    try:
        result = scope_list(az, "--subscription", estate.test.id, "--require", "disabled")
    finally:
        cloud.world.graph_truncated = False
    assert result.code == 1
    assert "returned only part of its answer" in result.stderr


def test_too_many_subscriptions_for_resource_graph_is_said(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.world.graph_subscription_limit_hit = True
    try:
        result = scope_list(az, "--subscription", estate.test.id, "--require", "disabled")
    finally:
        cloud.world.graph_subscription_limit_hit = False
    assert result.code == 1
    assert "only part of the subscriptions" in result.stderr


def test_a_throttled_query_is_waited_out(az: Az, cloud: LocalCloud) -> None:
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=429, headers={"Retry-After": "2"}, times=1)
    assert len(scope_list(az).json) == 4


@VIEWS
def test_a_management_group_is_listed(
    az: Az, estate: Estate, cloud: LocalCloud, registry_name: str, view: list[str]
) -> None:
    group = f"mg-{registry_name}"
    cloud.world.add_management_group(group)
    cloud.world.move(estate.test, group)
    cloud.world.grant(estate.auditor, f"/providers/Microsoft.Management/managementGroups/{group}", "Reader")
    result = scope_list(az, "--management-group", group, *view)
    assert result.code == 0, result
    assert [row["subscriptionId"] for row in result.json] == [estate.test.id]
    missing = scope_list(az, "--management-group", "no-such-group", *view)
    assert missing.code in (1, 3), "to some, Azure says that they may not see it"
    assert "no-such-group" in missing.stderr
    assert "az account management-group list" in missing.stderr


def test_a_lagging_graph_is_told_from_the_live_view(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    """Why `--live` exists."""
    before: list[dict[str, Any]] = json.loads(json.dumps(scope_list(az).json))
    cloud.world.graph_lag = 60.0
    try:
        registry = next(each for each in cloud.world.registries if each.id == before[0]["id"])
        registry.policy_status = "disabled"
        assert statuses(scope_list(az))[0] == "enabled"
        assert statuses(scope_list(az, "--live"))[0] == "disabled"
    finally:
        cloud.world.graph_lag = 0.0


def test_contradicting_scopes_are_refused(az: Az, cloud: LocalCloud) -> None:
    assert scope_list(az, "--all-subscriptions", "--management-group", "x").code != 0
    assert scope_list(az, "--all-subscriptions", "-g", "x").code != 0
    assert cloud.requests_to(ARM) == []


def test_without_a_network_the_endpoint_is_named(az: Az) -> None:
    dead = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    result = az("acr", "scope", "list", env=dead)
    assert result.code == 1
    assert "could not be reached" in result.stderr

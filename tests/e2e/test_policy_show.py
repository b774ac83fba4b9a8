"""`az acr scope policy show` through the real `az`: what governs, and what Azure Policy has seen next to what is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.az import Az, Result
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY
from tests.localcloud.world.world import Subscription

ARM = "management.azure.com"
ASSIGNMENTS = "*/providers/microsoft.authorization/policyassignments"
STATES = "*/policystates/latest/queryresults"


@dataclass
class Estate:
    """A subscription of this test's own, in a management group, with three registries in two resource groups."""

    auditor: ServicePrincipal
    group: str
    subscription: Subscription
    apps: list[Registry]
    data: Registry

    def group_scope(self, name: str) -> str:
        return f"{self.subscription.scope}/resourceGroups/{name}"

    @property
    def group_id(self) -> str:
        return f"/providers/Microsoft.Management/managementGroups/{self.group}"


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    auditor = world.add_service_principal(f"policy auditor of {registry_name}")
    subscription = world.add_subscription(f"Governed {registry_name}")
    group = f"mg-{registry_name}"
    world.add_management_group(group)
    world.move(subscription, group)
    world.grant(auditor, f"/providers/Microsoft.Management/managementGroups/{group}", "Reader")
    apps = [
        world.add_registry(f"{registry_name}a{number}", "rg-apps", subscription, policy_status=status)  # type: ignore[arg-type]
        for number, status in enumerate(("enabled", "disabled"))
    ]
    return Estate(auditor, group, subscription, apps, world.add_registry(f"{registry_name}d", "rg-data", subscription))


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.auditor, subscription=estate.subscription)


def show(az: Az, *arguments: str) -> Any:
    result = az("acr", "scope", "policy", "show", *arguments)
    assert result.code == 0, result
    return result.json


def refused(az: Az, *arguments: str) -> Result:
    result = az("acr", "scope", "policy", "show", *arguments)
    assert result.code != 0, result
    assert result.stdout == ""
    return result


def assigned(found: Any) -> list[tuple[str, str, bool]]:
    return [(each["name"], each["effect"], each["inherited"]) for each in found["assignments"]]


def compliance(found: Any) -> dict[str, str]:
    return {row["name"]: row["compliance"] for row in found["registries"]}


def test_what_is_inherited_and_what_is_assigned_below_is_shown(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.group_id, AUDIT_DENY, "from-above", effect="Audit")
    cloud.world.assign_policy(estate.group_scope("rg-apps"), AUDIT_DENY, "from-below", effect="Deny")
    cloud.world.evaluate_policies(estate.subscription.scope)
    found = show(az)
    assert sorted(assigned(found)) == [("from-above", "audit", True), ("from-below", "deny", False)]
    assert compliance(found) == {
        estate.apps[0].name: "NonCompliant",
        estate.apps[1].name: "Compliant",
        estate.data.name: "NonCompliant",
    }
    data = next(row for row in found["registries"] if row["name"] == estate.data.name)
    assert [each["name"] for each in data["assignments"]] == ["from-above"]


def test_other_definitions_are_no_concern_of_ours(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.deny_policy("of-somebody-else", estate.subscription.scope)
    found = show(az)
    assert found["assignments"] == []
    assert set(compliance(found).values()) == {"NotGoverned"}


@pytest.mark.parametrize(("given", "effects"), [({}, ["audit", "modify"]), ({"effect": "Deny"}, ["deny", "modify"])])
def test_an_initiative_shows_with_the_effects_that_its_parameters_come_to(
    az: Az, cloud: LocalCloud, estate: Estate, given: dict[str, str], effects: list[str]
) -> None:
    initiative = cloud.world.policies.add_initiative(estate.group_id, f"initiative-{estate.group}")
    cloud.world.assign_policy(estate.subscription.scope, initiative.id, "baseline", parameters=given)
    cloud.world.evaluate_policies(estate.subscription.scope)
    found = show(az, "-g", "rg-apps")
    assert [each["effect"] for each in found["assignments"]] == effects
    assert {each["initiativeId"].lower() for each in found["assignments"]} == {initiative.id.lower()}
    assert [each["compliance"] for each in found["registries"][0]["assignments"]] == ["NonCompliant", "NonCompliant"]


def test_an_effect_that_an_override_switches_off_governs_nothing(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    override = {"kind": "policyEffect", "value": "Disabled"}
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "off", effect="Deny", overrides=(override,))
    found = show(az)
    assert assigned(found) == [("off", "disabled", False)]
    assert set(compliance(found).values()) == {"NotGoverned"}


def test_a_registry_that_is_left_out_is_not_governed(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    left_out = (estate.group_scope("rg-data").upper().replace("/SUBSCRIPTIONS", "/subscriptions"),)
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "most", not_scopes=left_out)
    cloud.world.evaluate_policies(estate.subscription.scope)
    assert compliance(show(az))[estate.data.name] == "NotGoverned"


def test_an_exemption_shows_before_azure_policy_has_seen_it(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    assignment = cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "all")
    cloud.world.evaluate_policies(estate.subscription.scope)
    cloud.world.policies.exempt(estate.data.id, assignment)
    row = next(row for row in show(az)["registries"] if row["name"] == estate.data.name)
    assert row["assignments"][0]["exempt"] is True
    assert "it is now exempt" in row["disagreement"]


def test_an_exemption_that_is_over_frees_nothing(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    assignment = cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "all")
    cloud.world.policies.exempt(estate.data.id, assignment, expires_on="2020-01-01T00:00:00.0000000Z")
    assert not any(each["exempt"] for row in show(az)["registries"] for each in row["assignments"])


def test_an_assignment_that_does_not_enforce_says_so(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, MODIFY, "soft", enforcement="DoNotEnforce")
    assert show(az)["assignments"][0]["enforcementMode"] == "DoNotEnforce"


def test_states_that_lag_are_marked_and_refresh_renews_them(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "all")
    cloud.world.evaluate_policies(estate.subscription.scope)
    cloud.world.grant(estate.auditor, estate.subscription.scope, "Resource Policy Contributor")
    estate.apps[0].policy_status = "disabled"
    before = az("acr", "scope", "policy", "show", "-g", "rg-apps")
    assert before.json["registries"][0]["disagreement"].startswith("Azure Policy reports NonCompliant")
    assert "--refresh" in before.stderr
    after = show(az, "-g", "rg-apps", "--refresh")
    assert [row["disagreement"] for row in after["registries"]] == [None, None]
    assert compliance(after)[estate.apps[0].name] == "Compliant"


def test_a_new_assignment_is_not_evaluated_yet(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "new")
    found = show(az, "-n", estate.data.name)
    assert compliance(found) == {estate.data.name: "NotEvaluated"}
    assert found["registries"][0]["disagreement"] is None


def test_one_registry_is_shown_with_all_that_is_above_it(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.group_id, AUDIT_DENY, "from-above")
    cloud.world.assign_policy(estate.group_scope("rg-apps"), MODIFY, "elsewhere")
    assert assigned(show(az, "-n", estate.data.name)) == [("from-above", "audit", True)]


def test_a_management_group_shows_what_is_above_and_below_it(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    world = cloud.world
    child = f"{estate.group}-child"
    world.add_management_group(child, estate.group)
    inner = world.add_subscription(f"Inner {estate.group}")
    world.move(inner, child)
    registry = world.add_registry(f"{estate.apps[0].name}inner", "rg-inner", inner)
    world.assign_policy(estate.group_id, AUDIT_DENY, "own")
    child_id = f"/providers/Microsoft.Management/managementGroups/{child}"
    world.assign_policy(child_id, MODIFY, "of-the-child", not_scopes=())
    world.assign_policy(estate.subscription.scope, AUDIT_DENY, "of-the-subscription", effect="Deny")
    found = show(az, "--management-group", estate.group)
    assert sorted(assigned(found)) == [
        ("of-the-child", "modify", False),
        ("of-the-subscription", "deny", False),
        ("own", "audit", False),
    ]
    governed = {row["name"]: sorted(each["name"] for each in row["assignments"]) for row in found["registries"]}
    assert governed[registry.name] == ["of-the-child", "own"]
    assert governed[estate.data.name] == ["of-the-subscription", "own"]
    live = show(az, "--management-group", estate.group, "--live")
    assert compliance(live) == compliance(found)
    assert live["assignments"] == found["assignments"]


def test_a_large_management_group_takes_few_requests(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world = cloud.world
    group = f"mg-large-{registry_name}"
    world.add_management_group(group)
    group_id = f"/providers/Microsoft.Management/managementGroups/{group}"
    for number in range(20):
        subscription = world.add_subscription(f"Large {registry_name} {number}")
        world.move(subscription, group)
        for each in range(100):
            status = "disabled" if each % 2 else "enabled"
            world.add_registry(f"{registry_name}s{number}r{each}", "rg-apps", subscription, policy_status=status)  # type: ignore[arg-type]
    world.assign_policy(group_id, AUDIT_DENY, "all")
    world.assign_policy(group_id, MODIFY, "all-modify")
    world.assign_policy(group_id, world.policies.add_initiative(group_id, f"set-{group}").id, "baseline")
    world.evaluate_policies(group_id)
    auditor = world.add_service_principal(f"large auditor of {registry_name}")
    world.grant(auditor, group_id, "Reader")
    found = show(new_az(auditor, "large"), "--management-group", group)
    assert len(found["registries"]) == 2000
    assert [each["nonCompliant"] for each in found["assignments"]] == [1000] * 4
    assert len(cloud.requests_to(ARM)) <= 25


def test_a_table_has_a_row_for_each_registry(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, MODIFY, "all", enforcement="DoNotEnforce")
    result = az("acr", "scope", "policy", "show", "-g", "rg-apps", "-o", "table")
    assert result.code == 0, result
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        *("Name", "Status", "Compliance", "GovernedBy", "ResourceGroup", "Subscription", "Disagreement"),
    ]
    assert "all (modify, not enforced)" in lines[2]


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_without_the_right_to_read_assignments_the_role_is_named(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    blind = cloud.world.add_service_principal(f"blind of {estate.group}")
    cloud.world.grant(blind, estate.subscription.scope, ("Microsoft.ContainerRegistry/registries/read",))
    result = refused(new_az(blind, "blind"))
    assert "has no permission to read policy assignments" in result.stderr
    assert 'the role "Reader"' in result.stderr


def test_without_the_right_to_read_states_the_role_is_named(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    blind = cloud.world.add_service_principal(f"stateless of {estate.group}")
    rights = ("Microsoft.ContainerRegistry/registries/read", "Microsoft.Authorization/*/read")
    cloud.world.grant(blind, estate.subscription.scope, rights)
    assert "has no permission to read policy states" in refused(new_az(blind, "stateless")).stderr


def test_a_reader_may_not_refresh_and_is_told_who_may(az: Az, estate: Estate) -> None:
    result = refused(az, "--refresh")
    assert "no permission to start an evaluation of Azure Policy" in result.stderr
    assert "Resource Policy Contributor" in result.stderr


def test_without_a_role_at_the_management_group_the_role_is_named(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    other = cloud.world.add_service_principal(f"below of {estate.group}")
    cloud.world.grant(other, estate.subscription.scope, "Reader")
    result = refused(new_az(other, "below"), "--management-group", estate.group)
    assert f"at management group {estate.group}" in result.stderr
    assert 'the role "Reader"' in result.stderr


def test_exemptions_that_cannot_be_read_are_told_and_stop_nothing(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    cloud.faults.add(host=ARM, path="*/policyexemptions", status=403, body=body, times=None)
    result = az("acr", "scope", "policy", "show")
    assert result.code == 0, result
    assert "Exemptions are unknown" in result.stderr


def test_an_initiative_that_cannot_be_read_is_told(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    initiative = cloud.world.policies.add_initiative(estate.subscription.scope, f"hidden-{estate.group}")
    cloud.world.assign_policy(estate.subscription.scope, initiative.id, "baseline")
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    cloud.faults.add(host=ARM, path="*/policysetdefinitions/*", status=403, body=body, times=None)
    result = az("acr", "scope", "policy", "show")
    assert result.code == 0, result
    assert f"hidden-{estate.group}" in result.stderr
    assert "It is not known whether the initiative" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-g", "rg-nowhere"], "no resource group 'rg-nowhere'"),
        (["-n", "nosuchregistry"], "nosuchregistry"),
        (["--management-group", "../x"], "cannot be the name of a management group"),
        (["-n", "contoso", "--management-group", "x"], "cannot be combined"),
    ],
)
def test_a_wrong_name_is_named(az: Az, arguments: list[str], said: str) -> None:
    assert said in refused(az, *arguments).stderr


@pytest.mark.parametrize("path", [ASSIGNMENTS, STATES])
@pytest.mark.parametrize("body", ["<html>", "[]", '{"value": {}}', '{"value": [1]}'])
def test_an_answer_that_is_no_list_is_an_error(az: Az, cloud: LocalCloud, path: str, body: str) -> None:
    cloud.faults.add(host=ARM, path=path, status=200, body=body, headers={"Content-Type": "application/json"})
    assert "something that is not a list" in refused(az).stderr


@pytest.mark.parametrize("link", ["nextLink", "@odata.nextLink"])
def test_a_list_without_an_end_is_an_error(az: Az, cloud: LocalCloud, estate: Estate, link: str) -> None:
    url = (
        f"https://{ARM}{estate.subscription.scope}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults"
    )
    cloud.faults.add(host=ARM, path=STATES, status=200, body={"value": [], link: f"{url}?x=1"}, times=None)
    assert "has no end" in refused(az).stderr


def test_a_link_to_another_host_is_not_followed(az: Az, cloud: LocalCloud) -> None:
    foreign = cloud.hostile("evil.example")
    cloud.faults.add(host=ARM, path=STATES, status=200, body={"value": [], "@odata.nextLink": "https://evil.example/"})
    assert "returned a link to another host" in refused(az).stderr
    assert foreign.requests == []


def test_states_of_unknown_registries_and_odd_rows_are_left_out(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    assignment = cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "all")
    gone = {"resourceId": "/gone", "policyAssignmentId": assignment.id, "complianceState": "NonCompliant"}
    odd = {"resourceId": estate.data.id.lower(), "policyAssignmentId": assignment.id, "complianceState": "Conflict"}
    rows = [gone, odd, {}, {"resourceId": 1}]
    cloud.faults.add(host=ARM, path=STATES, status=200, body={"value": rows})
    result = az("acr", "scope", "policy", "show")
    assert result.code == 0, result
    assert "states of 1 registry outside this scope" in result.stderr
    assert compliance(result.json)[estate.data.name] == "Conflict"


def test_an_evaluation_that_fails_is_an_error(new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate) -> None:
    owner = cloud.world.add_service_principal(f"evaluator of {estate.group}")
    cloud.world.grant(owner, estate.subscription.scope, "Resource Policy Contributor")
    cloud.faults.add(host=ARM, path="*/asyncoperationresults/*", status=200, body={"status": "Failed"})
    assert "as Failed" in refused(new_az(owner, "evaluator"), "--refresh").stderr


def test_an_evaluation_is_not_waited_for_without_end(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    owner = cloud.world.add_service_principal(f"patient of {estate.group}")
    cloud.world.grant(owner, estate.subscription.scope, "Resource Policy Contributor")
    patient = new_az(owner, "patient")
    result = patient("acr", "scope", "policy", "show", "--refresh", env={"AZURE_ACRSCOPE_POLICY_TIMEOUT": "0"})
    assert result.code == 1, result
    assert "continues in Azure" in result.stderr


def test_show_with_policy_lists_what_governs_the_registry(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    assignment = cloud.world.assign_policy(estate.subscription.scope, MODIFY, "all")
    cloud.world.policies.exempt(estate.data.id, assignment)
    found = az.ok("acr", "scope", "show", "-n", estate.data.name, "--policy")
    assert [(each["name"], each["effect"], each["exempt"]) for each in found["policies"]] == [("all", "modify", True)]
    assert "policies" not in az.ok("acr", "scope", "show", "-n", estate.data.name)

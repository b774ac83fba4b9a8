"""`az acr scope policy remediate` through the real `az`: Azure Policy mends what was there before the assignment."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.az import Az, Result, captured, heed_interrupts, running
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY
from tests.localcloud.world.world import Subscription

ARM = "management.azure.com"
REMEDIATION = "*/providers/microsoft.policyinsights/remediations/*"


@dataclass
class Estate:
    """A subscription of this test's own with a modifying assignment, its operator, and two registries."""

    cloud: LocalCloud
    operator: ServicePrincipal
    subscription: Subscription
    assignment: Assignment
    enabled: Registry
    disabled: Registry

    def registry(self, suffix: str, group: str = "rg-apps") -> Registry:
        return self.cloud.world.add_registry(f"{self.enabled.name}{suffix}", group, self.subscription)

    def governed_from_above(self) -> tuple[str, str]:
        """Let a new management group's assignment take the place of the subscription's: its name and its scope."""
        world, group = self.cloud.world, f"mg-{self.enabled.name}"
        world.add_management_group(group)
        world.move(self.subscription, group)
        scope = f"/providers/Microsoft.Management/managementGroups/{group}"
        world.grant(self.operator, scope, "Resource Policy Contributor")
        world.assign_policy(scope, MODIFY, "of-the-management-group")
        world.policies.remove(self.assignment)
        return group, scope

    def encrypted(self, suffix: str = "key") -> Registry:
        """A registry with a customer-managed key."""
        registry = self.registry(suffix)
        registry.body["properties"]["encryption"] = {"status": "enabled"}
        return registry


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    operator = world.add_service_principal(f"remediator of {registry_name}")
    subscription = world.add_subscription(f"Remediated {registry_name}")
    world.grant(operator, subscription.scope, "Contributor")
    world.grant(operator, subscription.scope, "Resource Policy Contributor")
    enabled = world.add_registry(f"{registry_name}e", "rg-apps", subscription)
    disabled = world.add_registry(f"{registry_name}d", "rg-apps", subscription, policy_status="disabled")
    assignment = world.assign_policy(subscription.scope, MODIFY, "acrscope-modify")
    return Estate(cloud, operator, subscription, assignment, enabled, disabled)


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.operator, subscription=estate.subscription)


def remediate(az: Az, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return az("acr", "scope", "policy", "remediate", *arguments, env=env)


def results(result: Result) -> dict[str, str]:
    return {row["name"]: row["result"] for row in result.json}


def reasons(result: Result) -> dict[str, str]:
    return {row["name"]: row["reason"] for row in result.json}


def writes(cloud: LocalCloud) -> list[str]:
    return [request.method for request in cloud.requests_to(ARM) if request.method in ("PUT", "PATCH", "DELETE")]


def test_what_is_enabled_is_remediated(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    result = remediate(az, "--yes")
    assert result.code == 0, result
    assert results(result) == {estate.enabled.name: "remediated", estate.disabled.name: "unchanged"}
    assert estate.enabled.policy_status == "disabled"
    row = next(row for row in result.json if row["name"] == estate.enabled.name)
    assert (row["previousStatus"], row["status"]) == ("enabled", "disabled")
    task = cloud.world.remediations.find(
        f"{estate.subscription.scope}/providers/microsoft.policyinsights/remediations/{row['remediation']}"
    )
    assert task is not None
    assert task.mode == "ReEvaluateCompliance"
    assert f"az policy remediation show --name {row['remediation']}" in result.stderr
    assert writes(cloud) == ["PUT"]


def test_with_nothing_to_do_nothing_is_started(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    estate.enabled.policy_status = "disabled"
    result = remediate(az)
    assert result.code == 0, result
    assert set(results(result).values()) == {"unchanged"}
    assert writes(cloud) == []


def test_it_asks_first(az: Az, cloud: LocalCloud) -> None:
    result = remediate(az)
    assert result.code == 1
    assert "Have Azure Policy set 1 registry" in result.stderr
    assert "--yes" in result.stderr
    assert writes(cloud) == []


def test_a_dry_run_starts_nothing(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    result = remediate(az, "--dry-run")
    assert result.code == 0, result
    assert results(result)[estate.enabled.name] == "planned"
    assert writes(cloud) == []


def test_a_remediation_in_a_group_leaves_the_others_alone(az: Az, estate: Estate) -> None:
    other = estate.registry("other", "rg-other")
    result = remediate(az, "-g", "rg-apps", "--yes")
    assert result.code == 0, result
    assert estate.enabled.policy_status == "disabled"
    assert other.policy_status == "enabled"
    assert other.name not in results(result)


def test_an_assignment_below_is_remediated_where_it_is(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.policies.remove(estate.assignment)
    scope = f"{estate.subscription.scope}/resourceGroups/rg-apps"
    cloud.world.assign_policy(scope, MODIFY, "of-the-group")
    result = remediate(az, "--yes")
    assert result.code == 0, result
    assert any(r.method == "PUT" and "/rg-apps/" in r.path for r in cloud.requests_to(ARM))


def test_a_member_of_an_initiative_is_remediated(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.policies.remove(estate.assignment)
    initiative = cloud.world.policies.add_initiative(estate.subscription.scope, f"set-{estate.enabled.name}")
    cloud.world.assign_policy(estate.subscription.scope, initiative.id, "baseline")
    result = remediate(az, "--yes")
    assert result.code == 0, result
    assert results(result)[estate.enabled.name] == "remediated"


def test_a_management_group_is_remediated_by_what_is_known(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    group, scope = estate.governed_from_above()
    cloud.world.grant(estate.operator, scope, "Reader")
    cloud.world.evaluate_policies(scope)
    result = remediate(new_az(estate.operator, "mg"), "--management-group", group, "--yes")
    assert result.code == 0, result
    assert estate.enabled.policy_status == "disabled"
    assert f"--management-group {group}" in result.stderr


def test_what_azure_policy_has_not_seen_is_left_and_told(new_az: Callable[..., Az], estate: Estate) -> None:
    group, _ = estate.governed_from_above()
    result = remediate(new_az(estate.operator, "mg"), "--management-group", group, "--yes")
    assert result.code == 1, result
    assert results(result)[estate.enabled.name] == "notReached"
    assert "does not report it as non-compliant yet" in reasons(result)[estate.enabled.name]


def test_a_customer_managed_key_is_left_to_enforce(az: Az, estate: Estate) -> None:
    encrypted = estate.encrypted()
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert results(result)[encrypted.name] == "failed"
    assert "customer-managed key" in reasons(result)[encrypted.name]
    assert f"az acr scope enforce --name {encrypted.name}" in result.stderr
    assert estate.enabled.policy_status == "disabled"


def test_nothing_is_started_for_customer_managed_keys_alone(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    estate.enabled.policy_status = "disabled"
    encrypted = estate.encrypted()
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert results(result)[encrypted.name] == "notReached"
    assert writes(cloud) == []


def test_enforce_rest_mends_what_azure_policy_cannot(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    encrypted = estate.encrypted()
    result = remediate(az, "--yes", "--enforce-rest")
    assert result.code == 0, result
    assert results(result) == {
        estate.enabled.name: "remediated",
        estate.disabled.name: "unchanged",
        encrypted.name: "enforced",
    }
    assert encrypted.policy_status == "disabled"
    assert "The record of this run" in result.stderr
    assert writes(cloud) == ["PUT", "PATCH"]


def test_what_enforce_rest_cannot_mend_either_fails(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.lock(estate.enabled.id)
    result = remediate(az, "--yes", "--enforce-rest")
    assert result.code == 1, result
    assert results(result)[estate.enabled.name] == "failed"
    assert "lock" in reasons(result)[estate.enabled.name]


def test_a_lock_is_the_reason_that_is_told(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.lock(estate.enabled.id)
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert "[ScopeLocked]" in reasons(result)[estate.enabled.name]
    assert "still not `disabled`" in result.stderr


def test_an_identity_without_any_role_is_told_before(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.policies.remove(estate.assignment)
    cloud.world.assign_policy(estate.subscription.scope, MODIFY, "no-role", role=None)
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert "has no role" in result.stderr
    assert "az acr scope policy assign --effect modify" in result.stderr
    assert '--assignment-name "no-role"' in result.stderr
    assert writes(cloud) == []


def test_an_identity_with_too_small_a_role_is_warned_of_and_its_failures_told(
    az: Az, cloud: LocalCloud, estate: Estate
) -> None:
    cloud.world.policies.remove(estate.assignment)
    cloud.world.assign_policy(estate.subscription.scope, MODIFY, "reader", role="Reader")
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert "does not have the role Contributor" in result.stderr
    assert "[AuthorizationFailed]" in reasons(result)[estate.enabled.name]


def test_an_exempt_registry_is_left_alone(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.policies.exempt(estate.enabled.id, estate.assignment)
    result = remediate(az, "--yes")
    assert result.code == 0, result
    assert results(result)[estate.enabled.name] == "skipped"
    assert writes(cloud) == []


def test_five_hundred_deployments_are_followed_over_all_pages(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    for number in range(499):
        estate.registry(f"r{number}")
    cloud.world.lock(f"{estate.enabled.id}r498")
    cloud.world.remediations.batch = 200
    try:
        result = remediate(az, "--yes")
    finally:
        cloud.world.remediations.batch = 500
    assert result.code == 1, result
    found = list(results(result).values())
    assert (found.count("remediated"), found.count("failed"), found.count("unchanged")) == (499, 1, 1)
    pages = [request for request in cloud.requests_to(ARM) if request.path.endswith("/listDeployments")]
    assert len(pages) == 5


def test_the_assignment_must_be_named_among_several(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(f"{estate.subscription.scope}/resourceGroups/rg-apps", MODIFY, "another")
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert "--assignment" in result.stderr
    assert writes(cloud) == []
    named = remediate(az, "--yes", "--assignment", estate.assignment.id.lower())
    assert named.code == 0, named


def test_a_wrong_assignment_is_named(az: Az) -> None:
    result = remediate(az, "--yes", "--assignment", "nothing")
    assert result.code == 3, result
    assert "No assignment 'nothing'" in result.stderr
    assert "acrscope-modify" in result.stderr


def test_without_a_modifying_assignment_there_is_nothing_to_use(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.policies.remove(estate.assignment)
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "audit")
    result = remediate(az, "--yes")
    assert result.code == 3, result
    assert "az acr scope policy assign --effect modify" in result.stderr


def test_without_the_right_to_remediate_the_role_is_named(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    reader = cloud.world.add_service_principal(f"reader of {estate.enabled.name}")
    cloud.world.grant(reader, estate.subscription.scope, "Reader")
    result = remediate(new_az(reader, "reader"), "--yes")
    assert result.code == 1, result
    assert "has no permission to start a remediation" in result.stderr
    assert "Resource Policy Contributor" in result.stderr


def test_another_one_that_is_running_is_named(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    body = {"error": {"code": "InvalidCreateRemediationRequest", "message": "These are already running: 'other'."}}
    cloud.faults.add(host=ARM, method="PUT", path=REMEDIATION, status=400, body=body)
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert "already running: 'other'" in result.stderr
    assert "az policy remediation list" in result.stderr


def test_it_is_not_followed_without_end(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    result = remediate(az, "--yes", env={"AZURE_ACRSCOPE_POLICY_TIMEOUT": "0"})
    assert result.code == 1, result
    assert "continues in Azure" in result.stderr
    assert "az policy remediation show --name acrscope-" in result.stderr


def test_an_interruption_leaves_it_running_and_tells_how_to_see_it(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    polls, cloud.world.remediations.polls = cloud.world.remediations.polls, 1000
    command = [str(az.program), "acr", "scope", "policy", "remediate", "--yes"]
    try:
        with running(command, **captured(az.env), preexec_fn=heed_interrupts) as process:
            while not any(r.method == "GET" and "/remediations/" in r.path for r in cloud.requests_to(ARM)):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
    finally:
        cloud.world.remediations.polls = polls
    assert process.returncode != 0
    assert "continues in Azure" in stderr
    assert "az policy remediation cancel --name acrscope-" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"properties": {"provisioningState": 1}}'])
def test_an_odd_answer_about_a_remediation_is_an_error(az: Az, cloud: LocalCloud, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    cloud.faults.add(host=ARM, method="GET", path=REMEDIATION, status=200, body=body, headers=headers)
    result = remediate(az, "--yes")
    assert result.code == 1, result
    assert "cannot be read" in result.stderr


def test_a_table_has_the_results(az: Az, estate: Estate) -> None:
    result = remediate(az, "--yes", "-o", "table")
    assert result.code == 0, result
    assert result.stdout.splitlines()[0].split() == ["Name", "PreviousStatus", "Status", "Result", "Reason"]

"""`az acr scope enforce` where Azure Policy has a say: told before the write, and named when it refuses."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.az import Az
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY
from tests.localcloud.world.world import Subscription

ARM = "management.azure.com"
POLICY = "*/providers/microsoft.authorization/*"


@dataclass
class Estate:
    operator: ServicePrincipal
    subscription: Subscription
    registries: list[Registry]

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.registries]


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    operator = world.add_service_principal(f"operator under policy of {registry_name}")
    subscription = world.add_subscription(f"Under policy {registry_name}")
    world.grant(operator, subscription.scope, "Contributor")
    registries = [
        world.add_registry(f"{registry_name}p{number}", f"rg-{number}", subscription, policy_status="disabled")
        for number in range(3)
    ]
    return Estate(operator, subscription, registries)


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.operator, subscription=estate.subscription)


def policy_requests(cloud: LocalCloud) -> int:
    return sum("/microsoft.authorization/" in request.path.lower() for request in cloud.requests_to(ARM))


def test_a_deny_assignment_is_told_before_and_named_after(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    assignment = cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "keep-off", effect="Deny")
    result = az("acr", "scope", "enforce", "-n", estate.names[0], "--status", "enabled")
    assert result.code == 1, result
    warning, error = result.stderr.split("ERROR", 1)
    assert "the Azure Policy assignment keep-off" in warning
    assert "will refuse it" in warning
    assert f"'keep-off' ({assignment.id})" in error
    assert "RequestDisallowedByPolicy" in error
    assert f"az acr scope policy show --name {estate.names[0]}" in error
    assert "az policy exemption create" in error
    assert "--enforcement-mode DoNotEnforce" in error
    assert "It is `disabled` now." in error


def test_a_modify_assignment_is_told_before_and_after(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, MODIFY, "set-off")
    result = az("acr", "scope", "enforce", "-n", estate.names[0], "--status", "enabled")
    assert result.code == 1, result
    warning, error = result.stderr.split("ERROR", 1)
    assert "the Azure Policy assignment set-off" in warning
    assert "set it back to `disabled`" in warning
    assert "effect modify sets it back" in error


def test_an_initiative_is_looked_into(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    initiative = cloud.world.policies.add_initiative(estate.subscription.scope, f"set-{estate.names[0]}")
    values = {"effect": "Deny", "modifyEffect": "Disabled"}
    cloud.world.assign_policy(estate.subscription.scope, initiative.id, "baseline", parameters=values)
    result = az("acr", "scope", "enforce", "-n", estate.names[0], "--status", "enabled")
    assert result.code == 1, result
    assert "the Azure Policy assignment baseline" in result.stderr


@pytest.mark.parametrize("kind", ["audit", "do-not-enforce", "exempt", "left out", "elsewhere"])
def test_what_hinders_nothing_is_not_told(az: Az, cloud: LocalCloud, estate: Estate, kind: str) -> None:
    policies, registry = cloud.world.policies, estate.registries[0]
    scope = estate.registries[1].id.split("/providers/")[0] if kind == "elsewhere" else estate.subscription.scope
    assignment = cloud.world.assign_policy(
        scope,
        AUDIT_DENY,
        "rule",
        effect="Audit" if kind == "audit" else "Deny",
        enforcement="DoNotEnforce" if kind == "do-not-enforce" else "Default",
        not_scopes=(registry.id.upper().replace("/SUBSCRIPTIONS", "/subscriptions"),) if kind == "left out" else (),
    )
    if kind == "exempt":
        policies.exempt(registry.id, assignment)
    result = az("acr", "scope", "enforce", "-n", registry.name, "--status", "enabled")
    assert result.code == 0, result
    assert "Azure Policy" not in result.stderr
    assert registry.policy_status == "enabled"


def test_many_are_told_in_the_plan_with_two_requests_for_a_subscription(
    az: Az, cloud: LocalCloud, estate: Estate
) -> None:
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "keep-off", effect="Deny")
    free = estate.registries[2]
    cloud.world.policies.exempt(free.id, cloud.world.policies.assigned(estate.subscription.scope)[0])
    result = az("acr", "scope", "enforce", "--all", "--status", "enabled", "--dry-run")
    assert result.code == 0, result
    assert f"Setting {estate.names[0]}, {estate.names[1]} to `enabled`" in result.stderr
    planned = {row["name"]: row["reason"] for row in result.json}
    assert "keep-off" in planned[estate.names[0]]
    assert planned[free.name] == ""
    assert policy_requests(cloud) == 2


def test_the_question_says_how_many_are_hindered(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "keep-off", effect="Deny")
    result = az("acr", "scope", "enforce", "--all", "--status", "enabled")
    assert result.code == 1
    assert "Azure Policy will refuse or undo 3" in result.stderr


def test_an_undo_is_told_too(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    estate.registries[0].policy_status = "enabled"
    az.ok("acr", "scope", "enforce", "--all", "--yes", "--record", "record.jsonl")
    cloud.world.assign_policy(estate.subscription.scope, MODIFY, "set-off")
    result = az("acr", "scope", "enforce", "--undo", "record.jsonl", "--dry-run")
    assert result.code == 0, result
    assert "the Azure Policy assignment set-off" in result.stderr


def test_what_is_refused_among_many_is_named(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "keep-off", effect="Deny")
    result = az("acr", "scope", "enforce", "--all", "--status", "enabled", "--yes")
    assert result.code == 1, result
    assert {row["result"] for row in result.json} == {"failed"}
    assert all("refused by the assignment 'keep-off'" in row["reason"] for row in result.json)


@pytest.mark.parametrize("selection", [["-n"], ["--yes", "--all"]])
def test_enforcing_asks_nothing_about_policy(az: Az, cloud: LocalCloud, estate: Estate, selection: list[str]) -> None:
    cloud.world.assign_policy(estate.subscription.scope, AUDIT_DENY, "keep-off", effect="Deny")
    estate.registries[0].policy_status = "enabled"
    names = [estate.names[0]] if selection == ["-n"] else []
    az.ok("acr", "scope", "enforce", *selection, *names)
    assert policy_requests(cloud) == 0


def test_policy_that_cannot_be_read_is_told_and_stops_nothing(
    new_az: Callable[..., Az], cloud: LocalCloud, estate: Estate
) -> None:
    writer = cloud.world.add_service_principal(f"writer of {estate.names[0]}")
    cloud.world.grant(
        writer, estate.subscription.scope, ("Microsoft.ContainerRegistry/*", "Microsoft.Resources/*/read")
    )
    result = new_az(writer, "writer")("acr", "scope", "enforce", "-n", estate.names[0], "--status", "enabled")
    assert result.code == 0, result
    assert "It is not known whether Azure Policy will refuse" in result.stderr
    assert estate.registries[0].policy_status == "enabled"


def test_a_refusal_that_names_no_assignment_is_quoted(az: Az, cloud: LocalCloud, estate: Estate) -> None:
    estate.registries[0].policy_status = "enabled"
    body = {"error": {"code": "RequestDisallowedByPolicy", "message": "Disallowed by 'x'.", "additionalInfo": ["odd"]}}
    cloud.faults.add(host=ARM, method="PATCH", status=403, body=body)
    result = az("acr", "scope", "enforce", "-n", estate.names[0])
    assert result.code == 1, result
    assert "Disallowed by 'x'." in result.stderr
    assert "az acr scope policy show" in result.stderr

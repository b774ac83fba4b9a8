"""`az acr scope policy assign` and `unassign`, through the real `az`."""

import json
import os
import pty
from collections.abc import Callable
from typing import Any

import pytest

from tests.az import Az, Result, captured, running
from tests.localcloud import LocalCloud, ServicePrincipal
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.world import PolicyStatus, Subscription

ARM = "management.azure.com"
POLICY, ROLE = "Resource Policy Contributor", "Role Based Access Control Administrator"
MODIFY = ("--effect", "modify", "--location", "westeurope", "--yes")


@pytest.fixture
def subscription(cloud: LocalCloud, registry_name: str) -> Subscription:
    """A subscription of this test's own, with three registries, two of them non-compliant."""
    made: Subscription = cloud.world.add_subscription(f"Subscription {registry_name}")
    statuses: tuple[PolicyStatus | None, ...] = ("enabled", None, "disabled")
    for number, status in enumerate(statuses):
        cloud.world.add_registry(f"{registry_name}x{number}", f"rg-{registry_name}", made, policy_status=status)
    return made


@pytest.fixture
def group(registry_name: str, subscription: Subscription) -> str:
    return f"rg-{registry_name}"


@pytest.fixture
def grant(cloud: LocalCloud, registry_name: str, subscription: Subscription) -> Callable[..., ServicePrincipal]:
    """Makes who signs in, with roles in the subscription."""

    def make(*roles: str) -> ServicePrincipal:
        principal: ServicePrincipal = cloud.world.add_service_principal(f"platform-{registry_name}")
        for role in roles:
            cloud.world.grant(principal, subscription.scope, role)
        return principal

    return make


@pytest.fixture
def owner(grant: Callable[..., ServicePrincipal]) -> ServicePrincipal:
    """Who may read everything, assign policies and assign roles."""
    return grant("Reader", POLICY, ROLE)


@pytest.fixture
def az(new_az: Callable[..., Az], owner: ServicePrincipal) -> Az:
    return new_az(owner)


def policy(az: Az, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return az("acr", "scope", "policy", *arguments, env=env)


def done(az: Az, *arguments: str) -> Any:
    result = policy(az, *arguments)
    assert result.code == 0, result
    return result.json


def writes(cloud: LocalCloud) -> list[tuple[str, str, int | None]]:
    """The writes to Azure Policy and roles: method, kind of object, status."""
    return [
        (request.method, request.path.split("/")[-2], request.status)
        for request in cloud.requests_to(ARM)
        if request.method in ("PUT", "PATCH", "DELETE")
    ]


def assigned(cloud: LocalCloud, scope: str) -> list[Assignment]:
    found: list[Assignment] = cloud.world.policies.assigned(scope)
    return found


def grants(cloud: LocalCloud, principal_id: str) -> list[tuple[str, str]]:
    return [(each.role.name, each.at) for each in cloud.world.all_grants if each.object_id == principal_id]


# --- assigning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "effect"), [((), "Audit"), (("--effect", "deny", "--yes"), "Deny")])
def test_audit_and_deny_are_assigned_at_the_subscription_and_a_repeat_writes_nothing(
    az: Az, cloud: LocalCloud, subscription: Subscription, arguments: tuple[str, ...], effect: str
) -> None:
    made = done(az, "assign", *arguments)
    assert made["changed"] is True
    assert made["effect"] == effect
    assert made["nonCompliant"] == {"registries": 2, "of": 3}
    assert made["identityPrincipalId"] is None
    (there,) = assigned(cloud, subscription.scope)
    assert there.id == made["id"]
    assert there.parameters == {"effect": effect}
    assert writes(cloud) == [("PUT", "policyAssignments", 201)]
    cloud.clear_requests()
    assert done(az, "assign", *arguments) == {**made, "changed": False}
    assert writes(cloud) == []


def test_modify_gets_an_identity_with_the_role_and_a_repeat_writes_nothing(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    made = done(az, "assign", *MODIFY)
    assert grants(cloud, made["identityPrincipalId"]) == [("Contributor", subscription.scope)]
    assert made["roleAssignmentId"].startswith(f"{subscription.scope}/providers/Microsoft.Authorization/")
    assert [kind for _, kind, _ in writes(cloud)] == ["policyAssignments", "roleAssignments"]
    cloud.clear_requests()
    assert done(az, "assign", *MODIFY) == {**made, "changed": False}
    assert writes(cloud) == []


def test_modify_really_sets_the_status_of_what_is_created_there(
    az: Az, cloud: LocalCloud, subscription: Subscription, group: str, owner: ServicePrincipal, registry_name: str
) -> None:
    done(az, "assign", *MODIFY)
    cloud.world.grant(owner, subscription.scope, "Contributor")
    path = f"{subscription.scope}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries"
    body = json.dumps({"location": "westeurope", "sku": {"name": "Basic"}})
    az.ok("rest", "--method", "put", "--url", f"{path}/{registry_name}new?api-version=2025-04-01", "--body", body)
    shown = az.ok("acr", "scope", "show", "--name", f"{registry_name}new", "--resource-group", group)
    assert shown["status"] == "disabled"


def test_a_resource_group_lends_its_location(az: Az, cloud: LocalCloud, subscription: Subscription, group: str) -> None:
    made = done(az, "assign", "--resource-group", group, "--effect", "modify", "--yes")
    scope = f"{subscription.scope}/resourceGroups/{group}"
    (there,) = assigned(cloud, scope)
    assert made["scope"] == scope
    assert there.location == "westeurope"
    assert grants(cloud, made["identityPrincipalId"]) == [("Contributor", scope)]


@pytest.mark.parametrize("arguments", [(), MODIFY])
def test_a_management_group_is_assigned_with_what_is_below_it_counted(
    new_az: Callable[..., Az],
    cloud: LocalCloud,
    owner: ServicePrincipal,
    subscription: Subscription,
    registry_name: str,
    arguments: tuple[str, ...],
) -> None:
    name = f"mg-{registry_name}"
    cloud.world.add_management_group(name)
    cloud.world.move(subscription, name)
    scope = f"/providers/Microsoft.Management/managementGroups/{name}"
    for role in ("Reader", POLICY, ROLE):
        cloud.world.grant(owner, scope, role)
    az = new_az(owner)
    made = done(az, "assign", "--management-group", name, *arguments)
    assert made["scope"] == scope
    assert made["nonCompliant"] == {"registries": 2, "of": 3}
    assert len(assigned(cloud, scope)) == 1
    cloud.clear_requests()
    assert done(az, "assign", "--management-group", name, *arguments)["changed"] is False
    assert writes(cloud) == []
    assert done(az, "unassign", "--management-group", name, "--yes")["changed"] is True
    assert assigned(cloud, scope) == []


def test_all_that_can_be_said_of_an_assignment_arrives(
    az: Az, cloud: LocalCloud, subscription: Subscription, group: str, registry_name: str
) -> None:
    left_out = f"{subscription.scope}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/"
    arguments = ["--assignment-name", "mine", "--display-name", "Mine alone", "--enforcement-mode", "do-not-enforce"]
    arguments += ["--non-compliance-message", "Use ACR tokens.", "--not-scopes", f"{left_out}{registry_name}x0"]
    arguments += ["--not-scopes", f"{left_out}{registry_name}x2"]
    made = done(az, "assign", "--effect", "deny", "--yes", *arguments)
    assert made["nonCompliant"] == {"registries": 1, "of": 1}
    (there,) = assigned(cloud, subscription.scope)
    assert (there.name, there.display_name, there.enforcement) == ("mine", "Mine alone", "DoNotEnforce")
    assert there.messages == ({"message": "Use ACR tokens."},)
    assert there.not_scopes == (f"{left_out}{registry_name}x0", f"{left_out}{registry_name}x2")


def test_an_identity_of_ones_own_can_be_used(
    az: Az, cloud: LocalCloud, owner: ServicePrincipal, subscription: Subscription, registry_name: str
) -> None:
    identity = cloud.world.add_managed_identity(f"id-{registry_name}")
    cloud.world.grant(owner, identity.resource_id, "Contributor")
    made = done(az, "assign", *MODIFY, "--identity", identity.resource_id)
    assert made["identityPrincipalId"] == identity.object_id
    assert grants(cloud, identity.object_id) == [("Contributor", subscription.scope)]
    cloud.clear_requests()
    assert done(az, "assign", *MODIFY, "--identity", identity.resource_id)["changed"] is False
    assert writes(cloud) == []


def test_a_role_that_the_identity_has_already_is_not_given_again(
    az: Az, cloud: LocalCloud, owner: ServicePrincipal, subscription: Subscription, registry_name: str, group: str
) -> None:
    identity = cloud.world.add_managed_identity(f"id-{registry_name}")
    held = cloud.world.grant(identity, subscription.scope, "Contributor")
    made = done(az, "assign", "-g", group, "--effect", "modify", "--yes", "--identity", identity.resource_id)
    assert made["roleAssignmentId"] == held.id
    assert [kind for _, kind, _ in writes(cloud)] == ["policyAssignments"]


def test_audit_turns_into_deny_in_place_and_the_change_is_told(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    done(az, "assign")
    result = policy(az, "assign", "--effect", "deny", "--yes")
    assert result.json["changed"] is True
    assert "effect: Deny (now Audit)" in result.stderr
    assert [each.parameters for each in assigned(cloud, subscription.scope)] == [{"effect": "Deny"}]


def test_a_dry_run_writes_nothing(az: Az, cloud: LocalCloud, subscription: Subscription) -> None:
    plan = done(az, "assign", *MODIFY, "--dry-run")
    assert [each["what"] for each in plan["plannedChanges"]] == ["new policy assignment", "new role of its identity"]
    assert plan["changed"] is False
    assert writes(cloud) == []
    assert assigned(cloud, subscription.scope) == []
    table = policy(az, "assign", "--dry-run", "--output", "table")
    assert table.stdout.split()[:6] == ["Name", "Effect", "EnforcementMode", "NonCompliant", "Changed", "Scope"]
    assert "2 of 3" in table.stdout


# --- what people are told ------------------------------------------------------------------------------------------


def test_the_numbers_and_what_deny_blocks_are_told_before_the_question(az: Az, cloud: LocalCloud) -> None:
    result = policy(az, "assign", "--effect", "deny")
    assert result.code == 1
    assert "2 of 3 registries are non-compliant today" in result.stderr
    assert "also refuses every other update of these registries" in result.stderr
    assert "there is no terminal to ask at" in result.stderr
    assert writes(cloud) == []


def test_that_nothing_can_be_counted_is_no_obstacle(az: Az, cloud: LocalCloud) -> None:
    cloud.faults.add(ARM, "POST", "*resourcegraph*", times=None, status=403, body={"error": {"code": "Forbidden"}})
    result = policy(az, "assign")
    assert result.json["nonCompliant"] is None
    assert result.json["changed"] is True
    assert "it is not known how many registries are non-compliant" in result.stderr


@pytest.mark.parametrize(("answer", "made"), [("y", 1), ("n", 0)])
def test_the_question_decides(az: Az, cloud: LocalCloud, subscription: Subscription, answer: str, made: int) -> None:
    ours, theirs = pty.openpty()
    command = [str(az.program), "acr", "scope", "policy", "assign", "--effect", "deny"]
    with running(command, **captured(az.env) | {"stdin": theirs}, cwd=az.home) as asked:
        os.write(ours, f"{answer}\n".encode())
        _, said = asked.communicate(timeout=180)
    os.close(ours)
    os.close(theirs)
    assert "Assign the policy assignment acrscope (Deny)" in said
    assert asked.returncode == (0 if made else 1)
    assert len(assigned(cloud, subscription.scope)) == made


# --- interruption and delays ---------------------------------------------------------------------------------------


def test_interrupted_before_the_role_a_repeat_completes_it(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    cloud.faults.add(ARM, "PUT", "*/roleAssignments/*", times=1, status=403, body=_refusal("AuthorizationFailed"))
    assert policy(az, "assign", *MODIFY).code != 0
    (there,) = assigned(cloud, subscription.scope)
    cloud.clear_requests()
    made = done(az, "assign", *MODIFY)
    assert made["changed"] is True
    assert writes(cloud) == [("PUT", "roleAssignments", 201)]
    assert grants(cloud, there.principal_ids[0]) == [("Contributor", subscription.scope)]


def test_an_identity_that_is_not_known_everywhere_yet_is_waited_for(az: Az, cloud: LocalCloud) -> None:
    cloud.faults.add(ARM, "PUT", "*/roleAssignments/*", times=2, status=400, body=_refusal("PrincipalNotFound"))
    result = policy(az, "assign", *MODIFY)
    assert result.json["roleAssignmentId"]
    assert result.stderr.count("not known everywhere yet") == 1
    assert [status for _, kind, status in writes(cloud) if kind == "roleAssignments"] == [400, 400, 201]


def test_the_wait_for_an_identity_ends(az: Az, cloud: LocalCloud) -> None:
    cloud.faults.add(ARM, "PUT", "*/roleAssignments/*", times=None, status=400, body=_refusal("PrincipalNotFound"))
    result = policy(az, "assign", *MODIFY, env={"AZURE_ACRSCOPE_OPERATION_TIMEOUT": "0.5"})
    assert result.code == 1
    assert "still unknown to the directory after 0.5 seconds" in result.stderr
    cloud.faults.clear()
    assert done(az, "assign", *MODIFY)["changed"] is True


def _refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": f"{code} it is."}}


# --- who may not, and what is not there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "arguments", "asked_for"),
    [
        ((), ("assign", "--resource-group", "rg-nowhere"), "Reader"),
        (("Reader",), ("assign",), POLICY),
        (("Reader", POLICY), ("assign", *MODIFY), ROLE),
    ],
)
def test_a_missing_right_names_the_role_to_ask_for(
    new_az: Callable[..., Az],
    grant: Callable[..., ServicePrincipal],
    subscription: Subscription,
    held: tuple[str, ...],
    arguments: tuple[str, ...],
    asked_for: str,
) -> None:
    principal = grant(*(held or ("AcrPull",)))
    result = policy(new_az(principal), *arguments)
    assert result.code == 1
    assert f'Ask for the role "{asked_for}" there' in result.stderr
    assert subscription.scope in result.stderr


def test_a_management_group_out_of_sight_asks_for_the_reader_role_there(
    az: Az, cloud: LocalCloud, registry_name: str
) -> None:
    cloud.world.add_management_group(f"mg-{registry_name}")
    result = policy(az, "assign", "--management-group", f"mg-{registry_name}")
    assert result.code == 1
    assert 'Ask for the role "Reader" there' in result.stderr
    assert f"managementGroups/mg-{registry_name}" in result.stderr
    assert "az account management-group list" in result.stderr


def test_a_group_that_is_not_there_is_said_to_be_missing(az: Az) -> None:
    result = policy(az, "assign", "--resource-group", "rg-nowhere")
    assert result.code == 3
    assert "There is no resource group 'rg-nowhere'" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--assignment-name", "a/b"),
        ("--management-group", "a/b"),
        ("--management-group", "mg", "--assignment-name", "a-name-that-is-25-letters"),
        ("--management-group", "mg", "--resource-group", "rg"),
        ("--not-scopes", "/subscriptions/other"),
        ("--identity", "id-1", "--effect", "modify"),
        ("--location", "westeurope"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    az: Az, cloud: LocalCloud, arguments: tuple[str, ...]
) -> None:
    result = policy(az, "assign", *arguments)
    assert result.code != 0
    assert result.stderr.startswith("ERROR: ")
    assert not cloud.requests_to(ARM)


def test_another_definition_under_that_name_is_left_alone(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    done(az, "assign")
    cloud.clear_requests()
    result = policy(az, "assign", *MODIFY, "--assignment-name", "acrscope")
    assert result.code == 1
    assert "assigns another definition" in result.stderr
    assert writes(cloud) == []


def test_a_default_group_of_the_configuration_does_not_narrow_the_scope(
    az: Az, subscription: Subscription, group: str
) -> None:
    made = policy(az, "assign", env={"AZURE_DEFAULTS_GROUP": group}).json
    assert made["scope"] == subscription.scope


# --- templates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "first"),
    [("bicep", "// az deployment sub create"), ("terraform", "# terraform init && terraform apply")],
)
def test_a_template_is_printed_as_it_is_and_nothing_is_asked(
    az: Az, cloud: LocalCloud, language: str, first: str
) -> None:
    cloud.clear_requests()
    for output in ("json", "table"):
        result = policy(az, "assign", *MODIFY, "--print", language, "--output", output)
        assert result.code == 0, result
        assert result.stdout.startswith(first)
        assert "785596ed-054f-41bc-aaec-7f3d0ba05725" in result.stdout
        assert result.stdout.rstrip().endswith("}")
    assert not cloud.requests_to(ARM)


# --- unassigning ---------------------------------------------------------------------------------------------------


def test_unassign_takes_back_the_assignment_and_the_role_and_a_repeat_finds_nothing(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    made = done(az, "assign", *MODIFY)
    cloud.clear_requests()
    removed = done(az, "unassign", "--yes")
    assert (removed["changed"], removed["id"]) == (True, made["id"])
    assert removed["roleAssignmentIds"] == [made["roleAssignmentId"]]
    assert [kind for _, kind, _ in writes(cloud)] == ["roleAssignments", "policyAssignments"]
    assert assigned(cloud, subscription.scope) == []
    assert grants(cloud, made["identityPrincipalId"]) == []
    cloud.clear_requests()
    again = policy(az, "unassign", "--yes")
    assert again.json["changed"] is False
    assert "nothing to remove" in again.stderr
    assert writes(cloud) == []


def test_unassign_interrupted_between_the_two_is_finished_by_a_repeat(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    made = done(az, "assign", *MODIFY)
    cloud.faults.add(ARM, "DELETE", "*/policyAssignments/*", times=1, status=403, body=_refusal("AuthorizationFailed"))
    result = policy(az, "unassign", "--yes")
    assert f'Ask for the role "{POLICY}" there' in result.stderr
    assert len(assigned(cloud, subscription.scope)) == 1
    assert done(az, "unassign", "--yes")["changed"] is True
    assert assigned(cloud, subscription.scope) == []
    assert grants(cloud, made["identityPrincipalId"]) == []


def test_unassign_asks_first(az: Az, cloud: LocalCloud, subscription: Subscription) -> None:
    done(az, "assign", *MODIFY)
    result = policy(az, "unassign")
    assert result.code == 1
    assert "and the role Contributor of its identity there?" in result.stderr
    planned = done(az, "unassign", "--dry-run")
    assert (planned["name"], planned["changed"]) == ("acrscope-modify", False)
    assert len(planned["roleAssignmentIds"]) == 1
    assert len(assigned(cloud, subscription.scope)) == 1


def test_without_the_right_to_remove_roles_nothing_is_removed(
    az: Az, cloud: LocalCloud, new_az: Callable[..., Az], subscription: Subscription, registry_name: str
) -> None:
    done(az, "assign", *MODIFY)
    other = cloud.world.add_service_principal(f"other-{registry_name}")
    for role in ("Reader", POLICY):
        cloud.world.grant(other, subscription.scope, role)
    result = policy(new_az(other, "other"), "unassign", "--yes")
    assert f'Ask for the role "{ROLE}" there' in result.stderr
    assert len(assigned(cloud, subscription.scope)) == 1


def test_somebody_elses_assignment_of_that_name_is_not_removed(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    cloud.world.assign_policy(subscription.scope, name="acrscope-modify")
    result = policy(az, "unassign", "--yes", "--assignment-name", "acrscope-modify")
    assert result.code == 1
    assert "was not created by `az acr scope policy assign`" in result.stderr
    assert done(az, "unassign", "--yes")["changed"] is False
    assert len(assigned(cloud, subscription.scope)) == 1


def test_somebody_elses_assignment_is_changed_only_when_agreed_to(
    az: Az, cloud: LocalCloud, subscription: Subscription
) -> None:
    cloud.world.assign_policy(subscription.scope, name="acrscope-modify", display_name="Theirs")
    assert done(az, "assign", *MODIFY)["changed"] is False
    result = policy(az, "assign", *MODIFY[:-1], "--enforcement-mode", "do-not-enforce")
    assert result.code == 1
    assert "was not created by `az acr scope policy assign`" in result.stderr
    assert writes(cloud) == []

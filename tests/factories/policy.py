"""A small Azure Policy for unit tests: objects by their path, and refusals on demand."""

import re
from typing import Any

from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.paths import check_resource_id
from azext_acrscope.policy import assignments, planning
from azext_acrscope.policy.planning import AssignmentRequest
from azext_acrscope.policy.scopes import PolicyScope, resource_group_scope, subscription_scope

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000001"
IDENTITY = f"{SUBSCRIPTION}/resourceGroups/rg-id/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1"

AT_SUBSCRIPTION = subscription_scope("11111111-2222-3333-4444-555555555555", "1")
AT_GROUP = resource_group_scope("11111111-2222-3333-4444-555555555555", "rg")
AT_MANAGEMENT_GROUP = PolicyScope(
    check_resource_id("/providers/Microsoft.Management/managementGroups/mg"),
    "management group mg",
    management_group="mg",
)


def refusal(status: int, code: str) -> ArmError:
    return ArmError(status, code, f"{code} it is", "correlation")


class FakeArm(ArmClient):
    """Keeps what is put, gives identities, and answers as Azure does to what is not there."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.writes: list[tuple[str, str, Any]] = []
        self.filters: list[str] = []
        self.refusals: dict[tuple[str, str], list[ArmError]] = {}

    def refuse(self, method: str, kind: str, *errors: ArmError) -> None:
        """The next requests of a method for a kind of object (policyAssignments, roleAssignments) fail so."""
        self.refusals[method, kind.lower()] = list(errors)

    def _pass(self, method: str, path: str) -> None:
        for (refused, kind), errors in self.refusals.items():
            if refused == method and kind in path.lower() and errors:
                raise errors.pop(0)

    def get(self, path: str, api_version: str, **query: str) -> Reply:
        self._pass("GET", path)
        if path.lower() not in self.objects:
            raise refusal(404, "PolicyAssignmentNotFound" if "policyAssignments" in path else "RoleAssignmentNotFound")
        return Reply(200, {}, self.objects[path.lower()])

    def pages(self, path: str, api_version: str, **query: str) -> list[dict[str, Any]]:
        self._pass("GET", path)
        self.filters.append(query["$filter"])
        found = [value for key, value in self.objects.items() if key.startswith(f"{path.lower()}/")]
        principal = re.search(r"assignedTo\('([^']+)'\)", query["$filter"])
        return [each for each in found if not principal or each["properties"]["principalId"] == principal[1]]

    def put(self, path: str, api_version: str, body: dict[str, Any]) -> Reply:
        self.writes.append(("PUT", path, body))
        self._pass("PUT", path)
        made = {**body, "id": path, "name": path.rpartition("/")[2]}
        if body.get("identity", {}).get("type") == "SystemAssigned":
            made["identity"] = {**body["identity"], "principalId": PRINCIPAL, "tenantId": "tenant"}
        if body.get("identity", {}).get("type") == "UserAssigned":
            users = {each: {"principalId": PRINCIPAL} for each in body["identity"]["userAssignedIdentities"]}
            made["identity"] = {"type": "UserAssigned", "userAssignedIdentities": users}
        self.objects[path.lower()] = made
        return Reply(201, {}, made)

    def delete(self, path: str, api_version: str) -> Reply:
        self.writes.append(("DELETE", path, None))
        self._pass("DELETE", path)
        self.objects.pop(path.lower(), None)
        return Reply(200, {}, None)


MODIFYING = AssignmentRequest("modify", location="westeurope")


def assign(arm: FakeArm, wanted: AssignmentRequest, scope: PolicyScope = AT_SUBSCRIPTION) -> dict[str, Any]:
    """Plan and do it; what the command prints."""
    wanted.check(scope)
    plan = planning.plan_assignment(arm, scope, wanted)
    return planning.assignment_result(plan, planning.apply_assignment(plan, arm, 60, lambda _: None), None)


def stored(arm: FakeArm, name: str = "acrscope", scope: PolicyScope = AT_SUBSCRIPTION) -> dict[str, Any]:
    found: dict[str, Any] = arm.objects[assignments.assignment_id(scope, name).lower()]
    return found

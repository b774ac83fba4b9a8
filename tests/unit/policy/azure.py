"""A small Azure Policy for unit tests: objects by their path, and refusals on demand."""

import re
from typing import Any

from azext_acrscope.arm import Arm, ArmError, Reply
from azext_acrscope.arm_paths import checked_id
from azext_acrscope.policy.scopes import PolicyScope, of_group, of_subscription

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000001"
IDENTITY = f"{SUBSCRIPTION}/resourceGroups/rg-id/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1"

AT_SUBSCRIPTION = of_subscription("11111111-2222-3333-4444-555555555555", "1")
AT_GROUP = of_group("11111111-2222-3333-4444-555555555555", "rg")
AT_MANAGEMENT_GROUP = PolicyScope(
    checked_id("/providers/Microsoft.Management/managementGroups/mg"), "management group mg", management_group="mg"
)


def refusal(status: int, code: str) -> ArmError:
    return ArmError(status, code, f"{code} it is", "correlation")


class FakeArm(Arm):
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

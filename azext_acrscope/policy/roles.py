"""The role of an assignment's identity: Contributor at the scope, without which a remediation changes nothing.

Wire format: ``PUT SCOPE/providers/Microsoft.Authorization/roleAssignments/GUID`` with ``{properties{roleDefinitionId,
principalId, principalType}}``, 201. The directory may not know a new identity yet: 400 PrincipalNotFound (recorded
twice, then 201, where principalType was not named).
"""

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import ArmPath, arm_path
from azext_acrscope.base import console
from azext_acrscope.base.foreign_json import find_object, find_text, find_value
from azext_acrscope.base.polling import Polling
from azext_acrscope.base.resource_ids import name_in_id, parse_resource_id
from azext_acrscope.policy import errors
from azext_acrscope.policy.definitions import CONTRIBUTOR_ROLE, WRITING_ROLES
from azext_acrscope.policy.refusals import GRANTER_ROLE, READER_ROLE, refusal_error
from azext_acrscope.policy.scopes import PolicyScope
from azext_acrscope.registry import errors as registry_errors

API_VERSION = "2022-04-01"
_ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments"
_NAME_NAMESPACE = uuid.UUID("6f3b0c52-9d0e-4c1f-8a57-5d9be8a3f1c4")  # the namespace of the names we give
_DELETED_SECONDS = 10.0  # within which what was deleted is no longer read
_ROLE_MISSING_TEXT = "The policy is assigned, but its identity has no role yet."
ROLE_ASSIGNMENT_DESCRIPTION = "acrscope: lets this policy assignment's identity change registries"


def identity_principals(assignment: dict[str, Any] | None) -> list[str]:
    """Return the object IDs of a policy assignment's identities, its own first, then user-assigned ones."""
    identity = find_object(assignment, "identity")
    users = find_object(identity, "userAssignedIdentities").values()
    found = [identity.get("principalId"), *(find_value(each, "principalId") for each in users)]
    return [each for each in found if isinstance(each, str) and each]


def role_assignment_path(scope: PolicyScope, assignment_id: str, principal: str) -> ArmPath:
    """Return the ID of the role assignment that we make: always the same for an assignment and its identity."""
    name = uuid.uuid5(_NAME_NAMESPACE, f"{assignment_id}|{principal}|{CONTRIBUTOR_ROLE}".lower())
    return arm_path(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", scope=scope.path, name=str(name)
    )


def find_role_assignment(arm: ArmClient, scope: PolicyScope, principal: str) -> str | None:
    """Return the ID of a role assignment, whoever made it, that gives an identity Contributor or Owner at a scope.

    It may lie above the scope, or be that of a group the identity is in.
    """
    at = arm_path("{scope}/providers/Microsoft.Authorization/roleAssignments", scope=scope.path)
    try:
        found = arm.pages(at, API_VERSION, **{"$filter": f"atScope() and assignedTo('{principal}')"})
    except ArmError as error:
        raise refusal_error(error, scope, "read role assignments", READER_ROLE) from error
    ids = [find_text(each, "id") for each in found if _is_sufficient_role(each)]
    return next((each for each in ids if parse_resource_id(each).has_type(_ASSIGNMENT_TYPE)), None)


def gives_writing_role(assignment: dict[str, Any]) -> bool:
    """Return whether a role assignment gives a role that changes registries, under a condition or not."""
    return name_in_id(find_text(assignment, "properties", "roleDefinitionId")).lower() in WRITING_ROLES


def _is_sufficient_role(assignment: dict[str, Any]) -> bool:
    return gives_writing_role(assignment) and not find_value(assignment, "properties", "condition")


def grant_contributor(
    arm: ArmClient,
    scope: PolicyScope,
    assignment_id: str,
    principal: str,
    *,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Give an assignment's identity the role Contributor at the scope, waiting until the directory knows it.

    :param timeout: seconds to wait for that.
    :return: the role assignment's ID.
    :raises ForbiddenError: the account may not assign roles.
    :raises AzureResponseError: the identity did not become known in time, or no answer shows that it has the role.
    """

    def has_role(answer: Any) -> bool:
        return (
            gives_writing_role(answer) and find_text(answer, "properties", "principalId").lower() == principal.lower()
        )

    polling, target = Polling(timeout, sleep), role_assignment_path(scope, assignment_id, principal)
    while True:
        try:
            made = has_role(arm.put(target, API_VERSION, _role_assignment_body(scope, principal)).body)
            made = made or has_role(_read_role_assignment(arm, scope, target))  # what counts is what is there
            found = target if made else find_role_assignment(arm, scope, principal)
            if not found:
                raise registry_errors.with_state(errors.not_a_policy_answer("the role"), _ROLE_MISSING_TEXT)
            return found
        except ArmError as error:
            if error.code == "RoleAssignmentExists":  # under another name, made meanwhile
                return find_role_assignment(arm, scope, principal) or target
            if error.code != "PrincipalNotFound":
                raise registry_errors.with_state(
                    refusal_error(error, scope, "assign roles", GRANTER_ROLE), _ROLE_MISSING_TEXT
                ) from error
            if polling.is_over:
                raise errors.identity_unknown(principal, scope.text, timeout) from error
        if not polling.pauses:
            console.tell(["The new identity is not known everywhere yet. Waiting to assign its role …"])
        polling.wait()


def _role_assignment_body(scope: PolicyScope, principal: str) -> dict[str, Any]:
    at = parse_resource_id(scope.path).subscription_scope
    return {
        "properties": {
            "roleDefinitionId": f"{at}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR_ROLE}",
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "description": ROLE_ASSIGNMENT_DESCRIPTION,
        }
    }


def find_granted_roles(arm: ArmClient, scope: PolicyScope, assignment_id: str, principals: list[str]) -> list[ArmPath]:
    """Return the IDs of the role assignments that we made for an assignment's identities and that are there still."""
    return [
        target
        for target in (role_assignment_path(scope, assignment_id, each) for each in principals)
        if _role_assignment_exists(arm, scope, target)
    ]


def _role_assignment_exists(arm: ArmClient, scope: PolicyScope, target: ArmPath) -> bool:
    return _read_role_assignment(arm, scope, target) is not None


def _lacks_role_assignment(arm: ArmClient, scope: PolicyScope, target: ArmPath) -> bool:
    return not _role_assignment_exists(arm, scope, target)


def _read_role_assignment(arm: ArmClient, scope: PolicyScope, target: ArmPath) -> dict[str, Any] | None:
    """The answer for a role assignment, empty for one that cannot be read; None if there is none."""
    try:
        return find_object(arm.get(target, API_VERSION).body)
    except ArmError as error:
        if error.status == 404:
            return None
        raise refusal_error(error, scope, "read role assignments", READER_ROLE) from error


def delete_role_assignments(arm: ArmClient, scope: PolicyScope, targets: list[ArmPath]) -> None:
    """Delete role assignments; one that is gone already is no error."""
    for target in targets:
        try:
            arm.delete(target, API_VERSION)
        except ArmError as error:
            if error.status != 404:
                raise refusal_error(error, scope, "remove role assignments", GRANTER_ROLE) from error
    for target in targets:
        if not is_gone(partial(_lacks_role_assignment, arm, scope, target)):
            raise errors.still_there(f"The role assignment {target}")


def is_gone(look: Callable[[], bool]) -> bool:
    """Return whether something that was deleted is gone, which a few seconds may pass until it shows."""
    polling = Polling(_DELETED_SECONDS, time.sleep)
    while not look():
        if not polling.wait():
            return False
    return True

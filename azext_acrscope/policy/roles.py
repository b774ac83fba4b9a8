"""The role of an assignment's identity: Contributor at the scope, without which a remediation changes nothing.

Wire format: ``PUT SCOPE/providers/Microsoft.Authorization/roleAssignments/GUID`` with ``{properties{roleDefinitionId,
principalId, principalType}}``, 201. The directory may not know a new identity yet: 400 PrincipalNotFound (recorded
twice, then 201, where principalType was not named).
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from knack.log import get_logger

from azext_acrscope import _errors
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.arm_paths import ArmPath, arm_path
from azext_acrscope.policy.definitions import CONTRIBUTOR
from azext_acrscope.policy.refusals import TO_GRANT, TO_READ, refused
from azext_acrscope.policy.scopes import PolicyScope

API_VERSION = "2022-04-01"
_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_OURS = uuid.UUID("6f3b0c52-9d0e-4c1f-8a57-5d9be8a3f1c4")  # the namespace of the names we give
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 15.0
_WITHOUT_ROLE = "The policy itself is assigned; what is missing is its identity's role."
DESCRIPTION = "acrscope: lets this policy assignment's identity change registries"

logger = get_logger(__name__)


def path(scope: PolicyScope, assignment_id: str, principal: str) -> ArmPath:
    """The ID of the role assignment that we make: always the same for an assignment and its identity."""
    name = uuid.uuid5(_OURS, f"{assignment_id}|{principal}|{CONTRIBUTOR}".lower())
    return arm_path(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", scope=scope.path, name=str(name)
    )


def find(arm: Arm, scope: PolicyScope, principal: str) -> str | None:
    """The ID of a role assignment, whoever made it, that gives an identity Contributor or Owner at a scope.

    It may lie above the scope, or be that of a group the identity is in.
    """
    at = arm_path("{scope}/providers/Microsoft.Authorization/roleAssignments", scope=scope.path)
    try:
        found = arm.pages(at, API_VERSION, **{"$filter": f"atScope() and assignedTo('{principal}')"})
    except ArmError as error:
        raise refused(error, scope, "read role assignments", TO_READ) from error
    return next((str(each["id"]) for each in found if _suffices(each)), None)


def _suffices(assignment: dict[str, Any]) -> bool:
    properties = assignment.get("properties") or {}
    role = str(properties.get("roleDefinitionId")).rpartition("/")[2].lower()
    return role in (CONTRIBUTOR, _OWNER) and not properties.get("condition")


def grant(
    arm: Arm,
    scope: PolicyScope,
    assignment_id: str,
    principal: str,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Give an assignment's identity the role Contributor at the scope, waiting until the directory knows it.

    :param timeout: seconds to wait for that.
    :return: the role assignment's ID.
    :raises ForbiddenError: the account may not assign roles.
    :raises AzureResponseError: the identity did not become known in time.
    """
    deadline, pause = time.monotonic() + timeout, _FIRST_WAIT_SECONDS
    target = path(scope, assignment_id, principal)
    while True:
        try:
            arm.put(target, API_VERSION, _body(scope, principal))
            return target
        except ArmError as error:
            if error.code == "RoleAssignmentExists":  # under another name, made meanwhile
                return find(arm, scope, principal) or target
            if error.code != "PrincipalNotFound":
                raise _errors.with_state(refused(error, scope, "assign roles", TO_GRANT), _WITHOUT_ROLE) from error
            left = deadline - time.monotonic()
            if left <= 0:
                raise _errors.identity_unknown(principal, scope.text, timeout) from error
        if pause == _FIRST_WAIT_SECONDS:
            logger.warning("The new identity is not known everywhere yet; waiting to give it its role …")
        sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)


def _body(scope: PolicyScope, principal: str) -> dict[str, Any]:
    at = "" if scope.management_group else "/".join(scope.path.split("/")[:3])
    return {
        "properties": {
            "roleDefinitionId": f"{at}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}",
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "description": DESCRIPTION,
        }
    }


def ours(arm: Arm, scope: PolicyScope, assignment_id: str, principals: list[str]) -> list[ArmPath]:
    """The IDs of the role assignments that we made for an assignment's identities and that are there still."""
    return [
        target for target in (path(scope, assignment_id, each) for each in principals) if _is_there(arm, scope, target)
    ]


def _is_there(arm: Arm, scope: PolicyScope, target: ArmPath) -> bool:
    try:
        arm.get(target, API_VERSION)
    except ArmError as error:
        if error.status == 404:
            return False
        raise refused(error, scope, "read role assignments", TO_READ) from error
    return True


def withdraw(arm: Arm, scope: PolicyScope, targets: list[ArmPath]) -> None:
    """Delete role assignments; one that is gone already is no error."""
    for target in targets:
        try:
            arm.delete(target, API_VERSION)
        except ArmError as error:
            if error.status != 404:
                raise refused(error, scope, "remove role assignments", TO_GRANT) from error

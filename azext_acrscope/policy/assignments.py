"""Assignments of the two definitions at a scope: reading one, writing it, taking it back.

Wire format: ``PUT SCOPE/providers/Microsoft.Authorization/policyAssignments/NAME`` with ``{location, identity{type},
properties{policyDefinitionId, parameters{effect{value}}, enforcementMode, …}}`` replaces an assignment as a whole and
answers 201, for a new one as for a changed one (recorded). `planning` works out what to write.
"""

from typing import Any

from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.paths import ArmPath, arm_path
from azext_acrscope.base.foreign_json import find_object, find_value
from azext_acrscope.base.resource_ids import is_arm_name
from azext_acrscope.policy import errors, roles
from azext_acrscope.policy.definitions import DEFAULT_EFFECTS, is_audience_definition
from azext_acrscope.policy.refusals import ASSIGNER_ROLE, READER_ROLE, refusal_error
from azext_acrscope.policy.scopes import PolicyScope

API_VERSION = "2025-11-01"
# How we know ours again; `assignedBy` is what the portal shows.
CREATOR_MARK = ("madeWith", "acrscope")
_MAX_NAME_LENGTH, _MAX_NAME_LENGTH_IN_MANAGEMENT_GROUPS = 64, 24

Assignment = dict[str, Any]


def check_assignment_name(name: str, scope: PolicyScope) -> None:
    """Refuse a name that Azure would refuse, or that would change the path of a request.

    :raises InvalidArgumentValueError: if so.
    """
    longest = _MAX_NAME_LENGTH_IN_MANAGEMENT_GROUPS if scope.management_group else _MAX_NAME_LENGTH
    if not is_arm_name("assignment", name) or len(name) > longest:
        raise errors.bad_assignment_name(name, longest)


# --- reading -------------------------------------------------------------------------------------------------------


def read_assignment(arm: ArmClient, scope: PolicyScope, name: str) -> Assignment | None:
    """The assignment of that name at exactly this scope; None if there is none.

    :raises ForbiddenError: naming the role to ask for.
    :raises ResourceNotFoundError: the scope is not there.
    """
    try:
        return _checked_assignment(arm.get(assignment_id(scope, name), API_VERSION))
    except ArmError as error:
        if error.code == "PolicyAssignmentNotFound":
            return None
        raise refusal_error(error, scope, "read policy assignments", READER_ROLE) from error


def list_assignments(arm: ArmClient, scope: PolicyScope) -> list[Assignment]:
    """All assignments at exactly this scope."""
    path = arm_path("{scope}/providers/Microsoft.Authorization/policyAssignments", scope=scope.path)
    try:
        return arm.pages(path, API_VERSION, **{"$filter": "atExactScope()"})
    except ArmError as error:
        raise refusal_error(error, scope, "read policy assignments", READER_ROLE) from error


def is_made_by_acrscope(assignment: Assignment) -> bool:
    """Whether `assign` made it."""
    properties = assignment.get("properties") or {}
    marked = find_value(properties, "metadata", CREATOR_MARK[0]) == CREATOR_MARK[1]
    return marked and is_audience_definition(properties.get("policyDefinitionId"))


def assigned_effect(assignment: Assignment) -> str:
    """The effect that an assignment of one of the two definitions names: its parameter, else the default."""
    properties = assignment["properties"]
    named = ((properties.get("parameters") or {}).get("effect") or {}).get("value")
    return str(named or DEFAULT_EFFECTS.get(str(properties.get("policyDefinitionId")).lower(), "unknown"))


def assignment_id(scope: PolicyScope, name: str) -> ArmPath:
    template = "{scope}/providers/Microsoft.Authorization/policyAssignments/{assignment}"
    return arm_path(template, scope=scope.path, assignment=name)


def _checked_assignment(reply: Reply) -> Assignment:
    body = find_object(reply.body)
    if not (body.get("id") and body.get("name") and find_value(body, "properties", "policyDefinitionId")):
        raise errors.not_an_assignment()
    return body


# --- writing -------------------------------------------------------------------------------------------------------


def put_assignment(arm: ArmClient, scope: PolicyScope, name: str, body: Assignment) -> Assignment:
    """Make an assignment, or replace it as a whole.

    :raises ForbiddenError: naming the role to ask for.
    """
    try:
        return _checked_assignment(arm.put(assignment_id(scope, name), API_VERSION, body))
    except ArmError as error:
        raise refusal_error(error, scope, "assign policies", ASSIGNER_ROLE) from error


def find_removable(arm: ArmClient, scope: PolicyScope, name: str | None) -> Assignment | None:
    """The assignment to take back: that of this name, by default the only one that `assign` made at the scope.

    :return: None if there is none.
    :raises ValidationError: it is somebody else's, or several are ours and none was named.
    """
    if name:
        found = read_assignment(arm, scope, name)
        if found and not is_made_by_acrscope(found):
            raise errors.not_our_assignment(name, scope.text, str(found["properties"]["policyDefinitionId"]))
        return found
    ours = [each for each in list_assignments(arm, scope) if is_made_by_acrscope(each)]
    if len(ours) > 1:
        raise errors.several_assignments(sorted(str(each["name"]) for each in ours), scope.text)
    return ours[0] if ours else None


def remove_assignment(arm: ArmClient, scope: PolicyScope, assignment: Assignment, role_ids: list[ArmPath]) -> None:
    """Remove role assignments of its identity and then an assignment: interrupted between, a repeat finds the rest.

    The other way round, nobody would know any more which role assignments were meant.
    """
    roles.delete_role_assignments(arm, scope, role_ids)
    try:
        arm.delete(assignment_id(scope, assignment["name"]), API_VERSION)
    except ArmError as error:
        if error.status != 404:
            raise refusal_error(error, scope, "remove policy assignments", ASSIGNER_ROLE) from error


def removal_result(
    scope: PolicyScope, assignment: Assignment | None, role_ids: list[ArmPath], name: str | None = None
) -> dict[str, Any]:
    """What `unassign` prints: what it removed; without an assignment nothing was there."""
    return {
        "id": assignment["id"] if assignment else None,
        "name": assignment["name"] if assignment else name,
        "scope": scope.path,
        "roleAssignmentIds": role_ids,
        "changed": assignment is not None,
    }

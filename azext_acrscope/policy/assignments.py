"""Assignments of the two definitions at a scope: reading one, writing it, taking it back.

Wire format: ``PUT SCOPE/providers/Microsoft.Authorization/policyAssignments/NAME`` with ``{location, identity{type},
properties{policyDefinitionId, parameters{effect{value}}, enforcementMode, …}}`` replaces an assignment as a whole and
answers 201, for a new one as for a changed one (recorded). `planning` works out what to write.
"""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import ArmPath, arm_path
from azext_acrscope.base.foreign_json import UnexpectedShape, as_texts, find_text, find_value
from azext_acrscope.base.resource_ids import is_arm_name
from azext_acrscope.policy import errors, roles, shapes
from azext_acrscope.policy.definitions import DEFAULT_EFFECTS, is_audience_definition
from azext_acrscope.policy.refusals import ASSIGNER_ROLE, READER_ROLE, refusal_error
from azext_acrscope.policy.scopes import PolicyScope
from azext_acrscope.registry.errors import with_state

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
    """Return the assignment of that name at exactly this scope; None if there is none.

    :raises ForbiddenError: naming the role to ask for.
    :raises ResourceNotFoundError: the scope is not there.
    """
    try:
        body = arm.get(assignment_id(scope, name), API_VERSION).body
        return _check_assignment(body, assignment_id(scope, name))
    except UnexpectedShape:
        raise errors.not_a_policy_answer("a policy assignment") from None
    except ArmError as error:
        if error.code == "PolicyAssignmentNotFound":
            return None
        raise refusal_error(error, scope, "read policy assignments", READER_ROLE) from error


def list_assignments(arm: ArmClient, scope: PolicyScope) -> list[Assignment]:
    """Return all assignments at exactly this scope.

    :raises AzureResponseError: one of them cannot be read.
    """
    path = arm_path("{scope}/providers/Microsoft.Authorization/policyAssignments", scope=scope.path)
    try:
        return [shapes.check_assignment(each) for each in arm.pages(path, API_VERSION, **{"$filter": "atExactScope()"})]
    except UnexpectedShape:
        raise errors.not_a_policy_answer("a policy assignment") from None
    except ArmError as error:
        raise refusal_error(error, scope, "read policy assignments", READER_ROLE) from error


def is_made_by_acrscope(assignment: Assignment) -> bool:
    """Return whether `assign` made it."""
    properties = assignment.get("properties") or {}
    marked = find_value(properties, "metadata", CREATOR_MARK[0]) == CREATOR_MARK[1]
    return marked and is_audience_definition(properties.get("policyDefinitionId"))


def assigned_effect(assignment: Assignment) -> str:
    """Return the effect that an assignment of one of the two definitions names: its parameter, else the default."""
    properties = assignment["properties"]
    named = find_text(properties, "parameters", "effect", "value")
    return named or DEFAULT_EFFECTS.get(str(properties.get("policyDefinitionId")).lower(), "unknown")


def assignment_id(scope: PolicyScope, name: str) -> ArmPath:
    """Return the ID of an assignment by its name at a scope."""
    template = "{scope}/providers/Microsoft.Authorization/policyAssignments/{assignment}"
    return arm_path(template, scope=scope.path, assignment=name)


def _check_assignment(body: Any, identifier: str) -> Assignment:
    found = shapes.check_assignment(body)
    if found["id"].lower() != identifier.lower():
        raise UnexpectedShape("id")
    return found


# --- writing -------------------------------------------------------------------------------------------------------


def put_assignment(arm: ArmClient, scope: PolicyScope, name: str, body: Assignment) -> Assignment:
    """Make an assignment, or replace it as a whole, and return it as it is then.

    An answer that does not show what was written decides nothing: then the assignment is read.

    :raises ForbiddenError: naming the role to ask for.
    :raises AzureResponseError: it is not known whether it was made, or it is not what was written.
    """
    try:
        answer = arm.put(assignment_id(scope, name), API_VERSION, body).body
    except ArmError as error:
        raise refusal_error(error, scope, "assign policies", ASSIGNER_ROLE) from error
    try:
        found: Assignment | None = _check_assignment(answer, assignment_id(scope, name))
    except UnexpectedShape:
        found = None
    if found and _is_as_written(found, body):
        return found
    try:
        found = read_assignment(arm, scope, name)
    except AzCLIError as error:
        raise with_state(error, errors.ASSIGNMENT_UNSURE) from error
    if not (found and _is_as_written(found, body)):
        raise with_state(errors.not_a_policy_answer(f"the new assignment {name}"), errors.ASSIGNMENT_UNSURE)
    return found


def _is_as_written(found: Assignment, body: Assignment) -> bool:
    """Whether an assignment has the definition, the effect, the mode and the excluded scopes that were written."""

    def compared(assignment: Assignment) -> Any:
        properties = assignment["properties"]
        words = (properties["policyDefinitionId"], assigned_effect(assignment), properties.get("enforcementMode"))
        excluded = sorted(each.lower() for each in as_texts(properties.get("notScopes")))
        return [str(each or "Default").lower() for each in words], excluded

    return bool(compared(found) == compared(body))


def find_removable(arm: ArmClient, scope: PolicyScope, name: str | None) -> Assignment | None:
    """Return the assignment to take back: that of this name, by default the only one that `assign` made at the scope.

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
    name = assignment["name"]
    try:
        arm.delete(assignment_id(scope, name), API_VERSION)
    except ArmError as error:
        if error.status == 404:
            return
        raise refusal_error(error, scope, "remove policy assignments", ASSIGNER_ROLE) from error
    if not roles.is_gone(lambda: read_assignment(arm, scope, name) is None):
        raise errors.still_there(f"The policy assignment {name}")


def removal_result(
    scope: PolicyScope, assignment: Assignment | None, role_ids: list[ArmPath], name: str | None = None
) -> dict[str, Any]:
    """Return what `unassign` prints: what it removed; without an assignment nothing was there."""
    return {
        "id": assignment["id"] if assignment else None,
        "name": assignment["name"] if assignment else name,
        "scope": scope.path,
        "roleAssignmentIds": role_ids,
        "changed": assignment is not None,
    }

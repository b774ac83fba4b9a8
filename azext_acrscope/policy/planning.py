"""The plan of an assignment: what a user asks for, what differs from what is there, and doing it.

A PUT replaces an assignment as a whole (see `assignments`). So what is there is read first, all of it is sent again
with what changes, and nothing is sent if nothing does.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import is_resource_id
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.foreign_json import find_text
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.policy import assignments, errors, roles
from azext_acrscope.policy.assignments import (
    CREATOR_MARK,
    Assignment,
    assigned_effect,
    check_assignment_name,
    is_made_by_acrscope,
)
from azext_acrscope.policy.definitions import EFFECTS, ENFORCEMENT_MODES, MODIFY_ID
from azext_acrscope.policy.refusals import READER_ROLE, refusal_error
from azext_acrscope.policy.scopes import PolicyScope, scope_contains

_GROUPS_API_VERSION = "2021-04-01"
# Audit and deny are one definition, so one assignment at a scope turns from one into the other.
_DEFAULT_NAMES = {"audit": "acrscope", "deny": "acrscope", "modify": "acrscope-modify"}
_DISPLAY_NAMES = {
    "audit": "Container registries accept ACR-audience tokens only",
    "deny": "Container registries accept ACR-audience tokens only",
    "modify": "Container registries are made to accept ACR-audience tokens only",
}
_IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
_READ_ONLY_PROPERTIES = ("scope", "instanceId", "latestDefinitionVersion", "effectiveDefinitionVersion")


@dataclass(frozen=True)
class AssignmentRequest:  # pylint: disable=too-many-instance-attributes  # plain data: the command's options
    """What a user asks for; None leaves what is there as it is, and takes the default for a new assignment.

    :ivar effect: audit, deny or modify; audit is the default.
    :ivar enforcement: default or do-not-enforce.
    :ivar location: as typed, which must not contradict what is there.
    :ivar default_location: the CLI's, for a new identity.
    """

    effect: str | None = None
    name: str | None = None
    display_name: str | None = None
    not_scopes: list[str] | None = None
    enforcement: str | None = None
    message: str | None = None
    location: str | None = None
    identity: str | None = None
    default_location: str | None = None

    def check(self, scope: PolicyScope) -> None:
        """Refuse what cannot be meant, before anything is asked of Azure.

        :raises InvalidArgumentValueError: a name, an identity or an excluded scope that cannot be one.
        :raises RequiredArgumentMissingError: an identity for an effect that uses none.
        """
        check_assignment_name(self.assignment_name, scope)
        for option, value in (("--identity", self.identity), ("--location", self.location)):
            if value and self.effect != "modify":
                raise base_errors.needs(option, "--effect modify")
        if self.identity is not None and not is_resource_id(self.identity, _IDENTITY_TYPE):
            raise errors.bad_identity(self.identity)
        for each in self.not_scopes or []:
            parts = parse_resource_id(each)
            inside = scope.management_group or scope_contains(scope.path, each)
            if not (is_resource_id(each) and (parts.subscription or parts.management_group) and inside):
                raise errors.bad_not_scope(each, scope.text)

    @property
    def new_location(self) -> str | None:
        """Return where a new identity is to be; None if neither an option nor the CLI's configuration says."""
        return self.location or self.default_location

    @property
    def assignment_name(self) -> str:
        """Return the name that was given, or the default for the effect."""
        return self.name or _DEFAULT_NAMES[self.effect or "audit"]

    @property
    def default_display_name(self) -> str:
        """Return the display name of a new assignment."""
        return _DISPLAY_NAMES[self.effect or "audit"]


@dataclass(frozen=True)
class AssignmentEdit:
    """One thing that a run would change, with what is there before; None is nothing."""

    what: str
    before: Any
    after: Any

    def __str__(self) -> str:
        was = "" if self.before in (None, []) else f" (now {_display_value(self.before)})"
        return f"{self.what}: {_display_value(self.after)}{was}"


@dataclass
class AssignmentPlan:
    """What `assign` would do at a scope.

    :ivar name: the assignment's name.
    :ivar before: the assignment as it is; None if there is none.
    :ivar body: the assignment as it is to be.
    :ivar edits: what differs between the two; nothing is written for none.
    :ivar role: the ID of the role assignment that the identity has already; None if it lacks one or needs none.
    """

    scope: PolicyScope
    name: str
    before: Assignment | None
    body: Assignment
    edits: list[AssignmentEdit] = field(default_factory=list)
    role: str | None = None

    @property
    def id(self) -> str:
        """Return the ID of the assignment."""
        return assignments.assignment_id(self.scope, self.name)

    @property
    def modifies(self) -> bool:
        """Return whether the effect is modify, which needs an identity."""
        return str(self.body["properties"]["policyDefinitionId"]).lower() == MODIFY_ID.lower()

    @property
    def foreign(self) -> bool:
        """Return whether somebody else made the assignment that is to be changed."""
        return self.before is not None and not is_made_by_acrscope(self.before)

    @property
    def effect(self) -> str:
        """Return the effect after the change."""
        return assigned_effect(self.body)

    @property
    def changes(self) -> list[AssignmentEdit]:
        """Return all changes of the plan."""
        lacks_role = self.modifies and not self.role
        role = AssignmentEdit("new role of its identity", None, f"Contributor at {self.scope.text}")
        return [*self.edits, *([role] if lacks_role else [])]


# --- the plan ------------------------------------------------------------------------------------------------------


def plan_assignment(arm: ArmClient, scope: PolicyScope, wanted: AssignmentRequest) -> AssignmentPlan:
    """Return what to write so that the scope has the wanted assignment.

    :raises ValidationError: the assignment of that name assigns another definition, or lies at another location.
    :raises RequiredArgumentMissingError: a new identity needs a location.
    """
    name = wanted.assignment_name
    before = assignments.read_assignment(arm, scope, name)
    definition, _ = EFFECTS[wanted.effect or "audit"]
    if before and str(before["properties"]["policyDefinitionId"]).lower() != definition.lower():
        raise errors.name_taken(name, scope.text, str(before["properties"]["policyDefinitionId"]))
    edit = _AssignmentEditor(_writable_content(before) if before else _new_assignment(wanted, definition))
    _edit_properties(edit, wanted)
    if definition == MODIFY_ID:
        _edit_identity(edit, arm, scope, wanted)
    if before is None:
        edit.changes = [
            AssignmentEdit("new policy assignment", None, f"{name} ({assigned_effect(edit.content)}) at {scope.text}")
        ]
    result = AssignmentPlan(scope, name, before, edit.content, edit.changes)
    if result.modifies and before and not _does_identity_change(result):
        known = [roles.find_role_assignment(arm, scope, each) for each in roles.identity_principals(before)]
        result.role = known[0] if known and all(known) else None
    return result


class _AssignmentEditor:  # pylint: disable=too-few-public-methods  # it keeps the list of changes
    """Changes to an assignment, each one noted."""

    def __init__(self, content: Assignment) -> None:
        self.content = content
        self.changes: list[AssignmentEdit] = []

    def put(self, what: str, place: dict[str, Any], key: str, value: Any, default: Any = None) -> None:
        """Set a member that was asked for. IDs and Azure's own words are the same in any case of letters."""
        if value is None or _normalized(place.get(key, default)) == _normalized(value):
            return
        self.changes.append(AssignmentEdit(what, place.get(key, default), value))
        place[key] = value


def _new_assignment(wanted: AssignmentRequest, definition: str) -> Assignment:
    properties = {
        "policyDefinitionId": definition,
        "displayName": wanted.default_display_name,
        "parameters": {"effect": {"value": EFFECTS[wanted.effect or "audit"][1]}},
        "enforcementMode": "Default",
        "metadata": {"assignedBy": "az acr scope policy assign", CREATOR_MARK[0]: CREATOR_MARK[1]},
    }
    return {"properties": properties}


def _writable_content(before: Assignment) -> Assignment:
    """All of an assignment that a PUT takes: what it lacked would be lost."""
    properties = {key: value for key, value in before["properties"].items() if key not in _READ_ONLY_PROPERTIES}
    content = {"properties": properties, "location": before.get("location"), "identity": _writable_identity(before)}
    return copy.deepcopy({key: value for key, value in content.items() if value})


def _edit_properties(edit: _AssignmentEditor, wanted: AssignmentRequest) -> None:
    properties = edit.content["properties"]
    if wanted.effect and assigned_effect(edit.content).lower() != wanted.effect:
        value = EFFECTS[wanted.effect][1]
        edit.changes.append(AssignmentEdit("effect", assigned_effect(edit.content), value))
        properties["parameters"] = {**(properties.get("parameters") or {}), "effect": {"value": value}}
    mode = ENFORCEMENT_MODES[wanted.enforcement] if wanted.enforcement else None
    edit.put("enforcement mode", properties, "enforcementMode", mode, "Default")
    edit.put("excluded scopes", properties, "notScopes", wanted.not_scopes, [])
    if wanted.display_name is not None and properties.get("displayName") != wanted.display_name:
        edit.changes.append(AssignmentEdit("display name", properties.get("displayName"), wanted.display_name))
        properties["displayName"] = wanted.display_name
    if wanted.message is not None:
        messages = [{"message": wanted.message}] if wanted.message else []
        if (properties.get("nonComplianceMessages") or []) != messages:
            edit.changes.append(AssignmentEdit("message", _non_compliance_message(properties), wanted.message or None))
            properties["nonComplianceMessages"] = messages


def _non_compliance_message(properties: dict[str, Any]) -> str | None:
    return ", ".join(str(each.get("message")) for each in properties.get("nonComplianceMessages") or []) or None


def _edit_identity(edit: _AssignmentEditor, arm: ArmClient, scope: PolicyScope, wanted: AssignmentRequest) -> None:
    content = edit.content
    there = str((content.get("identity") or {}).get("type") or "None")
    identity: dict[str, Any] | None = None
    if wanted.identity:
        identity = {"type": "UserAssigned", "userAssignedIdentities": {wanted.identity: {}}}
    elif there.lower() == "none":
        identity = {"type": "SystemAssigned"}
    if identity and _normalized(content.get("identity")) != _normalized(identity):
        edit.changes.append(
            AssignmentEdit("identity", None if there == "None" else there, wanted.identity or "SystemAssigned")
        )
        content["identity"] = identity
    if not content.get("location"):
        content["location"] = wanted.new_location or _resource_group_location(arm, scope)
    elif wanted.location and _normalized_location(wanted.location) != _normalized_location(content["location"]):
        raise errors.assignment_elsewhere(str(content["location"]), wanted.location)


def _resource_group_location(arm: ArmClient, scope: PolicyScope) -> str:
    if not scope.resource_group:
        raise errors.location_needed(scope.text)
    try:
        body = arm.get(scope.path, _GROUPS_API_VERSION).body
    except ArmError as error:
        raise refusal_error(error, scope, "read the resource group", READER_ROLE) from error
    location = find_text(body, "location")
    if not location:
        raise errors.location_needed(scope.text)
    return location


def _does_identity_change(plan: AssignmentPlan) -> bool:
    return _normalized(_writable_identity(plan.before or {})) != _normalized(plan.body.get("identity"))


def _writable_identity(assignment: Assignment) -> dict[str, Any] | None:
    """The identity without what Azure alone says of it (recorded: the CLI sends it so)."""
    identity = assignment.get("identity")
    if not identity:
        return None
    users = identity.get("userAssignedIdentities")
    return {"type": identity.get("type"), **({"userAssignedIdentities": {key: {} for key in users}} if users else {})}


# --- doing it ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AssignmentOutcome:
    """How things are after `assign`: the assignment, the role assignment of its identity, whether anything changed."""

    assignment: Assignment
    role: str | None
    changed: bool


def apply_assignment(
    plan: AssignmentPlan, arm: ArmClient, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> AssignmentOutcome:
    """Do what a plan says: the assignment first, then its identity's role. Interrupted between the two, a repeat of the
    command finds the assignment as it should be and gives the role alone.

    :param timeout: seconds for a new identity to become known.
    """
    scope, assignment = plan.scope, plan.before
    if assignment is None or plan.edits:
        if plan.before and plan.modifies and _does_identity_change(plan):
            # The identity that is to go is known only as long as it is there.
            roles.delete_role_assignments(
                arm, scope, roles.find_granted_roles(arm, scope, plan.id, roles.identity_principals(plan.before))
            )
        assignment = assignments.put_assignment(arm, scope, plan.name, plan.body)
    role = plan.role
    if plan.modifies and not role:
        identities = roles.identity_principals(assignment)
        if not identities:
            raise errors.no_identity(plan.id)
        for each in identities:
            role = roles.find_role_assignment(arm, scope, each) or roles.grant_contributor(
                arm, scope, plan.id, each, timeout=timeout, sleep=sleep
            )
    return AssignmentOutcome(assignment, role, bool(plan.changes))


# --- comparing and telling -----------------------------------------------------------------------------------------


def _normalized(value: Any) -> Any:
    """A value in a form in which two that mean the same to Azure are equal: letters in one case, lists as sets."""
    if isinstance(value, str):
        return value.lower().rstrip("/")
    if isinstance(value, list):
        return sorted((_normalized(each) for each in value), key=str)
    if isinstance(value, dict):
        return {str(key).lower(): _normalized(each) for key, each in value.items()}
    return value


def _normalized_location(location: Any) -> str:
    """West Europe and westeurope are one."""
    return str(location).lower().replace(" ", "")


def _display_value(value: Any) -> str:
    if value is None or value == []:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value}"


def assignment_result(
    plan: AssignmentPlan, done: AssignmentOutcome | None, non_compliant: dict[str, int] | None
) -> dict[str, Any]:
    """Return what `assign` prints; for a dry run (`done` is None) how it is now, with `plannedChanges`."""
    shown = done.assignment if done else plan.before
    properties = (shown or plan.body)["properties"]
    described = {
        "id": shown["id"] if shown else plan.id,
        "name": shown["name"] if shown else plan.name,
        "scope": plan.scope.path,
        "definition": properties["policyDefinitionId"],
        "effect": assigned_effect(shown or plan.body),
        "enforcementMode": properties.get("enforcementMode") or "Default",
        "notScopes": properties.get("notScopes") or [],
        "identityPrincipalId": next(iter(roles.identity_principals(shown)), None),
        "roleAssignmentId": done.role if done else plan.role,
        "nonCompliant": non_compliant,
        "changed": bool(done and done.changed),
    }
    planned = [{"what": each.what, "before": each.before, "after": each.after} for each in plan.changes]
    return described if done else {**described, "plannedChanges": planned}

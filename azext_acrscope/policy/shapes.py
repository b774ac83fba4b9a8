"""Check that what Azure Policy answers has the members that this project reads, each of its type. No requests in here.

A check returns what it was given, or raises `UnexpectedShape`: an assignment that cannot be read must not look like one
that does nothing.
"""

from typing import Any

from azext_acrscope.base.foreign_json import (
    JsonObject,
    UnexpectedShape,
    as_name,
    as_object,
    as_rows,
    as_text,
    as_texts,
    find_text,
    find_value,
    member_at,
    member_ignoring_case,
)
from azext_acrscope.base.resource_ids import is_arm_name, parse_resource_id
from azext_acrscope.policy.definitions import is_audience_definition

ASSIGNMENT_TYPE = "Microsoft.Authorization/policyAssignments"
EXEMPTION_TYPE = "Microsoft.Authorization/policyExemptions"
_DEFINITION_TYPE = "Microsoft.Authorization/policyDefinitions"


def check_assignment(value: Any) -> JsonObject:
    """Check a policy assignment; without a name it gets that in its ID."""
    properties = _check_resource(value, ASSIGNMENT_TYPE)
    as_name(properties.get("policyDefinitionId"))
    for name in ("displayName", "enforcementMode", "description"):
        as_text(properties.get(name))
    as_texts(properties.get("notScopes"))
    as_object(properties.get("metadata"))
    _check_effect(properties.get("parameters"))
    for message in as_rows(properties.get("nonComplianceMessages")):
        as_text(message.get("message"))
    for override in as_rows(properties.get("overrides")):
        as_text(override.get("value"))
        for selector in as_rows(override.get("selectors")):
            as_texts(selector.get("in"))
            as_texts(selector.get("notIn"))
    _check_identity(value.get("identity"))
    as_text(value.get("location"))
    name = parse_resource_id(value["id"]).name
    if (as_text(value.get("name")) or name).lower() != name.lower():
        raise UnexpectedShape("name")
    return {**value, "name": value.get("name") or name}


def readable_assignments(items: list[JsonObject]) -> tuple[list[JsonObject], int]:
    """Return the assignments that can be read, each once, and how many others there are.

    Not counted is what cannot be read but plainly assigns a definition that is none of the two.
    """
    readable, odd = dict[str, JsonObject](), 0
    for each in items:
        try:
            assignment = check_assignment(each)
            readable.setdefault(assignment["id"].lower(), assignment)
        except UnexpectedShape:
            definition = find_text(each, "properties", "policyDefinitionId")
            other = parse_resource_id(definition).has_type(_DEFINITION_TYPE)
            odd += not other or is_audience_definition(definition)
    return list(readable.values()), odd


def readable_exemptions(items: list[JsonObject]) -> tuple[list[JsonObject], int]:
    """Return the exemptions that can be read, and how many others there are."""
    readable = []
    for each in items:
        try:
            readable.append(check_exemption(each))
        except UnexpectedShape:
            continue
    return readable, len(items) - len(readable)


def check_exemption(value: Any) -> JsonObject:
    """Check a policy exemption."""
    properties = _check_resource(value, EXEMPTION_TYPE)
    as_name(properties.get("policyAssignmentId"))
    as_texts(properties.get("policyDefinitionReferenceIds"))
    as_text(properties.get("expiresOn"))
    return dict(value)


def check_initiative(properties: Any) -> JsonObject:
    """Check the properties of an initiative."""
    members = find_value(properties, "policyDefinitions")
    if members is None:
        raise UnexpectedShape("policyDefinitions")
    for member in as_rows(members):
        as_name(member.get("policyDefinitionId"))
        as_text(member.get("policyDefinitionReferenceId"))
        _check_effect(member.get("parameters"))
    for declared in as_object(properties.get("parameters")).values():
        as_object(declared)
    return dict(properties)


def _check_resource(value: Any, resource_type: str) -> JsonObject:
    """Check that it is a resource of a type; return its properties."""
    properties = find_value(value, "properties")
    if not parse_resource_id(find_text(value, "id")).has_type(resource_type) or not isinstance(properties, dict):
        raise UnexpectedShape(resource_type)
    return properties


def _check_effect(parameters: Any) -> None:
    given = member_ignoring_case(as_object(parameters), "effect")
    as_text(member_at(given, "value"))


def _check_identity(identity: Any) -> None:
    users = as_object(as_object(identity).get("userAssignedIdentities")).values()
    as_text(member_at(identity, "type"))
    for each in (identity, *users):
        principal = as_text(member_at(each, "principalId"))
        if principal and not is_arm_name("name", principal):  # it becomes part of a filter
            raise UnexpectedShape("principalId")

"""Azure Policy in Microsoft.Authorization: definitions, initiatives, assignments and exemptions.

Recorded: a built-in definition is not found below a subscription; PUT of an assignment answers 201 also on updates,
DELETE 200 with the object; a system-assigned identity gets a new principal when it is taken away and given again; names
of parameters' values are compared with their case. Texts of refusals are those found in clients' logs, or else marked.
"""

from __future__ import annotations

import re
from typing import Any

from tests.localcloud.arm import errors
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.arm.paging import page
from tests.localcloud.arm.scoped_calls import Call, query
from tests.localcloud.base.messages import Answer, json_answer
from tests.localcloud.world import scopes
from tests.localcloud.world.policy import definitions
from tests.localcloud.world.policy.assignments import Assignment, Exemption
from tests.localcloud.world.policy.definitions import Definition, SetDefinition
from tests.localcloud.world.policy.rule_engine import BadRule

KINDS = ("policydefinitions", "policysetdefinitions", "policyassignments", "policyexemptions")
_VERSION = re.compile(r"20\d{2}-\d{2}-\d{2}(-preview)?")
_BY_DEFINITION = re.compile(r"policyDefinitionId eq '([^']*)'", re.IGNORECASE)
_PROVIDER = "Microsoft.Authorization"


def answer(call: Call) -> Answer:
    """Answers a path whose last provider is Microsoft.Authorization and that goes on with one of KINDS."""
    if not _VERSION.fullmatch(call.version):
        raise errors.bad_api_version(call.version)
    if len(call.rest) > 2:
        raise call.not_here()
    return _ROOMS[call.names[0]](call)


def _listed(call: Call, items: list[dict[str, Any]]) -> Answer:
    found, link = page(items, call.request, call.world.page_size, 0)
    return json_answer(200, {"value": list(found), **({"nextLink": link} if link else {})})


# Definitions


def _definitions(call: Call) -> Answer:
    known = call.world.policies
    below = f"/providers/{_PROVIDER}/policyDefinitions"
    if len(call.rest) == 1:
        found = [one for one in known.definitions if _in_view(call, one.id)]
        return _listed(call, [one.shown() for one in found])
    identifier = f"{call.scope}{below}/{call.rest[1]}"
    verb = call.verb()
    if call.scope:
        call.demand(f"{_PROVIDER}/policyDefinitions/{verb}", f"{below}/{call.rest[1]}")
    elif verb != "read":
        raise errors.method_not_allowed(call.method)
    if verb == "write":
        call.check_scope()
        definition = known.add(Definition(identifier, _definition_content(call.content(), call.rest[1])))
        return json_answer(201, definition.shown())
    found_one = known.definition(identifier)
    if found_one is None:
        if verb == "delete":
            return Answer(204)
        raise _no_definition(call.rest[1])
    if verb == "delete":
        known.remove_definition(identifier)
    return json_answer(200, found_one.shown())


def _definition_content(content: dict[str, Any], name: str) -> dict[str, Any]:
    properties = dict(content.get("properties") or {})
    try:
        definitions.check(properties)
    except (BadRule, KeyError, TypeError) as error:
        raise ArmError(400, "InvalidPolicyRule", f"Failed to parse policy rule: '{error}'.") from error
    return {"displayName": name, "mode": "All", "version": "1.0.0", **properties, "policyType": "Custom"}


def _in_view(call: Call, identifier: str) -> bool:
    """Built-in definitions are listed everywhere, custom ones at their own scope and below it."""
    found = scopes.split(identifier, ("microsoft.authorization",))
    owner = found[0] if found else ""
    return not owner or call.world.policies.lies_in(call.scope, owner)


def _no_definition(name: str) -> ArmError:
    """Recorded."""
    return ArmError(404, "PolicyDefinitionNotFound", f"The policy definition '{name}' could not be found.")


# Initiatives


def _initiatives(call: Call) -> Answer:
    known = call.world.policies
    below = f"/providers/{_PROVIDER}/policySetDefinitions"
    if len(call.rest) == 1:
        return _listed(call, [one.shown() for one in known.initiatives if _in_view(call, one.id)])
    identifier = f"{call.scope}{below}/{call.rest[1]}"
    verb = call.verb()
    if call.scope:
        call.demand(f"{_PROVIDER}/policySetDefinitions/{verb}", f"{below}/{call.rest[1]}")
    initiative = known.initiative(identifier)
    if verb == "write" and call.scope:
        call.check_scope()
        content = _initiative_content(call, call.rest[1])
        return json_answer(201 if initiative is None else 200, _put_initiative(call, identifier, content))
    if initiative is None:
        if verb == "delete":
            return Answer(204)
        message = f"The policy set definition '{call.rest[1]}' could not be found."
        raise ArmError(404, "PolicySetDefinitionNotFound", message)
    if verb == "delete":
        known.remove_initiative(identifier)
    return json_answer(200, initiative.shown())


def _put_initiative(call: Call, identifier: str, content: dict[str, Any]) -> dict[str, Any]:
    return call.world.policies.put_initiative(SetDefinition(identifier, content)).shown()


def _initiative_content(call: Call, name: str) -> dict[str, Any]:
    properties = dict(call.content().get("properties") or {})
    members = properties.get("policyDefinitions")
    if not isinstance(members, list) or not members:
        raise errors.bad_content("policyDefinitions")
    for index, member in enumerate(members):
        if call.world.policies.definition(str(member.get("policyDefinitionId"))) is None:
            raise _no_definition(str(member.get("policyDefinitionId")).rsplit("/", 1)[-1])
        member.setdefault("policyDefinitionReferenceId", str(index + 1))
    return {"displayName": name, "version": "1.0.0", **properties, "policyType": "Custom"}


# Assignments


def _assignments(call: Call) -> Answer:
    if len(call.rest) == 1:
        if call.method != "GET":
            raise errors.method_not_allowed(call.method)
        call.demand(f"{_PROVIDER}/policyAssignments/read")
        call.check_scope()
        found = _filtered(call, query(call.request, "$filter"))
        return _listed(call, [_shown(one, call.version) for one in found])
    name = call.rest[1]
    below = f"/providers/{_PROVIDER}/policyAssignments/{name}"
    verb = call.verb()
    call.demand(f"{_PROVIDER}/policyAssignments/{verb}", below)
    call.check_scope()
    before = call.world.policies.assignment(call.scope + below)
    if verb == "write":
        return json_answer(201, _shown(_put(call, name, before), call.version))
    if before is None:
        if verb == "delete":
            return Answer(204)
        raise ArmError(404, "PolicyAssignmentNotFound", f"The policy assignment '{name}' could not be found.")
    if verb == "delete":
        call.world.policies.remove(before)
    return json_answer(200, _shown(before, call.version))


def _filtered(call: Call, text: str | None) -> list[Assignment]:
    """Which assignments a list shows. Documented: without a filter those at, above and below the scope; of a management
    group none below it.
    """
    policies = call.world.policies
    above = [one for scope in policies.chain(call.scope) for one in policies.assigned(scope)]
    below = [one for one in policies.assignments if one not in above and scopes.under(one.scope, call.scope)]
    wanted = (text or "").strip()
    if wanted.lower() == "atscope()":
        return above
    if wanted.lower() == "atexactscope()":
        return policies.assigned(call.scope)
    if wanted.lower() == "atscopeandbelow()":
        return [*policies.assigned(call.scope), *below]
    match = _BY_DEFINITION.fullmatch(wanted)
    if wanted and match is None:
        raise errors.bad_filter(wanted)
    found = [*above, *below]
    return [one for one in found if match is None or one.definition_id.lower() == match[1].lower()]


def _put(call: Call, name: str, before: Assignment | None) -> Assignment:
    content = call.content()
    properties = content.get("properties") or {}
    if len(name) > (24 if scopes.management_group(call.scope) else 64):
        # The text is known from clients, the code is not.
        most = 24 if scopes.management_group(call.scope) else 64
        raise ArmError(
            400,
            "InvalidPolicyAssignmentName",
            f"The policy assignment name '{name}' is invalid. The policy assignment name length must not exceed "
            f"'{most}' characters.",
        )
    now = scopes.stamp(call.world.now())
    metadata = {key: value for key, value in (properties.get("metadata") or {}).items() if key not in _STAMPS}
    metadata |= {"createdBy": call.principal.object_id, "createdOn": now, "updatedBy": None, "updatedOn": None}
    if before is not None:
        metadata |= {key: before.metadata.get(key) for key in ("createdBy", "createdOn")}
        metadata |= {"updatedBy": call.principal.object_id, "updatedOn": now}
    assignment = Assignment(
        call.scope,
        before.name if before else name,
        str(properties.get("policyDefinitionId") or ""),
        {key: value.get("value") for key, value in (properties.get("parameters") or {}).items()},
        str(properties.get("enforcementMode") or "Default"),
        tuple(properties.get("notScopes") or ()),
        tuple(properties.get("nonComplianceMessages") or ()),
        tuple(properties.get("overrides") or ()),
        properties.get("displayName"),
        properties.get("description"),
        metadata,
        content.get("location"),
        None,
        call.system_data(before.system_data if before else None),
    )
    if before is not None:
        assignment.instance_id = before.instance_id
    _check(call, assignment)
    _give_identity(call, assignment, content.get("identity"), before)
    return call.world.policies.put(assignment)


_STAMPS = ("createdBy", "createdOn", "updatedBy", "updatedOn")


def _check(call: Call, assignment: Assignment) -> None:
    policies = call.world.policies
    initiative = policies.initiative(assignment.definition_id)
    definition = policies.definition(assignment.definition_id)
    target = initiative or definition
    short = assignment.definition_id.rsplit("/", 1)[-1]
    if target is None:
        if "/policysetdefinitions/" in assignment.definition_id.lower():
            raise ArmError(
                404, "PolicySetDefinitionNotFound", f"The policy set definition '{short}' could not be found."
            )
        raise _no_definition(short)
    if assignment.enforcement not in ("Default", "DoNotEnforce"):
        raise errors.bad_content(f"enforcementMode {assignment.enforcement}")
    unknown = [key for key in assignment.parameters if key not in target.parameters]
    if unknown:
        # Not recorded.
        raise ArmError(
            400,
            "UndefinedPolicyParameter",
            f"The policy assignment '{assignment.name}' has defined parameters '{', '.join(unknown)}' which are not "
            f"present in the policy definition '{short}'.",
        )
    values = {**definitions.defaults(target.parameters), **assignment.parameters}
    missing = [key for key in target.parameters if key not in values]
    if missing:
        # Not recorded.
        raise ArmError(
            400,
            "MissingPolicyParameter",
            f"The policy assignment '{assignment.name}' is missing the parameter(s) '{', '.join(missing)}' as defined "
            f"in the policy definition '{short}'.",
        )
    for key, value in assignment.parameters.items():
        allowed = target.parameters[key].get("allowedValues")
        if allowed is not None and value not in allowed:
            # As a client showed it: with its case, and with the version.
            raise ArmError(
                400,
                "PolicyParameterValueNotAllowed",
                f"The value '{value}' is not allowed for policy parameter '{key}' in policy definition '{short} "
                f"version {target.version}'. The allowed values are '{', '.join(allowed)}'.",
            )


def _give_identity(call: Call, assignment: Assignment, wanted: Any, before: Assignment | None) -> None:
    policies = call.world.policies
    kind = str((wanted or {}).get("type", "")).lower()
    old = before.identity if before else None
    kept = kind == "systemassigned" and old is not None and "principalId" in old
    if before is not None and not kept:
        policies.drop_identity(before)
    if kind in ("systemassigned", "userassigned") and not assignment.location:
        # Not recorded.
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if kept:
        assignment.identity = old
    elif kind == "systemassigned":
        assignment.identity = policies.system_assigned(assignment, call.world.principal_replication_attempts)
    elif kind == "userassigned":
        assignment.identity = policies.user_assigned(wanted.get("userAssignedIdentities") or {})
        if assignment.identity is None:
            # Not recorded.
            raise ArmError(404, "FailedIdentityOperation", "Identity operation failed: an identity was not found.")
    elif kind == "none":
        assignment.identity = {"type": "None"}
    if not assignment.principal_ids and policies.requires_identity and policies.role_ids(assignment):
        # Known from clients' logs for deployIfNotExists; which words modify gets is assumed.
        raise ArmError(
            400,
            "ResourceIdentityRequired",
            "Policy assignments must include a 'managed identity' when assigning 'Modify' policy definitions. Please "
            "see https://aka.ms/azurepolicyremediation for usage details.",
        )


def _shown(one: Assignment, version: str) -> dict[str, Any]:
    """The recorded members in the recorded order; definitionVersion and instanceId since later api-versions."""
    optional = {
        "displayName": one.display_name,
        "policyDefinitionId": one.definition_id,
        "definitionVersion": "1.*.*" if version >= "2023-04-01" else None,
        "scope": one.scope,
        "notScopes": list(one.not_scopes) or None,
        "parameters": {name: {"value": value} for name, value in one.parameters.items()} or None,
        "description": one.description,
        "metadata": one.metadata,
        "enforcementMode": one.enforcement,
        "nonComplianceMessages": list(one.messages) or None,
        "overrides": list(one.overrides) or None,
        "instanceId": one.instance_id if version >= "2025-01-01" else None,
    }
    return {
        **({"identity": one.identity} if one.identity else {}),
        "properties": {name: value for name, value in optional.items() if value is not None},
        "id": one.id,
        "type": "Microsoft.Authorization/policyAssignments",
        "name": one.name,
        **({"location": one.location} if one.location else {}),
        "systemData": one.system_data,
    }


# Exemptions


def _exemptions(call: Call) -> Answer:
    policies = call.world.policies
    if len(call.rest) == 1:
        call.demand(f"{_PROVIDER}/policyExemptions/read")
        chain = [scopes.prefix(scope) for scope in policies.chain(call.scope)]
        exact = (query(call.request, "$filter") or "").lower() == "atexactscope()"
        found = [
            one
            for one in policies.exemptions
            if (scopes.prefix(one.scope) in chain and not exact)
            or (scopes.under(one.scope, call.scope) if not exact else scopes.prefix(one.scope) == chain[0])
        ]
        return _listed(call, [_exemption(one) for one in found])
    name = call.rest[1]
    verb = call.verb()
    call.demand(f"{_PROVIDER}/policyExemptions/{verb}", f"/providers/{_PROVIDER}/policyExemptions/{name}")
    call.check_scope()
    before = policies.exemption(call.scope, name)
    if verb == "write":
        content = dict(call.content().get("properties") or {})
        assignment = policies.assignment(str(content.get("policyAssignmentId")))
        if assignment is None or content.get("exemptionCategory") not in ("Waiver", "Mitigated"):
            raise errors.bad_content("policyAssignmentId and exemptionCategory (Waiver or Mitigated) are needed")
        # Documented: an exemption also needs exempt/Action on the assignment.
        if not call.world.allowed(call.principal, f"{_PROVIDER}/policyAssignments/exempt/action", assignment.id):
            raise errors.not_authorized(call.principal, f"{_PROVIDER}/policyAssignments/exempt/action", assignment.id)
        made = Exemption(call.scope, name, content, call.system_data(before.system_data if before else None))
        return json_answer(200 if before else 201, _exemption(policies.put_exemption(made)))
    if before is None:
        if verb == "delete":
            return Answer(204)
        raise ArmError(404, "PolicyExemptionNotFound", f"The policy exemption '{name}' could not be found.")
    if verb == "delete":
        policies.remove_exemption(before)
    return json_answer(200, _exemption(before))


def _exemption(one: Exemption) -> dict[str, Any]:
    return {
        "properties": one.content,
        "systemData": one.system_data,
        "id": one.id,
        "type": "Microsoft.Authorization/policyExemptions",
        "name": one.name,
    }


_ROOMS = dict(zip(KINDS, (_definitions, _initiatives, _assignments, _exemptions), strict=True))

"""Rows of Resource Graph about Azure Policy and role assignments.

Types and members are those that Azure's published sample queries read; no real row was found. `type` is lower-cased as
in all tables (recorded).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from tests.localcloud.arm import role_assignments
from tests.localcloud.kql import Row
from tests.localcloud.world import scopes
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.policy.states import State
from tests.localcloud.world.world import World

_WEIGHTS = {"NonCompliant": 300, "Compliant": 200, "Exempt": 50}


def policies(world: World) -> Iterator[Row]:
    """The rows of policyresources: definitions, initiatives, assignments, exemptions and states."""
    known = world.policies
    for definition in known.definitions:
        yield _row(world, definition.id, "policydefinitions", definition.content)
    for initiative in known.initiatives:
        yield _row(world, initiative.id, "policysetdefinitions", initiative.content)
    for assignment in known.assignments:
        yield _assignment(world, assignment)
    for exemption in known.exemptions:
        yield _row(world, exemption.id, "policyexemptions", exemption.content)
    for state in world.policy_states.in_graph():
        yield _state(world, state)


def authorization(world: World) -> Iterator[Row]:
    """The rows of authorizationresources: role assignments, and the definitions of the roles in use."""
    used = {}
    for grant in world.all_grants:
        used[grant.role.id] = grant.role
        shown = role_assignments.shown(grant)
        yield _row(world, grant.id, "roleassignments", shown["properties"])
    for role in used.values():
        shown = role_assignments.role_definition(role, "")
        yield _row(world, shown["id"], "roledefinitions", shown["properties"])


def _row(world: World, identifier: str, kind: str, properties: dict[str, Any], **more: Any) -> Row:
    found = scopes.split(identifier, ("microsoft.authorization",))
    scope = found[0] if found else ""
    return {
        "id": identifier,
        "name": identifier.rsplit("/", 1)[-1],
        "type": f"microsoft.authorization/{kind}",
        "tenantId": _tenant(world, scope),
        "subscriptionId": scopes.subscription(scope) or "",
        "resourceGroup": (scopes.resource_group(scope) or "").lower(),
        "properties": properties,
        **more,
    }


def _tenant(world: World, scope: str) -> str:
    owner = world.subscription(scopes.subscription(scope) or "")
    return owner.tenant_id if owner else world.tenant_id


def _assignment(world: World, one: Assignment) -> Row:
    properties = {
        "displayName": one.display_name or one.name,
        "policyDefinitionId": one.definition_id,
        "scope": one.scope,
        "notScopes": list(one.not_scopes),
        "parameters": {name: {"value": value} for name, value in one.parameters.items()},
        "metadata": one.metadata,
        "enforcementMode": one.enforcement,
        "nonComplianceMessages": list(one.messages),
    }
    return _row(world, one.id, "policyassignments", properties, location=one.location or "", identity=one.identity)


def _state(world: World, state: State) -> Row:
    row = state.row
    name = uuid.uuid5(
        uuid.NAMESPACE_URL, f"{row['resourceId']}|{row['policyAssignmentId']}|{row['policyDefinitionId']}"
    )
    identifier = f"{row['resourceId']}/providers/microsoft.policyinsights/policystates/{name}"
    properties = {**row, "isDeleted": False, "stateWeight": _WEIGHTS[row["complianceState"]]}
    return {
        "id": identifier,
        "name": str(name),
        "type": "microsoft.policyinsights/policystates",
        "tenantId": _tenant(world, row["resourceId"]),
        "subscriptionId": row["subscriptionId"],
        "resourceGroup": row["resourceGroup"].lower(),
        "location": row["resourceLocation"],
        "properties": properties,
    }

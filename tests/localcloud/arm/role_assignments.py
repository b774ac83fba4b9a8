"""Role assignments and role definitions in Microsoft.Authorization. What a test grants in the world shows here, too.

Recorded: the shapes, 201 for a new one, and 400 PrincipalNotFound (twice) for an identity that has just been made.
The refusal itself advises to name principalType, which ends that.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.localcloud.arm import errors
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.arm.paging import page
from tests.localcloud.arm.scoped_calls import Call, query
from tests.localcloud.base.messages import Answer, json_answer
from tests.localcloud.world import roles, scopes
from tests.localcloud.world.identities import AssignmentIdentity, User
from tests.localcloud.world.world import Grant

KINDS = ("roleassignments", "roledefinitions", "permissions")
_PROVIDER = "Microsoft.Authorization"
_VERSION = re.compile(r"20\d{2}-\d{2}-\d{2}(-preview)?")
_PRINCIPAL = re.compile(r"(?:principalId\s+eq\s+'([^']*)'|assignedTo\('([^']*)'\))", re.IGNORECASE)
_ROLE_NAME = re.compile(r"roleName\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)


def answer(call: Call) -> Answer:
    """Answers a path whose last provider is Microsoft.Authorization and that goes on with one of KINDS."""
    if not _VERSION.fullmatch(call.version):
        raise errors.bad_api_version(call.version)
    if len(call.rest) > 2:
        raise call.not_here()
    if call.names[0] == "roledefinitions":
        return _definitions(call)
    if call.names[0] == "permissions":
        return _permissions(call)
    return _list(call) if len(call.rest) == 1 else _one(call, call.rest[1])


# Role assignments


def _list(call: Call) -> Answer:
    if call.method != "GET":
        raise errors.method_not_allowed(call.method)
    call.demand(f"{_PROVIDER}/roleAssignments/read")
    call.check_scope()
    text = query(call.request, "$filter") or ""
    principal = _PRINCIPAL.search(text)
    wanted = (principal[1] or principal[2] or "").lower() if principal else None
    above = {scopes.prefix(scope) for scope in call.world.policies.chain(call.scope)} | {""}
    only_above = "atscope()" in text.lower()
    if text and wanted is None and not only_above:
        raise errors.bad_filter(text)
    found = [
        grant
        for grant in call.world.all_grants
        if (wanted is None or grant.object_id == wanted)
        and (grant.scope in above or (not only_above and scopes.under(grant.at, call.scope)))
    ]
    items, link = page(found, call.request, call.world.page_size, 0)
    value = [shown(grant, call.scope) for grant in items]
    return json_answer(200, {"value": value, **({"nextLink": link} if link else {})})


def _one(call: Call, name: str) -> Answer:
    verb = call.verb()
    call.demand(f"{_PROVIDER}/roleAssignments/{verb}", f"/providers/{_PROVIDER}/roleAssignments/{name}")
    call.check_scope()
    at = scopes.prefix(call.scope)
    before = next((one for one in call.world.all_grants if one.name == name.lower() and one.scope == at), None)
    if verb == "write":
        return _put(call, name, before)
    if before is None:
        if verb == "delete":
            return Answer(204)
        raise ArmError(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
    if verb == "delete":
        call.world.revoke(before)
    return json_answer(200, shown(before))


def _put(call: Call, name: str, before: Grant | None) -> Answer:
    properties = call.content().get("properties") or {}
    principal_id = str(properties.get("principalId") or "").lower()
    role = _role(call, str(properties.get("roleDefinitionId") or ""))
    try:
        uuid.UUID(name)
        uuid.UUID(principal_id)
    except ValueError as error:
        raise errors.bad_content("the name and principalId must be GUIDs") from error
    kind = _principal_kind(call, principal_id, properties.get("principalType"))
    now = call.world.now()
    grant = Grant(
        principal_id,
        scopes.prefix(call.scope),
        role,
        call.scope,
        name.lower(),
        kind,
        now,
        call.principal.object_id,
        properties.get("description"),
        now + call.world.role_delay,
    )
    same = [one for one in call.world.all_grants if (one.object_id, one.scope, one.role.id) == _key(grant)]
    if before is not None and before not in same:
        message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        raise ArmError(400, "RoleAssignmentUpdateNotPermitted", message)
    if before is not None:
        return json_answer(200, shown(before))
    if same:
        raise ArmError(
            409,
            "RoleAssignmentExists",
            "The role assignment already exists. The ID of the existing role assignment is "
            f"{same[0].name.replace('-', '')}.",
        )
    return json_answer(201, shown(call.world.add_grant(grant)))


def _key(grant: Grant) -> tuple[str, str, str]:
    return grant.object_id, grant.scope, grant.role.id


def _principal_kind(call: Call, principal_id: str, given: Any) -> str:
    """Who names the type is believed; otherwise the directory is asked, which is late with new identities."""
    if given:
        return str(given)
    principal = call.world.principals.get(principal_id)
    late = isinstance(principal, AssignmentIdentity) and principal.unknown_for > 0
    if late and isinstance(principal, AssignmentIdentity):
        principal.unknown_for -= 1
    if principal is None or late:
        raise ArmError(
            400,
            "PrincipalNotFound",
            f"Principal {principal_id.replace('-', '')} does not exist in the directory {call.tenant_id}. Check that "
            "you have the correct principal ID. If you are creating this principal and then immediately assigning a "
            "role, this error might be related to a replication delay. In this case, set the role assignment "
            "principalType property to a value, such as ServicePrincipal, User, or Group.  See "
            "https://aka.ms/docs-principaltype",
        )
    return "User" if isinstance(principal, User) else "ServicePrincipal"


def shown(grant: Grant, seen_from: str = "") -> dict[str, Any]:
    """Recorded members and order. An assignment above a subscription names its role as that subscription does."""
    created = scopes.stamp(grant.created)
    return {
        "properties": {
            "roleDefinitionId": _role_id(grant, seen_from),
            "principalId": grant.object_id,
            "principalType": grant.kind,
            "scope": grant.at,
            "condition": None,
            "conditionVersion": None,
            "createdOn": created,
            "updatedOn": created,
            "createdBy": grant.created_by,
            "updatedBy": grant.created_by,
            "delegatedManagedIdentityResourceId": None,
            "description": grant.description,
        },
        "id": grant.id,
        "type": f"{_PROVIDER}/roleAssignments",
        "name": grant.name,
    }


def _role_id(grant: Grant, seen_from: str) -> str:
    owner = scopes.subscription(grant.at) or scopes.subscription(seen_from)
    where = f"/subscriptions/{owner}" if owner else ""
    return f"{where}/providers/{_PROVIDER}/roleDefinitions/{grant.role.id}"


def _permissions(call: Call) -> Answer:
    """What the caller may do at a scope: one entry for each of its roles there (documented)."""
    if call.method != "GET" or len(call.rest) != 1:
        raise errors.method_not_allowed(call.method)
    call.check_scope()
    chain = {scopes.prefix(scope) for scope in call.world.policies.chain(call.scope)} | {""}
    held = [grant.role for grant in call.world.grants(call.principal) if grant.scope in chain]
    value = [
        {
            "actions": list(role.actions),
            "notActions": list(role.not_actions),
            "dataActions": [],
            "notDataActions": [],
        }
        for role in held
    ]
    return json_answer(200, {"value": value})


# Role definitions


def _known(call: Call) -> dict[str, roles.Role]:
    """Built-in roles, and the custom ones that anybody has."""
    return {**{grant.role.id: grant.role for grant in call.world.all_grants}, **roles.BY_ID}


def _role(call: Call, identifier: str) -> roles.Role:
    guid = identifier.rstrip("/").rsplit("/", 1)[-1].lower()
    found = _known(call).get(guid)
    if found is None:
        # Not recorded.
        message = f"The specified role definition with ID '{guid.replace('-', '')}' does not exist."
        raise ArmError(400, "RoleDefinitionDoesNotExist", message)
    return found


def _definitions(call: Call) -> Answer:
    if call.method != "GET":
        raise errors.method_not_allowed(call.method)
    if call.scope:
        call.demand(f"{_PROVIDER}/roleDefinitions/read")
    known = _known(call)
    if len(call.rest) == 2:
        role = known.get(call.rest[1].lower())
        if role is None:
            message = f"The specified role definition with ID '{call.rest[1].replace('-', '')}' does not exist."
            raise ArmError(404, "RoleDefinitionDoesNotExist", message)
        return json_answer(200, role_definition(role, call.scope))
    match = _ROLE_NAME.search(query(call.request, "$filter") or "")
    wanted = match[1].replace("''", "'").lower() if match else None
    found = [role for role in known.values() if wanted is None or _name(role).lower() == wanted]
    return json_answer(200, {"value": [role_definition(role, call.scope) for role in found]})


def _name(role: roles.Role) -> str:
    return role.name or f"Custom role {role.id[:8]}"


def role_definition(role: roles.Role, scope: str) -> dict[str, Any]:
    """Recorded members and order; the dates are made up."""
    owner = scopes.subscription(scope)
    where = f"/subscriptions/{owner}" if owner else ""
    permissions = {"actions": list(role.actions), "notActions": list(role.not_actions)}
    return {
        "properties": {
            "roleName": _name(role),
            "type": "BuiltInRole" if role.guid else "CustomRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [{**permissions, "dataActions": [], "notDataActions": []}],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2021-11-11T20:13:47.8628684Z",
            "createdBy": None,
            "updatedBy": None,
        },
        "id": f"{where}/providers/{_PROVIDER}/roleDefinitions/{role.id}",
        "type": f"{_PROVIDER}/roleDefinitions",
        "name": role.id,
    }

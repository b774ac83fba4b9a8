"""Microsoft.Management in Azure Resource Manager: one management group, and all that descends from it.

Shapes: learn.microsoft.com/rest/api/managementgroups (Get, Get Descendants).
"""

from __future__ import annotations

from typing import Any

from tests.localcloud.arm import errors
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.arm.paging import page
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.management_groups import GROUPS, Child, ManagementGroup
from tests.localcloud.world.world import World

_VERSIONS = ("2019-11-01", "2020-02-01", "2020-05-01", "2020-10-01", "2021-04-01", "2023-04-01")
_READ = "Microsoft.Management/managementGroups/read"
_READ_DESCENDANTS = "Microsoft.Management/managementGroups/descendants/read"
_TYPE = "Microsoft.Management/managementGroups"


class ManagementGroups:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(
        self, request: Request, principal: Principal, tenant_id: str, segments: list[str], version: str
    ) -> Answer:
        """Answers a path that begins with /providers/Microsoft.Management."""
        if version not in _VERSIONS:
            raise errors.unknown_api_version(version, "managementGroups", _VERSIONS)
        names = [segment.lower() for segment in segments[2:]]
        if names[:1] != ["managementgroups"] or len(names) not in (2, 3) or names[2:] not in ([], ["descendants"]):
            raise errors.not_here(request.path)
        if request.method != "GET":
            raise errors.method_not_allowed(request.method)
        group = self._find(principal, tenant_id, segments[3], _READ_DESCENDANTS if names[2:] else _READ)
        return self._descendants(request, group) if names[2:] else json_answer(200, self._shown(group))

    def _find(self, principal: Principal, tenant_id: str, name: str, action: str) -> ManagementGroup:
        """Whoever may not read gets the same 403 whether the group exists or not."""
        if not self._world.allowed(principal, action, GROUPS + name):
            raise errors.not_authorized(principal, action, GROUPS + name)
        group = self._world.management_group(name)
        if group is None or group.tenant_id != tenant_id:
            # Recorded in the output of a client.
            raise ArmError(404, "NotFound", f"'{GROUPS}{name}' not found")
        return group

    def _shown(self, group: ManagementGroup) -> dict[str, Any]:
        details: dict[str, Any] = {
            "version": 1,
            "updatedTime": "2026-01-01T00:00:00.0000000Z",
            "updatedBy": group.tenant_id,
        }
        if group.parent is not None:
            parent = group.parent
            details["parent"] = {"id": parent.id, "name": parent.name, "displayName": parent.display_name}
        return {
            "id": group.id,
            "type": _TYPE,
            "name": group.name,
            "properties": {"tenantId": group.tenant_id, "displayName": group.display_name, "details": details},
        }

    def _descendants(self, request: Request, group: ManagementGroup) -> Answer:
        """Groups and subscriptions at any depth; their real order is not known."""
        items = [
            _descendant(one.id, _TYPE, one.name, one.display_name, one.parent)
            for one in self._world.hierarchy.below(group)
        ]
        items += [self._subscription(one) for one in self._world.hierarchy.subscriptions(group)]
        found, link = page(items, request, self._page_size(request), self._world.empty_pages)
        return json_answer(200, {"value": list(found), **({"nextLink": link} if link else {})})

    def _page_size(self, request: Request) -> int:
        top = request.query.get("$top")
        if top is None:
            return self._world.page_size
        if not top.isdecimal() or int(top) < 1:
            raise ArmError(400, "BadRequest", f"The value '{top}' of $top is invalid.")
        return int(top)

    def _subscription(self, one: Child) -> dict[str, Any]:
        subscription = self._world.subscription(one.id)
        name = subscription.name if subscription else one.id
        return _descendant(one.scope, "/subscriptions", one.id, name, self._world.hierarchy.home(one))


def _descendant(
    identifier: str, kind: str, name: str, display_name: str, parent: ManagementGroup | None
) -> dict[str, Any]:
    above = parent.id if parent else None
    return {
        "id": identifier,
        "type": kind,
        "name": name,
        "properties": {"displayName": display_name, "parent": {"id": above}},
    }

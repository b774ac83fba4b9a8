"""What Azure Monitor keeps in Azure Resource Manager: Log Analytics workspaces, and diagnostic settings.

Workspaces can be read only; a setting can be made and read, as `az monitor diagnostic-settings create` does it with
api-version 2021-05-01-preview.
"""

from __future__ import annotations

from tests.localcloud.arm import errors
from tests.localcloud.arm.scoped_calls import Call
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.world import World

WORKSPACES = "microsoft.operationalinsights"
INSIGHTS = "microsoft.insights"
_WORKSPACES_READ = "Microsoft.OperationalInsights/workspaces/read"


def workspace(world: World, request: Request, principal: Principal) -> Answer:
    if request.method != "GET":
        raise errors.method_not_allowed(request.method)
    if not world.allowed(principal, _WORKSPACES_READ, request.path):
        raise errors.not_authorized(principal, _WORKSPACES_READ, request.path)
    found = world.logs.workspace(request.path)
    if found is None:
        parts = request.path.split("/")
        raise errors.resource_not_found("/".join(parts[6:]), parts[4] if len(parts) > 4 else "")
    return json_answer(200, found.body)


def setting(call: Call) -> Answer:
    """A diagnostic setting below any resource."""
    if call.names[:1] != ["diagnosticsettings"] or len(call.rest) != 2:
        raise call.not_here()
    call.check_scope()
    verb = call.verb()
    call.demand(f"Microsoft.Insights/diagnosticSettings/{verb}")
    name, logs = call.rest[1], call.world.logs
    if verb == "write":
        properties = call.content().get("properties")
        if not isinstance(properties, dict) or logs.workspace(str(properties.get("workspaceId"))) is None:
            raise errors.bad_content("properties.workspaceId names no workspace")
        return json_answer(200, logs.put_setting(call.scope, name, {"logs": [], **properties}))
    identifier = f"{call.scope}/providers/microsoft.insights/diagnosticSettings/{name}".lower()
    if verb != "read" or identifier not in logs.settings:
        raise call.not_here()
    return json_answer(200, logs.settings[identifier])

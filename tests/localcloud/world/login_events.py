"""Log Analytics workspaces, and the log of sign-ins that registries write into them. No network in here.

The columns of ContainerRegistryLoginEvents are exactly the documented ones (learn.microsoft.com/azure/azure-monitor/
reference/tables/containerregistryloginevents). What real rows hold was not seen: that ResultDescription is the HTTP
status as text follows from the documented sample query; that Identity is the token's object ID, also of a token that is
refused, that LoginServer is the name that was asked, and all other values are guesses.
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.localcloud.world.identities import new_id

if TYPE_CHECKING:
    from tests.localcloud.world.registries import Registry
    from tests.localcloud.world.world import Subscription, World

LOGIN_EVENTS = "ContainerRegistryLoginEvents"
COLUMNS = (
    *("_BilledSize", "CallerIpAddress", "Category", "CorrelationId", "DurationMs", "Identity", "_IsBillable", "JwtId"),
    *("LoginServer", "OperationName", "Region", "_ResourceId", "ResultDescription", "ResultType", "SourceSystem"),
    *("_SubscriptionId", "TenantId", "TimeGenerated", "Type", "UserAgent"),
)
Row = dict[str, Any]


@dataclass(eq=False)
class Workspace:
    """A workspace. `customer_id` is the GUID by which it is queried, `id` its resource ID."""

    name: str
    id: str
    customer_id: str = field(default_factory=new_id)
    rows: list[Row] = field(default_factory=list)
    has_table: bool = True
    """Whether queries of the log resolve. That a workspace that was never sent anything lacks the table is a guess."""

    @property
    def body(self) -> dict[str, Any]:
        """As api-version 2023-09-01 describes it; the members that nobody here reads are left out."""
        return {
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.OperationalInsights/workspaces",
            "location": "westeurope",
            "properties": {
                "customerId": self.customer_id,
                "provisioningState": "Succeeded",
                "sku": {"name": "PerGB2018"},
                "retentionInDays": 30,
            },
        }


class Logs:
    def __init__(self, world: World) -> None:
        self._world = world
        self._workspaces: dict[str, Workspace] = {}
        self.settings: dict[str, dict[str, Any]] = {}
        """Diagnostic settings by lower-cased ID, as ARM shows them."""
        self.lag = 0.0
        """Seconds until an event can be queried; Azure's are minutes."""
        self.refusals_name_identity = True
        """Whether an event of a token that was refused has its identity."""
        self.partial: str | None = None
        """The code of an error beside the tables of every answer."""

    def add_workspace(
        self, name: str, resource_group: str = "rg-logs", subscription: Subscription | None = None
    ) -> Workspace:
        where = subscription or self._world.subscriptions[0]
        group = self._world.add_resource_group(resource_group, where)
        scope = f"{where.scope}/resourceGroups/{group}"
        workspace = Workspace(name, f"{scope}/providers/Microsoft.OperationalInsights/workspaces/{name}")
        self._workspaces[workspace.id.lower()] = workspace
        return workspace

    @property
    def workspaces(self) -> list[Workspace]:
        return list(self._workspaces.values())

    def workspace(self, resource_id: str) -> Workspace | None:
        return self._workspaces.get(resource_id.lower().rstrip("/"))

    def by_customer_id(self, guid: str) -> Workspace | None:
        return next((one for one in self.workspaces if one.customer_id == guid.lower()), None)

    def send(self, registry: Registry, workspace: Workspace, name: str = "logins") -> None:
        """A diagnostic setting: the registry writes its sign-ins into the workspace from now on."""
        logs = [{"category": LOGIN_EVENTS, "categoryGroup": None, "enabled": True}]
        self.put_setting(registry.id, name, {"workspaceId": workspace.id, "logs": logs})

    def put_setting(self, resource_id: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        identifier = f"{resource_id}/providers/microsoft.insights/diagnosticSettings/{name}"
        body = {
            "id": identifier,
            "type": "Microsoft.Insights/diagnosticSettings",
            "name": name,
            "location": None,
            "kind": None,
            "tags": None,
            "properties": properties,
            "identity": None,
        }
        self.settings[identifier.lower()] = body
        return body

    def _receivers(self, registry: Registry) -> list[Workspace]:
        below = f"{registry.id}/providers/microsoft.insights/diagnosticsettings/".lower()
        found = []
        for identifier, setting in self.settings.items():
            properties = setting["properties"]
            sends = any(one.get("category") == LOGIN_EVENTS and one.get("enabled") for one in properties["logs"])
            workspace = self.workspace(str(properties.get("workspaceId")))
            if identifier.startswith(below) and sends and workspace is not None:
                found.append(workspace)
        return found

    def write(self, registry: Registry, status: int, **columns: Any) -> None:
        """An event of a sign-in, into every workspace that a diagnostic setting of the registry names.

        `columns` replaces values, among them those that nothing is known of.
        """
        for workspace in self._receivers(registry):
            workspace.rows.append(self.event(registry, workspace, status, **columns))

    def event(self, registry: Registry, workspace: Workspace, status: int, **columns: Any) -> Row:
        row: Row = {
            "_BilledSize": 1024.0,
            "CallerIpAddress": "127.0.0.1",
            "Category": LOGIN_EVENTS,
            "CorrelationId": str(uuid.uuid4()),
            "DurationMs": "12",
            "Identity": "",
            "_IsBillable": "true",
            "JwtId": "",
            "LoginServer": registry.login_server,
            "OperationName": "Login",
            "Region": registry.body["location"],
            "_ResourceId": registry.id.lower(),
            "ResultDescription": str(status),
            "ResultType": "HttpStatusCode",
            "SourceSystem": "Azure",
            "_SubscriptionId": registry.subscription_id,
            "TenantId": workspace.customer_id,
            "TimeGenerated": datetime.datetime.fromtimestamp(self._world.now(), datetime.timezone.utc),
            "Type": LOGIN_EVENTS,
            "UserAgent": "",
        }
        unknown = columns.keys() - row.keys()
        if unknown:
            raise ValueError(f"{LOGIN_EVENTS} has no columns {sorted(unknown)}")
        return {**row, **columns}

    def visible(self, workspace: Workspace) -> list[Row]:
        """The events that can be queried by now."""
        newest = datetime.datetime.fromtimestamp(self._world.now() - self.lag, datetime.timezone.utc)
        return [row for row in list(workspace.rows) if row["TimeGenerated"] <= newest]

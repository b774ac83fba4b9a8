"""The tables of Resource Graph, as one caller may see them in one scope.

Columns: learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources. Recorded: `type` is
lower-cased, resource group names keep their case inside ids. Rows that a query does not sort come in the order in which
things were added here; Azure promises none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.localcloud.arm.resource_graph import policy_rows
from tests.localcloud.kql import Row, Table
from tests.localcloud.world import roles, scopes
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.management_groups import ManagementGroup
from tests.localcloud.world.registries import Body
from tests.localcloud.world.world import Subscription, World

COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy"),
    *("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
TEXT_COLUMNS = set(COLUMNS[:9])
"""String columns: never null, at most empty. The others are dynamic."""
TYPES = dict.fromkeys(TEXT_COLUMNS, "VARCHAR")
# The documented tables, as far as anything near registries uses them; they hold only what a test adds.
_OTHERS = (
    *("advisorresources", "alertsmanagementresources", "appserviceresources", "batchresources"),
    *("computeresources", "extendedlocationresources", "guestconfigurationresources", "healthresources"),
    *("insightsresources", "iotsecurityresources", "kubernetesconfigurationresources", "maintenanceresources"),
    *("managedserviceresources", "networkresources", "patchassessmentresources"),
    *("recoveryservicesresources", "resourcechanges", "resourcecontainerchanges", "securityresources"),
    *("servicehealthresources",),
)
_READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
_READ_MANAGEMENT_GROUP = "Microsoft.Management/managementGroups/read"
_BLANK: Row = {name: "" if name in TEXT_COLUMNS else None for name in COLUMNS}


class GraphTables:
    """Called with a table's name. `groups`: the management groups in scope (recorded: not in queries that name
    subscriptions).
    """

    def __init__(
        self,
        world: World,
        principal: Principal,
        subscriptions: Sequence[Subscription],
        groups: Sequence[ManagementGroup],
    ) -> None:
        self._world = world
        self._principal = principal
        self._subscriptions = {one.id: one for one in subscriptions}
        self._groups = groups

    def __call__(self, name: str) -> Table | None:
        rows: Iterable[Row]
        if name in self._world.missing_tables:
            return None
        if name == "resources":
            rows = self._registries()
        elif name == "resourcecontainers":
            rows = self._containers()
        elif name == "policyresources":
            rows = self._in_scope(policy_rows.policies(self._world))
        elif name == "authorizationresources":
            rows = self._in_scope(policy_rows.authorization(self._world))
        elif name in _OTHERS or name in self._world.graph_rows:
            rows = []
        else:
            return None
        return self._with_added(name, list(rows))

    def _with_added(self, name: str, rows: list[Row]) -> Table:
        added = list(self._world.graph_rows.get(name, ()))
        more = {column: None for row in added for column in row if column not in COLUMNS}
        if more:
            rows = [{**row, **more} for row in rows]
        rows += [{**_BLANK, **more, **row} for row in added if self._shows(row)]
        return Table((*COLUMNS, *more), rows, TYPES)

    def _shows(self, row: Row) -> bool:
        """An added row is in scope with its subscription, and seen by whoever may read its type there."""
        scope = str(row.get("id", ""))
        parts = scope.lower().split("/")
        inside = parts[2] if parts[1:2] == ["subscriptions"] and len(parts) > 2 else ""
        subscription = str(row.get("subscriptionId") or inside).lower()
        if subscription and subscription not in self._subscriptions:
            return False
        kind = row.get("type")
        return not (scope and kind) or self._world.allowed(self._principal, f"{kind}/read", scope)

    def _readable(self, action: str) -> dict[str, Callable[[str], bool] | None]:
        """For each subscription: None if all in it may be read, else a check of one id."""
        scopes = self._world.scopes(self._principal, action)
        found: dict[str, Callable[[str], bool] | None] = {}
        for subscription in self._subscriptions:
            own = f"subscriptions/{subscription}/"
            if own.startswith(scopes):
                found[subscription] = None
            else:
                found[subscription] = _under(tuple(scope for scope in scopes if scope.startswith(own)))
        return found

    # resources

    def _registries(self) -> Iterable[Row]:
        checks = self._readable(roles.READ)
        tenants = {one.id: one.tenant_id for one in self._subscriptions.values()}
        for body in self._world.graph_history.bodies():
            identifier: str = body["id"]
            parts = identifier.split("/", 5)
            subscription = parts[2]
            if subscription not in checks:
                continue
            check = checks[subscription]
            if check is None or check(identifier):
                yield _registry(body, tenants[subscription], subscription, parts[4].lower())

    # policyresources, authorizationresources

    def _in_scope(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Rows of the subscriptions and management groups in scope, as far as they may be read; those of the tenant
        itself (built-in definitions) are everybody's.
        """
        checks: dict[str, dict[str, Callable[[str], bool] | None]] = {}
        groups = {one.name.lower() for one in self._groups}
        for row in rows:
            action, owner = f"{row['type']}/read", str(row["subscriptionId"])
            if owner in self._subscriptions:
                if action not in checks:
                    checks[action] = self._readable(action)
                check = checks[action][owner]
                if check is None or check(str(row["id"])):
                    yield {**_BLANK, **row}
            elif not owner and self._reads_above(row, groups, action):
                yield {**_BLANK, **row}

    def _reads_above(self, row: Row, groups: set[str], action: str) -> bool:
        found = scopes.split(str(row["id"]), ("microsoft.authorization",))
        if found is None or not found[0]:
            return True
        name = scopes.management_group(found[0])
        return name in groups and self._world.allowed(self._principal, action, str(row["id"]))

    # resourcecontainers

    def _containers(self) -> Iterable[Row]:
        yield from (self._subscription(one) for one in self._subscriptions.values())
        checks = self._readable(_READ_GROUP)
        for (owner, _), name in list(self._world.resource_groups.items()):
            identifier = f"/subscriptions/{owner}/resourceGroups/{name}"
            if owner in checks and ((check := checks[owner]) is None or check(identifier)):
                yield self._resource_group(self._subscriptions[owner], identifier, name)
        for group in self._groups:
            if self._world.allowed(self._principal, _READ_MANAGEMENT_GROUP, group.id):
                yield _management_group(group)

    def _subscription(self, one: Subscription) -> Row:
        home = self._world.hierarchy.home(one)
        return {
            **_BLANK,
            "id": one.scope,
            "name": one.name,
            "type": "microsoft.resources/subscriptions",
            "tenantId": one.tenant_id,
            "subscriptionId": one.id,
            "properties": {
                "managedByTenants": [],
                "managementGroupAncestorsChain": _chain([home, *home.ancestors]),
                "state": one.state,
                "subscriptionPolicies": {
                    "locationPlacementId": "Public_2014-09-01",
                    "quotaId": "PayAsYouGo_2014-09-01",
                    "spendingLimit": "Off",
                },
            },
            "tags": {},
        }

    def _resource_group(self, owner: Subscription, identifier: str, name: str) -> Row:
        return {
            **_BLANK,
            "id": identifier,
            "name": name,
            "type": "microsoft.resources/subscriptions/resourcegroups",
            "tenantId": owner.tenant_id,
            "location": "westeurope",
            "resourceGroup": name.lower(),
            "subscriptionId": owner.id,
            "properties": {"provisioningState": "Succeeded"},
            "tags": {},
        }


def _under(scopes: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda identifier: f"{identifier[1:].lower()}/".startswith(scopes)


def _registry(body: Body, tenant_id: str, subscription_id: str, resource_group: str) -> Row:
    """A row points into the registry's own body: nobody changes rows, and the answer is written at once."""
    return {
        "id": body["id"],
        "name": body["name"],
        "type": "microsoft.containerregistry/registries",
        "tenantId": tenant_id,
        "kind": "",
        "location": body["location"],
        "resourceGroup": resource_group,
        "subscriptionId": subscription_id,
        "managedBy": "",
        "sku": body["sku"],
        "plan": None,
        "properties": body["properties"],
        "tags": body["tags"],
        "identity": body.get("identity"),
        "zones": None,
        "extendedLocation": None,
    }


def _chain(groups: Sequence[ManagementGroup]) -> list[dict[str, str]]:
    """The nearest first, the root last."""
    return [{"displayName": one.display_name, "name": one.name} for one in groups]


def _management_group(group: ManagementGroup) -> Row:
    details: dict[str, Any] = {"managementGroupAncestorsChain": _chain(group.ancestors)}
    if group.parent is not None:
        details["parent"] = {"displayName": group.parent.display_name, "name": group.parent.name}
    return {
        **_BLANK,
        "id": group.id,
        "name": group.name,
        "type": "microsoft.management/managementgroups",
        "tenantId": group.tenant_id,
        "properties": {"displayName": group.display_name, "tenantId": group.tenant_id, "details": details},
    }

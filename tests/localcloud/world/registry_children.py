"""Tokens and connected registries below a registry, as ARM shows them in its newest api-version.

Members are those of the published API definitions (Microsoft.ContainerRegistry 2026-09-01-preview, as in
azure-mgmt-containerregistry 15.1.0b3); no answer with them was ever recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.localcloud.world.identities import new_id

if TYPE_CHECKING:
    from tests.localcloud.world.registries import Body, Registry


def add_token(
    registry: Registry,
    name: str,
    status: str = "enabled",
    passwords: dict[str, str | None] | None = None,
    certificates: dict[str, str | None] | None = None,
) -> str:
    """Add a token; `passwords` and `certificates` are by name when they expire. ARM never shows a password's value."""
    properties: Body = {
        "creationDate": "2026-01-01T00:00:00.1234567+00:00",
        "provisioningState": "Succeeded",
        "scopeMapId": f"{registry.id}/scopeMaps/_repositories_pull",
        "credentials": {
            "certificates": [
                {"name": each, "expiry": expiry, "thumbprint": new_id()}
                for each, expiry in (certificates or {}).items()
            ],
            "passwords": [
                {"creationTime": "2026-01-01T00:00:00.1234567+00:00", "expiry": expiry, "name": each}
                for each, expiry in (passwords or {}).items()
            ],
        },
        "status": status,
    }
    return _add(registry, "tokens", name, {"properties": properties})


def add_connected_registry(registry: Registry, name: str, token: str = "", identity: str = "") -> str:
    """Add a connected registry that syncs with a token (its name) or an identity (its resource ID)."""
    sync: Body = {"schedule": "* * * * *", "messageTtl": "P2D", "gatewayEndpoint": None}
    sync |= {"tokenId": f"{registry.id}/tokens/{token}" if token else None}
    sync |= {"authType": "ManagedIdentity" if identity else "SyncToken"}
    properties: Body = {
        "provisioningState": "Succeeded",
        "mode": "ReadOnly",
        "connectionState": "Online",
        "activation": {"status": "Active"},
        "parent": {"id": None, "syncProperties": sync},
        "clientTokenIds": [],
    }
    owned = {"type": "UserAssigned", "userAssignedIdentities": {identity: {"clientId": new_id()}}} if identity else None
    return _add(registry, "connectedRegistries", name, {"properties": properties, "identity": owned})


def shown(child: Body, version: str) -> Body:
    """The child as an api-version shows it: the way a connected registry signs in is in the newest one only."""
    if child["type"] != "Microsoft.ContainerRegistry/registries/connectedRegistries" or version == "2026-09-01-preview":
        return child
    parent = child["properties"]["parent"]
    sync = {name: value for name, value in parent["syncProperties"].items() if name != "authType"}
    properties = {**child["properties"], "parent": {**parent, "syncProperties": sync}}
    return {**{name: value for name, value in child.items() if name != "identity"}, "properties": properties}


def _add(registry: Registry, kind: str, name: str, members: Body) -> str:
    resource_id = f"{registry.id}/{kind}/{name}"
    body = {"type": f"Microsoft.ContainerRegistry/registries/{kind}", "id": resource_id, "name": name, **members}
    registry.children.setdefault(kind.lower(), []).append(body)
    return resource_id

"""What uses registries: the rows of Resource Graph for apps, clusters, pools …, and what ARM says of sites.

Members and their spelling are those of the published API definitions (Microsoft.Web 2025-03-01, Microsoft.App
2026-01-01, Microsoft.ContainerInstance 2026-08-01-preview, Microsoft.ContainerService, Microsoft.Batch 2025-06-01,
Microsoft.MachineLearningServices, Microsoft.ContainerRegistry 2025-03-01-preview); `type` is lower-cased, as in all of
Resource Graph. Each method takes how the consumer signs in: `identity` (None, "system", or an identity made here), or
`username`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.localcloud.world import roles, scopes
from tests.localcloud.world.identities import new_id

if TYPE_CHECKING:
    from tests.localcloud.world.registries import Registry
    from tests.localcloud.world.world import Grant, Subscription, World

Body = dict[str, Any]


@dataclass(frozen=True)
class Assigned:
    """A user-assigned identity."""

    id: str
    client_id: str
    principal_id: str


class Consumers:
    def __init__(self, world: World) -> None:
        self._world = world
        self.sites: dict[str, Body] = {}
        """`config/web` and `sitecontainers` of sites as ARM answers them, by lower-cased ID of what is asked for."""

    # Sites

    def add_web_app(
        self,
        name: str,
        image: str,
        subscription: Subscription | None = None,
        identity: Assigned | str | None = None,
        kind: str = "app,linux,container",
        row_says: bool = True,
        settings_row: bool = False,
        config: bool = True,
        row_names: bool = True,
        slot: str = "",
        windows: bool = False,
    ) -> str:
        """A site that runs `image` (all of linuxFxVersion, such as `DOCKER|contoso.azurecr.io/app:1`).

        :param row_says: whether the site's own row tells how it signs in.
        :param settings_row: whether there is a row in appserviceresources that does.
        :param config: whether ARM answers a GET of config/web.
        :param row_names: whether the site's own row names the image; if not, only the other row does.
        """
        kind_of = "sites/slots" if slot else "sites"
        resource_id = self._id("Microsoft.Web", "sites", name, subscription) + (f"/slots/{slot}" if slot else "")
        client = identity.client_id if isinstance(identity, Assigned) else ("" if identity else None)
        version = "windowsFxVersion" if windows else "linuxFxVersion"
        site: Body = {"numberOfWorkers": 1, "linuxFxVersion": "", "windowsFxVersion": None, "alwaysOn": True}
        says: Body = {"acrUseManagedIdentityCreds": identity is not None, "acrUserManagedIdentityID": client}
        named = image if row_names else None
        listed = [{"name": each[:1].upper() + each[1:], "value": named if each == version else None} for each in site]
        properties = {
            "name": name,
            "state": "Running",
            "siteProperties": {"metadata": None, "properties": listed[1:3], "appSettings": None},
            "vnetImagePullEnabled": False,
            "siteConfig": {**site, version: named, **(says if row_says else {})},
        }
        self._add(resource_id, f"microsoft.web/{kind_of}", properties, kind=kind, identity=_identity(identity))
        if settings_row:
            shown = {"LinuxFxVersion": image, "MinTlsVersion": "1.2"}
            row = {"id": f"{resource_id}/config/web", "name": "web", "type": f"microsoft.web/{kind_of}/config"}
            pascal = {each[:1].upper() + each[1:]: value for each, value in says.items()}
            self._world.add_graph_row("appserviceresources", {**row, "properties": {**shown, **pascal}})
        if config:
            answer = {"id": f"{resource_id}/config/web", "name": name, "type": "Microsoft.Web/sites/config"}
            body = {**answer, "location": "West Europe", "properties": {**site, version: image, **says}}
            self.sites[f"{resource_id}/config/web".lower()] = body
        return resource_id

    def add_sidecars(
        self, name: str, containers: list[Body], subscription: Subscription | None = None, **more: Any
    ) -> str:
        """A site whose containers are resources of their own: `containers` are their properties."""
        resource_id = self.add_web_app(name, "sitecontainers", subscription, config=False, row_says=False, **more)
        items = [
            {
                "id": f"{resource_id}/sitecontainers/c{number}",
                "name": f"{name}/c{number}",
                "type": "Microsoft.Web/sites/sitecontainers",
                "properties": {"isMain": number == 0, **properties},
            }
            for number, properties in enumerate(containers)
        ]
        self.sites[f"{resource_id}/sitecontainers".lower()] = {"value": items, "nextLink": None}
        return resource_id

    # Container Apps, Container Instances

    def add_container_app(
        self,
        name: str,
        image: str,
        subscription: Subscription | None = None,
        server: str | None = None,
        identity: Assigned | str | None = None,
        username: str = "",
        kind: str = "containerapps",
        managed_by: str = "",
    ) -> str:
        """An app, or with `kind` "jobs" a job; without identity and user name nothing says how it signs in."""
        resource_id = self._id("Microsoft.App", kind, name, subscription)
        named = identity.id if isinstance(identity, Assigned) else (identity or "")
        secret = f"{name}-password" if username else ""
        entry = {
            "server": server or image.partition("/")[0],
            "username": username,
            "passwordSecretRef": secret,
            "identity": named,
        }
        properties = {
            "provisioningState": "Succeeded",
            "configuration": {"secrets": None, "registries": [entry] if identity or username else None},
            "template": {"containers": [{"image": image, "name": name}], "initContainers": None},
        }
        owned = _identity(identity)
        self._add(resource_id, f"microsoft.app/{kind}", properties, identity=owned, managedBy=managed_by)
        return resource_id

    def add_session_pool(self, name: str, image: str, identity: str, subscription: Subscription | None = None) -> str:
        resource_id = self._id("Microsoft.App", "sessionPools", name, subscription)
        credentials = {"server": image.partition("/")[0], "username": "", "passwordSecretRef": "", "identity": identity}
        template = {"containers": [{"image": image, "name": name}], "registryCredentials": credentials}
        properties = {"containerType": "CustomContainer", "customContainerTemplate": template}
        self._add(resource_id, "microsoft.app/sessionpools", properties, identity=_identity(identity))
        return resource_id

    def add_builder(
        self, name: str, registry: Registry, identity: Assigned, subscription: Subscription | None = None
    ) -> None:
        resource_id = self._id("Microsoft.App", "builders", name, subscription)
        entry = {"containerRegistryServer": registry.login_server, "identityResourceId": identity.id}
        properties = {"environmentId": "", "containerRegistries": [entry]}
        self._add(resource_id, "microsoft.app/builders", properties, identity=_identity(identity))

    def add_container_group(
        self,
        name: str,
        image: str,
        subscription: Subscription | None = None,
        identity: Assigned | None = None,
        username: str | None = None,
    ) -> str:
        resource_id = self._id("Microsoft.ContainerInstance", "containerGroups", name, subscription)
        entry: Body = {"server": image.partition("/")[0]}
        entry |= {"identity": identity.id} if identity else {"username": username}
        properties = {
            "sku": "Standard",
            "containers": [{"name": name, "properties": {"image": image, "ports": []}}],
            "initContainers": [],
            "imageRegistryCredentials": [entry] if identity or username else None,
        }
        self._add(resource_id, "microsoft.containerinstance/containergroups", properties, identity=_identity(identity))
        return resource_id

    # AKS, Machine Learning, Batch, tasks, Flux, Foundry

    def add_cluster(
        self,
        name: str,
        pools: list[tuple[str, str]] | None = None,
        subscription: Subscription | None = None,
        pulls_from: Registry | None = None,
        role: str = "AcrPull",
        service_principal: str = "msi",
        own_registry: Registry | None = None,
    ) -> str:
        """A cluster with node pools of (node image, Kubernetes version), and its kubelet's role on a registry."""
        resource_id = self._id("Microsoft.ContainerService", "managedClusters", name, subscription)
        kubelet = new_id()
        profiles = [
            {
                "name": f"pool{number}",
                "osType": "Windows" if image.startswith("AKSWindows") else "Linux",
                "mode": "System",
                "orchestratorVersion": version,
                "currentOrchestratorVersion": version,
                "nodeImageVersion": image,
            }
            for number, (image, version) in enumerate(pools or [("AKSUbuntu-2204gen2containerd-202508.06.0", "1.33.2")])
        ]
        properties: Body = {
            "provisioningState": "Succeeded",
            "currentKubernetesVersion": profiles[0]["currentOrchestratorVersion"],
            "agentPoolProfiles": profiles,
            "servicePrincipalProfile": {"clientId": service_principal},
        }
        if service_principal == "msi":
            agent = f"{resource_id.rpartition('/')[0]}/{name}-agentpool"
            properties["identityProfile"] = {
                "kubeletidentity": {"resourceId": agent, "clientId": new_id(), "objectId": kubelet}
            }
        if own_registry:
            properties["bootstrapProfile"] = {"artifactSource": "Cache", "containerRegistryId": own_registry.id}
        self._add(resource_id, "microsoft.containerservice/managedclusters", properties)
        if pulls_from:
            self.grant(kubelet, pulls_from.id, role)
        return resource_id

    def add_workspace(self, name: str, registry: Registry, subscription: Subscription | None = None) -> str:
        resource_id = self._id("Microsoft.MachineLearningServices", "workspaces", name, subscription)
        properties = {"containerRegistry": registry.id, "hbiWorkspace": False, "friendlyName": name}
        self._add(resource_id, "microsoft.machinelearningservices/workspaces", properties, identity=_identity("system"))
        return resource_id

    def add_batch_pool(
        self, name: str, image: str, identity: Assigned | None = None, subscription: Subscription | None = None
    ) -> str:
        resource_id = f"{self._id('Microsoft.Batch', 'batchAccounts', 'account', subscription)}/pools/{name}"
        entry: Body = {"registryServer": image.partition("/")[0]}
        entry |= {"identityReference": {"resourceId": identity.id}} if identity else {"username": "pool-token"}
        containers = {"type": "DockerCompatible", "containerImageNames": [image], "containerRegistries": [entry]}
        machine = {"nodeAgentSkuId": "batch.node.ubuntu 22.04", "containerConfiguration": containers}
        properties = {"vmSize": "STANDARD_D2_V3", "deploymentConfiguration": {"virtualMachineConfiguration": machine}}
        row = {"id": resource_id, "name": name, "type": "microsoft.batch/batchaccounts/pools"}
        self._world.add_graph_row("batchresources", {**row, "properties": properties, "identity": _identity(identity)})
        return resource_id

    def add_task(self, registry: Registry, name: str, credentials: Body | None = None, kind: str = "tasks") -> str:
        resource_id = f"{registry.id}/{kind}/{name}"
        step = {"type": "Docker", "imageNames": ["app:{{.Run.ID}}"], "isPushEnabled": True}
        properties = (
            {"status": "Enabled", "step": step, "credentials": credentials} if kind == "tasks" else {"count": 1}
        )
        self._add(resource_id, f"microsoft.containerregistry/registries/{kind.lower()}", properties)
        return resource_id

    def add_flux(self, name: str, url: str, workload_identity: bool, subscription: Subscription | None = None) -> str:
        cluster = self._id("Microsoft.ContainerService", "managedClusters", "aks-flux", subscription)
        resource_id = f"{cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/{name}"
        row = {"id": resource_id, "name": name, "type": "microsoft.kubernetesconfiguration/fluxconfigurations"}
        source = {"url": url, "useWorkloadIdentity": workload_identity, "localAuthRef": None}
        properties = {"sourceKind": "OCIRepository", "ociRepository": source}
        self._world.add_graph_row("kubernetesconfigurationresources", {**row, "properties": properties})
        return resource_id

    def add_registry_endpoint(
        self, name: str, host: str, audience: str, subscription: Subscription | None = None
    ) -> str:
        """Azure IoT Operations (2025-10-01), with the system-assigned identity. Whether the real Resource Graph lists
        this type is not known.
        """
        instance = self._id("Microsoft.IoTOperations", "instances", "factory", subscription)
        settings = {"audience": audience}
        said = {"method": "SystemAssignedManagedIdentity", "systemAssignedManagedIdentitySettings": settings}
        properties = {"host": host, "authentication": said, "provisioningState": "Succeeded"}
        resource_id = f"{instance}/registryEndpoints/{name}"
        self._add(resource_id, "microsoft.iotoperations/instances/registryendpoints", properties)
        return resource_id

    def add_foundry(self, name: str, subscription: Subscription | None = None) -> str:
        """A Foundry account; its identity's object ID."""
        resource_id = self._id("Microsoft.CognitiveServices", "accounts", name, subscription)
        owned = _identity("system")
        self._add(resource_id, "microsoft.cognitiveservices/accounts", {}, kind="AIServices", identity=owned)
        return str((owned or {})["principalId"])

    # Identities and rights

    def add_assigned(self, name: str, subscription: Subscription | None = None) -> Assigned:
        resource_id = self._id("Microsoft.ManagedIdentity", "userAssignedIdentities", name, subscription)
        made = Assigned(resource_id, new_id(), new_id())
        properties = {"principalId": made.principal_id, "clientId": made.client_id, "tenantId": self._world.tenant_id}
        self._add(resource_id, "microsoft.managedidentity/userassignedidentities", properties)
        return made

    def grant(
        self, object_id: str, scope: str, role: str | tuple[str, ...] | roles.Role, kind: str = "ServicePrincipal"
    ) -> Grant:
        """A role for whoever has an object ID; nobody needs to be known by it here."""
        from tests.localcloud.world.world import Grant

        return self._world.add_grant(Grant(object_id, scopes.prefix(scope), roles.role(role), scope, kind=kind))

    # Rows

    def _id(self, namespace: str, kind: str, name: str, subscription: Subscription | None) -> str:
        where = subscription or self._world.subscriptions[0]
        return f"{where.scope}/resourceGroups/rg-consumers/providers/{namespace}/{kind}/{name}"

    def _add(self, resource_id: str, resource_type: str, properties: Body, **more: Any) -> None:
        row = {
            "id": resource_id,
            "name": resource_id.rpartition("/")[2],
            "type": resource_type.lower(),
            "location": "westeurope",
            "subscriptionId": resource_id.split("/")[2],
            "resourceGroup": resource_id.split("/")[4].lower(),
            "properties": properties,
        }
        self._world.add_graph_row("resources", {**row, **more})


def _identity(identity: Assigned | str | None) -> Body | None:
    if isinstance(identity, Assigned):
        ids = {"principalId": identity.principal_id, "clientId": identity.client_id}
        return {"type": "UserAssigned", "userAssignedIdentities": {identity.id: ids}}
    return {"type": "SystemAssigned", "principalId": str(uuid.uuid4())} if identity else None

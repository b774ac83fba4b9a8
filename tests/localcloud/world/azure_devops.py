"""Azure DevOps organizations: projects, service connections, who may see them, and what has used them. No network.

The shapes of rows are those of the published REST documents (MicrosoftDocs/vsts-rest-api-specs at adb28786: core,
serviceEndpoint, build 7.1, with their examples) and of a provider's tests (terraform-provider-azuredevops at 3bd1fdb3).
No answer for a connection to Azure Container Registry is recorded anywhere: its members are put together from the
provider and from the task that reads them; the form with a managed identity is known from the task alone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.localcloud.world.identities import Principal, new_id

if TYPE_CHECKING:
    from tests.localcloud.world.registries import Registry
    from tests.localcloud.world.world import World

Scheme = Literal["ManagedServiceIdentity", "WorkloadIdentityFederation", "ServicePrincipal"]
Row = dict[str, Any]


@dataclass(eq=False)
class Pipeline:
    """A pipeline: of a YAML file or, without one, of the designer."""

    number: int
    name: str
    file: str | None


@dataclass(eq=False)
class Connection:
    """A service connection. `names` has its name in each project that it is shared with."""

    type: str
    url: str
    data: dict[str, Any]
    authorization: dict[str, Any]
    names: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    is_ready: bool = True
    hidden_from: set[str] = field(default_factory=set)
    """Object IDs of those without the right ViewEndpoint. That it is then missing in lists is not confirmed."""
    records: list[tuple[str, Row]] = field(default_factory=list)
    """The uses, the latest first, each with the ID of its project."""


@dataclass(eq=False)
class Project:
    name: str
    id: str = field(default_factory=new_id)
    connections: list[Connection] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    hidden_from: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Organization:
    """An organization of a tenant; who is no member gets nothing of it."""

    name: str
    tenant_id: str
    id: str = field(default_factory=new_id)
    projects: list[Project] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def add_project(self, name: str) -> Project:
        project = Project(name)
        self.projects.append(project)
        return project

    def admit(self, principal: Principal) -> None:
        self.members.add(principal.object_id)

    def project(self, named: str) -> Project | None:
        return next((each for each in self.projects if named.lower() in (each.id, each.name.lower())), None)

    # Connections

    def add_acr_connection(
        self, project: Project, name: str, registry: Registry, scheme: Scheme = "WorkloadIdentityFederation"
    ) -> Connection:
        """A connection of the type dockerregistry to an Azure container registry."""
        parameters: dict[str, Any] = {
            "loginServer": registry.login_server,
            "tenantId": self.tenant_id,
            "scope": registry.id,
            "role": "8311e382-0749-4cb8-b61a-304f252e45ec",
        }
        if scheme != "ManagedServiceIdentity":
            parameters["serviceprincipalid"] = new_id()
        if scheme == "ServicePrincipal":
            parameters |= {"authenticationType": "spnKey", "serviceprincipalkey": None}
        data = {"registrytype": "ACR", "registryId": registry.id, "subscriptionName": "Apps", "spnObjectId": new_id()}
        authorization = {"scheme": scheme, "parameters": parameters}
        return self.add_connection(
            project, name, Connection("dockerregistry", "https://hub.docker.com/", data, authorization)
        )

    def add_password_connection(self, project: Project, name: str, server: str, username: str) -> Connection:
        """A connection of the type dockerregistry to any registry, with a user name."""
        parameters = {"registry": f"https://{server}/v2/", "username": username, "password": None, "email": ""}
        authorization = {"scheme": "UsernamePassword", "parameters": parameters}
        made = Connection("dockerregistry", f"https://{server}/", {"registrytype": "Others"}, authorization)
        return self.add_connection(project, name, made)

    def add_azure_connection(
        self, project: Project, name: str, scheme: Scheme = "WorkloadIdentityFederation"
    ) -> Connection:
        """A connection of the type azurerm, which names no registry."""
        parameters = {"tenantid": self.tenant_id, "serviceprincipalid": new_id()}
        data = {"environment": "AzureCloud", "scopeLevel": "Subscription", "subscriptionId": new_id()}
        authorization = {"scheme": scheme, "parameters": parameters}
        return self.add_connection(
            project, name, Connection("azurerm", "https://management.azure.com/", data, authorization)
        )

    def add_connection(self, project: Project, name: str, connection: Connection) -> Connection:
        """Put a connection into a project, with a name there: a second one shares it."""
        project.connections.append(connection)
        connection.names[project.id] = name
        return connection

    # Uses

    def add_pipeline(self, project: Project, name: str, file: str | None = "azure-pipelines.yml") -> Pipeline:
        pipeline = Pipeline(next(self._numbers), name, file)
        project.pipelines.append(pipeline)
        return pipeline

    def run(self, project: Project, pipeline: Pipeline, connection: Connection, day: int = 1) -> None:
        """A run of a pipeline that uses a connection."""
        self._record(project, connection, "Build", pipeline.number, pipeline.name, day)

    def release(self, project: Project, name: str, connection: Connection, day: int = 1) -> None:
        """A classic release that uses a connection."""
        self._record(project, connection, "Release", next(self._numbers), name, day)

    def _record(  # noqa: PLR0913
        self, project: Project, connection: Connection, plan: str, number: int, name: str, day: int
    ) -> None:
        base = f"https://dev.azure.com/{self.name}"
        web = f"{base}/_permalink/_build/index?collectionId={self.id}&projectId={project.id}&definitionId={number}"
        links = {
            "web": {"href": web},
            "self": {"href": f"{base}/{project.id}/_apis/{plan.lower()}/Definitions/{number}"},
        }
        run = next(self._numbers)
        data = {
            "id": run,
            "planType": plan,
            "definition": {"_links": links, "id": number, "name": name},
            "owner": {"id": run, "name": str(run)},
            "startTime": f"2026-11-{day:02}T11:46:51.3666667Z",
            "finishTime": f"2026-11-{day:02}T11:47:06.2833333Z",
            "result": "succeeded",
        }
        connection.records.insert(0, (project.id, {"endpointId": connection.id, "data": data}))


@dataclass
class Limits:
    """Throttling. Real units (TSTU) and what a request costs are published nowhere: here each costs one.

    :ivar free: requests that are taken before it asks to wait; None: any number.
    :ivar delayed: so many more are answered with 200 and Retry-After, then 429 is.
    :ivar seconds: what Retry-After says; after so long all is free again.
    """

    free: int | None = None
    delayed: int = 5
    seconds: int = 10
    used: int = 0
    refused: int = 0
    since: float = 0.0


class AzureDevOps:
    def __init__(self, world: World) -> None:
        self._world = world
        self.organizations: list[Organization] = []
        self.page_size = 100
        """Of projects: the largest page. Real ones are published nowhere."""
        self.last_page_tells = False
        """Whether a full page that is the last one has a continuation token, too."""
        self.limits = Limits()

    def add_organization(self, name: str, tenant_id: str | None = None) -> Organization:
        organization = Organization(name, tenant_id or self._world.tenant_id)
        self.organizations.append(organization)
        return organization

    def organization(self, name: str) -> Organization | None:
        return next((each for each in self.organizations if each.name.lower() == name.lower()), None)

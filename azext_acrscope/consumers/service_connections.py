"""Read the rows of Azure DevOps: service connections that may reach registries, and what used them. No requests here.

A connection is read by the rules of the tasks that use it (azure-pipelines-tasks-common-packages at 4b4690c1,
docker-common) and of the provider that makes it (terraform-provider-azuredevops at 3bd1fdb3). No answer of the service
for an ACR connection is recorded anywhere, and that of one with a managed identity is known from the task alone. Names
in `data` and `authorization.parameters` differ in their letters' case by type and by who wrote them.

Of `authorization.parameters` nothing is kept but what says which registry it is and how it signs in: the rest may be a
secret, even though Azure DevOps leaves those out.
"""

import re
from dataclasses import dataclass
from typing import Any

from azext_acrscope.base import hosts
from azext_acrscope.base.errors import sentence
from azext_acrscope.base.foreign_json import (
    UnexpectedShape,
    as_name,
    as_object,
    as_rows,
    as_text,
    find_number,
    find_object,
    find_text,
    member_at,
)
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, parse_resource_id
from azext_acrscope.base.tokens import is_guid
from azext_acrscope.consumers import registry_uses

ACR_KIND, AZURE_KIND = "acr-service-connection", "azurerm-service-connection"
DOCKER_TYPE, AZURE_TYPE = "dockerregistry", "azurerm"
FEDERATION = "workload identity federation"
_PASSWORD = "user name and password"  # noqa: S105  (no password)
# The tasks compare the first two letter by letter; what a person means by another spelling is the same.
_SCHEMES = {
    "managedserviceidentity": registry_uses.MANAGED_IDENTITY,
    "workloadidentityfederation": FEDERATION,
    "serviceprincipal": registry_uses.SERVICE_PRINCIPAL,
    "usernamepassword": _PASSWORD,
}
_PROJECT_IN_LINK = re.compile(r"(?:[?&]projectId=|/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b", re.IGNORECASE)
_YAML_PROCESS, _DESIGNER_PROCESS = 2, 1


@dataclass(frozen=True)
class Project:
    """A project of an organization."""

    id: str
    name: str


@dataclass(frozen=True)
class ServiceConnection:  # pylint: disable=too-many-instance-attributes  # plain data
    """A service connection that may reach registries.

    :ivar kind: in the knowledge; `sign_in` as well.
    :ivar scheme: for people.
    :ivar registry: its global login server; empty if it does not name one.
    :ivar registry_id: its resource ID in lower case; empty if it does not name one.
    :ivar names: its name in each project that it is known to be in.
    """

    id: str
    type: str
    kind: str
    scheme: str
    sign_in: str
    registry: str
    registry_id: str
    names: tuple[tuple[Project, str], ...]


@dataclass(frozen=True)
class Use:
    """A use of a service connection.

    :ivar number: of the pipeline's definition in its project; 0 if it is no pipeline but a release or another plan.
    """

    project: str
    kind: str
    name: str
    number: int
    finished: str


def plain_text(value: Any) -> str:
    """Return a text of Azure DevOps as it can be shown anywhere, without tokens.

    :raises UnexpectedShape: it is no text.
    """
    return sentence(as_text(value))


def read_project(row: dict[str, Any]) -> Project:
    """Return a project.

    :raises UnexpectedShape: its row cannot be read.
    """
    if not is_guid(row.get("id")):
        raise UnexpectedShape("id")
    return Project(row["id"].lower(), plain_text(as_name(row.get("name"))))


def read_connection(row: dict[str, Any], project: Project, suffix: str) -> ServiceConnection | None:
    """Return a service connection; None for one that reaches no registry of Azure.

    :param project: whose list the row is in.
    :param suffix: of the login servers of the cloud in use.
    :raises UnexpectedShape: its row cannot be read: it may be a connection to a registry.
    """
    kind = as_name(row.get("type")).lower()
    if kind not in (DOCKER_TYPE, AZURE_TYPE):
        return None
    data, authorization = as_object(member_at(row, "data")), as_object(member_at(row, "authorization"))
    parameters = as_object(member_at(authorization, "parameters"))
    scheme = as_text(member_at(authorization, "scheme")) or as_text(member_at(parameters, "scheme"))
    scheme = scheme or "ServicePrincipal"  # as the tasks have it
    known = _SCHEMES.get(scheme.lower())
    registry, registry_id, sign_in = "", "", registry_uses.UNKNOWN_AUTH
    if kind == DOCKER_TYPE:
        provider = as_text(member_at(data, "registrytype")).lower()
        if provider == "acr":
            registry, registry_id = _acr_registry(data, parameters, suffix)
            # The tasks take every scheme that they do not know for the ID and secret of a service principal.
            sign_in = known or registry_uses.SERVICE_PRINCIPAL
        else:
            named = (as_text(member_at(parameters, "registry")), as_text(row.get("url")))
            registry = next((host for each in named if (host := _login_server(each, suffix))), "")
            if not (registry or provider or named[0]):
                raise UnexpectedShape("registry")
            if not registry:
                return None
            sign_in = known or registry_uses.UNKNOWN_AUTH
        if sign_in == _PASSWORD:
            sign_in = registry_uses.auth_of_username(as_text(member_at(parameters, "username")), registry).how
    if not is_guid(row.get("id")):
        raise UnexpectedShape("id")
    return ServiceConnection(
        id=row["id"].lower(),
        type=kind,
        kind=ACR_KIND if kind == DOCKER_TYPE else AZURE_KIND,
        scheme=known or plain_text(scheme),
        sign_in=sign_in,
        registry=registry,
        registry_id=registry_id,
        names=_read_names(row, project),
    )


def _acr_registry(data: dict[str, Any], parameters: dict[str, Any], suffix: str) -> tuple[str, str]:
    """The login server that the tasks sign in to, and the registry's ID: `url` may be of anything.

    A provider makes up the login server from the name, which leaves out the hash of a domain name label: so the ID
    counts first, as far as the registry is known here.
    """
    identifier = as_text(member_at(data, "registryId")) or as_text(member_at(parameters, "scope"))
    found = parse_resource_id(identifier) if identifier.startswith("/") else None
    registry_id = found.text.lower() if found and found.is_in_group(REGISTRY_TYPE) else ""
    return _login_server(as_text(member_at(parameters, "loginServer")), suffix), registry_id


def _login_server(text: str, suffix: str) -> str:
    return hosts.image_login_server(text, suffix, bare=True) or ""


def _read_names(row: dict[str, Any], project: Project) -> tuple[tuple[Project, str], ...]:
    """The connection's name in this project and, as far as its row tells, in others that it is shared with."""
    names = {project.id: (project, plain_text(as_name(row.get("name"))))}
    for reference in as_rows(member_at(row, "serviceEndpointProjectReferences")):
        its = as_object(member_at(reference, "projectReference"))
        other = read_project(its)
        names.setdefault(other.id, (other, plain_text(reference.get("name")) or names[project.id][1]))
    return tuple(names.values())


# --- uses ----------------------------------------------------------------------------------------------------------


def read_use(row: dict[str, Any], project: Project) -> Use:
    """Return a use of a connection.

    :param project: that was asked; the record itself names its project in links only, which nobody follows.
    :raises UnexpectedShape: its row cannot be read.
    """
    data = as_object(member_at(row, "data"))
    plan = as_name(member_at(data, "planType"))
    definition = as_object(member_at(data, "definition"))
    number = find_number(definition, "id") or 0
    links = find_object(definition, "_links")
    found = [_PROJECT_IN_LINK.search(find_text(links, kind, "href")) for kind in ("web", "self")]
    builds = plan.lower() == "build" and 0 < number < 2**31
    return Use(
        project=next((each[1].lower() for each in found if each), project.id),
        kind={"build": "pipeline", "release": "classic release"}.get(plan.lower(), plain_text(plan)),
        name=plain_text(definition.get("name")) or "(no name)",  # that of one that was deleted is perhaps not told
        number=number if builds else 0,
        finished=_read_time(data.get("finishTime")) or _read_time(data.get("startTime")),
    )


def _read_time(value: Any) -> str:
    """A time in seconds, as text that sorts; empty for anything else."""
    found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.Z])", value, re.ASCII) if isinstance(value, str) else None
    return f"{found[0]}Z" if found else ""


def read_pipeline(row: dict[str, Any]) -> tuple[int, str, str | None]:
    """Return the number of a pipeline's definition, its kind, and the file of a YAML pipeline.

    :raises UnexpectedShape: its row cannot be read.
    """
    number, kind = find_number(row, "id"), find_number(row, "process", "type")
    if number is None or kind is None:
        raise UnexpectedShape("definition")
    if kind == _YAML_PROCESS:
        return number, "YAML pipeline", plain_text(row["process"].get("yamlFilename")) or None
    return number, "classic pipeline" if kind == _DESIGNER_PROCESS else "pipeline", None

"""Read which registries a resource uses and how it signs in, from its row of Resource Graph. No requests in here.

The fields are those of the published API definitions; sites, which have rows in two tables, are in `site_readers`.
"""

from collections.abc import Callable
from typing import Any

from azext_acrscope.base import hosts
from azext_acrscope.base.foreign_json import (
    as_bool,
    as_name,
    as_object,
    as_rows,
    as_text,
    as_texts,
    find_text,
    member_at,
)
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, enclosing_resource, parse_resource_id
from azext_acrscope.consumers.registry_uses import (
    ANONYMOUS,
    MANAGED_IDENTITY,
    PASSWORD_OR_NONE,
    UNKNOWN_AUTH,
    PullAuth,
    RegistryUse,
    Row,
    auth_of_username,
    identity_sign_in,
    make_uses,
    principals_of_identity,
    read_images_and_credentials,
)


def _container_images(containers: Any) -> list[str]:
    """Container Instances keep the image one level deeper than Container Apps."""
    return [as_name(member_at(one, "image") or member_at(one, "properties", "image")) for one in as_rows(containers)]


def _auth_reader(row: Row) -> Callable[[Row, str], PullAuth]:
    def sign_in(entry: Row, host: str) -> PullAuth:
        identity = as_text(member_at(entry, "identity"))
        if identity:
            return PullAuth(MANAGED_IDENTITY, principals_of_identity(row, identity))
        if as_text(member_at(entry, "username")) or as_text(member_at(entry, "passwordSecretRef")):
            return auth_of_username(as_text(member_at(entry, "username")), host)
        return PullAuth(UNKNOWN_AUTH)

    return sign_in


def _read_container_app(row: Row, suffix: str, kind: str = "container-app") -> list[RegistryUse]:
    template = row.get("template")
    images = [
        *_container_images(member_at(template, "containers")),
        *_container_images(member_at(template, "initContainers")),
    ]
    return read_images_and_credentials(
        row, kind, images, as_rows(row.get("registries")), sign_in=_auth_reader(row), server="server", suffix=suffix
    )


def _read_session_pool(row: Row, suffix: str) -> list[RegistryUse]:
    template = row.get("customContainerTemplate")
    entry = member_at(template, "registryCredentials")
    images = _container_images(member_at(template, "containers"))
    entries = [entry] if entry else []
    return read_images_and_credentials(
        row, "session-pool", images, entries, sign_in=_auth_reader(row), server="server", suffix=suffix
    )


def _read_container_group(row: Row, suffix: str) -> list[RegistryUse]:
    images = [*_container_images(row.get("containers")), *_container_images(row.get("initContainers"))]
    entries = as_rows(row.get("imageRegistryCredentials"))
    return read_images_and_credentials(
        row, "container-instance", images, entries, sign_in=_auth_reader(row), server="server", suffix=suffix
    )


def read_batch_pool(row: Row, suffix: str) -> list[RegistryUse]:
    """Return a row of batchresources; whether a real one is as deep as ARM's answer is not known."""

    def sign_in(entry: Row, host: str) -> PullAuth:
        identity = as_text(member_at(entry, "identityReference", "resourceId"))
        if identity:
            return PullAuth(MANAGED_IDENTITY, principals_of_identity(row, identity))
        username = as_text(member_at(entry, "username"))
        return auth_of_username(username, host) if username else PullAuth(UNKNOWN_AUTH)

    containers, start = row.get("containerConfiguration"), row.get("startContainer")
    images = as_texts(member_at(containers, "containerImageNames"))
    entries = as_rows(member_at(containers, "containerRegistries"))
    if registry := as_object(member_at(start, "registry")):
        entries = [*entries, registry]
    images = [*images, as_text(member_at(start, "imageName"))]
    return read_images_and_credentials(
        row, "batch", images, entries, sign_in=sign_in, server="registryServer", suffix=suffix
    )


def read_flux(row: Row, suffix: str) -> list[RegistryUse]:
    """Return the uses of a Flux configuration."""
    host = hosts.image_login_server(as_text(member_at(row, "ociRepository", "url")), suffix)
    if not host:
        return []
    sign_in = PullAuth(
        MANAGED_IDENTITY if as_bool(member_at(row, "ociRepository", "useWorkloadIdentity")) else UNKNOWN_AUTH
    )
    return make_uses(row, "flux", [(host, sign_in)])


def _read_machine_learning(row: Row, _suffix: str) -> list[RegistryUse]:
    ids = _find_registry_ids([row.get(name) for name in ("mlRegistry", "mlRegistries", "mlDetails")])
    return make_uses(row, "machine-learning", ((found.lower(), PullAuth(UNKNOWN_AUTH)) for found in ids))


def _read_builder(row: Row, suffix: str) -> list[RegistryUse]:
    """Builds for Container Apps, which push what they build."""
    found = []
    for entry in as_rows(row.get("builderRegistries")):
        if host := hosts.image_login_server(as_text(member_at(entry, "containerRegistryServer")), suffix, bare=True):
            found.append((host, _identity_auth(row, as_text(member_at(entry, "identityResourceId")), UNKNOWN_AUTH)))
    return make_uses(row, "container-app-builder", found)


def _identity_auth(row: Row, identity: str, otherwise: str) -> PullAuth:
    """Return the sign-in with an identity of the resource; `otherwise` is the kind where none is named."""
    return PullAuth(MANAGED_IDENTITY, principals_of_identity(row, identity)) if identity else PullAuth(otherwise)


def _find_registry_ids(value: Any) -> list[str]:
    if isinstance(value, str):
        found_id = enclosing_resource(value, REGISTRY_TYPE)
        return [found_id] if found_id else []
    if isinstance(value, dict):
        value = list(value.values())
    return [found for each in value for found in _find_registry_ids(each)] if isinstance(value, list) else []


def _read_task(row: Row, suffix: str) -> list[RegistryUse]:
    registry = parse_resource_id(str(row["id"])).parent.lower()
    kind = "agent-pool" if find_text(row, "type").lower().endswith("agentpools") else "acr-task"
    identity = as_text(member_at(row, "taskCredentials", "sourceRegistry", "identity"))
    found = [(registry, _identity_auth(row, identity, UNKNOWN_AUTH))]
    for server, entry in as_object(member_at(row, "taskCredentials", "customRegistries")).items():
        host = hosts.image_login_server(str(server), suffix, bare=True)
        if host:
            found.append((host, _identity_auth(row, as_text(member_at(entry, "identity")), PASSWORD_OR_NONE)))
    return make_uses(row, kind, found)


def read_cluster_registry(row: Row) -> list[RegistryUse]:
    """Return the registry of a network-isolated AKS cluster. What its nodes pull otherwise, `rights` tells."""
    nodes = kubelet_principals(row)
    registry = as_text(member_at(row, "bootstrapProfile", "containerRegistryId")).lower().rstrip("/")
    if not registry or as_text(member_at(row, "bootstrapProfile", "artifactSource")).lower() != "cache":
        return []
    return make_uses(row, "aks-network-isolated", [(registry, PullAuth(MANAGED_IDENTITY, nodes))])


def kubelet_principals(row: Row) -> frozenset[str]:
    """Return the object ID that a cluster's nodes pull with; nothing for a cluster on a service principal."""
    found = as_text(member_at(row, "kubelet", "objectId")).lower()
    return frozenset({found} if found else ())


def _read_registry_endpoint(row: Row, suffix: str) -> list[RegistryUse]:
    """Azure IoT Operations, which pulls artifacts with the audience that is set here.

    Its identity is that of the instance or of the cluster's extension, which this row does not show.
    """
    host = hosts.image_login_server(as_text(row.get("endpointHost")), suffix, bare=True)
    if not host:
        return []
    said = row.get("endpointAuthentication")
    method = as_text(member_at(said, "method")).lower()
    audiences = {
        "systemassignedmanagedidentity": ("systemAssignedManagedIdentitySettings", "audience"),
        "userassignedmanagedidentity": ("userAssignedManagedIdentitySettings", "scope"),
    }
    if method in audiences:
        sign_in = identity_sign_in(as_text(member_at(said, *audiences[method])))
    else:
        sign_in = {"artifactpullsecret": PASSWORD_OR_NONE, "anonymous": ANONYMOUS}.get(method, UNKNOWN_AUTH)
    return make_uses(row, "iot-operations", [(host, PullAuth(sign_in))])


CLUSTER_TYPE = "microsoft.containerservice/managedclusters"
READERS_BY_TYPE: dict[str, Callable[[Row, str], list[RegistryUse]]] = {
    "microsoft.app/containerapps": _read_container_app,
    "microsoft.app/jobs": lambda row, suffix: _read_container_app(row, suffix, "container-app-job"),
    "microsoft.app/sessionpools": _read_session_pool,
    "microsoft.app/builders": _read_builder,
    "microsoft.containerinstance/containergroups": _read_container_group,
    "microsoft.containerinstance/containergroupprofile": _read_container_group,  # as the table is documented
    "microsoft.containerinstance/containergroupprofiles": _read_container_group,  # as ARM names the type
    "microsoft.machinelearningservices/workspaces": _read_machine_learning,
    "microsoft.machinelearningservices/registries": _read_machine_learning,
    "microsoft.containerregistry/registries/tasks": _read_task,
    "microsoft.containerregistry/registries/agentpools": _read_task,
    "microsoft.iotoperations/instances/registryendpoints": _read_registry_endpoint,
    CLUSTER_TYPE: lambda row, suffix: read_cluster_registry(row),
}

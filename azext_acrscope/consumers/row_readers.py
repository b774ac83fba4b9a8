"""Which registries a resource uses and how it signs in, read from its row of Resource Graph. No requests in here.

The fields are those of the published API definitions; where a row has another shape than these, `Odd` is raised, for
what cannot be read must not look like what uses nothing.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.base import hosts
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, enclosing_resource, parse_resource_id

MANAGED_IDENTITY, ADMIN_USER, REPOSITORY_TOKEN = "managed identity", "admin user", "repository token"  # noqa: S105  (no passwords)
SERVICE_PRINCIPAL, PASSWORD_OR_NONE, ANONYMOUS, UNKNOWN_AUTH = (
    "service principal",
    "password or none",
    "anonymous",
    "unknown",
)  # noqa: S105

_GUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOT_IN_USE_TEXT = "The registry is configured, but none of its images is in use now."

Row = dict[str, Any]


class UnexpectedShape(Exception):
    """A row in a shape that is not known."""


@dataclass(frozen=True)
class RegistryUse:
    """One consumer of one registry.

    :ivar registry: its global login server, or its resource ID in lower case.
    :ivar principals: object IDs (lower case) of the identities that it may pull with.
    :ivar detail: a sentence on what is special here.
    :ivar row: the row it was read from, where the verdict needs more of it.
    """

    consumer: str
    name: str
    kind: str
    registry: str
    sign_in: str
    principals: frozenset[str] = frozenset()
    detail: str = ""
    managed_by: str = ""
    row: Row = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class PullAuth:
    how: str
    principals: frozenset[str] = frozenset()
    detail: str = ""


# --- what all kinds share ------------------------------------------------------------------------------------------


def member_at(value: Any, *path: str) -> Any:
    """The member at a path, in any case of letters for each step; None where there is none."""
    for name in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise UnexpectedShape(name)
        if value.get(name) is not None:
            value = value[name]
            continue
        found = [each for key, each in value.items() if isinstance(key, str) and key.lower() == name.lower()]
        value = next((each for each in found if each is not None), None)
    return value


def as_rows(value: Any) -> list[Row]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UnexpectedShape("list")
    return value


def as_object(value: Any) -> Row:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnexpectedShape("object")
    return value


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnexpectedShape("text")
    return value.strip()


def as_bool(value: Any) -> bool | None:
    """Also as text, in which some columns of Resource Graph hold it; None where it is not said."""
    if value is None or isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(as_text(value).lower())


def auth_of_username(username: str, login_server: str) -> PullAuth:
    """Who a user name with a password is: the admin user has the registry's name, an application's is its ID."""
    if not username:
        return PullAuth(PASSWORD_OR_NONE)
    if username.lower() == hosts.registry_name_of(login_server).lower():
        return PullAuth(ADMIN_USER)
    if not _GUID_PATTERN.fullmatch(username):
        return PullAuth(REPOSITORY_TOKEN)
    if set(username) <= {"0", "-"}:
        return PullAuth(
            UNKNOWN_AUTH, detail="It signs in with a registry's refresh token, which is valid for three hours."
        )
    return PullAuth(SERVICE_PRINCIPAL)


def principals_of_identity(row: Row, identity: str) -> frozenset[str]:
    """Object IDs of a resource's identity: by its resource ID or client ID, `system` for the system-assigned one."""
    owned = member_at(row, "identity")
    if identity.lower() in ("", "system", "[system]"):
        own = as_text(member_at(owned, "principalId"))
        return frozenset({own.lower()} if own else ())
    for key, assigned in as_object(member_at(owned, "userAssignedIdentities")).items():
        if identity.lower().rstrip("/") in (
            str(key).lower().rstrip("/"),
            as_text(member_at(assigned, "clientId")).lower(),
        ):
            own = as_text(member_at(assigned, "principalId"))
            return frozenset({own.lower()} if own else ())
    return frozenset()


def add_client_ids(row: Row, object_ids: frozenset[str]) -> set[str]:
    """These object IDs, and the client IDs of the same identities as far as a resource's row tells them."""
    try:
        assigned = list((member_at(row, "identity", "userAssignedIdentities") or {}).values())
        nodes = member_at(row, "kubelet")
        pairs = [(as_text(member_at(each, "principalId")), as_text(member_at(each, "clientId"))) for each in assigned]
        pairs.append((as_text(member_at(nodes, "objectId")), as_text(member_at(nodes, "clientId"))))
    except (UnexpectedShape, AttributeError):
        return set(object_ids)
    return {*object_ids, *(client.lower() for own, client in pairs if client and own.lower() in object_ids)}


def _make_uses(row: Row, kind: str, found: Iterable[tuple[str, PullAuth]]) -> list[RegistryUse]:
    """One for each registry and way to sign in there."""
    common = (str(row["id"]), str(row.get("name") or ""), kind)
    managed_by = as_text(row.get("managedBy"))
    return [
        RegistryUse(*common, registry, sign_in.how, sign_in.principals, sign_in.detail, managed_by, row)
        for registry, sign_in in dict.fromkeys(found)
    ]


def _read_images_and_credentials(
    row: Row,
    kind: str,
    images: Iterable[str],
    credentials: Iterable[Row],
    sign_in: Callable[[Row, str], PullAuth],
    server: str,
    suffix: str,
) -> list[RegistryUse]:
    """The common form: images, and a list that says for each server how to sign in. Without an entry: anonymous.

    A registry may be listed twice, as with its regional login servers: each way to sign in is a use.
    """
    named = dict.fromkeys(host for image in images if (host := hosts.image_login_server(image, suffix)))
    found = []
    for entry in credentials:
        host = hosts.image_login_server(as_text(member_at(entry, server)), suffix, bare=True)
        if host:
            how = sign_in(entry, host)
            found.append((host, how if host in named else PullAuth(how.how, how.principals, _NOT_IN_USE_TEXT)))
    listed = {host for host, _ in found}
    return _make_uses(row, kind, [*found, *((host, PullAuth(ANONYMOUS)) for host in named if host not in listed)])


def _container_images(containers: Any) -> list[str]:
    """Container Instances keep the image one level deeper than Container Apps."""
    return [as_text(member_at(one, "image") or member_at(one, "properties", "image")) for one in as_rows(containers)]


# --- App Service and Functions -------------------------------------------------------------------------------------


def site_kind(row: Row) -> str:
    kind = as_text(row.get("kind")).lower()
    if "azurecontainerapps" in kind:
        return "functions-on-container-apps"
    return "functions" if "functionapp" in kind else "app-service"


def site_versions(row: Row, config: Row | None = None) -> list[str]:
    """linuxFxVersion and windowsFxVersion, from wherever they are: the site's two places and its config row.

    Usually one; where the places disagree, none is left out.
    """
    listed = {as_text(member_at(one, "name")).lower(): one for one in as_rows(row.get("siteProperties"))}
    found = []
    for name in ("linuxFxVersion", "windowsFxVersion"):
        found += [
            member_at(row.get("siteConfig"), name),
            member_at(listed.get(name.lower()), "value"),
            member_at(config, name),
        ]
    return list(dict.fromkeys(each for value in found if (each := as_text(value))))


def site_auth(row: Row, config: Row | None = None) -> PullAuth | None:
    """None where neither row says it. Where they disagree, it is the identity: what may break must not be missed."""
    places = (row.get("siteConfig"), config)
    said = [as_bool(member_at(place, "acrUseManagedIdentityCreds")) for place in places]
    if any(said):
        client = next((each for place in places if (each := as_text(member_at(place, "acrUserManagedIdentityID")))), "")
        return PullAuth(MANAGED_IDENTITY, principals_of_identity(row, client))
    return PullAuth(PASSWORD_OR_NONE) if False in said else None


def is_sidecar_site(version: str) -> bool:
    return version.lower() == "sitecontainers"


def site_images(version: str) -> list[str]:
    """The images of `DOCKER|image` and `COMPOSE|base64`; nothing for what runs no container.

    :raises Odd: the compose file cannot be read.
    """
    form, _, content = version.partition("|")
    if form.lower() == "docker":
        return [content]
    if form.lower() not in ("compose", "kube"):
        return []
    return _images_in_yaml(form, content)


def _images_in_yaml(form: str, encoded: str) -> list[str]:
    """What stands at `image` anywhere in a compose file or in Kubernetes objects."""
    from yaml import YAMLError, safe_load_all

    try:
        left: list[Any] = list(safe_load_all(base64.b64decode(encoded, validate=True).decode("utf-8")))
    except (binascii.Error, UnicodeDecodeError, YAMLError, ValueError, RecursionError) as error:
        raise UnexpectedShape(form) from error
    found, seen = [], set[int]()
    while left:
        value = left.pop(0)
        if not isinstance(value, (dict, list)) or id(value) in seen:
            continue
        seen.add(id(value))  # an alias stands for the same object, however often it is written
        if isinstance(value, dict):
            found += [as_text(each) for key, each in value.items() if key == "image" and not isinstance(each, dict)]
        left += value.values() if isinstance(value, dict) else value
    return found


def images_with_variable_registry(images: Iterable[str]) -> list[str]:
    """Images whose registry is a variable, which only the app's settings know."""
    return [image for image in images if "$" in image.partition("/")[0]]


def read_site_uses(row: Row, sign_in: PullAuth, suffix: str, config: Row | None = None) -> list[RegistryUse]:
    images = [image for version in site_versions(row, config) for image in site_images(version)]
    found = [host for image in images if (host := hosts.image_login_server(image, suffix))]
    return _make_uses(row, site_kind(row), ((host, sign_in) for host in found))


def read_site_containers(row: Row, containers: list[Row], suffix: str) -> list[RegistryUse]:
    """Of the items that ARM lists below a site; several containers of one registry may sign in in several ways."""
    found = []
    for container in containers:
        host = hosts.image_login_server(as_text(member_at(container, "properties", "image")), suffix)
        if not host:
            continue
        how = as_text(member_at(container, "properties", "authType")).lower()
        if how in ("systemidentity", "userassigned"):
            client = (
                as_text(member_at(container, "properties", "userManagedIdentityClientId"))
                if how == "userassigned"
                else ""
            )
            sign_in = PullAuth(MANAGED_IDENTITY, principals_of_identity(row, client))
        elif how == "usercredentials":
            sign_in = auth_of_username(as_text(member_at(container, "properties", "userName")), host)
        else:
            sign_in = PullAuth(ANONYMOUS if how == "anonymous" else UNKNOWN_AUTH)
        found.append((host, sign_in))
    return _make_uses(row, site_kind(row), found)


# --- the other kinds -----------------------------------------------------------------------------------------------


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
    return _read_images_and_credentials(
        row, kind, images, as_rows(row.get("registries")), _auth_reader(row), "server", suffix
    )


def _read_session_pool(row: Row, suffix: str) -> list[RegistryUse]:
    template = row.get("customContainerTemplate")
    entry = member_at(template, "registryCredentials")
    images = _container_images(member_at(template, "containers"))
    entries = [entry] if entry else []
    return _read_images_and_credentials(row, "session-pool", images, entries, _auth_reader(row), "server", suffix)


def _read_container_group(row: Row, suffix: str) -> list[RegistryUse]:
    images = [*_container_images(row.get("containers")), *_container_images(row.get("initContainers"))]
    entries = as_rows(row.get("imageRegistryCredentials"))
    return _read_images_and_credentials(row, "container-instance", images, entries, _auth_reader(row), "server", suffix)


def read_batch_pool(row: Row, suffix: str) -> list[RegistryUse]:
    """A row of batchresources; whether a real one is as deep as ARM's answer is not known."""

    def sign_in(entry: Row, host: str) -> PullAuth:
        identity = as_text(member_at(entry, "identityReference", "resourceId"))
        if identity:
            return PullAuth(MANAGED_IDENTITY, principals_of_identity(row, identity))
        username = as_text(member_at(entry, "username"))
        return auth_of_username(username, host) if username else PullAuth(UNKNOWN_AUTH)

    containers, start = row.get("containerConfiguration"), row.get("startContainer")
    images = member_at(containers, "containerImageNames") or []
    if not isinstance(images, list):
        raise UnexpectedShape("containerImageNames")
    entries = as_rows(member_at(containers, "containerRegistries"))
    if registry := as_object(member_at(start, "registry")):
        entries = [*entries, registry]
    images = [*images, member_at(start, "imageName")]
    return _read_images_and_credentials(row, "batch", map(as_text, images), entries, sign_in, "registryServer", suffix)


def read_flux(row: Row, suffix: str) -> list[RegistryUse]:
    host = hosts.image_login_server(as_text(member_at(row, "ociRepository", "url")), suffix)
    if not host:
        return []
    sign_in = PullAuth(
        MANAGED_IDENTITY if as_bool(member_at(row, "ociRepository", "useWorkloadIdentity")) else UNKNOWN_AUTH
    )
    return _make_uses(row, "flux", [(host, sign_in)])


def _read_machine_learning(row: Row, suffix: str) -> list[RegistryUse]:
    ids = _find_registry_ids([row.get(name) for name in ("mlRegistry", "mlRegistries", "mlDetails")])
    return _make_uses(row, "machine-learning", ((found.lower(), PullAuth(UNKNOWN_AUTH)) for found in ids))


def _read_builder(row: Row, suffix: str) -> list[RegistryUse]:
    """Builds for Container Apps, which push what they build."""
    found = []
    for entry in as_rows(row.get("builderRegistries")):
        if host := hosts.image_login_server(as_text(member_at(entry, "containerRegistryServer")), suffix, bare=True):
            found.append((host, _identity_auth(row, as_text(member_at(entry, "identityResourceId")), UNKNOWN_AUTH)))
    return _make_uses(row, "container-app-builder", found)


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
    kind = "agent-pool" if str(row["type"]).lower().endswith("agentpools") else "acr-task"
    identity = as_text(member_at(row, "taskCredentials", "sourceRegistry", "identity"))
    found = [(registry, _identity_auth(row, identity, UNKNOWN_AUTH))]
    for server, entry in as_object(member_at(row, "taskCredentials", "customRegistries")).items():
        host = hosts.image_login_server(str(server), suffix, bare=True)
        if host:
            found.append((host, _identity_auth(row, as_text(member_at(entry, "identity")), PASSWORD_OR_NONE)))
    return _make_uses(row, kind, found)


def read_cluster_registry(row: Row) -> list[RegistryUse]:
    """The registry of a network-isolated AKS cluster. What its nodes pull otherwise, `rights` tells."""
    nodes = kubelet_principals(row)
    registry = as_text(member_at(row, "bootstrapProfile", "containerRegistryId")).lower().rstrip("/")
    if not registry or as_text(member_at(row, "bootstrapProfile", "artifactSource")).lower() != "cache":
        return []
    return _make_uses(row, "aks-network-isolated", [(registry, PullAuth(MANAGED_IDENTITY, nodes))])


def kubelet_principals(row: Row) -> frozenset[str]:
    """The object ID that a cluster's nodes pull with; nothing for a cluster on a service principal."""
    found = as_text(member_at(row, "kubelet", "objectId")).lower()
    return frozenset({found} if found else ())


CLUSTER_TYPE = "microsoft.containerservice/managedclusters"
SITE_TYPES = ("microsoft.web/sites", "microsoft.web/sites/slots")
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
    CLUSTER_TYPE: lambda row, suffix: read_cluster_registry(row),
}

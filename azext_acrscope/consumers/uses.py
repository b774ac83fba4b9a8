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

from azext_acrscope import hosts

IDENTITY, ADMIN, TOKEN = "managed identity", "admin user", "repository token"  # noqa: S105  (no passwords)
SERVICE_PRINCIPAL, PASSWORD, ANONYMOUS, UNKNOWN = "service principal", "password or none", "anonymous", "unknown"  # noqa: S105

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOT_IN_USE = "The registry is configured, but no image of it is in use now."

Row = dict[str, Any]


class Odd(Exception):
    """A row in a shape that is not known."""


@dataclass(frozen=True)
class Use:
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
class SignIn:
    how: str
    principals: frozenset[str] = frozenset()
    detail: str = ""


# --- what all kinds share ------------------------------------------------------------------------------------------


def at(value: Any, *path: str) -> Any:
    """The member at a path, in any case of letters for each step; None where there is none."""
    for name in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Odd(name)
        if value.get(name) is not None:
            value = value[name]
            continue
        found = [each for key, each in value.items() if isinstance(key, str) and key.lower() == name.lower()]
        value = next((each for each in found if each is not None), None)
    return value


def items(value: Any) -> list[Row]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Odd("list")
    return value


def members(value: Any) -> Row:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Odd("object")
    return value


def text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Odd("text")
    return value.strip()


def truth(value: Any) -> bool | None:
    """Also as text, in which some columns of Resource Graph hold it; None where it is not said."""
    if value is None or isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(text(value).lower())


def by_user(username: str, login_server: str) -> SignIn:
    """Who a user name with a password is: the admin user has the registry's name, an application's is its ID."""
    if not username:
        return SignIn(PASSWORD)
    if username.lower() == hosts.name_in(login_server).lower():
        return SignIn(ADMIN)
    if not _GUID.fullmatch(username):
        return SignIn(TOKEN)
    if set(username) <= {"0", "-"}:
        return SignIn(UNKNOWN, detail="It signs in with a registry's refresh token, which lives for three hours.")
    return SignIn(SERVICE_PRINCIPAL)


def principals(row: Row, identity: str) -> frozenset[str]:
    """Object IDs of a resource's identity: by its resource ID or client ID, `system` for the system-assigned one."""
    owned = at(row, "identity")
    if identity.lower() in ("", "system", "[system]"):
        own = text(at(owned, "principalId"))
        return frozenset({own.lower()} if own else ())
    for key, assigned in members(at(owned, "userAssignedIdentities")).items():
        if identity.lower().rstrip("/") in (str(key).lower().rstrip("/"), text(at(assigned, "clientId")).lower()):
            own = text(at(assigned, "principalId"))
            return frozenset({own.lower()} if own else ())
    return frozenset()


def with_client_ids(row: Row, object_ids: frozenset[str]) -> set[str]:
    """These object IDs, and the client IDs of the same identities as far as a resource's row tells them."""
    try:
        assigned = list((at(row, "identity", "userAssignedIdentities") or {}).values())
        nodes = at(row, "kubelet")
        pairs = [(text(at(each, "principalId")), text(at(each, "clientId"))) for each in assigned]
        pairs.append((text(at(nodes, "objectId")), text(at(nodes, "clientId"))))
    except (Odd, AttributeError):
        return set(object_ids)
    return {*object_ids, *(client.lower() for own, client in pairs if client and own.lower() in object_ids)}


def _uses(row: Row, kind: str, found: Iterable[tuple[str, SignIn]]) -> list[Use]:
    """One for each registry and way to sign in there."""
    common = (str(row["id"]), str(row.get("name") or ""), kind)
    managed_by = text(row.get("managedBy"))
    return [
        Use(*common, registry, sign_in.how, sign_in.principals, sign_in.detail, managed_by, row)
        for registry, sign_in in dict.fromkeys(found)
    ]


def _with_credentials(
    row: Row,
    kind: str,
    images: Iterable[str],
    credentials: Iterable[Row],
    sign_in: Callable[[Row, str], SignIn],
    server: str,
    suffix: str,
) -> list[Use]:
    """The common form: images, and a list that says for each server how to sign in. Without an entry: anonymous.

    A registry may be listed twice, as with its regional login servers: each way to sign in is a use.
    """
    named = dict.fromkeys(host for image in images if (host := hosts.image_login_server(image, suffix)))
    found = []
    for entry in credentials:
        host = hosts.image_login_server(text(at(entry, server)), suffix, bare=True)
        if host:
            how = sign_in(entry, host)
            found.append((host, how if host in named else SignIn(how.how, how.principals, _NOT_IN_USE)))
    listed = {host for host, _ in found}
    return _uses(row, kind, [*found, *((host, SignIn(ANONYMOUS)) for host in named if host not in listed)])


def _images(containers: Any) -> list[str]:
    """Container Instances keep the image one level deeper than Container Apps."""
    return [text(at(one, "image") or at(one, "properties", "image")) for one in items(containers)]


# --- App Service and Functions -------------------------------------------------------------------------------------


def site_kind(row: Row) -> str:
    kind = text(row.get("kind")).lower()
    if "azurecontainerapps" in kind:
        return "functions-on-container-apps"
    return "functions" if "functionapp" in kind else "app-service"


def site_versions(row: Row, config: Row | None = None) -> list[str]:
    """linuxFxVersion and windowsFxVersion, from wherever they are: the site's two places and its config row.

    Usually one; where the places disagree, none is left out.
    """
    listed = {text(at(one, "name")).lower(): one for one in items(row.get("siteProperties"))}
    found = []
    for name in ("linuxFxVersion", "windowsFxVersion"):
        found += [at(row.get("siteConfig"), name), at(listed.get(name.lower()), "value"), at(config, name)]
    return list(dict.fromkeys(each for value in found if (each := text(value))))


def site_sign_in(row: Row, config: Row | None = None) -> SignIn | None:
    """None where neither row says it. Where they disagree, it is the identity: what may break must not be missed."""
    places = (row.get("siteConfig"), config)
    said = [truth(at(place, "acrUseManagedIdentityCreds")) for place in places]
    if any(said):
        client = next((each for place in places if (each := text(at(place, "acrUserManagedIdentityID")))), "")
        return SignIn(IDENTITY, principals(row, client))
    return SignIn(PASSWORD) if False in said else None


def is_sidecars(version: str) -> bool:
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
    return _listed_images(form, content)


def _listed_images(form: str, encoded: str) -> list[str]:
    """What stands at `image` anywhere in a compose file or in Kubernetes objects."""
    from yaml import YAMLError, safe_load_all

    try:
        left: list[Any] = list(safe_load_all(base64.b64decode(encoded, validate=True).decode("utf-8")))
    except (binascii.Error, UnicodeDecodeError, YAMLError, ValueError, RecursionError) as error:
        raise Odd(form) from error
    found, seen = [], set[int]()
    while left:
        value = left.pop(0)
        if not isinstance(value, (dict, list)) or id(value) in seen:
            continue
        seen.add(id(value))  # an alias stands for the same object, however often it is written
        if isinstance(value, dict):
            found += [text(each) for key, each in value.items() if key == "image" and not isinstance(each, dict)]
        left += value.values() if isinstance(value, dict) else value
    return found


def unresolved(images: Iterable[str]) -> list[str]:
    """Images whose registry is a variable, which only the app's settings know."""
    return [image for image in images if "$" in image.partition("/")[0]]


def site(row: Row, sign_in: SignIn, suffix: str, config: Row | None = None) -> list[Use]:
    images = [image for version in site_versions(row, config) for image in site_images(version)]
    found = [host for image in images if (host := hosts.image_login_server(image, suffix))]
    return _uses(row, site_kind(row), ((host, sign_in) for host in found))


def site_containers(row: Row, containers: list[Row], suffix: str) -> list[Use]:
    """Of the items that ARM lists below a site; several containers of one registry may sign in in several ways."""
    found = []
    for container in containers:
        host = hosts.image_login_server(text(at(container, "properties", "image")), suffix)
        if not host:
            continue
        how = text(at(container, "properties", "authType")).lower()
        if how in ("systemidentity", "userassigned"):
            client = text(at(container, "properties", "userManagedIdentityClientId")) if how == "userassigned" else ""
            sign_in = SignIn(IDENTITY, principals(row, client))
        elif how == "usercredentials":
            sign_in = by_user(text(at(container, "properties", "userName")), host)
        else:
            sign_in = SignIn(ANONYMOUS if how == "anonymous" else UNKNOWN)
        found.append((host, sign_in))
    return _uses(row, site_kind(row), found)


# --- the other kinds -----------------------------------------------------------------------------------------------


def _registry_entry(row: Row) -> Callable[[Row, str], SignIn]:
    def sign_in(entry: Row, host: str) -> SignIn:
        identity = text(at(entry, "identity"))
        if identity:
            return SignIn(IDENTITY, principals(row, identity))
        if text(at(entry, "username")) or text(at(entry, "passwordSecretRef")):
            return by_user(text(at(entry, "username")), host)
        return SignIn(UNKNOWN)

    return sign_in


def _container_app(row: Row, suffix: str, kind: str = "container-app") -> list[Use]:
    template = row.get("template")
    images = [*_images(at(template, "containers")), *_images(at(template, "initContainers"))]
    return _with_credentials(row, kind, images, items(row.get("registries")), _registry_entry(row), "server", suffix)


def _session_pool(row: Row, suffix: str) -> list[Use]:
    template = row.get("customContainerTemplate")
    entry = at(template, "registryCredentials")
    images = _images(at(template, "containers"))
    entries = [entry] if entry else []
    return _with_credentials(row, "session-pool", images, entries, _registry_entry(row), "server", suffix)


def _container_group(row: Row, suffix: str) -> list[Use]:
    images = [*_images(row.get("containers")), *_images(row.get("initContainers"))]
    entries = items(row.get("imageRegistryCredentials"))
    return _with_credentials(row, "container-instance", images, entries, _registry_entry(row), "server", suffix)


def batch_pool(row: Row, suffix: str) -> list[Use]:
    """A row of batchresources; whether a real one is as deep as ARM's answer is not known."""

    def sign_in(entry: Row, host: str) -> SignIn:
        identity = text(at(entry, "identityReference", "resourceId"))
        if identity:
            return SignIn(IDENTITY, principals(row, identity))
        username = text(at(entry, "username"))
        return by_user(username, host) if username else SignIn(UNKNOWN)

    containers, start = row.get("containerConfiguration"), row.get("startContainer")
    images = at(containers, "containerImageNames") or []
    if not isinstance(images, list):
        raise Odd("containerImageNames")
    entries = items(at(containers, "containerRegistries"))
    if registry := members(at(start, "registry")):
        entries = [*entries, registry]
    images = [*images, at(start, "imageName")]
    return _with_credentials(row, "batch", map(text, images), entries, sign_in, "registryServer", suffix)


def flux(row: Row, suffix: str) -> list[Use]:
    host = hosts.image_login_server(text(at(row, "ociRepository", "url")), suffix)
    if not host:
        return []
    sign_in = SignIn(IDENTITY if truth(at(row, "ociRepository", "useWorkloadIdentity")) else UNKNOWN)
    return _uses(row, "flux", [(host, sign_in)])


def _machine_learning(row: Row, suffix: str) -> list[Use]:
    ids = _registry_ids([row.get(name) for name in ("mlRegistry", "mlRegistries", "mlDetails")])
    return _uses(row, "machine-learning", ((found.lower(), SignIn(UNKNOWN)) for found in ids))


def _builder(row: Row, suffix: str) -> list[Use]:
    """Builds for Container Apps, which push what they build."""
    found = []
    for entry in items(row.get("builderRegistries")):
        if host := hosts.image_login_server(text(at(entry, "containerRegistryServer")), suffix, bare=True):
            identity = text(at(entry, "identityResourceId"))
            found.append((host, SignIn(IDENTITY, principals(row, identity)) if identity else SignIn(UNKNOWN)))
    return _uses(row, "container-app-builder", found)


def _registry_ids(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value.rstrip("/")] if "/microsoft.containerregistry/registries/" in value.lower() else []
    if isinstance(value, dict):
        value = list(value.values())
    return [found for each in value for found in _registry_ids(each)] if isinstance(value, list) else []


def _task(row: Row, suffix: str) -> list[Use]:
    own, _, _ = str(row["id"]).rpartition("/")
    registry = own.rpartition("/")[0].lower()
    kind = "agent-pool" if str(row["type"]).lower().endswith("agentpools") else "acr-task"
    identity = text(at(row, "taskCredentials", "sourceRegistry", "identity"))
    named = SignIn(IDENTITY, principals(row, identity)) if identity else SignIn(UNKNOWN)
    found = [(registry, named)]
    for server, entry in members(at(row, "taskCredentials", "customRegistries")).items():
        host = hosts.image_login_server(str(server), suffix, bare=True)
        if host:
            other = text(at(entry, "identity"))
            found.append((host, SignIn(IDENTITY, principals(row, other)) if other else SignIn(PASSWORD)))
    return _uses(row, kind, found)


def own_registry(row: Row) -> list[Use]:
    """The registry of a network-isolated AKS cluster. What its nodes pull otherwise, `rights` tells."""
    nodes = kubelet(row)
    registry = text(at(row, "bootstrapProfile", "containerRegistryId")).lower().rstrip("/")
    if not registry or text(at(row, "bootstrapProfile", "artifactSource")).lower() != "cache":
        return []
    return _uses(row, "aks-network-isolated", [(registry, SignIn(IDENTITY, nodes))])


def kubelet(row: Row) -> frozenset[str]:
    """The object ID that a cluster's nodes pull with; nothing for a cluster on a service principal."""
    found = text(at(row, "kubelet", "objectId")).lower()
    return frozenset({found} if found else ())


CLUSTER = "microsoft.containerservice/managedclusters"
SITES = ("microsoft.web/sites", "microsoft.web/sites/slots")
READERS: dict[str, Callable[[Row, str], list[Use]]] = {
    "microsoft.app/containerapps": _container_app,
    "microsoft.app/jobs": lambda row, suffix: _container_app(row, suffix, "container-app-job"),
    "microsoft.app/sessionpools": _session_pool,
    "microsoft.app/builders": _builder,
    "microsoft.containerinstance/containergroups": _container_group,
    "microsoft.containerinstance/containergroupprofile": _container_group,  # as the table is documented
    "microsoft.containerinstance/containergroupprofiles": _container_group,  # as ARM names the type
    "microsoft.machinelearningservices/workspaces": _machine_learning,
    "microsoft.machinelearningservices/registries": _machine_learning,
    "microsoft.containerregistry/registries/tasks": _task,
    "microsoft.containerregistry/registries/agentpools": _task,
    CLUSTER: lambda row, suffix: own_registry(row),
}

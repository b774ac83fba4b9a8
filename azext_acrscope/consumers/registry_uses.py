"""Say who uses a registry and how it signs in: what the readers of all kinds of rows share. No requests in here.

Where a row has another shape than in the published API definitions, `UnexpectedShape` is raised: what cannot be read
must not look like what uses nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from azext_acrscope.base import hosts
from azext_acrscope.base.foreign_json import JsonObject, UnexpectedShape, as_object, as_text, member_at
from azext_acrscope.base.tokens import ACR_AUDIENCE, is_guid

MANAGED_IDENTITY, ADMIN_USER, REPOSITORY_TOKEN = "managed identity", "admin user", "repository token"  # noqa: S105  (no passwords)
SERVICE_PRINCIPAL, PASSWORD_OR_NONE, ANONYMOUS, UNKNOWN_AUTH = (
    "service principal",
    "password or none",
    "anonymous",
    "unknown",
)  # noqa: S105
# With an identity, where the resource says which audience it asks for; `MANAGED_IDENTITY` where it does not.
IDENTITY_FOR_ACR, IDENTITY_FOR_ARM = "managed identity, ACR audience", "managed identity, ARM audience"

_ARM_HOSTS = (
    *("management.azure.com", "management.core.windows.net", "management.usgovcloudapi.net"),
    *("management.core.usgovcloudapi.net", "management.chinacloudapi.cn", "management.core.chinacloudapi.cn"),
)
_NOT_IN_USE_TEXT = "The registry is configured, but none of its images is in use now."

Row = JsonObject


@dataclass(frozen=True)
class RegistryUse:  # pylint: disable=too-many-instance-attributes  # plain data
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


class PullAuth(NamedTuple):
    """How a consumer signs in, and with which principals, by object ID or client ID."""

    how: str
    principals: frozenset[str] = frozenset()
    detail: str = ""


def auth_of_username(username: str, login_server: str) -> PullAuth:
    """Return who a user name with a password is: the admin user has the registry's name, an application's is its ID."""
    if not username:
        return PullAuth(PASSWORD_OR_NONE)
    if username.lower() == hosts.registry_name_of(login_server).lower():
        return PullAuth(ADMIN_USER)
    if not is_guid(username):
        return PullAuth(REPOSITORY_TOKEN)
    if set(username) <= {"0", "-"}:
        return PullAuth(
            UNKNOWN_AUTH, detail="It signs in with a registry's refresh token, which is valid for three hours."
        )
    return PullAuth(SERVICE_PRINCIPAL)


def identity_sign_in(audience: str) -> str:
    """Return how an identity signs in that asks for this audience, which may be written as a scope."""
    resource = audience.lower().removesuffix(".default").rstrip("/")
    if resource == ACR_AUDIENCE:
        return IDENTITY_FOR_ACR
    return IDENTITY_FOR_ARM if resource.removeprefix("https://") in _ARM_HOSTS else MANAGED_IDENTITY


def principals_of_identity(row: Row, identity: str) -> frozenset[str]:
    """Return the object IDs of a resource's identity: by its resource ID or client ID, or `system`."""
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
    """Return these object IDs, and the client IDs of the same identities as far as a resource's row tells them."""
    try:
        assigned = list((member_at(row, "identity", "userAssignedIdentities") or {}).values())
        nodes = member_at(row, "kubelet")
        pairs = [(as_text(member_at(each, "principalId")), as_text(member_at(each, "clientId"))) for each in assigned]
        pairs.append((as_text(member_at(nodes, "objectId")), as_text(member_at(nodes, "clientId"))))
    except (UnexpectedShape, AttributeError):
        return set(object_ids)
    return {*object_ids, *(client.lower() for own, client in pairs if client and own.lower() in object_ids)}


def make_uses(row: Row, kind: str, found: Iterable[tuple[str, PullAuth]]) -> list[RegistryUse]:
    """Return one for each registry and way to sign in there."""
    common = (str(row["id"]), as_text(row.get("name")), kind)
    managed_by = as_text(row.get("managedBy"))
    return [
        RegistryUse(*common, registry, sign_in.how, sign_in.principals, sign_in.detail, managed_by, row)
        for registry, sign_in in dict.fromkeys(found)
    ]


def read_images_and_credentials(
    row: Row,
    kind: str,
    images: Iterable[str],
    credentials: Iterable[Row],
    *,
    sign_in: Callable[[Row, str], PullAuth],
    server: str,
    suffix: str,
) -> list[RegistryUse]:
    """Return the common form: images, and a list that says for each server how to sign in. Without an entry: anonymous.

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
    return make_uses(row, kind, [*found, *((host, PullAuth(ANONYMOUS)) for host in named if host not in listed)])

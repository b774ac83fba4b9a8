"""The tokens a registry issues itself: refresh tokens (three hours) and access tokens (75 minutes), with their rights.

Claims as in Azure's protocol document (github.com/Azure/acr, docs/AAD-OAuth.md).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from tests.localcloud.base.json_web_tokens import BadToken, Claims
from tests.localcloud.world import roles
from tests.localcloud.world.identities import Principal, User
from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import World

ISSUER = "Azure Container Registry"
TOKEN_USER = "00000000-0000-0000-0000-000000000000"
_RIGHTS = {"pull": roles.PULL, "push": roles.PUSH, "delete": roles.DELETE_ARTIFACT}
# Which right a scope's action needs; the metadata ones are Azure's own.
_NEEDS = {
    "pull": "pull",
    "push": "push",
    "delete": "delete",
    "metadata_read": "pull",
    "metadata_write": "push",
    "deleted_read": "pull",
    "deleted_restore": "push",
    "catalog": "pull",
    "deleted_catalog": "pull",
    "*": "pull",
}


@dataclass(frozen=True)
class Holder:
    """Somebody who may do something at a registry.

    rights: what may be done anywhere in it. grants: for the holder of an access token, the (type, name, action) that
    it stands for; None limits nothing.
    """

    name: str
    rights: frozenset[str]
    grants: frozenset[tuple[str, str, str]] | None = None

    def may(self, kind: str, name: str, action: str) -> bool:
        if self.grants is not None and (kind, name, action) not in self.grants:
            return False
        return _NEEDS.get(action) in self.rights


ADMIN_RIGHTS = frozenset(_RIGHTS)
ANONYMOUS = Holder("", frozenset({"pull"}))


def rights(world: World, registry: Registry, principal: Principal) -> frozenset[str]:
    """What the principal's roles let it do with the registry's content."""
    return frozenset(name for name, action in _RIGHTS.items() if world.allowed(principal, action, registry.id))


def refresh_token(world: World, registry: Registry, principal: Principal, tenant_id: str) -> str:
    now = int(world.now())
    claims: Claims = {
        "jti": str(uuid.uuid4()),
        "sub": principal.upn if isinstance(principal, User) else principal.app_id,
        "nbf": now,
        "exp": now + int(world.acr_refresh_lifetime),
        "iat": now,
        "iss": ISSUER,
        "aud": registry.login_server,
        "version": "1.0",
        "rid": uuid.uuid5(uuid.NAMESPACE_DNS, registry.login_server).hex,
        "grant_type": "refresh_token",
        "apphash": principal.object_id,
        "tenant": tenant_id,
        "permissions": {"actions": _permissions(rights(world, registry, principal)), "notActions": None},
        "roles": [],
        "oid": principal.object_id,
    }
    return world.secret(world.acr_key.sign(claims))


def _permissions(allowed: frozenset[str]) -> list[str]:
    """The words of the protocol document: read, write, delete and so on."""
    words = {"pull": ["read", "metadata/read"], "push": ["write", "metadata/write"], "delete": ["delete"]}
    return [word for right in ("pull", "push", "delete") if right in allowed for word in words[right]]


def read_refresh_token(world: World, registry: Registry, token: str) -> Holder | None:
    """Who holds a refresh token, or None when it is forged, expired or another registry's.

    Rights are looked up anew; a real registry may still honour the old ones for some minutes.
    """
    claims = _read(world, registry, token)
    if claims is None or claims.get("grant_type") != "refresh_token":
        return None
    principal = world.principals.get(str(claims.get("oid")))
    if principal is None:
        return None
    return Holder(str(claims["sub"]), rights(world, registry, principal))


def read_password(world: World, registry: Registry, password: str) -> Holder | None:
    """Who signs in as TOKEN_USER with this password: a refresh token, or an access token.

    An access token as the password is documented (docs/AAD-OAuth.md, "Docker login with ACR Access Token"). How the
    real service narrows what is asked then is not recorded; here nothing is granted that the token does not grant.
    """
    claims = read_access_token(world, registry, password)
    if claims is None:
        return read_refresh_token(world, registry, password)
    granted = ((one["type"], one["name"], action) for one in claims["access"] for action in one["actions"])
    return Holder(str(claims["sub"]), ADMIN_RIGHTS, frozenset(granted))


def access_token(world: World, registry: Registry, holder: Holder, scopes: list[str]) -> str:
    """An access token with as much of the asked scopes as the holder may have."""
    now = int(world.now())
    claims: Claims = {
        "jti": str(uuid.uuid4()),
        "sub": holder.name,
        "nbf": now,
        "exp": now + int(world.acr_access_lifetime),
        "iat": now,
        "iss": ISSUER,
        "aud": registry.login_server,
        "version": "1.0",
        "grant_type": "access_token",
        "access": access(holder, scopes),
        "roles": [],
    }
    # The certificate chain lets the docker-registry program behind a registry check the signature.
    return world.secret(world.acr_key.sign(claims, with_chain=True))


def access(holder: Holder, scopes: list[str]) -> list[dict[str, Any]]:
    """`repository:name:pull,push` as an access claim, without the actions the holder has no right to."""
    granted = []
    for scope in scopes:
        kind, _, rest = scope.partition(":")
        name, _, wanted = rest.rpartition(":")
        actions = wanted.split(",")
        if "*" in actions:
            actions = ["*"] if kind == "registry" else ["pull", "push", "delete"]
        allowed = [action for action in actions if holder.may(kind, name, action)]
        if name and allowed:
            granted.append({"type": kind, "name": name, "actions": allowed})
    return granted


def read_access_token(world: World, registry: Registry, token: str) -> Claims | None:
    claims = _read(world, registry, token)
    return claims if claims is not None and claims.get("grant_type") == "access_token" else None


def _read(world: World, registry: Registry, token: str) -> Claims | None:
    try:
        claims = world.acr_key.verify(token)
    except BadToken:
        return None
    now = world.now()
    in_time = claims.get("nbf", 0) <= now < claims.get("exp", 0)
    return claims if in_time and claims.get("aud") == registry.login_server else None

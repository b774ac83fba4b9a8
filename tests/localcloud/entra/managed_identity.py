"""Managed identity endpoints: the instance metadata service (IMDS) of a virtual machine, and App Service's own.

Documented at learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token and
learn.microsoft.com/azure/app-service/overview-managed-identity (REST endpoint reference).
"""

from __future__ import annotations

import secrets

from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.entra.token_endpoint import forced_error
from tests.localcloud.world.identities import ManagedIdentity
from tests.localcloud.world.world import World

IMDS_HOST = "169.254.169.254"
IMDS_PATH = "/metadata/identity/oauth2/token"
APP_SERVICE_PATH = "/msi/token"


class ManagedIdentityEndpoint:
    def __init__(self, world: World) -> None:
        self._world = world
        self.header = world.secret(secrets.token_hex(16))
        """What App Service hands to an app as IDENTITY_HEADER."""

    def answer(self, request: Request) -> Answer | None:
        """None when the path is not one of this endpoint's."""
        if request.path == IMDS_PATH:
            if request.headers.get("Metadata", "").lower() != "true":
                return _error(400, "invalid_request", "Required metadata header not specified")
            return self._token(request, app_service=False)
        if request.path == APP_SERVICE_PATH:
            if not secrets.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self.header):
                return _error(403, "forbidden", "X-IDENTITY-HEADER does not match")
            return self._token(request, app_service=True)
        return None

    def _token(self, request: Request, app_service: bool) -> Answer:
        resource = request.query.get("resource", "")
        if not resource or "api-version" not in request.query:
            missing = "resource" if not resource else "api-version"
            return _error(400, "invalid_request", f"Required query variable '{missing}' is missing")
        identity = self._choose(request)
        if isinstance(identity, str):
            return _error(400, "invalid_request", identity)
        forced = forced_error(self._world, identity, resource)
        if forced is not None:
            return _error(400, forced.error, f"AADSTS{forced.code}: {forced.description}")
        if resource not in self._world.resources:
            text = f"AADSTS500011: The resource principal named {resource} was not found in the tenant."
            return _error(400, "invalid_resource", text)
        claims = self._world.entra_claims(identity, resource)
        content = {
            "access_token": self._world.secret(self._world.entra_key.sign(claims)),
            "client_id": identity.client_id,
            "expires_on": str(claims["exp"]),
            "resource": resource,
            "token_type": "Bearer",
        }
        if not app_service:
            lifetime = str(claims["exp"] - claims["iat"])
            content |= {"expires_in": lifetime, "ext_expires_in": lifetime, "not_before": str(claims["nbf"])}
        return json_answer(200, content)

    def _choose(self, request: Request) -> ManagedIdentity | str:
        """The identity meant, or the documented text that says why there is none."""
        query = request.query
        wanted = query.get("client_id") or query.get("object_id") or query.get("principal_id")
        wanted = wanted or query.get("mi_res_id") or query.get("msi_res_id")
        identities = self._world.managed_identities
        if wanted:
            for identity in identities:
                if wanted.lower() in (identity.app_id, identity.object_id, identity.resource_id.lower()):
                    return identity
            return "Identity not found"
        system = [identity for identity in identities if identity.system_assigned]
        if system:
            return system[0]
        if len(identities) == 1:
            return identities[0]
        if identities:
            return (
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity "
                "in the token request"
            )
        return "Identity not found"


def _error(status: int, error: str, text: str) -> Answer:
    return json_answer(status, {"error": error, "error_description": text})

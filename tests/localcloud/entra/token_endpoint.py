"""Microsoft Entra ID on login.microsoftonline.com: discovery, and tokens for secrets, assertions, users and devices.

Shapes follow what MSAL reads, the recorded access token of 2026 and the error form that Microsoft documents
(learn.microsoft.com/entra/identity-platform/reference-error-codes); error texts are shortened where they are long.
"""

from __future__ import annotations

import base64
import datetime
import secrets
import urllib.parse
from typing import Any

from tests.localcloud.base.json_web_tokens import BadToken, Claims, SigningKey
from tests.localcloud.base.messages import Answer, Request, encode, json_answer
from tests.localcloud.world.identities import Principal, ServicePrincipal, User, new_id
from tests.localcloud.world.world import AZURE_CLI_CLIENT_ID, EntraError, Grace, Tenant, World

HOST = "login.microsoftonline.com"
_SHARED = ("common", "organizations", "consumers")
_PROTOCOL_SCOPES = {"openid", "profile", "offline_access", "email"}


class Refused(Exception):
    """An AADSTS error on its way to the client."""

    def __init__(self, status: int, error: str, code: int, text: str, **more: str | None) -> None:
        super().__init__(text)
        self.status, self.error, self.code, self.text = status, error, code, text
        self.more = {name: value for name, value in more.items() if value is not None}

    def answer(self, now: float) -> Answer:
        """The recorded form: the description ends with trace id, correlation id and time stamp, each on its line."""
        stamp = f"{datetime.datetime.fromtimestamp(now, datetime.timezone.utc):%Y-%m-%d %H:%M:%SZ}"
        trace, correlation = new_id(), new_id()
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.text}\r\nTrace ID: {trace}\r\n"
            f"Correlation ID: {correlation}\r\nTimestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{HOST}/error?code={self.code}",
        }
        return json_answer(self.status, body | self.more)


class Entra:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: Request) -> Answer:
        try:
            return self._route(request)
        except Refused as refusal:
            return refusal.answer(self._world.now())

    def _route(self, request: Request) -> Answer:
        tenant, _, rest = request.path.strip("/").partition("/")
        rest = rest.lower()
        if rest == "discovery/instance":
            return json_answer(200, self._instances())
        if rest in ("v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"):
            return json_answer(200, self._openid_configuration(tenant))
        if rest in ("discovery/v2.0/keys", "discovery/keys"):
            return json_answer(200, {"keys": [self._world.entra_key.jwk]})
        if rest.startswith("userrealm/"):
            return json_answer(200, self._user_realm(rest))
        if rest in ("oauth2/v2.0/token", "oauth2/token") and request.method == "POST":
            return self._token(tenant, request)
        if rest in ("oauth2/v2.0/devicecode", "oauth2/devicecode") and request.method == "POST":
            return json_answer(200, self._device_code(request))
        return json_answer(404, {"error": "not_found"})

    # Discovery

    def _instances(self) -> dict[str, Any]:
        return {
            "tenant_discovery_endpoint": f"https://{HOST}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": HOST,
                    "preferred_cache": "login.windows.net",
                    "aliases": [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
                }
            ],
        }

    def _tenant(self, named: str) -> Tenant:
        tenant = self._world.tenant(named)
        if tenant is None:
            raise Refused(
                400,
                "invalid_tenant",
                90002,
                f"Tenant '{named}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no "
                "active subscriptions for the tenant.",
            )
        return tenant

    def _openid_configuration(self, named: str) -> dict[str, Any]:
        shared = named.lower() in _SHARED
        tenant = named.lower() if shared else self._tenant(named).id
        base = f"https://{HOST}/{tenant}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"https://{HOST}/{'{tenantid}' if shared else tenant}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "tenant_region_scope": None if shared else "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }

    def _user_realm(self, path: str) -> dict[str, Any]:
        login = urllib.parse.unquote(path.rsplit("/", 1)[-1])
        return {
            "ver": "1.0",
            "account_type": "Managed" if self._world.user(login) else "Unknown",
            "domain_name": login.partition("@")[2],
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }

    # Tokens

    def _token(self, named: str, request: Request) -> Answer:
        form = request.form
        for held in ("client_secret", "password", "client_assertion"):
            self._world.secret(form.get(held, ""))
        tenant = None if named.lower() in _SHARED else self._tenant(named)
        grant = form.get("grant_type", "")
        # The device code grant has a long name too; MSAL sends the short one to old endpoints.
        if grant in ("urn:ietf:params:oauth:grant-type:device_code", "device_code"):
            grace = self._redeem_device_code(form)
            return self._for_user(grace, tenant, {**form, "scope": form.get("scope") or grace.scope})
        if grant == "client_credentials":
            return self._for_application(tenant, form)
        if grant == "password":
            return self._for_user(self._password(form), tenant, form)
        if grant == "refresh_token":
            return self._for_user(self._redeem_refresh_token(form), tenant, form)
        raise Refused(400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")

    def _for_application(self, tenant: Tenant | None, form: dict[str, str]) -> Answer:
        app_id = form.get("client_id", "")
        principal = self._world.service_principal(app_id)
        if principal is None or (tenant is not None and principal.tenant_id != tenant.id):
            where = tenant.name if tenant else "Microsoft Services"
            raise Refused(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{app_id}' was not found in the directory '{where}'. This can happen if "
                "the application has not been installed by the administrator of the tenant or consented to by any "
                "user in the tenant. You may have sent your authentication request to the wrong tenant.",
            )
        if "client_assertion" in form:
            self._check_assertion(principal, form["client_assertion"])
        elif not principal.secret or not secrets.compare_digest(form.get("client_secret", ""), principal.secret):
            raise Refused(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{app_id}'.",
            )
        resource = self._resource(principal, principal.tenant_id, form)
        return json_answer(200, self._access_token(principal, resource, principal.app_id, principal.tenant_id))

    def _check_assertion(self, principal: ServicePrincipal, assertion: str) -> None:
        """The principal's own certificate, or a federated credential: issuer, subject and audience must match one.

        Either way the assertion must be in its time.
        """
        own = principal.certificate and self._claims(principal.certificate, assertion)
        claims = own or self._claims(self._world.issuer_key, assertion)
        if not claims:
            raise Refused(401, "invalid_client", 700027, "Client assertion failed signature validation.")
        now = self._world.now()
        if not claims.get("nbf", 0) <= now < claims.get("exp", 0):
            raise Refused(
                401,
                "invalid_client",
                700024,
                "Client assertion is not within its valid time range. Current time: "
                f"{_iso(now)}, assertion valid from {_iso(claims.get('nbf', 0))}, expiry time of assertion "
                f"{_iso(claims.get('exp', 0))}. Review the documentation at "
                "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
            )
        if own:
            return
        issuers = [trust for trust in principal.federated if trust.issuer == claims.get("iss")]
        if not issuers:
            raise self._no_trust(700211, "issuer", claims.get("iss"))
        subjects = [trust for trust in issuers if trust.subject == claims.get("sub")]
        if not subjects:
            raise self._no_trust(700213, "subject", claims.get("sub"))
        if not any(trust.audience == claims.get("aud") for trust in subjects):
            raise self._no_trust(700212, "audience", claims.get("aud"))

    def _claims(self, key: SigningKey, assertion: str) -> Claims:
        """The claims of an assertion that this key signed; else none."""
        try:
            return key.verify(assertion)
        except BadToken:
            return {}

    def _no_trust(self, code: int, what: str, value: object) -> Refused:
        return Refused(
            401,
            "invalid_client",
            code,
            f"No matching federated identity record found for presented assertion {what} '{value}'. Check your "
            "federated identity credential Subject, Audience and Issuer against the presented assertion. "
            "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
        )

    def _password(self, form: dict[str, str]) -> Grace:
        user = self._world.user(form.get("username", ""))
        if user is None:
            raise Refused(
                400,
                "invalid_grant",
                50034,
                f"The user account {form.get('username', '')} does not exist in the directory. To sign into this "
                "application, the account must be added to the directory.",
            )
        if form.get("password") != user.password:
            raise Refused(
                400, "invalid_grant", 50126, "Error validating credentials due to invalid username or password."
            )
        return Grace(user, form.get("client_id", AZURE_CLI_CLIENT_ID))

    def _redeem_refresh_token(self, form: dict[str, str]) -> Grace:
        grace = self._world.refresh_tokens.get(form.get("refresh_token", ""))
        if grace is None:
            raise Refused(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
        if grace.revoked:
            raise Refused(400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked.")
        return grace

    def _device_code(self, request: Request) -> dict[str, Any]:
        """A code for the first user of the world, who approves at once."""
        user = next((one for one in self._world.principals.values() if isinstance(one, User)), None)
        if user is None:
            raise Refused(400, "invalid_request", 50059, "No tenant-identifying information found: there is no user.")
        code = self._world.secret(secrets.token_urlsafe(32))
        client_id = request.form.get("client_id", AZURE_CLI_CLIENT_ID)
        self._world.device_codes[code] = Grace(user, client_id, scope=request.form.get("scope", ""))
        return {
            "user_code": "LOCALCODE",
            "device_code": code,
            "verification_uri": "https://microsoft.com/devicelogin",
            "verification_url": "https://microsoft.com/devicelogin",
            "expires_in": 900,
            "interval": 1,
            "message": "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter "
            "the code LOCALCODE to authenticate.",
        }

    def _redeem_device_code(self, form: dict[str, str]) -> Grace:
        grace = self._world.device_codes.pop(form.get("device_code") or form.get("code", ""), None)
        if grace is None:
            raise Refused(400, "expired_token", 70020, "The provided device code has expired.")
        return grace

    def _for_user(self, grace: Grace, tenant: Tenant | None, form: dict[str, str]) -> Answer:
        user = grace.principal
        tenant_id = user.tenant_id if tenant is None else tenant.id
        if tenant_id not in user.tenant_ids:
            raise Refused(
                400,
                "invalid_grant",
                50020,
                f"User account '{user.upn}' from identity provider 'live.com' does not exist in tenant "
                f"'{tenant_id}' and cannot access the application '{grace.client_id}' in that tenant.",
            )
        resource = self._resource(user, tenant_id, form)
        answer = self._access_token(user, resource, grace.client_id, tenant_id)
        refresh = self._world.secret(f"1.{secrets.token_urlsafe(96)}")
        self._world.refresh_tokens[refresh] = Grace(user, grace.client_id)
        answer["scope"] = f"{resource.rstrip('/')}/user_impersonation {resource.rstrip('/')}/.default"
        answer["refresh_token"] = refresh
        answer["id_token"] = self._id_token(user, grace.client_id, tenant_id)
        answer["client_info"] = _base64({"uid": user.object_id, "utid": user.tenant_id})
        if grace.client_id == AZURE_CLI_CLIENT_ID:
            answer["foci"] = "1"
        return json_answer(200, answer)

    def _access_token(self, principal: Principal, resource: str, client_id: str, tenant_id: str) -> dict[str, Any]:
        claims = self._world.entra_claims(principal, resource, client_id, tenant_id)
        lifetime = int(self._world.token_lifetime)
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self._world.secret(self._world.entra_key.sign(claims)),
        }

    def _id_token(self, user: User, client_id: str, tenant_id: str) -> str:
        now = int(self._world.now())
        claims: Claims = {
            "aud": client_id,
            "iss": f"https://{HOST}/{tenant_id}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": user.upn.partition("@")[0],
            "oid": user.object_id,
            "preferred_username": user.upn,
            "sub": user.object_id,
            "tid": tenant_id,
            "ver": "2.0",
        }
        return self._world.secret(self._world.entra_key.sign(claims))

    # Resources and refusals

    def _resource(self, principal: Principal, tenant_id: str, form: dict[str, str]) -> str:
        """The resource asked for: `resource` (v1), or the one scope that names a resource (v2).

        `https://management.core.windows.net//.default` asks for the name with its slash: only the last one is cut.
        """
        resource = form.get("resource", "")
        for scope in form.get("scope", "").split():
            if scope not in _PROTOCOL_SCOPES:
                resource = scope.rpartition("/")[0] or scope
                break
        self._forced_error(principal, resource)
        if resource not in self._world.resources:
            tenant = self._world.tenant(tenant_id)
            raise Refused(
                400,
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named "
                f"{tenant.name if tenant else tenant_id}. This can happen if the application has not been installed "
                "by the administrator of the tenant or consented to by any user in the tenant. You might have sent "
                "your authentication request to the wrong tenant.",
            )
        return resource

    def _forced_error(self, principal: Principal, resource: str) -> None:
        forced = forced_error(self._world, principal, resource)
        if forced is not None:
            more = {"suberror": forced.suberror, "claims": forced.claims}
            raise Refused(400, forced.error, forced.code, forced.description, **more)


def forced_error(world: World, principal: Principal, resource: str) -> EntraError | None:
    """The refusal a test has ordered for this identity and audience, counted down."""
    for rule in list(world.entra_errors):
        meets = rule.object_id == principal.object_id and rule.audience == resource.rstrip("/")
        if meets and rule.times != 0:
            if rule.times is not None:
                rule.times -= 1
            return rule
    return None


def _iso(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S.0000000Z}"


def _base64(value: Any) -> str:
    return base64.urlsafe_b64encode(encode(value)).rstrip(b"=").decode()

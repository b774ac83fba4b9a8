"""A container registry's login server: challenge, /oauth2/exchange and /oauth2/token, and the gate before /v2/.

Recorded: the challenge and its body, the exchange's request and answer, the 401 for an identity without a role, 404 for
a GET on the exchange. Not recorded anywhere: what the exchange says to an ARM-audience token when the registry takes
only ACR-audience ones; the status 401 and the words "token validation failed" are documented, the rest is a guess.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import time
import uuid

from tests.localcloud.base.json_web_tokens import BadToken, Claims
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.registry import tokens
from tests.localcloud.registry.tokens import TOKEN_USER, Holder
from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import ACR_AUDIENCES, ARM_AUDIENCES, World

_HINT = "authentication required, visit https://aka.ms/acr/authorization for more information."
_REPOSITORY = re.compile(r"/v2/(?P<name>.+?)/(?:manifests|blobs|tags|referrers)(?:/|$)")


class RegistryDataPlane:
    def __init__(self, world: World) -> None:
        self._world = world
        self._windows: dict[str, tuple[float, int]] = {}

    def answer(self, request: Request, registry: Registry) -> Answer:
        """The answer to everything but a request that a docker-registry process is to handle (see `admits`)."""
        path = request.path
        if path in registry.answers:
            return registry.answers[path]
        if registry.firewall is not None and (path.startswith("/v2") or path == "/oauth2/exchange"):
            return _blocked(registry.firewall)
        if path.startswith("/oauth2/"):
            return self._oauth(request, registry)
        if path == "/v2" or path.startswith("/v2/"):
            return self._v2(request, registry)
        return _error(404, "NOT_FOUND", "404 page not found")

    def admits(self, request: Request, registry: Registry) -> bool:
        """Whether /v2/ may pass on a request: the firewall lets it in and its bearer token is valid."""
        if registry.firewall is not None or request.path in registry.answers or not request.path.startswith("/v2/"):
            return False
        token = request.bearer()
        return token is not None and tokens.read_access_token(self._world, registry, token) is not None

    # /v2/

    def _v2(self, request: Request, registry: Registry) -> Answer:
        if not self.admits(request, registry):
            return self._challenge(request, registry)
        if request.path == "/v2/":
            return json_answer(200, {}, {"Docker-Distribution-Api-Version": "registry/2.0"})
        match = _REPOSITORY.match(request.path)
        detail = {"name": match["name"] if match else request.path}
        return _error(404, "NAME_UNKNOWN", "repository name not known to registry", detail)

    def _challenge(self, request: Request, registry: Registry) -> Answer:
        # For a regional login server it is not known which name a challenge gives; here its own.
        realm = registry.challenge_realm or f"https://{request.host}/oauth2/token"
        value = f'Bearer realm="{realm}",service="{registry.challenge_service or request.host}"'
        scope = _scope(request)
        if scope:
            value += f',scope="{scope}"'
        if request.bearer() is not None:
            value += ',error="invalid_token"'
        if registry.challenge_header is not None:
            value = registry.challenge_header
        answer = _error(401, "UNAUTHORIZED", _HINT, _detail(scope))
        answer.body += b"\n"
        answer.headers |= {
            "Docker-Distribution-Api-Version": "registry/2.0",
            "Access-Control-Expose-Headers": "Docker-Content-Digest, WWW-Authenticate, Link, "
            "X-Ms-Correlation-Request-Id",
            **({"WWW-Authenticate": value} if value else {}),
        }
        return answer

    # /oauth2/

    def _oauth(self, request: Request, registry: Registry) -> Answer:
        wait = self._wait(registry)
        if wait:
            answer = _error(429, "TOOMANYREQUESTS", "too many requests")
            answer.headers["Retry-After"] = str(wait)
            return answer
        if request.path == "/oauth2/exchange" and request.method == "POST":
            answer = self._exchange(request, registry)
            self._log(request, registry, answer.status)
        elif request.path == "/oauth2/token" and request.method in ("GET", "POST"):
            answer = self._token(request, registry)
        else:
            return _error(404, "NOT_FOUND", "404 page not found")
        answer.headers |= {
            "X-Ms-Correlation-Request-Id": str(uuid.uuid4()),
            "X-Ms-Ratelimit-Remaining-Calls-Per-Second": "166.65",
        }
        return answer

    def _log(self, request: Request, registry: Registry, status: int) -> None:
        """That the exchange is a login event, and what of it is in which column, is a guess (see logs).

        Everybody comes from loopback here: a client of a test names another address in X-Forwarded-For.
        """
        claims = self._entra_claims(request.form.get("access_token", "")) or {}
        names = status == 200 or self._world.logs.refusals_name_identity
        self._world.logs.write(
            registry,
            status,
            CallerIpAddress=request.headers.get("X-Forwarded-For", "127.0.0.1"),
            Identity=str(claims.get("oid", "")) if names else "",
            JwtId=str(claims.get("uti", "")) if names else "",
            LoginServer=request.host,
            UserAgent=request.headers.get("User-Agent", ""),
        )

    def _wait(self, registry: Registry) -> int:
        """Seconds until the registry's minute is over, when its limit is used up; documented to count down."""
        if registry.oauth_limit is None:
            return 0
        now = time.monotonic()
        begun, used = self._windows.get(registry.id, (now, 0))
        if now - begun >= 60:
            begun, used = now, 0
        if used >= registry.oauth_limit:
            return max(1, int(60 - (now - begun)) + 1)
        self._windows[registry.id] = (begun, used + 1)
        return 0

    def _exchange(self, request: Request, registry: Registry) -> Answer:
        form = request.form
        # Deprecated grants are still sent by the AKS kubelet; anything else is refused. That status is not recorded.
        if form.get("grant_type") not in ("access_token", "access_token_refresh_token"):
            return _error(400, "UNSUPPORTED", "unsupported grant_type")
        if form.get("service", "").lower() not in registry.login_servers:
            return _unauthorized(_HINT)
        claims = self._entra_claims(form.get("access_token", ""))
        if claims is None or not self._audience_taken(registry, claims):
            return _unauthorized("token validation failed.")
        tenant = form.get("tenant")
        if tenant and tenant.lower() != str(claims.get("tid")).lower():
            return _unauthorized(_HINT)
        # A registry knows the identities of its own tenant only.
        home = self._world.subscription(registry.id.split("/")[2])
        if home is not None and str(claims.get("tid")).lower() != home.tenant_id.lower():
            return _unauthorized(_HINT)
        principal = self._world.principals.get(str(claims.get("oid")))
        if principal is None or not tokens.rights(self._world, registry, principal):
            return _unauthorized(_HINT)
        token = tokens.refresh_token(self._world, registry, principal, str(claims["tid"]))
        return json_answer(200, {"refresh_token": token})

    def _entra_claims(self, token: str) -> Claims | None:
        try:
            claims = self._world.entra_key.verify(token)
        except BadToken:
            return None
        return claims if claims.get("nbf", 0) <= self._world.now() < claims.get("exp", 0) else None

    def _audience_taken(self, registry: Registry, claims: Claims) -> bool:
        audience = claims.get("aud")
        return audience in ACR_AUDIENCES or (audience in ARM_AUDIENCES and registry.takes_arm_tokens)

    def _token(self, request: Request, registry: Registry) -> Answer:
        form = request.form if request.method == "POST" else request.query
        if form.get("service", "").lower() not in registry.login_servers:
            return _unauthorized(_HINT)
        holder = self._holder(request, form, registry)
        if holder is None:
            return _unauthorized(_HINT)
        scopes = [scope for value in request.scopes for scope in value.split()]
        answer = {"access_token": tokens.access_token(self._world, registry, holder, scopes)}
        offline = self._offline_token(request, form, registry)
        return json_answer(200, {**answer, **({"refresh_token": offline} if offline else {})})

    def _offline_token(self, request: Request, form: dict[str, str], registry: Registry) -> str | None:
        """The refresh token for a client that asks for one, as `docker login` does and then keeps as identitytoken.

        That docker keeps one for ACR is known; whether it is the one that was the password is not, here it is.
        """
        if form.get("offline_token") != "true" and form.get("access_type") != "offline":
            return None
        _, password = _basic(request) or ("", form.get("password", ""))
        return password if tokens.read_refresh_token(self._world, registry, password) else None

    def _holder(self, request: Request, form: dict[str, str], registry: Registry) -> Holder | None:
        if request.method == "POST" and form.get("grant_type") == "refresh_token":
            return tokens.read_refresh_token(self._world, registry, form.get("refresh_token", ""))
        if request.method == "POST" and form.get("grant_type") != "password":
            return None
        login = _basic(request) or (form.get("username", ""), form.get("password", ""))
        if login == ("", ""):
            return tokens.ANONYMOUS if registry.anonymous_pull else None
        return self._log_in(registry, *login)

    def _log_in(self, registry: Registry, user: str, password: str) -> Holder | None:
        if user.lower() == registry.name.lower():
            right = any(secrets.compare_digest(password.encode(), one.encode()) for one in registry.admin_passwords)
            return Holder(user, tokens.ADMIN_RIGHTS) if right and registry.admin_enabled else None
        if user == TOKEN_USER:
            return tokens.read_password(self._world, registry, password)
        return None


def _scope(request: Request) -> str:
    """The scope that a request to /v2/ needs, as a challenge names it."""
    if request.path.startswith("/v2/_catalog"):
        return "registry:catalog:*"
    match = _REPOSITORY.match(request.path)
    if match is None:
        return ""
    if request.method == "DELETE":
        return f"repository:{match['name']}:delete"
    return f"repository:{match['name']}:{'pull' if request.method in ('GET', 'HEAD') else 'pull,push'}"


def _detail(scope: str) -> object:
    if not scope:
        return None
    kind, name, actions = scope.split(":", 2)
    return [{"Type": kind, "Name": name, "Action": action} for action in actions.split(",")]


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _error(status: int, code: str, message: str, detail: object = None) -> Answer:
    """The envelope of the distribution protocol; with `detail`, as the challenge was recorded."""
    error: dict[str, object] = {"code": code, "message": message}
    if code in ("UNAUTHORIZED", "NAME_UNKNOWN"):
        error["detail"] = detail
    return json_answer(status, {"errors": [error]}, {"Server": "openresty"})


def _unauthorized(message: str) -> Answer:
    """A refusal by /oauth2/*: no detail, and a correlation id at the end (recorded 2026)."""
    text = f"{message} CorrelationId: {uuid.uuid4()}"
    return json_answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": text}]}, {"Server": "openresty"})


def _blocked(address: str) -> Answer:
    message = f"client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
    return _error(403, "DENIED", message)

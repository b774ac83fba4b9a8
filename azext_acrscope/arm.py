"""Requests to Azure Resource Manager, with the host CLI's own sign-in, headers, retries and safe logging.

Built on azure-core's pipeline instead of a generated client: it binds to no model class (they change between CLI
versions), sends exactly the members we mean to change, tells a missing property from a default one, and loads faster.
"""

import re
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger

from azext_acrscope import _errors
from azext_acrscope.first_hop import account_of, refusals
from azext_acrscope.tokens import plain

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_RETRIES = 4
_RETRY_SECONDS = 180  # no further try of a request after so long
# A PATCH or a PUT to one fixed value, a DELETE and a query are as safe to repeat as a GET.
_REPEATABLE = frozenset({"GET", "PATCH", "POST", "PUT", "DELETE"})
_LONGEST_WAIT, _UNSAID_SECONDS = 60.0, 3.0
_MAX_PAGES = 1000
# What of an answer is repeated as an assignment's ID, in commands to type among others: nothing that a shell reads.
_ASSIGNMENT_ID = re.compile(r"/[\w .()/-]{1,400}/policyAssignments/[\w .()#,@=~-]{1,128}", re.ASCII | re.IGNORECASE)
_ONE_ASKS = threading.Lock()  # for a token: the others find it in the CLI's cache

logger = get_logger(__name__)


@dataclass(frozen=True)
class Reply:
    """ARM's answer below 400: status, headers (any case) and the body as JSON, None where there was none."""

    status: int
    headers: Any
    body: Any

    @property
    def retry_after(self) -> float:
        """The seconds that the header Retry-After asks to wait; 0 without it."""
        return _seconds(self.headers.get("Retry-After"))


class ArmError(Exception):
    """ARM's answer of 300 or more. The rooms turn it into a typed error with `as_cli_error`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        correlation: str,
        retry_after: float = 0.0,
        assignments: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"{code} (HTTP {status})")
        self.status, self.code, self.message, self.correlation = status, code, message, correlation
        self.retry_after = retry_after  # seconds; 0 where ARM did not say
        self.assignments = assignments  # IDs of the Azure Policy assignments that refused it

    def as_cli_error(self, where: str, action: str) -> AzCLIError:
        if self.code == "RequestDisallowedByPolicy":
            return _errors.policy_disallows(where, self.message, list(self.assignments), self.correlation)
        return _errors.arm_refused(where, action, self.status, self.code, self.message, self.correlation)


class Arm:
    """A connection to ARM as the account of one subscription."""

    def __init__(
        self, cli_ctx: Any, subscription_id: str | None = None, patient: bool = True, connections: int = 10
    ) -> None:
        """Sign in as the CLI account of `subscription_id`; by default of --subscription or the one in use.

        A subscription the CLI has not listed (it was given in a resource ID) is asked for as the account in use.

        :param patient: whether a request that fails in a way that passes (429, 5xx, a broken connection) is repeated
            here; a fleet does that itself.
        :param connections: how many are kept open; more threads than that would open and close them.

        :raises AuthenticationError: not signed in.
        :raises InvalidArgumentValueError: the subscription named with --subscription is not the account's.
        """
        from azure.cli.core._profile import Profile

        profile = Profile(cli_ctx=cli_ctx)
        account = account_of(profile, cli_ctx, subscription_id)
        self.subscription_id: str = subscription_id or account["id"]
        self.tenant: str = account["tenantId"]
        self.has_subscription: bool = self.subscription_id != self.tenant  # else a tenant-level account
        self.audience: str = cli_ctx.cloud.endpoints.active_directory_resource_id
        self.endpoint: str = cli_ctx.cloud.endpoints.resource_manager.rstrip("/")
        credential, _, _ = profile.get_login_credentials(subscription_id=account["id"])
        self._patient = patient
        guarded = _Credential(credential, self.audience, account)
        self._client = _pipeline_client(cli_ctx, guarded, self.endpoint, self.audience, connections)

    def get(self, path: str, api_version: str, **query: str) -> Reply:
        return self._send("GET", self.endpoint + path, {**query, "api-version": api_version})

    def patch(self, path: str, api_version: str, body: dict[str, Any]) -> Reply:
        return self._send("PATCH", self.endpoint + path, {"api-version": api_version}, body)

    def put(self, path: str, api_version: str, body: dict[str, Any]) -> Reply:
        return self._send("PUT", self.endpoint + path, {"api-version": api_version}, body)

    def delete(self, path: str, api_version: str) -> Reply:
        return self._send("DELETE", self.endpoint + path, {"api-version": api_version})

    def post(self, path: str, api_version: str, body: dict[str, Any] | None = None, **query: str) -> Reply:
        """POST a query or an action that can be repeated."""
        return self._send("POST", self.endpoint + path, {**query, "api-version": api_version}, body)

    def follow(self, url: str, method: str = "GET") -> Reply:
        """Ask at a URL that ARM handed out (next page, operation status): only at its own host, for it gets our token.

        :raises AzureResponseError: if the URL leads elsewhere.
        """
        if not self.owns(url):
            raise _errors.arm_link_refused(self.endpoint)
        return self._send(method, url, {})

    def owns(self, url: Any) -> bool:
        """Whether a URL is one of ARM itself."""
        try:
            ours, theirs = urlsplit(self.endpoint), urlsplit(str(url))
            return (theirs.scheme, theirs.hostname, theirs.port or 443) == ("https", ours.hostname, ours.port or 443)
        except ValueError:
            return False

    def pages(self, path: str, api_version: str, **query: str) -> list[dict[str, Any]]:
        """All items of a paged list. A page may be empty and still link to a next one (recorded).

        :raises AzureResponseError: an answer is no page; the list would not be whole.
        """
        return self._all(self.get(path, api_version, **query), "GET")

    def posted_pages(self, path: str, api_version: str, **query: str) -> list[dict[str, Any]]:
        """The same for a list that is asked for with POST, as those of Microsoft.PolicyInsights are; its next pages,
        too (Azure's own clients disagree on that: where POST is not taken, GET is tried).
        """
        return self._all(self.post(path, api_version, None, **query), "POST")

    def _all(self, reply: Reply, method: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        seen = set[str]()
        for _ in range(_MAX_PAGES):
            body = reply.body if isinstance(reply.body, dict) else {}
            page, link = body.get("value"), body.get("nextLink") or body.get("@odata.nextLink")
            if not isinstance(page, list) or not all(isinstance(item, dict) for item in page) or str(link) in seen:
                break
            items += page
            if not link:
                return items
            seen.add(str(link))
            reply = self._next(str(link), method)
        raise _errors.not_a_list(self.endpoint)

    def _next(self, link: str, method: str) -> Reply:
        try:
            return self.follow(link, method)
        except ArmError as error:
            if method == "GET" or error.status not in (404, 405):
                raise
            return self.follow(link)

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        from azure.core.exceptions import AzureError, HttpResponseError, IncompleteReadError
        from azure.core.rest import HttpRequest
        from requests.exceptions import RequestException

        request = HttpRequest(method, url, params=query, json=body)
        try:
            options = {"retry_on_methods": _REPEATABLE} if self._patient else {"retry_total": 0}
            try:
                response = self._client.send_request(request, **options)
            except IncompleteReadError:  # the answer broke off, which azure-core's retry policy does not see
                if not self._patient:
                    raise
                response = self._client.send_request(request, **options)
        except (AzureError, RequestException) as cause:
            if isinstance(cause, HttpResponseError) and not isinstance(cause, IncompleteReadError):
                raise
            raise _errors.arm_unreachable(self.endpoint, cause) from None
        content = _json(response)
        if response.status_code >= 300:
            raise error(response.status_code, response.headers, response.reason, content)
        return Reply(response.status_code, response.headers, content)


class _Credential:
    """The CLI's credential, whose failures are errors of signing in and not of reaching ARM."""

    def __init__(self, credential: Any, audience: str, account: dict[str, Any]) -> None:
        self._credential, self._audience, self._account = credential, audience, account

    def get_token(self, *scopes: str, **options: Any) -> Any:
        with _ONE_ASKS, refusals(self._audience, self._account):
            return self._credential.get_token(*scopes, **options)

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        with _ONE_ASKS, refusals(self._audience, self._account):
            return self._credential.get_token_info(*scopes, options=options)


def _pipeline_client(cli_ctx: Any, credential: Any, endpoint: str, audience: str, connections: int) -> Any:
    """The pipeline a generated management client has in this CLI, less redirects and provider registration."""
    from azure.cli.core.auth.util import resource_to_scopes
    from azure.cli.core.commands.client_factory import prepare_client_kwargs_track2
    from azure.core.pipeline import policies
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt.core import ARMPipelineClient
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
    from requests import Session
    from requests.adapters import HTTPAdapter

    from azext_acrscope._connection import redact_logs

    class Patience(policies.RetryPolicy):
        """Heeds Retry-After up to a minute, and says so when it is long."""

        def get_retry_after(self, response: Any) -> float | None:
            wait = _seconds(response.http_response.headers.get("Retry-After")) or None
            if wait and wait > _UNSAID_SECONDS:
                logger.warning("Azure Resource Manager asks to wait: trying again in %d s.", wait)
            return wait

    redact_logs()
    kwargs = prepare_client_kwargs_track2(cli_ctx)
    pipeline = [
        policies.RequestIdPolicy(**kwargs),
        policies.HeadersPolicy(**kwargs),
        kwargs["user_agent_policy"],
        policies.ProxyPolicy(**kwargs),
        Patience(retry_total=_RETRIES, timeout=_RETRY_SECONDS, **kwargs),
        ARMChallengeAuthenticationPolicy(credential, *resource_to_scopes(audience)),
        kwargs.get("custom_hook_policy") or policies.CustomHookPolicy(**kwargs),  # --acquire-policy-token
        kwargs["logging_policy"],
    ]
    session = Session()
    session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=connections))
    transport = RequestsTransport(
        session=session,
        connection_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        **{key: value for key, value in kwargs.items() if key == "connection_verify"},
    )
    return ARMPipelineClient(endpoint, policies=pipeline, transport=transport)


def _seconds(header: Any) -> float:
    """A Retry-After in seconds, at most a minute; ARM sends no dates in it."""
    text = str(header or "")
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdecimal() else 0.0


def _json(response: Any) -> Any:
    try:
        return response.json() if response.content else None
    except (ValueError, RecursionError):
        return None


def error(status: int, headers: Any, reason: str | None, content: Any) -> ArmError:
    """ARM's envelope is ``{"error": {"code", "message"}}``; what is not in that form is not quoted."""
    envelope = content.get("error") if isinstance(content, dict) else None
    envelope = envelope if isinstance(envelope, dict) else {}
    return ArmError(
        status,
        plain(envelope.get("code") or "no error code"),
        str(envelope.get("message") or plain(reason or "")),
        plain(headers.get("x-ms-correlation-request-id") or "unknown"),
        _seconds(headers.get("Retry-After")),
        _assignments(envelope),
    )


def _assignments(envelope: dict[str, Any]) -> tuple[str, ...]:
    """The assignments of Azure Policy that refused a write: `additionalInfo` of the type PolicyViolation (logs)."""
    info = envelope.get("additionalInfo")
    details = [each.get("info") for each in info if isinstance(each, dict)] if isinstance(info, list) else []
    found = [str(each.get("policyAssignmentId")) for each in details if isinstance(each, dict)]
    return tuple(dict.fromkeys(each for each in found if _ASSIGNMENT_ID.fullmatch(each)))

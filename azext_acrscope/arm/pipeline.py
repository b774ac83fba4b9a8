"""Requests to one of Azure's services as the account of the CLI: sign-in, headers, retries, safe logging.

Built on azure-core's pipeline, as generated clients are. That of the registries sends through it as well.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from knack.log import get_logger

from azext_acrscope.arm import errors
from azext_acrscope.base import http, logs
from azext_acrscope.base.foreign_json import parse_json
from azext_acrscope.base.tokens import parse_json_object
from azext_acrscope.hops.entra import call_entra

_CONNECT_SECONDS = 10
_RETRIES = 4
_RETRY_SECONDS = 180  # no further try of a request after so long
# A PATCH or a PUT to one fixed value, a DELETE and a query are as safe to repeat as a GET.
_REPEATABLE = frozenset({"GET", "PATCH", "POST", "PUT", "DELETE"})
_LONGEST_WAIT, _SILENT_WAIT_SECONDS = 60.0, 3.0
_TOKEN_LOCK = threading.Lock()  # for a token: the others find it in the CLI's cache

logger = get_logger(__name__)


class ServiceEndpoint(NamedTuple):  # pylint: disable=too-many-instance-attributes  # plain data
    """Who is asked: `endpoint` (https://host, without a slash at its end) gets tokens for `audience`, nobody else does.

    :ivar name: as people know it.
    :ivar read_seconds: between two packets of an answer.
    :ivar largest: bytes of an answer; what is longer counts as no JSON. 0: any.
    :ivar takes_policy_tokens: whether --acquire-policy-token is about its requests.
    :ivar headers: names and values that go with every request.
    :ivar is_logged: whether --debug shows requests and answers as a whole; not where they tell of people.
    """

    name: str
    endpoint: str
    audience: str
    read_seconds: int = 60
    largest: int = 0
    takes_policy_tokens: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    is_logged: bool = True


class Reply(NamedTuple):
    """An answer: status, headers (any case), the body as JSON (None where there was none) and the reason phrase."""

    status: int
    headers: Any
    body: Any
    reason: str = ""

    @property
    def retry_after(self) -> float:
        """Return the seconds to wait by the header Retry-After, at most a minute; 0 without it or with a date."""
        return retry_after_seconds(self.headers.get("Retry-After"))


class Pipeline:  # pylint: disable=too-few-public-methods  # a connection, made once
    """A connection to a service as one account of the CLI."""

    def __init__(
        self, cli_ctx: Any, service: ServiceEndpoint, profile: Any, account: dict[str, Any], connections: int = 1
    ) -> None:
        """:param account: the CLI's account whose tokens are sent.
        :param connections: how many are kept open; more threads than that would open and close them.
        """
        # MSAL connects to Entra ID when it is made, and reads the CLI's files.
        credential, _, _ = call_entra(
            lambda: profile.get_login_credentials(subscription_id=account["id"]), service.audience, account
        )
        self._service = service
        self.credential = _GuardedCredential(credential, service.audience, account)
        self._client = _build_client(cli_ctx, self.credential, service, connections)

    def send(self, method: str, url: str, query: dict[str, str], body: Any = None, patient: bool = True) -> Reply:
        """Return the answer, whatever its status; redirects are not followed.

        :param patient: whether a request that fails in a way that passes (429, 5xx, a broken connection) is repeated.
        :raises AzureConnectionError: the service could not be reached, or the answer broke off.
        """
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        request = HttpRequest(method, url, params=query, json=body, headers=dict(self._service.headers))
        options: dict[str, Any] = {"retry_on_methods": _REPEATABLE} if patient else {"retry_total": 0}
        try:
            if not patient:
                return self._answer(request, options)
            return http.repeat_if_cut_short(lambda: self._answer(request, options))
        except (AzureError, RequestException, HTTPError) as cause:
            raise errors.service_unreachable(self._service.name, self._service.endpoint, cause) from None
        except ValueError as cause:  # a challenge in its headers that is no base64, which azure-core decodes
            raise errors.answer_unreadable(self._service.name, self._service.endpoint, type(cause).__name__) from None

    def _answer(self, request: Any, options: dict[str, Any]) -> Reply:
        bounded = bool(self._service.largest)
        response = self._client.send_request(request, stream=bounded, **options)
        content = _read_bounded(response, self._service.largest) if bounded else response.content
        return Reply(response.status_code, response.headers, parse_json(content), response.reason or "")


class _GuardedCredential:
    """The CLI's credential, whose failures are errors of signing in and not of reaching the service."""

    def __init__(self, credential: Any, audience: str, account: dict[str, Any]) -> None:
        self._credential, self._audience, self._account = credential, audience, account

    def get_token(self, *scopes: str, **options: Any) -> Any:
        return self._call(lambda: self._credential.get_token(*scopes, **options), options)

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        return self._call(lambda: self._credential.get_token_info(*scopes, options=options), options or {})

    def _call(self, request: Callable[[], Any], options: Mapping[str, Any]) -> Any:
        """Call the CLI.

        :raises ValueError: the claims of a challenge, which MSAL reads without care, are no JSON object.
        """
        if options.get("claims") and not parse_json_object(options["claims"]):
            raise ValueError("claims")
        with _TOKEN_LOCK:
            return call_entra(request, self._audience, self._account)


def _build_client(cli_ctx: Any, credential: Any, service: ServiceEndpoint, connections: int) -> Any:
    """The pipeline a generated management client has in this CLI, less redirects and provider registration."""
    from azure.cli.core.auth.util import resource_to_scopes
    from azure.cli.core.commands.client_factory import prepare_client_kwargs_track2
    from azure.core.pipeline import policies
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt.core import ARMPipelineClient
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
    from requests import Session
    from requests.adapters import HTTPAdapter

    class Challenges(ARMChallengeAuthenticationPolicy):
        """Answers a claims challenge (Continuous Access Evaluation) if it can be read; else the 401 stands."""

        def on_challenge(self, request: Any, response: Any) -> bool:
            """Return whether the request has a new token and should be sent again."""
            try:
                return bool(super().on_challenge(request, response))
            except ValueError:  # the claims are no base64, no UTF-8, or no JSON
                return False

    class Patience(policies.RetryPolicy):
        """Heeds Retry-After up to a minute, and says so when it is long."""

        def get_retry_after(self, response: Any) -> float | None:
            """Return the seconds to wait before the next try; None if the answer does not say."""
            wait = retry_after_seconds(response.http_response.headers.get("Retry-After")) or None
            if wait and wait > _SILENT_WAIT_SECONDS:
                logger.warning("%s asked to wait. Retrying in %d s.", service.name, wait)
            return wait

    kwargs = prepare_client_kwargs_track2(cli_ctx)
    policy_tokens = kwargs.get("custom_hook_policy") if service.takes_policy_tokens else None
    pipeline = [
        policies.RequestIdPolicy(**kwargs),
        policies.HeadersPolicy(**kwargs),
        kwargs["user_agent_policy"],
        policies.ProxyPolicy(**kwargs),
        Patience(retry_total=_RETRIES, timeout=_RETRY_SECONDS, **kwargs),
        Challenges(credential, *resource_to_scopes(service.audience)),
        policy_tokens or policies.CustomHookPolicy(**kwargs),  # --acquire-policy-token
        # Left out, and not only told so with each request: a claims challenge sends one again without what it was told.
        # Also where nobody would see it, because it writes down the whole of each answer, and tokens are looked for.
        *([kwargs["logging_policy"]] if service.is_logged and logs.is_debug_heard() else []),
    ]
    session = Session()
    session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=connections))
    transport = RequestsTransport(
        session=session,
        connection_timeout=_CONNECT_SECONDS,
        read_timeout=service.read_seconds,
        **{key: value for key, value in kwargs.items() if key == "connection_verify"},
    )
    return ARMPipelineClient(service.endpoint, policies=pipeline, transport=transport)


def retry_after_seconds(header: Any, longest: float = _LONGEST_WAIT) -> float:
    """Return a Retry-After in seconds, by default at most a minute; Azure's services send no dates in it."""
    text = str(header or "")
    return min(float(text), longest) if text.isascii() and text.isdecimal() else 0.0


def _read_bounded(response: Any, largest: int) -> bytes:
    """The body of a streamed answer; nothing where it is longer than that."""
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > largest:
            response.close()
            return b""
    return bytes(body)

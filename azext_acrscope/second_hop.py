"""Second hop: the login server turns an Entra token into an ACR refresh token.

Wire format, as recorded: ``GET /v2/`` answers 401 with ``WWW-Authenticate: Bearer realm="https://HOST/oauth2/token",
service="HOST"``; ``POST /oauth2/exchange`` with the form ``grant_type=access_token&service=…&tenant=…&access_token=…``
answers ``{"refresh_token": "…"}``. Errors come as ``{"errors": [{"code", "message"}]}``.

The token goes to `https://HOST/oauth2/exchange` of a host that passed `hosts.check_login_server`, and nowhere else:
the connection is a pool that knows this one host and TLS only, redirects are refused, the challenge must name that very
host, and neither logs nor errors hold bodies.
"""

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import parse_http_list, parse_keqv_list

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry, Timeout

from azext_acrscope import _connection, _errors, hosts
from azext_acrscope.tokens import EntraToken, RefreshToken, claims, expiry, json_object, plain

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0  # the latter between two packets
TOTAL_SECONDS = 200.0  # for one request with all its tries, waits and packets
_TRIES = 4
_LONGEST_WAIT = 60  # seconds; ACR's Retry-After counts down from at most that
_LARGEST_BODY = 256 * 1024

logger = get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a login server answered; `headers` takes names in any case."""

    status: int
    headers: Any
    body: bytes


class Exchange:
    """The second hop with one login server, in two requests.

    The first, for the challenge, carries no token: it is sent at once, in the background, while the first hop is made.
    """

    def __init__(self, login_server: str, suffix: str) -> None:
        """Begin.

        :param login_server: a host that `hosts.check_login_server` returned.
        :param suffix: the cloud's login server suffix.
        """
        self._login_server, self._suffix = login_server, suffix
        self._pool = _connection.pool(login_server)
        self._service = _in_background(self._ask)

    def finish(self, token: EntraToken) -> RefreshToken:
        """Exchange an Entra token for a refresh token.

        :raises AzureConnectionError: no connection, or an untrusted certificate.
        :raises ForbiddenError: the registry refuses this machine's network.
        :raises UnauthorizedError: the registry refuses this token.
        :raises AzureResponseError, AzureInternalError: any other answer, 429 and 5xx after bounded retries.
        """
        form = {
            "grant_type": "access_token",
            "service": self._result(self._service),
            "tenant": token.tenant,
            "access_token": token.value,
        }
        with self._pool:
            answer = self._result(
                _in_background(lambda: _send(self._pool, "POST", self._login_server, "/oauth2/exchange", form))
            )
        return read_exchange(answer, self._login_server, self._suffix, token)

    def _ask(self) -> str:
        answer = _send(self._pool, "GET", self._login_server, "/v2/")
        return read_challenge(answer, self._login_server, self._suffix)

    def _result(self, future: "Future[T]") -> T:
        try:
            return future.result(TOTAL_SECONDS)
        except FutureTimeout:
            raise _errors.login_server_slow(self._login_server, TOTAL_SECONDS) from None


def _in_background(work: Callable[[], T]) -> "Future[T]":
    """Do the work in a thread of its own, so that it can be given up whatever a server does.

    A daemon: nobody waits for it at the end of the program.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (whatever it is, who asks for the result gets it)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def read_challenge(answer: Answer, login_server: str, suffix: str) -> str:
    """The service to name in the exchange, from the registry's answer to a request without a credential.

    A container client will follow the realm named here with its credential, so a realm elsewhere ends the sign-in.
    """
    if answer.status == 403:
        raise _errors.network_refused(login_server, *envelope(answer))
    if answer.status == 429 or answer.status >= 500:
        raise _refusal(answer, login_server)
    realm, service = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
    if answer.status != 401 or not realm:
        raise _errors.no_challenge(login_server, answer.status, "it sent no Bearer challenge")
    if not hosts.is_own_realm(realm, login_server):
        raise _errors.foreign_realm(login_server, realm)
    if not hosts.is_own_service(service, login_server, suffix):
        raise _errors.no_challenge(login_server, answer.status, f"its challenge names the service '{plain(service)}'")
    return service


def parse_challenge(header: str) -> tuple[str, str]:
    """The realm and the service of a WWW-Authenticate header of the scheme Bearer; empty where it names none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "bearer":
        return "", ""
    items = [item for item in parse_http_list(rest) if re.match(r"[a-z_]+=.", item)]
    parameters = parse_keqv_list(items)
    return parameters.get("realm") or "", parameters.get("service") or ""


def read_exchange(answer: Answer, login_server: str, suffix: str, token: EntraToken) -> RefreshToken:
    """The refresh token of a registry's answer to the exchange."""
    if answer.status == 403:
        raise _errors.network_refused(login_server, *envelope(answer))
    if answer.status != 200:
        raise _refusal(answer, login_server, token)
    correlation = _correlation(answer)
    value = json_object(answer.body).get("refresh_token")
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise _errors.bad_exchange_answer(login_server, "no refresh token", correlation)
    token_claims = claims(value)
    meant_for = token_claims.get("aud", login_server)
    if not hosts.is_own_service(meant_for, login_server, suffix):
        raise _errors.bad_exchange_answer(login_server, f"a refresh token for '{plain(meant_for)}'", correlation)
    return RefreshToken(value, login_server, expiry(token_claims))


def _refusal(answer: Answer, login_server: str, token: EntraToken | None = None) -> AzCLIError:
    code, _, correlation = envelope(answer)
    retry_after = answer.headers.get("Retry-After", "")
    return _errors.exchange_refused(
        login_server,
        answer.status,
        code,
        correlation,
        retry_after if retry_after.isdigit() else "",
        token.tenant if token else "unknown",
        token.audience if token else "unknown",
    )


def _send(
    pool: HTTPSConnectionPool, method: str, login_server: str, path: str, form: dict[str, str] | None = None
) -> Answer:
    """One request to the login server; redirects are refused, and a body beyond the limit counts as none."""
    headers = {"User-Agent": _connection.user_agent()}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        response = pool.urlopen(
            method,
            path,
            body=urlencode(form) if form else None,
            headers=headers,
            retries=_Patience(),
            redirect=False,
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            preload_content=False,
        )
        body = response.read(_LARGEST_BODY + 1, decode_content=True)
        response.release_conn()
    except (HTTPError, OSError) as error:
        # No chain: the cause may quote what the server sent, and --debug prints chains.
        raise _errors.login_server_unreachable(login_server, error) from None
    if 300 <= response.status < 400:
        target = re.match(r"https?://([\w.:-]+)", response.headers.get("Location", ""), re.ASCII)
        raise _errors.redirected(login_server, response.status, plain(target[1]) if target else "another place")
    return Answer(response.status, response.headers, body if len(body) <= _LARGEST_BODY else b"")


class _Patience(Retry):
    """Bounded retries of 429, transient 5xx and failed connections; Retry-After heeded up to a minute, and said."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "total": _TRIES - 1,
            "connect": 1,
            "read": 1,
            "redirect": False,
            "status_forcelist": (429, 500, 502, 503, 504),
            "allowed_methods": ("GET", "POST"),  # an exchange changes nothing: repeating it is safe
            "backoff_factor": 0.5,
            "raise_on_status": False,
        }
        super().__init__(**{**defaults, **kwargs})

    def get_retry_after(self, response: Any) -> float | None:
        try:
            asked = super().get_retry_after(response)
        except InvalidHeader:
            return None
        if not asked or asked < 0:
            return None
        wait = min(asked, _LONGEST_WAIT)
        logger.warning("The registry is busy (HTTP %s) and asks to wait: trying again in %d s.", response.status, wait)
        return wait


def envelope(answer: Answer) -> tuple[str, str, str]:
    """The error code, message and correlation id of an error answer, as far as it has them.

    The id is a header or, since 2026, a part of the message. The message is never shown whole: it may hold anything.
    """
    errors = json_object(answer.body).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    message = str(first.get("message") or "")
    in_message = re.search(r"CorrelationId: ([0-9a-f-]{36})", message)
    correlation = _correlation(answer) or (in_message[1] if in_message else "")
    return plain(first.get("code") or "no error code"), message, correlation


def _correlation(answer: Answer) -> str:
    return plain(answer.headers.get("X-Ms-Correlation-Request-Id", ""))

"""Second hop: the login server turns an Entra token into an ACR refresh token.

Wire format, as recorded: ``GET /v2/`` answers 401 with ``WWW-Authenticate: Bearer realm="https://HOST/oauth2/token",
service="HOST"``; ``POST /oauth2/exchange`` with the form ``grant_type=access_token&service=…&tenant=…&access_token=…``
answers ``{"refresh_token": "…"}``. Errors come as ``{"errors": [{"code", "message"}]}``.

The token goes to `https://HOST/oauth2/exchange` of a host that passed `hosts.check_login_server`, and nowhere else:
redirects are refused, the challenge must name that very host, and neither logs nor errors hold bodies.
"""

import json
import re
import threading
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger
from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from requests.utils import parse_dict_header
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from azext_acrscope import _errors, hosts
from azext_acrscope.tokens import EntraToken, RefreshToken, claims, expiry, plain

TIMEOUTS = (10, 30)  # seconds to connect, and between two packets
_TRIES = 4
_LONGEST_WAIT = 60  # seconds; ACR's Retry-After counts down from at most that
_LARGEST_BODY = 256 * 1024

logger = get_logger(__name__)


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
        self._session = _session()
        self._service: Future[str] = Future()
        # A daemon: if the first hop fails, nobody waits for a registry that may never answer.
        threading.Thread(target=self._ask, name=f"challenge of {login_server}", daemon=True).start()

    def finish(self, token: EntraToken) -> RefreshToken:
        """Exchange an Entra token for a refresh token.

        :raises AzureConnectionError: no connection, or an untrusted certificate.
        :raises ForbiddenError: the registry refuses this machine's network.
        :raises UnauthorizedError: the registry refuses this token.
        :raises AzureResponseError, AzureInternalError: any other answer, 429 and 5xx after bounded retries.
        """
        form = {
            "grant_type": "access_token",
            "service": self._service.result(),
            "tenant": token.tenant,
            "access_token": token.value,
        }
        with self._session:
            response = _send(self._session, "POST", self._login_server, "/oauth2/exchange", form)
            return _read_exchange(response, self._login_server, self._suffix, token)

    def _ask(self) -> None:
        try:
            self._service.set_result(_challenge(self._session, self._login_server, self._suffix))
        except BaseException as error:  # noqa: BLE001  (whatever it is, `finish` raises it)
            self._service.set_exception(error)


def _challenge(session: Session, login_server: str, suffix: str) -> str:
    """Ask the registry how to sign in; the service to name in the exchange. The client will follow the realm named
    here with its credential, so a realm elsewhere ends the sign-in before anything is sent."""
    response = _send(session, "GET", login_server, "/v2/")
    if response.status_code == 403:
        raise _errors.network_refused(login_server, *_envelope(response))
    if response.status_code in (429, 500, 502, 503, 504):
        raise _refusal(response, login_server)
    realm, service = parse_challenge(response.headers.get("WWW-Authenticate", ""))
    if response.status_code != 401 or not realm:
        raise _errors.no_challenge(login_server, response.status_code, "it sent no Bearer challenge")
    if not hosts.is_own_realm(realm, login_server):
        raise _errors.foreign_realm(login_server, realm)
    if not hosts.is_own_service(service, login_server, suffix):
        raise _errors.no_challenge(login_server, response.status_code, f"its challenge names the service '{service}'")
    return service


def parse_challenge(header: str) -> tuple[str, str]:
    """The realm and the service of a WWW-Authenticate header of the scheme Bearer; empty where it names none."""
    scheme, _, rest = header.partition(" ")
    parameters = parse_dict_header(rest) if scheme.lower() == "bearer" else {}
    return parameters.get("realm") or "", parameters.get("service") or ""


def _read_exchange(response: Response, login_server: str, suffix: str, token: EntraToken) -> RefreshToken:
    if response.status_code == 403:
        raise _errors.network_refused(login_server, *_envelope(response))
    if response.status_code != 200:
        raise _refusal(response, login_server, token)
    correlation = _correlation(response)
    body = _json(response)
    value = body.get("refresh_token")
    if not isinstance(value, str) or not value:
        raise _errors.bad_exchange_answer(login_server, "no refresh token", correlation)
    token_claims = claims(value)
    meant_for = token_claims.get("aud", login_server)
    if not hosts.is_own_service(meant_for, login_server, suffix):
        raise _errors.bad_exchange_answer(login_server, f"a refresh token for '{plain(meant_for)}'", correlation)
    return RefreshToken(value, login_server, expiry(token_claims))


def _refusal(response: Response, login_server: str, token: EntraToken | None = None) -> AzCLIError:
    code, _, correlation = _envelope(response)
    retry_after = response.headers.get("Retry-After", "")
    return _errors.exchange_refused(
        login_server,
        response.status_code,
        code,
        correlation,
        retry_after if retry_after.isdigit() else "",
        token.tenant if token else "unknown",
        token.audience if token else "unknown",
    )


def _send(session: Session, method: str, login_server: str, path: str, form: dict[str, str] | None = None) -> Response:
    """One request to the login server, redirects refused, body read up to a limit."""
    try:
        response = session.request(
            method, f"https://{login_server}{path}", data=form, timeout=TIMEOUTS, allow_redirects=False, stream=True
        )
        body = response.raw.read(_LARGEST_BODY + 1, decode_content=True)
    except (RequestException, HTTPError, OSError) as error:
        raise _errors.login_server_unreachable(login_server, error) from error
    response._content = body if len(body) <= _LARGEST_BODY else b""  # noqa: SLF001  (a body too large is no answer)
    if 300 <= response.status_code < 400:
        target = urlsplit(response.headers.get("Location", "")).netloc or login_server
        raise _errors.redirected(login_server, response.status_code, plain(target))
    return response


def _session() -> Session:
    from azure.cli.core.util import get_az_user_agent, should_disable_connection_verify

    session = Session()
    session.mount("https://", HTTPAdapter(max_retries=_Patience()))
    session.mount("http://", _NoPlainHttp())
    session.auth = lambda request: request  # else requests would add what ~/.netrc holds for the host
    session.headers["User-Agent"] = f"{get_az_user_agent()} CliExtension/acrscope"
    if should_disable_connection_verify():
        session.verify = False
    return session


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
        asked = super().get_retry_after(response)
        if asked is None:
            return None
        wait = min(asked, _LONGEST_WAIT)
        logger.warning("The registry is busy (HTTP %s) and asks to wait: trying again in %d s.", response.status, wait)
        return wait


class _NoPlainHttp(HTTPAdapter):
    def send(self, *_args: Any, **_kwargs: Any) -> Response:
        raise RequestException("plain http is refused")


def _envelope(response: Response) -> tuple[str, str, str]:
    """The error code, message and correlation id of an error answer, as far as it has them.

    The id is a header or, since 2026, a part of the message. The message is never shown whole: it may hold anything.
    """
    errors = _json(response).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    message = str(first.get("message") or "")
    in_message = re.search(r"CorrelationId: ([0-9a-f-]{36})", message)
    correlation = _correlation(response) or (in_message[1] if in_message else "")
    return plain(first.get("code") or "no error code"), message, correlation


def _correlation(response: Response) -> str:
    return plain(response.headers.get("X-Ms-Correlation-Request-Id", ""))


def _json(response: Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}

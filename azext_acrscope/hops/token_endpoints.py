"""Requests to one login server, and to nothing else.

What a registry's token endpoints have in common: bounded retries, a deadline for a request whatever the server does,
no redirects, and errors of the form ``{"errors": [{"code", "message"}]}``; neither logs nor error texts hold bodies.
The connection is a pool that knows this one host and TLS only.
"""

import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from knack.log import get_logger
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry, Timeout

from azext_acrscope.base import http, threads
from azext_acrscope.base.foreign_json import find_list, find_object
from azext_acrscope.base.tokens import parse_json_object, read_expiry, safe_word
from azext_acrscope.hops import login_server_errors

PROBE_PURPOSE = " (probe)"  # a purpose: its refused sign-ins are on purpose, too

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0  # the latter between two packets
TOTAL_SECONDS = 200.0  # for one request with all its tries, waits and packets
_TRIES = 4
_LONGEST_WAIT = 60  # seconds; ACR's Retry-After counts down from at most that
_LARGEST_BODY = 256 * 1024

logger = get_logger(__name__)
T = TypeVar("T")


class LoginServerAnswer(NamedTuple):
    """What a login server answered; `headers` takes names in any case."""

    status: int
    headers: Any
    body: bytes


class LoginServer:
    """The token endpoints of one registry: `host` is one that `hosts.check_login_server` returned.

    Every request runs in a thread of its own, so that it can be given up, and so that it can be begun early.
    """

    def __init__(self, host: str, suffix: str, purpose: str = "") -> None:
        """:param suffix: the cloud's login server suffix.
        :param purpose: what to add to the user agent, by which requests can be told in a registry's log.
        """
        self.host, self.suffix, self._purpose = host, suffix, purpose
        self._pool = http.open_pool(host)

    def begin(self, work: Callable[[], T]) -> "Future[T]":
        """Do the work in the background; `result` waits for it."""
        return threads.run_in_background(work)

    def result(self, future: "Future[T]") -> T:
        """Return what the work returned or raised.

        :raises AzureConnectionError: it did not come to its end in time.
        """
        try:
            return threads.result_within(future, TOTAL_SECONDS)
        except threads.DeadlineExceeded:
            raise login_server_errors.login_server_slow(self.host, TOTAL_SECONDS) from None

    def get(self, path: str) -> LoginServerAnswer:
        """Return the answer to a GET without any credential."""
        return self._send("GET", path)

    def post(self, path: str, form: dict[str, str | list[str]]) -> LoginServerAnswer:
        """Return the answer to a form, in bounded time; a list becomes a field for each of its values.

        :raises AzureConnectionError: no connection, an untrusted certificate, or no end of the answer.
        :raises AzureResponseError: the answer is a redirect.
        """
        return self.result(self.begin(lambda: self._send("POST", path, form)))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _send(self, method: str, path: str, form: dict[str, str | list[str]] | None = None) -> LoginServerAnswer:
        """One request; redirects are refused, and a body beyond the limit counts as none.

        A body that breaks off is requested once more: urllib3's own retries end where a body begins.
        """
        try:
            answer = http.repeat_if_cut_short(lambda: self._request(method, path, form))
        except (HTTPError, OSError) as error:
            # No chain: the cause may quote what the server sent, and --debug prints chains.
            raise login_server_errors.login_server_unreachable(self.host, error) from None
        if 300 <= answer.status < 400:
            target = re.match(r"https?://([\w.:-]+)", answer.headers.get("Location", ""), re.ASCII)
            raise login_server_errors.redirected(
                self.host, answer.status, safe_word(target[1]) if target else "another place"
            )
        return answer if len(answer.body) <= _LARGEST_BODY else answer._replace(body=b"")

    def _request(self, method: str, path: str, form: dict[str, str | list[str]] | None) -> LoginServerAnswer:
        headers = {"User-Agent": http.user_agent() + self._purpose}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = self._pool.urlopen(
            method,
            path,
            body=urlencode(form, doseq=True) if form else None,
            headers=headers,
            retries=_BoundedRetry(),
            redirect=False,
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            preload_content=False,
        )
        body = response.read(_LARGEST_BODY + 1, decode_content=True)
        response.release_conn()
        return LoginServerAnswer(response.status, response.headers, body)


class _BoundedRetry(Retry):
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
        except (InvalidHeader, ValueError, OverflowError):  # a year or a number that is too large, among others
            return None
        if not asked or asked < 0:
            return None
        wait = min(asked, _LONGEST_WAIT)
        logger.warning("The registry is busy (HTTP %s). Retrying in %d s.", response.status, wait)
        return wait


def read_error_envelope(answer: LoginServerAnswer) -> tuple[str, str, str]:
    """Return the error code, message and correlation id of an error answer, as far as it has them.

    The id is a header or, since 2026, a part of the message. The message is never shown whole: it may hold anything.
    """
    first = find_object(next(iter(find_list(parse_json_object(answer.body), "errors")), None))
    message = str(first.get("message") or "")
    in_message = re.search(r"CorrelationId: ([0-9a-f-]{36})", message)
    correlation = read_correlation_id(answer) or (in_message[1] if in_message else "")
    return safe_word(first.get("code") or "no error code"), message, correlation


def read_correlation_id(answer: LoginServerAnswer) -> str:
    """Return the id that Azure's support asks for; empty where the answer has none."""
    return safe_word(answer.headers.get("X-Ms-Correlation-Request-Id", ""))


def is_expired(answer: LoginServerAnswer, token_claims: dict[str, Any]) -> bool:
    """Return whether a token was of no use when the server sent it: its time is over, or it does not say.

    By the server's own clock, which made the token: this machine's may be wrong.
    """
    try:
        now = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        now = time.time()
    expires = token_claims.get("exp")
    return not (isinstance(expires, (int, float)) and read_expiry(token_claims) and expires > now)

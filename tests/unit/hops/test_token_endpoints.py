"""A login server that sends back what it was sent, in every place of an answer: nothing of it shows anywhere."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base.tokens import EntraToken
from azext_acrscope.hops import exchange, token_endpoints
from tests.factories.tokens import jwt

HOST = "contoso.azurecr.io"
TOKEN = jwt(aud="https://containerregistry.azure.net", oid="11111111-2222-3333-4444-555555555555", exp=1795437324)
CHALLENGE = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
    b'WWW-Authenticate: Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io"\r\n\r\n'
)
Send = Callable[[bytes], None]


class RawServer:
    """A TLS server that answers the challenge properly, and the exchange with raw bytes of the test's choice."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.answer: Callable[[Send], None] = lambda send: None
        self.exchanges = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(plain,), daemon=True).start()

    def _talk(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                while data := connection.recv(65536):
                    if data.startswith(b"GET"):
                        connection.sendall(CHALLENGE)
                        continue
                    while TOKEN.encode() not in data:  # the form may come in a packet of its own
                        data += connection.recv(65536)
                    self.exchanges += 1
                    self.answer(connection.sendall)
                    return
        except OSError:
            return


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    running = RawServer(tmp_path)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_file))
    real = socket.create_connection

    def connect(_address: object, *arguments: object, **options: object) -> socket.socket:
        return real(("127.0.0.1", running.port))

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    yield running
    running.close()


def sign_in() -> AzCLIError:
    with pytest.raises(AzCLIError) as caught:
        exchange.Exchange(HOST, ".azurecr.io").finish(
            EntraToken(TOKEN, "tenant", "https://containerregistry.azure.net")
        )
    return caught.value


def everything_shown(error: AzCLIError, log: pytest.LogCaptureFixture) -> str:
    """The error, its advice, the exceptions behind it, and all that was logged, --debug included."""
    shown = [error.error_msg, *error.recommendations]
    behind: BaseException | None = error
    while behind is not None:
        shown.append(repr(behind))
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)
    for record in log.records:
        shown.append(record.getMessage())
        if record.exc_info:
            shown.append(logging.Formatter().formatException(record.exc_info))
    return "\n".join(shown)


SECRET = TOKEN.encode()
ANSWERS = {
    "status line": SECRET + b"\r\n\r\n",
    "status": b"HTTP/1.1 " + SECRET + b"\r\n\r\n",
    "reason": b"HTTP/1.1 401 " + SECRET + b"\r\nContent-Length: 0\r\n\r\n",
    "retry after": b"HTTP/1.1 401 X\r\nRetry-After: " + SECRET + b"\r\nContent-Length: 0\r\n\r\n",
    "header line": b"HTTP/1.1 401 X\r\n" + SECRET + b"\r\nContent-Length: 0\r\n\r\n",
    "correlation": b"HTTP/1.1 401 X\r\nX-Ms-Correlation-Request-Id: " + SECRET + b"\r\nContent-Length: 0\r\n\r\n",
    "location": b"HTTP/1.1 307 X\r\nLocation: https://" + SECRET + b"/\r\nContent-Length: 0\r\n\r\n",
    "chunk size": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET + b"\r\n",
    "encoding": b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\neyJhbGciO",
    "nested body": b"HTTP/1.1 200 X\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "code": b'HTTP/1.1 401 X\r\nConnection: close\r\n\r\n{"errors":[{"code":"' + SECRET + b'","message":"x"}]}',
}


@pytest.mark.parametrize("place", ANSWERS)
def test_a_token_that_is_sent_back_shows_nowhere(
    server: RawServer, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer = lambda send: send(ANSWERS[place])
    shown = everything_shown(sign_in(), caplog)
    assert server.exchanges >= 1
    assert "eyJ" not in shown


@pytest.mark.parametrize(
    "asked", [b"1.5", b"9" * 5000, b"Fri, 31 Dec 99999 23:59:59 GMT", b"Fri, 31 Dec 9999999999999 23:59:59 GMT"]
)
def test_a_429_whose_retry_after_makes_no_sense_is_still_a_429(server: RawServer, asked: bytes) -> None:
    answer = b"HTTP/1.1 429 X\r\nRetry-After: " + asked + b"\r\nContent-Length: 0\r\n\r\n"
    server.answer = lambda send: send(answer)
    assert "is throttling sign-ins" in sign_in().error_msg
    assert server.exchanges > 1


def test_an_answer_that_drips_is_given_up(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_endpoints, "TOTAL_SECONDS", 1.0)

    def drip(send: Send) -> None:
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            send(b"x")
            time.sleep(0.1)

    server.answer = drip
    started = time.monotonic()
    assert "did not finish its answer" in sign_in().error_msg
    assert time.monotonic() - started < 5

"""Connections: the machine's proxy and certificate settings are followed, and the host is the one asked for."""

import base64
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.cli.core.azclierror import FileOperationError, InvalidArgumentValueError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
)
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, ProtocolError

from azext_acrscope.base import http

HOST = "contoso.azurecr.io"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION"):
        monkeypatch.delenv(name, raising=False)


def test_a_pool_speaks_tls_to_its_host_only() -> None:
    pool = http.open_pool(HOST)
    assert isinstance(pool, HTTPSConnectionPool)
    assert (pool.host, pool.port, pool.scheme, pool.proxy) == (HOST, 443, "https", None)
    assert not pool.is_same_host("https://evil.example/v2/")
    assert not pool.is_same_host(f"http://{HOST}/v2/")


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("https://proxy.example:3129", "https://proxy.example:3129"),
    ],
)
def test_the_proxy_of_the_environment_is_used(setting: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", setting)
    pool = http.open_pool(HOST)
    assert pool.proxy is not None
    assert pool.proxy.url == url
    assert (pool.host, pool.scheme) == (HOST, "https")


def test_a_proxy_for_everything_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    assert http.open_pool(HOST).proxy is not None


def test_a_password_for_the_proxy_goes_to_the_proxy_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:hidden@proxy.example:3128")
    pool = http.open_pool(HOST)
    assert pool.proxy_headers["proxy-authorization"].startswith("Basic ")
    assert not pool.headers


def test_a_password_for_the_proxy_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://us%40er:p%40ss@proxy.example:3128")
    sent = base64.b64decode(http.open_pool(HOST).proxy_headers["proxy-authorization"].split()[1])
    assert sent == b"us@er:p@ss"


@pytest.mark.parametrize("setting", ["ftp://proxy.example:1", "http://proxy.example:port", "http://[bad"])
def test_a_proxy_that_cannot_be_understood_is_said(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", setting)
    with pytest.raises(InvalidArgumentValueError, match="HTTPS_PROXY"):
        http.open_pool(HOST)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("password", ["S3cr/et1", "S3cr#et1", "S3cr?et1", "12/34"])
@pytest.mark.parametrize("address", ["http://user:{}@127.0.0.1:1", "user:{}@127.0.0.1:1", "http://user:x{}@h:99999"])
def test_a_password_that_no_address_may_hold_is_told_before_any_library_quotes_it(
    variable: str, password: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, address.format(password))
    with pytest.raises(InvalidArgumentValueError, match="proxy address") as told:
        http.prepare_connections()
    assert "et1" not in f"{told.value} {told.value.recommendations}"
    assert told.value.__suppress_context__ or told.value.__context__ is None


@pytest.mark.parametrize(
    "setting", ["h:3128", "http://u:p%2Fq@h:3128/", "http://u:p@q@h:1", "socks5h://h:1080", "", "http://[::1]:3128"]
)
def test_an_address_of_a_proxy_is_accepted(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", setting)
    http.prepare_connections()


def test_no_proxy_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.azurecr.io")
    assert http.open_pool(HOST).proxy is None


def test_a_socks_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:1080")
    assert "SOCKS" in type(http.open_pool(HOST)).__name__


def test_certificates_are_trusted_as_the_cli_trusts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    assert http.open_pool(HOST).ca_certs == certifi.where()
    (tmp_path / "bundle.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    assert http.open_pool(HOST).ca_certs == str(tmp_path / "bundle.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert http.open_pool(HOST).ca_cert_dir == str(tmp_path)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"", "holds no certificate"), (b"\x30\x82", "in PEM form")],
)
def test_a_file_of_certificates_that_cannot_be_used_is_named_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: bytes | None, why: str
) -> None:
    file = tmp_path / "bundle.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(FileOperationError, match=f"{variable} names {file}.*{why}"):
        http.prepare_connections()


def test_verification_is_off_only_where_the_cli_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert http.open_pool(HOST).cert_reqs != ssl.CERT_NONE
    monkeypatch.setenv("AZURE_CLI_DISABLE_CONNECTION_VERIFICATION", "1")
    assert http.open_pool(HOST).cert_reqs == "CERT_NONE"


# --- an answer that breaks off ---


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


CUT = ChunkedEncodingError("IncompleteRead")
BROKEN = [
    *(CUT, ContentDecodingError(), ProtocolError("broken")),
    *(IncompleteReadError(CUT, error=CUT), HttpResponseError(CUT, error=CUT), DecodeError(CUT, error=CUT)),
    caused(ClientAuthenticationError("no answer"), IncompleteReadError(CUT, error=CUT)),
]
WHOLE = [
    *(ClientAuthenticationError("AADSTS700016"), ServiceRequestError("refused"), ConnectionError(), ValueError()),
    HttpResponseError("400", response=SimpleNamespace(reason="", status_code=400)),  # type: ignore[arg-type]
    caused(MaxRetryError(HTTPSConnectionPool(HOST), "/"), ProtocolError("Connection aborted.")),
]


@pytest.mark.parametrize("error", BROKEN, ids=repr)
def test_a_request_whose_answer_breaks_off_is_made_once_more(error: Exception) -> None:
    outcomes: list[Exception | str] = [error, "answer", "unasked"]
    assert http.repeat_if_cut_short(lambda: _come(outcomes)) == "answer"
    assert outcomes == ["unasked"]
    twice: list[Exception | str] = [error, error, "unasked"]
    with pytest.raises(type(error)):
        http.repeat_if_cut_short(lambda: _come(twice))
    assert twice == ["unasked"]


@pytest.mark.parametrize("error", WHOLE, ids=repr)
def test_any_other_failure_is_not_repeated(error: Exception) -> None:
    outcomes: list[Exception | str] = [error, "unasked"]
    with pytest.raises(type(error)):
        http.repeat_if_cut_short(lambda: _come(outcomes))
    assert outcomes == ["unasked"]


def _come(outcomes: list[Exception | str]) -> str:
    outcome = outcomes.pop(0)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome

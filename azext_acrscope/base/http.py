"""A connection to one host, over TLS, by the machine's own proxy and certificate settings.

urllib3 itself and not requests: a pool is bound to its host and to TLS, so a request cannot end up elsewhere or in the
clear; it adds no credentials from ~/.netrc and no cookies; and it loads in half the time.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from urllib3 import HTTPSConnectionPool, ProxyManager, make_headers
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError
from urllib3.util import parse_url

from azext_acrscope.base import errors
from azext_acrscope.base.files import os_error_reason
from azext_acrscope.base.late_modules import late_packages
from azext_acrscope.base.logs import redact_logs

T = TypeVar("T")


def open_pool(host: str) -> HTTPSConnectionPool:
    """Return a pool of TLS connections to port 443 of `host`, through the proxy that the environment names for it."""
    prepare_connections()
    settings = {"maxsize": 1, **_trust_settings()}
    named = proxy_for(host)
    if not named:
        return HTTPSConnectionPool(host, 443, **settings)
    proxy = _with_scheme(named)
    if proxy.lower().startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy, **settings).connection_from_host(host, 443, "https")
    try:
        user = parse_url(proxy).auth
        headers = make_headers(proxy_basic_auth=unquote(user)) if user else None
        return ProxyManager(proxy, proxy_headers=headers, **settings).connection_from_host(host, 443, "https")
    except (HTTPError, ValueError):
        raise errors.bad_proxy() from None


def load_requests() -> None:
    """Load requests without its two detectors of encodings, which take longer to load than all the rest of it.

    They guess the encoding of a text whose server does not say; whoever asks for that loads them.
    """
    with late_packages("requests", "chardet", "charset_normalizer"):
        import requests  # noqa: F401  # pylint: disable=unused-import


def prepare_connections() -> None:
    """Make ready for requests of any library: no secret gets into a log, the named certificates are there, and the
    named proxies are addresses.

    :raises FileOperationError: the certificates are not.
    :raises InvalidArgumentValueError: a proxy is not.
    """
    redact_logs()
    _check_trust_settings()
    _check_proxies()


def repeat_if_cut_short(request: Callable[[], T]) -> T:
    """Return what a request returns; if its answer breaks off it is made once more.

    :param request: may be repeated without harm; it raises what its library raises.
    """
    try:
        return request()
    except Exception as error:  # pylint: disable=broad-exception-caught  # of any library
        if not is_cut_short(error):
            raise
    return request()


def is_cut_short(error: BaseException | None) -> bool:
    """Return whether the body of an answer broke off or came in broken pieces, by the error of any HTTP library.

    azure-core has errors of three kinds for that, and none of them knows its answer, as it does otherwise. What urllib3
    has given up after its own tries does not count.
    """
    from azure.core.exceptions import DecodeError, HttpResponseError, IncompleteReadError
    from requests.exceptions import ChunkedEncodingError, ContentDecodingError

    while error is not None and not isinstance(error, MaxRetryError):
        if isinstance(error, (ProtocolError, ChunkedEncodingError, ContentDecodingError)):
            return True
        if type(error) in (DecodeError, HttpResponseError, IncompleteReadError) and error.response is None:  # type: ignore[attr-defined]
            return True
        error = error.__cause__
    return False


def proxy_for(host: str) -> str | None:
    """Return the proxy that the environment names for a host; it may hold a password."""
    return None if proxy_bypass(host) else getproxies().get("https") or getproxies().get("all")


def _with_scheme(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def user_agent() -> str:
    """Return the User-Agent of all requests."""
    from azure.cli.core.util import get_az_user_agent

    return f"{get_az_user_agent()} CliExtension/acrscope"


def _check_proxies() -> None:
    """Raise if a proxy that the environment names is no address: the libraries' own errors quote its password.

    :raises InvalidArgumentValueError: naming none of it.
    """
    named = getproxies()
    for proxy in (named[each] for each in ("http", "https", "all") if named.get(each)):
        try:
            parts = parse_url(_with_scheme(proxy))
        except HTTPError:
            raise errors.bad_proxy() from None
        # A password with a / in it ends the address, and what follows is taken for a path.
        if not parts.host or "@" in f"{parts.path}{parts.query}{parts.fragment}":
            raise errors.bad_proxy()


def _check_trust_settings() -> None:
    """Raise if the file of certificates that the environment names cannot be used: every library fails in its own way.

    :raises FileOperationError: naming the variable, the file and the reason.
    """
    from azure.cli.core.util import should_disable_connection_verify

    variable, bundle = _named_bundle()
    if not bundle or os.path.isdir(bundle) or should_disable_connection_verify():
        return
    try:
        with open(bundle, "rb") as file:
            holds_one = b"-----BEGIN " in file.read()
    except OSError as error:
        raise errors.bad_ca_bundle(variable, bundle, os_error_reason(error)) from None
    if not holds_one:
        raise errors.bad_ca_bundle(variable, bundle, "it holds no certificate in PEM form")


def _named_bundle() -> tuple[str, str]:
    """The variable that names a file or folder of certificates, and what it names; empty if none does."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if os.environ.get(variable):
            return variable, os.environ[variable]
    return "", ""


def _trust_settings() -> dict[str, Any]:
    """Which certificates to trust: as everywhere in the CLI, REQUESTS_CA_BUNDLE, else those of certifi."""
    from azure.cli.core.util import should_disable_connection_verify

    if should_disable_connection_verify():
        return {"cert_reqs": "CERT_NONE"}
    _, bundle = _named_bundle()
    if not bundle:
        import certifi

        bundle = certifi.where()
    return {"ca_cert_dir" if os.path.isdir(bundle) else "ca_certs": bundle}

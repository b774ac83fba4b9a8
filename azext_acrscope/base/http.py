"""A connection to one host, over TLS, by the machine's own proxy and certificate settings.

urllib3 itself and not requests: a pool is bound to its host and to TLS, so a request cannot end up elsewhere or in the
clear; it adds no credentials from ~/.netrc and no cookies; and it loads in half the time.
"""

import logging
import os
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from urllib3 import HTTPSConnectionPool, ProxyManager, make_headers
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from azext_acrscope.base import errors
from azext_acrscope.base.tokens import redact_secrets, redact_tokens

# Who logs what a server sent: a hostile one may send back what it was sent.
_REDACTED_LOGGERS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "cli.azure.cli.core.sdk.policies",
    "cli.azure.cli.core.auth.util",
    "azure.core.pipeline.policies.http_logging_policy",
)


def open_pool(host: str) -> HTTPSConnectionPool:
    """Return a pool of TLS connections to port 443 of `host`, through the proxy that the environment names for it."""
    redact_logs()
    settings = {"maxsize": 1, **_trust_settings()}
    proxy = proxy_for(host)
    if not proxy:
        return HTTPSConnectionPool(host, 443, **settings)
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy.lower().startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy, **settings).connection_from_host(host, 443, "https")
    try:
        user = parse_url(proxy).auth
        headers = make_headers(proxy_basic_auth=unquote(user)) if user else None
        return ProxyManager(proxy, proxy_headers=headers, **settings).connection_from_host(host, 443, "https")
    except (HTTPError, ValueError):
        raise errors.bad_proxy() from None


def proxy_for(host: str) -> str | None:
    """Return the proxy that the environment names for a host; it may hold a password."""
    return None if proxy_bypass(host) else getproxies().get("https") or getproxies().get("all")


class _RedactingFilter(logging.Filter):  # pylint: disable=too-few-public-methods  # logging's interface
    """Takes tokens out of records, and with them the tracebacks, which quote what was sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        clean = redact_tokens(text) if record.name.startswith("cli.") else redact_secrets(text)
        record.msg, record.args, record.exc_info = clean, (), None
        # Retries are said in our own words; the library's belong to --debug.
        return not record.name.startswith("urllib3") or logging.getLogger().isEnabledFor(logging.DEBUG)


_REDACTING_FILTER = _RedactingFilter()


def redact_logs() -> None:
    """Let no token pass through the loggers of the HTTP libraries, --debug or not."""
    for name in _REDACTED_LOGGERS:
        logging.getLogger(name).addFilter(_REDACTING_FILTER)


def user_agent() -> str:
    """Return the User-Agent of all requests."""
    from azure.cli.core.util import get_az_user_agent

    return f"{get_az_user_agent()} CliExtension/acrscope"


def _trust_settings() -> dict[str, Any]:
    """Which certificates to trust: as everywhere in the CLI, REQUESTS_CA_BUNDLE, else those of certifi."""
    from azure.cli.core.util import should_disable_connection_verify

    if should_disable_connection_verify():
        return {"cert_reqs": "CERT_NONE"}
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if not bundle:
        import certifi

        bundle = certifi.where()
    return {"ca_cert_dir" if os.path.isdir(bundle) else "ca_certs": bundle}

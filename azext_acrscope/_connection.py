"""A connection to one host, over TLS, by the machine's own proxy and certificate settings.

urllib3 itself and not requests: a pool is bound to its host and to TLS, so a request cannot end up elsewhere or in the
clear; it adds no credentials from ~/.netrc and no cookies; and it loads in half the time.
"""

import os
from typing import Any
from urllib.request import getproxies, proxy_bypass

from urllib3 import HTTPSConnectionPool, ProxyManager, make_headers
from urllib3.util import parse_url


def pool(host: str) -> HTTPSConnectionPool:
    """A pool of TLS connections to port 443 of `host`, through the proxy that the environment names for it."""
    settings = {"maxsize": 1, **_trust()}
    proxy = None if proxy_bypass(host) else getproxies().get("https") or getproxies().get("all")
    if not proxy:
        return HTTPSConnectionPool(host, 443, **settings)
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy.lower().startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy, **settings).connection_from_host(host, 443, "https")
    user = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=user) if user else None
    return ProxyManager(proxy, proxy_headers=headers, **settings).connection_from_host(host, 443, "https")


def user_agent() -> str:
    from azure.cli.core.util import get_az_user_agent

    return f"{get_az_user_agent()} CliExtension/acrscope"


def _trust() -> dict[str, Any]:
    """Which certificates to trust: as everywhere in the CLI, REQUESTS_CA_BUNDLE, else those of certifi."""
    from azure.cli.core.util import should_disable_connection_verify

    if should_disable_connection_verify():
        return {"cert_reqs": "CERT_NONE"}
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if not bundle:
        import certifi

        bundle = certifi.where()
    return {"ca_cert_dir" if os.path.isdir(bundle) else "ca_certs": bundle}

"""A cloud per test, and a client that talks to it by its real names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.localcloud import ACR_AUDIENCE, LocalCloud, Principal, Registry

ARM = "https://management.azure.com"
ENTRA = "https://login.microsoftonline.com"
ARM_AUDIENCE = "https://management.core.windows.net/"
NEWEST = "2026-09-01-preview"


class Client:
    """An HTTP client behind the proxy, acting for one principal."""

    def __init__(self, cloud: LocalCloud, principal: Principal) -> None:
        self.cloud = cloud
        self.principal = principal
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.proxies = {"https": cloud.proxy_url, "http": cloud.proxy_url}
        self.session.verify = str(cloud.ca_file)

    def token(self, audience: str = ARM_AUDIENCE, **claims: Any) -> str:
        return self.cloud.world.mint(self.principal, audience, **claims)

    def arm(self, method: str, path: str, version: str | None = NEWEST, **more: Any) -> requests.Response:
        """A request to ARM with a good token, unless `token` gives another (or None)."""
        token = more.pop("token", self.token())
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        params = {**({"api-version": version} if version else {}), **more.pop("params", {})}
        return self.session.request(method, ARM + path, headers=headers, params=params, timeout=120, **more)

    def exchange(self, registry: Registry, token: str, **fields: str) -> requests.Response:
        host = registry.login_server
        form = {"grant_type": "access_token", "service": host, "access_token": token, **fields}
        return self.session.post(f"https://{host}/oauth2/exchange", data=form, timeout=120)

    def refresh_token(self, registry: Registry) -> str:
        return str(self.exchange(registry, self.token(ACR_AUDIENCE)).json()["refresh_token"])

    def access_token(self, registry: Registry, *scopes: str) -> str:
        host = registry.login_server
        form = {"grant_type": "refresh_token", "service": host, "refresh_token": self.refresh_token(registry)}
        answer = self.session.post(f"https://{host}/oauth2/token", data={**form, "scope": list(scopes)}, timeout=120)
        return str(answer.json()["access_token"])


@contextmanager
def long_ago(cloud: LocalCloud) -> Iterator[None]:
    """A little more than the three hours of a refresh token ago; all other tokens made then are still good today."""
    world = cloud.world
    kept = world.clock_offset, world.token_lifetime, world.acr_access_lifetime
    world.clock_offset, world.token_lifetime, world.acr_access_lifetime = -10860, 86400, 86400
    try:
        yield
    finally:
        world.clock_offset, world.token_lifetime, world.acr_access_lifetime = kept

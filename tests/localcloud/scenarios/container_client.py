"""A container client that signs in by itself, as kubelets and jobs do: the second hop with a token of one audience."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from tests.localcloud.cloud import LocalCloud
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.registries import Registry

KUBELET = "kubernetes-credentialprovider-acr"
ARM_AUDIENCE = "https://management.core.windows.net/"


@dataclass
class Client:
    cloud: LocalCloud
    principal: Principal
    registry: Registry
    address: str = "20.1.2.3"
    user_agent: str = KUBELET
    audience: str = ARM_AUDIENCE

    def sign_in(self) -> int:
        """The status of the exchange."""
        host = self.registry.login_server
        token = self.cloud.world.mint(self.principal, self.audience)
        answer = requests.post(
            f"https://{host}/oauth2/exchange",
            data={"grant_type": "access_token", "service": host, "access_token": token},
            headers={"User-Agent": self.user_agent, "X-Forwarded-For": self.address},
            proxies={"https": self.cloud.proxy_url},
            verify=str(self.cloud.ca_file),
            timeout=20,
        )
        return answer.status_code

"""An account that is signed in to the local Azure, and a connection to ARM as it, without `az`."""

import time
from copy import copy
from typing import Any

import pytest

from azext_acrscope.arm.client import ArmClient
from tests.factories.cli import command_context
from tests.localcloud import LocalCloud


class SignedIn:
    """The CLI's profile with one account: a service principal of the local Azure that may do everything."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self.principal = cloud.default_account()
        self.subscription_id = cloud.world.subscriptions[0].id
        self.refusal: Exception | None = None
        self.asked = 0

    def __call__(self, cli_ctx: Any = None) -> "SignedIn":
        return self

    def load_cached_subscriptions(self) -> list[dict[str, Any]]:
        return [self.get_subscription()]

    def get_subscription(self, _subscription: str | None = None) -> dict[str, Any]:
        return {"id": self.subscription_id, "tenantId": self._cloud.world.tenant_id, "user": {"name": "operator"}}

    def get_login_credentials(self, **_options: Any) -> tuple[Any, str, str]:
        return self, self.subscription_id, self._cloud.world.tenant_id

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        from azure.core.credentials import AccessTokenInfo

        self.asked += 1
        if self.refusal:
            raise self.refusal
        assert scopes == ("https://management.core.windows.net//.default",)
        token = self._cloud.world.mint(self.principal, "https://management.core.windows.net/")
        return AccessTokenInfo(token, int(time.time()) + 3600)


@pytest.fixture
def account(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> SignedIn:
    signed_in = SignedIn(cloud)
    monkeypatch.setattr("azure.cli.core._profile.Profile", signed_in)
    return signed_in


@pytest.fixture
def cli_ctx() -> Any:
    cli = copy(command_context())
    cli.data = dict(cli.data)
    return cli


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept between tries, which takes no time here."""
    pauses: list[float] = []
    monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep", lambda _self, s: pauses.append(s))
    return pauses


@pytest.fixture
def arm(cli_ctx: Any, account: SignedIn, slept: list[float]) -> ArmClient:
    return ArmClient(cli_ctx)


@pytest.fixture
def contoso(cloud: LocalCloud) -> Any:
    return cloud.world.add_registry("contoso", resource_group="rg")

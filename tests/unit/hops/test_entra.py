"""First hop: which audience is asked for, and which token is believed."""

import threading
from typing import Any

import pytest
from azure.cli.core.azclierror import AuthenticationError, AzureConnectionError, InvalidArgumentValueError

from azext_acrscope.base.tokens import ACR_AUDIENCE
from azext_acrscope.hops import entra, principals
from tests.factories.tokens import jwt


class _Config:
    def __init__(self, value: str | None) -> None:
        self.value = value

    def get(self, _section: str, _option: str, fallback: str | None = None) -> str | None:
        return self.value or fallback


class _Ctx:
    def __init__(self, value: str | None = None) -> None:
        self.config = _Config(value)
        self.data: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("configured", "audience"),
    [
        (None, "https://containerregistry.azure.net"),
        ("containerregistry", "https://containerregistry.azure.net"),
        ("myregistry", "https://myregistry.azure.net"),
        ("https://acr.disconnected.example", "https://acr.disconnected.example"),
    ],
)
def test_the_audience_is_acrs_unless_configured(configured: str | None, audience: str) -> None:
    assert entra.registry_audience(_Ctx(configured)) == audience


def test_a_senseless_override_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(InvalidArgumentValueError, match=r"acr\.audience_resource"):
        entra.registry_audience(_Ctx("not an audience"))


@pytest.mark.parametrize(
    "aud",
    [
        "https://containerregistry.azure.net",
        "https://containerregistry.azure.net/",
        "76c92352-c057-4cc2-9b1e-f34c32bc58bd",
    ],
)
def test_a_token_for_the_registry_audience_is_believed(aud: str) -> None:
    entra._check_audience(jwt(aud=aud), ACR_AUDIENCE)


@pytest.mark.parametrize(
    "token",
    [
        jwt(aud="https://management.core.windows.net/"),
        jwt(aud="https://management.azure.com"),
        jwt(aud="https://containerregistry.azure.net.evil.example"),
        jwt(aud=["https://containerregistry.azure.net", "https://management.azure.com"]),
        jwt(),
        "opaque",
    ],
)
def test_a_token_for_any_other_audience_is_not(token: str) -> None:
    with pytest.raises(AuthenticationError, match="It was not sent"):
        entra._check_audience(token, ACR_AUDIENCE)


def test_an_entra_id_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(entra, "ACCOUNT_TOKEN_SECONDS", 0.05)
    monkeypatch.setattr(entra, "_acquire_account_token", lambda *_: str(end.wait(60)))
    with pytest.raises(AzureConnectionError, match=r"0\.05 seconds"):
        entra.acquire_token(_Ctx(), ACR_AUDIENCE, principals.RequestedIdentity())
    end.set()

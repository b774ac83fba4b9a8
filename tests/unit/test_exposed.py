"""Exposed tokens: their forms, and the masks before them."""

import base64
import json

import pytest

from azext_acrscope import exposed
from azext_acrscope._errors import no_registry
from azext_acrscope._validators import DOCKERCONFIGJSON, ENV
from azext_acrscope.sign_in import SignIn
from azext_acrscope.stores import USERNAME
from azext_acrscope.tokens import AccessToken, RefreshToken

HOST, OTHER = "contoso.azurecr.io", "fabrikam.azurecr.io"
REFRESH = SignIn("contoso", HOST, token=RefreshToken("refresh-1", HOST, "2026-09-10T08:05:28Z"))
ACCESS = SignIn("fabrikam", OTHER, token=AccessToken("access-1", OTHER, None, {"app": ["pull"]}))
FAILED = SignIn("northwind", "northwind.azurecr.io", error=no_registry())


def encoded(value: str) -> str:
    return base64.b64encode(f"{USERNAME}:{value}".encode()).decode()


def test_one_login_server_is_an_object_and_several_are_a_list() -> None:
    one = exposed.result([REFRESH])
    assert one == {
        "loginServer": HOST,
        "username": USERNAME,
        "refreshToken": "refresh-1",
        "expiresOn": "2026-09-10T08:05:28Z",
    }
    assert exposed.result([REFRESH, ACCESS, FAILED]) == [
        one,
        {
            "loginServer": OTHER,
            "username": USERNAME,
            "accessToken": "access-1",
            "expiresOn": None,
            "permissions": {"app": ["pull"]},
        },
    ]
    assert exposed.result([REFRESH, FAILED]) == [one]


def test_the_content_of_a_kubernetes_secret_is_that_of_a_credential_file() -> None:
    (text,) = exposed.lines([REFRESH, ACCESS, FAILED], DOCKERCONFIGJSON)
    assert json.loads(text) == {
        "auths": {
            HOST: {"username": USERNAME, "password": "refresh-1", "auth": encoded("refresh-1")},
            OTHER: {"username": USERNAME, "password": "access-1", "auth": encoded("access-1")},
        }
    }


@pytest.mark.parametrize(("sign_in", "variable"), [(REFRESH, "ACR_REFRESH_TOKEN"), (ACCESS, "ACR_ACCESS_TOKEN")])
def test_variables_name_the_kind_of_token(sign_in: SignIn, variable: str) -> None:
    assert sign_in.token
    assert exposed.lines([sign_in], ENV) == [
        f"ACR_LOGIN_SERVER={sign_in.login_server}",
        f"ACR_USERNAME={USERNAME}",
        f"{variable}={sign_in.token.value}",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "form"),
    [("GITHUB_ACTIONS", "true", "::add-mask::{}"), ("TF_BUILD", "True", "##vso[task.setsecret]{}")],
)
def test_a_pipeline_is_told_to_hide_each_token_in_each_form(
    variable: str, value: str, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    exposed.mask([REFRESH, FAILED, ACCESS])
    captured = capsys.readouterr()
    assert captured.out == ""
    secrets = ["refresh-1", "access-1", encoded("refresh-1"), encoded("access-1")]
    assert captured.err.splitlines() == [form.format(secret) for secret in secrets]


@pytest.mark.parametrize("value", ["", "false"])
def test_without_a_pipeline_nothing_is_masked(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", value)
    monkeypatch.setenv("TF_BUILD", value)
    exposed.mask([REFRESH])
    assert capsys.readouterr() == ("", "")

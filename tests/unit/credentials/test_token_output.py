"""Exposed tokens: their forms, and the masks before them."""

import base64
import json

import pytest

from azext_acrscope._errors import no_registry
from azext_acrscope.base.tokens import AccessToken, RefreshToken
from azext_acrscope.credentials import login, token_output
from azext_acrscope.credentials.kubernetes_secret import SecretName
from azext_acrscope.credentials.login import LoginTarget
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.token_output import (
    DOCKERCONFIGJSON_FORMAT,
    ENV_FORMAT,
    EXTERNAL_FORMAT,
    KUBERNETES_FORMAT,
)

HOST, OTHER = "contoso.azurecr.io", "fabrikam.azurecr.io"
REFRESH = LoginTarget("contoso", HOST, token=RefreshToken("refresh-1", HOST, "2026-09-10T08:05:28Z"))
ACCESS = LoginTarget("fabrikam", OTHER, token=AccessToken("access-1", OTHER, None, {"app": ["pull"]}))
FAILED = LoginTarget("northwind", "northwind.azurecr.io", error=no_registry())


def encoded(value: str) -> str:
    return base64.b64encode(f"{TOKEN_USERNAME}:{value}".encode()).decode()


def test_one_login_server_is_an_object_and_several_are_a_list() -> None:
    one = token_output.tokens_as_data([REFRESH])
    assert one == {
        "loginServer": HOST,
        "username": TOKEN_USERNAME,
        "accessToken": "refresh-1",
        "refreshToken": "refresh-1",
        "expiresOn": "2026-09-10T08:05:28Z",
    }
    assert token_output.tokens_as_data([REFRESH, ACCESS, FAILED]) == [
        one,
        {
            "loginServer": OTHER,
            "username": TOKEN_USERNAME,
            "accessToken": "access-1",
            "expiresOn": None,
            "permissions": {"app": ["pull"]},
        },
    ]
    assert token_output.tokens_as_data([REFRESH, FAILED]) == [one]


def test_the_content_of_a_kubernetes_secret_is_that_of_a_credential_file() -> None:
    (text,) = token_output.format_tokens([REFRESH, ACCESS, FAILED], DOCKERCONFIGJSON_FORMAT)
    assert json.loads(text) == {
        "auths": {
            HOST: {"username": TOKEN_USERNAME, "password": "refresh-1", "auth": encoded("refresh-1")},
            OTHER: {"username": TOKEN_USERNAME, "password": "access-1", "auth": encoded("access-1")},
        }
    }


def test_a_whole_secret_has_that_content_and_says_when_the_first_of_its_tokens_is_over() -> None:
    later = LoginTarget("fabrikam", OTHER, token=RefreshToken("refresh-2", OTHER, "2026-09-10T09:00:00Z"))
    (text,) = token_output.format_tokens([later, REFRESH, ACCESS], KUBERNETES_FORMAT, SecretName("acr-pull", "team"))
    secret = json.loads(text)
    (content,) = token_output.format_tokens([later, REFRESH, ACCESS], DOCKERCONFIGJSON_FORMAT)
    assert json.loads(base64.b64decode(secret.pop("data").pop(".dockerconfigjson"))) == json.loads(content)
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {
            "name": "acr-pull",
            "namespace": "team",
            "labels": {"app.kubernetes.io/managed-by": "acrscope"},
            "annotations": {"acrscope/expires-on": "2026-09-10T08:05:28Z"},
        },
    }


def test_a_secret_says_nothing_of_what_is_not_known() -> None:
    (text,) = token_output.format_tokens([ACCESS], KUBERNETES_FORMAT)
    assert set(json.loads(text)["metadata"]) == {"name", "labels"}


def test_a_secret_is_all_or_nothing() -> None:
    """It replaces the one before, whose other tokens may be good still."""
    assert login.login_error([REFRESH, ACCESS], whole=True) is None
    assert login.login_error([FAILED], whole=True) is FAILED.error
    error = login.login_error([REFRESH, FAILED], whole=True)
    assert error
    assert "1 of 2 registries, so no secret was printed" in error.error_msg
    assert error.recommendations == [FAILED.error.error_msg]  # type: ignore[union-attr]


@pytest.mark.parametrize(("sign_in", "expires_on"), [(REFRESH, "2026-09-10T08:05:28Z"), (ACCESS, "")])
def test_terraforms_data_source_gets_one_object_of_texts(sign_in: LoginTarget, expires_on: str) -> None:
    (text,) = token_output.format_tokens([sign_in], EXTERNAL_FORMAT)
    found = json.loads(text)
    assert all(isinstance(value, str) for value in found.values())
    (content,) = token_output.format_tokens([sign_in], DOCKERCONFIGJSON_FORMAT)
    assert json.loads(found.pop("dockerconfigjson")) == json.loads(content)
    assert found == {
        "login_server": sign_in.login_server,
        "username": TOKEN_USERNAME,
        "password": sign_in.token.value,  # type: ignore[union-attr]
        "expires_on": expires_on,
    }


def test_the_built_ins_documented_name_is_there_whatever_the_kind_of_token() -> None:
    """docker/login-action#996: scripts with `--query accessToken`."""
    for run in ([REFRESH], [ACCESS]):
        assert token_output.tokens_as_data(run)["accessToken"] == run[0].token.value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sign_in", "variables"),
    [(REFRESH, ["ACR_ACCESS_TOKEN", "ACR_REFRESH_TOKEN"]), (ACCESS, ["ACR_ACCESS_TOKEN"])],
)
def test_variables_name_the_kind_of_token(sign_in: LoginTarget, variables: list[str]) -> None:
    assert sign_in.token
    assert token_output.format_tokens([sign_in], ENV_FORMAT) == [
        f"ACR_LOGIN_SERVER={sign_in.login_server}",
        f"ACR_USERNAME={TOKEN_USERNAME}",
        *(f"{variable}={sign_in.token.value}" for variable in variables),
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
    token_output.mask_in_pipeline_logs([REFRESH, FAILED, ACCESS])
    captured = capsys.readouterr()
    assert captured.out == ""
    secrets = ["refresh-1", "access-1", encoded("refresh-1"), encoded("access-1")]
    assert captured.err.splitlines() == [form.format(secret) for secret in secrets]


def test_a_pipeline_hides_a_secrets_data_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    token_output.mask_in_pipeline_logs([REFRESH, FAILED, ACCESS], KUBERNETES_FORMAT)
    (text,) = token_output.format_tokens([REFRESH, FAILED, ACCESS], KUBERNETES_FORMAT)
    assert capsys.readouterr().err.splitlines()[-1] == f"::add-mask::{json.loads(text)['data']['.dockerconfigjson']}"


@pytest.mark.parametrize("value", ["", "false"])
def test_without_a_pipeline_nothing_is_masked(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", value)
    monkeypatch.setenv("TF_BUILD", value)
    token_output.mask_in_pipeline_logs([REFRESH])
    assert capsys.readouterr() == ("", "")

"""Access tokens for some repositories: what is asked for, and what is taken for an answer."""

import json

import pytest
from azure.cli.core.azclierror import AzureInternalError, AzureResponseError, ForbiddenError, UnauthorizedError

from azext_acrscope.base.tokens import AccessToken, EntraToken
from azext_acrscope.hops import exchange as hops_exchange
from azext_acrscope.hops import scoped_tokens
from azext_acrscope.hops.token_endpoints import LoginServerAnswer
from tests.factories.tokens import jwt
from tests.localcloud import LocalCloud

IO, HOST = ".azurecr.io", "contoso.azurecr.io"
PULL = {"team/app": ["pull"]}


def entry(name: str, *actions: str, kind: str = "repository") -> dict[str, object]:
    return {"type": kind, "name": name, "actions": list(actions)}


def answer(*granted: dict[str, object], **claims: object) -> LoginServerAnswer:
    token = jwt(**{"aud": HOST, "exp": 4102444800, "access": list(granted), **claims})
    return LoginServerAnswer(200, {}, json.dumps({"access_token": token}).encode())


def read(reply: LoginServerAnswer, wanted: dict[str, list[str]] = PULL, host: str = HOST) -> AccessToken:
    return scoped_tokens.read_access_token(reply, host, IO, wanted)


@pytest.mark.parametrize(
    ("permissions", "actions"),
    [
        (None, ["pull"]),
        (["pull"], ["pull"]),
        (["push"], ["pull", "push"]),
        (["pull", "push", "push"], ["pull", "push"]),
        (["delete"], ["delete"]),
        (["metadata"], ["metadata_read"]),
        (["metadata-write", "pull"], ["metadata_read", "metadata_write", "pull"]),
    ],
)
def test_words_stand_for_the_registrys_actions(permissions: list[str] | None, actions: list[str]) -> None:
    assert scoped_tokens.requested_actions(["team/app", "base"], permissions) == {"team/app": actions, "base": actions}
    assert scoped_tokens.requested_actions(None, permissions) == {}


def test_what_was_granted_is_told() -> None:
    token = read(answer(entry("team/app", "pull")), {"team/app": ["pull", "push"]})
    assert (token.login_server, token.expires_on, token.granted) == (HOST, "2100-01-01T00:00:00Z", PULL)
    assert scoped_tokens.missing_actions(token, {"team/app": ["pull", "push"]}) == {"team/app": ["push"]}
    assert scoped_tokens.missing_actions(token, PULL) == {}


def test_a_token_of_a_regional_login_server_may_be_for_the_global_one() -> None:
    assert read(answer(entry("team/app", "pull")), host="contoso.westeurope.geo.azurecr.io").granted == PULL


@pytest.mark.parametrize(
    "granted",
    [
        [entry("team/app", "pull", "push")],
        [entry("team/app", "pull"), entry("team/app", "delete")],
        [entry("team/app", "pull"), entry("other", "pull")],
        [entry("team/app", "pull"), entry("catalog", "*", kind="registry")],
        [entry("team/app", "*")],
        [entry("team/app", "pull"), {"type": "repository", "name": ["x"], "actions": ["pull"]}],
    ],
)
def test_a_token_that_opens_more_than_was_asked_for_is_refused(granted: list[dict[str, object]]) -> None:
    with pytest.raises(AzureResponseError, match="more than was asked for"):
        read(answer(*granted))


@pytest.mark.parametrize("audience", ["fabrikam.azurecr.io", "contoso-e7gg9xb2.azurecr.io", None, 7])
def test_a_token_for_somebody_else_is_refused(audience: object) -> None:
    with pytest.raises(AzureResponseError, match="a token for"):
        read(answer(entry("team/app", "pull"), aud=audience))


@pytest.mark.parametrize("body", ["{}", "[]", "<html>", '{"access_token": 7}', '{"access_token": "a b"}', ""])
def test_an_answer_without_a_token_is_refused(body: str) -> None:
    with pytest.raises(AzureResponseError, match="no access token"):
        read(LoginServerAnswer(200, {}, body.encode()))


def test_an_opaque_token_is_refused_for_nobody_knows_what_it_opens() -> None:
    with pytest.raises(AzureResponseError, match="a token for 'nobody'"):
        read(LoginServerAnswer(200, {}, b'{"access_token": "opaque"}'))


@pytest.mark.parametrize("granted", [[], [entry("other")], [entry("team/app")], ["x", 7, {"actions": "pull"}]])
def test_nothing_granted_is_an_error_that_names_the_roles(granted: list[dict[str, object]]) -> None:
    with pytest.raises(ForbiddenError, match="does not grant this account pull in team/app") as caught:
        read(answer(*granted))
    assert "AcrPull" in str(caught.value.recommendations)


def test_a_refresh_token_in_the_access_tokens_place_is_refused() -> None:
    refresh = json.dumps({"access_token": jwt(aud=HOST, exp=4102444800, grant_type="refresh_token", permissions={})})
    with pytest.raises(ForbiddenError):
        read(LoginServerAnswer(200, {}, refresh.encode()))


@pytest.mark.parametrize(
    ("status", "error"), [(401, UnauthorizedError), (429, AzureResponseError), (500, AzureInternalError)]
)
def test_a_refusal_has_its_own_type_and_the_ids(status: int, error: type[Exception]) -> None:
    body = b'{"errors": [{"code": "UNAUTHORIZED", "message": "secret"}]}'
    with pytest.raises(error, match=f"UNAUTHORIZED, HTTP {status}, correlation id 11-22") as caught:
        read(LoginServerAnswer(status, {"X-Ms-Correlation-Request-Id": "11-22"}, body))
    assert "secret" not in str(caught.value)


# --- on the wire ---


def test_each_repository_is_a_scope_of_its_own(cloud: LocalCloud) -> None:
    cloud.world.add_registry("contoso")
    audience = "https://containerregistry.azure.net"
    entra = EntraToken(cloud.world.mint(cloud.default_account(), audience), cloud.world.tenant_id, audience)
    exchange = hops_exchange.Exchange(HOST, IO)
    refresh = exchange.finish(entra)
    wanted = scoped_tokens.requested_actions(["team/app", "base"], ["push"])
    token = scoped_tokens.acquire_access_token(exchange.server, exchange.service(), refresh, wanted)
    assert token.granted == wanted
    sent = cloud.requests_to(HOST)[-1]
    assert (sent.method, sent.path, sent.headers.get("Authorization")) == ("POST", "/oauth2/token", None)
    assert sent.scopes == ["repository:team/app:pull,push", "repository:base:pull,push"]
    assert sent.form["grant_type"] == "refresh_token"


def test_a_redirect_is_not_followed_with_the_refresh_token(cloud: LocalCloud) -> None:
    cloud.world.add_registry("contoso")
    evil = cloud.hostile("evil.example")
    audience = "https://containerregistry.azure.net"
    entra = EntraToken(cloud.world.mint(cloud.default_account(), audience), cloud.world.tenant_id, audience)
    exchange = hops_exchange.Exchange(HOST, IO)
    refresh = exchange.finish(entra)
    cloud.faults.add(host=HOST, path="/oauth2/token", redirect="https://evil.example/steal")
    with pytest.raises(AzureResponseError, match="Redirects are refused"):
        scoped_tokens.acquire_access_token(exchange.server, exchange.service(), refresh, PULL)
    assert evil.requests == []

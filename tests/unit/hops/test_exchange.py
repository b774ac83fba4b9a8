"""Second hop: what the requests to a login server look like, and what is done with the answers."""

from pathlib import Path

import pytest
from azure.cli.core.azclierror import AzureConnectionError, AzureResponseError

from azext_acrscope.base.tokens import EntraToken, RefreshToken
from azext_acrscope.hops import exchange as hops_exchange
from azext_acrscope.hops import token_endpoints
from tests.factories.tokens import jwt
from tests.localcloud import LocalCloud, Registry

IO = ".azurecr.io"


@pytest.fixture
def registry(cloud: LocalCloud) -> Registry:
    return cloud.world.add_registry("contoso")


@pytest.fixture
def token(cloud: LocalCloud, registry: Registry) -> EntraToken:
    audience = "https://containerregistry.azure.net"
    return EntraToken(cloud.world.mint(cloud.default_account(), audience), cloud.world.tenant_id, audience)


def exchange(registry: Registry, token: EntraToken) -> RefreshToken:
    return hops_exchange.Exchange(registry.login_server, IO).finish(token)


def test_the_exchange_has_the_recorded_form(cloud: LocalCloud, registry: Registry, token: EntraToken) -> None:
    result = exchange(registry, token)
    assert result.login_server == registry.login_server
    assert result.expires_on is not None
    request = cloud.requests_to(registry.login_server)[1]
    assert (request.method, request.path) == ("POST", "/oauth2/exchange")
    form = dict(field.split("=", 1) for field in request.body.decode().split("&"))
    assert form == {
        "grant_type": "access_token",
        "service": registry.login_server,
        "tenant": token.tenant,
        "access_token": token.value,
    }


def test_the_token_is_in_the_form_alone(cloud: LocalCloud, registry: Registry, token: EntraToken) -> None:
    exchange(registry, token)
    for request in cloud.requests_to(registry.login_server):
        assert not [name for name in request.headers if name.lower() in ("authorization", "cookie")]
        assert token.value not in str(request.query)


def test_a_netrc_entry_for_the_host_is_not_sent(
    cloud: LocalCloud, registry: Registry, token: EntraToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {registry.login_server} login someone password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    exchange(registry, token)
    assert not [request for request in cloud.requests if "Authorization" in request.headers]


def test_a_server_that_never_answers_is_given_up(
    cloud: LocalCloud, registry: Registry, token: EntraToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in command has no timeouts."""
    monkeypatch.setattr(token_endpoints, "READ_SECONDS", 0.5)
    cloud.faults.add(host=registry.login_server, delay=5, times=None)
    with pytest.raises(AzureConnectionError, match="timed out"):
        exchange(registry, token)


def test_the_default_timeouts_are_finite() -> None:
    assert 0 < token_endpoints.CONNECT_SECONDS <= 60
    assert 0 < token_endpoints.READ_SECONDS <= 60


def test_a_wait_longer_than_a_minute_is_not_sat_through() -> None:
    class Busy:
        status = 429
        headers = {"Retry-After": "3600"}  # noqa: RUF012

    assert token_endpoints._BoundedRetry().get_retry_after(Busy()) == 60


def test_a_token_of_the_registry_for_somebody_else_is_refused(
    cloud: LocalCloud, registry: Registry, token: EntraToken
) -> None:
    body = '{"refresh_token": "%s"}' % jwt(aud="fabrikam.azurecr.io", grant_type="refresh_token")  # noqa: UP031
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=200, body=body)
    with pytest.raises(AzureResponseError, match=r"a refresh token for 'fabrikam\.azurecr\.io'"):
        exchange(registry, token)


@pytest.mark.parametrize(
    ("header", "parsed"),
    [
        (
            'Bearer realm="https://c.azurecr.io/oauth2/token",service="c.azurecr.io"',
            ("https://c.azurecr.io/oauth2/token", "c.azurecr.io"),
        ),
        ('bearer service="s", realm="r", scope="repository:a:pull,push"', ("r", "s")),
        ('Basic realm="r"', ("", "")),
        ("Bearer", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_challenge_is_read_with_its_quotes_and_commas(header: str, parsed: tuple[str, str]) -> None:
    assert hops_exchange.parse_challenge(header) == parsed


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("opaque", "that is not a refresh token"),
        (jwt(aud="contoso.azurecr.io", exp=4102444800), "that is not a refresh token"),
        (
            jwt(aud="contoso.azurecr.io", exp=4102444800, grant_type="access_token"),
            "that is not a refresh token",
        ),
        (jwt(aud="contoso.azurecr.io", exp=1600000000, grant_type="refresh_token"), "has expired already"),
        (jwt(aud="contoso.azurecr.io", exp="soon", grant_type="refresh_token"), "has expired already"),
        (jwt(aud="contoso.azurecr.io", exp=1e300, grant_type="refresh_token"), "has expired already"),
        (jwt(aud="contoso.azurecr.io", grant_type="refresh_token"), "has expired already"),
        (jwt(aud=["contoso.azurecr.io"], exp=4102444800, grant_type="refresh_token"), "a refresh token for"),
    ],
)
def test_a_refresh_token_that_is_of_no_use_is_refused(
    cloud: LocalCloud, registry: Registry, token: EntraToken, value: str, says: str
) -> None:
    body = {"refresh_token": value}
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=200, body=body)
    with pytest.raises(AzureResponseError, match=says):
        exchange(registry, token)


def test_whether_a_token_has_expired_is_decided_by_the_servers_clock(
    cloud: LocalCloud, registry: Registry, token: EntraToken
) -> None:
    """The clock of this machine may be years ahead."""
    body = {"refresh_token": jwt(aud="contoso.azurecr.io", exp=1600000000, grant_type="refresh_token")}
    headers = {"Date": "Sun, 13 Sep 2020 10:00:00 GMT"}
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=200, body=body, headers=headers)
    assert exchange(registry, token).expires_on == "2020-09-13T12:26:40Z"


@pytest.mark.parametrize("path", ["/v2/", "/oauth2/exchange"])
def test_an_answer_that_breaks_off_is_requested_once_more(
    cloud: LocalCloud, registry: Registry, token: EntraToken, path: str
) -> None:
    cloud.faults.add(host=registry.login_server, path=path, truncate=True)
    assert exchange(registry, token).expires_on
    assert len([each for each in cloud.requests_to(registry.login_server) if each.path == path]) == 2
    cloud.faults.add(host=registry.login_server, path=path, truncate=True, times=None)
    with pytest.raises(AzureConnectionError, match="could not be reached"):
        exchange(registry, token)
    assert len([each for each in cloud.requests_to(registry.login_server) if each.path == path]) == 4

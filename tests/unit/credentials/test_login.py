"""A run of sign-ins: the hops it takes, what is kept, what one failure means for the others."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import AuthenticationError, AzCLIError, ClientRequestError, ForbiddenError

from azext_acrscope import _errors
from azext_acrscope.base.tokens import AccessToken, EntraToken, RefreshToken
from azext_acrscope.credentials import login
from azext_acrscope.credentials.destinations import Destination
from azext_acrscope.credentials.login import LoginTarget
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import StoredCredential, encode_auth
from tests.factories.tokens import jwt
from tests.localcloud import LocalCloud

IO, HOST = ".azurecr.io", "contoso.azurecr.io"
AUDIENCE = "https://containerregistry.azure.net"
PULL = {"team/app": ["pull"]}


class FirstHop:
    """Counts its calls."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._token = EntraToken(cloud.world.mint(cloud.default_account(), AUDIENCE), cloud.world.tenant_id, AUDIENCE)
        self.asked: list[str | None] = []

    def __call__(self, subscription: str | None) -> EntraToken:
        self.asked.append(subscription)
        return self._token


def run_of(*names: str) -> list[LoginTarget]:
    return [LoginTarget(name, f"{name}.azurecr.io") for name in names]


def exchanges(cloud: LocalCloud) -> int:
    return len([request for request in cloud.requests if request.path == "/oauth2/exchange"])


def test_many_registries_take_one_first_hop_and_an_exchange_each(cloud: LocalCloud) -> None:
    names = [f"contoso{number}" for number in range(2 * login.MAX_CONCURRENT_LOGINS)]
    for name in names:
        cloud.world.add_registry(name)
    run, first_hop = run_of(*names), FirstHop(cloud)
    login.fetch_tokens(run, IO, first_hop)
    assert (first_hop.asked, exchanges(cloud)) == ([None], len(names))
    assert [each.token.login_server for each in run if each.token] == [each.login_server for each in run]


def test_no_more_than_so_many_exchanges_at_once(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MAX_CONCURRENT_LOGINS", 3)
    now, most, guard = 0, 0, threading.Lock()
    real = login._fetch_one

    def counted(*arguments: Any) -> None:
        nonlocal now, most
        with guard:
            now, most = now + 1, max(most, now + 1)
        real(*arguments)
        with guard:
            now -= 1

    monkeypatch.setattr(login, "_fetch_one", counted)
    names = [f"contoso{number}" for number in range(9)]
    for name in names:
        cloud.world.add_registry(name)
    run = run_of(*names)
    login.fetch_tokens(run, IO, FirstHop(cloud))
    assert [each for each in run if not each.token] == []
    assert 1 <= most <= 3


def test_one_failure_keeps_no_other_back(cloud: LocalCloud) -> None:
    for name in ("contoso", "fabrikam", "northwind"):
        cloud.world.add_registry(name).firewall = "203.0.113.9" if name == "fabrikam" else None
    run = run_of("contoso", "fabrikam", "nosuch00", "northwind")
    login.fetch_tokens(run, IO, FirstHop(cloud))
    assert [type(each.error).__name__ for each in run] == [
        "NoneType",
        "ForbiddenError",
        "AzureConnectionError",
        "NoneType",
    ]
    failed = login.login_error(run)
    assert failed
    assert "2 of 4 registries" in failed.error_msg


def test_what_nobody_foresaw_is_an_error_of_its_own_row(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError(jwt(aud=HOST))

    monkeypatch.setattr(login, "Exchange", broken)
    run = run_of("contoso")
    login.fetch_tokens(run, IO, FirstHop(cloud))
    assert run[0].error
    assert run[0].error.error_msg.endswith("(KeyError).")


def test_without_an_entra_token_the_run_ends_with_that_error(cloud: LocalCloud) -> None:
    cloud.world.add_registry("contoso")

    def refused(_: str | None) -> EntraToken:
        raise AuthenticationError("no")

    with pytest.raises(AuthenticationError):
        login.fetch_tokens(run_of("contoso", "fabrikam"), IO, refused)
    assert exchanges(cloud) == 0


def test_an_interrupted_run_waits_for_no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's end waits for threads that are no daemons."""
    asked, released, noticed = threading.Event(), threading.Event(), threading.Event()

    class Hanging:
        def __init__(self, *_: object) -> None:
            pass

        def finish(self, _: EntraToken) -> None:
            asked.set()
            released.wait()

    def press_ctrl_c() -> None:
        asked.wait()
        # Again if need be, as a person would: a signal that comes just before the main thread sleeps does not wake it.
        while not noticed.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            noticed.wait(3)

    monkeypatch.setattr(login, "Exchange", Hanging)
    before = set(threading.enumerate())
    # A shell starts what it runs in the background with the signal ignored, and Python leaves it so.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=press_ctrl_c, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            login.fetch_tokens(run_of("contoso"), IO, lambda _: EntraToken("x", "tenant", AUDIENCE))
        noticed.set()
    finally:
        signal.signal(signal.SIGINT, kept)
    waiting = set(threading.enumerate()) - before
    assert waiting
    assert [thread for thread in waiting if not thread.daemon] == []
    released.set()


def test_each_account_is_asked_for_once(cloud: LocalCloud) -> None:
    for name in ("contoso", "fabrikam", "northwind"):
        cloud.world.add_registry(name)
    run = run_of("contoso", "fabrikam", "northwind")
    run[1].subscription_id = run[2].subscription_id = "another"
    first_hop = FirstHop(cloud)
    login.fetch_tokens(run, IO, first_hop)
    assert sorted(map(str, first_hop.asked)) == ["None", "another"]


def test_nothing_left_to_do_asks_nobody(cloud: LocalCloud) -> None:
    first_hop = FirstHop(cloud)
    login.fetch_tokens([LoginTarget("contoso", HOST, kept_until="2026-09-10T08:05:28Z")], IO, first_hop)
    assert (first_hop.asked, cloud.requests) == ([], [])


def test_limited_tokens_are_limited_for_each_registry(cloud: LocalCloud) -> None:
    for name in ("contoso", "fabrikam"):
        cloud.world.add_registry(name)
    run = run_of("contoso", "fabrikam")
    login.fetch_tokens(run, IO, FirstHop(cloud), PULL)
    assert [each.token.granted for each in run if isinstance(each.token, AccessToken)] == [PULL, PULL]


# --- what is stored and lives long enough ---


def stored(seconds: float, **claims: object) -> str:
    return jwt(**{"aud": HOST, "grant_type": "refresh_token", "exp": int(time.time() + seconds), **claims})


def serves(credential: StoredCredential, host: str = HOST, wanted: dict[str, list[str]] | None = None) -> bool:
    return login._is_fresh(credential, host, 2700, wanted or {})


@pytest.mark.parametrize("username", [TOKEN_USERNAME, "<token>"])
@pytest.mark.parametrize("identity", [False, True])
def test_a_stored_token_that_lives_long_enough_serves(username: str, identity: bool) -> None:
    assert serves(StoredCredential(username, stored(3000), identity))
    assert not serves(StoredCredential(username, stored(2000), identity))
    assert not serves(StoredCredential(username, stored(-1), identity))


@pytest.mark.parametrize(
    ("username", "secret"),
    [
        ("contoso", stored(3000)),
        (TOKEN_USERNAME, "opaque"),
        (TOKEN_USERNAME, stored(3000, aud="fabrikam.azurecr.io")),
        (TOKEN_USERNAME, stored(3000, aud="contoso-e7gg9xb2.azurecr.io")),
        (TOKEN_USERNAME, stored(3000, aud=None)),
        (TOKEN_USERNAME, stored(3000, exp="tomorrow")),
        (TOKEN_USERNAME, stored(3000, grant_type="access_token", access=[])),
    ],
)
def test_what_is_not_this_registrys_refresh_token_does_not_serve(username: str, secret: str) -> None:
    assert not serves(StoredCredential(username, secret))


def test_a_regional_login_server_is_served_by_the_registrys_token() -> None:
    assert serves(StoredCredential(TOKEN_USERNAME, stored(3000)), "contoso.westeurope.geo.azurecr.io")


@pytest.mark.parametrize(
    ("actions", "expected"), [(["pull"], True), (["pull", "push"], False), (["push"], False), ([], False)]
)
def test_a_limited_token_serves_only_just_what_is_wanted(actions: list[str], expected: bool) -> None:
    access = [{"type": "repository", "name": "team/app", "actions": actions}]
    limited = StoredCredential(TOKEN_USERNAME, stored(3000, grant_type="access_token", access=access))
    assert serves(limited, wanted=PULL) is expected
    assert not serves(StoredCredential(TOKEN_USERNAME, stored(3000)), wanted=PULL), "a refresh token opens far more"


def test_a_helper_that_gives_nothing_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "config.json").write_text('{"credsStore": "nosuch"}')
    run = run_of("contoso")
    login.skip_if_fresh(run, Destination(), 2700, {})
    assert run[0].is_open


def test_what_is_kept_tells_until_when(tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    auth = encode_auth(TOKEN_USERNAME, jwt(aud=HOST, grant_type="refresh_token", exp=4102444800))
    file.write_text(f'{{"auths": {{"{HOST}": {{"auth": "{auth}"}}}}}}')
    run = [*run_of("contoso"), LoginTarget("nosuch", error=_errors.no_registry())]
    login.skip_if_fresh(run, Destination(file=file), 60, {})
    assert [each.kept_until for each in run] == ["2100-01-01T00:00:00Z", None]
    rows = login.login_result(run, Destination(file=file))
    assert isinstance(rows, list)
    assert [(row["result"], row["expiresOn"]) for row in rows] == [("kept", "2100-01-01T00:00:00Z"), ("failed", None)]


# --- how it ends ---


def failed(name: str, error: AzCLIError) -> LoginTarget:
    return LoginTarget(name, f"{name}.azurecr.io", error=error)


def test_the_verdict_on_one_is_its_own_error_and_on_several_a_count() -> None:
    good, bad = (
        LoginTarget("contoso", HOST, token=RefreshToken("x", HOST, None)),
        failed("fabrikam", ForbiddenError("no")),
    )
    assert login.login_error([good]) is None
    assert login.login_error([bad]) is bad.error
    some, none = login.login_error([good, bad]), login.login_error([bad, bad])
    assert isinstance(some, ClientRequestError)
    assert isinstance(none, ClientRequestError)
    assert "The others are signed in" in str(some.recommendations)
    assert "The others" not in str(none.recommendations)


def test_no_row_holds_a_token(tmp_path: Path) -> None:
    secret = jwt(aud=HOST)
    run = [
        LoginTarget("contoso", HOST, token=RefreshToken(secret, HOST, "2026-09-10T08:05:28Z")),
        LoginTarget("contoso", HOST, token=AccessToken(secret, HOST, None, PULL)),
        failed("fabrikam", ForbiddenError("no")),
    ]
    rows = login.login_result(run, Destination(file=tmp_path / "auth.json"))
    assert isinstance(rows, list)
    assert secret not in str(rows)
    assert secret not in repr(run)
    assert [row["result"] for row in rows] == ["signed in", "signed in", "failed"]
    assert [row["reason"] for row in rows] == ["", "", "no"]
    assert rows[1]["permissions"] == PULL


def test_what_could_not_be_stored_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = [LoginTarget("contoso", HOST, token=RefreshToken("x", HOST, None))]
    login.store_credentials(run, Destination(file=tmp_path / "file" / "auth.json"))
    assert run[0].error
    assert "cannot be written" in run[0].error.error_msg

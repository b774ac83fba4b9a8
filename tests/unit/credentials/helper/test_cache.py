"""The cache: what is in it, who may read it, and what becomes of a broken one."""

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrscope.base.tokens import read_claims
from azext_acrscope.credentials.helper import cache, cache_update, state
from tests.factories.helper import ALICE, BREAKERS, HOST, sign_in, token

ME = "me"


def put(secret: str, identity: str = ME, host: str = HOST) -> None:
    with cache_update.update_cache() as content:
        content["tokens"].setdefault(identity, {})[host] = cache_update.make_entry(secret, read_claims(secret))


def test_a_token_is_found_by_its_identity_and_host_only() -> None:
    secret = token()
    put(secret)
    content = cache.read_cache()
    assert cache.cached_token(content, ME, HOST) == secret
    assert cache.cached_token(content, "somebody else", HOST) is None
    assert cache.cached_token(content, None, HOST) is None
    assert cache.cached_token(content, ME, "fabrikam.azurecr.io") is None


@pytest.mark.parametrize(
    ("age", "fresh", "usable"),
    [(0, True, True), (8000, True, True), (8200, False, True), (10700, False, True), (10745, False, False)],
)
def test_a_token_of_three_hours_is_renewed_in_its_last_45_minutes_and_used_until_its_last_one(
    age: int, fresh: bool, usable: bool
) -> None:
    put(token(age=age))
    content = cache.read_cache()
    assert (cache.cached_token(content, ME, HOST) is not None) == fresh
    assert (cache.cached_token(content, ME, HOST, last_resort=True) is not None) == usable


def test_a_short_lived_token_is_renewed_in_the_last_quarter_of_its_life() -> None:
    put(token(lives=1000, age=740))
    assert cache.cached_token(cache.read_cache(), ME, HOST)
    put(token(lives=1000, age=760))
    assert cache.cached_token(cache.read_cache(), ME, HOST) is None


def test_a_token_is_not_taken_for_longer_lived_than_it_is_where_the_clock_is_behind() -> None:
    issued = int(time.time()) + 7200
    entry = cache_update.make_entry("secret", {"iat": issued, "exp": issued + 600})
    assert entry["expires"] <= time.time() + 600


@pytest.mark.parametrize("token_claims", [{}, {"exp": "soon"}, {"exp": None, "iat": 5}, {"exp": 10, "iat": []}])
def test_a_token_that_does_not_say_how_long_it_lives_is_used_once(token_claims: dict[str, Any]) -> None:
    entry = cache_update.make_entry("secret", token_claims)
    content = {"tokens": {ME: {HOST: entry}}}
    assert cache.cached_token(content, ME, HOST) is None
    assert cache.cached_token(content, ME, HOST, last_resort=True) is None


def test_only_the_owner_may_read_it_and_look_into_its_folder() -> None:
    before = os.umask(0)
    try:
        put(token())
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(cache.cache_file()).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(state.helper_folder()).st_mode) == 0o700


def test_rights_that_are_too_wide_are_narrowed() -> None:
    put(token())
    os.chmod(cache.cache_file(), 0o644)
    os.chmod(state.helper_folder(), 0o750)  # noqa: S103
    assert cache.cached_token(cache.read_cache(), ME, HOST)
    assert stat.S_IMODE(os.stat(cache.cache_file()).st_mode) == 0o600
    put(token())
    assert stat.S_IMODE(os.stat(state.helper_folder()).st_mode) == 0o700


def test_another_users_file_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    put(token())
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(cache.cache_file()).st_uid + 1)
    assert cache.cached_token(cache.read_cache(), ME, HOST) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        "null",
        '{"version": 2, "tokens": {"me": {"contoso.azurecr.io": {"secret": "x", "renew": 9e99, "expires": 9e99}}}}',
        '{"version": 1, "tokens": [], "stored": "x"}',
        '{"version": 1, "tokens": {"me": [1]}, "stored": {"contoso.azurecr.io": {"username": 1}}}',
        '{"version": 1, "tokens": {"me": {"contoso.azurecr.io": {"secret": ["x"], "renew": "9", "expires": {}}}}}',
        "\x00\xff",
    ],
)
def test_a_broken_file_is_as_good_as_none_and_is_replaced(content: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(state.helper_folder()).mkdir()
    Path(cache.cache_file()).write_text(content)
    assert cache.cached_token(cache.read_cache(), ME, HOST) is None
    assert cache.cached_token(cache.read_cache(), ME, HOST, last_resort=True) is None
    assert cache.stored_login(cache.read_cache(), HOST) is None
    secret = token()
    put(secret)
    assert cache.cached_token(cache.read_cache(), ME, HOST) == secret
    said = capsys.readouterr().err
    assert (cache.cache_file() in said and "docker login" in said) is ('"version": 1' not in content)


@pytest.mark.parametrize("break_file", BREAKERS[1:3])
def test_something_else_in_its_place_is_not_waited_for_and_said(
    break_file: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(state.helper_folder()).mkdir()
    break_file(Path(cache.cache_file()))
    assert cache.read_cache()["tokens"] == {}
    try:
        put(token())
        said = capsys.readouterr().err
    except FileOperationError as error:
        said = error.error_msg
    assert cache.cache_file() in said


def test_a_cache_that_others_may_read_is_used_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = token()
    put(secret)
    os.chmod(cache.cache_file(), 0o644)

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "fchmod", refuse)
    assert cache.cached_token(cache.read_cache(), ME, HOST) == secret


def test_what_is_over_is_dropped_and_the_rest_kept() -> None:
    put(token(age=10801), identity="long ago")
    put(token(), host="fabrikam.azurecr.io")
    with cache_update.update_cache() as content:
        content["stored"] = {"a": {"username": "u", "secret": "s"}, "b": {"username": "u", "secret": "s", "expires": 5}}
    content = json.loads(Path(cache.cache_file()).read_text())
    assert list(content["tokens"]) == [ME]
    assert list(content["stored"]) == ["a"]


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(home: Path) -> None:
    (home / "azure/acrscope").write_text("a file in the way")
    with pytest.raises(FileOperationError), cache_update.update_cache():
        pass


def test_an_identity_is_another_one_once_somebody_else_signs_in() -> None:
    seen = {state.identity_key(state.DEFAULT_SOURCE)}
    sign_in({"name": "bob@contoso.example", "type": "user"})
    seen.add(state.identity_key(state.DEFAULT_SOURCE))
    sign_in(ALICE, tenant="tenant-2")
    seen.add(state.identity_key(state.DEFAULT_SOURCE))
    seen.add(state.identity_key({"credential": "cli", "tenant": "tenant-3"}))
    assert len(seen) == 4
    assert None not in seen


def test_nobody_is_signed_in_without_a_profile(home: Path) -> None:
    sign_in(None)
    assert state.identity_key(state.DEFAULT_SOURCE) is None
    (home / "azure/azureProfile.json").write_text("{}")
    assert state.identity_key(state.DEFAULT_SOURCE) is None
    (home / "azure/azureProfile.json").unlink()
    assert state.identity_key(state.DEFAULT_SOURCE) is None


@pytest.mark.parametrize("break_file", BREAKERS)
def test_with_a_broken_profile_it_is_not_known_who_is_signed_in(home: Path, break_file: Callable[[Path], None]) -> None:
    break_file(home / "azure/azureProfile.json")
    with pytest.raises(state.Unreadable) as caught:
        state.identity_key(state.DEFAULT_SOURCE)
    assert caught.value.file == str(home / "azure/azureProfile.json")


def test_a_named_subscription_holds_on_to_its_account(home: Path) -> None:
    source = {"credential": "cli", "subscription": "sub-1"}
    before = state.identity_key(source)
    profile = json.loads((home / "azure/azureProfile.json").read_text(encoding="utf-8-sig"))
    profile["subscriptions"][0]["isDefault"] = False
    profile["subscriptions"].append({**profile["subscriptions"][0], "id": "sub-2", "user": {"name": "bob"}})
    (home / "azure/azureProfile.json").write_text(json.dumps(profile))
    assert state.identity_key(source) == before
    assert state.identity_key({**source, "subscription": "sub-3"}) is None


def test_an_identity_of_the_environment_is_told_apart_by_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    source = {"credential": "environment"}
    before = state.identity_key(source)
    assert before is not None
    monkeypatch.setenv("AZURE_CLIENT_ID", "another")
    assert state.identity_key(source) != before
    assert state.identity_key({**source, "client_id": "x"}) != state.identity_key(source)

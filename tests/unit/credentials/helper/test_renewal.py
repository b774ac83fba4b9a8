"""Renewal: early, once, and not at the price of a token that is still valid."""

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.cli.core.azclierror import AzCLIError, AzureResponseError

from azext_acrscope.base.tokens import read_claims
from azext_acrscope.credentials.helper import cache, cache_update, cli, renewal, state
from azext_acrscope.hops import sign_in_errors
from tests.factories.helper import HOST, Hops, sign_in, token


def put(secret: str) -> None:
    identity = state.identity_key(state.DEFAULT_SOURCE)
    assert identity
    with cache_update.update_cache() as content:
        content["tokens"].setdefault(identity, {})[HOST] = cache_update.make_entry(secret, read_claims(secret))


def refuse() -> str:
    raise sign_in_errors.entra_unreachable(OSError("no route"))


def test_a_new_token_is_kept_for_the_next(hops: Hops) -> None:
    assert renewal.obtain_token(HOST) == renewal.obtain_token(HOST)
    assert len(hops.calls) == 1


def test_a_token_is_renewed_early(hops: Hops) -> None:
    old = token(age=9000)
    put(old)
    assert renewal.obtain_token(HOST) != old
    assert len(hops.calls) == 1


def test_a_failed_renewal_leaves_the_valid_token_and_is_said_on_stderr(
    hops: Hops, capsys: pytest.CaptureFixture[str]
) -> None:
    old = token(age=9000)
    put(old)
    hops.answer = refuse
    assert renewal.obtain_token(HOST) == old
    assert "still valid" in capsys.readouterr().err
    assert len(hops.calls) == 1


def test_a_failed_renewal_is_an_error_once_the_token_is_over(hops: Hops) -> None:
    put(token(age=10790))
    hops.answer = refuse
    for _ in range(2):
        with pytest.raises(AzCLIError, match="could not be reached"):
            renewal.obtain_token(HOST)
    assert len(hops.calls) == 2


def test_another_identity_never_gets_the_first_ones_token(hops: Hops) -> None:
    first = renewal.obtain_token(HOST)
    sign_in({"name": "bob", "type": "user"})
    second = renewal.obtain_token(HOST)
    assert second != first
    assert renewal.obtain_token(HOST) == second
    assert len(hops.calls) == 2


def test_a_token_is_not_kept_if_somebody_else_signs_in_while_it_is_made(hops: Hops) -> None:
    def switch() -> str:
        sign_in({"name": "bob", "type": "user"})
        return token()

    hops.answer = switch
    first = renewal.obtain_token(HOST)
    assert renewal.obtain_token(HOST) != first


def test_a_host_that_was_set_up_but_is_of_another_cloud_is_an_error(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    with pytest.raises(renewal.ForeignHost):
        renewal.obtain_token("contoso.azurecr.cn")
    (home / "azure/acrscope").mkdir(exist_ok=True)
    Path(state.settings_file()).write_text('{"hosts": {"contoso.azurecr.cn": {"credential": "cli"}}}')
    with pytest.raises(AzCLIError, match="not a login server of the active cloud"):
        renewal.obtain_token("contoso.azurecr.cn")


def test_the_settings_of_a_host_say_who_signs_in(hops: Hops, home: Path) -> None:
    (home / "azure/acrscope").mkdir()
    Path(state.settings_file()).write_text(
        '{"hosts": {"contoso.azurecr.io": {"credential": "managed-identity", "client_id": "c"}}}'
    )
    renewal.obtain_token(HOST)
    renewal.obtain_token("fabrikam.azurecr.io")
    assert [source for _, source in hops.calls] == [
        {"credential": "managed-identity", "client_id": "c"},
        {"credential": "cli"},
    ]


def test_where_nothing_can_be_written_there_is_still_an_answer(
    hops: Hops, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "azure/acrscope").symlink_to("/proc/nosuch/folder")
    assert renewal.obtain_token(HOST).startswith("eyJ")
    assert "cannot be written" in capsys.readouterr().err


def in_another_process(work: Callable[[], None]) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def wait_for(file: Path) -> None:
    for _ in range(3000):
        if file.exists():
            return
        time.sleep(0.01)
    raise TimeoutError(file)


def renewing_elsewhere(hops: Hops, home: Path) -> tuple[multiprocessing.process.BaseProcess, Path]:
    """Another process in the middle of its two hops, which it ends once the file returned is there."""
    begun, go = home / "begun", home / "go"

    def slow() -> str:
        begun.touch()
        wait_for(go)
        return token()

    hops.answer = slow
    process = in_another_process(lambda: print(renewal.obtain_token(HOST)))
    wait_for(begun)
    return process, go


def test_a_second_process_waits_for_the_first_and_takes_its_token(hops: Hops, home: Path) -> None:
    first, go = renewing_elsewhere(hops, home)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(renewal.obtain_token, HOST)
        threading.Event().wait(0.1)
        assert not second.done()
        go.touch()
        assert second.result() == cache.cached_token(cache.read_cache(), state.identity_key(state.DEFAULT_SOURCE), HOST)
    first.join()
    assert hops.calls == []  # those of this process


def test_a_second_process_does_not_wait_while_the_old_token_is_valid(hops: Hops, home: Path) -> None:
    old = token(age=9000)
    put(old)
    first, go = renewing_elsewhere(hops, home)
    assert renewal.obtain_token(HOST) == old
    go.touch()
    first.join()
    assert hops.calls == []


def test_who_waited_for_a_failure_gets_that_failure_and_does_not_repeat_it(hops: Hops, home: Path) -> None:
    begun, go = home / "begun", home / "go"

    def slow_refusal() -> str:
        begun.touch()
        wait_for(go)
        return refuse()

    def fail() -> None:
        with pytest.raises(AzCLIError):
            renewal.obtain_token(HOST)
        os._exit(0)

    hops.answer = slow_refusal
    first = in_another_process(fail)
    wait_for(begun)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(renewal.obtain_token, HOST)
        threading.Event().wait(0.1)
        go.touch()
        with pytest.raises(AzureResponseError, match=r"could not be reached: no route. Check the network"):
            second.result()
    first.join()
    assert hops.calls == []


def test_a_process_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, hops: Hops) -> None:
    monkeypatch.setattr(renewal, "_OTHER_PROCESS_SECONDS", 0.05)
    with renewal._lock_renewal(HOST, wait=True), pytest.raises(AzCLIError, match="Another process"):
        renewal.obtain_token(HOST)
    assert hops.calls == []


def test_the_extensions_packages_come_after_the_clis() -> None:
    cli.add_cli_packages()
    assert Path(cli.EXTENSION_ROOT, "azext_acrscope").is_dir()


def test_a_failure_of_a_clock_that_was_ahead_is_not_believed(hops: Hops) -> None:
    identity = state.identity_key(state.DEFAULT_SOURCE)
    assert identity
    with cache_update.update_cache() as content:
        content["tokens"][identity] = {HOST: {"failed": time.time() + 86400, "failure": "no network then"}}
    assert renewal.obtain_token(HOST)
    assert len(hops.calls) == 1


def unforeseen() -> str:
    raise RuntimeError("eyJ0b2tlbg.secret")


def test_a_renewal_that_fails_in_an_unforeseen_way_leaves_the_valid_token(
    hops: Hops, capsys: pytest.CaptureFixture[str]
) -> None:
    old = token(age=9000)
    put(old)
    hops.answer = unforeseen
    assert renewal.obtain_token(HOST) == old
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert "eyJ" not in said


def test_a_renewal_without_an_end_leaves_the_valid_token(
    hops: Hops, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(renewal, "_RENEW_WITH_VALID_TOKEN_SECONDS", 0.05)
    old, end = token(age=9000), threading.Event()
    put(old)
    hops.answer = lambda: str(end.wait(60))
    assert renewal.obtain_token(HOST) == old
    assert "longer than 0.05 seconds" in capsys.readouterr().err
    end.set()


def test_a_subscription_whose_account_is_gone_gets_no_other_accounts_token(hops: Hops) -> None:
    source = {"credential": "cli", "subscription": "sub-of-bob"}
    Path(state.helper_folder()).mkdir()
    Path(state.settings_file()).write_text(json.dumps({"hosts": {HOST: source}}))
    with pytest.raises(AzCLIError, match="sub-of-bob") as caught:
        renewal.obtain_token(HOST)
    assert f"configure-docker --name {HOST}" in " ".join(caught.value.recommendations)
    assert hops.calls == []

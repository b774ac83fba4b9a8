"""The protocol: what clients send, and what they are answered."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrscope.credentials.helper import cache, cache_update, cli, protocol, state
from azext_acrscope.credentials.helper import login as login_at_helper
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.hops import identity_errors, login_server_errors, sign_in_errors
from tests.factories.helper import ALICE, BREAKERS, HOST, Hops, cut_short, sign_in, token

Helper = Callable[..., tuple[int, str]]
NOT_FOUND = "credentials not found in native keychain\n"
USER = "00000000-0000-0000-0000-000000000000"


def get(helper: Helper, server: str = HOST) -> dict[str, str]:
    code, answer = helper("get", given=server + "\n")
    assert code == 0, answer
    found: dict[str, str] = json.loads(answer)
    return found


def login(helper: Helper, username: str, secret: str, server: str = HOST) -> tuple[int, str]:
    return helper("store", given=json.dumps({"ServerURL": server, "Username": username, "Secret": secret}))


def test_a_refresh_token_is_answered_under_the_user_name_that_every_client_understands(helper: Helper) -> None:
    found = get(helper)
    assert found["Username"] == USER == TOKEN_USERNAME
    assert found["Secret"].startswith("eyJ")


@pytest.mark.parametrize(
    "server", [HOST, f"https://{HOST}", f"https://{HOST}/", f"HTTPS://{HOST}/v2/", f"{HOST}:443", HOST.upper()]
)
def test_a_server_is_understood_as_clients_write_it_and_answered_as_it_was_written(
    helper: Helper, hops: Hops, server: str
) -> None:
    assert get(helper, server)["ServerURL"] == server
    get(helper)
    assert [host for host, _ in hops.calls] == [HOST]


@pytest.mark.parametrize(
    "server",
    [
        f"http://{HOST}",
        f"{HOST}:5000",
        f"{HOST}:444",
        f"user@{HOST}",
        "https://index.docker.io/v1/",
        "docker.io",
        "mcr.microsoft.com",
        f"{HOST}.evil.example",
        "contosoazurecr.io",
        "contoso.westeurope.data.azurecr.io",
        f"{HOST}.",
        f"..{HOST}",
        f"../{HOST}",
        "contoso.azurecr.io\u0130",
    ],
)
def test_other_hosts_are_not_found_and_nothing_is_asked_for(helper: Helper, hops: Hops, server: str) -> None:
    assert helper("get", given=server) == (1, NOT_FOUND)
    assert hops.calls == []


def test_no_server_is_told_in_the_protocols_own_words(helper: Helper) -> None:
    for verb in ("get", "erase"):
        assert helper(verb, given=" \n") == (1, "no credentials server URL\n")
    assert login(helper, "", "x") == (1, "no credentials username\n")
    assert login(helper, "x", "x", server="") == (1, "no credentials server URL\n")


@pytest.mark.parametrize("arguments", [(), ("bogus",), ("get", "get")])
def test_anything_but_one_verb_gets_the_usage(helper: Helper, arguments: tuple[str, ...]) -> None:
    code, answer = helper(*arguments)
    assert code == 1
    assert "store|get|erase|list|version" in answer


def test_an_error_is_one_line_with_what_to_do_and_not_a_missing_credential(helper: Helper, hops: Hops) -> None:
    def refuse() -> str:
        raise sign_in_errors.entra_unreachable(OSError("no route"))

    hops.answer = refuse
    code, answer = helper("get", given=HOST)
    assert code == 1
    assert answer.startswith("acrscope: Entra ID could not be reached: no route. Check the network")
    assert answer.count("\n") == 1


def test_an_unforeseen_error_is_no_traceback_and_holds_nothing_of_it(helper: Helper, hops: Hops) -> None:
    def fail() -> str:
        raise RuntimeError(f"with {token()}")

    hops.answer = fail
    code, answer = helper("get", given=HOST)
    assert code == 1
    assert "RuntimeError" in answer
    assert "eyJ" not in answer
    assert answer.count("\n") == 1


def test_what_docker_login_hands_over_is_answered_until_it_is_erased(helper: Helper, hops: Hops) -> None:
    assert login(helper, "contoso", "an admin's password") == (0, "")
    assert get(helper) == {"ServerURL": HOST, "Username": "contoso", "Secret": "an admin's password"}
    assert helper("erase", given=HOST) == (0, "")
    assert get(helper)["Username"] == USER
    assert len(hops.calls) == 1


@pytest.mark.parametrize("username", [USER, "<token>"])
def test_a_refresh_token_handed_over_is_used_like_our_own_and_renewed(
    helper: Helper, hops: Hops, username: str
) -> None:
    secret = token()
    assert login(helper, username, secret) == (0, "")
    assert get(helper) == {"ServerURL": HOST, "Username": USER, "Secret": secret}
    assert login(helper, username, token(age=10000)) == (0, "")
    get(helper)
    assert len(hops.calls) == 1


def test_a_token_for_some_repositories_is_never_replaced_by_one_that_opens_more(helper: Helper, hops: Hops) -> None:
    scoped = token(lives=4500, age=4490, grant_type="access_token")
    login(helper, USER, scoped)
    assert get(helper) == {"ServerURL": HOST, "Username": USER, "Secret": scoped}
    login(helper, USER, token(lives=4500, age=4600, grant_type="access_token"))
    code, answer = helper("get", given=HOST)
    assert (code, "--repository" in answer, "docker logout" in answer) == (1, True, True)
    assert hops.calls == []
    helper("erase", given=HOST)
    assert get(helper)["Secret"] != scoped


def test_a_refresh_token_of_another_registry_is_kept_as_it_is(helper: Helper) -> None:
    secret = token("fabrikam.azurecr.io")
    login(helper, USER, secret)
    assert cache.stored_login(cache.read_cache(), HOST) == (USER, secret)


def test_a_refresh_token_is_used_while_it_lives_where_nobody_is_signed_in(helper: Helper) -> None:
    sign_in(None)
    secret = token()
    login(helper, USER, secret)
    assert get(helper)["Secret"] == secret
    expired = token(age=10790)
    login(helper, USER, expired)
    assert get(helper)["Secret"] != expired


def test_a_login_takes_the_place_of_an_earlier_one(helper: Helper) -> None:
    login(helper, "contoso", "password")
    secret = token()
    login(helper, "<token>", secret)
    assert get(helper)["Secret"] == secret


@pytest.mark.parametrize("server", ["docker.io", f"http://{HOST}", f"{HOST}:5000", "https://index.docker.io/v1/"])
def test_a_credential_of_a_foreign_host_is_refused(helper: Helper, server: str) -> None:
    code, answer = login(helper, "me", "secret-9x", server=server)
    assert code == 1
    assert answer.startswith("acrscope: ")
    assert "secret-9x" not in answer
    assert not Path(cache.cache_file()).exists()


@pytest.mark.parametrize("given", ["", "no json", "[1]", '{"ServerURL": "contoso.azurecr.io"'])
def test_a_store_that_makes_no_sense_is_refused(helper: Helper, given: str) -> None:
    assert helper("store", given=given)[0] == 1
    assert not Path(cache.cache_file()).exists()


def test_erase_forgets_a_host_for_everybody_and_is_content_with_nothing_to_forget(helper: Helper, hops: Hops) -> None:
    get(helper)
    get(helper, "fabrikam.azurecr.io")
    sign_in({"name": "bob", "type": "user"})
    get(helper)
    for _ in range(2):
        assert helper("erase", given=f"https://{HOST}") == (0, "")
    sign_in(ALICE)
    get(helper)
    get(helper, "fabrikam.azurecr.io")
    assert len(hops.calls) == 4


def test_list_names_what_was_set_up_or_handed_over(helper: Helper) -> None:
    assert helper("list", given="unused") == (0, "{}\n")
    Path(state.helper_folder()).mkdir(exist_ok=True)
    Path(state.settings_file()).write_text(json.dumps({"hosts": {"set0up.azurecr.io": {"credential": "cli"}}}))
    login(helper, "contoso", "password")
    get(helper, "fabrikam.azurecr.io")
    code, answer = helper("list")
    assert code == 0
    assert json.loads(answer) == {HOST: "contoso", "fabrikam.azurecr.io": USER, "set0up.azurecr.io": USER}


def test_unreadable_settings_are_an_error_for_they_say_whose_token_to_use(helper: Helper, hops: Hops) -> None:
    Path(state.helper_folder()).mkdir(exist_ok=True)
    Path(state.settings_file()).write_text("{")
    code, answer = helper("get", given=HOST)
    assert code == 1
    assert state.settings_file() in answer
    assert "az acr scope configure-docker" in answer
    assert hops.calls == []


@pytest.mark.parametrize("break_file", BREAKERS)
def test_settings_of_any_other_kind_are_an_error_too(
    helper: Helper, hops: Hops, break_file: Callable[[Path], None]
) -> None:
    break_file(Path(state.settings_file()))
    for verb in ("get", "list"):
        code, answer = helper(verb, given=HOST)
        assert (code, state.settings_file() in answer, answer.count("\n")) == (1, True, 1)
    assert hops.calls == []


@pytest.mark.parametrize(
    "content", ['{"hosts": []}', '{"hosts": {"contoso.azurecr.io": []}}', '{"hosts": {"a": {"credential": 5}}}', "{}"]
)
def test_settings_of_another_shape_are_an_error_too(helper: Helper, content: str) -> None:
    Path(state.helper_folder()).mkdir(exist_ok=True)
    Path(state.settings_file()).write_text(content)
    code, answer = helper("get", given=HOST)
    assert (code, state.settings_file() in answer) == (1, True)


@pytest.mark.parametrize("break_file", BREAKERS)
def test_a_broken_profile_is_named_and_no_other_accounts_token_is_fetched(
    helper: Helper, hops: Hops, home: Path, break_file: Callable[[Path], None]
) -> None:
    break_file(home / "azure/azureProfile.json")
    code, answer = helper("get", given=HOST)
    assert (code, "azureProfile.json cannot be read" in answer, "az account clear" in answer) == (1, True, True)
    assert hops.calls == []


# --- a token that is still valid is answered whatever else is broken ---


def settings(home: Path) -> list[Path]:
    return [home / "azure/acrscope/helper.json"]


def profile(home: Path) -> list[Path]:
    return [home / "azure/azureProfile.json"]


def locks(home: Path) -> list[Path]:
    folder = home / "azure/acrscope"
    return [folder / f".renew-{HOST}.acrscope-lock", folder / ".helper-tokens.json.acrscope-lock"]


def everything(home: Path) -> list[Path]:
    return [*settings(home), *profile(home), *locks(home)]


@pytest.mark.parametrize("age", [0, 9000])
@pytest.mark.parametrize("files", [settings, profile, locks, everything])
@pytest.mark.parametrize("break_file", BREAKERS)
def test_a_valid_token_is_answered_whatever_file_is_broken(
    helper: Helper,
    hops: Hops,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    break_file: Callable[[Path], None],
    files: Callable[[Path], list[Path]],
    age: int,
) -> None:
    hops.answer = lambda: token(age=age)
    secret = get(helper)["Secret"]

    def refuse() -> str:
        raise sign_in_errors.entra_unreachable(OSError("no route"))

    hops.answer = refuse
    for file in files(home):
        break_file(file)
    capsys.readouterr()
    assert get(helper)["Secret"] == secret
    said = capsys.readouterr().err
    if files != locks:
        assert "cannot be read" in said
    assert "eyJ" not in said


def test_a_valid_token_is_answered_although_the_cli_is_broken(
    helper: Helper, hops: Hops, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hops.answer = lambda: token(age=9000)
    secret = get(helper)["Secret"]

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(cli, "cli_context", fail)
    assert get(helper)["Secret"] == secret
    assert "RuntimeError" in capsys.readouterr().err


def test_of_two_valid_tokens_none_is_answered_where_it_is_not_known_whose_is_meant(
    helper: Helper, hops: Hops, home: Path
) -> None:
    get(helper)
    sign_in({"name": "bob", "type": "user"})
    second = get(helper)["Secret"]
    cut_short(home / "azure/acrscope/helper.json")
    assert get(helper)["Secret"] == second, "the account in use is known"
    cut_short(home / "azure/azureProfile.json")
    code, answer = helper("get", given=HOST)
    assert (code, "cannot be read" in answer) == (1, True)


# --- a host that gave no answer a moment ago is not asked again at once ---


def raising(error: Exception) -> Callable[[], str]:
    def answer() -> str:
        raise error

    return answer


@pytest.fixture
def signed_in_long_ago(home: Path) -> Path:
    profile = home / "azure/azureProfile.json"
    os.utime(profile, (time.time() - 3600,) * 2)
    return profile


def age_failure(seconds: float) -> None:
    """Let so many seconds pass for what is remembered."""
    with cache_update.update_cache() as content:
        for entry in (entry for hosts in content["tokens"].values() for entry in hosts.values()):
            entry["failed"] -= seconds


REFUSED = {
    "code": "UNAUTHORIZED",
    "correlation": "",
    "retry_after": "",
    "tenant": "tenant-1",
    "audience": "https://containerregistry.azure.net",
}
WITHOUT_ANSWER = [
    login_server_errors.login_server_unreachable(HOST, OSError("no route")),
    login_server_errors.login_server_slow(HOST, 60),
    login_server_errors.exchange_refused(HOST, 429, **REFUSED),
    login_server_errors.exchange_refused(HOST, 503, **REFUSED),
    sign_in_errors.entra_unreachable(OSError("no route")),
]
ANSWERED = [
    login_server_errors.exchange_refused(HOST, 401, **REFUSED),
    login_server_errors.network_refused(HOST, "DENIED", "client with IP '203.0.113.7'", ""),
    login_server_errors.foreign_realm(HOST, "https://evil.example/oauth2/token"),
    login_server_errors.login_server_unreachable(HOST, OSError("CERTIFICATE_VERIFY_FAILED")),
    sign_in_errors.entra_unreachable(OSError("CERTIFICATE_VERIFY_FAILED")),
    identity_errors.oidc_unreachable("vstoken.example", OSError("CERTIFICATE_VERIFY_FAILED")),
    sign_in_errors.not_signed_in(RuntimeError("expired")),
    RuntimeError(),
]


@pytest.mark.usefixtures("signed_in_long_ago")
@pytest.mark.parametrize("error", WITHOUT_ANSWER, ids=str)
def test_a_host_without_an_answer_is_remembered_for_a_minute(
    helper: Helper, hops: Hops, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    hops.answer = raising(error)
    first = helper("get", given=HOST)
    began = time.gmtime()
    capsys.readouterr()
    code, answer = helper("get", given=HOST)
    assert (code, len(hops.calls)) == (1, 1)
    assert answer.startswith(first[1].rstrip("\n.")), "with the reason, and its advice"
    assert f"remembered from {time.strftime('%H:', began)}" in answer
    assert f"`az acr scope login --name {HOST}` tries at once" in answer
    assert answer.count("\n") == 1
    assert capsys.readouterr().err == answer, "docker shows nothing else"
    helper("get", given="fabrikam.azurecr.io")
    assert len(hops.calls) == 2, "no other host is meant"
    age_failure(61)
    hops.answer = token
    assert get(helper)["Secret"]


@pytest.mark.usefixtures("signed_in_long_ago")
@pytest.mark.parametrize("error", ANSWERED, ids=str)
def test_what_was_refused_is_asked_again_for_it_may_have_been_granted(
    helper: Helper, hops: Hops, error: Exception
) -> None:
    hops.answer = raising(error)
    assert helper("get", given=HOST)[0] == 1
    hops.answer = token
    assert get(helper)["Secret"]


def sign_in_again(_: Path, __: Helper, ___: pytest.MonkeyPatch) -> None:
    sign_in(ALICE)


def sign_in_somebody_else(profile: Path, _: Helper, __: pytest.MonkeyPatch) -> None:
    sign_in({"name": "bob", "type": "user"})
    os.utime(profile, (time.time() - 3600,) * 2)


def name_a_proxy(_: Path, __: Helper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:pa55word@proxy.example:3128")


def log_out(_: Path, helper: Helper, __: pytest.MonkeyPatch) -> None:
    helper("erase", given=HOST)


def log_in_elsewhere(_: Path, __: Helper, ___: pytest.MonkeyPatch) -> None:
    login_at_helper.forget_failures([HOST, "northwind.azurecr.io"])


def log_in_here(_: Path, helper: Helper, __: pytest.MonkeyPatch) -> None:
    assert login(helper, USER, token())[0] == 0


@pytest.mark.parametrize(
    "put_right", [sign_in_again, sign_in_somebody_else, name_a_proxy, log_out, log_in_elsewhere, log_in_here]
)
def test_what_puts_it_right_ends_the_memory(
    helper: Helper,
    hops: Hops,
    signed_in_long_ago: Path,
    monkeypatch: pytest.MonkeyPatch,
    put_right: Callable[[Path, Helper, pytest.MonkeyPatch], None],
) -> None:
    hops.answer = raising(WITHOUT_ANSWER[0])
    helper("get", given=HOST)
    hops.answer = token
    assert helper("get", given=HOST)[0] == 1
    put_right(signed_in_long_ago, helper, monkeypatch)
    assert get(helper)["Secret"]
    assert get(helper)["Secret"]
    assert len(hops.calls) == (1 if put_right is log_in_here else 2)


@pytest.mark.usefixtures("signed_in_long_ago")
def test_what_is_remembered_holds_no_proxys_password_and_is_its_owners_alone(
    helper: Helper, hops: Hops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pa55word@proxy.example:3128")
    hops.answer = raising(WITHOUT_ANSWER[0])
    helper("get", given=HOST)
    assert helper("get", given=HOST)[0] == 1
    assert len(hops.calls) == 1
    assert "pa55word" not in Path(cache.cache_file()).read_text()
    assert stat.S_IMODE(Path(cache.cache_file()).stat().st_mode) == 0o600


@pytest.mark.usefixtures("signed_in_long_ago")
def test_not_many_failures_are_kept(helper: Helper, hops: Hops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_update, "_MAX_FAILURES", 2)
    secret = get(helper)["Secret"]
    hops.answer = raising(WITHOUT_ANSWER[0])
    for name in ("first", "second", "third"):
        helper("get", given=f"{name}.azurecr.io")
    (known,) = cache.read_cache()["tokens"].values()
    assert set(known) == {HOST, "second.azurecr.io", "third.azurecr.io"}
    assert get(helper)["Secret"] == secret


@pytest.mark.parametrize("error", [WITHOUT_ANSWER[0], ANSWERED[0]], ids=str)
def test_a_renewal_that_failed_is_not_tried_again_at_once_while_the_token_is_valid(
    helper: Helper, hops: Hops, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    hops.answer = lambda: token(age=9000)
    old = get(helper)["Secret"]
    hops.answer = raising(error)
    assert get(helper)["Secret"] == old
    assert "still valid" in capsys.readouterr().err
    assert get(helper)["Secret"] == old
    assert capsys.readouterr().err == ""
    assert len(hops.calls) == 2
    age_failure(61)
    assert get(helper)["Secret"] == old
    assert len(hops.calls) == 3


MAIN = Path(protocol.__file__).with_name("__main__.py")


def loaded_for_get(home: Path) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """A `get` in an interpreter of its own, and the modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", str(MAIN), "get"],
        input=HOST,
        env={"AZURE_CONFIG_DIR": str(home / "azure")},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return done, {line.rpartition("|")[2].strip() for line in lines}


def check_light(modules: set[str]) -> None:
    """Nothing beyond the standard library, and of that only what costs nothing."""
    assert "azext_acrscope.credentials.helper.cache" in modules
    slow = {"azure", "knack", "msal", "portalocker"}
    slow |= {"typing", "pathlib", "dataclasses", "logging", "subprocess", "site", "json", "re", "enum", "contextlib"}
    assert not modules.intersection(slow)
    assert len([name for name in modules if name.startswith("azext_acrscope")]) == 11


def test_an_answer_from_the_cache_loads_nothing_beyond_the_standard_library(helper: Helper, home: Path) -> None:
    secret = get(helper)["Secret"]
    done, modules = loaded_for_get(home)
    assert json.loads(done.stdout)["Secret"] == secret
    check_light(modules)


@pytest.mark.usefixtures("signed_in_long_ago")
def test_a_remembered_failure_loads_no_more(
    helper: Helper, hops: Hops, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in cache._NETWORK_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    hops.answer = raising(WITHOUT_ANSWER[0])
    helper("get", given=HOST)
    done, modules = loaded_for_get(home)
    assert (done.returncode, "This is remembered" in done.stdout) == (1, True)
    check_light(modules)


def test_a_valid_token_that_could_not_be_renewed_loads_no_more(helper: Helper, hops: Hops, home: Path) -> None:
    hops.answer = lambda: token(age=9000)
    secret = get(helper)["Secret"]
    hops.answer = raising(WITHOUT_ANSWER[0])
    get(helper)
    done, modules = loaded_for_get(home)
    assert json.loads(done.stdout)["Secret"] == secret
    check_light(modules)


def test_nothing_but_the_answer_reaches_stdout(home: Path) -> None:
    (home / "azure/azureProfile.json").unlink()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(MAIN), "get"],
        input=HOST,
        env={"AZURE_CONFIG_DIR": str(home / "azure"), "AZURE_CORE_COLLECT_TELEMETRY": "no"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("acrscope: The Azure CLI is not signed in")
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_an_error_that_names_an_odd_path_is_answered_all_the_same(
    helper: Helper, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(home / "d\udcff"))
    Path(state.helper_folder()).mkdir(parents=True)
    Path(state.settings_file()).write_text("{")
    code, answer = helper("get", given=HOST)
    assert code == 1
    assert "cannot be read" in answer

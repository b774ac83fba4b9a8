"""What `configure-docker --show` says: what is set up, as whom, and whether it works."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrscope.base.tokens import read_claims
from azext_acrscope.credentials.helper import cache_update, install, state, status
from tests.factories.files import write
from tests.factories.helper import BREAKERS, HOST, Hops, cut_short, make_dead_link, sign_in, token

OTHER = "fabrikam.azurecr.io"
CLI = {"credential": "cli"}
PROGRAM = "docker-credential-acrscope"


@pytest.fixture(autouse=True)
def bin_dir(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = home / ".local/bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A launcher that answers: starting Python for each test would only take time."""
    monkeypatch.setattr(status, "_inspect_launcher", lambda: ({"file": "/bin/x", "version": "1"}, []))


def configure(*names: str, client: str = "docker", source: dict[str, str] = CLI) -> None:
    install.apply_setup(install.plan_setup(dict.fromkeys(names or [HOST], source), client, None))


def show(client: str | None = None, chosen: Callable[[list[str]], list[str]] = list) -> dict[str, Any]:
    return status.describe_status(chosen, client, "AzureCloud")


def only_row(**options: Any) -> dict[str, Any]:
    (row,) = show(**options)["hosts"]
    assert isinstance(row, dict)
    return row


def put_entry(entry: dict[str, Any], host: str = HOST) -> None:
    identity = state.identity_key(CLI)
    assert identity
    with cache_update.update_cache() as content:
        content["tokens"].setdefault(identity, {})[host] = entry


@pytest.mark.usefixtures("runs")
def test_a_host_is_shown_with_its_clients_its_account_and_its_token_s_end(home: Path) -> None:
    configure()
    secret = token()
    put_entry(cache_update.make_entry(secret, read_claims(secret)))
    found = show()
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(read_claims(secret)["exp"]))
    assert found["hosts"] == [
        {
            "loginServer": HOST,
            "clients": ["docker", "podman", "nerdctl", "helm", "oras", "skopeo", "buildah"],
            "credential": "cli",
            "tenant": None,
            "subscription": None,
            "clientId": None,
            "signsInAs": "alice@contoso.example",
            "storedUsername": None,
            "tokenExpiresOn": until,
            "works": True,
            "remarks": [],
        }
    ]
    (file,) = found["files"]
    assert (file["file"], file["credHelpers"]) == (str(home / ".docker/config.json"), [HOST])
    assert found["settings"] == state.settings_file()
    assert secret not in json.dumps(found)


@pytest.mark.usefixtures("runs")
def test_a_client_has_what_its_own_files_name(home: Path) -> None:
    configure(HOST, client="podman")
    configure(OTHER)
    rows = {row["loginServer"]: row["clients"] for row in show()["hosts"]}
    assert rows[HOST] == ["podman", "skopeo", "buildah"]
    assert "helm" in rows[OTHER]
    assert [row["loginServer"] for row in show("helm")["hosts"]] == [OTHER]
    assert len(show("podman")["hosts"]) == 2


@pytest.mark.usefixtures("runs")
def test_a_file_that_was_written_where_a_variable_pointed_then_is_shown_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "elsewhere"))
    configure()
    monkeypatch.delenv("DOCKER_CONFIG")
    found = show()
    assert [(each["file"], each["clients"]) for each in found["files"]] == [(str(home / "elsewhere/config.json"), [])]
    assert found["hosts"][0]["works"] is False
    assert "No client here asks the helper" in found["hosts"][0]["remarks"][0]


@pytest.mark.usefixtures("runs")
def test_a_file_whose_credential_store_is_the_helper_asks_it_for_every_host(home: Path) -> None:
    configure(client="podman")
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text('{"credsStore": "acrscope"}')
    found = show()
    assert found["hosts"][0]["clients"] == ["docker", "podman", "nerdctl", "helm", "oras", "skopeo", "buildah"]
    assert [each["credsStore"] for each in found["files"]] == ["acrscope", None]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("break_file", [each for each in BREAKERS if each is not make_dead_link])
def test_a_broken_file_is_told_and_the_others_are_shown(home: Path, break_file: Callable[[Path], None]) -> None:
    configure(client="podman")
    break_file(home / ".docker/config.json")
    found = show()
    assert found["hosts"][0]["works"] is True
    (problem,) = [each["remarks"] for each in found["files"] if each["remarks"]]
    assert str(home / ".docker/config.json") in problem[0]
    assert any(problem[0] in line for line in status.remark_lines(found, []))


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("source", "says"),
    [(CLI, "The Azure CLI is not signed in"), ({**CLI, "subscription": "sub-2"}, "subscription sub-2, which is not")],
)
def test_nobody_signed_in_does_not_work(source: dict[str, str], says: str) -> None:
    configure(source=source)
    sign_in(None)
    row = only_row()
    assert (row["works"], row["signsInAs"]) == (False, None)
    assert says in row["remarks"][0]


@pytest.mark.usefixtures("runs")
def test_another_identity_needs_nobody_signed_in() -> None:
    configure(source={"credential": "managed-identity", "client_id": "c-1"})
    sign_in(None)
    row = only_row()
    assert (row["works"], row["credential"], row["clientId"], row["signsInAs"]) == (
        True,
        "managed-identity",
        "c-1",
        None,
    )


@pytest.mark.usefixtures("runs")
def test_a_broken_profile_is_named(home: Path) -> None:
    configure()
    cut_short(home / "azure/azureProfile.json")
    assert "azureProfile.json cannot be read" in only_row()["remarks"][0]


@pytest.mark.usefixtures("runs")
def test_what_a_login_left_comes_first() -> None:
    configure()
    with cache_update.update_cache() as content:
        content["stored"][HOST] = {"username": "contoso\u202e", "secret": "an admin's password"}
    row = only_row()
    assert (row["storedUsername"], row["tokenExpiresOn"], row["works"]) == ("contoso\ufffd", None, True)
    assert "an admin's password" not in json.dumps(show())
    with cache_update.update_cache() as content:
        content["stored"][HOST] = {"username": "0", "secret": "x", "over": time.time() - 5}
    assert "has expired" in only_row()["remarks"][0]


@pytest.mark.usefixtures("runs")
def test_only_those_that_are_meant_are_shown() -> None:
    configure(HOST, OTHER)
    assert [row["loginServer"] for row in show(chosen=lambda known: [OTHER])["hosts"]] == [OTHER]


def test_a_name_in_a_file_is_no_order_to_a_terminal(home: Path) -> None:
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"credHelpers": {"a\u001b[2Jb": "acrscope"}}))
    assert "\u001b" not in str(show()).encode().decode("unicode_escape")


def test_settings_that_cannot_be_read_are_an_error(home: Path) -> None:
    configure()
    cut_short(home / "azure/acrscope/helper.json")
    with pytest.raises(FileOperationError, match=r"helper\.json cannot be read"):
        show()


def test_without_any_host_that_is_said() -> None:
    found = show()
    assert found["hosts"] == []
    lines = status.remark_lines(found, [])
    assert "is not on PATH" in lines[0]
    assert lines[-1] == "The helper is not set up for any registry."
    assert "not set up for contoso" in status.remark_lines(found, ["contoso"])[-1]


def write_launcher(bin_dir: Path, lines: str) -> None:
    (bin_dir / PROGRAM).write_text(f"#!/bin/sh\n# written by `az acr scope configure-docker`\n{lines}\n")
    (bin_dir / PROGRAM).chmod(0o755)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("exit 255", "its exit code is 255"),
        ("echo 'The Azure CLI was moved'; exit 1", "The Azure CLI was moved"),
        ("echo hello", "its exit code is 0"),
    ],
)
def test_a_launcher_that_does_not_answer_is_told_for_each_host(bin_dir: Path, lines: str, says: str) -> None:
    configure()
    write_launcher(bin_dir, lines)
    found = show()
    assert found["launcher"] == {"file": str(bin_dir / PROGRAM), "version": None, "works": False}
    assert says in found["remarks"][0]
    assert found["hosts"][0]["works"] is False
    assert found["hosts"][0]["remarks"] == found["remarks"]


def test_a_launcher_without_an_end_or_that_cannot_be_run_is_told(
    bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    write_launcher(bin_dir, "exec sleep 60")
    monkeypatch.setattr(status, "_VERSION_SECONDS", 0.05)
    assert "did not end within 0.05 seconds" in show()["remarks"][0]
    (bin_dir / PROGRAM).chmod(0o644)
    assert "ermission denied" in show()["remarks"][0]


def test_the_launcher_is_asked_for_its_version(bin_dir: Path, hops: Hops) -> None:
    configure()
    write_launcher(bin_dir, f'test "$*" = version && echo "{PROGRAM} (acrscope) 1.2.3"')
    assert show()["launcher"] == {"file": str(bin_dir / PROGRAM), "version": "1.2.3", "works": True}
    assert hops.calls == []
    assert os.listdir(bin_dir) == [PROGRAM]


ENTRY = {"auths": {HOST: {"auth": "YTpi"}}}


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("file", "content", "asks"),
    [
        # An entry of credHelpers comes before credsStore.
        (".docker/config.json", {"credHelpers": {HOST: "pass"}, "credsStore": "acrscope"}, []),
        (".docker/config.json", {"credsStore": "acrscope"}, ["docker", "nerdctl", "helm", "oras"]),
        # An entry in the file that a client reads first comes before what later files say.
        (".config/helm/registry/config.json", ENTRY, ["docker", "podman", "nerdctl", "oras", "skopeo", "buildah"]),
    ],
)
def test_a_client_is_shown_only_if_what_it_reads_first_names_the_helper(
    home: Path, file: str, content: dict[str, Any], asks: list[str]
) -> None:
    configure()
    write(home / file, content)
    row = only_row()
    assert row["clients"] == asks
    assert row["works"] is bool(asks)


@pytest.mark.usefixtures("runs")
def test_a_client_that_asks_the_helper_for_all_hosts_is_shown_with_those_of_the_helper(home: Path) -> None:
    configure()
    write(home / ".docker/config.json", {"credsStore": "acrscope"})
    assert [only_row(client=name)["loginServer"] for name in (None, "docker")] == [HOST, HOST]
    assert show(client="podman")["hosts"] == []


@pytest.mark.usefixtures("runs")
def test_a_host_that_is_named_twice_is_shown_once() -> None:
    configure()
    assert only_row(chosen=lambda known: [*known, *known])["loginServer"] == HOST

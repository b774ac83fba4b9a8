"""`az acr scope login` for many registries at once, and many logins at once on one file."""

import json
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.az import Az, Result
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.base.messages import Request

ARM = "management.azure.com"


def login(az: Az, *arguments: str, **options: Any) -> Result:
    return az("acr", "scope", "login", *arguments, **options)


def exchanges(cloud: LocalCloud) -> list[Request]:
    return [request for request in cloud.requests if request.path == "/oauth2/exchange"]


def token_requests(cloud: LocalCloud) -> int:
    asked = cloud.requests_to("login.microsoftonline.com")
    return len([request for request in asked if request.path.endswith("/token")])


def some(cloud: LocalCloud, name: str, number: int) -> list[Registry]:
    return [cloud.world.add_registry(f"{name}x{each}", resource_group="rg-apps") for each in range(number)]


def auths(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())["auths"]
    return found


def test_twenty_registries_take_one_entra_request_and_twenty_exchanges(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registries = some(cloud, registry_name, 20)
    result = login(
        az, "--name", *[each.login_server for each in registries], "--auth-file", str(tmp_path / "auth.json")
    )
    assert result.code == 0, result
    assert (token_requests(cloud), len(exchanges(cloud)), len(cloud.requests_to(ARM))) == (1, 20, 0)
    assert [row["loginServer"] for row in result.json] == [each.login_server for each in registries]
    assert {row["result"] for row in result.json} == {"signed in"}
    assert set(auths(tmp_path / "auth.json")) == {each.login_server for each in registries}


def test_names_are_looked_up_with_one_entra_request_more(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registries = some(cloud, registry_name, 9)
    (az.config / "msal_token_cache.json").unlink()
    result = login(az, "--name", *[each.name for each in registries], "--auth-file", str(tmp_path / "auth.json"))
    assert result.code == 0, result
    assert (token_requests(cloud), len(exchanges(cloud))) == (2, 9)


def test_what_fails_has_its_reason_in_its_row_and_the_others_are_signed_in(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    good, walled = some(cloud, registry_name, 2)
    walled.firewall = "203.0.113.9"
    elsewhere = cloud.world.add_subscription(f"Not ours {registry_name}")
    no_role = cloud.world.add_registry(f"{registry_name}norole", subscription=elsewhere)
    names = [walled.name, "nosuchregistry", no_role.login_server, good.name, good.login_server]
    file = tmp_path / "auth.json"
    result = login(az, "-n", *names, "--auth-file", str(file))
    assert result.code == 1
    rows = {row["name"]: row for row in result.json}
    assert len(rows) == len(result.json) == 4
    assert {name: row["result"] for name, row in rows.items() if row["result"] != "failed"} == {good.name: "signed in"}
    assert "refuses this machine's network" in rows[walled.name]["reason"]
    assert "No registry named 'nosuchregistry' was found" in rows["nosuchregistry"]["reason"]
    assert "no role" in rows[no_role.name]["reason"]
    assert rows[walled.name]["credentialStore"] is rows[walled.name]["expiresOn"] is None
    assert "ERROR: Sign-in failed for 3 of 4 registries; see `reason`." in result.stderr
    assert set(auths(file)) == {good.login_server}


def test_a_table_has_a_line_for_each(az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path) -> None:
    registries = some(cloud, registry_name, 2)
    names = [each.login_server for each in registries]
    az.env["COLUMNS"] = "300"  # pytest makes long paths
    result = login(az, "-n", *names, "--auth-file", str(tmp_path / "auth.json"), "-o", "table")
    header, _, *lines = result.stdout.splitlines()
    assert header.split() == ["Name", "LoginServer", "CredentialStore", "ExpiresOn", "Result", "Reason"]
    assert [line.split()[1] for line in lines] == names


def test_without_an_entra_token_nothing_is_sent_to_any_registry(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registries = some(cloud, registry_name, 2)
    file = tmp_path / "auth.json"
    result = login(new_az(), "-n", *[each.login_server for each in registries], "--auth-file", str(file))
    assert (result.code, result.stdout) == (1, "")
    assert "az login" in result.stderr
    assert exchanges(cloud) == []
    assert not file.exists()


def test_all_endpoints_are_the_global_and_every_regional_login_server(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    regions = ("westeurope", "northeurope")
    registry = cloud.world.add_registry(registry_name, regions=regions)
    file = tmp_path / "auth.json"
    expected = {registry.login_server, *(f"{registry_name}.{region}.geo.azurecr.io" for region in regions)}
    result = login(az, "-n", registry.login_server, "--endpoint", "ALL", "--auth-file", str(file))
    assert result.code == 0, result
    assert set(auths(file)) == expected
    assert token_requests(cloud) == 1
    cloud.clear_requests()
    named = login(
        az, "-n", registry.login_server, "--endpoint", "West Europe", "--auth-file", str(tmp_path / "one.json")
    )
    assert set(auths(tmp_path / "one.json")) == {f"{registry_name}.westeurope.geo.azurecr.io"}
    assert named.json["loginServer"] == f"{registry_name}.westeurope.geo.azurecr.io"
    assert cloud.requests_to(ARM) == []


def test_a_registry_without_regional_login_servers_is_said(az: Az, registry: Registry, tmp_path: Path) -> None:
    result = login(az, "-n", registry.name, "--endpoint", "all", "--auth-file", str(tmp_path / "auth.json"))
    assert result.code == 0, result
    assert "no regional login servers" in result.stderr
    assert set(auths(tmp_path / "auth.json")) == {registry.login_server}


def test_a_region_without_the_registry_is_an_error(az: Az, registry: Registry, tmp_path: Path) -> None:
    for region, says in (("atlantis", "could not be reached"), ("../evil", "not the name of an Azure region")):
        result = login(az, "-n", registry.name, "--endpoint", region, "--auth-file", str(tmp_path / "auth.json"))
        assert result.code == 1
        assert says in result.stderr
    assert not (tmp_path / "auth.json").exists()


@contextmanager
def read_all_the_time(file: Path) -> Iterator[list[int]]:
    """How many credentials the file had at each look; -1 where it was no valid file, or open to others."""
    looks: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            with file.open() as handle:
                private = stat.S_IMODE(file.stat().st_mode) == 0o600
                try:
                    looks.append(len(json.load(handle)["auths"]) if private else -1)
                except (ValueError, KeyError):
                    looks.append(-1)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield looks
    finally:
        done.set()
        reader.join()


# Many processes at once that each run the real command line, less the second that each would need to start.
FORKS = """
import os, sys
from azure.cli.core import get_default_cli
file, *servers = sys.argv[1:]
def login(server):
    return get_default_cli().invoke(["acr", "scope", "login", "-n", server, "--auth-file", file, "-o", "none"])
login(servers[0])
children = []
for server in servers:
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = login(server)
        finally:
            os._exit(code)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def test_a_hundred_logins_at_once_on_one_file_lose_nothing(
    az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path
) -> None:
    registries = some(cloud, registry_name, 100)
    file = tmp_path / "auth.json"
    other = {"auth": "b3RoZXI6c2VjcmV0"}
    file.write_text(json.dumps({"auths": {"other.example": other}, "HttpHeaders": {"X-Mine": "kept"}}))
    file.chmod(0o600)
    with read_all_the_time(file) as looks:
        servers = [each.login_server for each in registries]
        result = az.tool(str(az.python()), "-c", FORKS, str(file), *servers)
    assert json.loads(result.stdout) == [0] * 100, result
    found = json.loads(file.read_text())
    assert set(found["auths"]) == {"other.example", *servers}
    assert (found["auths"]["other.example"], found["HttpHeaders"]) == (other, {"X-Mine": "kept"})
    assert looks == sorted(looks), "no look saw fewer than the one before"
    assert looks[0] >= 1
    assert len(set(looks)) > 10, "the file must have been read while it grew"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".acrscope")] == []


def test_logins_by_docker_at_the_same_time_lose_nothing(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    """docker takes no lock: without ours, most of these entries are lost."""
    registries = some(cloud, registry_name, 6)
    with ThreadPoolExecutor(6) as pool:
        run = list(pool.map(lambda each: login(az, "-n", each.login_server, "--client", "docker"), registries))
    assert [result.code for result in run] == [0] * 6, run
    assert set(auths(az.home / ".docker/config.json")) == {each.login_server for each in registries}

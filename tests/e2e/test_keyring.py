"""Docker's own helper for the Secret Service with a real keyring: what it is given, shows, lists and forgets."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.az import ROOT, Az, Result, captured, running
from tests.factories.container_clients import USERNAME, fake_client, only_path
from tests.localcloud import Registry

UNPACKED = ROOT / ".venvs/keyring"  # by scripts/common.sh
LIBRARIES = ":".join(map(str, UNPACKED.glob("usr/lib/*-linux-gnu")))
Helper = Callable[..., Result]


@pytest.fixture
def keyring(az: Az, tmp_path: Path) -> Iterator[Helper]:
    """Unlocks an empty keyring that `az` and docker's helper find; gives the helper."""
    program = UNPACKED / "usr/bin/docker-credential-secretservice"
    fake_client(tmp_path / "helpers", program.name, f'LD_LIBRARY_PATH="{LIBRARIES}" exec "{program}" "$@"')
    az.env["PATH"] = f"{tmp_path / 'helpers'}:{os.environ['PATH']}"
    (az.home / ".docker").mkdir(exist_ok=True)
    (az.home / ".docker/config.json").write_text('{"credsStore": "secretservice"}')
    (az.home / "run").chmod(0o700)

    def helper(action: str, host: str = "") -> Result:
        done = subprocess.run(
            [str(tmp_path / "helpers" / program.name), action],
            env=az.env,
            input=host,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Result((program.name, action), done.returncode, done.stdout, done.stderr)

    with ExitStack() as processes:
        bus_command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
        bus = processes.enter_context(running(bus_command, **captured(az.env) | {"stderr": subprocess.DEVNULL}))
        assert bus.stdout
        az.env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        daemon = processes.enter_context(
            running(
                [UNPACKED / "usr/bin/gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                env={**az.env, "LD_LIBRARY_PATH": LIBRARIES},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        assert daemon.stdin
        daemon.stdin.write(b"a password")
        daemon.stdin.close()
        deadline = time.monotonic() + 30
        while (seen := helper("list")).code and time.monotonic() < deadline:
            time.sleep(0.1)
        assert seen.json == {}, seen
        yield helper


@pytest.mark.parametrize("client", ["docker", None])
def test_a_keyring_gets_keeps_and_forgets_a_credential(
    az: Az, registry: Registry, keyring: Helper, tmp_path: Path, client: str | None
) -> None:
    if not client:
        az.env["PATH"] = only_path(az, tmp_path / "helpers")
    host = registry.login_server
    result = az("acr", "scope", "login", "-n", host)
    assert result.code == 0, result
    assert result.json["credentialStore"] == "docker-credential-secretservice"
    assert keyring("list").json == {host: "<token>" if client else USERNAME}
    kept = keyring("get", host).json
    assert (kept["ServerURL"], kept["Secret"].count(".")) == (host, 2)
    assert json.loads((az.home / ".docker/config.json").read_text())["credsStore"] == "secretservice"

    again = az("acr", "scope", "login", "-n", host, "--min-ttl", "1h")
    assert (again.code, again.json["result"]) == (0, "kept"), again
    assert keyring("get", host).json == kept

    [row] = az("acr", "scope", "logout", "-n", host).json
    assert (row["credentialStore"], row["removed"]) == ("docker-credential-secretservice", True)
    assert keyring("list").json == {}
    assert "credentials not found" in keyring("get", host).stdout
    [row] = az("acr", "scope", "logout", "-n", host).json
    assert row["removed"] is False


def test_a_helper_without_a_session_bus_is_quoted(az: Az, registry: Registry, keyring: Helper, tmp_path: Path) -> None:
    del az.env["DBUS_SESSION_BUS_ADDRESS"]
    az.env["PATH"] = only_path(az, tmp_path / "helpers")
    result = az("acr", "scope", "login", "-n", registry.login_server)
    assert result.code == 1
    assert "`docker-credential-secretservice store` failed" in result.stderr
    assert "D-Bus" in result.stderr, result.stderr
    assert "eyJ" not in result.stderr + result.stdout

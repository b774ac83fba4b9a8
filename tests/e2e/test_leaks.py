"""No token anywhere it should not be: a whole session is run, and all it left behind is searched for every secret."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable

from tests.az import Az, Result
from tests.factories.secrets import holds_any
from tests.localcloud import LocalCloud

# Files that hold credentials because that is what they are for, each readable by its owner alone.
CREDENTIAL_FILES = {
    ".azure/msal_token_cache.json",
    ".azure/service_principal_entries.json",
    ".docker/config.json",
    "run/containers/auth.json",
    "auth.json",
}


class ArgvWatch:
    """Collects the command line of every process of this machine while it runs.

    A process is looked at in its first second, in which it becomes the program that it is, and all are twice a second.
    """

    _YOUNG, _ALL = 1.0, 0.5

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "ArgvWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        first_seen: dict[str, float] = {}
        next_of_all = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            first_seen = {name: first_seen.get(name, now) for name in os.listdir("/proc") if name.isdigit()}
            everyone = now >= next_of_all
            next_of_all = now + self._ALL if everyone else next_of_all
            for process, since in first_seen.items():
                if everyone or now - since < self._YOUNG:
                    self._look(process)
            time.sleep(0.005)

    def _look(self, process: str) -> None:
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                self.seen.add(file.read())
        except OSError:
            pass


def test_a_whole_session_leaks_no_secret(new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str) -> None:
    world = cloud.world
    operator = world.add_service_principal("auditor")
    world.grant(operator, world.subscriptions[0].scope, "Contributor")
    registry = world.add_registry(registry_name, resource_group="rg-leaks", backend=True, admin_user=True)
    az = new_az(operator)
    az("config", "set", "logging.enable_log_file=yes", f"logging.log_dir={az.home / 'logs'}")
    commands: list[tuple[str, ...]] = [
        ("show", "-n", registry.name),
        ("show", "-n", "nosuchregistry"),
        ("enforce", "-n", registry.name, "--dry-run"),
        ("enforce", "-n", registry.name, "-g", "rg-leaks"),
        ("enforce", "-n", registry.id, "--status", "enabled"),
        ("list", "-g", "rg-leaks"),
        ("list", "-g", "rg-leaks", "--live", "--require", "disabled"),
        ("enforce", "-g", "rg-leaks", "--yes"),
        ("enforce", "-g", "rg-leaks", "--status", "enabled", "--yes"),
        ("login", "-n", registry.name),
        ("login", "-n", registry.login_server),
        ("login", "-n", "nosuchregistry.azurecr.io"),
        ("login", "-n", f"{registry.login_server}.evil.example"),
        ("logout", "-n", registry.login_server),
        ("check", "-n", registry.name),
        ("enforce", "-n", registry.name, "--verify"),
        ("report", "-g", "rg-leaks", "--check", "--file", "report.html"),
    ]
    auth_file = str(az.home / "auth.json")
    of_no_client: list[tuple[str, ...]] = [
        ("login", "-n", registry.login_server, "nosuchregistry.azurecr.io", "--auth-file", auth_file),
        ("login", "-n", registry.login_server, "--auth-file", auth_file, "--min-ttl", "45m"),
        (
            "login",
            "-n",
            registry.login_server,
            "--auth-file",
            auth_file,
            "--repository",
            "team/app",
            "--permission",
            "push",
        ),
        ("logout", "-n", "nosuchregistry", "--auth-file", auth_file),
    ]
    results: list[Result] = []
    with ArgvWatch() as argv:
        # podman first: its login refuses where docker has left an identity token for the registry.
        for client in ("podman", "docker"):
            az.forked = client == "docker"  # a fork keeps the command line of the process it comes from
            program = {"DOCKER_COMMAND": str(shutil.which(client))}
            for command in commands:
                results.append(az("acr", "scope", *command, "--debug", env=program))
        results += [az("acr", "scope", *command, "--debug") for command in of_no_client]
        exposed = az("acr", "scope", "login", "-n", registry.login_server, "--expose-token", "--debug")
        for status in (401, 403, 413, 500):
            secret = exposed.json["refreshToken"]
            echo = json.dumps({"errors": [{"code": secret, "message": secret}]})
            cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", status=status, body=echo, times=None)
            results.append(az("acr", "scope", "login", "-n", registry.login_server, "--expose-token", "--debug"))
            cloud.faults.clear()

    assert exposed.code == 0
    expected = [0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert [result.code for result in results] == [*expected, *expected, 1, 0, 0, 0, 1, 1, 1, 1]
    secrets = {secret.encode() for secret in cloud.secrets if len(secret) >= 8}
    assert len(secrets) > 10
    assert exposed.json["refreshToken"].encode() in secrets, "the local Azure must know every secret it gave out"

    found = [
        f"{place} of {' '.join(result.command[1:])}"
        for result in results
        for place, text in (("stdout", result.stdout), ("stderr", result.stderr))
        if holds_any(text.encode(), secrets)
    ]
    if holds_any(exposed.stderr.encode(), secrets):
        found.append("stderr of --expose-token")
    found += [f"argv: {line[:60]!r}" for line in argv.seen if is_ours(line) and holds_any(line, secrets)]
    for path in az.home.rglob("*"):
        if not path.is_file() or not holds_any(path.read_bytes(), secrets):
            continue
        name = str(path.relative_to(az.home))
        if name not in CREDENTIAL_FILES:
            found.append(f"file {name}")
        elif path.stat().st_mode & 0o077:
            found.append(f"file {name} is readable by others: {path.stat().st_mode:o}")
    assert found == []
    assert (az.home / "logs").exists(), "the CLI's log file must have been searched"
    assert any(b"password-stdin" in line for line in argv.seen), "the client must have been seen running"


def is_ours(command_line: bytes) -> bool:
    """A sign-in for the test's own sake has the client secret in its argv; `az acr scope` must not."""
    return b"--service-principal" not in command_line

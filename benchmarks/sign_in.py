"""Signing in to many registries in one run, against signing in to one."""

import statistics
from pathlib import Path

from benchmarks.fleet import timed
from tests.az import Az
from tests.localcloud import LocalCloud

REGISTRIES, ROUNDS = 20, 7


def measure(work: Path, extensions: Path, delay: float) -> str:
    """Markdown with what was measured."""
    with LocalCloud(backend=False) as cloud:
        account = cloud.default_account()
        hosts = [cloud.world.add_registry(f"contoso{number:04}").login_server for number in range(REGISTRIES)]
        az = Az(work / "sign-in", extensions, cloud.env)
        sign_in = ["--username", account.app_id, "--password", str(account.secret), "--tenant", account.tenant_id]
        assert az("login", "--service-principal", *sign_in).code == 0
        cloud.delay = delay
        cloud.clear_requests()
        login = ["acr", "scope", "login", "--auth-file", str(work / "auth.json"), "--name"]
        timed(az, *login, *hosts)
        entra = sum(request.path.endswith("/token") for request in cloud.requests_to("login.microsoftonline.com"))
        exchanges = sum(request.path == "/oauth2/exchange" for request in cloud.requests)
        one, all_of_them = [], []
        for _ in range(ROUNDS):
            one.append(timed(az, *login, hosts[0]))
            all_of_them.append(timed(az, *login, *hosts))
    ratio = statistics.median(all_of_them) / statistics.median(one)
    row = (
        f"| sign in to {REGISTRIES} registries, against one | {statistics.median(all_of_them):.3f} s, "
        f"{ratio:.2f} of {statistics.median(one):.3f} s; {entra} Entra request, {exchanges} exchanges "
        "| at most 1.5; 1 and 20 |"
    )
    return "\n".join(["", "## Signing in", "", "| what | measured | goal |", "| --- | --- | --- |", row, ""])

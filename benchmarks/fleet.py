"""The fleet commands: against a loop of the built-in command, and against ARM's published write limit."""

import statistics
import time
from pathlib import Path

from tests.az import Az
from tests.localcloud import LocalCloud

REGISTRIES, ENFORCED, LOOPED = 1000, 750, 10
BUCKET, REFILL = 200, 10.0  # ARM's published writes: at once, and a second


def measure(work: Path, extensions: Path, delay: float) -> str:
    """Markdown with what was measured."""
    with LocalCloud(backend=False) as cloud:
        account = cloud.default_account()
        cloud.world.async_polls = 0
        for number in range(REGISTRIES):
            group = "rg-fleet" if number < ENFORCED else "rg-rest"
            cloud.world.add_registry(f"contoso{number:04}", resource_group=group)
        az = Az(work / "fleet", extensions, cloud.env)
        sign_in = ["--username", account.app_id, "--password", str(account.secret), "--tenant", account.tenant_id]
        assert az("login", "--service-principal", *sign_in).code == 0
        cloud.delay = delay
        floor = statistics.median(timed(az, "account", "show") for _ in range(5))
        lines = [listing(az, cloud, floor), *enforcing(az, cloud), throttled(az, cloud)]
    return "\n".join(["", "## The fleet", "", "| what | measured | goal |", "| --- | --- | --- |", *lines, ""])


def timed(az: Az, *arguments: str) -> float:
    started = time.perf_counter()
    result = az(*arguments, timeout=600)
    assert result.code == 0, result
    return time.perf_counter() - started


def listing(az: Az, cloud: LocalCloud, floor: float) -> str:
    cloud.clear_requests()
    seconds = timed(az, "acr", "scope", "list")
    requests = len(cloud.requests_to("management.azure.com"))
    measured = f"{requests} requests, {seconds:.2f} s, {seconds - floor:.2f} s over the floor"
    return f"| list {REGISTRIES} registries | {measured} | at most 2 requests, under 1.5 s over the floor |"


def enforcing(az: Az, cloud: LocalCloud) -> list[str]:
    built_in = ["acr", "config", "authentication-as-arm", "update", "-g", "rg-rest", "--status", "disabled"]
    loop = [timed(az, *built_in, "-r", f"contoso{ENFORCED + number:04}") for number in range(LOOPED)]
    cloud.clear_requests()
    ours = timed(az, "acr", "scope", "enforce", "-g", "rg-fleet", "--yes")
    writes = sum(request.method == "PATCH" for request in cloud.requests)
    scaled = statistics.mean(loop) * ENFORCED
    return [
        f"| enforce {ENFORCED} registries | {ours:.1f} s, {writes} writes | one write a registry |",
        f"| the built-in `update` in a loop, {LOOPED} measured and scaled "
        f"| {scaled:.0f} s, {scaled / ours:.0f} times ours | at least 80 times |",
    ]


def throttled(az: Az, cloud: LocalCloud) -> str:
    cloud.world.throttling = True
    cloud.clear_requests()
    seconds = timed(az, "acr", "scope", "enforce", "--all", "--status", "enabled", "--yes")
    changed = sum(request.method == "PATCH" and request.status != 429 for request in cloud.requests)
    best = (changed - BUCKET) / REFILL
    return (
        f"| {changed} writes under ARM's published limits "
        f"| {seconds:.0f} s, {seconds / best:.2f} of what the bucket alone allows, none failed | at most 1.15 |"
    )

"""The fleet commands: against a loop of the built-in command, and against ARM's published write limit."""

import statistics
import time
from pathlib import Path

from tests.az import Az
from tests.localcloud import LocalCloud
from tests.localcloud.world.arm_throttling import Throttle

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
        lines = [listing(az, cloud, floor), *enforcing(az, cloud)]
        lines += [throttled(az, cloud, tells) for tells in (True, False)]
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


def throttled(az: Az, cloud: LocalCloud, tells: bool) -> str:
    """Change every registry on a full bucket; `tells`: whether ARM says with each answer how many writes are left."""
    for registry in cloud.world.registries:
        registry.policy_status = "disabled"
    cloud.world.throttle = Throttle(tells=tells)
    cloud.world.throttling = True
    cloud.clear_requests()
    seconds = timed(az, "acr", "scope", "enforce", "--all", "--status", "enabled", "--yes")
    cloud.world.throttling = False
    writes = [request for request in cloud.requests if request.method == "PATCH"]
    refused = sum(request.status == 429 for request in writes)
    changed = len(writes) - refused
    best = (changed - BUCKET) / REFILL  # what the bucket alone needs
    writing = writes[-1].time - writes[0].time
    told = "which tells how many are left" if tells else "which tells nothing"
    goal = "at most 1 in 200 refused; at most 1.02" if tells else "no worse than before ARM told"
    return (
        f"| {changed} writes under ARM's published limits, {told} | {refused} refused, {refused / changed:.1%}; "
        f"{writing:.1f} s from the first to the last, {writing / best:.3f} of what the bucket alone needs, and "
        f"{seconds:.1f} s in all, {seconds / best:.3f}; none failed | {goal} |"
    )

"""The credential helper: what docker waits for at each pull, against what `az acr login` takes once in three hours."""

import statistics
import subprocess
import time

from tests.az import Az
from tests.localcloud import LocalCloud

WARM_RATIO = 1.6  # of the time that Python itself takes to start
WARM_ROUNDS = 40


def measure(az: Az, before: Az | None, cloud: LocalCloud, host: str, rounds: int) -> str:
    """Markdown with what was measured; `az` is signed in and may pull from `host`, and so is `before`, if any."""
    program = configure(az, host)
    python = [str(az.python()), "-I", "-S", "-c", "pass"]
    warm, floor = list[tuple[float, int]](), list[float]()
    timed(az, cloud, [program, "get"], host)
    for _ in range(WARM_ROUNDS):
        floor.append(timed(az, cloud, python)[0])
        warm.append(timed(az, cloud, [program, "get"], host))
    builds = {"": (az, program)} | ({", before": (before, configure(before, host))} if before else {})
    cold: dict[str, list[tuple[float, int]]] = {build: [] for build in builds}
    built_in, login = list[float](), ["acr", "login", "--name", host.split(".")[0], "--expose-token"]
    for _ in range(rounds):
        built_in.append(timed(az, cloud, [str(az.program), *login])[0])
        for build, (each, launcher) in builds.items():
            (each.config / "acrscope" / "helper-tokens.json").unlink(missing_ok=True)
            cold[build].append(timed(each, cloud, [launcher, "get"], host))
    start = statistics.median(floor) * 1000
    milliseconds = statistics.median(seconds for seconds, _ in warm) * 1000
    account = statistics.median(timed(az, cloud, [str(az.program), "account", "show"])[0] for _ in range(rounds)) * 1000
    lines = [
        f"| `get` from the cache | {milliseconds:.1f} ms, {max(count for _, count in warm)} requests "
        f"| at most {WARM_RATIO} times the next line, no request |",
        f"| `python -I -S -c pass`, {WARM_ROUNDS} rounds in turn with it | {start:.1f} ms: {milliseconds / start:.2f} "
        "times this | |",
        f"| `az account show` | {account:.0f} ms: {milliseconds / account:.2f} of this | |",
        *(
            f"| `get` with an empty cache{build} | {statistics.median(seconds for seconds, _ in each) * 1000:.0f} ms, "
            f"{max(count for _, count in each)} requests; "
            f"{statistics.median(a / b for (a, _), b in zip(each, built_in, strict=True)):.2f} of the last line "
            "| at most 0.30; one exchange |"
            for build, each in cold.items()
        ),
        f"| the built-in `az acr login --expose-token` | {statistics.median(built_in) * 1000:.0f} ms | |",
    ]
    head = ["", "## The credential helper", "", "| what | measured | goal |", "| --- | --- | --- |"]
    return "\n".join([*head, *lines, ""])


def configure(az: Az, host: str) -> str:
    """Set the helper up, and return its launcher."""
    setup = ["acr", "scope", "configure-docker", "--name", host, "--yes", "--bin-dir", str(az.home / "bin")]
    return str(az.ok(*setup)["launcher"])


def timed(az: Az, cloud: LocalCloud, command: list[str], given: str = "") -> tuple[float, int]:
    """Seconds, and requests."""
    cloud.clear_requests()
    started = time.perf_counter()
    subprocess.run(command, input=given, env=az.env, text=True, capture_output=True, check=True)
    return time.perf_counter() - started, len(cloud.requests)

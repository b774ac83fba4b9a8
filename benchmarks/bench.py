"""Our commands side by side with the built-in ones, alternating in one run against the local Azure: `make bench`.

Times depend on the machine, so the figures to keep are the ratios and the request counts. Writes RESULTS.md.
"""

import argparse
import collections
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from benchmarks import cut_over, fleet, helper, sign_in, source
from tests.az import ROOT, Az, add_extension, build_wheel
from tests.localcloud import LocalCloud

DELAY = 0.040  # seconds added to every answer of the local Azure
HOST = "contoso.azurecr.io"
HELP_ROUNDS = 40  # of `az acr -h`: the difference is a few milliseconds


@dataclass
class Subject:
    """One command under measurement; `arguments` gets the number of the round."""

    arguments: Callable[[int], list[str]]
    az: Az
    seconds: list[float] = field(default_factory=list)
    requests: collections.Counter[str] = field(default_factory=collections.Counter)

    def run(self, cloud: LocalCloud, number: int, kept: bool) -> None:
        cloud.clear_requests()
        started = time.perf_counter()
        result = self.az(*self.arguments(number))
        elapsed = time.perf_counter() - started
        assert result.code == 0, result
        if kept:
            self.seconds.append(elapsed)
            self.requests = collections.Counter(kind(request.host) for request in cloud.requests)


@dataclass
class Comparison:
    title: str
    ours: Subject
    built_in: Subject
    goal: str = ""


def kind(host: str) -> str:
    return {"management.azure.com": "ARM", "login.microsoftonline.com": "Entra"}.get(host, "registry")


def alternate(comparisons: list[Comparison], cloud: LocalCloud, rounds: int) -> None:
    """Each round runs every pair once, in turn; the first round warms caches and is not kept."""
    for number in range(rounds + 1):
        for comparison in comparisons:
            pair = [comparison.ours, comparison.built_in]
            for subject in pair if number % 2 else reversed(pair):
                subject.run(cloud, number, kept=number > 0)


def comparisons(az: Az) -> list[Comparison]:
    name, group = ["--name", "contoso"], ["--resource-group", "rg-apps"]
    old_show = ["acr", "config", "authentication-as-arm", "show", "--registry", "contoso"]
    old_update = ["acr", "config", "authentication-as-arm", "update", "--registry", "contoso", *group]

    def fixed(*arguments: str) -> Callable[[int], list[str]]:
        return lambda _number: list(arguments)

    def toggling(*arguments: str, first: str, second: str) -> Callable[[int], list[str]]:
        return lambda number: [*arguments, "--status", first if number % 2 else second]

    # Within a round one of the pair disables and the other enables, whichever goes first: every run is a change.
    return [
        Comparison(
            "show, group given",
            Subject(fixed("acr", "scope", "show", *name, *group), az),
            Subject(fixed(*old_show, *group), az),
            "at most 0.62; 1 request",
        ),
        Comparison(
            "show, by name alone",
            Subject(fixed("acr", "scope", "show", *name), az),
            Subject(fixed(*old_show), az),
            "at most 0.68",
        ),
        Comparison(
            "enforce, group given",
            Subject(toggling("acr", "scope", "enforce", *name, *group, first="disabled", second="enabled"), az),
            Subject(toggling(*old_update, first="enabled", second="disabled"), az),
        ),
        Comparison(
            "login --expose-token, login server",
            Subject(fixed("acr", "scope", "login", "--name", HOST, "--expose-token"), az),
            Subject(fixed("acr", "login", *name, "--expose-token"), az),
            "at most 0.45; 2 registry requests, no ARM",
        ),
        Comparison(
            "login --expose-token, by name",
            Subject(fixed("acr", "scope", "login", *name, "--expose-token"), az),
            Subject(fixed("acr", "login", *name, "--expose-token"), az),
        ),
    ]


def help_comparison(az: Az, bare: Az) -> Comparison:
    """What every `az acr` command pays for the extension."""
    title = f"az acr -h, with the extension and without, {HELP_ROUNDS} rounds"
    ours, without = (Subject(lambda _number: ["acr", "-h"], each) for each in (az, bare))
    return Comparison(title, ours, without, "adds at most 5 ms")


def report(measured: list[Comparison], floor: Subject, rounds: int, versions: dict[str, str]) -> str:
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {date.today().isoformat()}: {rounds} rounds, ours and the built-in alternating,",
        f"{DELAY * 1000:.0f} ms added to every answer of the local Azure. Times are medians, in seconds.",
        "",
        "".join(f"{name} {version}; " for name, version in versions.items()).rstrip("; ") + ".",
        f"The floor, `az account show`: {statistics.median(floor.seconds):.3f} s.",
        "",
        "| command | ours | built-in | ratio | our requests | built-in requests | goal |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in measured:
        ours, built_in = statistics.median(row.ours.seconds), statistics.median(row.built_in.seconds)
        lines.append(
            f"| {row.title} | {ours:.3f} | {built_in:.3f} | {ours / built_in:.2f} | {counted(row.ours.requests)} "
            f"| {counted(row.built_in.requests)} | {row.goal} |"
        )
    added = statistics.median(
        a - b for a, b in zip(measured[-1].ours.seconds, measured[-1].built_in.seconds, strict=True)
    )
    lines += ["", f"The extension adds {added * 1000:.0f} ms to `az acr -h` (median of the differences in a round)."]
    return "\n".join(lines) + "\n"


def counted(requests: collections.Counter[str]) -> str:
    return ", ".join(f"{count} {host}" for host, count in sorted(requests.items())) or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="acrscope-bench-") as folder, LocalCloud(backend=False) as cloud:
        work = Path(folder)
        add_extension(build_wheel(work / "wheel"), work / "extensions", work / "installer")
        account = cloud.default_account()
        cloud.world.add_registry("contoso", resource_group="rg-apps")
        cloud.world.async_polls = 0  # else the built-in update would wait 30 s between two polls
        az = Az(work / "home", work / "extensions", cloud.env)
        bare = Az(work / "bare", work / "none", {})
        account_of = ["--username", account.app_id, "--password", str(account.secret), "--tenant", account.tenant_id]
        assert az("login", "--service-principal", *account_of).code == 0
        cloud.delay = DELAY
        measured = comparisons(az)
        floor = Subject(lambda _number: ["account", "show"], az)
        for number in range(rounds + 1):
            floor.run(cloud, number, kept=number > 0)
        alternate(measured, cloud, rounds)
        measured.append(help_comparison(az, bare))
        alternate(measured[-1:], cloud, HELP_ROUNDS)
        versions = {"azure-cli": az.ok("version")["azure-cli"], "Python": platform.python_version()}
        text = report(measured, floor, rounds, versions)
        text += helper.measure(az, cloud, HOST, rounds)
        text += sign_in.measure(work, work / "extensions", DELAY) + fleet.measure(work, work / "extensions", DELAY)
        text += cut_over.measure(work, work / "extensions", DELAY)
        text += source.measure(work, work / "extensions")
    (ROOT / "benchmarks" / "RESULTS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

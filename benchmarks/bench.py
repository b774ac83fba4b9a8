"""Our commands side by side with the built-in ones, alternating in one run against the local Azure: `make bench`.

Times depend on the machine, so the figures to keep are the ratios and the request counts. Writes RESULTS.md.
`BASELINE=COMMIT make bench` measures the build of a commit in the same rounds, beside the new one.
"""

import argparse
import collections
import os
import platform
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from benchmarks import cut_over, fleet, helper, sign_in, source
from tests.az import ROOT, Az, add_extension, build_wheel
from tests.localcloud import LocalCloud, Registry

DELAY = 0.040  # seconds added to every answer of the local Azure
HOST = "contoso.azurecr.io"
HELP_ROUNDS = 40  # of `az acr -h`: the difference is a few milliseconds


@dataclass
class Subject:
    """One command under measurement; `prepare` is done before each run of it."""

    arguments: list[str]
    az: Az
    prepare: Callable[[], None] = lambda: None
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    requests: collections.Counter[str] = field(default_factory=collections.Counter)

    def run(self, cloud: LocalCloud, kept: bool) -> None:
        self.prepare()
        cloud.clear_requests()
        used, started = processor_seconds(), time.perf_counter()
        result = self.az(*self.arguments)
        elapsed = time.perf_counter() - started
        assert result.code == 0, result
        if kept:
            self.seconds.append(elapsed)
            self.processor_seconds.append(processor_seconds() - used)
            self.requests = collections.Counter(kind(request.host) for request in cloud.requests)


@dataclass
class Comparison:
    title: str
    ours: Subject
    built_in: Subject
    goal: str = ""
    before: Subject | None = None  # ours, as BASELINE has it

    @property
    def subjects(self) -> list[Subject]:
        return [self.ours, *([self.before] if self.before else []), self.built_in]


def processor_seconds() -> float:
    """What the commands that have ended took of the processors: nearly the same on a busy machine as on an idle one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ratio(one: list[float], other: list[float]) -> str:
    """The median of the ratios in a round."""
    return f"{statistics.median(a / b for a, b in zip(one, other, strict=True)):.2f}"


def kind(host: str) -> str:
    return {"management.azure.com": "ARM", "login.microsoftonline.com": "Entra"}.get(host, "registry")


def alternate(comparisons: list[Comparison], cloud: LocalCloud, rounds: int) -> None:
    """Each round runs the subjects of every row once, in turn; the first round warms caches and is not kept."""
    for number in range(rounds + 1):
        for comparison in comparisons:
            for subject in comparison.subjects if number % 2 else reversed(comparison.subjects):
                subject.run(cloud, kept=number > 0)


def comparisons(az: Az, before: Az | None, registry: Registry) -> list[Comparison]:
    name, group = ["--name", "contoso"], ["--resource-group", "rg-apps"]
    old_show = ["acr", "config", "authentication-as-arm", "show", "--registry", "contoso"]
    old_update = ["acr", "config", "authentication-as-arm", "update", "--registry", "contoso", *group]
    old_login = ["acr", "login", *name, "--expose-token"]

    def enable() -> None:
        registry.policy_status = "enabled"

    def compare(
        title: str, ours: list[str], built_in: list[str], goal: str = "", prepare: Callable[[], None] = lambda: None
    ) -> Comparison:
        ours = ["acr", "scope", *ours]
        return Comparison(
            title,
            Subject(ours, az, prepare),
            Subject(built_in, az, prepare),
            goal,
            Subject(ours, before, prepare) if before else None,
        )

    return [
        compare("show, group given", ["show", *name, *group], [*old_show, *group], "at most 0.62; 1 request"),
        compare("show, by name alone", ["show", *name], old_show, "at most 0.68"),
        compare(
            "enforce, group given, consumers asked",
            ["enforce", *name, *group],
            [*old_update, "--status", "disabled"],
            "at most 0.55",
            enable,
        ),
        compare(
            "login --expose-token, login server",
            ["login", "--name", HOST, "--expose-token"],
            old_login,
            "at most 0.40; 2 registry requests, no ARM",
        ),
        compare("login --expose-token, by name", ["login", *name, "--expose-token"], old_login, "at most 0.60"),
        compare("list, against `az account show`", ["list"], ["account", "show"], "at most 1.25 of it and one answer"),
    ]


def help_comparison(az: Az, before: Az | None, bare: Az) -> Comparison:
    """What every `az acr` command pays for the extension."""
    title = f"az acr -h, with the extension and without, {HELP_ROUNDS} rounds"
    ours, without = (Subject(["acr", "-h"], each) for each in (az, bare))
    return Comparison(title, ours, without, "adds at most 5 ms", Subject(["acr", "-h"], before) if before else None)


def report(measured: list[Comparison], floor: Subject, rounds: int, versions: dict[str, str]) -> str:
    baseline = os.environ.get("BASELINE")
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {date.today().isoformat()}: {rounds} rounds, ours and the built-in alternating,",
        f"{DELAY * 1000:.0f} ms added to every answer of the local Azure. Times are medians, in seconds; ratios are",
        "medians of those in a round, of the time and, in parentheses, of the processors' time.",
        *([f"`before` is the build of {baseline}."] if baseline else []),
        "",
        "".join(f"{name} {version}; " for name, version in versions.items()).rstrip("; ") + ".",
        f"The floor, `az account show`: {statistics.median(floor.seconds):.3f} s.",
        "",
        f"| command | ours |{' before |' if baseline else ''} built-in | ratio |"
        f"{' ratio before |' if baseline else ''} our requests | built-in requests | goal |",
        "| --- " * (9 if baseline else 7) + "|",
    ]
    for row in measured:
        times = [f"{statistics.median(each.seconds):.3f}" for each in row.subjects]
        ratios = [
            f"{ratio(each.seconds, row.built_in.seconds)} "
            f"({ratio(each.processor_seconds, row.built_in.processor_seconds)})"
            for each in row.subjects[:-1]
        ]
        requests = [counted(row.ours.requests), counted(row.built_in.requests)]
        lines.append(f"| {' | '.join([row.title, *times, *ratios, *requests, row.goal])} |")
    added = statistics.median(
        a - b for a, b in zip(measured[-1].ours.seconds, measured[-1].built_in.seconds, strict=True)
    )
    lines += ["", f"The extension adds {added * 1000:.0f} ms to `az acr -h` (median of the differences in a round)."]
    return "\n".join(lines) + "\n"


def build_baseline(commit: str, work: Path) -> Path:
    """A folder with the extension as it is at a commit."""
    sources, archive = work / "baseline" / "sources", work / "baseline.tar"
    subprocess.run(["git", "-C", str(ROOT), "archive", "--output", str(archive), commit], check=True)
    shutil.unpack_archive(archive, sources)
    extensions = work / "baseline" / "extensions"
    add_extension(build_wheel(work / "baseline" / "wheel", sources), extensions, work / "installer")
    return extensions


def counted(requests: collections.Counter[str]) -> str:
    return ", ".join(f"{count} {host}" for host, count in sorted(requests.items())) or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--commands", action="store_true", help="measure single commands only, and write no file")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    with tempfile.TemporaryDirectory(prefix="acrscope-bench-") as folder, LocalCloud(backend=False) as cloud:
        work = Path(folder)
        add_extension(build_wheel(work / "wheel"), work / "extensions", work / "installer")
        account = cloud.default_account()
        registry = cloud.world.add_registry("contoso", resource_group="rg-apps")
        cloud.world.async_polls = 0  # else the built-in update would wait 30 s between two polls
        az = Az(work / "home", work / "extensions", cloud.env)
        bare = Az(work / "bare", work / "none", {})
        account_of = ["--username", account.app_id, "--password", str(account.secret), "--tenant", account.tenant_id]
        assert az("login", "--service-principal", *account_of).code == 0
        before = None
        if commit := os.environ.get("BASELINE"):
            shutil.copytree(az.home, work / "home-before")
            before = Az(work / "home-before", build_baseline(commit, work), cloud.env)
        cloud.delay = DELAY
        measured = comparisons(az, before, registry)
        floor = Subject(["account", "show"], az)
        for number in range(rounds + 1):
            floor.run(cloud, kept=number > 0)
        alternate(measured, cloud, rounds)
        measured.append(help_comparison(az, before, bare))
        alternate(measured[-1:], cloud, HELP_ROUNDS)
        versions = {"azure-cli": az.ok("version")["azure-cli"], "Python": platform.python_version()}
        text = report(measured, floor, rounds, versions)
        text += helper.measure(az, before, cloud, HOST, rounds)
        if arguments.commands:
            print(text)
            return
        text += sign_in.measure(work, work / "extensions", DELAY) + fleet.measure(work, work / "extensions", DELAY)
        text += cut_over.measure(work, work / "extensions", DELAY)
        text += source.measure(work, work / "extensions")
    (ROOT / "benchmarks" / "RESULTS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

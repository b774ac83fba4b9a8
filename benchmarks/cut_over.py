"""The cut-over commands over an estate of 200 registries and 2,000 consumers. There is nothing built in beside them."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fleet import timed
from tests.az import Az
from tests.localcloud import LocalCloud, Registry

REGISTRIES, CONSUMERS, ROUNDS = 200, 2000, 5
ARM = "management.azure.com"


def measure(work: Path, extensions: Path, delay: float) -> str:
    """Markdown with what was measured."""
    with LocalCloud(backend=False) as cloud:
        account = cloud.default_account()
        fill(cloud)
        az = Az(work / "cut-over", extensions, cloud.env)
        sign_in = ["--username", account.app_id, "--password", str(account.secret), "--tenant", account.tenant_id]
        assert az("login", "--service-principal", *sign_in).code == 0
        cloud.delay = delay
        floor = statistics.median(timed(az, "account", "show") for _ in range(ROUNDS))

        def row(title: str, goal: str, *command: str) -> str:
            seconds = statistics.median(timed(az, "acr", "scope", *command) for _ in range(ROUNDS))
            cloud.clear_requests()
            timed(az, "acr", "scope", *command)
            arm = len(cloud.requests_to(ARM))
            exchanges = sum(request.path == "/oauth2/exchange" for request in cloud.requests)
            sent = f"{arm} ARM request{'s' if arm != 1 else ''}" + (f", {exchanges} exchanges" if exchanges else "")
            return f"| {title} | {sent}, {seconds:.2f} s, {seconds - floor:.2f} s over the floor | {goal} |"

        lines = [
            row("consumers", "at most 12 requests, 2 s over the floor", "consumers", "--all", "--output", "none"),
            row("report, as HTML", "", "report", "--file", str(work / "report.html")),
            row("check", "two exchanges a registry", "check", "--all", "--output", "none"),
        ]
    title = f"## The cut-over: {REGISTRIES} registries, {CONSUMERS:,} consumers"
    return "\n".join(["", title, "", "| what | measured | goal |", "| --- | --- | --- |", *lines, ""])


def fill(cloud: LocalCloud) -> None:
    known, registries = cloud.world.consumers, list[Registry]()
    for number in range(REGISTRIES):
        registries.append(cloud.world.add_registry(f"contoso{number:04}", resource_group=f"rg-{number % 120}"))
    makers: list[Callable[[str, str, Registry], Any]] = [
        lambda name, image, registry: known.add_web_app(name, f"DOCKER|{image}", identity="system"),
        lambda name, image, registry: known.add_container_app(name, image, identity="system"),
        lambda name, image, registry: known.add_container_group(name, image, username=registry.name),
        lambda name, image, registry: known.add_cluster(name, None, None, registry),
    ]
    for number in range(CONSUMERS):
        registry = registries[number % REGISTRIES]
        makers[(number // REGISTRIES) % len(makers)](f"app{number}", f"{registry.login_server}/app:1", registry)

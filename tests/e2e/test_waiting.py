"""How many answers each command waits for in a row: what does not need another's answer is requested with it."""

from pathlib import Path

import pytest

from tests.az import Az
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.resource_graph_quota import GraphQuota


def answers_in_a_row(az: Az, cloud: LocalCloud, *command: str) -> list[list[str]]:
    """The paths requested, by round; the CLI has its tokens already."""
    az.ok(*command)
    with cloud.in_rounds() as rounds:
        az.ok(*command)
    return [sorted(request.path for request in each) for each in rounds.requests]


@pytest.mark.parametrize("scope", [[], ["--all-subscriptions"], ["--resource-group", "rg-apps"]])
def test_a_list_waits_for_one_answer(az: Az, cloud: LocalCloud, registry: Registry, scope: list[str]) -> None:
    waited = answers_in_a_row(az, cloud, "acr", "scope", "list", *scope)
    assert [len(each) for each in waited] == [2], waited


@pytest.mark.parametrize(
    ("group", "found"),
    [(["--resource-group", "rg-apps"], []), ([], [["GET"], ["GET"]])],
)
def test_an_enforcement_that_asks_for_consumers_waits_for_at_most_five_answers(
    az: Az,
    cloud: LocalCloud,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    group: list[str],
    found: list[list[str]],
) -> None:
    monkeypatch.setattr(cloud.world, "async_polls", 0)
    named = ["--name", registry.name, *group]
    az.ok("acr", "scope", "show", *named)  # the CLI has its token now
    with cloud.in_rounds() as rounds:
        az.ok("acr", "scope", "enforce", *named, "--yes")
    waited = [[request.method for request in each] for each in rounds.requests]
    # What may use it, with roles and whose identities have them; with it the registry, or after its name was looked up;
    # the write; the registry.
    asked = ["GET"] * (not found) + ["POST"] * 7
    assert [sorted(each) for each in waited] == [*found, asked, ["PATCH"], ["GET"]]


def test_no_query_is_sent_that_the_quota_of_resource_graph_does_not_hold(
    az: Az, cloud: LocalCloud, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quota = cloud.world.graph_quota
    waits = list[int]()

    def take(user: str) -> tuple[int, int]:
        wait, left = GraphQuota.take(quota, user)
        waits.append(wait)
        return wait, left

    monkeypatch.setattr(quota, "take", take)
    monkeypatch.setattr(quota, "queries", 8)
    monkeypatch.setattr(quota, "seconds", 3.0)
    monkeypatch.setattr(cloud.world, "graph_throttling", True)
    assert az("acr", "scope", "report", "--file", str(tmp_path / "report.html")).code == 0
    assert len(waits) > 8
    assert not any(waits)

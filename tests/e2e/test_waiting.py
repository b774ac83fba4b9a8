"""How many answers each command waits for in a row: what does not need another's answer is requested with it."""

import pytest

from tests.az import Az
from tests.localcloud import LocalCloud, Registry


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

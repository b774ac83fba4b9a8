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


def test_an_enforcement_that_asks_for_consumers_waits_for_seven_answers(
    az: Az, cloud: LocalCloud, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.world, "async_polls", 0)
    named = ["--name", registry.name, "--resource-group", registry.resource_group]
    az.ok("acr", "scope", "show", *named)  # the CLI has its token now
    with cloud.in_rounds() as rounds:
        az.ok("acr", "scope", "enforce", *named, "--yes")
    waited = [sorted({request.method for request in each}) for each in rounds.requests]
    # The registry; what may use it, with roles; their assignments; whose identities; the write; its end; the registry.
    assert waited == [["GET"], ["POST"], ["POST"], ["POST"], ["PATCH"], ["GET"], ["GET"]]
    assert len(rounds.requests[1]) == 6

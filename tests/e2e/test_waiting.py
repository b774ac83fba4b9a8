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

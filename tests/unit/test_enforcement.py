"""Plans and waves."""

from typing import Any

from azext_acrscope import enforcement, rollout
from azext_acrscope.enforcement import Plan, Waves
from azext_acrscope.rollout import Item
from tests.unit.test_registry import resource


def items(*statuses: str, excluded: tuple[str, ...] = ()) -> list[Item]:
    resources = [resource(status, name=f"contoso{number}") for number, status in enumerate(statuses)]
    return enforcement._items(resources, lambda _: "disabled", excluded)


def names(wave: list[Item]) -> list[Any]:
    return [item.resource["name"] for item in wave]


def test_a_registry_that_has_the_status_is_no_change() -> None:
    plan = Plan(items("enabled", "disabled"))
    assert names(plan.changes) == ["contoso0"]
    assert plan.items[1].result == rollout.UNCHANGED


def test_exclusion_is_by_name_login_server_or_id_in_any_case() -> None:
    excluded = ("CONTOSO0", "contoso1.AzureCR.io", resource(name="contoso2")["id"].upper())
    assert [item.result for item in items("enabled", "enabled", "enabled", "enabled", excluded=excluded)] == [
        "skipped",
        "skipped",
        "skipped",
        "",
    ]


def test_a_registry_that_cannot_be_understood_fails_alone() -> None:
    found = items("enabled", "partly")
    assert [item.result for item in found] == ["", "failed"]
    assert found[1].status == "unknown"


def test_without_waves_all_go_at_once() -> None:
    assert [names(wave) for wave in Waves().split(items("enabled", "enabled"))] == [["contoso0", "contoso1"]]


def test_a_share_is_rounded_up() -> None:
    waves = Waves(share=0.1).split(items(*["enabled"] * 11))
    assert [len(wave) for wave in waves] == [2, 9]


def test_canaries_go_first() -> None:
    waves = Waves(canaries=frozenset({"contoso2"})).split(items(*["enabled"] * 4))
    assert [names(wave) for wave in waves] == [["contoso2"], ["contoso0", "contoso1", "contoso3"]]


def test_the_question_has_the_numbers() -> None:
    plan = Plan(items("enabled", "enabled", "disabled", "enabled", excluded=("contoso0",)))
    assert enforcement.question(plan) == ("Set 2 registries in 1 subscription to `disabled` (1 unchanged, 1 skipped)?")

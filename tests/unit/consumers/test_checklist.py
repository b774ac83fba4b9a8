"""The checklist: what was searched for an item, and that nothing that was not searched reads as clean."""

from typing import Any

import pytest

from azext_acrscope.consumers import knowledge, service_connections
from azext_acrscope.consumers.checklist import Search, checklist_rows, count_searched, describe_searched
from azext_acrscope.consumers.code.patterns.known_patterns import load_patterns
from azext_acrscope.consumers.knowledge import AZURE_DEVOPS, CODE, Knowledge

ITEM = {"look": "here", "verdict": "breaks", "why": "it asks", "source": "us", "fix": "x"}
KNOWN = Knowledge(
    {
        "sources": {"us": {"title": "Trial", "url": "https://wiki.example", "read": "2026-11-27"}},
        "checklist": [
            {**ITEM, "consumer": "both", "searchedIn": {CODE: ["task"], AZURE_DEVOPS: ["connection"]}},
            {**ITEM, "consumer": "two kinds", "searchedIn": {CODE: ["bicep", "module"]}},
            {**ITEM, "consumer": "by hand"},
        ],
    }
)


def searched(*searches: Search) -> dict[str, dict[str, Any]]:
    return {row["consumer"]: row["searched"] for row in checklist_rows(KNOWN, searches)}


def test_without_a_search_nothing_is_searched_and_each_item_says_how_it_can_be() -> None:
    found = searched()
    assert all((each["in"], each["found"], each["complete"]) == ("", None, False) for each in found.values())
    assert "--source PATH" in found["both"]["how"]
    assert "--azure-devops ORGANIZATION" in found["both"]["how"]
    assert "--azure-devops" not in found["two kinds"]["how"]
    assert found["by hand"]["how"] == "No search looks for it. Look at: here."


def test_a_search_counts_the_rows_of_the_kinds_of_an_item_and_the_other_place_is_left() -> None:
    rows = [{"kind": "task"}, {"kind": "task"}, {"kind": "bicep"}, {"kind": "else"}]
    found = searched(Search(CODE, {"task", "bicep", "module"}, rows))
    assert (found["both"]["in"], found["both"]["found"], found["both"]["complete"]) == ("code", 2, True)
    assert "--source" not in found["both"]["how"]
    assert "--azure-devops" in found["both"]["how"]
    assert found["two kinds"] == {"in": "code", "found": 1, "complete": True, "how": ""}
    assert found["by hand"]["found"] is None


def test_an_item_of_which_a_kind_was_not_looked_for_is_not_searched() -> None:
    found = searched(Search(CODE, {"bicep"}, [{"kind": "bicep"}]))
    assert found["two kinds"]["found"] is None
    assert found["two kinds"]["how"] == "No search looks for it. Look at: here."
    assert "--azure-devops" in found["both"]["how"]
    assert "--source" not in found["both"]["how"]


def test_an_item_may_be_of_a_kind_and_a_sign_in() -> None:
    kinds = {AZURE_DEVOPS: ["connection (managed identity)"]}
    content = {**KNOWN.content, "checklist": [{**ITEM, "consumer": "connections", "searchedIn": kinds}]}
    rows = [{"kind": "connection", "signIn": each} for each in ("managed identity", "service principal")]
    [row] = checklist_rows(Knowledge(content), [Search(AZURE_DEVOPS, {"connection"}, rows)])
    assert row["searched"]["found"] == 1
    [row] = checklist_rows(Knowledge(content), [Search(AZURE_DEVOPS, {"connections"}, rows)])
    assert row["searched"]["found"] is None


def test_both_places_add_up_and_one_that_was_not_read_whole_says_so() -> None:
    devops = Search(AZURE_DEVOPS, {"connection", "task"}, [{"kind": "connection"}, {"kind": "task"}], complete=False)
    found = searched(Search(CODE, {"task"}, [{"kind": "task"}]), devops)["both"]
    assert found == {"in": "code, azure devops", "found": 2, "complete": False, "how": ""}


def test_a_search_that_found_nothing_is_not_the_same_as_none() -> None:
    nothing, none = checklist_rows(KNOWN, [Search(CODE, {"task"}, [])])[::2]
    assert (nothing["searched"]["found"], none["searched"]["found"]) == (0, None)
    assert (describe_searched(nothing), describe_searched(none)) == ("code: 0 found", "not searched")
    [partly, *_] = checklist_rows(KNOWN, [Search(CODE, {"task"}, [], complete=False)])
    assert describe_searched(partly) == "code: 0 found, not all could be read"


def test_the_summary_counts_what_was_searched_and_where() -> None:
    code = Search(CODE, {"task", "bicep", "module"}, [{"kind": "task"}, {"kind": "module"}])
    assert count_searched(checklist_rows(KNOWN)) == (0, 0, "")
    assert count_searched(checklist_rows(KNOWN, [code])) == (2, 2, "code")
    devops = Search(AZURE_DEVOPS, {"connection"}, [])
    assert count_searched(checklist_rows(KNOWN, [code, devops])) == (2, 2, "code and azure devops")


@pytest.mark.parametrize("consumer", ["Azure CLI: `az acr login`", "Flux that you installed yourself"])
def test_a_row_prints_the_range_where_its_verdict_depends_on_versions(consumer: str) -> None:
    [row] = [each for each in checklist_rows(knowledge.load_knowledge()) if each["consumer"].startswith(consumer)]
    assert ". By version: below 2." in row["why"]
    assert "and newer: works." in row["why"]
    assert row["evidence"] in knowledge.EVIDENCE
    assert set(row) == {*("consumer", "look", "verdict", "why", "fix", "evidence", "source", "sourceDate", "searched")}


def kinds_searched_in(place: str) -> set[str]:
    checklist = knowledge.load_knowledge().checklist
    return {kind.partition(" (")[0] for item in checklist for kind in item.get("searchedIn", {}).get(place, ())}


def test_each_kind_of_code_that_an_item_names_is_searched_for() -> None:
    assert kinds_searched_in(CODE) - load_patterns(knowledge.load_knowledge()).kinds == set()


def test_each_kind_of_service_connection_that_an_item_names_is_searched_for() -> None:
    assert kinds_searched_in(AZURE_DEVOPS) - {service_connections.ACR_KIND, service_connections.AZURE_KIND} == set()

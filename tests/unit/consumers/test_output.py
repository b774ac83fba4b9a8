"""What the command says to people: what was searched elsewhere, and what is left to check by hand."""

from typing import Any

from azext_acrscope.consumers import output
from azext_acrscope.consumers.checklist import Search, checklist_rows
from azext_acrscope.consumers.knowledge import CODE, load_knowledge

KNOWN = load_knowledge()


def summary(*searches: Search) -> list[str]:
    checks = checklist_rows(KNOWN, searches)
    result: dict[str, Any] = {"registries": [], "subscriptions": [], "incomplete": [], "manualChecks": checks}
    return output.consumers_summary(result, "--all")


def test_without_another_search_all_kinds_are_to_be_checked_by_hand() -> None:
    [line] = summary()
    breaks = sum(item["verdict"] == "breaks" for item in KNOWN.checklist)
    assert line.startswith(
        f"{len(KNOWN.checklist)} kinds of consumers that no query finds, to check by hand ({breaks} break): "
    )


def test_kinds_that_were_searched_are_counted_with_what_was_found_and_not_left_to_the_hand() -> None:
    kinds = {kind for item in KNOWN.checklist for kind in item.get("searchedIn", {}).get(CODE, ())}
    searched = sum(CODE in item.get("searchedIn", {}) for item in KNOWN.checklist)
    [elsewhere, by_hand] = summary(Search(CODE, kinds, [{"kind": "bicep publish"}, {"kind": "ZenML"}]))
    assert elsewhere == f"{searched} kinds of consumers that no query finds, searched in code: 2 found."
    assert by_hand.startswith(f"{len(KNOWN.checklist) - searched} kinds of consumers that no query finds, to check")

"""The checklist of consumers that Resource Graph does not show, and what else was searched for them. No requests.

Other searches (of code, of Azure DevOps) hand in what they looked for and the rows that they found, as a `Search`. An
item that nothing looked for has no number of findings: not searched is not the same as none found.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_acrscope.consumers.knowledge import AZURE_DEVOPS, CODE, Knowledge
from azext_acrscope.consumers.versions import reason_with_versions

_OPTIONS = {
    CODE: "`--source PATH` searches pipelines, templates, manifests and scripts.",
    AZURE_DEVOPS: "`--azure-devops ORGANIZATION` searches service connections and the pipelines that use them.",
}


@dataclass(frozen=True)
class Search:
    """A search beside that of Resource Graph.

    :ivar place: `CODE` or `AZURE_DEVOPS`.
    :ivar kinds: all that it looks for, found or not: an item is searched only if each of its kinds is among them.
    :ivar rows: what it found; each has a `kind`, and perhaps a `signIn`.
    :ivar complete: whether it could read everything that it was given.
    """

    place: str
    kinds: Collection[str]
    rows: Sequence[Mapping[str, Any]]
    complete: bool = True


def checklist_rows(knowledge: Knowledge, searches: Iterable[Search] = ()) -> list[dict[str, Any]]:
    """Return a row for each item of the checklist.

    ``{consumer, look, verdict, why, fix, evidence, source, sourceDate, searched{in, found, complete, how}}``: `in` is
    the places that were searched for it, `found` the number of rows found there and None if none was searched,
    `complete` whether all that was given there could be read, and `how` what would search it further.
    """
    given = list(searches)
    return [
        {
            "consumer": item["consumer"],
            "look": item["look"],
            "verdict": item["verdict"],
            "why": reason_with_versions(item),
            "fix": item["fix"],
            "evidence": item.get("evidence", ""),
            **knowledge.source(item["source"]),
            "searched": _searched(item, given),
        }
        for item in knowledge.checklist
    ]


def count_searched(rows: Iterable[Mapping[str, Any]]) -> tuple[int, int, str]:
    """Return how many items were searched, how much was found for them, and the places, in words."""
    done = [row["searched"] for row in rows if row["searched"]["found"] is not None]
    places = dict.fromkeys(place for each in done for place in each["in"].split(", "))
    return len(done), sum(each["found"] for each in done), " and ".join(places)


def describe_searched(row: Mapping[str, Any]) -> str:
    """Return what was searched for an item, in words: ``code: 3 found``, or ``not searched``."""
    searched = row["searched"]
    if searched["found"] is None:
        return "not searched"
    return f"{searched['in']}: {searched['found']} found" + ("" if searched["complete"] else ", not all could be read")


def _searched(item: Mapping[str, Any], searches: list[Search]) -> dict[str, Any]:
    places: Mapping[str, list[str]] = item.get("searchedIn", {})
    done = [each for each in searches if _looks_for(each, places.get(each.place, []))]
    named = dict.fromkeys(each.place for each in done)
    given = {each.place for each in searches}
    left = [_OPTIONS[place] for place in places if place not in given]
    by_hand = f"No search looks for it. Look at: {item['look']}."
    return {
        "in": ", ".join(named),
        "found": sum(_answers(row, places[each.place]) for each in done for row in each.rows) if done else None,
        "complete": bool(done) and all(each.complete for each in done),
        "how": " ".join(left) if left or done else by_hand,
    }


def _looks_for(search: Search, kinds: list[str]) -> bool:
    return bool(kinds) and {kind.partition(" (")[0] for kind in kinds} <= set(search.kinds)


def _answers(row: Mapping[str, Any], kinds: list[str]) -> bool:
    """A kind of an item may name the sign-in, too: ``acr-service-connection (managed identity)``."""
    return row["kind"] in kinds or f"{row['kind']} ({row.get('signIn')})" in kinds

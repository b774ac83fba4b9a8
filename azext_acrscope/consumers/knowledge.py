"""What is known about consumers: knowledge.json, and a team's own file over it.

The form of both: ``sources`` (key → ``title``, ``url``, ``read``: an ISO date), ``entries`` (``kind``, ``signIn``,
``verdict``, ``why``, ``source``: a key, ``fix``), ``checklist`` (the same with ``consumer`` and ``look`` instead of
``kind`` and ``signIn``), ``aks`` (``verdicts.judge_node_pools`` reads it) and ``roles`` (GUID → ``name``, and in which
modes of a registry it may ``pull`` and ``push``). A team's file may hold any of these; what it says replaces what is
known here.

An entry or item may have ``versions`` (see `versions`) and ``evidence``, which says how the fix is known: `ran` (it was
tried), `read` (in the tool's code, not tried) or `documented`. An item may have ``searchedIn``: for `code` and `azure
devops` the kinds of their rows that answer it, perhaps with the sign-in: ``KIND (SIGN-IN)`` (see `checklist`).
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from azext_acrscope.base import files
from azext_acrscope.base.foreign_json import is_filled_text
from azext_acrscope.consumers import errors
from azext_acrscope.consumers.versions import find_versions_fault

BREAKS, WORKS, UNKNOWN = VERDICTS = ("breaks", "works", "unknown")
VERDICT_ORDER = (BREAKS, UNKNOWN, WORKS)  # of rows: what somebody has to look at comes first
EVIDENCE = ("ran", "read", "documented")
CODE, AZURE_DEVOPS = SEARCH_PLACES = ("code", "azure devops")
ANY_KIND = "*"  # as a kind: what holds for all of them
_KINDS_WITHOUT_ENTRY = {"container-app-builder"}  # on which knowledge.json says nothing in particular
_PACKAGED_FILE = Path(__file__).with_name("knowledge.json")
_REQUIRED_TEXTS = {
    "entries": ("kind", "signIn", "verdict", "why", "source", "fix"),
    "checklist": ("consumer", "look", "verdict", "why", "source", "fix"),
}
_REGISTRY_MODES = ("rbac", "abac")  # of a registry, see `rights`
_IDENTIFYING_MEMBERS = {"entries": ("kind", "signIn"), "checklist": ("consumer",)}


@dataclass(frozen=True)
class Knowledge:
    """Checked knowledge, in the form of the file."""

    content: dict[str, Any]

    @cached_property
    def _entries(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(entry["kind"], entry["signIn"]): entry for entry in self.content["entries"]}

    def entry(self, kind: str, sign_in: str) -> dict[str, Any]:
        """Return what is known of a kind of consumer that signs in this way; else of any kind; else that nothing is."""
        known = self._entries
        return known.get((kind, sign_in)) or known.get((ANY_KIND, sign_in)) or known[ANY_KIND, UNKNOWN]

    def source(self, key: str) -> dict[str, str]:
        """Return ``source`` (title and address) and ``sourceDate``, the day it was read."""
        return describe_source(self.content["sources"][key])

    @property
    def roles(self) -> dict[str, dict[str, Any]]:
        """Return the known roles by GUID."""
        return self.content["roles"]

    @property
    def aks(self) -> dict[str, Any]:
        """Return what is known of AKS node images."""
        return self.content["aks"]

    @property
    def checklist(self) -> list[dict[str, Any]]:
        """Return what no query finds, in the form of the file; `checklist.checklist_rows` makes rows of it."""
        return self.content["checklist"]


def describe_source(source: Mapping[str, str]) -> dict[str, str]:
    """Return a source as rows have it: ``{source, sourceDate}``."""
    return {"source": f"{source['title']} <{source['url']}>", "sourceDate": source["read"]}


def count_verdicts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many rows have each verdict."""
    found = [row["verdict"] for row in rows]
    return {verdict: found.count(verdict) for verdict in VERDICTS}


def load_knowledge(file: str | None = None) -> Knowledge:
    """Return the package's knowledge, with what a team's file says in its place.

    :raises FileOperationError: the file cannot be read.
    :raises InvalidArgumentValueError: it is not in the form above; the package's own would be just as refused.
    """
    content = _read_json(str(_PACKAGED_FILE))
    if file:
        content = _merge_team_file(content, _read_json(file), file)
    _check_knowledge(content, file or _PACKAGED_FILE.name)
    return Knowledge(content)


def _read_json(file: str) -> Any:
    return files.read_json_document(file, errors.knowledge_unreadable, errors.bad_knowledge)


def _merge_team_file(ours: dict[str, Any], theirs: Any, file: str) -> dict[str, Any]:
    if not isinstance(theirs, dict):
        raise errors.bad_knowledge(file, "it is not an object")
    if unknown := sorted(set(theirs) - set(ours)):
        raise errors.bad_knowledge(file, f"it has unknown members: {', '.join(unknown)}")
    merged = dict(ours)
    for part, value in theirs.items():
        if part in _IDENTIFYING_MEMBERS:
            _check_items(part, value, file)
            _refuse_unused_entries(part, value, ours, file)
            merged[part] = _replace_items(part, ours[part], value)
        elif isinstance(value, dict):
            said_here = {key.lower(): each for key, each in value.items()} if part == "roles" else value
            merged[part] = {**ours[part], **said_here}
        else:
            raise errors.bad_knowledge(file, f"`{part}` is not an object")
    return merged


def _replace_items(part: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put their items in the place of ours; where an item of ours is searched stays known, unless theirs says it."""

    def key(item: dict[str, Any]) -> tuple[str, ...]:
        return tuple(item[name] for name in _IDENTIFYING_MEMBERS[part])

    searched = {key(item): {"searchedIn": item["searchedIn"]} for item in ours if "searchedIn" in item}
    said = set(map(key, theirs))
    kept = [item for item in ours if key(item) not in said]
    return kept + [{**searched.get(key(item), {}), **item} for item in theirs]


def _refuse_unused_entries(part: str, entries: list[dict[str, Any]], ours: dict[str, Any], file: str) -> None:
    """Refuse entries that nothing will ever look up: a slip would leave ours in force without a word."""
    for name in _IDENTIFYING_MEMBERS[part] if part == "entries" else ():
        known = {entry[name] for entry in ours[part]} | (_KINDS_WITHOUT_ENTRY if name == "kind" else set())
        if unknown := sorted({entry[name] for entry in entries} - known):
            raise errors.bad_knowledge(
                file, f"there is no {name} {', '.join(unknown)}; the names are: {', '.join(sorted(known))}"
            )


def _check_knowledge(content: dict[str, Any], file: str) -> None:
    _check_sources(content, file)
    for part in _REQUIRED_TEXTS:
        _check_items(part, content[part], file)
        for item in content[part]:
            if item["source"] not in content["sources"]:
                raise errors.bad_knowledge(file, f"`{part}`: there is no source {item['source']}")
    _check_aks(content["aks"], file)
    for guid, role in content["roles"].items():
        if not (
            isinstance(role, dict)
            and is_filled_text(role.get("name"))
            and _are_modes(role.get("pull"), role.get("push"))
        ):
            raise errors.bad_knowledge(file, f"role {guid} needs name, pull and push, each a list of rbac and abac")


def _are_modes(*lists: Any) -> bool:
    return all(isinstance(modes, list) and all(mode in _REGISTRY_MODES for mode in modes) for modes in lists)


def _check_aks(aks: dict[str, Any], file: str) -> None:
    names = aks.get("names")
    named = isinstance(names, list) and all(map(is_filled_text, names))
    if not (named and _is_dotted_number(aks.get("neverUpTo")) and is_filled_text(aks.get("fix"))):
        raise errors.bad_knowledge(file, "`aks` needs names (texts), neverUpTo (such as 1.28) and fix")
    for rule in [*_aks_rules(aks, "linux", file), *_aks_rules(aks, "windows", file)]:
        if rule.get("verdict") not in VERDICTS or not is_filled_text(rule.get("why")):
            raise errors.bad_knowledge(file, "`aks`: a rule needs verdict and why")
        minors = rule.get("minors", ["", ""])
        pair = isinstance(minors, list) and len(minors) == 2
        if not (
            pair and all(end == "" or _is_dotted_number(end) for end in (rule.get("from"), rule.get("to"), *minors))
        ):
            raise errors.bad_knowledge(file, '`aks`: from, to and two minors of a rule must be dotted numbers, or ""')


def _is_dotted_number(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{1,9}(\.\d{1,9})*", value, re.ASCII))


def _check_sources(content: dict[str, Any], file: str) -> None:
    for key, source in content["sources"].items():
        if fault := find_source_fault(source):
            raise errors.bad_knowledge(file, f"source {key} {fault}")
    for name in ("source", "neverSource", "roleSource"):
        if str(content["aks"].get(name)) not in content["sources"]:
            raise errors.bad_knowledge(file, f"`aks` needs a {name}")


def find_source_fault(source: Any) -> str:
    """Return what is wrong with a source; empty if nothing is."""
    if not isinstance(source, dict) or not all(is_filled_text(source.get(name)) for name in ("title", "url", "read")):
        return "needs title, url and read"
    try:
        datetime.date.fromisoformat(source["read"])
    except ValueError:
        return f"has no date (2026-08-21) in read: {source['read']}"
    return ""


def _aks_rules(aks: dict[str, Any], system: str, file: str) -> list[dict[str, Any]]:
    rules = aks.get(system)
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise errors.bad_knowledge(file, f"`aks.{system}` is not a list of rules")
    return rules


def _check_items(part: str, items: Any, file: str) -> None:
    if not isinstance(items, list):
        raise errors.bad_knowledge(file, f"`{part}` is not a list")
    for item in items:
        if not isinstance(item, dict) or not all(is_filled_text(item.get(name)) for name in _REQUIRED_TEXTS[part]):
            raise errors.bad_knowledge(file, f"`{part}`: each item needs the texts {', '.join(_REQUIRED_TEXTS[part])}")
        if item["verdict"] not in VERDICTS:
            raise errors.bad_knowledge(file, f"`{part}`: a verdict must be one of {', '.join(VERDICTS)}")
        if fault := _find_optional_fault(part, item):
            raise errors.bad_knowledge(file, f"`{part}`: {fault}")


def _find_optional_fault(part: str, item: dict[str, Any]) -> str:
    if "versions" in item and (fault := find_versions_fault(item["versions"], VERDICTS)):
        return fault
    if item.get("evidence", EVIDENCE[0]) not in EVIDENCE:
        return f"evidence must be one of {', '.join(EVIDENCE)}"
    if "searchedIn" in item and part != "checklist":
        return "searchedIn is for items of the checklist"
    places = item.get("searchedIn", {})
    if not isinstance(places, dict) or not set(places) <= set(SEARCH_PLACES):
        return f"searchedIn has no other members than {' and '.join(SEARCH_PLACES)}"
    if not all(isinstance(kinds, list) and kinds and all(map(is_filled_text, kinds)) for kinds in places.values()):
        return "searchedIn needs a list of kinds for each place"
    return ""

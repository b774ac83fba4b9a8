"""The knowledge behind the verdicts: every statement has a source and a date, and a team's file is checked as ours."""

import datetime
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.cli.core.azclierror import FileOperationError, InvalidArgumentValueError

from azext_acrscope.consumers import knowledge, registry_uses
from azext_acrscope.consumers.versions import judge_version

OURS = knowledge.load_knowledge()
ENTRY = {"kind": "batch", "signIn": "managed identity", "verdict": "works", "why": "Tried.", "fix": "None."}
ITEM = {"consumer": "azd deploy", "look": "here", "verdict": "works", "why": "x", "source": "azd", "fix": "x"}


def written(tmp_path: Path, content: Any) -> str:
    file = tmp_path / "team.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


@pytest.mark.parametrize("part", ["entries", "checklist"])
def test_every_entry_has_a_source_that_was_read_on_a_day(part: str) -> None:
    assert OURS.content[part]
    for entry in OURS.content[part]:
        source = OURS.content["sources"][entry["source"]]
        assert source["url"].startswith("https://")
        assert datetime.date(2026, 1, 1) <= datetime.date.fromisoformat(source["read"])
        assert entry["verdict"] in knowledge.VERDICTS
        assert entry["why"]
        assert entry["fix"]


def test_every_source_is_of_use() -> None:
    used = {entry["source"] for part in ("entries", "checklist") for entry in OURS.content[part]}
    used |= {OURS.aks["source"], OURS.aks["neverSource"], OURS.aks["roleSource"]}
    assert used == set(OURS.content["sources"])


@pytest.mark.parametrize("key", OURS.content["sources"])
def test_a_source_is_an_article_a_thread_a_released_package_or_a_file_that_cannot_change(key: str) -> None:
    url = urlsplit(OURS.content["sources"][key]["url"])
    article = r"learn\.microsoft\.com/(azure|cli|powershell)(/[a-z0-9.-]+)+"
    package = r"pypi\.org/project/[\w.-]+/[\w.]+/|www\.npmjs\.com/package/(@[\w-]+/)?[\w-]+/v/[\w.-]+"
    repository = r"github\.com/[\w-]+/[\w-]+"
    assert (url.scheme, url.query, url.fragment) == ("https", "", "")
    assert re.fullmatch(
        rf"{article}|{package}|{repository}/(issues|pull)/\d+|{repository}/(blob|tree)/[0-9a-f]{{40}}/.+",
        url.netloc + url.path,
    )


@pytest.mark.parametrize("key", OURS.content["sources"])
def test_a_source_was_not_read_before_it_was_written(key: str) -> None:
    source = OURS.content["sources"][key]
    assert all(date <= source["read"] for date in re.findall(r"\d{4}-\d\d-\d\d", source["title"]))


def test_a_title_names_the_commit_that_is_linked() -> None:
    for source in OURS.content["sources"].values():
        linked = re.search(r"/(?:blob|tree)/([0-9a-f]{40})/", source["url"])
        named = re.search(r" at ([0-9a-f]{8})\b", source["title"])
        assert not linked or (named and linked[1].startswith(named[1]))


def test_nothing_is_said_twice() -> None:
    keys = [(entry["kind"], entry["signIn"]) for entry in OURS.content["entries"]]
    assert len(keys) == len(set(keys))


def test_what_is_not_known_is_unknown() -> None:
    assert OURS.entry("a-new-kind", registry_uses.MANAGED_IDENTITY)["verdict"] == "unknown"
    assert OURS.entry("a-new-kind", "a new way")["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("app-service", "breaks"),
        ("functions", "breaks"),
        ("functions-on-container-apps", "unknown"),
        ("container-app", "breaks"),
        ("container-app-job", "breaks"),
        ("session-pool", "breaks"),
        ("container-instance", "unknown"),
        ("machine-learning", "unknown"),
        ("foundry", "breaks"),
        ("batch", "unknown"),
        ("acr-task", "unknown"),
        ("aks-network-isolated", "breaks"),
        ("flux", "unknown"),
        ("iot-operations", "unknown"),
        ("identity", "unknown"),
    ],
)
def test_each_kind_has_its_verdict_for_every_sign_in(kind: str, verdict: str) -> None:
    assert OURS.entry(kind, registry_uses.MANAGED_IDENTITY)["verdict"] == verdict
    for how in (
        registry_uses.ADMIN_USER,
        registry_uses.REPOSITORY_TOKEN,
        registry_uses.ANONYMOUS,
        registry_uses.PASSWORD_OR_NONE,
    ):
        assert OURS.entry(kind, how)["verdict"] == "works"
    for how in (registry_uses.SERVICE_PRINCIPAL, registry_uses.UNKNOWN_AUTH):
        assert OURS.entry(kind, how)["verdict"] == "unknown"


def test_a_teams_entry_takes_the_place_of_ours_and_leaves_the_others(tmp_path: Path) -> None:
    file = written(tmp_path, {"entries": [{**ENTRY, "source": "batch"}]})
    theirs = knowledge.load_knowledge(file)
    assert theirs.entry("batch", registry_uses.MANAGED_IDENTITY)["verdict"] == "works"
    assert theirs.entry("container-app", registry_uses.MANAGED_IDENTITY) == OURS.entry(
        "container-app", registry_uses.MANAGED_IDENTITY
    )


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '"text"',
        {"entry": []},
        {"entries": {}},
        {"entries": [1]},
        {"entries": [ENTRY]},
        {"entries": [{**ENTRY, "source": "nowhere"}]},
        {"entries": [{**ENTRY, "source": "batch", "verdict": "maybe"}]},
        {"entries": [{**ENTRY, "source": "batch", "why": " "}]},
        {"entries": [{**ENTRY, "source": "batch", "kind": "batchpool"}]},
        {"entries": [{**ENTRY, "source": "batch", "signIn": "identity"}]},
        {"sources": {"us": {"title": "Trial", "url": "https://wiki.example", "read": "last week"}}},
        {"sources": {"us": {"title": "Trial", "url": "https://wiki.example"}}},
        {"aks": []},
        {"aks": {"linux": [{"from": "", "to": ""}]}},
        {"aks": {"linux": [{"verdict": "works", "why": "Tried."}]}},
        {"aks": {"linux": [{"verdict": "works", "why": "Tried.", "from": "", "to": "soon"}]}},
        {"aks": {"windows": [{"verdict": "works", "why": "Tried.", "from": "", "to": "", "minors": ["1.30"]}]}},
        {"aks": {"windows": [{"verdict": "works", "why": "Tried.", "from": "", "to": "", "minors": "1.30"}]}},
        {"aks": {"names": 7}},
        {"aks": {"names": ["AKSUbuntu", None]}},
        {"aks": {"neverUpTo": None}},
        {"aks": {"fix": ["x"]}},
        {"aks": {"source": {}}},
        {"roles": {"guid": {"name": "Puller"}}},
        {"roles": {"guid": {"name": "Puller", "pull": ["always"], "push": []}}},
        {"roles": {"guid": {"name": "Puller", "pull": [["rbac"]], "push": []}}},
        {"checklist": [{"consumer": "x"}]},
        {"checklist": [{**ITEM, "versions": []}]},
        {"checklist": [{**ITEM, "versions": [{"from": "2", "below": "1", "verdict": "works", "why": "x"}]}]},
        {"entries": [{**ENTRY, "source": "batch", "versions": [{"verdict": "works"}]}]},
        {"entries": [{**ENTRY, "source": "batch", "evidence": "heard"}]},
        {"entries": [{**ENTRY, "source": "batch", "evidence": None}]},
        {"entries": [{**ENTRY, "source": "batch", "searchedIn": {"code": ["bicep"]}}]},
        {"checklist": [{**ITEM, "searchedIn": {"wiki": ["bicep"]}}]},
        {"checklist": [{**ITEM, "searchedIn": {"code": []}}]},
        {"checklist": [{**ITEM, "searchedIn": {"code": "bicep"}}]},
        {"checklist": [{**ITEM, "searchedIn": {"code": [""]}}]},
        {"checklist": [{**ITEM, "searchedIn": []}]},
    ],
)
def test_a_file_without_what_it_takes_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InvalidArgumentValueError, match=r"team\.json"):
        knowledge.load_knowledge(written(tmp_path, content))


def item(known: knowledge.Knowledge, consumer: str) -> dict[str, Any]:
    [found] = [each for each in known.checklist if each["consumer"].startswith(consumer)]
    return found


@pytest.mark.parametrize(
    ("consumer", "version", "verdict"),
    [
        ("Azure CLI", "2.39.0", "breaks"),
        ("Azure CLI", "2.40.0", "unknown"),
        ("Azure CLI", "2.45.0", "unknown"),
        ("Azure CLI", "2.81.0", "unknown"),
        ("Azure CLI", "2.82.0", "works"),
        ("Azure CLI", "", "unknown"),
        ("`az acr check-health`", "2.81.0", "breaks"),
        ("`az acr check-health`", "2.82.0", "works"),
        ("Azure MCP Server", "1.0.4", "works"),
        ("Azure MCP Server", "2.0.0-beta.30", "works"),
        ("Azure MCP Server", "2.0.0-beta.40", "breaks"),
        ("Azure MCP Server", "2.0.5", "breaks"),
        ("Azure MCP Server", "", "breaks"),
        ("Azure SDK for Python", "1.0.0b5", "breaks"),
        ("Azure SDK for Python", "1.0.0", "unknown"),
        ("Azure SDK for Python", "1.1.0b1", "unknown"),
        ("Azure SDK for Python", "1.1.0b2", "breaks"),
        ("Azure SDK for Python", "1.1.0b3", "breaks"),
        ("Azure SDK for Python", "1.1.0b4", "works"),
        ("Azure SDK for Python", "1.2.0", "works"),
        ("Azure SDK for JavaScript", "1.0.0", "unknown"),
        ("Azure SDK for JavaScript", "1.1.0", "works"),
        ("Azure SDK for Java:", "1.0.12", "breaks"),
        ("Azure SDK for Java:", "1.1.0-beta.3", "works"),
        ("Azure SDK for Go", "0.1.1", "breaks"),
        ("Azure SDK for Go", "v0.2.0", "works"),
        ("Flux", "2.8.1", "breaks"),
        ("Flux", "2.8.2", "works"),
    ],
)
def test_a_tool_is_judged_by_its_version(consumer: str, version: str, verdict: str) -> None:
    assert judge_version(item(OURS, consumer), version)[0] == verdict


def test_a_cli_between_depends_on_the_right_to_read_the_registry() -> None:
    [between] = [each for each in item(OURS, "Azure CLI")["versions"] if "rights" in each]
    assert (between["from"], between["below"]) == ("2.40.0", "2.82.0")
    assert between["rights"] == {
        "action": "Microsoft.ContainerRegistry/registries/read",
        "with": "works",
        "without": "breaks",
    }


def test_every_fix_that_nobody_documents_says_how_it_is_known() -> None:
    known = {"Tools that sign in with docker-credential-acr-env": "ran", "Bicep": "read", "msi-acrpull": "read"}
    assert {name: item(OURS, name)["evidence"] for name in known} == known


def test_a_teams_item_keeps_where_ours_is_searched_and_may_say_it_itself(tmp_path: Path) -> None:
    ours = item(OURS, "azd deploy")["searchedIn"]
    theirs = knowledge.load_knowledge(written(tmp_path, {"checklist": [ITEM]}))
    assert item(theirs, "azd deploy") == {**ITEM, "searchedIn": ours}
    said = {**ITEM, "searchedIn": {"azure devops": ["x"]}}
    theirs = knowledge.load_knowledge(written(tmp_path, {"checklist": [said]}))
    assert item(theirs, "azd deploy") == said


def test_a_teams_rules_for_aks_take_the_place_of_ours(tmp_path: Path) -> None:
    rule = {"from": "202505.01.0", "to": "", "minors": ["1.31", ""], "verdict": "works", "why": "Tried."}
    theirs = knowledge.load_knowledge(written(tmp_path, {"aks": {"linux": [rule]}}))
    assert theirs.aks["linux"] == [rule]
    assert theirs.aks["windows"] == OURS.aks["windows"]


def test_a_teams_role_is_known_in_any_case_of_its_id(tmp_path: Path) -> None:
    role = {"name": "Puller", "pull": ["rbac"], "push": []}
    assert knowledge.load_knowledge(written(tmp_path, {"roles": {"ABC-1": role}})).roles["abc-1"] == role


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileOperationError, match="could not be read"):
        knowledge.load_knowledge(str(tmp_path / "none.json"))

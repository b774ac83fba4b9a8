"""Modules of Bicep by alias are those of the registry that the nearest bicepconfig.json names."""

import json
from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.consumers.code.scan import search_code
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import write_tree

MODULE = "module m 'br/ours:storage:v1' = {\n  name: 'm'\n}\n"
HOST, OTHER = "contoso.azurecr.io", "fabrikam.azurecr.io"


def configuration(registry: Any, alias: str = "ours") -> str:
    text = json.dumps({"moduleAliases": {"br": {alias: {"registry": registry, "modulePath": "bicep"}}}}, indent=1)
    return f"// ours\n{text}"


def modules(folder: Path, files: dict[str, str], named: set[str] | None = None) -> tuple[list[tuple[str, Any]], int]:
    """Return file and registry of the modules, and how many places of other registries there are."""
    found = search_code([str(write_tree(folder, files))], load_knowledge(), named)
    assert not found.incomplete
    assert all("bicepconfig" not in row["why"] for row in found.code if row["registry"])
    rows = [(row["file"], row["registry"]) for row in found.code if row["kind"] == "Bicep module"]
    return sorted(rows), found.summary["otherRegistries"]


def test_the_nearest_configuration_says_which_registry_an_alias_is(tmp_path: Path) -> None:
    files = {
        "bicepconfig.json": configuration(HOST),
        "main.bicep": MODULE,
        "infra/web/app.bicep": MODULE,
        "data/bicepconfig.json": configuration(OTHER),
        "data/db/db.bicep": MODULE,
    }
    expected = [("data/db/db.bicep", OTHER), ("infra/web/app.bicep", HOST), ("main.bicep", HOST)]
    assert modules(tmp_path, files) == (expected, 0)


def test_modules_of_registries_that_were_not_asked_about_are_counted(tmp_path: Path) -> None:
    files = {"bicepconfig.json": configuration(OTHER), "main.bicep": MODULE}
    assert modules(tmp_path, files, {HOST}) == ([], 2)  # the alias, and the module


def test_an_alias_of_another_registry_is_no_place(tmp_path: Path) -> None:
    assert modules(tmp_path, {"bicepconfig.json": configuration("mcr.microsoft.com"), "main.bicep": MODULE}) == ([], 0)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"bicepconfig.json": configuration(HOST, "others")},
        {"bicepconfig.json": configuration(None)},
        {"other/bicepconfig.json": configuration(HOST)},
        {"infra/bicepconfig.json": "{]"},
    ],
)
def test_an_alias_that_no_configuration_explains_may_be_any_registry(tmp_path: Path, files: dict[str, str]) -> None:
    assert modules(tmp_path, {**files, "infra/main.bicep": MODULE}) == ([("infra/main.bicep", None)], 0)

import json
import re
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrscope.consumers.code.patterns.known_patterns import load_patterns
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.knowledge import load_knowledge

_PATTERN = {"kind": "k", "verdict": "breaks", "why": "w", "source": "acr-doc", "fix": "f"}
_SETS_BACK = {"kind": "k", "turnsBackOn": True, "strength": "explicit", "why": "w", "fix": "f"}
_SOURCE = {"title": "t", "url": "u", "read": "2026-11-27"}


def load(folder: Path, patterns: Any, sources: Any = None, name: str = "area.json") -> Any:
    (folder / name).write_text(json.dumps({"sources": sources or {}, "patterns": patterns}))
    return load_patterns(load_knowledge(), folder)


def test_the_patterns_that_are_installed_can_be_used() -> None:
    assert load_patterns(load_knowledge()).patterns


def test_sources_are_those_of_the_file_and_of_the_knowledge(tmp_path: Path) -> None:
    known = load(tmp_path, {"a": _PATTERN, "b": {**_PATTERN, "source": "own"}, "c": _SETS_BACK}, {"own": _SOURCE})
    assert set(known.patterns) == {"a", "b", "c"}
    assert {"own", "acr-doc"} <= set(known.sources)


def test_where_a_variable_group_may_name_the_registry_the_row_says_to_look_there() -> None:
    known = load_patterns(load_knowledge())
    plain = known.code_row(Place(1, "docker-login"), "a.yml")
    row = known.code_row(Place(1, "docker-login", in_group=True), "a.yml")
    assert row["why"].startswith(plain["why"])
    assert "variable group" in row["why"]
    assert row["fix"].endswith(plain["fix"])
    assert "variable groups" in row["fix"]
    named = Place(1, "docker-login", "contoso.azurecr.io", in_group=True)
    assert known.code_row(named, "a.yml")["fix"] == plain["fix"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        *[({key: value for key, value in _PATTERN.items() if key != each}, each) for each in _PATTERN],
        ({**_PATTERN, "verdict": "perhaps"}, "verdict"),
        ({**_PATTERN, "source": "none"}, "no source none"),
        ({**_PATTERN, "kind": " "}, "kind"),
        ({**_PATTERN, "versions": [{"from": "new", "verdict": "works", "why": "w"}]}, "versions"),
        ({**_PATTERN, "versions": [{"from": "2.1", "verdict": "works"}]}, "why"),
        ({**_SETS_BACK, "strength": "weak"}, "strength"),
        ({**_SETS_BACK, "verdict": "breaks"}, "no verdict"),
        ([], ""),
        (None, ""),
    ],
)
def test_a_file_in_another_form_is_an_error_that_names_it(tmp_path: Path, pattern: Any, said: str) -> None:
    with pytest.raises(FileOperationError, match="area.json") as error:
        load(tmp_path, {"a": pattern})
    assert said in error.value.error_msg


@pytest.mark.parametrize("source", [{**_SOURCE, "read": "yesterday"}, {"title": "t"}, [], {**_SOURCE, "url": ""}])
def test_a_source_needs_the_day_it_was_read(tmp_path: Path, source: Any) -> None:
    with pytest.raises(FileOperationError):
        load(tmp_path, {"a": _PATTERN}, {"own": source})


def test_a_name_is_in_one_file_only(tmp_path: Path) -> None:
    load(tmp_path, {"a": _PATTERN})
    with pytest.raises(FileOperationError, match="another file"):
        load(tmp_path, {"a": _PATTERN}, name="other.json")


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"patterns": {}}', '{"sources": [], "patterns": {}}'])
def test_what_is_no_such_file_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "area.json").write_text(text)
    with pytest.raises(FileOperationError):
        load_patterns(load_knowledge(), tmp_path)


def test_a_folder_without_patterns_is_an_error_because_all_code_would_pass_for_clean(tmp_path: Path) -> None:
    with pytest.raises(FileOperationError, match="no pattern"):
        load_patterns(load_knowledge(), tmp_path)


def test_a_source_in_a_repository_is_of_one_commit_which_its_title_names() -> None:
    """A branch may say something else tomorrow."""
    linked = []
    for source in load_patterns(load_knowledge()).sources.values():
        if found := re.search(
            r"github(?:usercontent)?\.com/[\w.-]+/[\w.-]+/(?:blob|tree|raw|refs)/([^/]+)", source["url"]
        ):
            linked.append(found[1])
            assert re.fullmatch(r"[0-9a-f]{40}", found[1]), source["url"]
            assert found[1][:8] in source["title"]
    assert linked

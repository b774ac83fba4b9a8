"""Patterns of commands and pipelines: each finds its example, and nothing in its counter-example."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.consumers.code import patterns
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import (
    azure_pipelines,
    commands,
    container_files,
    github_actions,
    yaml_scripts,
)
from azext_acrscope.consumers.knowledge import VERDICTS, load_knowledge
from tests.factories.source import places_in

READERS = (commands, yaml_scripts, github_actions, azure_pipelines, container_files)
_PATTERNS = Path(patterns.__path__[0])
_FILES = {name: json.loads((_PATTERNS / f"{name}.json").read_text()) for name in ("commands", "pipelines")}
PATTERNS = {name: (file, pattern) for file, each in _FILES.items() for name, pattern in each["patterns"].items()}


def read_file(name: str, text: str) -> list[Place]:
    """Return what all readers of these patterns find in a file, each place once."""
    return sorted(places_in(name, text, READERS))


@pytest.mark.parametrize("name", PATTERNS)
def test_the_example_is_found_and_nothing_else(name: str) -> None:
    example = PATTERNS[name][1]["example"]
    expected = Place(example["line"], name, example.get("registry"), example.get("version"))
    assert read_file(example["file"], example["text"]) == [expected]


@pytest.mark.parametrize("name", PATTERNS)
def test_the_near_miss_is_not_found(name: str) -> None:
    near_miss = PATTERNS[name][1]["counterExample"]
    assert name not in {place.pattern for place in read_file(near_miss["file"], near_miss["text"])}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_says_all_that_a_finding_needs(name: str) -> None:
    file, pattern = PATTERNS[name]
    assert pattern["source"] in {**_FILES[file]["sources"], **load_knowledge().content["sources"]}
    assert all(pattern[key].strip() for key in ("kind", "why", "fix"))
    if pattern.get("turnsBackOn"):
        assert pattern["strength"] in ("explicit", "default", "omitted")
        assert "verdict" not in pattern
    else:
        assert pattern["verdict"] in VERDICTS


def test_sources_have_a_date() -> None:
    sources: list[dict[str, Any]] = [source for each in _FILES.values() for source in each["sources"].values()]
    assert sources
    for source in sources:
        assert source["url"].startswith("https://")
        assert datetime.date.fromisoformat(source["read"])

"""All readers and all patterns together, as the search uses them."""

import pkgutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.consumers.code import readers
from azext_acrscope.consumers.code.file_names import ending_of
from azext_acrscope.consumers.code.formats import READERS
from azext_acrscope.consumers.code.patterns.known_patterns import load_patterns
from azext_acrscope.consumers.code.scan import search_code
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import write_tree

KNOWN = load_patterns(load_knowledge())
_ENDINGS = ["", ".", ".txt", *sorted({ending for reader in READERS for ending in reader.ENDINGS or ()})]


def test_every_reader_is_used() -> None:
    modules = {f"{readers.__name__}.{each.name}" for each in pkgutil.iter_modules(readers.__path__)}
    assert {each.__name__ for each in READERS} == modules  # type: ignore[attr-defined]


def test_words_are_as_the_prefilter_wants_them() -> None:
    for reader in READERS:
        assert reader.WORDS
        assert all(word and word.isascii() and word == word.lower() for word in reader.WORDS)


@given(
    st.sampled_from(sorted({each["example"]["file"] for each in KNOWN.patterns.values()})), st.sampled_from(_ENDINGS)
)
def test_readers_that_name_endings_read_all_files_with_these_and_no_others(name: str, ending: str) -> None:
    for reader in READERS:
        for each in (name.lower(), f"a/{name.lower()}{ending}", f"{ending}/a{ending}"):
            assert reader.ENDINGS is None or reader.reads(each) == (ending_of(each) in reader.ENDINGS)


@pytest.mark.parametrize("name", sorted(KNOWN.patterns))
def test_the_search_finds_the_example_of_every_pattern(name: str, tmp_path: Path) -> None:
    pattern = KNOWN.patterns[name]
    example = pattern["example"]
    write_tree(tmp_path, {example["file"]: example["text"]})
    found = search_code([str(tmp_path)], load_knowledge())
    rows = found.turns_back_on if pattern.get("turnsBackOn") else found.code
    why = pattern["why"].rstrip(".")
    assert (example["line"], example.get("registry")) in [
        (row["line"], row["registry"]) for row in rows if "version" in example or row["why"].startswith(why)
    ]
    assert not found.incomplete

"""Release notes are what HISTORY.rst says of a version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.errors import RefusedError
from release.notes import entry_of, to_markdown
from tests.az import ROOT
from tests.factories.projects import HISTORY

WORDS = st.lists(st.text("abcXYZ-", min_size=1, max_size=8), min_size=1, max_size=12)


def test_the_notes_have_a_line_for_each_bullet() -> None:
    assert to_markdown(entry_of(HISTORY, "1.2.0")) == "* `example`: what it does, and how.\n* A line.\n"
    assert to_markdown(entry_of(HISTORY, "1.1.0")) == "* Older.\n"


@pytest.mark.parametrize("version", ["1.2", "1.2.0b1", "2.0.0", "Release"])
def test_a_version_is_found_by_its_whole_name(version: str) -> None:
    with pytest.raises(RefusedError, match="Add what users notice below a heading"):
        entry_of(HISTORY, version)


def test_a_heading_with_nothing_below_is_no_entry() -> None:
    with pytest.raises(RefusedError, match=r"says nothing of version 2\.0\.0"):
        entry_of(HISTORY.replace("1.2.0\n+++++", "2.0.0\n+++++\n\n1.2.0\n+++++"), "2.0.0")


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_no_word_is_lost_or_moved(bullets: list[list[str]]) -> None:
    entry = "\n".join("* " + "\n  ".join(words) for words in bullets)
    assert to_markdown(entry).splitlines() == ["* " + " ".join(words) for words in bullets]


def test_the_real_entry_has_nothing_that_markdown_does_not_know() -> None:
    history = (ROOT / "HISTORY.rst").read_text(encoding="utf-8")
    version = next(line for line in history.splitlines()[3:] if line)
    notes = to_markdown(entry_of(history, version)).splitlines()
    assert notes
    assert [line for line in notes if "``" in line or ".. " in line or not line.startswith("* ")] == []

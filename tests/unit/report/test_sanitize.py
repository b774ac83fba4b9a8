"""Sentences in pieces."""

import pytest

from azext_acrscope.report import sanitize


@pytest.mark.parametrize(
    ("sentence", "pieces"),
    [
        ("a", [("a", False)]),
        ("`a` is b", [("a", True), (" is b", False)]),
        ("a `b` c `d`", [("a ", False), ("b", True), (" c ", False), ("d", True)]),
        ("a `b", [("a `b", False)]),
        ("a ``b", [("a ``b", False)]),
        ("`a``b`", [("`a``b`", False)]),
    ],
)
def test_words_between_two_backquotes_are_code(sentence: str, pieces: list[tuple[str, bool]]) -> None:
    assert sanitize.split_code_spans(sentence) == pieces

"""Sentences in pieces, and characters that only a reader's eye should meet."""

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


def test_what_no_document_can_hold_is_shown_as_such() -> None:
    assert sanitize.replace_invalid("a\x00b\ud800c\u202ed\te\n") == "a\ufffdb\ufffdc\ufffdd\te\n"

"""Text that others wrote, and lines for a terminal."""

import pytest

from azext_acrscope.base import errors, text


def test_what_no_document_can_hold_and_no_terminal_should_obey_is_shown_as_such() -> None:
    assert text.replace_invalid("a\x00b\ud800c\u202ed\x1b[2Je\u2066f\x9bg\te\n") == "a�b�c�d�[2Je�f�g\te\n"


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    assert text.one_line("a\r\nWARNING: b\tc\u2028d") == "a WARNING: b c d"


def test_errors_and_sentences_hold_nothing_that_a_terminal_obeys() -> None:
    odd = "con\u202etoso\x1b[2J\r\nERROR: forged"
    error = errors.bad_registry_name(odd)
    assert "con�toso�[2J ERROR: forged" in error.error_msg
    assert errors.sentence(odd) == "con�toso�[2J ERROR: forged"
    advised = errors.with_advice(errors.cli_error(type(error), "a", f"b\n{odd}"), "c")
    assert advised.recommendations == ["b\ncon�toso�[2J \nERROR: forged", "c"]


@pytest.mark.parametrize(("shown", "width"), [("abc", 3), ("日本", 4), ("é", 1), ("e\u0301", 1), ("ａ", 2)])
def test_the_width_is_what_a_terminal_shows(shown: str, width: int) -> None:
    assert text.display_width(shown) == width


@pytest.mark.parametrize(
    ("whole", "width", "short"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two …"),
        ("one two three", 9, "one two …"),
        ("abcdefghijklmn", 8, "abcdef …"),
        ("a bcdefghijklmn", 8, "a bcde …"),
        ("/subscriptions/x/resourceGroups/rg", 10, "…Groups/rg"),
        ("日本日本日本", 8, "日本日 …"),
    ],
)
def test_a_text_is_shortened_at_a_word_and_an_id_at_its_beginning(whole: str, width: int, short: str) -> None:
    assert text.shorten(whole, width) == short
    assert text.display_width(short) <= width


def test_a_line_is_wrapped_between_words_with_its_indent() -> None:
    assert text.wrap("  one two three four", 12) == ["  one two", "    three", "    four"]
    assert text.wrap("one two", 7) == ["one two"]


def test_a_command_to_copy_is_never_broken() -> None:
    line = "Run this: `az acr scope enforce --status enabled --ids ONE`, or wait."
    assert text.wrap(line, 20) == ["Run this:", "  `az acr scope enforce --status enabled --ids ONE`,", "  or wait."]

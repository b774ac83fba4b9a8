"""A report in Markdown: its tables are tables, and names stay text."""

import pytest

from azext_acrscope.report import document, markdown
from tests.unit.report.fleet import HOSTILE, consumer, content, everything, registry
from tests.unit.report.judged import judged


def tables(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = judged("markdown", text)["tables"]
    return found


def test_every_table_is_one_and_its_rows_are_whole() -> None:
    made = document.make(everything())
    found = tables(markdown.write(made))
    expected = [each for section in made.sections for each in section.tables]
    assert [len(each) for each in found] == [len(each.rows) + 1 for each in expected]
    for table, shown in zip(expected, found, strict=True):
        assert shown[0] == list(table.columns)
        assert {len(row) for row in shown} == {len(table.columns)}


def test_names_stay_text() -> None:
    text = markdown.write(document.make(everything()))
    understood = judged("markdown", text)
    inline = [kind for kind in understood["kinds"] if kind.startswith("html_inline ")]
    assert inline == ["html_inline <br>"]
    assert "html_block" not in understood["kinds"]
    assert "image" not in understood["kinds"]
    # CommonMark puts a replacement for NUL, and white space of any kind is one space here.
    shown = " ".join(HOSTILE.replace("\x00", "\ufffd").split())
    assert shown in [row[0] for row in understood["tables"][0]]


@pytest.mark.parametrize(
    "name", ["a|b", "a\\|b", "a\nb", "a\r\nb", "*a*", "_a_", "[a](https://example.com)", "`a", "#a", "a\\"]
)
def test_no_name_ends_its_cell(name: str) -> None:
    found = tables(markdown.write(document.make(content(registry(subscription=name), subscriptions=[name]))))
    assert [row[0] for row in found[0]] == ["Subscription", " ".join(name.split())]


def test_code_in_our_own_sentences_stays_code() -> None:
    text = markdown.write(document.make(content(registry(consumers=[consumer()]))))
    assert "Keep the status `enabled`." in text
    assert "`disabled` is enforced" in text


def test_an_address_with_what_would_end_it_is_still_one_link() -> None:
    rows = [consumer(source="Note <https://example.com/a(b) c|d>")]
    text = markdown.write(document.make(content(registry(consumers=rows))))
    assert "(https://example.com/a%28b%29%20c%7Cd)" in text

"""A report in Markdown: its tables are tables, and names stay text."""

import pytest

from azext_acrscope.report import document, markdown
from tests.factories.judged import judged
from tests.factories.report import HOSTILE, consumer, content, everything, proof, registry


def tables(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = judged("markdown", text)["tables"]
    return found


def test_every_table_is_one_and_its_rows_are_whole() -> None:
    made = document.make_document(everything())
    found = tables(markdown.render_markdown(made))
    expected = [section.table for section in made.sections if section.table]
    assert [len(each) for each in found] == [len(each.rows) + 1 for each in expected]
    for table, shown in zip(expected, found, strict=True):
        assert shown[0] == list(table.columns)
        assert {len(row) for row in shown} == {len(table.columns)}


def test_names_stay_text() -> None:
    text = markdown.render_markdown(document.make_document(everything()))
    understood = judged("markdown", text)
    inline = [kind for kind in understood["kinds"] if kind.startswith("html_inline ")]
    assert inline == ["html_inline <br>"]
    assert "html_block" not in understood["kinds"]
    assert "image" not in understood["kinds"]
    shown = " ".join(HOSTILE.replace("\x00", "\ufffd").replace("\u202e", "\ufffd").split())
    assert shown in [row[0] for row in understood["tables"][0]]


@pytest.mark.parametrize(
    "name",
    ["a|b", "a\\|b", "a\nb", "a\r\nb", "*a*", "_a_", "[a](https://example.com)", "`a", "#a", "a\\", "&amp;", "$x$"],
)
def test_no_name_ends_its_cell(name: str) -> None:
    found = tables(
        markdown.render_markdown(document.make_document(content(registry(subscription=name), subscriptions=[name])))
    )
    assert [row[0] for row in found[0]] == ["Subscription", " ".join(name.split())]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("for @octocat", "for @&#8203;octocat"),
        ("ops@contoso.com", "ops@contoso.com"),
        ("see #123", "see \\#&#8203;123"),
        ("https://example.com", "https\\://example.com"),
        ("WWW.example.com", "WWW\\.example.com"),
    ],
)
def test_no_name_calls_people_or_leads_anywhere(name: str, written: str) -> None:
    assert f"| {written} |" in markdown.render_markdown(
        document.make_document(content(registry(), subscriptions=[name]))
    )


@pytest.mark.parametrize("said", ["it said `a|b`", "a ` b <b>|", "`` a", "`a``<b>`", "a `\n<b>", "a `b\n`"])
def test_what_a_sentence_quotes_stays_in_its_cell(said: str) -> None:
    """What a check has seen is told in our own words, and may hold those of a server."""
    found = registry(proof=proof("unknown", "failed", seen=(said,)))
    understood = judged("markdown", markdown.render_markdown(document.make_document(content(found))))
    [row] = [row for table in understood["tables"] for row in table[1:] if table[0][0] == "Registry"]
    shown = " ".join(said.split())
    assert row[3].replace("`", "").endswith(shown.replace("`", ""))
    assert [kind for kind in understood["kinds"] if kind.startswith("html_inline ")] == ["html_inline <br>"]


def test_code_in_our_own_sentences_stays_code() -> None:
    text = markdown.render_markdown(document.make_document(content(registry(consumers=[consumer()]))))
    assert "Keep the status `enabled`." in text
    assert "`disabled` is enforced" in text


def test_an_address_with_what_would_end_it_is_still_one_link() -> None:
    rows = [consumer(source="Note <https://example.com/a(b) c|d>")]
    text = markdown.render_markdown(document.make_document(content(registry(consumers=rows))))
    assert "(https://example.com/a%28b%29%20c%7Cd)" in text

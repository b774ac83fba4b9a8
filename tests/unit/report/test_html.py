"""A report in HTML: whole, readable without a picture of it, and inert whatever things are called."""

import re
from typing import Any

import pytest

from azext_acrscope.report import document, html
from tests.factories.judged import judged
from tests.factories.report import HOSTILE, consumer, content, everything, registry

Found = list[tuple[str, dict[str, str], str]]


@pytest.fixture(scope="module")
def text() -> str:
    return html.render_html(document.make_document(everything()))


@pytest.fixture(scope="module")
def elements(text: str) -> Found:
    """Tag, attributes and text of each element, as a parser reads them that forgives nothing."""
    return [(tag, attributes, said) for tag, attributes, said in judged("html", text)]


def all_of(elements: Found, tag: str) -> list[tuple[dict[str, str], str]]:
    return [(attributes, said) for name, attributes, said in elements if name == tag]


def test_it_loads_and_runs_nothing(text: str, elements: Found) -> None:
    tags = {tag for tag, _, _ in elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "img", "base", "form", "audio", "video"}
    for _, attributes, _ in elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style")]
        assert attributes.get("href", "https://").startswith("https://")
    [(_, style)] = all_of(elements, "style")
    assert not re.search(r"url\(|@import|expression", style)
    policies = [each["content"] for each, _ in all_of(elements, "meta") if "http-equiv" in each]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_names_stay_text(elements: Found) -> None:
    """A subscription can be called anything."""
    shown = HOSTILE.replace("\u202e", "\ufffd").replace("\x00", "\ufffd")
    headings = [said for attributes, said in all_of(elements, "th") if attributes["scope"] == "row"]
    assert shown in headings


def test_every_table_can_be_read_by_its_headings(elements: Found) -> None:
    tables, captions = all_of(elements, "table"), all_of(elements, "caption")
    assert len(tables) == len(captions) == len(all_of(elements, "thead")) > 5
    assert all(said for _, said in captions)
    assert all(attributes["scope"] in ("col", "row") for attributes, _ in all_of(elements, "th"))
    regions = [attributes for attributes, _ in all_of(elements, "div") if attributes.get("role") == "region"]
    names = {attributes["id"] for attributes, _ in captions}
    assert {each["aria-labelledby"] for each in regions} == names
    assert len(names) == len(captions)


def test_each_row_has_a_cell_for_each_column(text: str) -> None:
    for table in re.findall(r"<table>.*?</table>", text, re.DOTALL):
        columns = len(re.findall(r'<th scope="col">', table))
        for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)[1:]:
            assert len(re.findall(r"<t[hd][ >]", row)) == columns


def test_each_bar_says_in_words_what_it_shows(elements: Found) -> None:
    bars = [attributes for attributes, _ in all_of(elements, "svg") if attributes.get("role") == "img"]
    assert [each["aria-label"] for each in bars] == [
        "0 enforced, 0 not enforced, 1 unknown",
        "0 enforced, 0 not enforced, 0 unknown",
        "2 enforced, 2 not enforced, 0 unknown",
    ]


@pytest.mark.parametrize("enforced", range(8))
def test_the_parts_of_a_bar_are_the_shares_of_the_whole(enforced: int) -> None:
    found = content(*(registry(f"r{n}", "disabled" if n < enforced else "enabled") for n in range(7)))
    drawn = html.render_html(document.make_document(found)).partition('<svg role="img"')[2].partition("</svg>")[0]
    parts = {kind: float(width) for width, kind in re.findall(r'width="([\d.]+)" height="13" class="(\w+)"', drawn)}
    assert parts.get("good", 0) == pytest.approx(200 * enforced / 7, abs=0.01)
    assert sum(parts.values()) == pytest.approx(200, abs=0.02)


def test_what_was_not_read_stands_before_everything_else(elements: Found) -> None:
    titles = [said for _, said in all_of(elements, "h2")]
    assert titles[0] == "What could not be read"
    assert "no rights" in next(said for tag, attributes, said in elements if attributes.get("class") == "warning")


def test_parts_that_were_not_asked_for_are_not_there() -> None:
    found = html.render_html(document.make_document(content(registry())))
    for title in ("What could not be read", "Consumers that", "Policy</h2>", "To check by hand", "Refuses ARM"):
        assert title not in found
    assert "not requested" in found


def test_sources_are_links_only_where_they_are_addresses() -> None:
    rows = [consumer(source="Own trial <javascript:alert(1)>"), consumer("b", source="A ticket")]
    elements: Any = judged("html", html.render_html(document.make_document(content(registry(consumers=rows)))))
    assert [attributes for tag, attributes, _ in elements if tag == "a"] == []


def test_ten_thousand_registries_are_a_file_that_a_browser_opens() -> None:
    fleet = [registry(f"contoso{n:05}", consumers=[consumer(f"app{n % 50}")]) for n in range(10_000)]
    text = html.render_html(document.make_document(content(*fleet, consumers_asked=True)))
    assert text.count('<th scope="row">contoso') == 10_000
    assert len(text) < 10_000_000

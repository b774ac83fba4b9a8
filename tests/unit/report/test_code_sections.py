"""Places in code in a report: for people, for spreadsheets, and at their lines for code scanning."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.consumers.code import scan
from azext_acrscope.report import csv_table, html, markdown, model, sarif
from azext_acrscope.report.document import make_document
from azext_acrscope.report.model import ReportContent
from tests.factories.judged import judged
from tests.factories.report import content, registry
from tests.factories.source import MarkReader, known_marks, write_tree


@pytest.fixture
def found(tmp_path: Path) -> ReportContent:
    """A report over two registries, one of which code names."""
    made = content(registry(consumers=[]), registry("fabrikam", consumers=[]))
    server = next(each.row["loginServer"] for each in made.registries if each.name == "contoso")
    text = f"sign-in breaks at {server}\nsign-in unknown\nsign-in works\nPASSWORD=hunter2 sign-in breaks at {server}\n"
    files = {"a b/[x].yml": text, "main.tf": "sign-in weakens\nsign-in enables"}
    write_tree(tmp_path, files)
    made.add_source(scan.scan_sources([str(tmp_path)], known_marks(), None, (MarkReader(),)))
    return made


def results(found: ReportContent) -> list[dict[str, Any]]:
    return [
        each
        for each in json.loads(sarif.render_sarif(found))["runs"][0]["results"]
        if each["ruleId"].startswith("code-")
    ]


def test_sarif_has_each_place_at_its_line_and_quotes_nothing(found: ReportContent) -> None:
    places = [
        (each["ruleId"], place["artifactLocation"]["uri"], place["region"], each["level"])
        for each in results(found)
        for place in [each["locations"][0]["physicalLocation"]]
    ]
    assert places == [
        ("code-breaks", "a%20b/%5Bx%5D.yml", {"startLine": 1}, "warning"),
        ("code-breaks", "a%20b/%5Bx%5D.yml", {"startLine": 4}, "warning"),
        ("code-unknown", "a%20b/%5Bx%5D.yml", {"startLine": 2}, "note"),
        ("code-sets-enabled", "main.tf", {"startLine": 2}, "warning"),
        ("code-sets-enabled", "main.tf", {"startLine": 1}, "note"),
    ]
    assert "hunter2" not in sarif.render_sarif(found)


def test_sarif_with_code_is_sarif(found: ReportContent) -> None:
    assert judged("sarif", sarif.render_sarif(found)) == "valid"


def test_fingerprints_differ_and_stay_when_lines_move(found: ReportContent, tmp_path: Path) -> None:
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in results(found)]
    assert len(set(prints)) == len(prints)
    moved = tmp_path / "a b/[x].yml"
    moved.write_text("# one more line\n" + moved.read_text())
    found.add_source(scan.scan_sources([str(tmp_path)], known_marks(), None, (MarkReader(),)))
    assert prints == [each["partialFingerprints"]["primaryLocationLineHash"] for each in results(found)]


def test_people_see_the_places_and_what_sets_the_status_back(found: ReportContent) -> None:
    for render in (markdown.render_markdown, html.render_html):
        text = render(make_document(found))
        assert "Code that signs in (4)" in text
        assert "Code that sets the status back (2)" in text
        assert "hunter2" not in text


def test_nothing_found_is_said_and_nothing_asked_is_not_there(tmp_path: Path) -> None:
    made = content(registry(consumers=[]))
    assert "Code" not in [each.title.split()[0] for each in make_document(made).sections]
    write_tree(tmp_path, {"a": "text"})
    made.add_source(scan.scan_sources([str(tmp_path)], known_marks(), None, (MarkReader(),)))
    assert "Code that signs in (0)" in [each.title for each in make_document(made).sections]


def test_a_registry_that_code_breaks_with_is_held_back(found: ReportContent) -> None:
    assert {each.name: each.next for each in found.registries} == {"contoso": "held back", "fabrikam": "ready"}
    assert model.report_numbers(found)["code"] == {"breaks": 2, "works": 1, "unknown": 1, "turnsBackOn": 2}


def test_csv_counts_the_places_of_each_registry_and_those_of_none(found: ReportContent) -> None:
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(csv_table.render_csv(found)))}
    names = ("codeBreaks", "codeUnknown", "codeWorks", "codeTurnsBackOn", "codeUnnamed")
    assert [rows["contoso"][name] for name in names] == ["2", "0", "0", "0", "4"]
    assert [rows["fabrikam"][name] for name in names] == ["0", "0", "0", "0", "4"]

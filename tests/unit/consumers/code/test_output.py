"""What people are told of a search of code, and what it counts for."""

from pathlib import Path
from typing import Any

import pytest

from azext_acrscope._format import consumers_table
from azext_acrscope.consumers import output
from azext_acrscope.consumers.code import output as code_output
from azext_acrscope.consumers.code import scan
from tests.factories.source import MarkReader, known_marks, write_tree


def result(folder: Path, files: dict[str, str | bytes], named: set[str] | None = None) -> dict[str, Any]:
    """What a search without any registry prints."""
    made: dict[str, Any] = {"registries": [], "subscriptions": [], "incomplete": [], "manualChecks": []}
    found = scan.scan_sources([str(write_tree(folder, files))], known_marks(), named, (MarkReader(),))
    code_output.add_findings(made, found)
    return made


def test_the_summary_says_what_was_found_and_what_was_not_searched(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a": "sign-in breaks\nsign-in enables\nsign-in works at fabrikam.azurecr.io",
        "b": b"\0",
        ".git/c": "",
    }
    assert code_output.code_summary(result(tmp_path, files, {"contoso.azurecr.io"})) == [
        "1 place in code: 1 break, 0 work, 0 unknown; 1 of them without the registry's name; "
        "1 more with another registry's name.",
        "1 place in code would set the status back to `enabled`.",
        "Searched 1 file; not searched: 1 binary; left out folders: .git (1).",
    ]
    assert not code_output.code_summary({})


@pytest.mark.parametrize(
    ("text", "fails"),
    [("sign-in breaks", {"breaks", "unknown"}), ("sign-in unknown", {"unknown"}), ("sign-in works", set())],
)
def test_the_check_counts_places_in_code(tmp_path: Path, text: str, fails: set[str]) -> None:
    found = result(tmp_path, {"a": text})
    assert {word for word in ("breaks", "unknown") if output.fail_on_error(found, word)} == fails


def test_what_was_not_searched_never_reads_as_clean(tmp_path: Path) -> None:
    found = result(tmp_path, {"node_modules/a": "sign-in breaks"})
    assert output.fail_on_error(found, "unknown")


def test_the_table_has_file_and_line_and_fits(tmp_path: Path) -> None:
    deep = "a-rather-long-folder/" * 6 + "build.yml"
    rows = consumers_table(result(tmp_path, {deep: "sign-in breaks at contoso.azurecr.io\nsign-in enables"}))
    assert [(row["Registry"], row["Verdict"]) for row in rows] == [("contoso", "breaks"), ("not named", "sets enabled")]
    assert all(row["Consumer"].startswith("…") for row in rows)
    assert [row["Consumer"][-11:] for row in rows] == ["build.yml:1", "build.yml:2"]

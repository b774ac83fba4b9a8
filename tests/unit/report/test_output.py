"""Which format it is, and how the file gets to its place."""

import os
from pathlib import Path

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrscope.report import FORMATS, output
from tests.factories.report import content, everything, registry


@pytest.mark.parametrize(
    ("named", "file", "expected"),
    [
        (None, None, "html"),
        (None, "report", "html"),
        (None, "r.HTML", "html"),
        (None, "r.htm", "html"),
        (None, "r.md", "markdown"),
        (None, "a/b.csv", "csv"),
        (None, "r.sarif", "sarif"),
        (None, "r.txt", "html"),
        ("csv", "r.html", "csv"),
        ("sarif", None, "sarif"),
    ],
)
def test_the_format_is_the_one_named_else_the_ending_of_the_file(
    named: str | None, file: str | None, expected: str
) -> None:
    assert output.choose_format(named, file) == expected


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_written(kind: str) -> None:
    text = output.render_report(everything(), kind)
    assert "contoso" in text
    assert text.encode("utf-8")
    assert text.endswith("\n")


def test_a_new_file_is_as_open_as_the_umask_says(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    before = os.umask(0o027)
    try:
        output.save_report(str(file), "ä\n")
    finally:
        os.umask(before)
    assert file.read_bytes() == "ä\n".encode()
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_there_is_replaced_and_as_open_as_before(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    file.chmod(0o604)
    output.save_report(str(file), "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o604
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "report.html")
    output.save_report(str(tmp_path / "link"), "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "report.html").read_text() == "text"


@pytest.mark.parametrize("place", ["missing/report.html", "", "pipe", "~nobody-of-this-name/report.html"])
def test_where_nothing_can_be_written_nothing_is_lost(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    file = place if place.startswith("~") else str(tmp_path / place)
    with pytest.raises(FileOperationError, match="cannot be written"):
        output.check_report_file(file)
    with pytest.raises(FileOperationError, match="cannot be written"):
        output.save_report(file, "text")
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_seeing_whether_a_file_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    output.check_report_file(str(tmp_path / "new.html"))
    (tmp_path / "old.html").write_text("old")
    output.check_report_file(str(tmp_path / "old.html"))
    assert [each.name for each in tmp_path.iterdir()] == ["old.html"]
    assert (tmp_path / "old.html").read_text() == "old"


@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_character_in_a_name_can_be_written(kind: str) -> None:
    """JSON can hold one, and UTF-8 cannot."""
    assert output.render_report(content(registry(subscription="half \ud83d")), kind).encode()

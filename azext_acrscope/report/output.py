"""From what was gathered to a document in one of the formats, and to a file."""

import re
from collections.abc import Callable
from pathlib import Path

from azext_acrscope.base import files
from azext_acrscope.report import CSV, HTML, MARKDOWN, SARIF, csv_table, document, errors, html, markdown, sarif
from azext_acrscope.report.model import ReportContent

_FORMATS_BY_ENDING = {".html": HTML, ".htm": HTML, ".md": MARKDOWN, ".markdown": MARKDOWN, ".csv": CSV, ".sarif": SARIF}

_HALF_CHARACTERS = re.compile("[\ud800-\udfff]")


def choose_format(named: str | None, file: str | None) -> str:
    """The format: the one that was named, else what the file's ending says, else HTML."""
    return named or _FORMATS_BY_ENDING.get(Path(file or "").suffix.lower(), HTML)


def render_report(content: ReportContent, kind: str) -> str:
    """A document that UTF-8 can hold: a name in an answer of ARM may have half a character."""
    return _HALF_CHARACTERS.sub("\ufffd", _render_as(content, kind))


def _render_as(content: ReportContent, kind: str) -> str:
    if kind == CSV:
        return csv_table.render_csv(content)
    if kind == SARIF:
        return sarif.render_sarif(content)
    made = document.make_document(content)
    return markdown.render_markdown(made) if kind == MARKDOWN else html.render_html(made)


def format_remarks(content: ReportContent, kind: str) -> list[str]:
    """Sentences for who makes the report, on what its readers may not take."""
    return sarif.sarif_remarks(content) if kind == SARIF else []


def check_report_file(file: str) -> None:
    """Before anything is read and any token is sent.

    :raises FileOperationError: no report can be put there.
    """
    _apply_to_file(file, files.check_document_writable)


def save_report(file: str, text: str) -> None:
    """Replace the file as a whole.

    :raises FileOperationError: it cannot be written; what was there is as it was.
    """
    _apply_to_file(file, lambda path: files.replace_document(path, text))


def _apply_to_file(file: str, act: Callable[[Path], None]) -> None:
    try:
        act(files.expand_path(file))
    except OSError as error:
        raise errors.report_unwritable(file, files.os_error_reason(error)) from error

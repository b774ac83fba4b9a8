"""From what was gathered to a document in one of the formats, and to a file."""

import re
from collections.abc import Callable
from pathlib import Path

from azext_acrscope import _errors, files
from azext_acrscope.report import CSV, HTML, MARKDOWN, SARIF, document, html, markdown, sarif, sheet
from azext_acrscope.report.content import Content

_ENDINGS = {".html": HTML, ".htm": HTML, ".md": MARKDOWN, ".markdown": MARKDOWN, ".csv": CSV, ".sarif": SARIF}

_HALF = re.compile("[\ud800-\udfff]")


def format_of(named: str | None, file: str | None) -> str:
    """The format: the one that was named, else what the file's ending says, else HTML."""
    return named or _ENDINGS.get(Path(file or "").suffix.lower(), HTML)


def write(content: Content, kind: str) -> str:
    """A document that UTF-8 can hold: a name in an answer of ARM may have half a character."""
    return _HALF.sub("\ufffd", _written(content, kind))


def _written(content: Content, kind: str) -> str:
    if kind == CSV:
        return sheet.write(content)
    if kind == SARIF:
        return sarif.write(content)
    made = document.make(content)
    return markdown.write(made) if kind == MARKDOWN else html.write(made)


def remarks(content: Content, kind: str) -> list[str]:
    """Sentences for who makes the report, on what its readers may not take."""
    return sarif.remarks(content) if kind == SARIF else []


def check(file: str) -> None:
    """Before anything is read and any token is sent.

    :raises FileOperationError: no report can be put there.
    """
    _to(file, files.check_document)


def save(file: str, text: str) -> None:
    """Replace the file as a whole.

    :raises FileOperationError: it cannot be written; what was there is as it was.
    """
    _to(file, lambda path: files.replace_document(path, text))


def _to(file: str, act: Callable[[Path], None]) -> None:
    try:
        act(files.expanded(file))
    except OSError as error:
        raise _errors.report_unwritable(file, error.strerror or type(error).__name__) from error

"""From what was gathered to a document in one of the formats, and to a file."""

from pathlib import Path

from azext_acrscope import _errors, files
from azext_acrscope.report import CSV, HTML, MARKDOWN, SARIF, document, html, markdown, sarif, sheet
from azext_acrscope.report.content import Content

_ENDINGS = {".html": HTML, ".htm": HTML, ".md": MARKDOWN, ".markdown": MARKDOWN, ".csv": CSV, ".sarif": SARIF}


def format_of(named: str | None, file: str | None) -> str:
    """The format: the one that was named, else what the file's ending says, else HTML."""
    return named or _ENDINGS.get(Path(file or "").suffix.lower(), HTML)


def write(content: Content, kind: str) -> str:
    if kind == CSV:
        return sheet.write(content)
    if kind == SARIF:
        return sarif.write(content)
    made = document.make(content)
    return markdown.write(made) if kind == MARKDOWN else html.write(made)


def save(file: str, text: str) -> None:
    """Replace the file as a whole.

    :raises FileOperationError: it cannot be written; what was there is as it was.
    """
    try:
        files.replace_document(Path(file).expanduser(), text)
    except OSError as error:
        raise _errors.report_unwritable(file, error.strerror or type(error).__name__) from error

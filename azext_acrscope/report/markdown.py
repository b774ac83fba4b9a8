"""A report as Markdown, with tables as GitHub and Azure DevOps show them."""

import re

from azext_acrscope.base.text import replace_invalid
from azext_acrscope.report.blocks import ReportDocument, Section, StatusBar, Table, TableCell
from azext_acrscope.report.sanitize import split_code_spans

_SPECIAL_CHARACTERS = re.compile(r"([\\`*_\[\]<>|~#!&$])")
# GitHub and Azure DevOps turn these into links, mentions of people and references to issues, which notify.
_ADDRESS_PATTERN = re.compile(r"\b(https?|ftp)(?=:)|\b(www)(?=\.)", re.I)
_MENTION_PATTERN = re.compile(r"(?<!\w)@(?=\w)|\\#(?=\d)")
_ZERO_WIDTH_SPACE = "&#8203;"  # a space without width; no backslash keeps a mention from being one


def render_markdown(document: ReportDocument) -> str:
    parts = [
        f"# {_render_text(document.title)}",
        _render_text(document.subtitle),
        f"**{_render_text(document.headline)}**",
        "\n".join(f"- {_render_text(name)}: {_render_text(value)}" for name, value in document.facts),
        "\n".join(f"- **{each.number}** {_render_text(each.text)}" for each in document.figures),
        *(_render_section(each) for each in document.sections),
        "---",
        *(_render_prose(each) for each in document.closing),
    ]
    return "\n\n".join(parts) + "\n"


def _render_section(section: Section) -> str:
    parts = [f"## {_render_text(section.title)}"]
    parts += [_render_prose(section.text)] if section.text else []
    parts += ["\n".join(f"- {_render_text(each)}" for each in section.items)] if section.items else []
    parts += [_render_table(section.table)] if section.table else []
    return "\n\n".join(parts)


def _render_table(table: Table) -> str:
    head = [_render_row([_render_text(each) for each in table.columns]), _render_row(["---"] * len(table.columns))]
    return "\n".join(head + [_render_row([_render_cell(each) for each in row]) for row in table.rows])


def _render_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _render_cell(cell: TableCell | StatusBar) -> str:
    if isinstance(cell, StatusBar):
        return _render_text(cell.label)
    said = _render_prose(cell.text) if cell.prose else _render_text(cell.text)
    said = f"[{said}]({_escape_address(cell.href)})" if cell.href else said
    if not cell.note:
        return said
    return f"{said}<br>{_render_prose(cell.note) if cell.prose else _render_text(cell.note)}"


def _render_prose(text: str) -> str:
    """Of our own sentences: words between backquotes stay so, unless they would end the cell of a table."""
    pieces = [(re.sub(r"\s+", " ", replace_invalid(piece)), is_code) for piece, is_code in split_code_spans(text)]
    if any(is_code and "|" in piece for piece, is_code in pieces):
        return _escape_text(text)
    return "".join(f"`{piece}`" if is_code else _escape_text(piece) for piece, is_code in pieces)


def _render_text(text: str) -> str:
    """Text that stays text, and in one line, whatever it is."""
    return _escape_text(text.strip())


def _escape_text(text: str) -> str:
    plain = _ADDRESS_PATTERN.sub(
        r"\g<0>\\", _SPECIAL_CHARACTERS.sub(r"\\\1", re.sub(r"\s+", " ", replace_invalid(text)))
    )
    return _MENTION_PATTERN.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", plain)


def _escape_address(address: str) -> str:
    return re.sub(r"[\s()<>|]", lambda found: f"%{ord(found[0]):02X}", address)

"""A report as Markdown, with tables as GitHub and Azure DevOps show them."""

import re

from azext_acrscope.report.shapes import Bar, Cell, Document, Section, Table
from azext_acrscope.report.text import fit, prose

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#!&$])")
# GitHub and Azure DevOps turn these into links, mentions of people and references to issues, which notify.
_ADDRESS = re.compile(r"\b(https?|ftp)(?=:)|\b(www)(?=\.)", re.I)
_MENTION = re.compile(r"(?<!\w)@(?=\w)|\\#(?=\d)")
_NOTHING = "&#8203;"  # a space without width; no backslash keeps a mention from being one


def write(document: Document) -> str:
    parts = [
        f"# {_text(document.title)}",
        _text(document.subtitle),
        f"**{_text(document.headline)}**",
        "\n".join(f"- {_text(name)}: {_text(value)}" for name, value in document.facts),
        "\n".join(f"- **{each.number}** {_text(each.text)}" for each in document.figures),
        *(_section(each) for each in document.sections),
        "---",
        *(_prose(each) for each in document.closing),
    ]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> str:
    parts = [f"## {_text(section.title)}"]
    parts += [_prose(section.text)] if section.text else []
    parts += ["\n".join(f"- {_text(each)}" for each in section.items)] if section.items else []
    parts += [_table(section.table)] if section.table else []
    return "\n\n".join(parts)


def _table(table: Table) -> str:
    head = [_row([_text(each) for each in table.columns]), _row(["---"] * len(table.columns))]
    return "\n".join(head + [_row([_cell(each) for each in row]) for row in table.rows])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell | Bar) -> str:
    if isinstance(cell, Bar):
        return _text(cell.label)
    said = _prose(cell.text) if cell.prose else _text(cell.text)
    said = f"[{said}]({_address(cell.href)})" if cell.href else said
    if not cell.note:
        return said
    return f"{said}<br>{_prose(cell.note) if cell.prose else _text(cell.note)}"


def _prose(text: str) -> str:
    """Of our own sentences: words between backquotes stay so, unless they would end the cell of a table."""
    pieces = [(re.sub(r"\s+", " ", fit(piece)), is_code) for piece, is_code in prose(text)]
    if any(is_code and "|" in piece for piece, is_code in pieces):
        return _escaped(text)
    return "".join(f"`{piece}`" if is_code else _escaped(piece) for piece, is_code in pieces)


def _text(text: str) -> str:
    """Text that stays text, and in one line, whatever it is."""
    return _escaped(text.strip())


def _escaped(text: str) -> str:
    plain = _ADDRESS.sub(r"\g<0>\\", _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", fit(text))))
    return _MENTION.sub(rf"\g<0>{_NOTHING}", plain)


def _address(address: str) -> str:
    return re.sub(r"[\s()<>|]", lambda found: f"%{ord(found[0]):02X}", address)

"""What a report says of places in code, for the formats that people read. Pure."""

from azext_acrscope.base import errors as base_errors
from azext_acrscope.consumers.code import output
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN
from azext_acrscope.report import knowledge_cells
from azext_acrscope.report.blocks import BAD, DOUBT, KeyFigure, Section, Table, TableCell
from azext_acrscope.report.model import ReportContent, Row

_TONES = {BREAKS: BAD, UNKNOWN: DOUBT, "explicit": BAD}


def code_fact(content: ReportContent) -> str:
    """Return what was searched, and what was not."""
    if content.source is None:
        return "not requested"
    *_, searched = output.source_lines(content.source.code, content.source.turns_back_on, content.source.summary)
    return f"{searched.rstrip('.')}, in {base_errors.first_and_number(content.source.summary['folders'], 5)}"


def code_figures(content: ReportContent) -> list[KeyFigure]:
    """Return the numbers that matter: places that break, and that set the status back."""
    if content.source is None:
        return []
    breaks, sets_back = content.source.numbers[BREAKS], len(content.source.turns_back_on)
    found = [KeyFigure(breaks, "places in code break", BAD if breaks else "")]
    return found + ([KeyFigure(sets_back, "places in code set `enabled` again", DOUBT)] if sets_back else [])


def code_sections(content: ReportContent) -> list[Section]:
    """Return a section of who signs in according to code, and one of what sets the status back; none if not asked."""
    if content.source is None:
        return []
    return [_signs_in(content.source.code), *_sets_back(content.source.turns_back_on)]


def _signs_in(rows: list[Row]) -> Section:
    title = f"Code that signs in ({len(rows)})"
    text = (
        "These places in the folders that were searched sign in to a registry. Where the code does not name the "
        "registry, any registry of this report may be meant. Lines are never quoted."
    )
    if not rows:
        return Section(
            title, "Nothing that signs in to one of these registries was found in the code that was searched."
        )
    columns = ("Place", "Registry", "Verdict", "Why", "Fix", "Source")
    cells = [
        (
            TableCell(f"{row['file']}:{row['line']}", note=row["kind"]),
            TableCell(row["registry"] or "not named", "" if row["registry"] else DOUBT),
            TableCell(row["verdict"], _TONES.get(row["verdict"], "")),
            TableCell(row["why"], prose=True),
            TableCell(row["fix"], prose=True),
            knowledge_cells.source_cell(row),
        )
        for row in rows
    ]
    return Section(title, text, Table("Places in code that sign in", columns, cells))


def _sets_back(rows: list[Row]) -> list[Section]:
    if not rows:
        return []
    text = (
        "The next deployment of these places can set the status back to `enabled`. `explicit` means that the code says "
        "so, `default` and `omitted` that it says nothing."
    )
    columns = ("Place", "Registry", "Strength", "Why", "Fix")
    cells = [
        (
            TableCell(f"{row['file']}:{row['line']}"),
            TableCell(row["registry"] or "not named", "" if row["registry"] else DOUBT),
            TableCell(row["strength"], _TONES.get(row["strength"], DOUBT)),
            TableCell(row["why"], prose=True),
            TableCell(row["fix"], prose=True),
        )
        for row in rows
    ]
    return [
        Section(
            f"Code that sets the status back ({len(rows)})",
            text,
            Table("Places in code that set the status back", columns, cells),
        )
    ]

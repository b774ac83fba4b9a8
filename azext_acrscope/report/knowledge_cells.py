"""What a report says from knowledge: the checklist, and the cells with a fix and a source. Pure."""

from azext_acrscope.consumers import checklist
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICT_ORDER
from azext_acrscope.report.blocks import BAD, DOUBT, Section, Table, TableCell
from azext_acrscope.report.model import ReportContent, Row

_EVIDENCE_TEXTS = {"ran": "tried", "read": "seen in the tool's code, not tried", "documented": "documented"}
_TONES = {BREAKS: BAD, UNKNOWN: DOUBT}


def checklist_section(content: ReportContent) -> Section | None:
    """Return the section on consumers that no query finds, with what else was searched for each."""
    if not content.manual_checks:
        return None
    columns = ("Consumer", "Where to look", "Searched", "Verdict", "Why", "What to do", "Source")
    rows = [
        (
            TableCell(row["consumer"], prose=True),
            TableCell(row["look"], prose=True),
            _searched_cell(row),
            TableCell(row["verdict"], _TONES.get(row["verdict"], "")),
            TableCell(row["why"], prose=True),
            fix_cell(row),
            source_cell(row),
        )
        for row in sorted(content.manual_checks, key=lambda row: VERDICT_ORDER.index(row["verdict"]))
    ]
    left = sum(row["searched"]["found"] is None for row in content.manual_checks)
    text = (
        f"Azure Resource Graph does not show these. {left} of {len(rows)} were not searched in any other way: nothing "
        "is known about them here. Ask the teams that run them before you sign this off."
    )
    return Section("To check by hand", text, Table("Consumers that no query finds", columns, rows))


def _searched_cell(row: Row) -> TableCell:
    searched = row["searched"]
    unclear = searched["found"] is None or searched["found"] or not searched["complete"]
    return TableCell(checklist.describe_searched(row), DOUBT if unclear else "", note=searched["how"], prose=True)


def fix_cell(row: Row) -> TableCell:
    """Return the fix, and how it is known."""
    return TableCell(row["fix"], note=_EVIDENCE_TEXTS.get(row["evidence"], ""), prose=True)


def source_cell(row: Row) -> TableCell:
    """Return the source with its address and the day it was read."""
    title, _, address = str(row["source"]).partition(" <")
    address = address.rstrip(">")
    return TableCell(title, href=address if address.startswith("https://") else "", note=f"read {row['sourceDate']}")

"""Tables that fit a terminal: which texts are shortened, and which columns are left out. Pure."""

from typing import Any

from azext_acrscope.base.text import display_width, one_line, shorten

Row = dict[str, Any]

_GAP = 2  # columns between two columns of the table
_HEADER_PADDING = 2  # columns by which the CLI's tables make a column wider than its header
# Columns that may be shortened, the widest first, and to how many columns while there is another one to leave out.
_LEAST_WIDTHS = {
    "Why": 32,
    "Reason": 40,
    "Actions": 40,
    "AcceptedAudiences": 40,
    "Disagreement": 24,
    "GovernedBy": 24,
    "Scope": 24,
    "File": 16,
    "Subscription": 20,
    "ResourceGroup": 16,
    "Consumer": 36,  # a client ID
    "SignIn": 12,
}
_LEAST_WIDTH_AT_LAST = 12  # where there is no other column to leave out
# Columns to leave out where that is too wide, the least important first. What people act on is never among them.
_LEFT_OUT_FIRST = (
    "SourceDate",
    "Location",
    "Format",
    "Username",
    "SignIn",
    "Kind",
    "Client",
    "CredentialStore",
    "Seconds",
    "EnforcementMode",
    "LoginServer",
    "AnonymousPull",
    "AdminUser",
    "AcrToken",
    "ArmToken",
    "File",
    "ResourceGroup",
    "Disagreement",
    "Subscription",
    "EnforcedInEffect",
    "PreviousStatus",
    "Scope",
    "Proven",
    "Mismatch",
)


def fit_table(rows: list[Row], width: int) -> list[Row]:
    """Return rows whose table takes at most `width` columns, if shortening texts and leaving out columns can do that.

    Every text loses what a terminal would obey. The other formats have the texts whole.
    """
    rows = [
        {name: one_line(cell).strip() if isinstance(cell, str) else cell for name, cell in row.items()} for row in rows
    ]
    fitted = _fit_columns(rows, width)
    # The CLI pads cells by their number of characters, so that rows with wide ones end farther to the right.
    return _fit_columns(rows, width - _extra_width(fitted)) if _extra_width(fitted) else fitted


def _extra_width(rows: list[Row]) -> int:
    """Return how many columns wide characters add to the widest row."""
    texts = [[cell for cell in row.values() if isinstance(cell, str)] for row in rows]
    return max((sum(display_width(cell) - len(cell) for cell in cells) for cells in texts), default=0)


def _fit_columns(rows: list[Row], width: int) -> list[Row]:
    widths = _column_widths(rows)
    for name in _columns_to_leave_out(rows, widths):
        if _table_width(_least_widths(widths)) <= width:
            break
        del widths[name]
    least = _least_widths(widths)
    if _table_width(least) > width:
        least = _least_widths(widths, _LEAST_WIDTH_AT_LAST)
    while _table_width(widths) > width and widths != least:
        widest = max((name for name, wide in widths.items() if wide > least[name]), key=lambda name: widths[name])
        widths[widest] -= 1
    return [
        {
            name: shorten(cell, widths[name]) if isinstance(cell, str) else cell
            for name, cell in row.items()
            if name in widths
        }
        for row in rows
    ]


def _column_widths(rows: list[Row]) -> dict[str, int]:
    """Return how wide each column is: its header or its widest cell."""
    widths: dict[str, int] = {}
    for row in rows:
        for name, cell in row.items():
            shown = "" if cell is None else str(cell)
            widths[name] = max(widths.get(name, _header_width(name)), display_width(shown))
    return widths


def _header_width(name: str) -> int:
    return len(name) + _HEADER_PADDING


def _columns_to_leave_out(rows: list[Row], widths: dict[str, int]) -> list[str]:
    """Return the columns that a table can do without, in their order: those without any text first."""
    names = [name for name in _LEFT_OUT_FIRST if name in widths]
    if not {"Name", "Registry"} & set(widths):
        names = [name for name in names if name != "LoginServer"]  # then it is what the row is about
    return sorted(names, key=lambda name: any(row.get(name) not in ("", None) for row in rows))


def _least_widths(widths: dict[str, int], most: int = 1000) -> dict[str, int]:
    """Return how narrow each column may become, at most `most` columns where it may become narrower at all."""
    return {
        name: min(width, max(min(_LEAST_WIDTHS[name], most), _header_width(name))) if name in _LEAST_WIDTHS else width
        for name, width in widths.items()
    }


def _table_width(widths: dict[str, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)

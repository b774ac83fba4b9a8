"""Table output: one row a result, in the order people read it, as wide as the terminal.

Imported by every `az acr` command, so it loads nothing but the standard library.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from azext_acrscope.base.resource_ids import name_in_id

Row = dict[str, Any]
T = TypeVar("T", dict[str, Any], list[dict[str, Any]], dict[str, Any] | list[dict[str, Any]])

_WIDTH_WITHOUT_TERMINAL = 120  # columns
_GAP = 2  # columns between two columns of the table
_HEADER_PADDING = 2  # columns by which the CLI's tables make a column wider than its header
# Columns that may be shortened, and to how many columns at least. The widest is shortened first.
_LEAST_WIDTHS = {
    "Why": 24,
    "Reason": 24,
    "Actions": 24,
    "Disagreement": 24,
    "GovernedBy": 24,
    "AcceptedAudiences": 24,
    "Scope": 20,
    "LoginServer": 20,
    "File": 16,
    "Subscription": 12,
    "ResourceGroup": 12,
    "Consumer": 16,
    "SignIn": 12,
}
# Columns to leave out where even that is too wide, the least important first. What people act on is never among them.
_LEFT_OUT_FIRST = (
    "SourceDate",
    "Location",
    "AnonymousPull",
    "AdminUser",
    "Client",
    "CredentialStore",
    "Kind",
    "Seconds",
    "EnforcementMode",
    "AcrToken",
    "ArmToken",
    "File",
    "LoginServer",
    "SignIn",
    "ResourceGroup",
    "Disagreement",
    "AcceptedAudiences",
    "Subscription",
    "EnforcedInEffect",
    "Scope",
)


def _fits_terminal(make: Callable[..., T]) -> Callable[..., T]:
    """Let a transformer's table fit the terminal: COLUMNS, else its width, else 120."""

    @wraps(make)
    def transform(result: Any) -> Any:
        from shutil import get_terminal_size

        made = make(result)
        width = get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 0)).columns
        return fit_table(made, width) if isinstance(made, list) else fit_table([made], width)[0]

    return transform


def fit_table(rows: list[Row], width: int) -> list[Row]:
    """Return rows whose table takes at most `width` columns, if shortening texts and leaving out columns can do that.

    Every text loses what a terminal would obey. The other formats have the texts whole.
    """
    from azext_acrscope.base.text import one_line

    rows = [
        {name: one_line(cell).strip() if isinstance(cell, str) else cell for name, cell in row.items()} for row in rows
    ]
    fitted = _fit_columns(rows, width)
    # The CLI pads cells by their number of characters, so that rows with wide ones end farther to the right.
    return _fit_columns(rows, width - _extra_width(fitted)) if _extra_width(fitted) else fitted


def _extra_width(rows: list[Row]) -> int:
    """Return how many columns wide characters add to the widest row."""
    from azext_acrscope.base.text import display_width

    texts = [[cell for cell in row.values() if isinstance(cell, str)] for row in rows]
    return max((sum(display_width(cell) - len(cell) for cell in cells) for cells in texts), default=0)


def _fit_columns(rows: list[Row], width: int) -> list[Row]:
    from azext_acrscope.base.text import shorten

    widths = _column_widths(rows)
    present = [name for name in _LEFT_OUT_FIRST if name in widths]
    if "Name" not in widths and "Registry" not in widths and "LoginServer" in present:
        present.remove("LoginServer")  # then it is what the row is about
    while _table_width(_least(widths)) > width and present:
        del widths[present.pop(0)]
    least = _least(widths)
    while _table_width(widths) > width and widths != least:
        widest = max((name for name in widths if widths[name] > least[name]), key=lambda name: widths[name])
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
    from azext_acrscope.base.text import display_width

    widths: dict[str, int] = {}
    for row in rows:
        for name, cell in row.items():
            shown = "" if cell is None else str(cell)
            widths[name] = max(widths.get(name, _header_width(name)), display_width(shown))
    return widths


def _header_width(name: str) -> int:
    return len(name) + _HEADER_PADDING


def _least(widths: dict[str, int]) -> dict[str, int]:
    return {
        name: min(width, max(_LEAST_WIDTHS.get(name, width), _header_width(name))) for name, width in widths.items()
    }


def _table_width(widths: dict[str, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


@_fits_terminal
def show_table(result: Row) -> Row:
    return {
        "Name": result["name"],
        "Status": _status_text(result),
        "AcceptedAudiences": ", ".join(result["acceptedAudiences"]),
        "AdminUser": result["otherSignIns"]["adminUser"],
        "AnonymousPull": result["otherSignIns"]["anonymousPull"],
        "LoginServer": result["loginServer"],
    }


@_fits_terminal
def list_table(result: list[Row]) -> list[Row]:
    return [
        {
            "Name": row["name"],
            "Status": _status_text(row),
            "Subscription": row["subscriptionName"],
            "ResourceGroup": row["resourceGroup"],
            "Location": row["location"],
            "AdminUser": row["otherSignIns"]["adminUser"],
            "AnonymousPull": row["otherSignIns"]["anonymousPull"],
            "LoginServer": row["loginServer"],
        }
        for row in result
    ]


@_fits_terminal
def enforce_table(result: list[Row]) -> list[Row]:
    """Return a row for each registry; PlannedStatus is there for a dry run, Verified and Seconds for --verify."""
    planned = any(row["plannedStatus"] for row in result)
    verified = any(row["verification"] for row in result)
    return [_enforce_row(row, planned, verified) for row in result]


def _enforce_row(row: Row, planned: bool, verified: bool) -> Row:
    seen = row["verification"] or {"verified": "", "seconds": ""}
    return {
        "Name": row["name"],
        "PreviousStatus": row["previousStatus"],
        "Status": row["status"],
        **({"PlannedStatus": row["plannedStatus"]} if planned else {}),
        "Result": row["result"],
        **({"Verified": seen["verified"], "Seconds": seen["seconds"]} if verified else {}),
        "Reason": row["reason"],
    }


@_fits_terminal
def check_table(result: Row | list[Row]) -> Row | list[Row]:
    if isinstance(result, list):
        return [_check_row(row) for row in result]
    return _check_row(result)


def _check_row(row: Row) -> Row:
    """What to do matters more than what was seen; the other formats have both whole."""
    return {
        "Name": row["name"],
        "Status": _status_text(row),
        "EnforcedInEffect": row["enforcedInEffect"],
        "Verdict": row["verdict"],
        "AcrToken": row["probe"]["acr"]["result"],
        "ArmToken": row["probe"]["arm"]["result"],
        "Actions": " ".join(row["actions"]),
    }


@_fits_terminal
def consumers_table(result: Row) -> list[Row]:
    """A row for each consumer, by registry; who has none is one row, so that no registry looks forgotten. Where a log
    was read, a registry's clients follow.
    """
    return [
        {
            "Registry": registry["name"],
            "Consumer": row["name"],
            "Kind": row["kind"],
            "SignIn": row["signIn"],
            "Verdict": row["verdict"],
            "Why": row["why"],
            "SourceDate": row["sourceDate"],
        }
        for registry in result["registries"]
        for row in (registry["consumers"] or [_NO_CONSUMER_ROW])
        + [_login_event_row(each) for each in registry.get("logins", [])]
    ]


def _login_event_row(row: Row) -> Row:
    """A client in the log, in the columns of consumers: where it is, and what came of its sign-ins."""
    results = ", ".join(f"{result} {count}x" for result, count in row["results"].items())
    times = [("last sign-in", row["lastSignIn"]), ("last refusal", row["lastRefusal"])]
    return {
        "name": ", ".join([*(name_in_id(each) for each in row["consumers"]), row["identity"] or "no identity"]),
        "kind": "sign-ins",
        "signIn": row["client"] or row["userAgent"],
        "verdict": _login_outcome(row),
        "why": "; ".join([f"{row['address']}: {results}", *(f"{what} {time}" for what, time in times if time)]),
        "sourceDate": "",
    }


def _login_outcome(row: Row) -> str:
    if row["newlyRefused"]:
        return "newly refused"
    if row["signIns"]:
        return "signs in"
    return "refused" if row["refusals"] else "unclear"


_NO_CONSUMER_ROW = {"name": "none seen", "kind": "", "signIn": "", "verdict": "", "why": "", "sourceDate": ""}


@_fits_terminal
def report_table(result: Row | None) -> Row:
    """Of the printed numbers; nothing for a document that was printed itself."""
    if not result:
        return {}
    consumers = result["consumers"] or {}
    return {
        "Registries": result["registries"],
        "Enforced": result["enforced"],
        "NotEnforced": result["notEnforced"],
        "Unknown": result["unknown"],
        "Mismatch": result["next"]["mismatch"],
        "ConsumersBreak": consumers.get("breaks", ""),
        "Proven": result["proven"],
        "Unread": len(result["unread"]),
        "Format": result["format"],
        "File": result["file"],
    }


@_fits_terminal
def login_table(result: Row | list[Row]) -> Row | list[Row]:
    """The fields that are plain values. Rows go without the user name, the same in all of them."""
    if isinstance(result, list):
        return [_plain_columns({key: row[key] for key in row if key != "username"}) for row in result]
    return _plain_columns(result)


@_fits_terminal
def logout_table(result: list[Row]) -> list[Row]:
    return [_plain_columns(row) for row in result]


@_fits_terminal
def policy_assign_table(result: Row | None) -> Row:
    """Of the printed result; nothing for --print, which has none."""
    if not result:
        return {}
    count = result["nonCompliant"]
    row = {
        "Name": result["name"],
        "Effect": result["effect"],
        "EnforcementMode": result["enforcementMode"],
        "NonCompliant": f"{count['registries']} of {count['of']}" if count else "unknown",
        "Changed": result["changed"],
        "Scope": result["scope"],
    }
    if "plannedChanges" in result:
        row["PlannedChanges"] = len(result["plannedChanges"])
    return row


@_fits_terminal
def policy_unassign_table(result: Row) -> Row:
    return _plain_columns({key: result[key] for key in ("name", "changed", "scope")})


@_fits_terminal
def policy_show_table(result: Row) -> list[Row]:
    """The registries; where there are none, the assignments."""
    if not result["registries"]:
        return [
            {
                "Assignment": each["name"],
                "Effect": each["effect"],
                "EnforcementMode": each["enforcementMode"],
                "Inherited": each["inherited"],
                "Scope": each["scope"],
            }
            for each in result["assignments"]
        ]
    return [
        {
            "Name": row["name"],
            "Status": _status_text(row),
            "Compliance": row["compliance"],
            "GovernedBy": ", ".join(_describe_governing(each) for each in row["assignments"]),
            "ResourceGroup": row["resourceGroup"],
            "Subscription": row["subscriptionName"],
            "Disagreement": row["disagreement"] or "",
        }
        for row in result["registries"]
    ]


def _describe_governing(each: Row) -> str:
    notes = [each["effect"]] + (["exempt"] if each["exempt"] else [])
    notes += ["not enforced"] if each["enforcementMode"] != "Default" else []
    return f"{each['name']} ({', '.join(notes)})"


@_fits_terminal
def remediate_table(result: list[Row]) -> list[Row]:
    return [
        {
            "Name": row["name"],
            "PreviousStatus": row["previousStatus"],
            "Status": row["status"],
            "Result": row["result"],
            "Reason": row["reason"],
        }
        for row in result
    ]


def _plain_columns(row: Row) -> Row:
    return {key[:1].upper() + key[1:]: value for key, value in row.items() if not isinstance(value, (dict, list))}


@_fits_terminal
def configure_docker_table(result: Row) -> list[Row]:
    return [
        {"LoginServer": row["loginServer"], "Result": row["result"], "Client": result["client"], "File": result["file"]}
        for row in result["hosts"]
    ]


def _status_text(result: Row) -> str:
    return f"{result['status']} (default)" if result["statusIsDefault"] else str(result["status"])

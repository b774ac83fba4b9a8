"""Table output: one row a result, in the order people read it."""

from typing import Any

Row = dict[str, Any]


def show_table(result: Row) -> Row:
    return {
        "Name": result["name"],
        "Status": _status(result),
        "AcceptedAudiences": ", ".join(result["acceptedAudiences"]),
        "AdminUser": result["otherSignIns"]["adminUser"],
        "AnonymousPull": result["otherSignIns"]["anonymousPull"],
        "LoginServer": result["loginServer"],
    }


def enforce_table(result: Row) -> Row:
    row = {
        "Name": result["name"],
        "PreviousStatus": result["previousStatus"],
        "Status": result["status"],
        "Changed": result["changed"],
        "LoginServer": result["loginServer"],
    }
    if "plannedStatus" in result:
        row["PlannedStatus"] = result["plannedStatus"]
    return row


def login_table(result: Row) -> Row:
    """Every field of a login, or of an exposed token, is a plain value: the row is the result."""
    return {key[:1].upper() + key[1:]: value for key, value in result.items()}


def _status(result: Row) -> str:
    return f"{result['status']} (default)" if result["statusIsDefault"] else str(result["status"])

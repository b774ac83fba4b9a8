"""Table output: one row a result, in the order people read it."""

import textwrap
from typing import Any

from azext_acrscope.base.resource_ids import name_in_id

_MAX_REASON_LENGTH = 100  # characters of a reason in a table; the other formats have it whole

Row = dict[str, Any]


def show_table(result: Row) -> Row:
    return {
        "Name": result["name"],
        "Status": _status_text(result),
        "AcceptedAudiences": ", ".join(result["acceptedAudiences"]),
        "AdminUser": result["otherSignIns"]["adminUser"],
        "AnonymousPull": result["otherSignIns"]["anonymousPull"],
        "LoginServer": result["loginServer"],
    }


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
        "Reason": textwrap.shorten(row["reason"], _MAX_REASON_LENGTH, placeholder=" …"),
    }


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
        "Actions": textwrap.shorten(" ".join(row["actions"]), _MAX_REASON_LENGTH, placeholder=" …"),
    }


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
            "Why": textwrap.shorten(row["why"], _MAX_REASON_LENGTH, placeholder=" …"),
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


def login_table(result: Row | list[Row]) -> Row | list[Row]:
    """The fields that are plain values; reasons shortened. Rows go without the user name, the same in all of them."""
    if isinstance(result, list):
        return [_plain_columns({key: row[key] for key in row if key != "username"}) for row in result]
    return _plain_columns(result)


def logout_table(result: list[Row]) -> list[Row]:
    return [_plain_columns(row) for row in result]


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


def policy_unassign_table(result: Row) -> Row:
    return _plain_columns({key: result[key] for key in ("name", "changed", "scope")})


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


def remediate_table(result: list[Row]) -> list[Row]:
    return [
        {
            "Name": row["name"],
            "PreviousStatus": row["previousStatus"],
            "Status": row["status"],
            "Result": row["result"],
            "Reason": textwrap.shorten(row["reason"], _MAX_REASON_LENGTH, placeholder=" …"),
        }
        for row in result
    ]


def _plain_columns(row: Row) -> Row:
    shown = {key[:1].upper() + key[1:]: value for key, value in row.items() if not isinstance(value, (dict, list))}
    if "Reason" in shown:
        shown["Reason"] = textwrap.shorten(shown["Reason"], _MAX_REASON_LENGTH, placeholder=" …")
    return shown


def configure_docker_table(result: Row) -> list[Row]:
    return [
        {"LoginServer": row["loginServer"], "Result": row["result"], "Client": result["client"], "File": result["file"]}
        for row in result["hosts"]
    ]


def _status_text(result: Row) -> str:
    return f"{result['status']} (default)" if result["statusIsDefault"] else str(result["status"])

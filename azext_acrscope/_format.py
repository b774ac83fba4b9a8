"""Results that any terminal can be given, and table output: one row a result, in the order people read it, as wide as
the terminal.

Imported by every `az acr` command, so it loads nothing but the standard library.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Row = dict[str, Any]
_Table = TypeVar("_Table", Row, list[Row], Row | list[Row])

_WIDTH_WITHOUT_TERMINAL = 120  # columns


def printable_result(result: Any) -> Any:
    """Return a result without characters that a terminal obeys, for every form of output: others chose the names in it.

    JSON escapes only some of them.
    """
    from azext_acrscope.base.text import replace_invalid

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return value if value.isprintable() else replace_invalid(value)
        if isinstance(value, (list, tuple)):
            return [clean(each) for each in value]
        if isinstance(value, dict):
            return {clean(key): clean(each) for key, each in value.items()}
        return value

    return clean(result)


def _fits_terminal(make: Callable[[Any], _Table]) -> Callable[[Any], _Table]:
    """Let a transformer's table fit the terminal: COLUMNS, else its width, else 120."""

    @wraps(make)
    def transform(result: Any) -> _Table:
        from shutil import get_terminal_size

        from azext_acrscope.base.table import fit_table

        made: Any = make(result)
        width = get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 0)).columns
        fitted: Any = fit_table(made, width) if isinstance(made, list) else fit_table([made], width)[0]
        return fitted

    return transform


@_fits_terminal
def show_table(result: Row) -> Row:
    """Return the row of a registry; where other sign-in methods were read, they take the place of the audiences."""
    other = result["otherSignIns"]
    has_sign_ins = "repositoryTokens" in other
    # Without what all of them have: so both fit, and the one that matters is not cut off.
    audiences = ", ".join(each.removeprefix("https://").rstrip("/") for each in result["acceptedAudiences"])
    return {
        "Name": result["name"],
        "Status": _status_text(result),
        **({} if has_sign_ins else {"AcceptedAudiences": audiences}),
        "AdminUser": other["adminUser"],
        "AnonymousPull": other["anonymousPull"],
        **(_sign_ins_columns(other) if has_sign_ins else {}),
        "LoginServer": result["loginServer"],
    }


def _sign_ins_columns(other: Row) -> Row:
    return {
        "Tokens": _state_and_number(other["repositoryTokens"]),
        "ConnectedRegistries": _state_and_number(other["connectedRegistries"]),
        "TasksBypass": other["tasksNetworkBypass"],
    }


def _state_and_number(found: Row) -> str:
    return f"{found['state']} ({len(found['items'])})" if found["items"] else str(found["state"])


@_fits_terminal
def list_table(result: list[Row]) -> list[Row]:
    """Return a row for each registry."""
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
    """Return a row for each registry that was checked."""
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
    """Return a row for each consumer, by registry; one without consumers is one row, so that it is not missed.

    Where a log was read, a registry's clients follow; after all registries the service connections of Azure DevOps, and
    what was found in code.
    """
    rows = [
        {
            "Registry": registry["name"],
            "Consumer": _consumer_name(row),
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
    rows += [_connection_row(each) for each in result.get("azureDevOps", [])]
    return rows + [_place_row(row) for part in ("code", "turnsBackOn") for row in result.get(part, [])]


def _place_row(row: Row) -> Row:
    """A place in code, in the columns of consumers."""
    return {
        "Registry": _registry_name(row["registry"]) or "not named",
        "Consumer": f"{row['file']}:{row['line']}",
        "Kind": row.get("kind", f"{row.get('strength')} setting"),
        "SignIn": "code",
        "Verdict": row.get("verdict", "sets enabled"),
        "Why": row["why"],
        "SourceDate": row.get("sourceDate", ""),
    }


def _connection_row(row: Row) -> Row:
    """A service connection, in the columns of consumers."""
    return {
        "Registry": _registry_name(row["registry"]) or "not known",
        "Consumer": f"{row['project']}/{row['connection']}",
        "Kind": row["type"],
        "SignIn": row["scheme"],
        "Verdict": row["verdict"],
        "Why": row["why"],
        "SourceDate": row["sourceDate"],
    }


def _registry_name(registry: str | None) -> str:
    """A login server or a resource ID as the other rows name registries: without what all of them have."""
    from azext_acrscope.base.resource_ids import name_in_id

    return name_in_id(registry or "").partition(".")[0]


def _consumer_name(row: Row) -> str:
    """Return the name without the word that the column Kind has already, so that an ID is not cut off."""
    word, _, rest = row["name"].partition(" ")
    return rest if rest and word.lower() == row["kind"].replace(" ", "") else str(row["name"])


def _login_event_row(row: Row) -> Row:
    """A client in the log, in the columns of consumers: where it is, and what came of its sign-ins."""
    from azext_acrscope.base.resource_ids import name_in_id

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
    """Return a row of the printed numbers; nothing for a document that was printed itself."""
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
    """Return the fields that are plain values. Rows go without the user name, the same in all of them."""
    if isinstance(result, list):
        return [_plain_columns({key: row[key] for key in row if key != "username"}) for row in result]
    return _plain_columns(result)


@_fits_terminal
def logout_table(result: list[Row]) -> list[Row]:
    """Return a row for each credential."""
    return [_plain_columns(row) for row in result]


@_fits_terminal
def policy_assign_table(result: Row | None) -> Row:
    """Return a row of the printed result; nothing for --print, which has none."""
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
    """Return a row of the printed result."""
    return _plain_columns({key: result[key] for key in ("name", "changed", "scope")})


@_fits_terminal
def policy_show_table(result: Row) -> list[Row]:
    """Return the registries; where there are none, the assignments."""
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
    """Return a row for each registry of the remediation."""
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
    """Return a row for each host that was set up or removed; with --show, for each that is set up."""
    if "settings" in result:
        return [
            {
                "LoginServer": row["loginServer"],
                "Works": "yes" if row["works"] else "no",
                "SignsInAs": row["storedUsername"] or row["signsInAs"] or row["credential"],
                "TokenExpiresOn": row["tokenExpiresOn"] or "",
                "Clients": ", ".join(row["clients"]),
            }
            for row in result["hosts"]
        ]
    return [
        {"LoginServer": row["loginServer"], "Result": row["result"], "Client": result["client"], "File": result["file"]}
        for row in result["hosts"]
    ]


def _status_text(result: Row) -> str:
    return f"{result['status']} (default)" if result["statusIsDefault"] else str(result["status"])

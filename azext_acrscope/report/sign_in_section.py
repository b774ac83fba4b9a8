"""What a report says of the other ways into registries, where they were read. Pure."""

from collections.abc import Callable

from azext_acrscope.base import errors as base_errors
from azext_acrscope.registry import sign_ins
from azext_acrscope.registry.resource import UNKNOWN
from azext_acrscope.report.blocks import BAD, DOUBT, Section, Table, TableCell
from azext_acrscope.report.model import ReportContent, ReportedRegistry, Row

_MAX_SHOWN = 10  # tokens or connected registries in one cell
_UNKNOWN_TEXT = "unknown: could not be read"
_WAYS = {
    "adminUser": "admin user",
    "anonymousPull": "anonymous pull",
    "repositoryTokens": "repository tokens",
    "connectedRegistries": "connected registries",
    "tasksNetworkBypass": "ACR Tasks past network rules",
    "writableCacheRepos": "writable cache",
}


def sign_in_sections(content: ReportContent) -> list[Section]:
    """Return the section on other sign-in methods, and that on the policies that close them; nothing if not asked."""
    if not content.sign_ins_asked:
        return []
    columns = (
        *("Registry", "Admin user", "Anonymous pull", "Repository tokens", "Connected registries"),
        *("ACR Tasks past network rules", "Writable cache", "Role assignments"),
    )
    rows = [_cells(each) for each in content.registries]
    text = (
        "The setting does not close these. A token can sign in if it is enabled and has a password or certificate that "
        "is still valid. What could not be read is unknown, not none."
    )
    table = Table("Sign-in methods of each registry", columns, rows)
    return [Section("Other sign-in methods", text, table), _policies_section()]


def _cells(registry: ReportedRegistry) -> tuple[TableCell, ...]:
    other = registry.row["otherSignIns"]
    bypass, writable = other["tasksNetworkBypass"], other["writableCacheRepos"]
    return (
        TableCell(registry.name, note=registry.subscription),
        *(_switch_cell(other[name]) for name in ("adminUser", "anonymousPull")),
        _list_cell(other["repositoryTokens"], _token_text),
        _list_cell(other["connectedRegistries"], _connected_text),
        TableCell(
            bypass,
            BAD if bypass == sign_ins.ALLOWED else DOUBT if bypass == UNKNOWN else "",
            note=f"trusted services: {other['networkRuleBypassOptions']}",
        ),
        TableCell(writable, DOUBT if writable != "Disabled" else ""),
        TableCell(other["roleAssignmentMode"], DOUBT if other["roleAssignmentMode"] == UNKNOWN else ""),
    )


def _switch_cell(is_on: bool) -> TableCell:
    return TableCell("on" if is_on else "off", BAD if is_on else "")


def _list_cell(found: Row, describe: Callable[[Row], str]) -> TableCell:
    if found["items"] is None:
        return TableCell(_UNKNOWN_TEXT, DOUBT)
    tones = {sign_ins.OPEN: BAD, UNKNOWN: DOUBT}
    note = base_errors.first_and_number([describe(each) for each in found["items"]], _MAX_SHOWN)
    return TableCell(found["state"], tones.get(found["state"], ""), note=note)


def _token_text(token: Row) -> str:
    if token["status"] == "disabled":
        return f"{token['name']} (disabled)"
    credentials = [*token["passwords"], *token["certificates"]]
    if not credentials:
        return f"{token['name']} (no password or certificate)"
    kinds = [kind for kind in ("passwords", "certificates") if token[kind]]
    ends = [each["expiry"] for each in credentials]
    last = "never expires" if None in ends else f"expires {max(end[:10] for end in ends if end)}"
    return f"{token['name']} ({' and '.join(kinds)}, {last})"


def _connected_text(connected: Row) -> str:
    how = f"token {connected['token']}" if connected["token"] else connected["authType"]
    return f"{connected['name']} ({how})"


def _policies_section() -> Section:
    closing = sign_ins.built_in_policies().items()
    rows = [
        (TableCell(_WAYS[way]), TableCell(each["name"], note=each["displayName"]), TableCell(each["effects"]))
        for way, policies in closing
        for each in policies
    ]
    without = base_errors.first_and_number([_WAYS[way] for way, policies in closing if not policies], len(_WAYS))
    table = Table("Built-in policies by sign-in method", ("Sign-in method", "Definition", "Effects"), rows)
    return Section(
        "Built-in policies that close them", f"Azure Policy has no built-in definition for: {without}.", table
    )

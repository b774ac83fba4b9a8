"""A report as CSV: a row for each registry, for spreadsheets and databases."""

import csv
import io

from azext_acrscope.consumers.knowledge import BREAKS, WORKS
from azext_acrscope.report.content import Content, Registry

COLUMNS = (
    *("id", "name", "loginServer", "subscriptionId", "subscriptionName", "resourceGroup", "location"),
    *("status", "statusIsDefault", "next", "enforcedInEffect", "checkVerdict", "checkTime"),
    *("adminUser", "anonymousPull", "consumersBreak", "consumersUnknown", "consumersWork", "othersMayPull", "breaking"),
    *("policyCompliance", "policyAssignments", "made", "madeBy"),
)
# A spreadsheet takes a cell that begins so for a formula, which a name must never become.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write(content: Content) -> str:
    """With a first line of names, and lines that end as RFC 4180 says. What was not read or asked for is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for registry in content.registries:
        writer.writerow([_safe(value) for value in _row(registry, content)])
    return text.getvalue()


def _row(registry: Registry, content: Content) -> list[object]:
    row, proof, consumers, policy = registry.row, registry.proof, registry.consumers, registry.policy
    return [
        *(row[name] for name in COLUMNS[:9]),
        registry.next,
        *((proof.in_effect, proof.verdict, proof.time) if proof else ("", "", "")),
        row["otherSignIns"]["adminUser"],
        row["otherSignIns"]["anonymousPull"],
        *(("",) * 4 if consumers is None else _counts(registry)),
        " ".join(each["consumer"] for each in consumers or [] if each["verdict"] == BREAKS),
        policy["compliance"] if policy else "",
        " ".join(each["id"] for each in policy["assignments"]) if policy else "",
        content.origin.made,
        content.origin.by,
    ]


def _counts(registry: Registry) -> list[int]:
    breaks, unknown, works = registry.count(BREAKS), len(registry.to_ask), registry.count(WORKS)
    return [breaks, unknown, works, len(registry.consumers or []) - breaks - unknown - works]


def _safe(value: object) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text

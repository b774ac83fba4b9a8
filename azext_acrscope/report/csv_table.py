"""A report as CSV: a row for each registry, for spreadsheets and databases."""

import csv
import io

from azext_acrscope.base.text import replace_invalid
from azext_acrscope.consumers.knowledge import BREAKS, VERDICT_ORDER
from azext_acrscope.registry.sign_ins import PROPERTIES
from azext_acrscope.report.model import ReportContent, ReportedRegistry

COLUMNS = (
    *("id", "name", "loginServer", "subscriptionId", "subscriptionName", "resourceGroup", "location"),
    *("status", "statusIsDefault", "next", "enforcedInEffect", "checkVerdict", "checkTime"),
    *("adminUser", "anonymousPull", "consumersBreak", "consumersUnknown", "consumersWork", "othersMayPull", "breaking"),
    *("codeBreaks", "codeUnknown", "codeWorks", "codeTurnsBackOn", "codeUnnamed"),
    *("consumersRead", "policyCompliance", "policyAssignments", "made", "madeBy", "unread"),
    *("repositoryTokens", "connectedRegistries", *PROPERTIES),
)
_MAX_CELL_LENGTH = 30_000  # characters of a list in a cell; a spreadsheet takes 32,767
# A spreadsheet takes a cell that begins so for a formula, which a name must never become.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render_csv(content: ReportContent) -> str:
    """Return a line of names and a line for each registry, ended as in RFC 4180. What was not read is empty.

    `consumersRead` is `all`, `part` or `none`; `unread` is in each row the number of sentences that the report in other
    formats has on what could not be read: if it is not 0, there may be more registries and consumers than these.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for registry in content.registries:
        writer.writerow([_safe_cell(value) for value in _registry_row(registry, content)])
    return text.getvalue()


def _registry_row(registry: ReportedRegistry, content: ReportContent) -> list[object]:
    row, proof, consumers, policy = registry.row, registry.proof, registry.consumers, registry.policy
    return [
        *(row[name] for name in COLUMNS[:9]),
        registry.next,
        *((proof.in_effect, proof.verdict, proof.time) if proof else ("", "", "")),
        row["otherSignIns"]["adminUser"],
        row["otherSignIns"]["anonymousPull"],
        *(("",) * 4 if consumers is None else registry.counts),
        _join_ids([each["consumer"] for each in consumers or [] if each["verdict"] == BREAKS]),
        *_code_numbers(registry, content),
        _consumers_read_word(registry) if content.consumers_asked else "",
        policy["compliance"] if policy else "",
        _join_ids([each["id"] for each in policy["assignments"]]) if policy else "",
        content.origin.made,
        content.origin.by,
        len(content.unread),
        *(row["otherSignIns"].get(name, {}).get("state") for name in ("repositoryTokens", "connectedRegistries")),
        *(row["otherSignIns"].get(name) for name in PROPERTIES),
    ]


def _code_numbers(registry: ReportedRegistry, content: ReportContent) -> list[object]:
    """Numbers of places in code that name a registry, and of those that name none, which are the same in each row."""
    if content.source is None:
        return [""] * 5
    rows = [*content.source.code, *content.source.turns_back_on]
    unnamed = sum(row["registry"] is None for row in rows)
    verdicts = [registry.count_code(verdict) for verdict in VERDICT_ORDER]
    return [*verdicts, len(registry.turns_back_on), unnamed]


def _consumers_read_word(registry: ReportedRegistry) -> str:
    return "none" if registry.consumers is None else "part" if registry.partial else "all"


def _join_ids(ids: list[str]) -> str:
    """IDs in a cell, as many as it can hold."""
    said = " ".join(ids)
    if len(said) <= _MAX_CELL_LENGTH:
        return said
    kept = said[:_MAX_CELL_LENGTH].rpartition(" ")[0].split(" ")
    return f"{' '.join(kept)} and {len(ids) - len(kept)} more"


def _safe_cell(value: object) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else replace_invalid(str(value))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text

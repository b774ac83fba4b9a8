"""The headings, tables and bars of a report, the same for all formats that people read. Pure."""

from collections import Counter

from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICT_ORDER, WORKS
from azext_acrscope.policy import compliance
from azext_acrscope.registry import resource
from azext_acrscope.registry.resource import DISABLED, ENABLED
from azext_acrscope.report import code_sections, knowledge_cells, model, sign_in_section
from azext_acrscope.report.blocks import (
    BAD,
    DOUBT,
    GOOD,
    KeyFigure,
    ReportDocument,
    Section,
    StatusBar,
    Table,
    TableCell,
)
from azext_acrscope.report.model import CheckEvidence, ReportContent, ReportedRegistry, Row, StatusCounts
from azext_acrscope.verification import probe

TITLE = "Token audiences of container registries"

_MAX_NAMES_IN_CELL = 50  # registries in one cell
_STATUS_TONES = {DISABLED: GOOD, ENABLED: BAD, resource.UNKNOWN: DOUBT}
_NEXT_STEP_TONES = {model.ENFORCED: GOOD, model.MISMATCH: BAD, model.HELD_BACK: BAD}
_NEXT_STEP_MEANINGS = {
    model.MISMATCH: "the login server does not do what the status says: start here",
    model.HELD_BACK: "consumers are known to break: fix them, or leave the registry out",
    model.LOOK_FIRST: "consumers are unknown, were not requested, or could not all be read",
    model.READY: "no known consumer breaks or is unknown: only the checklist remains",
    model.UNREAD: "the status could not be read",
    model.ENFORCED: "accepts only ACR-audience tokens",
}
_VERDICT_TEXTS = {
    BREAKS: (
        "Consumers that break",
        "They sign in with ARM-audience tokens. Registries that are already enforced refuse them.",
    ),
    UNKNOWN: (
        "Consumers whose result is unknown",
        "Unknown does not mean safe. Test them, or ask the teams that run them.",
    ),
    WORKS: ("Consumers that work", "They continue to work once ARM-audience tokens are refused."),
}


def make_document(content: ReportContent) -> ReportDocument:
    """Return what a report says to people, for the formats that people read."""
    numbers = model.count_statuses(content.registries)
    sections = [
        _unread_section(content),
        _subscriptions_section(content),
        _next_steps_section(content),
        _registries_section(content),
        *sign_in_section.sign_in_sections(content),
        *(_consumers_section(content, verdict) for verdict in VERDICT_ORDER),
        _broad_roles_section(content),
        *code_sections.code_sections(content),
        _policy_section(content),
        knowledge_cells.checklist_section(content),
    ]
    return ReportDocument(
        TITLE,
        content.origin.scope[:1].upper() + content.origin.scope[1:],
        _headline(content, numbers),
        _facts(content),
        _figures(content, numbers),
        [each for each in sections if each],
        _closing_texts(),
    )


def _headline(content: ReportContent, numbers: StatusCounts) -> str:
    be = "is" if 1 in (numbers.enforced, numbers.all) else "are"
    accept = "accepts" if numbers.open == 1 else "accept"
    said = f"{numbers.enforced} of {base_errors.registries(numbers.all)} {be} enforced"
    said += f"; {numbers.open} still {accept} ARM-audience tokens" if numbers.open else ""
    said += f"; the status of {numbers.unknown} is unknown" if numbers.unknown else ""
    # Else a registry whose setting has no effect would count among the enforced, and nothing up here would say so.
    odd = content.next[model.MISMATCH]
    said += f"; {odd} {'does' if odd == 1 else 'do'} not do what the status says" if odd else ""
    said += ". Some data could not be read, see below." if content.unread else "."
    return said


def _facts(content: ReportContent) -> list[tuple[str, str]]:
    origin = content.origin
    statuses = "current (Azure Resource Manager)" if origin.live else "up to minutes old (Azure Resource Graph)"
    consumers = policy = "not requested"
    if content.consumers_asked:
        known = [each.consumers is not None and not each.partial for each in content.registries]
        consumers = "searched in Azure Resource Graph" + _not_read_remark(known)
    if content.assignments is not None:
        known = [each.policy is not None for each in content.registries]
        policy = "assignments and states of Azure Policy" + _not_read_remark(known)
    return [
        ("Made", _display_time(origin.made)),
        ("By", origin.by),
        ("Tenant", ", ".join(origin.tenants)),
        ("Cloud", origin.cloud),
        ("Statuses", statuses),
        ("Consumers", consumers),
        *([("Code", code_sections.code_fact(content))] if content.source else []),
        ("Policy", policy),
        ("Sign-in methods", _sign_ins_fact(content)),
        ("Proof", _evidence_fact(content)),
        ("Tool", f"acrscope {origin.version}"),
    ]


def _not_read_remark(known: list[bool]) -> str:
    return "" if all(known) else f"; incomplete for {known.count(False)} of {base_errors.registries(len(known))}"


def _sign_ins_fact(content: ReportContent) -> str:
    if not content.sign_ins_asked:
        return "admin user and anonymous pull; others not requested"
    return "read from Azure Resource Manager" + _not_read_remark(
        [not each.unknown_doors for each in content.registries]
    )


def _evidence_fact(content: ReportContent) -> str:
    if not content.checked:
        return "none: no registry was checked"
    proven = content.proven
    said = f"{len(proven)} of {base_errors.registries(len(content.registries))} verified with a token of each audience"
    if times := sorted({each.proof.time for each in proven if each.proof and each.proof.time}):
        said += f", checked {_display_time(times[0])}" + (f" to {_display_time(times[-1])}" if len(times) > 1 else "")
    if in_vain := len(content.checked) - len(proven):
        said += f"; {in_vain} checked without a result"
    return said


def _figures(content: ReportContent, numbers: StatusCounts) -> list[KeyFigure]:
    found = [
        KeyFigure(numbers.all, "registries"),
        KeyFigure(numbers.enforced, "enforced", GOOD),
        KeyFigure(numbers.open, "accept ARM-audience tokens", BAD if numbers.open else ""),
    ]
    found += [KeyFigure(numbers.unknown, "with unknown status", DOUBT)] if numbers.unknown else []
    if content.checked:
        proven = sum(each.proof is not None and each.proof.in_effect == probe.YES for each in content.registries)
        found.append(KeyFigure(proven, "verified to refuse them", GOOD))
    if odd := content.next[model.MISMATCH]:
        found.append(KeyFigure(odd, "do not match their status", BAD))
    if verdicts := content.verdicts():
        found.append(KeyFigure(verdicts["breaks"], "consumers break", BAD if verdicts["breaks"] else ""))
        found.append(KeyFigure(verdicts["unknown"], "consumers unknown", DOUBT if verdicts["unknown"] else ""))
    return found + code_sections.code_figures(content)


def _unread_section(content: ReportContent) -> Section | None:
    if not content.unread:
        return None
    return Section("What could not be read", "Nothing is known about these. They count as neither good nor bad below.",
                   items=content.unread, warning=True)  # fmt: skip


def _subscriptions_section(content: ReportContent) -> Section:
    rows = []
    places = content.by_subscription()
    names = Counter(name.lower() for _, name, _ in places)
    for subscription, name, registries in places:
        numbers = model.count_statuses(registries)
        rows.append(
            (
                TableCell(name, note=subscription if names[name.lower()] > 1 else ""),
                StatusBar(numbers, _enforced_share(numbers)),
                TableCell(str(numbers.all)),
                TableCell(str(numbers.enforced)),
                TableCell(str(numbers.open)),
                TableCell(str(numbers.unknown)),
            )
        )
    columns = ("Subscription", "Share", "Registries", "Enforced", "Not enforced", "Unknown")
    return Section("By subscription", table=Table("Registries of each subscription by status", columns, rows))


def _enforced_share(numbers: StatusCounts) -> str:
    if not numbers.all:
        return "no registries"
    return f"{numbers.enforced * 100 // numbers.all} % enforced"


def _next_steps_section(content: ReportContent) -> Section:
    rows = []
    for each in model.NEXT_STEPS:
        registries = [one for one in content.registries if one.next == each]
        if registries:
            names = "" if each == model.ENFORCED else _registry_names(registries)  # nothing is left to do for them
            rows.append(
                (
                    TableCell(
                        each,
                        _NEXT_STEP_TONES.get(each, DOUBT if each != model.READY else ""),
                        note=_NEXT_STEP_MEANINGS[each],
                    ),
                    TableCell(str(len(registries))),
                    TableCell(names),
                )
            )
    table = Table("Registries by next step", ("State", "Number", "Registries"), rows)
    return Section("Next steps", table=table)


def _registries_section(content: ReportContent) -> Section:
    some_checked = bool(content.checked)
    columns = ["Registry", "Status", "Next"]
    columns += ["Refuses ARM tokens"] if some_checked else []
    columns += ["Other sign-in methods"]
    columns += ["Consumers"] if content.consumers_asked else []
    columns += ["Policy"] if content.assignments is not None else []
    rows = [_registry_cells(each, content, some_checked) for each in content.registries]
    text = (
        "`disabled` is enforced: only ACR-audience tokens are accepted. `enabled` also accepts ARM-audience tokens. "
        "(default) means that nobody has set the status. This setting does not affect the other sign-in methods."
    )
    return Section("Registries", text, Table("All registries in scope", tuple(columns), rows))


def _registry_cells(registry: ReportedRegistry, content: ReportContent, some_checked: bool) -> tuple[TableCell, ...]:
    row = registry.row
    where = f"{registry.subscription}, {row['resourceGroup']}, {row['location'] or 'no location'}; {row['loginServer']}"
    status = f"{registry.status} (default)" if row["statusIsDefault"] else registry.status
    cells = [
        TableCell(registry.name, note=where),
        TableCell(status, _STATUS_TONES.get(registry.status, DOUBT)),
        TableCell(registry.next, _NEXT_STEP_TONES.get(registry.next, "")),
    ]
    cells += [_evidence_cell(registry.proof, registry.status)] if some_checked else []
    cells += [_doors_cell(registry, content.sign_ins_asked)]
    cells += [_consumer_counts_cell(registry)] if content.consumers_asked else []
    cells += [_compliance_cell(registry.policy)] if content.assignments is not None else []
    return tuple(cells)


def _doors_cell(registry: ReportedRegistry, all_asked: bool) -> TableCell:
    said = [*registry.doors, *(f"{door} unknown" for door in registry.unknown_doors)]
    none = "none" if all_asked else "no admin user, no anonymous pull"  # and of others nothing is known
    return TableCell(", ".join(said) or none, DOUBT if said else "")


def _evidence_cell(proof: CheckEvidence | None, status: str) -> TableCell:
    if proof is None:
        return TableCell("not checked", DOUBT)
    note = f"checked {_display_time(proof.time)}" if proof.time else ""
    if proof.verdict == probe.FAILED:
        said = ". ".join(each for each in (note, " ".join(proof.seen)) if each)
        return TableCell(proof.in_effect, BAD if proof.at_odds(status) else DOUBT, note=said, prose=True)
    tones = {probe.YES: GOOD, probe.UNKNOWN: DOUBT}
    return TableCell(proof.in_effect, tones.get(proof.in_effect, ""), note=note)


def _display_time(time: str) -> str:
    return time.replace("T", " ").replace("Z", " UTC")


def _consumer_counts_cell(registry: ReportedRegistry) -> TableCell:
    if registry.consumers is None:
        return TableCell("not read", DOUBT)
    breaks, unknown, works, others = registry.counts
    words = ((breaks, "break"), (unknown, "unknown"), (works, "work"))
    said = ", ".join(f"{number} {word}" for number, word in words if number)
    tone = BAD if breaks else DOUBT if unknown or registry.partial else ""
    notes = ["not all could be read"] if registry.partial else []
    notes += [f"{others} more can pull through a broad role"] if others else []
    return TableCell(said or "none found", tone, note="; ".join(notes))


def _compliance_cell(row: Row | None) -> TableCell:
    if row is None:
        return TableCell("not read", DOUBT)
    tones = {compliance.COMPLIANT: GOOD, compliance.NON_COMPLIANT: BAD}
    by = ", ".join(f"{each['name']} ({each['effect']})" for each in row["assignments"])
    note = ". ".join(each for each in (by, row["disagreement"]) if each)
    return TableCell(row["compliance"], tones.get(row["compliance"], ""), note=note, prose=True)


def _consumers_section(content: ReportContent, verdict: str) -> Section | None:
    found = content.consumers(verdict)
    if not found:
        return None
    title, text = _VERDICT_TEXTS[verdict]
    columns = ("Consumer", "Registries", "Signs in with", "Why", "Fix", "Source")
    rows = [
        (
            TableCell(row["name"], note=_kind_and_place(row)),
            TableCell(_registry_names(registries)),
            TableCell(row["signIn"]),
            TableCell(row["why"], prose=True),
            knowledge_cells.fix_cell(row),
            knowledge_cells.source_cell(row),
        )
        for row, registries in found
    ]
    return Section(f"{title} ({len(found)})", text, Table(f"{title}, with their registries", columns, rows))


def _broad_roles_section(content: ReportContent) -> Section | None:
    """Return the section on principals that can pull only through a broad role."""
    found = content.consumers(UNKNOWN, broad=True)
    if not found:
        return None
    rows = [
        (
            TableCell(row["name"], note=_kind_and_place(row)),
            TableCell(", ".join(row["rights"])),
            TableCell(_registry_names(registries)),
        )
        for row, registries in found
    ]
    text = (
        "Their role includes the right to pull, but no known consumer signs in as them. They do not hold a registry "
        "back in this report. If one of them pulls with a token for Azure Resource Manager, an enforced registry "
        "refuses it."
    )
    table = Table("Principals with a broad role", ("Principal", "Roles", "Registries"), rows)
    return Section(f"Other principals that can pull ({len(found)})", text, table)


def _registry_names(registries: list[ReportedRegistry]) -> str:
    """Of many, the first ones: the list of registries has them all."""
    names = [each.name if each.status != DISABLED else f"{each.name} (enforced)" for each in registries]
    return base_errors.first_and_number(names, _MAX_NAMES_IN_CELL)


def _kind_and_place(row: Row) -> str:
    """The kind of a consumer, and where it is: of its resource ID the subscription and the group."""
    parts = parse_resource_id(str(row["consumer"]))
    place = f"{parts.resource_group}, {parts.subscription}" if parts.resource_group else ""
    return "; ".join(each for each in (str(row["kind"]), place) if each)


def _policy_section(content: ReportContent) -> Section | None:
    if content.assignments is None:
        return None
    text = (
        "Azure Policy has two built-in definitions for this setting. The states are from its last evaluation, which "
        "may be older than the statuses here."
    )
    missing = sum(each.policy is None for each in content.registries)
    if missing:
        text += f" They could not be read for {missing} of {base_errors.registries(len(content.registries))}."
    if not content.assignments and (missing or content.policy_partial):
        return Section("Policy", f"{text} The part that was read has no assignment of them. There may be others.")
    if not content.assignments:
        return Section("Policy", "No assignment of Azure Policy's two built-in definitions applies in this scope: "
                       "changes may be undone, and new registries start as `enabled`.")  # fmt: skip
    columns = ("Assignment", "Effect", "Enforcement", "Registries", "Not compliant", "Exempt")
    rows = [
        (
            TableCell(each["name"], note="; ".join(said for said in (each["displayName"], each["scope"]) if said)),
            TableCell(each["effect"]),
            TableCell(each["enforcementMode"], DOUBT if each["enforcementMode"] != "Default" else ""),
            TableCell(str(each["registries"])),
            TableCell(str(each["nonCompliant"]), BAD if each["nonCompliant"] else ""),
            TableCell(str(each["exempt"])),
        )
        for each in content.assignments
    ]
    return Section("Policy", text, Table("Assignments that apply to registries in scope", columns, rows))


def _closing_texts() -> list[str]:
    return [
        "A container registry exchanges Microsoft Entra tokens for its own. By default (`enabled`) it also accepts "
        "tokens for Azure Resource Manager, so anyone who has such a token can use it to reach the images. Once it is "
        "`disabled`, it accepts only tokens for its own audience, https://containerregistry.azure.net.",
        "This report holds no token or password. It names resources, identities and open sign-in methods. Share it "
        "only "
        "with the people who need it.",
    ]

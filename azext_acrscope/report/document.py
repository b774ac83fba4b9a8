"""What a report says to people, in headings, tables and bars: one for all formats that people read. Pure."""

from collections import Counter

from azext_acrscope import _errors, fleet, probe
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, WORKS
from azext_acrscope.policy import compliance
from azext_acrscope.registry import DISABLED, ENABLED
from azext_acrscope.report import content as model
from azext_acrscope.report.content import Content, Proof, Registry, Row, Statuses
from azext_acrscope.report.shapes import BAD, DOUBT, GOOD, Bar, Cell, Document, Figure, Section, Table

TITLE = "Token audiences of container registries"

_NAMED = 50  # registries in one cell
_STATUS_TONES = {DISABLED: GOOD, ENABLED: BAD, fleet.UNKNOWN: DOUBT}
_NEXT_TONES = {model.DONE: GOOD, model.AT_ODDS: BAD, model.HELD: BAD}
_NEXT_MEANS = {
    model.AT_ODDS: "the login server does something else than the status says: look at this first",
    model.HELD: "consumers are known to break: mend them, or leave the registry out",
    model.LOOK: "consumers are unknown, were not asked for, or could not all be read",
    model.READY: "no consumer seen here breaks or is unknown: the checklist is what is left",
    model.UNREAD: "the status could not be read",
    model.DONE: "takes ACR-audience tokens only",
}
_VERDICTS = {
    BREAKS: (
        "Consumers that break",
        "They sign in with ARM-audience tokens. At a registry that is enforced already, they are refused now.",
    ),
    UNKNOWN: ("Consumers of which nobody knows", "Unknown is not safe: try them, or ask whoever runs them."),
    WORKS: ("Consumers that work", "They go on working once ARM-audience tokens are refused."),
}


def make(content: Content) -> Document:
    numbers = model.statuses(content.registries)
    sections = [
        _unread(content),
        _subscriptions(content),
        _next(content),
        _registries(content),
        *(_consumers(content, verdict) for verdict in (BREAKS, UNKNOWN, WORKS)),
        _others(content),
        _policy(content),
        _checklist(content),
    ]
    return Document(
        TITLE,
        content.origin.scope[:1].upper() + content.origin.scope[1:],
        _headline(content, numbers),
        _facts(content),
        _figures(content, numbers),
        [each for each in sections if each],
        _closing(),
    )


def _headline(content: Content, numbers: Statuses) -> str:
    be = "is" if 1 in (numbers.enforced, numbers.all) else "are"
    accept = "accepts" if numbers.open == 1 else "accept"
    said = f"{numbers.enforced} of {_errors.registries(numbers.all)} {be} enforced"
    said += f"; {numbers.open} still {accept} ARM-audience tokens" if numbers.open else ""
    said += f"; of {numbers.unknown} the status is unknown" if numbers.unknown else ""
    # Else a registry whose setting has no effect would count among the enforced, and nothing up here would say so.
    odd = content.next[model.AT_ODDS]
    said += f"; {odd} {'does' if odd == 1 else 'do'} something else than the status says" if odd else ""
    said += ". Not everything could be read: see below." if content.unread else "."
    return said


def _facts(content: Content) -> list[tuple[str, str]]:
    origin = content.origin
    statuses = "of that moment (Azure Resource Manager)" if origin.live else "up to minutes old (Azure Resource Graph)"
    consumers = policy = "not asked for"
    if content.consumers_asked:
        known = [each.consumers is not None and not each.partial for each in content.registries]
        consumers = "asked for in Azure Resource Graph" + _missing(known)
    if content.assignments is not None:
        known = [each.policy is not None for each in content.registries]
        policy = "assignments and states of Azure Policy" + _missing(known)
    return [
        ("Made", _moment(origin.made)),
        ("By", origin.by),
        ("Tenant", ", ".join(origin.tenants)),
        ("Cloud", origin.cloud),
        ("Statuses", statuses),
        ("Consumers", consumers),
        ("Policy", policy),
        ("Proof", _proven(content)),
        ("Tool", f"acrscope {origin.version}"),
    ]


def _missing(known: list[bool]) -> str:
    return "" if all(known) else f"; of {known.count(False)} of {_errors.registries(len(known))} not read, or in part"


def _proven(content: Content) -> str:
    if not content.checked:
        return "none: no registry was checked"
    proven = content.proven
    said = f"{len(proven)} of {_errors.registries(len(content.registries))} proven with a token of each audience"
    if times := sorted({each.proof.time for each in proven if each.proof and each.proof.time}):
        said += f", seen {_moment(times[0])}" + (f" to {_moment(times[-1])}" if len(times) > 1 else "")
    if in_vain := len(content.checked) - len(proven):
        said += f"; {in_vain} checked without coming to know"
    return said


def _figures(content: Content, numbers: Statuses) -> list[Figure]:
    found = [
        Figure(numbers.all, "registries"),
        Figure(numbers.enforced, "enforced", GOOD),
        Figure(numbers.open, "accept ARM-audience tokens", BAD if numbers.open else ""),
    ]
    found += [Figure(numbers.unknown, "of unknown status", DOUBT)] if numbers.unknown else []
    if content.checked:
        proven = sum(each.proof is not None and each.proof.in_effect == probe.YES for each in content.registries)
        found.append(Figure(proven, "proven to refuse them", GOOD))
    if odd := content.next[model.AT_ODDS]:
        found.append(Figure(odd, "at odds with their status", BAD))
    if verdicts := content.verdicts():
        found.append(Figure(verdicts["breaks"], "consumers break", BAD if verdicts["breaks"] else ""))
        found.append(Figure(verdicts["unknown"], "consumers unknown", DOUBT if verdicts["unknown"] else ""))
    return found


def _unread(content: Content) -> Section | None:
    if not content.unread:
        return None
    return Section("What could not be read", "Of this, nothing is known. It counts as neither good nor bad below.",
                   items=content.unread, warning=True)  # fmt: skip


def _subscriptions(content: Content) -> Section:
    rows = []
    places = content.by_subscription()
    names = Counter(name.lower() for _, name, _ in places)
    for subscription, name, registries in places:
        numbers = model.statuses(registries)
        rows.append(
            (
                Cell(name, note=subscription if names[name.lower()] > 1 else ""),
                Bar(numbers, _share(numbers)),
                Cell(str(numbers.all)),
                Cell(str(numbers.enforced)),
                Cell(str(numbers.open)),
                Cell(str(numbers.unknown)),
            )
        )
    columns = ("Subscription", "Share", "Registries", "Enforced", "Not enforced", "Unknown")
    return Section("By subscription", table=Table("Registries of each subscription by status", columns, rows))


def _share(numbers: Statuses) -> str:
    if not numbers.all:
        return "no registries"
    return f"{numbers.enforced * 100 // numbers.all} % enforced"


def _next(content: Content) -> Section:
    rows = []
    for each in model.NEXT:
        registries = [one for one in content.registries if one.next == each]
        if registries:
            names = "" if each == model.DONE else _names(registries)  # nothing is left to do for them
            rows.append(
                (
                    Cell(each, _NEXT_TONES.get(each, DOUBT if each != model.READY else ""), note=_NEXT_MEANS[each]),
                    Cell(str(len(registries))),
                    Cell(names),
                )
            )
    table = Table("Registries by what is next for them", ("State", "Number", "Registries"), rows)
    return Section("What is next", table=table)


def _registries(content: Content) -> Section:
    columns = ["Registry", "Status", "Next"]
    columns += ["Refuses ARM tokens"] if content.checked else []
    columns += ["Other doors"]
    columns += ["Consumers"] if content.consumers_asked else []
    columns += ["Policy"] if content.assignments is not None else []
    rows = [_registry(each, content) for each in content.registries]
    text = (
        "`disabled` is enforced: ACR-audience tokens only. `enabled` accepts ARM-audience tokens, too; (default) is "
        "what a registry is until somebody sets it. Other doors are ways in that this setting does not close."
    )
    return Section("Registries", text, Table("Every registry in view", tuple(columns), rows))


def _registry(registry: Registry, content: Content) -> tuple[Cell, ...]:
    row = registry.row
    where = f"{registry.subscription}, {row['resourceGroup']}, {row['location'] or 'no location'}; {row['loginServer']}"
    status = f"{registry.status} (default)" if row["statusIsDefault"] else registry.status
    cells = [
        Cell(registry.name, note=where),
        Cell(status, _STATUS_TONES.get(registry.status, DOUBT)),
        Cell(registry.next, _NEXT_TONES.get(registry.next, "")),
    ]
    cells += [_proof(registry.proof, registry.status)] if content.checked else []
    cells += [Cell(", ".join(registry.doors) or "none", DOUBT if registry.doors else "")]
    cells += [_counts(registry)] if content.consumers_asked else []
    cells += [_compliance(registry.policy)] if content.assignments is not None else []
    return tuple(cells)


def _proof(proof: Proof | None, status: str) -> Cell:
    if proof is None:
        return Cell("not checked", DOUBT)
    note = f"seen {_moment(proof.time)}" if proof.time else ""
    if proof.verdict == probe.FAILED:
        said = ". ".join(each for each in (note, " ".join(proof.seen)) if each)
        return Cell(proof.in_effect, BAD if proof.at_odds(status) else DOUBT, note=said, prose=True)
    tones = {probe.YES: GOOD, probe.UNKNOWN: DOUBT}
    return Cell(proof.in_effect, tones.get(proof.in_effect, ""), note=note)


def _moment(time: str) -> str:
    return time.replace("T", " ").replace("Z", " UTC")


def _counts(registry: Registry) -> Cell:
    if registry.consumers is None:
        return Cell("not read", DOUBT)
    breaks, unknown, works, others = registry.counts
    words = ((breaks, "break"), (unknown, "unknown"), (works, "work"))
    said = ", ".join(f"{number} {word}" for number, word in words if number)
    tone = BAD if breaks else DOUBT if unknown or registry.partial else ""
    notes = ["not all could be read"] if registry.partial else []
    notes += [f"{others} more may pull by a broad role"] if others else []
    return Cell(said or "none seen", tone, note="; ".join(notes))


def _compliance(row: Row | None) -> Cell:
    if row is None:
        return Cell("not read", DOUBT)
    tones = {compliance.COMPLIANT: GOOD, compliance.NON_COMPLIANT: BAD}
    by = ", ".join(f"{each['name']} ({each['effect']})" for each in row["assignments"])
    note = ". ".join(each for each in (by, row["disagreement"]) if each)
    return Cell(row["compliance"], tones.get(row["compliance"], ""), note=note, prose=True)


def _consumers(content: Content, verdict: str) -> Section | None:
    found = content.consumers(verdict)
    if not found:
        return None
    title, text = _VERDICTS[verdict]
    columns = ("Consumer", "Registries", "Signs in with", "Why", "What mends it", "Source")
    rows = [
        (
            Cell(row["name"], note=_where(row)),
            Cell(_names(registries)),
            Cell(row["signIn"]),
            Cell(row["why"], prose=True),
            Cell(row["mend"], prose=True),
            _source(row),
        )
        for row, registries in found
    ]
    return Section(f"{title} ({len(found)})", text, Table(f"{title}, with their registries", columns, rows))


def _others(content: Content) -> Section | None:
    """Whoever may pull only because he may do everything."""
    found = content.consumers(UNKNOWN, broad=True)
    if not found:
        return None
    rows = [
        (Cell(row["name"], note=_where(row)), Cell(", ".join(row["rights"])), Cell(_names(registries)))
        for row, registries in found
    ]
    text = (
        "Their role lets them pull among all else, and nothing seen here does so as them. They hold no registry back "
        "in this report; whoever pulls as one of them with a token for Azure Resource Manager is refused once it is "
        "enforced."
    )
    table = Table("Principals with a broad role", ("Principal", "Roles", "Registries"), rows)
    return Section(f"Who else may pull ({len(found)})", text, table)


def _names(registries: list[Registry]) -> str:
    """Of many, the first ones: the list of registries has them all."""
    names = [each.name if each.status != DISABLED else f"{each.name} (enforced)" for each in registries]
    return _errors.first_and_number(names, _NAMED)


def _where(row: Row) -> str:
    """The kind of a consumer, and where it is: of its resource ID the subscription and the group."""
    parts = str(row["consumer"]).split("/")
    place = f"{parts[4]}, {parts[2]}" if len(parts) > 4 else ""
    return "; ".join(each for each in (str(row["kind"]), place) if each)


def _source(row: Row) -> Cell:
    title, _, address = str(row["source"]).partition(" <")
    address = address.rstrip(">")
    return Cell(title, href=address if address.startswith("https://") else "", note=f"read {row['sourceDate']}")


def _policy(content: Content) -> Section | None:
    if content.assignments is None:
        return None
    text = (
        "Azure Policy's two built-in definitions for this setting. Its states are those of its last evaluation, which "
        "may be older than the statuses here."
    )
    missing = sum(each.policy is None for each in content.registries)
    if missing:
        text += f" Of {missing} of {_errors.registries(len(content.registries))} they could not be read."
    if not content.assignments and (missing or content.policy_partial):
        return Section("Policy", f"{text} In what was read, no assignment of them is in view; there may be others.")
    if not content.assignments:
        return Section("Policy", "No assignment of Azure Policy's two built-in definitions governs what is in view: "
                       "what is enforced now may be undone, and new registries begin as `enabled`.")  # fmt: skip
    columns = ("Assignment", "Effect", "Enforcement", "Registries", "Not compliant", "Exempt")
    rows = [
        (
            Cell(each["name"], note="; ".join(said for said in (each["displayName"], each["scope"]) if said)),
            Cell(each["effect"]),
            Cell(each["enforcementMode"], DOUBT if each["enforcementMode"] != "Default" else ""),
            Cell(str(each["registries"])),
            Cell(str(each["nonCompliant"]), BAD if each["nonCompliant"] else ""),
            Cell(str(each["exempt"])),
        )
        for each in content.assignments
    ]
    return Section("Policy", text, Table("Assignments that govern registries in view", columns, rows))


def _checklist(content: Content) -> Section | None:
    if not content.not_seen:
        return None
    columns = ("Consumer", "Where to look", "Verdict", "Why", "What to do", "Source")
    tones = {BREAKS: BAD, UNKNOWN: DOUBT}
    order = (BREAKS, UNKNOWN, WORKS)
    rows = [
        (
            Cell(row["consumer"], prose=True),
            Cell(row["look"], prose=True),
            Cell(row["verdict"], tones.get(row["verdict"], "")),
            Cell(row["why"], prose=True),
            Cell(row["mend"], prose=True),
            _source(row),
        )
        for row in sorted(content.not_seen, key=lambda row: order.index(row["verdict"]))
    ]
    text = "No query shows these. Whoever signs this off has asked the teams that run them."
    return Section("To be checked by hand", text, Table("What no query sees", columns, rows))


def _closing() -> list[str]:
    return [
        "A container registry exchanges Microsoft Entra tokens for its own. By default (`enabled`) it takes a token "
        "for Azure Resource Manager, too, so whoever holds such a token holds the images. Once it is `disabled`, it "
        "takes only tokens that were asked for the registry's own audience, https://containerregistry.azure.net.",
        "This report holds no token or password. It names resources, identities and open doors: keep it to those whom "
        "it concerns.",
    ]

"""What a report is about: the registries with all that was found of each, and what that adds up to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.consumers.code.scan import SourceFindings
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICTS, WORKS
from azext_acrscope.consumers.verdicts import FOUND_BY_BROAD_ROLE, unknown_to_ask
from azext_acrscope.registry import resource, sign_ins
from azext_acrscope.registry.resource import DISABLED, ENABLED
from azext_acrscope.verification import probe

# What stands between a registry and its enforcement, in the order in which they are dealt with.
MISMATCH, HELD_BACK, LOOK_FIRST, READY, UNREAD, ENFORCED = NEXT_STEPS = (
    "mismatch",  # what the login server does is not what the status says
    "held back",  # consumers are known to break
    "look first",  # consumers are unknown, were not asked for, or could not all be read
    "ready",
    "unread",  # its status is unknown
    "enforced",
)

Row = dict[str, Any]


@dataclass(frozen=True)
class CheckEvidence:
    """What a check has seen of a registry.

    :ivar in_effect: whether it refuses ARM-audience tokens: `yes`, `no` or `unknown`.
    :ivar verdict: of the check: `ok`, `warning` or `failed`.
    :ivar time: of the probe, in UTC; empty if none was made.
    """

    in_effect: str
    verdict: str
    time: str
    seen: tuple[str, ...] = ()

    @property
    def proves(self) -> bool:
        """Return whether it came to know what the login server does: tokens of both audiences were sent, and judged."""
        return self.in_effect != probe.UNKNOWN

    def at_odds(self, status: str) -> bool:
        """Return whether the login server was seen to do something else than the status says."""
        expected = {DISABLED: probe.YES, ENABLED: probe.NO}.get(status)
        return self.proves and expected not in (None, self.in_effect)


@dataclass
class ReportedRegistry:
    """A registry with all that was found of it.

    :ivar row: the row of `az acr scope list` (see `summary.fleet_row`).
    :ivar proof: None if it was not checked.
    :ivar consumers: the rows of `az acr scope consumers`; None if they were not asked for, or could not be.
    :ivar policy: its row of `az acr scope policy show`; None likewise.
    :ivar partial: whether part of the search for its consumers could not be read, so that there may be more of them.
    :ivar code: the rows of code that name it (see `SourceFindings`), and those of code that sets its status back.
    """

    row: Row
    proof: CheckEvidence | None = None
    consumers: list[Row] | None = None
    policy: Row | None = None
    partial: bool = False
    code: list[Row] = field(default_factory=list)
    turns_back_on: list[Row] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Return the registry's ID."""
        return str(self.row["id"])

    @property
    def name(self) -> str:
        """Return the registry's name."""
        return str(self.row["name"])

    @property
    def subscription(self) -> str:
        """Return the name of its subscription."""
        return str(self.row["subscriptionName"])

    @property
    def subscription_id(self) -> str:
        """Return the ID of its subscription in lower case."""
        return str(self.row["subscriptionId"]).lower()

    @property
    def status(self) -> str:
        """Return its status."""
        return str(self.row["status"])

    @property
    def doors(self) -> list[str]:
        """Return the sign-in methods that the status does not affect."""
        return self._doors(sign_ins.OPEN, sign_ins.ALLOWED)

    @property
    def unknown_doors(self) -> list[str]:
        """Return the sign-in methods that were asked about and could not be read."""
        return self._doors(resource.UNKNOWN, resource.UNKNOWN)

    def _doors(self, state: str, bypass: str) -> list[str]:
        other = self.row["otherSignIns"]
        said = {
            "admin user": state == sign_ins.OPEN and other.get("adminUser"),
            "anonymous pull": state == sign_ins.OPEN and other.get("anonymousPull"),
            "repository tokens": other.get("repositoryTokens", {}).get("state") == state,
            "connected registries": other.get("connectedRegistries", {}).get("state") == state,
            "ACR Tasks past network rules": other.get("tasksNetworkBypass") == bypass,
        }
        return [what for what, is_so in said.items() if is_so]

    def count(self, verdict: str) -> int:
        """Return how many of its consumers have a verdict."""
        return sum(row["verdict"] == verdict for row in self.consumers or [])

    def count_code(self, verdict: str) -> int:
        """Return how many places in code that name it have a verdict."""
        return sum(row["verdict"] == verdict for row in self.code)

    @property
    def to_ask(self) -> list[Row]:
        """See `verdicts.unknown_to_ask`."""
        return unknown_to_ask(self.consumers or [])

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Return how many consumers break, are unknown, work, and can pull only through a broad role."""
        breaks, unknown, works = self.count(BREAKS), len(self.to_ask), self.count(WORKS)
        return breaks, unknown, works, len(self.consumers or []) - breaks - unknown - works

    @property
    def next(self) -> str:
        """Return one of `NEXT_STEPS`."""
        if self.proof and self.proof.at_odds(self.status):
            return MISMATCH
        if self.status == DISABLED:
            return ENFORCED
        if self.status != ENABLED:
            return UNREAD
        if self.count(BREAKS) or self.count_code(BREAKS):
            return HELD_BACK
        unknown = self.consumers is None or self.partial or self.to_ask or self.count_code(UNKNOWN)
        return LOOK_FIRST if unknown else READY


@dataclass(frozen=True)
class ReportOrigin:
    """When and by whom a report was made, and about what.

    :ivar made: in UTC, such as 2026-11-25T14:12:01Z.
    :ivar scope: what a person calls the scope.
    :ivar live: whether the statuses are ARM's of that moment; else they are Resource Graph's.
    """

    made: str
    by: str
    tenants: tuple[str, ...]
    cloud: str
    scope: str
    version: str
    live: bool


@dataclass
class ReportContent:  # pylint: disable=too-many-instance-attributes  # plain data
    """All that a report says.

    :ivar subscriptions: names of the subscriptions that were read, those without registries, too, by lower-cased ID.
    :ivar assignments: rows of `az acr scope policy show`; None if policy was not asked for.
    :ivar policy_partial: whether there may be more of them, because part of what governs could not be read.
    :ivar unread: a sentence for all that could not be read.
    :ivar sign_ins_asked: whether the rows' `otherSignIns` have what `sign_ins.read_sign_ins` returns.
    :ivar manual_checks: the checklist of what no query sees (see `checklist.checklist_rows`).
    :ivar source: what was found in code, of all registries in scope or of none by name; None if it was not asked for.
    """

    origin: ReportOrigin
    registries: list[ReportedRegistry]
    subscriptions: dict[str, str] = field(default_factory=dict)
    assignments: list[Row] | None = None
    policy_partial: bool = False
    consumers_asked: bool = False
    unread: list[str] = field(default_factory=list)
    sign_ins_asked: bool = False
    manual_checks: list[Row] = field(default_factory=list)
    source: SourceFindings | None = None

    def add_source(self, found: SourceFindings) -> None:
        """Take what was found in code, and give each registry its part."""
        self.source = found
        for registry in self.registries:
            registry.code, registry.turns_back_on = found.rows_of(str(registry.row["loginServer"] or ""))

    def sort(self) -> None:
        """Sort the registries by subscription and name."""
        self.registries.sort(
            key=lambda each: (each.subscription.lower(), each.subscription_id, each.name.lower(), each.id.lower())
        )

    @property
    def checked(self) -> list[ReportedRegistry]:
        """Return the registries that were checked."""
        return [each for each in self.registries if each.proof]

    @property
    def proven(self) -> list[ReportedRegistry]:
        """Return the registries whose check showed what the login server does."""
        return [each for each in self.registries if each.proof and each.proof.proves]

    @property
    def next(self) -> dict[str, int]:
        """Return how many registries have come to which point of `NEXT_STEPS`."""
        return {each: sum(one.next == each for one in self.registries) for each in NEXT_STEPS}

    def by_subscription(self) -> list[tuple[str, str, list[ReportedRegistry]]]:
        """Return ID, name and registries of each subscription, by name; several may have the same name."""
        names = {each.subscription_id: each.subscription for each in self.registries} | self.subscriptions
        found: dict[str, list[ReportedRegistry]] = {each: [] for each in names}
        for each in self.registries:
            found[each.subscription_id].append(each)
        order = sorted(names, key=lambda each: (names[each].lower(), each))
        return [(each, names[each], found[each]) for each in order]

    def consumers(self, verdict: str, broad: bool = False) -> list[tuple[Row, list[ReportedRegistry]]]:
        """Return the consumers with a verdict, each once for all registries of which the same is said.

        :param broad: of the unknown, those who may pull only by a broad role; without it, all others.
        """
        found: dict[tuple[str, ...], tuple[Row, list[ReportedRegistry]]] = {}
        for registry in self.registries:
            for row in registry.consumers or []:
                is_broad = verdict == UNKNOWN and row["foundBy"] == FOUND_BY_BROAD_ROLE
                if row["verdict"] == verdict and is_broad == broad:
                    key = tuple(str(row[name]) for name in ("consumer", "kind", "signIn", "why", "fix"))
                    found.setdefault(key, (row, []))[1].append(registry)
        return list(found.values())

    def verdicts(self) -> dict[str, int] | None:
        """Return how many consumers have each verdict, and how many more principals can pull; None if none was asked
        for, or none could be.
        """
        if all(each.consumers is None for each in self.registries):
            return None
        numbers = {verdict: len(self.consumers(verdict)) for verdict in VERDICTS}
        return {**numbers, "mayPull": len(self.consumers(UNKNOWN, broad=True))}


@dataclass(frozen=True)
class StatusCounts:
    """How many registries have which status."""

    enforced: int
    open: int
    unknown: int

    @property
    def all(self) -> int:
        """Return the number of registries."""
        return self.enforced + self.open + self.unknown


def count_statuses(registries: Iterable[ReportedRegistry]) -> StatusCounts:
    """Return how many registries have which status."""
    found = [each.status for each in registries]
    return StatusCounts(found.count(DISABLED), found.count(ENABLED), found.count(resource.UNKNOWN))


def report_numbers(content: ReportContent) -> Row:
    """Return what the command prints beside the file: numbers only.

    ``{registries, enforced, notEnforced, unknown, next{…}, consumers{breaks, works, unknown, mayPull} | None, checked,
    proven, unread[]}``, and with code ``code{breaks, works, unknown, turnsBackOn}``; a consumer of several registries
    counts once, and a check that did not come to know what the login server does proves nothing.
    """
    numbers = count_statuses(content.registries)
    return {
        "registries": numbers.all,
        "enforced": numbers.enforced,
        "notEnforced": numbers.open,
        "unknown": numbers.unknown,
        "next": content.next,
        "consumers": content.verdicts(),
        "checked": len(content.checked),
        "proven": len(content.proven),
        "unread": content.unread,
        **({"code": content.source.numbers} if content.source else {}),
    }

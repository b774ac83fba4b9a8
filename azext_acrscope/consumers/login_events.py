"""Who signed in to registries and who was refused, from the log ContainerRegistryLoginEvents. No requests in here.

The columns are the documented ones (learn.microsoft.com/azure/azure-monitor/reference/tables/
containerregistryloginevents). What their values look like is documented of one only: the sample query there compares
ResultDescription with "200", so it holds the HTTP status as text. Not known: what Identity holds (an object ID, an
application's ID, a user name), whether a refusal has one, and which name LoginServer has after a sign-in at a regional
endpoint. Everything is taken as it comes. There is no column for the audience of a token.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azext_acrscope.arm.resource_graph import list_kql
from azext_acrscope.base import clock, hosts
from azext_acrscope.base.foreign_json import UnexpectedShape, as_text
from azext_acrscope.consumers.inventory import RegistryInView
from azext_acrscope.hops.token_endpoints import PROBE_PURPOSE

EVENTS_TABLE = "ContainerRegistryLoginEvents"
MAX_ROWS = 10_000  # rows of an answer
MAX_TEXT_LENGTH = 200  # characters of what clients say of themselves, which may be anything
_MAX_NAMED_REGISTRIES = 50  # registries that a query names: 10 KB; of more, all that the workspace knows are asked for
# The results are told apart here and not in the query, where nobody could test it: so a row for each of them.
_EVENTS_QUERY = """ContainerRegistryLoginEvents
| where TimeGenerated > ago({days}d){which}
| summarize events = count(), firstEvent = min(TimeGenerated), lastEvent = max(TimeGenerated) \
by _ResourceId, LoginServer, Identity, CallerIpAddress, UserAgent, ResultDescription
| order by lastEvent desc
| take {rows}"""
# Who sends which user agent: the kubelet's credential provider (cloud-provider-azure, azure_acr_helper.go) and the
# runner of ACR Tasks by their sources; docker by what it sends to every registry.
_CLIENTS_BY_USER_AGENT = {
    "kubernetes-credentialprovider-acr": "kubelet",
    "azure/acr/tasks": "ACR Tasks",
    "docker/": "docker",
}
_PROBE_USER_AGENT = f"CliExtension/acrscope{PROBE_PURPOSE}"
_TEXT_COLUMNS = ("_ResourceId", "LoginServer", "ResultDescription", "Identity", "CallerIpAddress", "UserAgent")
_STATUSES_WITHOUT_MEANING = (408, 429)  # say nothing of the token


@dataclass
class RegistryClient:  # pylint: disable=too-many-instance-attributes  # plain data
    """One identity at one address with one user agent at one registry. Times are UTC, None where there was none."""

    identity: str
    address: str
    user_agent: str
    results: dict[str, int] = field(default_factory=dict)  # events by what ResultDescription says
    last_sign_in: datetime | None = None
    first_refusal: datetime | None = None
    last_refusal: datetime | None = None
    possible_identities: list[str] = field(default_factory=list)
    newly_refused: bool = False

    def add(self, result: str, events: int, first: datetime, last: datetime) -> None:
        """Add events with one result."""
        self.results[result] = self.results.get(result, 0) + events
        if is_sign_in(result):
            self.last_sign_in = max(last, self.last_sign_in or last)
        elif is_refusal(result):
            self.first_refusal = min(first, self.first_refusal or first)
            self.last_refusal = max(last, self.last_refusal or last)

    def count(self, of: Callable[[str], bool]) -> int:
        """Return the number of events whose result meets a condition."""
        return sum(events for result, events in self.results.items() if of(result))


def events_query(registries: list[RegistryInView], days: int) -> str:
    """Return one query for all registries; of many of them it asks for more than is meant, and `read_events` picks."""
    which = ""
    if len(registries) <= _MAX_NAMED_REGISTRIES:
        ids, servers = list_kql(each.id for each in registries), list_kql(each.login_server for each in registries)
        which = f"\n| where _ResourceId in~ ({ids}) or LoginServer in~ ({servers})"
    return _EVENTS_QUERY.format(days=days, which=which, rows=MAX_ROWS)


def is_sign_in(result: str) -> bool:
    """Return whether a result in the log is a successful sign-in."""
    return result == "200"


def is_refusal(result: str) -> bool:
    """Return whether a status refuses the token: a 4xx other than throttling and a time-out."""
    return bool(re.fullmatch(r"4\d\d", result, re.ASCII)) and int(result) not in _STATUSES_WITHOUT_MEANING


def read_events(
    rows: Iterable[dict[str, Any]], registries: list[RegistryInView]
) -> tuple[dict[str, list[RegistryClient]], int]:
    """Return the clients of each registry, by its ID in lower case; and how many rows could not be read."""
    found: dict[str, dict[tuple[str, str, str], RegistryClient]] = {each.id.lower(): {} for each in registries}
    odd = 0
    for row in rows:
        first, last, events = (
            clock.parse_moment(row.get("firstEvent")),
            clock.parse_moment(row.get("lastEvent")),
            row.get("events"),
        )
        try:
            identifier, server, result, *who = [as_text(row[name]) for name in _TEXT_COLUMNS]
        except (KeyError, UnexpectedShape):
            first = None
        if (
            not (first and last)
            or isinstance(events, bool)
            or not isinstance(events, int)
            or not (identifier or server)
        ):
            odd += 1
        elif registry := _registry_of_event(identifier, server, registries):
            identity, address, user_agent = map(clean_text, who)
            client = found[registry.id.lower()].setdefault(
                (identity, address, user_agent), RegistryClient(identity, address, user_agent)
            )
            client.add(clean_text(result), events, first, last)
    clients = {key: list(each.values()) for key, each in found.items()}
    for each in clients.values():
        _mark_newly_refused(each)
    return clients, odd


def _registry_of_event(identifier: str, server: str, registries: list[RegistryInView]) -> RegistryInView | None:
    """The registry of an event: by its resource ID, else by its login server."""
    if identifier:
        return next((each for each in registries if each.id.lower() == identifier.lower()), None)
    return next((each for each in registries if hosts.is_login_server_of(server, each.login_server)), None)


def _mark_newly_refused(clients: list[RegistryClient]) -> None:
    """Mark the newly refused: those whose last refusal is later than their last sign-in, with the same user agent.

    A client that signs in from changing addresses is the same by its identity. A refusal without an identity may be of
    anybody who signed in before from that address with that user agent. What `az acr scope check` and `--verify` sent
    is refused because it must be.
    """
    for each in clients:
        if not each.last_refusal or _PROBE_USER_AGENT in each.user_agent:
            continue
        if each.last_sign_in:
            each.newly_refused = each.last_sign_in < each.last_refusal
            continue
        before = [other for other in clients if other.last_sign_in and _is_same_client(each, other)]
        late = [other for other in before if other.last_sign_in and other.last_sign_in < each.last_refusal]
        each.newly_refused = bool(late) if not each.identity else bool(before) and len(late) == len(before)
        if each.newly_refused:
            each.last_sign_in = max(other.last_sign_in for other in late if other.last_sign_in)
            each.possible_identities = [] if each.identity else sorted({other.identity for other in late})


def _is_same_client(refusal: RegistryClient, other: RegistryClient) -> bool:
    if refusal.user_agent != other.user_agent:
        return False
    return refusal.identity == other.identity if refusal.identity else refusal.address == other.address


def client_rows(clients: list[RegistryClient], owners: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return the clients of a registry for the result, the newly refused first.

    ``{identity, possibleIdentities, address, userAgent, client, signIns, refusals, other, lastSignIn, refusedSince,
    lastRefusal, results, newlyRefused, consumers}``: numbers of events; `results` is one for each HTTP status;
    `possibleIdentities` are the identities that a newly refused one without an identity may be; `refusedSince` is None
    where refusals began before the last sign-in; `lastSignIn` of a newly refused one may be from another address;
    `consumers` are resource IDs.

    :param owners: resource IDs by the object ID or client ID (lower case) that they pull with.
    """
    ordered = sorted(clients, key=lambda each: (not each.newly_refused, not each.last_refusal, each.identity))
    return [_client_row(each, owners) for each in ordered]


def _client_row(client: RegistryClient, owners: dict[str, list[str]]) -> dict[str, Any]:
    sign_ins, refusals = client.count(is_sign_in), client.count(is_refusal)
    began, ended = client.first_refusal, client.last_sign_in
    since = began if began and ended and client.newly_refused and began > ended else None
    identities = [client.identity] if client.identity else client.possible_identities
    return {
        "identity": client.identity,
        "possibleIdentities": client.possible_identities,
        "address": client.address,
        "userAgent": client.user_agent,
        "client": client_of_user_agent(client.user_agent),
        "signIns": sign_ins,
        "refusals": refusals,
        "other": sum(client.results.values()) - sign_ins - refusals,
        "lastSignIn": client.last_sign_in and clock.utc_text(client.last_sign_in),
        "refusedSince": since and clock.utc_text(since),
        "lastRefusal": client.last_refusal and clock.utc_text(client.last_refusal),
        "results": dict(sorted(client.results.items())),
        "newlyRefused": client.newly_refused,
        "consumers": sorted({owner for each in identities for owner in owners.get(each.lower(), [])}),
    }


def client_of_user_agent(user_agent: str) -> str:
    """Return the client that sends a user agent, as people call it; empty where that is not known."""
    lowered = user_agent.lower()
    if _PROBE_USER_AGENT.lower() in lowered:
        return "acrscope's own probe"
    return next((name for known, name in _CLIENTS_BY_USER_AGENT.items() if lowered.startswith(known)), "")


def clean_text(text: str) -> str:
    """Return what a client said of itself, which may be anything: on one line, and not longer than a person reads."""
    return "".join(each if each.isprintable() else " " for each in text).strip()[:MAX_TEXT_LENGTH]

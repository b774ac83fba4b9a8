"""Everything that Resource Graph shows of a tenant's consumers, in few queries: a thousand rows in each.

Asked over all subscriptions that the account can see, for a consumer is rarely in the registry's own. One query each
for registries with subscriptions, resources, App Service settings, roles, role assignments, Batch pools and Flux
configurations (these run at the same time), for sites that only their settings showed, and for whose identities have
pull rights.
"""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, graph, hosts
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.arm_paths import ArmPath, arm_path, checked_id
from azext_acrscope.consumers import queries, rights, uses
from azext_acrscope.consumers.uses import Odd, Use, at
from azext_acrscope.kql import listed

WEB_API_VERSION = "2022-09-01"
SIDECARS_API_VERSION = "2024-04-01"
_READERS = 8
_PRINCIPALS_IN_A_QUERY = 400
_SITES_IN_A_QUERY = 200


@dataclass
class Registry:
    id: str
    name: str
    login_server: str
    subscription: str
    resource_group: str
    status: str = ""
    mode: str = ""


@dataclass
class Places:
    """The registries in view and the subscriptions that were searched (ID in lower case → its row)."""

    registries: list[Registry]
    subscriptions: dict[str, dict[str, Any]]
    incomplete: list[str] = field(default_factory=list)

    def above(self, subscription: str) -> list[str] | None:
        """The management groups above a subscription; None if its row does not say."""
        chain = self.subscriptions.get(subscription.lower(), {}).get("chain")
        if not isinstance(chain, list):
            return None
        return [str(each.get("name")) for each in chain if isinstance(each, dict)]


@dataclass
class Found:
    """What was found of consumers. `incomplete` holds a sentence for each reason why there may be more."""

    uses: list[Use] = field(default_factory=list)
    clusters: list[tuple[dict[str, Any], frozenset[str]]] = field(default_factory=list)  # rows, nodes' identities
    holders: dict[str, dict[str, rights.Holder]] = field(default_factory=dict)  # by registry ID, then principal
    owners: dict[str, dict[str, Any]] = field(default_factory=dict)  # resource rows, by principal
    incomplete: list[str] = field(default_factory=list)


def places(arm: Arm, where: str) -> Places:
    """The registries that a condition of KQL picks, and all subscriptions that the account can see.

    :raises ArmError: Resource Graph refused the query as a whole.
    """
    answer = graph.query(arm, queries.REGISTRIES.format(where=where))
    found = Places([], {}, answer.incomplete)
    whole = _whole(answer.rows, found.incomplete)
    for row in whole:
        if str(row.get("type")).lower() == "microsoft.resources/subscriptions":
            found.subscriptions[str(row.get("subscriptionId")).lower()] = row
        else:
            found.registries.append(
                Registry(
                    *(str(row.get(name) or "") for name in ("id", "name", "loginServer", "subscriptionId")),
                    *(str(row.get(name) or "") for name in ("resourceGroup", "status", "mode")),
                )
            )
    return found


def search(arm: Arm, where: Places, roles: dict[str, dict[str, Any]], suffix: str) -> Found:
    """The consumers of the registries.

    :param roles: the built-in roles that pull, by GUID.
    :raises ArmError: Resource Graph refused the query for resources; what else it refused is said in `incomplete`.
    """
    asked, found = _Asked(arm), Found()
    named = queries.named([each.login_server for each in where.registries], suffix)
    maybe_named = queries.sites(named)
    by_host = f"type in~ ({listed(queries.BY_HOST)}) and ({maybe_named})"
    resource = f"type in~ ({listed(queries.BY_TYPE)}) or ({by_host})"
    with ThreadPoolExecutor(_READERS) as readers:
        resources = readers.submit(asked.rows, queries.RESOURCES.format(where=resource))
        settings = readers.submit(
            asked.rows,
            queries.SITE_SETTINGS.format(named=maybe_named),
            "Settings of App Service and Functions",
        )
        pools = readers.submit(asked.rows, queries.POOLS.format(named=named), "Batch pools")
        flux = readers.submit(asked.rows, queries.FLUX.format(named=named), "Flux configurations")
        assignments = readers.submit(_assignments, asked, where.registries, roles)
        sites = _sort(found, resources.result(), suffix)
        _read_sites(asked, readers, found, sites, settings.result(), suffix)
        found.uses += _read(found, pools.result(), uses.batch_pool, suffix)
        found.uses += _read(found, flux.result(), uses.flux, suffix)
        rows, known = assignments.result()
    _take_rights(found, where, rows, known)
    _find_owners(asked, found)
    found.incomplete += [*_nameless(where.registries, suffix), *asked.incomplete]
    return found


def _nameless(registries: list[Registry], suffix: str) -> list[str]:
    """Registries that no image can be told to name, for their login server is not of this cloud's form or not there."""
    odd = [each.name for each in registries if not hosts.image_login_server(each.login_server, suffix, bare=True)]
    return [_errors.login_server_unknown(name) for name in odd]


# --- asking --------------------------------------------------------------------------------------------------------


class _Asked:
    """Queries over all subscriptions, and why their answers may not be whole."""

    def __init__(self, arm: Arm) -> None:
        self.arm, self.incomplete = arm, list[str]()

    def rows(self, kql: str, optional: str = "", inherited: bool = False) -> list[dict[str, Any]]:
        """`optional` names what is left out where Resource Graph refuses: other clouds lack some tables."""
        try:
            answer = graph.query(self.arm, kql, inherited=inherited)
        except ArmError as error:
            if not optional:
                raise
            self.incomplete.append(_errors.kind_unread(optional, str(error)))
            return []
        self.incomplete += [text for text in answer.incomplete if text not in self.incomplete]
        return _whole(answer.rows, self.incomplete)


def _whole(rows: list[Any], incomplete: list[str]) -> list[dict[str, Any]]:
    """The rows that are rows; how many are not is said."""
    whole = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    if len(whole) < len(rows):
        incomplete.append(_errors.rows_unread(len(rows) - len(whole)))
    return whole


def _assignments(
    asked: _Asked, registries: list[Registry], roles: dict[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The role assignments that may reach the registries, and the roles that pull: those that are known, and all
    others, built-in and custom, by what they allow.
    """
    judged: dict[str, dict[str, Any]] = {}
    for row in asked.rows(queries.ROLES, "Roles", inherited=True):
        try:
            judged |= rights.judged_roles([row])
        except Odd:
            asked.incomplete.append(_errors.role_unread(row["id"]))
    known = {**judged, **roles}
    text = queries.ASSIGNMENTS.format(roles=listed(known), scopes=queries.scopes([each.id for each in registries]))
    return asked.rows(text, "Role assignments", inherited=True), known


# --- reading -------------------------------------------------------------------------------------------------------


def _read(
    found: Found, rows: list[dict[str, Any]], reader: Callable[[dict[str, Any], str], list[Use]], suffix: str
) -> list[Use]:
    read = []
    for row in rows:
        try:
            read += reader(row, suffix)
        except Odd:
            found.incomplete.append(_errors.row_unread(row["id"]))
    return read


def _sort(found: Found, rows: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    """Takes in all resources but sites, whose rows may lack what is needed: these are returned."""
    sites = []
    for row in rows:
        kind = str(row.get("type")).lower()
        if kind in uses.SITES:
            sites.append(row)
            continue
        if kind == uses.CLUSTER:
            found.clusters.append((row, _kubelet(row)))
        if kind in uses.READERS:
            found.uses += _read(found, [row], uses.READERS[kind], suffix)
    return sites


def _read_sites(
    asked: _Asked,
    readers: ThreadPoolExecutor,
    found: Found,
    sites: list[dict[str, Any]],
    config: list[dict[str, Any]],
    suffix: str,
) -> None:
    """Sites, with their settings from the other table; what neither has is asked of ARM, once for each."""
    config = sorted(config, key=lambda row: row["id"].lower().endswith("/config/web"))  # of several, that one counts
    settings = {re.sub(r"/config/[^/]*$", "", row["id"].lower()): row for row in config}
    sites = [*sites, *_other_sites(asked, settings.keys() - {row["id"].lower() for row in sites})]

    def read(row: dict[str, Any]) -> tuple[list[Use], list[str]]:
        try:
            return _site(asked.arm, row, settings.get(row["id"].lower()), suffix)
        except Odd:
            return [], [_errors.row_unread(row["id"])]

    for found_uses, sentences in readers.map(read, sites):
        found.uses += found_uses
        found.incomplete += sentences


def _other_sites(asked: _Asked, sites: Iterable[str]) -> list[dict[str, Any]]:
    """Sites whose own rows do not name what they run, which was seen in their settings alone."""
    rows, ordered = [], sorted(sites)
    for start in range(0, len(ordered), _SITES_IN_A_QUERY):
        ids = listed(ordered[start : start + _SITES_IN_A_QUERY])
        rows += asked.rows(queries.RESOURCES.format(where=f"id in~ ({ids})"), "Sites")
    there = {row["id"].lower() for row in rows}
    asked.incomplete += [_errors.site_without_row(each) for each in ordered if each not in there]
    return rows


def _site(arm: Arm, row: dict[str, Any], config: dict[str, Any] | None, suffix: str) -> tuple[list[Use], list[str]]:
    """What a site uses, with one request if need be; and sentences on why a use may be missing."""
    versions = uses.site_versions(row, config)
    images = [image for version in versions for image in uses.site_images(version)]
    found, said = list[Use](), list[str]()
    if any(map(uses.is_sidecars, versions)):
        try:
            found += uses.site_containers(
                row, arm.pages(_below_site(row, "sitecontainers"), SIDECARS_API_VERSION), suffix
            )
        except (ArmError, AzCLIError) as error:  # one app must not hide the others
            said.append(_errors.containers_unread(row["id"], _short(error)))
    if any(hosts.image_login_server(each, suffix) for each in images):
        sign_in = uses.site_sign_in(row, config)
        if not sign_in:
            sign_in, why = _ask_site(arm, row)
            said += [_errors.sign_in_unread(row["id"], why)] if why else []
        found += uses.site(row, sign_in, suffix, config)
    if uses.unresolved(images):
        said.append(_errors.registry_in_a_variable(row["id"]))
    return found, said


def _ask_site(arm: Arm, row: dict[str, Any]) -> tuple[uses.SignIn, str]:
    """How a site signs in, as ARM says; and why that could not be read."""
    try:
        answer = arm.get(_below_site(row, "config/web"), WEB_API_VERSION).body
        sign_in = uses.site_sign_in(row, at(answer, "properties"))
        return (sign_in, "") if sign_in else (uses.SignIn(uses.UNKNOWN, detail=_errors.SETTINGS_SILENT), " there")
    except (ArmError, AzCLIError) as error:
        why = f" ({_short(error)})"
        return uses.SignIn(uses.UNKNOWN, detail=_errors.settings_unread(why)), why


def _below_site(row: dict[str, Any], what: str) -> ArmPath:
    return arm_path(f"{{resource}}/{what}", resource=checked_id(row["id"]))


def _short(error: ArmError | AzCLIError) -> str:
    return str(error) if isinstance(error, ArmError) else type(error).__name__


def _take_rights(found: Found, where: Places, rows: list[dict[str, Any]], roles: dict[str, dict[str, Any]]) -> None:
    assignments, without = rights.index(rows), list[str]()
    for registry in where.registries:
        above = where.above(registry.subscription)
        held = rights.holders(registry.id, registry.mode, above, assignments, roles)
        found.holders[registry.id.lower()] = held
        without += [] if rights.any_visible(registry.id, above, assignments) else [registry.name]
    if without:
        found.incomplete.append(_errors.roles_unseen(without))
    if assignments.odd:
        found.incomplete.append(_errors.assignments_unread(assignments.odd))


def _find_owners(asked: _Asked, found: Found) -> None:
    """Whose identities the remaining holders are."""
    known = {principal for use in found.uses for principal in use.principals}
    known |= {principal for _, nodes in found.clusters for principal in nodes}
    left = {
        holder.principal
        for held in found.holders.values()
        for holder in held.values()
        if holder.principal not in known and holder.kind.lower() in ("serviceprincipal", "")
    }
    ordered = sorted(left)
    for start in range(0, len(ordered), _PRINCIPALS_IN_A_QUERY):
        asked_for = listed(ordered[start : start + _PRINCIPALS_IN_A_QUERY])
        for row in asked.rows(queries.OWNERS.format(principals=asked_for), "Owners of identities"):
            found.owners[str(row.get("principalId")).lower()] = row


def _kubelet(row: dict[str, Any]) -> frozenset[str]:
    """Nothing where the row is odd: its reader says so."""
    try:
        return uses.kubelet(row)
    except Odd:
        return frozenset()

"""Everything that Resource Graph shows of a tenant's consumers, in few queries: a thousand rows in each.

Asked over all subscriptions that the account can see, for a consumer is rarely in the registry's own. One query each
for registries with subscriptions, resources, App Service settings, roles with their assignments, Batch pools, Flux
configurations and whose identities have rights (these run at the same time), for the node pools of clusters and for
sites that only their settings showed. For many registries one more for roles, and owners of identities by name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm import errors as arm_errors
from azext_acrscope.arm import resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import ArmPath, arm_path, check_resource_id
from azext_acrscope.arm.resource_graph import list_kql
from azext_acrscope.base import hosts, threads
from azext_acrscope.base.foreign_json import UnexpectedShape, find_text, member_at
from azext_acrscope.base.resource_ids import SUBSCRIPTION_TYPE, ResourceId, parse_resource_id
from azext_acrscope.consumers import errors, queries, registry_uses, role_assignments, row_readers, site_readers
from azext_acrscope.consumers.inventory_queries import InventoryQueries
from azext_acrscope.consumers.registry_uses import RegistryUse
from azext_acrscope.registry import resource as registry_resource

WEB_API_VERSION = "2022-09-01"
SIDECARS_API_VERSION = "2024-04-01"
_MAX_SITES_PER_QUERY = 200
_POOLS_UNREAD = "unread"  # in place of a list, which a reader takes for what cannot be read


@dataclass
class RegistryInView:
    """A registry whose consumers are searched.

    :ivar login_server: empty if it is not known.
    :ivar mode: the role assignment mode of Azure, which decides the roles that pull.
    """

    id: str
    name: str
    login_server: str
    subscription: str
    resource_group: str
    status: str = ""
    mode: str = ""


@dataclass
class SearchArea:
    """The registries in view and the subscriptions that were searched (ID in lower case → its row)."""

    registries: list[RegistryInView]
    subscriptions: dict[str, dict[str, Any]]
    incomplete: list[str] = field(default_factory=list)

    def above(self, subscription: str) -> list[str] | None:
        """Return the management groups above a subscription; None if its row does not say."""
        return resource_graph.group_names_above(self.subscriptions.get(subscription.lower(), {}).get("chain"))


@dataclass
class Inventory:
    """What was found of consumers. `incomplete` holds a sentence for each reason why there may be more."""

    uses: list[RegistryUse] = field(default_factory=list)
    clusters: list[tuple[dict[str, Any], frozenset[str]]] = field(default_factory=list)  # rows, nodes' identities
    holders: dict[str, dict[str, role_assignments.RightsHolder]] = field(
        default_factory=dict
    )  # by registry ID, then principal
    owners: dict[str, dict[str, Any]] = field(default_factory=dict)  # resource rows, by principal
    incomplete: list[str] = field(default_factory=list)


def read_search_area(arm: ArmClient, where: str) -> SearchArea:
    """Return the registries that a condition of KQL picks, and all subscriptions that the account can see.

    :raises ArmError: Resource Graph refused the query as a whole.
    """
    answer = resource_graph.query_graph(arm, queries.REGISTRIES_QUERY.format(where=where))
    found, odd = SearchArea([], {}, answer.incomplete), 0
    for row in answer.rows:
        parts = parse_resource_id(row["id"])
        if parts.has_type(SUBSCRIPTION_TYPE):
            found.subscriptions[parts.subscription.lower()] = row
            chain_lost = row.get("chain") is not None and found.above(parts.subscription) is None
            odd += chain_lost or not find_text(row, "name")
        elif registry_resource.is_registry_id(row["id"]):
            found.registries.append(_registry_in_view(parts, row))
            odd += not all(isinstance(row.get(name), str) for name in ("loginServer", "status", "mode"))
        else:
            odd += 1
    found.incomplete += [arm_errors.graph_rows_unread(odd)] if odd else []
    return found


def _registry_in_view(parts: ResourceId, row: dict[str, Any]) -> RegistryInView:
    """A registry as far as its row can be read: without a login server nothing is known to use it, which is said."""
    status = row.get("status")
    return RegistryInView(
        parts.text,
        parts.name,
        find_text(row, "loginServer"),
        parts.subscription,
        parts.resource_group,
        status if isinstance(status, str) else registry_resource.UNKNOWN,
        find_text(row, "mode"),
    )


def ask_for_inventory(
    arm: ArmClient, registries: list[RegistryInView], roles: dict[str, dict[str, Any]], suffix: str
) -> InventoryQueries:
    """Send the queries for the consumers of registries, whose IDs must be known and nothing else, and return them.

    :param roles: the built-in roles that pull, by GUID.
    """
    naming = queries.naming_condition([(each.name, each.login_server) for each in registries], suffix)
    few = len(registries) <= queries.MAX_NAMED_REGISTRIES
    return InventoryQueries(arm, [each.id for each in registries], naming, roles, ask_all=few)


def read_inventory(
    asked: InventoryQueries, where: SearchArea, roles: dict[str, dict[str, Any]], suffix: str
) -> Inventory:
    """Return the consumers of the registries.

    :param asked: the queries about these registries.
    :param roles: the built-in roles that pull, by GUID.
    :raises ArmError: Resource Graph refused the query for resources; what else it refused is said in `incomplete`.
    """
    found = Inventory()
    sites = _sort_resources(found, asked.resources.result(), suffix)
    _add_node_pools(asked, found.clusters)
    _read_sites(asked, found, sites, asked.settings.result(), suffix)
    found.uses += _read_rows(found, asked.batch_pools.result(), row_readers.read_batch_pool, suffix)
    found.uses += _read_rows(found, asked.flux.result(), row_readers.read_flux, suffix)
    _add_rights(found, where, asked.roles.result(), roles)
    _add_identity_owners(asked, found)
    found.incomplete += [*_unmatchable_registries(where.registries, suffix), *asked.incomplete]
    return found


def _unmatchable_registries(registries: list[RegistryInView], suffix: str) -> list[str]:
    """Registries that no image can be told to name, for their login server is not of this cloud's form or not there."""
    odd = [each.name for each in registries if not hosts.image_login_server(each.login_server, suffix, bare=True)]
    return [errors.login_server_unknown(name) for name in odd]


# --- reading -------------------------------------------------------------------------------------------------------


def _read_rows(
    found: Inventory,
    rows: list[dict[str, Any]],
    reader: Callable[[dict[str, Any], str], list[RegistryUse]],
    suffix: str,
) -> list[RegistryUse]:
    read = []
    for row in rows:
        try:
            read += reader(row, suffix)
        except UnexpectedShape:
            found.incomplete.append(errors.row_unread(row["id"]))
    return read


def _refuse_row(row: dict[str, Any], _suffix: str) -> list[RegistryUse]:
    """Only types that have a reader are asked for."""
    raise UnexpectedShape(str(row.get("type")))


def _sort_resources(found: Inventory, rows: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    """Takes in all resources but sites, whose rows may lack what is needed: these are returned."""
    sites = []
    for row in rows:
        kind = find_text(row, "type").lower()
        if kind in site_readers.SITE_TYPES:
            sites.append(row)
            continue
        if kind == row_readers.CLUSTER_TYPE:
            found.clusters.append((row, _kubelet_or_nothing(row)))
        found.uses += _read_rows(found, [row], row_readers.READERS_BY_TYPE.get(kind, _refuse_row), suffix)
    return sites


def _add_node_pools(asked: InventoryQueries, clusters: list[tuple[dict[str, Any], frozenset[str]]]) -> None:
    """Add the pools to the rows of clusters; those of a cluster that the answer leaves out could not be read."""
    if clusters:
        pools = {row["id"].lower(): row.get("pools") for row in asked.rows(queries.NODE_POOLS_QUERY, "Node pools")}
        for row, _ in clusters:
            row["pools"] = pools.get(row["id"].lower(), _POOLS_UNREAD)


def _read_sites(
    asked: InventoryQueries,
    found: Inventory,
    sites: list[dict[str, Any]],
    config: list[dict[str, Any]],
    suffix: str,
) -> None:
    """Sites, with their settings from the other table; what neither has is asked of ARM, once for each."""
    config = sorted(config, key=lambda row: row["id"].lower().endswith("/config/web"))  # of several, that one counts
    settings = {parse_resource_id(row["id"].lower()).parent: row for row in config}
    sites = [*sites, *_query_other_sites(asked, settings.keys() - {row["id"].lower() for row in sites})]

    def read(row: dict[str, Any]) -> tuple[list[RegistryUse], list[str]]:
        try:
            return _read_site(asked.arm, row, settings.get(row["id"].lower()), suffix)
        except UnexpectedShape:
            return [], [errors.row_unread(row["id"])]

    for found_uses, sentences in threads.map_bounded(read, sites):
        found.uses += found_uses
        found.incomplete += sentences


def _query_other_sites(asked: InventoryQueries, sites: Iterable[str]) -> list[dict[str, Any]]:
    """Sites whose own rows do not name what they run, which was seen in their settings alone."""
    rows, ordered = [], sorted(sites)
    for start in range(0, len(ordered), _MAX_SITES_PER_QUERY):
        end = start + _MAX_SITES_PER_QUERY
        ids = list_kql(ordered[start:end])
        rows += asked.rows(queries.RESOURCES_QUERY.format(where=f"id in~ ({ids})"), "Sites")
    there = {row["id"].lower() for row in rows}
    asked.incomplete += [errors.site_without_row(each) for each in ordered if each not in there]
    return rows


def _read_site(
    arm: ArmClient, row: dict[str, Any], config: dict[str, Any] | None, suffix: str
) -> tuple[list[RegistryUse], list[str]]:
    """What a site uses, with one request if need be; and sentences on why a use may be missing."""
    versions = site_readers.site_versions(row, config)
    images = [image for version in versions for image in site_readers.site_images(version)]
    found, said = list[RegistryUse](), list[str]()
    if any(map(site_readers.is_sidecar_site, versions)):
        try:
            found += site_readers.read_site_containers(
                row, arm.pages(_site_child_path(row, "sitecontainers"), SIDECARS_API_VERSION), suffix
            )
        except (ArmError, AzCLIError) as error:  # one app must not hide the others
            said.append(errors.containers_unread(row["id"], _short_error(error)))
    if any(hosts.image_login_server(each, suffix) for each in images):
        sign_in = site_readers.site_auth(row, config)
        if not sign_in:
            sign_in, why = _ask_arm_about_site(arm, row)
            said += [errors.sign_in_unread(row["id"], why)] if why else []
        found += site_readers.read_site_uses(row, sign_in, suffix, config)
    if site_readers.images_with_variable_registry(images):
        said.append(errors.registry_in_a_variable(row["id"]))
    return found, said


def _ask_arm_about_site(arm: ArmClient, row: dict[str, Any]) -> tuple[registry_uses.PullAuth, str]:
    """How a site signs in, as ARM says; and why that could not be read."""
    try:
        answer = arm.get(_site_child_path(row, "config/web"), WEB_API_VERSION).body
        sign_in = site_readers.site_auth(row, member_at(answer, "properties"))
        return (
            (sign_in, "")
            if sign_in
            else (registry_uses.PullAuth(registry_uses.UNKNOWN_AUTH, detail=errors.SETTINGS_SILENT), " there")
        )
    except (ArmError, AzCLIError) as error:
        why = f" ({_short_error(error)})"
        return registry_uses.PullAuth(registry_uses.UNKNOWN_AUTH, detail=errors.settings_unread(why)), why


def _site_child_path(row: dict[str, Any], what: str) -> ArmPath:
    return arm_path(f"{{resource}}/{what}", resource=check_resource_id(row["id"]))


def _short_error(error: ArmError | AzCLIError) -> str:
    return str(error) if isinstance(error, ArmError) else type(error).__name__


def _add_rights(
    found: Inventory, where: SearchArea, rows: list[dict[str, Any]], roles: dict[str, dict[str, Any]]
) -> None:
    """What `rows` say: role assignments, and roles. Those that pull are `roles`, which are known, and all others,
    built-in and custom, by what they allow.
    """
    judged, unread = role_assignments.judge_readable_roles(filter(role_assignments.is_role, rows))
    found.incomplete += map(errors.role_unread, unread)
    roles = {**judged, **roles}
    assignments = role_assignments.index_role_assignments(row for row in rows if not role_assignments.is_role(row))
    without = []
    for registry in where.registries:
        above = where.above(registry.subscription)
        held = role_assignments.find_rights_holders(registry.id, registry.mode, above, assignments, roles)
        found.holders[registry.id.lower()] = held
        without += [] if role_assignments.has_visible_assignment(registry.id, above, assignments) else [registry.name]
    if without:
        found.incomplete.append(errors.roles_unseen(without))
    if assignments.odd:
        found.incomplete.append(errors.assignments_unread(assignments.odd))


def _add_identity_owners(asked: InventoryQueries, found: Inventory) -> None:
    """Whose identities the remaining holders are."""
    known = {principal for use in found.uses for principal in use.principals}
    known |= {principal for _, nodes in found.clusters for principal in nodes}
    left = {
        holder.principal
        for held in found.holders.values()
        for holder in held.values()
        if holder.principal not in known and holder.kind.lower() in ("serviceprincipal", "")
    }
    for row in asked.owners(left) if left else []:
        principal = find_text(row, "principalId").lower()
        asked.incomplete += [] if principal else [errors.row_unread(row["id"])]
        found.owners[principal] = row


def _kubelet_or_nothing(row: dict[str, Any]) -> frozenset[str]:
    """Nothing where the row is odd: its reader says so."""
    try:
        return row_readers.kubelet_principals(row)
    except UnexpectedShape:
        return frozenset()

"""The consumers of registries as ARM or Resource Graph gave them, whichever tenants they are in."""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient, ArmError, Connect
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import find_text
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.consumers import errors, inventory, queries, verdicts
from azext_acrscope.consumers.inventory import RegistryInView, SearchArea
from azext_acrscope.consumers.inventory_queries import InventoryQueries
from azext_acrscope.consumers.knowledge import Knowledge, count_verdicts
from azext_acrscope.registry import resource as registry_resource

if TYPE_CHECKING:
    from azext_acrscope.consumers.login_log import LoginLog
    from azext_acrscope.consumers.selection import TenantSearch

ConsumerRows = list[dict[str, Any]]


@dataclass
class FleetConsumers:
    """What a search found in all tenants.

    :ivar consumers: rows (see `verdicts.judge_consumers`) by registry ID in lower case; a registry is missing if nobody
        could be asked for its tenant.
    :ivar incomplete: sentences on what else may be missing; those of `unread` may be among them.
    :ivar unread: a sentence for each part of the search that could not be read, a whole tenant among them.
    :ivar partial: IDs (lower case) of registries with consumers in `consumers`, of whose search a part is in `unread`.
    """

    consumers: dict[str, ConsumerRows] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    partial: set[str] = field(default_factory=set)


def find_fleet_consumers(  # pylint: disable=too-many-positional-arguments
    connect: Connect,
    resources: Iterable[registry_resource.RegistryResource],
    known: Knowledge,
    suffix: str,
    expected: Callable[[str], list[str]],
    begun: "BegunSearch | None" = None,
) -> FleetConsumers:
    """Ask Resource Graph, once for each tenant; what fails is in the answer.

    :param connect: gives the connection of a subscription.
    :param expected: gives the IDs of the subscriptions that the account is said to have in a tenant. Those that
        Resource Graph does not show are said; a registry's own is a part that could not be read.
    :param begun: a search that was begun before; it counts if it is for the same registries.
    """
    tenants: dict[str, tuple[ArmClient, list[RegistryInView]]] = {}
    for resource in resources:
        arm = connect(parse_resource_id(str(resource["id"])).subscription)
        tenants.setdefault(arm.tenant, (arm, []))[1].append(_registry_in_view(resource))
    estate = FleetConsumers()
    for arm, registries in tenants.values():
        try:
            search = begun if begun and begun.is_for(registries) else begin_search(arm, registries, known, suffix)
            places = search.area_of(registries)
            found = find_consumers(places, arm, known, suffix, search.queries)
        except (ArmError, AzCLIError) as error:
            estate.unread.append(errors.consumers_not_asked(str(error)))
            continue
        own = [each.subscription for each in registries]
        result = found.result
        unread = [*found.unread, *subscriptions_not_searched(places, own)]
        estate.unread += unread
        estate.partial |= {each.id.lower() for each in registries if unread}
        result["incomplete"] += subscriptions_not_searched(places, [*own, *expected(arm.tenant)])
        estate.incomplete += [text for text in result["incomplete"] if text not in estate.incomplete]
        estate.consumers |= {each["id"].lower(): each["consumers"] for each in result["registries"]}
    return estate


def _registry_in_view(resource: registry_resource.RegistryResource) -> RegistryInView:
    parts = parse_resource_id(str(resource["id"]))
    mode = find_text(resource, "properties", "roleAssignmentMode")
    return RegistryInView(
        parts.text,
        str(resource["name"]),
        registry_resource.login_server_of(resource),
        parts.subscription,
        parts.resource_group,
        "",
        mode,
    )


class BegunSearch(NamedTuple):
    """A search for the consumers of registries of one tenant, whose queries are under way.

    :ivar ids: of the registries, in lower case.
    """

    ids: set[str]
    queries: InventoryQueries
    area: "Future[SearchArea]"

    def is_for(self, registries: list[RegistryInView]) -> bool:
        """Return whether these are the registries, and their login servers what the queries ask for."""
        servers = all(re.match(rf"{re.escape(each.name)}[.-]", each.login_server, re.IGNORECASE) for each in registries)
        return servers and self.ids == {each.id.lower() for each in registries}

    def area_of(self, registries: list[RegistryInView]) -> SearchArea:
        """Return these registries with the subscriptions that can be seen.

        Resource Graph may know the mode of registries, if not them.

        :raises ArmError: it refused.
        """
        found = self.area.result()
        modes = {each.id.lower(): each.mode for each in found.registries}
        for each in registries:
            each.mode = each.mode or modes.get(each.id.lower(), "")
        return SearchArea(registries, found.subscriptions, found.incomplete)


def begin_search(arm: ArmClient, registries: list[RegistryInView], known: Knowledge, suffix: str) -> BegunSearch:
    """Send the queries for the consumers of registries of which the IDs and names are known."""
    few = len(registries) <= queries.MAX_NAMED_REGISTRIES
    condition = queries.registry_name_condition(each.name for each in registries) if few else ""
    area = threads.run_in_background(lambda: inventory.read_search_area(arm, condition))
    asked = inventory.ask_for_inventory(arm, registries, known.roles, suffix)
    return BegunSearch({each.id.lower() for each in registries}, asked, area)


def begin_search_by_id(arm: ArmClient, registry_id: str, known: Knowledge, suffix: str) -> BegunSearch:
    """Send the queries for the consumers of a registry that was not read yet."""
    parts = parse_resource_id(registry_id)
    registry = RegistryInView(registry_id, parts.name, "", parts.subscription, parts.resource_group)
    return begin_search(arm, [registry], known, suffix)


GRAPH_ROLE = "Reader"  # the role that Resource Graph needs


@dataclass
class SearchResult:
    """What was found of some registries.

    :ivar result: what the command prints of them: ``{registries: [{name, id, loginServer, status, breaks, works,
        unknown, consumers}], subscriptions, incomplete}``: numbers of consumers by verdict and their rows (see
        `verdicts.judge_consumers`), the names of the subscriptions searched, and sentences on what may be missing.
    :ivar unread: which of `incomplete` say what could not be read.
    :ivar owners: by registry ID in lower case, resource IDs by the identity that they pull with: see
        `verdicts.consumers_by_identity`.
    """

    result: dict[str, Any]
    unread: list[str] = field(default_factory=list)
    registries: list[RegistryInView] = field(default_factory=list)
    owners: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def no_registries() -> dict[str, Any]:
    """Return a result, in the shape of `SearchResult.result`, in which no registry was searched for."""
    return {"registries": [], "subscriptions": [], "incomplete": []}


def search_tenants(
    searches: "list[TenantSearch]", knowledge: Knowledge, suffix: str, log: "LoginLog | None" = None
) -> dict[str, Any]:
    """Return the results of all searches (of one tenant each) as one: `SearchResult.result`; with a log, also what
    `LoginLog.add` adds.

    :raises ResourceNotFoundError: there is no registry in view.
    :raises AzCLIError: the only tenant could not be asked (one of several is said in `incomplete`), or the log.
    """
    merged = no_registries()
    registries, owners = list[RegistryInView](), dict[str, dict[str, list[str]]]()
    for search in searches:
        try:
            found = _search_tenant(search, knowledge, suffix)
        except AzCLIError as error:
            if search.named or len(searches) == 1:
                raise
            found = SearchResult({"incomplete": [errors.tenant_not_asked(search.arm.tenant, error.error_msg)]})
        for part in ("registries", "subscriptions", "incomplete"):
            merged[part] += found.result.get(part, [])
        registries += found.registries
        owners |= found.owners
    if not merged["registries"]:
        raise errors.no_registry_in_view(merged["incomplete"])
    if log:
        log.add(merged, registries, owners)
    return merged


def _search_tenant(search: "TenantSearch", knowledge: Knowledge, suffix: str) -> SearchResult:
    """:raises ForbiddenError, AzureResponseError …: Resource Graph refused."""
    arm = search.arm
    try:
        where = inventory.read_search_area(arm, search.condition)
        where.registries = search.pick(where)
        empty = SearchResult({"incomplete": where.incomplete})
        found = find_consumers(where, arm, knowledge, suffix) if where.registries else empty
    except ArmError as error:
        raise error.as_cli_error(f"Resource Graph in tenant {arm.tenant}", GRAPH_ROLE) from error
    found.result["incomplete"] += [*search.incomplete, *subscriptions_not_searched(where, search.expected)]
    return found


def subscriptions_not_searched(where: SearchArea, subscriptions: Iterable[str]) -> list[str]:
    """Return a sentence for each of the subscriptions that was not searched."""
    ids = dict.fromkeys(each.lower() for each in subscriptions)
    return [errors.subscription_unseen(each) for each in ids if each not in where.subscriptions]


def find_consumers(
    where: SearchArea, arm: ArmClient, knowledge: Knowledge, suffix: str, asked: InventoryQueries | None = None
) -> SearchResult:
    """Return the consumers of registries that were picked already.

    :param asked: the queries about them; without, they are sent now.
    :raises ArmError: Resource Graph refused.
    """
    asked = asked or inventory.ask_for_inventory(arm, where.registries, knowledge.roles, suffix)
    found = inventory.read_inventory(asked, where, knowledge.roles, suffix)
    unread = list(dict.fromkeys([*where.incomplete, *found.incomplete]))
    by_registry: dict[str, list[Any]] = {}
    for use in found.uses:
        by_registry.setdefault(use.registry, []).append(use)
    registries, owners = [], {}
    for registry in where.registries:
        used = [*by_registry.get(registry.login_server.lower(), []), *by_registry.get(registry.id.lower(), [])]
        rows = verdicts.judge_consumers(registry, found, knowledge, used)
        owners[registry.id.lower()] = verdicts.consumers_by_identity(registry, found, used)
        registries.append(
            {
                "name": registry.name,
                "id": registry.id,
                "loginServer": registry.login_server,
                "status": registry.status or "enabled",
                **count_verdicts(rows),
                "consumers": rows,
            }
        )
    result = {
        "registries": registries,
        "subscriptions": sorted(find_text(row, "name") or key for key, row in where.subscriptions.items()),
        "incomplete": unread + verdicts.clusters_with_client_secrets(found),
    }
    return SearchResult(result, unread, where.registries, owners)

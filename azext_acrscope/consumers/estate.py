"""The consumers of registries as ARM or Resource Graph gave them, whichever tenants they are in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, registry
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.consumers import inventory, queries
from azext_acrscope.consumers.inventory import Places, Registry
from azext_acrscope.consumers.knowledge import Knowledge
from azext_acrscope.consumers.result import inquire, unseen

_FEW = 20  # registries that a query names; for more it names none

Rows = list[dict[str, Any]]


@dataclass
class Estate:
    """:ivar consumers: rows (see `verdicts.of_registry`) by registry ID in lower case; a registry is missing if nobody
        could be asked for its tenant.
    :ivar incomplete: sentences on what else may be missing; those of `unread` may be among them.
    :ivar unread: a sentence for each part of the search that could not be read, a whole tenant among them.
    :ivar partial: IDs (lower case) of registries with consumers in `consumers`, of whose search a part is in `unread`.
    """

    consumers: dict[str, Rows] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    partial: set[str] = field(default_factory=set)


def of(
    connect: Callable[[str | None], Arm],
    resources: Iterable[registry.Resource],
    known: Knowledge,
    suffix: str,
    expected: Callable[[str], list[str]],
) -> Estate:
    """Ask Resource Graph, once for each tenant; what fails is in the answer.

    :param connect: gives the connection of a subscription.
    :param expected: gives the IDs of the subscriptions that the account is said to have in a tenant. Those that
        Resource Graph does not show are said; a registry's own is a part that could not be read.
    """
    tenants: dict[str, tuple[Arm, list[Registry]]] = {}
    for resource in resources:
        arm = connect(str(resource["id"]).split("/")[2])
        tenants.setdefault(arm.tenant, (arm, []))[1].append(_registry(resource))
    estate = Estate()
    for arm, registries in tenants.values():
        try:
            places = _places(arm, registries)
            found = inquire(places, arm, known, suffix)
        except (ArmError, AzCLIError) as error:
            estate.unread.append(_errors.consumers_not_asked(str(error)))
            continue
        own = [each.subscription for each in registries]
        result = found.result
        unread = [*found.unread, *unseen(places, own)]
        estate.unread += unread
        estate.partial |= {each.id.lower() for each in registries if unread}
        result["incomplete"] += unseen(places, [*own, *expected(arm.tenant)])
        estate.incomplete += [text for text in result["incomplete"] if text not in estate.incomplete]
        estate.consumers |= {each["id"].lower(): each["consumers"] for each in result["registries"]}
    return estate


def _registry(resource: registry.Resource) -> Registry:
    identifier = str(resource["id"])
    parts = identifier.split("/")
    mode = str(resource["properties"].get("roleAssignmentMode") or "")
    return Registry(identifier, str(resource["name"]), registry.login_server(resource), parts[2], parts[4], "", mode)


def _places(arm: Arm, registries: list[Registry]) -> Places:
    """These registries, with the subscriptions that can be seen; Resource Graph may know their mode, if not them."""
    few = len(registries) <= _FEW
    found = inventory.places(arm, queries.with_names(each.name for each in registries) if few else "")
    modes = {each.id.lower(): each.mode for each in found.registries}
    for each in registries:
        each.mode = each.mode or modes.get(each.id.lower(), "")
    found.registries = registries
    return found

"""Many registries: those of a resource group, of subscriptions, of a management group.

Two views. Resource Graph answers for a thousand registries in a request, but lags behind writes by up to minutes; the
live view asks ARM's own list in each subscription. Both say which subscriptions they could not read: what was not read
is unknown, never compliant.
"""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import arm_path
from azext_acrscope.base import threads
from azext_acrscope.fleet import errors as fleet_errors
from azext_acrscope.fleet.by_graph import read_graph_fleet
from azext_acrscope.fleet.scope import (
    READ_MANAGEMENT_GROUP,
    Scope,
    Subscription,
    group_by_account,
    list_subscriptions_below,
)
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry import sdk_client
from azext_acrscope.registry.resource import RegistryResource

SUBSCRIPTIONS_API_VERSION = "2022-12-01"


def read_fleet(cli_ctx: Any, wanted: Scope, at_once: bool) -> Fleet:
    """The fleet as of this moment, or else by Resource Graph: see `live` and `from_graph`."""
    return read_live_fleet(cli_ctx, wanted) if at_once else read_graph_fleet(cli_ctx, wanted)


# --- ARM's own lists -----------------------------------------------------------------------------------------------


def read_live_fleet(cli_ctx: Any, wanted: Scope) -> Fleet:
    """The fleet by ARM's lists of registries, several subscriptions at a time: the state at this moment."""
    fleet = Fleet()
    subscriptions = list(wanted.subscriptions)
    if wanted.management_group:
        arm = ArmClient(cli_ctx)
        try:
            below = list_subscriptions_below(arm, wanted.management_group)
        except ArmError as error:
            raise error.as_cli_error(f"management group {wanted.management_group}", READ_MANAGEMENT_GROUP) from error
        subscriptions = [Subscription(each, name, arm.tenant) for each, name in below.items()]
    connections = {
        (members[0].tenant, members[0].user): ArmClient(cli_ctx, members[0].id)
        for members in group_by_account(subscriptions)
    }

    def read(subscription: Subscription) -> list[RegistryResource]:
        arm = connections[subscription.tenant, subscription.user]
        place = arm_path("/subscriptions/{subscription}", subscription=subscription.id)
        items = sdk_client.list_registries(arm, subscription.id, wanted.resource_group)
        if not items:  # a list leaves out what may not be read: nothing to see may mean no right to look
            arm.get(place, SUBSCRIPTIONS_API_VERSION)
        return items

    answers = threads.try_each(read, subscriptions, (ArmError, AzCLIError))
    for subscription, answer in zip(subscriptions, answers, strict=True):
        _add_answer(fleet, subscription, answer, wanted.resource_group)
    fleet.registries.sort(key=lambda resource: str(resource["id"]).lower())
    return fleet


def _add_answer(
    fleet: Fleet, subscription: Subscription, answer: list[RegistryResource] | ArmError | AzCLIError, group: str | None
) -> None:
    """Add to the fleet what a subscription answered, or why it could not be read."""
    if isinstance(answer, ArmError):
        if answer.code == "ResourceGroupNotFound":
            raise fleet_errors.group_not_found(str(group), subscription.id) from answer
        answer = answer.as_cli_error(f"subscription {subscription.name}", registry_resource.REGISTRY_READ)
    if isinstance(answer, AzCLIError):
        fleet.unreadable[subscription.id.lower()] = answer.error_msg
    else:
        fleet.subscriptions[subscription.id.lower()] = subscription.name
        fleet.registries += [each for each in answer if _is_complete_resource(each)]
        odd = sum(not _is_complete_resource(each) for each in answer)
        if odd:
            fleet.unreadable[subscription.id.lower()] = fleet_errors.items_unread(odd)


def _is_complete_resource(resource: RegistryResource) -> bool:
    """Whether an item of a list has what the rest of this project relies on."""
    return (
        registry_resource.is_registry_id(resource.get("id"))
        and "name" in resource
        and isinstance(resource.get("properties"), dict)
    )

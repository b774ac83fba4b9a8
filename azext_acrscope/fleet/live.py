"""Read a fleet live, by ARM's own list of registries in each subscription: the state at this moment.

Subscriptions that could not be read are listed: what was not read is unknown, never compliant.
"""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm import errors as arm_errors
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import arm_path
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import find_text
from azext_acrscope.fleet import errors as fleet_errors
from azext_acrscope.fleet.by_graph import read_graph_fleet
from azext_acrscope.fleet.scope import (
    READ_MANAGEMENT_GROUP,
    Scope,
    Subscription,
    group_by_account,
    group_refused,
    list_subscriptions_below,
)
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry import sdk_client
from azext_acrscope.registry.resource import RegistryResource

SUBSCRIPTIONS_API_VERSION = "2022-12-01"


def read_fleet(cli_ctx: Any, wanted: Scope, at_once: bool) -> Fleet:
    """Return the fleet as of this moment, or else by Resource Graph: see `read_live_fleet` and `read_graph_fleet`."""
    return read_live_fleet(cli_ctx, wanted) if at_once else read_graph_fleet(cli_ctx, wanted)


# --- ARM's own lists -----------------------------------------------------------------------------------------------


def read_live_fleet(cli_ctx: Any, wanted: Scope) -> Fleet:
    """Return the fleet by ARM's lists of registries, several subscriptions at a time: the state at this moment."""
    fleet = Fleet()
    subscriptions = list(wanted.subscriptions)
    if wanted.management_group:
        arm = ArmClient(cli_ctx)
        try:
            below, unread = list_subscriptions_below(arm, wanted.management_group)
        except ArmError as error:
            raise group_refused(error, wanted.management_group, READ_MANAGEMENT_GROUP) from error
        if unread:
            raise arm_errors.not_a_list(arm.endpoint)
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
            answer = arm.get(place, SUBSCRIPTIONS_API_VERSION).body
            if find_text(answer, "subscriptionId").lower() != subscription.id.lower():
                raise arm_errors.answer_unreadable("Azure Resource Manager", arm.endpoint, "it is not the subscription")
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
        if odd := fleet.add(answer):
            fleet.unreadable[subscription.id.lower()] = fleet_errors.items_unread(odd)

"""Read a fleet by Resource Graph: a thousand registries in a request, but behind writes by up to minutes.

Subscriptions that could not be read are listed: what was not read is unknown, never compliant.
"""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm import errors as arm_errors
from azext_acrscope.arm import resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import find_text
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.fleet import errors as fleet_errors
from azext_acrscope.fleet.scope import Scope, Subscription, expected_subscription_ids, group_by_account, group_refused
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.registry import sdk_client
from azext_acrscope.registry.resource import RegistryResource

_MAX_QUERY_SUBSCRIPTIONS = 1000  # subscriptions that a Resource Graph query may name; more are asked for by naming none

_REGISTRIES_QUERY = """resources
| where type =~ 'microsoft.containerregistry/registries'{where}
| project id, name, location, tags, loginServer = tostring(properties.loginServer), \
status = tostring(properties.policies.azureADAuthenticationAsArmPolicy.status), \
adminUser = tobool(properties.adminUserEnabled), anonymousPull = tobool(properties.anonymousPullEnabled), \
encryption = tostring(properties.encryption.status)
| order by id asc"""
_SUBSCRIPTIONS_QUERY = """resourcecontainers
| where type =~ 'microsoft.resources/subscriptions'
| project id, name
| order by id asc"""


# --- Resource Graph ------------------------------------------------------------------------------------------------


def read_graph_fleet(cli_ctx: Any, wanted: Scope) -> Fleet:
    """Return the fleet by Resource Graph: one request for each thousand registries, and one for the subscriptions.

    Of several tenants, one that cannot be asked leaves its subscriptions unread.

    :raises ForbiddenError, AzureResponseError …: Resource Graph refused the query as a whole, for each account.
    """
    fleet, errors = Fleet(), list[AzCLIError]()
    accounts = group_by_account(wanted.subscriptions)
    for subscriptions in accounts:
        try:
            _add_account_fleet(cli_ctx, wanted, subscriptions, fleet)
        except AzCLIError as error:
            errors.append(error)
            fleet.unreadable |= {each.id.lower(): error.error_msg for each in subscriptions}
    if errors and len(errors) == len(accounts):
        raise errors[0]
    return fleet


def _add_account_fleet(cli_ctx: Any, wanted: Scope, subscriptions: list[Subscription], fleet: Fleet) -> None:
    """Add to the fleet what one account sees."""
    where = (
        f" and resourceGroup =~ '{resource_graph.quote_kql(wanted.resource_group)}'" if wanted.resource_group else ""
    )
    arm = ArmClient(cli_ctx, subscriptions[0].id)
    expected = [subscription.id for subscription in subscriptions]
    target: dict[str, Any] = {"subscriptions": expected if len(expected) <= _MAX_QUERY_SUBSCRIPTIONS else None}
    if wanted.management_group:
        target = {"management_group": wanted.management_group}
    # Nothing waits for anything: all of it is requested at the same time.
    answers = threads.run_each_in_background(
        lambda query: resource_graph.query_graph(arm, query, **target),
        [_SUBSCRIPTIONS_QUERY, _REGISTRIES_QUERY.format(where=where)],
        threads.MAX_READERS,
    )
    if wanted.management_group:
        expected, fleet.incomplete = expected_subscription_ids(arm, wanted.management_group)
    try:
        seen, found = [answer.result() for answer in answers]
    except ArmError as error:
        if wanted.management_group:
            raise group_refused(error, wanted.management_group, "Reader") from error
        raise error.as_cli_error(f"Resource Graph in tenant {subscriptions[0].tenant}", "Reader") from error
    odd = fleet.add(map(_resource_from_row, found.rows))
    for row in seen.rows:
        subscription = parse_resource_id(row["id"]).subscription.lower()
        odd += not (subscription and find_text(row, "name"))
        fleet.subscriptions |= {subscription: find_text(row, "name") or subscription} if subscription else {}
    unread = [arm_errors.graph_rows_unread(odd)] if odd else []
    fleet.incomplete += dict.fromkeys(
        each for each in [*seen.incomplete, *found.incomplete, *unread] if each not in fleet.incomplete
    )
    for missing in {each.lower() for each in expected} - fleet.subscriptions.keys():
        fleet.unreadable[missing] = fleet_errors.NOT_IN_RESOURCE_GRAPH
    if wanted.resource_group and not found.rows:
        fleet.incomplete += _look_into_group(arm, subscriptions[0].id, wanted.resource_group)


def _look_into_group(arm: ArmClient, subscription: str, group: str) -> list[str]:
    """Return sentences on a group of which Resource Graph has no registry: to it, a name misspelled is an empty group.

    :raises ResourceNotFoundError: ARM knows no such group.
    """
    try:
        return [fleet_errors.GRAPH_IS_BEHIND] if sdk_client.list_registries(arm, subscription, group) else []
    except ArmError as error:
        if error.code == "ResourceGroupNotFound":
            raise fleet_errors.group_not_found(group, subscription) from error
        return [fleet_errors.group_not_confirmed(group, str(error))]
    except AzCLIError as error:
        return [fleet_errors.group_not_confirmed(group, error.error_msg)]


def _resource_from_row(row: dict[str, Any]) -> RegistryResource:
    """A row of the registries query in the shape of an ARM resource, as far as this project looks at it."""
    status = row.get("status")  # empty text where Azure has no value; null cannot be read, as any other type
    policy = {"status": False if status is None else None if status == "" else status}
    return {
        "id": row["id"],
        "name": row.get("name"),
        "location": row.get("location"),
        "tags": row.get("tags"),
        "properties": {
            "loginServer": row.get("loginServer"),
            "adminUserEnabled": row.get("adminUser"),
            "anonymousPullEnabled": row.get("anonymousPull"),
            "policies": {"azureADAuthenticationAsArmPolicy": policy},
            "encryption": {"status": row.get("encryption")},
        },
    }

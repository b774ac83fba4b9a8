"""Many registries: those of a resource group, of subscriptions, of a management group.

Two views. Resource Graph answers for a thousand registries in a request, but lags behind writes by up to minutes; the
live view asks ARM's own list in each subscription. Both say which subscriptions they could not read: what was not read
is unknown, never compliant.
"""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm import resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.fleet import errors as fleet_errors
from azext_acrscope.fleet.scope import Scope, Subscription, expected_subscription_ids, group_by_account
from azext_acrscope.fleet.summary import Fleet
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
| project id, name, subscriptionId
| order by id asc"""


# --- Resource Graph ------------------------------------------------------------------------------------------------


def read_graph_fleet(cli_ctx: Any, wanted: Scope) -> Fleet:
    """The fleet by Resource Graph: one request for each thousand registries, and one for the subscriptions.

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
    place = f"Resource Graph in tenant {subscriptions[0].tenant}"
    if wanted.management_group:
        expected, fleet.incomplete = expected_subscription_ids(arm, wanted.management_group)
        target, place = {"management_group": wanted.management_group}, f"management group {wanted.management_group}"
    try:
        seen = resource_graph.query_graph(arm, _SUBSCRIPTIONS_QUERY, **target)
        found = resource_graph.query_graph(arm, _REGISTRIES_QUERY.format(where=where), **target)
    except ArmError as error:
        raise error.as_cli_error(place, "Reader") from error
    fleet.subscriptions |= {row["subscriptionId"].lower(): row["name"] for row in seen.rows}
    fleet.registries += [_resource_from_row(row) for row in found.rows]
    fleet.incomplete += [text for text in seen.incomplete + found.incomplete if text not in fleet.incomplete]
    for missing in {each.lower() for each in expected} - fleet.subscriptions.keys():
        fleet.unreadable[missing] = fleet_errors.NOT_IN_RESOURCE_GRAPH


def _resource_from_row(row: dict[str, Any]) -> RegistryResource:
    """A row of the registries query in the shape of an ARM resource, as far as this project looks at it."""
    policy = {"status": row.get("status") or None}
    return {
        "id": row["id"],
        "name": row["name"],
        "location": row.get("location"),
        "tags": row.get("tags") or {},
        "properties": {
            "loginServer": row.get("loginServer"),
            "adminUserEnabled": row.get("adminUser"),
            "anonymousPullEnabled": row.get("anonymousPull"),
            "policies": {"azureADAuthenticationAsArmPolicy": policy},
            "encryption": {"status": row.get("encryption") or None},
        },
    }

"""Make the errors and sentences about many registries: scopes that are not there, subscriptions that were not read."""

from azure.cli.core.azclierror import (
    AzCLIError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, registries, sentence, subscriptions


def group_not_found(group: str, subscription: str) -> AzCLIError:
    """Return the error for a resource group that does not exist."""
    return cli_error(
        ResourceNotFoundError,
        f"There is no resource group '{group}' in subscription {subscription}.",
        "`az group list --output table` lists the groups. --subscription selects another subscription.",
    )


def nothing_in_view() -> AzCLIError:
    """Return the error for a requirement on a scope without registries."""
    return cli_error(
        ResourceNotFoundError,
        "There is no registry in scope, so nothing meets the requirement.",
        "Check --resource-group, --subscription or --management-group.",
    )


def requirement_missed(required: str, missed: int, unknown: int, unread: int, incomplete: list[str]) -> AzCLIError:
    """Return the error for registries that do not meet `az acr scope list --require`.

    :param required: the status.
    :param incomplete: sentences on what may be missing from the list.
    """
    parts = []
    if missed:
        parts.append(f"{registries(missed)} not `{required}`")
    if unknown:
        parts.append(f"{registries(unknown)} with unknown status")
    if unread:
        parts.append(f"{subscriptions(unread)} that could not be read")
    return cli_error(
        ValidationError,
        f"Not every registry in scope is known to be `{required}`: {'; '.join([*parts, *incomplete])}.",
        "`az acr scope enforce --name REGISTRY` sets the status. To read a subscription, ask for the role Reader on "
        "it.",
    )


def group_not_confirmed(group: str, why: str) -> str:
    """Return the sentence on a resource group that seems empty, and that ARM did not confirm."""
    return sentence(
        f"Resource Graph has no registry in resource group {group}, and whether there is such a group is unknown: {why}"
    )


GRAPH_IS_BEHIND = "Resource Graph does not show the registries of this resource group yet; --live lists them."
NOT_IN_RESOURCE_GRAPH = "it is not visible to the signed-in account in Resource Graph"


def subscription_unread(subscription: str, why: str) -> str:
    """Return the sentence on a subscription that could not be read."""
    return sentence(f"Subscription {subscription} could not be read: {why}")


def items_unread(number: int) -> str:
    """Return the sentence on items of a list that are not registries."""
    what = counted(number, "item of its list is not a registry", "items of its list are not registries")
    return sentence(f"{what} or cannot be read")


def group_items_unread(management_group: str, number: int) -> str:
    """Return the sentence on items of a management group's list that cannot be read."""
    what = counted(number, "item", "items")
    return sentence(f"{what} in the list of subscriptions of management group {management_group} could not be read.")


def group_not_listed(management_group: str, code: str) -> str:
    """Return the sentence on a management group whose subscriptions cannot be listed."""
    return sentence(
        f"The subscriptions of management group {management_group} cannot be listed ({code}), so some may be "
        "missing here. Ask for the role Management Group Reader on it."
    )

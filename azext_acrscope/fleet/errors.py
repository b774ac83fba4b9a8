"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import (
    AzCLIError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, registries, sentence, subscriptions


def group_not_found(group: str, subscription: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"There is no resource group '{group}' in subscription {subscription}.",
        "`az group list --output table` shows them; --subscription names another subscription.",
    )


def nothing_in_view() -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        "There is no registry in view, so there is nothing that fulfils the requirement.",
        "Check --resource-group, --subscription or --management-group.",
    )


def requirement_missed(required: str, missed: int, unknown: int, unread: int, incomplete: list[str]) -> AzCLIError:
    """The gate of `az acr scope list --require`."""
    parts = []
    if missed:
        parts.append(f"{registries(missed)} not `{required}`")
    if unknown:
        parts.append(f"{registries(unknown)} of unknown status")
    if unread:
        parts.append(f"{subscriptions(unread)} that could not be read")
    return cli_error(
        ValidationError,
        f"Not every registry in view is known to be `{required}`: {'; '.join([*parts, *incomplete])}.",
        "`az acr scope enforce` sets it; reading a subscription needs the role Reader there.",
    )


NOT_IN_RESOURCE_GRAPH = "it is not visible to the signed-in account in Resource Graph"


def subscription_unread(subscription: str, why: str) -> str:
    return sentence(f"Subscription {subscription} could not be read: {why}")


def items_unread(number: int) -> str:
    return sentence(counted(number, "item of its list is no registry", "items of its list are no registries"))


def group_not_listed(management_group: str, code: str) -> str:
    return sentence(
        f"The subscriptions of management group {management_group} cannot be listed ({code}), so some may be "
        "missing here: ask for the role Management Group Reader there."
    )

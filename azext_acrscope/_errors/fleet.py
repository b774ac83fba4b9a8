"""Many registries: selections, runs, records."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureResponseError,
    FileOperationError,
    ManualInterrupt,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope._errors.wording import counted, registries, subscriptions


def group_not_found(group: str, subscription: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"There is no resource group '{group}' in subscription {subscription}.",
        "`az group list --output table` shows them; --subscription names another subscription.",
    )


def management_group_not_found(name: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"There is no management group '{name}' that the signed-in account may see.",
        "`az account management-group list --output table` shows their names.",
    )


def nothing_in_view() -> AzCLIError:
    return ResourceNotFoundError(
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
    return ValidationError(
        f"Not every registry in view is known to be `{required}`: {'; '.join([*parts, *incomplete])}.",
        "`az acr scope enforce` sets it; reading a subscription needs the role Reader there.",
    )


def some_failed(failed: int, total: int, unread: int, record: str) -> AzCLIError:
    parts = [f"{failed} of {registries(total)} failed"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return AzureResponseError(f"{' and '.join(parts)}; the rows and the lines above say why.", _after_a_run(record))


def was_interrupted(left: int, record: str) -> AzCLIError:
    return ManualInterrupt(f"Interrupted: {registries(left)} left as before.", _after_a_run(record))


def _after_a_run(record: str) -> list[str]:
    undo = [f"`az acr scope enforce --undo {record}` takes back what was changed."] if record else []
    return ["The same command again does what is left.", *undo]


def record_exists(file: str) -> AzCLIError:
    return FileOperationError(
        f"The record {file} exists already; a record is never overwritten.", "Give another name with --record."
    )


def record_unwritable(file: str, cause: Exception) -> AzCLIError:
    return FileOperationError(
        f"The record {file} cannot be written ({cause}), so nothing more is changed.",
        "Give another place with --record.",
    )


def record_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"{file} cannot be read as a record: {why}.",
        "A run prints the name of its record at its start; those without --record lie in acrscope/ in the CLI's "
        "configuration directory.",
    )


# --- sentences on what may be missing ------------------------------------------------------------------------------

GRAPH_LEFT_OUT = "Resource Graph answers for a part of the subscriptions only: there are too many."
GRAPH_CUT = "Resource Graph cut its answer short."
NOT_IN_RESOURCE_GRAPH = "it is not visible to the signed-in account in Resource Graph"


def subscription_unread(subscription: str, why: str) -> str:
    return f"Subscription {subscription} could not be read: {why}"


def items_unread(number: int) -> str:
    return counted(number, "item of its list is no registry", "items of its list are no registries")


def group_not_listed(management_group: str, code: str) -> str:
    return (
        f"The subscriptions of management group {management_group} cannot be listed ({code}), so some may be "
        "missing here: ask for the role Management Group Reader there."
    )

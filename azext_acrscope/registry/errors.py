"""What went wrong here, in words: the error, why, and the next command to type."""

from collections.abc import Sequence

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureResponseError,
    InvalidArgumentValueError,
    ManualInterrupt,
    MutuallyExclusiveArgumentError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
)

from azext_acrscope.base.errors import cli_error, registries, sentence


def group_contradicts_id(group: str, group_of_id: str) -> AzCLIError:
    return cli_error(
        MutuallyExclusiveArgumentError,
        f"--resource-group '{group}' contradicts the resource ID, which names the group '{group_of_id}'.",
        "Leave --resource-group out.",
    )


def no_subscription(tenant: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"The signed-in account has no subscription in tenant {tenant}, so no registry can be looked up.",
        "Name the login server, or a subscription with --subscription; `az account list --all` shows them.",
    )


def interrupted_write(where: str, target: str) -> AzCLIError:
    return cli_error(
        ManualInterrupt,
        f"Interrupted while {where} was becoming `{target}`: Azure has the change and goes on with it.",
        "`az acr scope show` tells how it ended.",
    )


def registry_not_found(name: str, subscription: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"No registry named '{name}' was found in subscription {subscription}.",
        [
            "Name another subscription with --subscription; `az account list --output table` shows them.",
            "A registry made or moved minutes ago may not be indexed yet: name its group with --resource-group.",
        ],
    )


def registry_gone(where: str, subscription: str, code: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"{where} was not found in subscription {subscription} ({code}).",
        "Check the name and --resource-group, or leave --resource-group out to search the subscription.",
    )


def login_server_not_found(login_server: str, found: list[str], subscription: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"No registry in subscription {subscription} has the login server {login_server}. "
        f"Registries of that name there have: {', '.join(found)}.",
        "Name another subscription with --subscription, or check the login server.",
    )


def ambiguous_name(name: str, ids: Sequence[str]) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"{registries(len(ids))} are named '{name}': {', '.join(ids)}.",
        "Give the resource ID or --resource-group.",
    )


def not_a_registry(where: str, why: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"The answer for {where} is not a container registry: {why}.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY and "
        "`az cloud show --query endpoints.resourceManager`.",
    )


def write_unfinished(where: str, target: str, problem: str, state: str) -> AzCLIError:
    """A change that ARM took but that did not come to its end."""
    return cli_error(
        AzureResponseError,
        f"{where} was to become `{target}`, but {problem}. {state}",
        "`az acr scope show` reads the state again; `az acr scope enforce` can be repeated safely.",
    )


def with_state(error: AzCLIError, state: str) -> AzCLIError:
    """The same error, ending in what state the registry is in now."""
    return type(error)(f"{error.error_msg} {state}", recommendation=error.recommendations)


NAME_LOGIN_SERVER = (
    "Signing in needs no Azure Resource Manager if you name the login server: az acr scope login --name LOGIN_SERVER"
)


def login_server_guessed(name: str, guess: str, cause: AzCLIError) -> str:
    """A warning, not an error."""
    return sentence(
        f"Azure Resource Manager did not tell the login server of '{name}' ({cause.error_msg}) "
        f"Signing in to {guess}. If that is not the registry you mean, name its login server."
    )


def login_server_needed(name: str, what: str) -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        f"Only Azure Resource Manager knows {what} of '{name}', and with this --credential it is never asked.",
        "Give the login server with --name; who may read the registry finds it with "
        f"`az acr show --name {name} --query loginServer`.",
    )


def no_regional_login_servers(login_server: str) -> str:
    """A warning, not an error."""
    return sentence(f"The registry has no regional login servers, only {login_server}.")

"""Make the errors and sentences about one registry: not found, ambiguous, unfinished, or no registry at all."""

from collections.abc import Sequence

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureResponseError,
    InvalidArgumentValueError,
    MutuallyExclusiveArgumentError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
)

from azext_acrscope.base.errors import cli_error, registries, sentence


def group_contradicts_id(group: str, group_of_id: str) -> AzCLIError:
    """Return the error for a resource group that is not the one in the resource ID."""
    return cli_error(
        MutuallyExclusiveArgumentError,
        f"--resource-group '{group}' contradicts the resource ID, which names the group '{group_of_id}'.",
        "Leave out --resource-group.",
    )


def sign_ins_unread(registry: str, what: str, why: str, right: str) -> str:
    """Return the sentence on other sign-in methods of a registry that could not be read.

    :param what: in the plural, such as ``repository tokens``.
    :param right: that reading them needs.
    """
    return sentence(
        f"The {what} of {registry} could not be read ({why.rstrip('.')}). They are unknown. Reading them needs {right}."
    )


def no_subscription(tenant: str) -> AzCLIError:
    """Return the error for an account without any subscription in its tenant."""
    return cli_error(
        ResourceNotFoundError,
        f"The signed-in account has no subscription in tenant {tenant}, so no registry can be looked up.",
        "Give the login server, or a subscription with --subscription. `az account list --all` lists them.",
    )


def registry_not_found(name: str, subscription: str) -> AzCLIError:
    """Return the error for a name that no registry of the subscription has."""
    return cli_error(
        ResourceNotFoundError,
        f"No registry named '{name}' was found in subscription {subscription}.",
        [
            "Select another subscription with --subscription. `az account list --output table` lists them.",
            "A registry created or moved minutes ago may not be indexed yet: give its group with --resource-group.",
        ],
    )


def registry_gone(where: str, subscription: str, code: str) -> AzCLIError:
    """Return the error for a registry that Azure Resource Manager does not know.

    :param where: the registry, as a person names it.
    :param code: the error code of the answer.
    """
    return cli_error(
        ResourceNotFoundError,
        f"{where} was not found in subscription {subscription} ({code}).",
        "Check the name and --resource-group, or leave --resource-group out to search the subscription.",
    )


def login_server_not_found(login_server: str, found: list[str], subscription: str) -> AzCLIError:
    """Return the error for a login server that no registry of that name has.

    :param found: the login servers of the registries with that name.
    """
    return cli_error(
        ResourceNotFoundError,
        f"No registry in subscription {subscription} has the login server {login_server}. "
        f"Registries with that name there have: {', '.join(found)}.",
        "Select another subscription with --subscription, or check the login server.",
    )


def ambiguous_name(name: str, ids: Sequence[str]) -> AzCLIError:
    """Return the error for a name that several registries have."""
    return cli_error(
        InvalidArgumentValueError,
        f"{registries(len(ids))} are named '{name}': {', '.join(ids)}.",
        "Give the resource ID or --resource-group.",
    )


def not_a_registry(where: str, why: str) -> AzCLIError:
    """Return the error for an answer that is not a container registry."""
    return cli_error(
        AzureResponseError,
        f"The answer for {where} is not a container registry: {why}.",
        "A proxy may be answering in place of Azure Resource Manager. Check HTTPS_PROXY and "
        "`az cloud show --query endpoints.resourceManager`.",
    )


def write_unfinished(where: str, target: str, problem: str, state: str) -> AzCLIError:
    """Return the error for a change that Azure accepted but that did not finish.

    :param problem: what happened instead, without a period.
    :param state: a sentence on the state of the registry now.
    """
    return cli_error(
        AzureResponseError,
        f"{where} was being set to `{target}`, but {problem}. {state}",
        "`az acr scope show --name REGISTRY` reads the state again. It is safe to repeat `az acr scope enforce`.",
    )


def with_state(error: AzCLIError, state: str) -> AzCLIError:
    """Return the same error with a sentence on the registry's current state at its end."""
    return type(error)(f"{error.error_msg} {state}", recommendation=error.recommendations)


NAME_LOGIN_SERVER = (
    "Signing in does not need Azure Resource Manager, nor the right to see the registry there, if you give the login "
    "server: az acr scope login --name LOGIN_SERVER"
)


def login_server_guessed(name: str, guess: str, cause: AzCLIError) -> str:
    """Return the warning that the login server was derived from the registry's name."""
    return sentence(
        f"Azure Resource Manager did not return the login server of '{name}' ({cause.error_msg}) "
        f"Signing in to {guess}. If that is not the registry you mean, give its login server."
    )


def login_server_needed(name: str, what: str) -> AzCLIError:
    """Return the error for a name where only a login server will do.

    :param what: what is missing, such as "the login server".
    """
    return cli_error(
        RequiredArgumentMissingError,
        f"Only Azure Resource Manager knows {what} of '{name}', and with this --credential the command never calls it.",
        "Give the login server with --name. Anyone who can read the registry gets it with "
        f"`az acr show --name {name} --query loginServer`.",
    )


def no_regional_login_servers(login_server: str) -> str:
    """Return the warning that a registry has no regional login servers."""
    return sentence(f"The registry has no regional login servers. Its only login server is {login_server}.")

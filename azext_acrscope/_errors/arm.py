"""The registry resource, and Azure Resource Manager's refusals."""

from collections.abc import Sequence

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    AzureResponseError,
    BadRequestError,
    ForbiddenError,
    InvalidArgumentValueError,
    ManualInterrupt,
    ResourceNotFoundError,
    UnauthorizedError,
)

from azext_acrscope._errors.wording import registries, registry_of


def no_subscription(tenant: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"The signed-in account has no subscription in tenant {tenant}, so no registry can be looked up.",
        "Name the login server, or a subscription with --subscription; `az account list --all` shows them.",
    )


def interrupted_write(where: str, target: str) -> AzCLIError:
    return ManualInterrupt(
        f"Interrupted while {where} was becoming `{target}`: Azure has the change and goes on with it.",
        "`az acr scope show` tells how it ended.",
    )


def registry_not_found(name: str, subscription: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"No registry named '{name}' was found in subscription {subscription}.",
        [
            "Name another subscription with --subscription; `az account list --output table` shows them.",
            "A registry made or moved minutes ago may not be indexed yet: name its group with --resource-group.",
        ],
    )


def registry_gone(where: str, subscription: str, code: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"{where} was not found in subscription {subscription} ({code}).",
        "Check the name and --resource-group, or leave --resource-group out to search the subscription.",
    )


def login_server_not_found(login_server: str, found: list[str], subscription: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"No registry in subscription {subscription} has the login server {login_server}. "
        f"Registries of that name there have: {', '.join(found)}.",
        "Name another subscription with --subscription, or check the login server.",
    )


def ambiguous_name(name: str, ids: Sequence[str]) -> AzCLIError:
    return InvalidArgumentValueError(
        f"{registries(len(ids))} are named '{name}': {', '.join(ids)}.", "Give the resource ID or --resource-group."
    )


def not_a_registry(where: str, why: str) -> AzCLIError:
    return AzureResponseError(
        f"The answer for {where} is not a container registry: {why}.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY and "
        "`az cloud show --query endpoints.resourceManager`.",
    )


def arm_refused(where: str, action: str, status: int, code: str, message: str, correlation: str) -> AzCLIError:
    """An answer of 400 or more from Azure Resource Manager, by status and error code.

    :param where: the registry, as a person names it.
    :param action: the right that the request needs, such as ``Microsoft.ContainerRegistry/registries/read``.
    """
    detail = f"{message} [{code}, HTTP {status}, correlation id {correlation}]."
    if code == "ScopeLocked":
        return ForbiddenError(
            f"A lock protects {where}: {detail}",
            "`az lock list` shows the locks; `az lock delete` by someone with that right removes one.",
        )
    if status == 401:
        return UnauthorizedError(
            f"Azure Resource Manager did not accept the sign-in: {detail}", "`az login`, then repeat the command."
        )
    if status == 403:
        return ForbiddenError(
            f"The signed-in account may not do this with {where}: {detail}",
            f"Ask for a role that grants {action} there, then `az account clear && az login` if it was just granted.",
        )
    if status == 429:
        return AzureResponseError(
            f"Azure Resource Manager is throttling this account: {detail}", "Wait a minute, then repeat the command."
        )
    if status >= 500:
        return AzureInternalError(
            f"Azure Resource Manager failed: {detail}", "Repeat the command; https://status.azure.com tells of outages."
        )
    if 300 <= status < 400:
        return AzureResponseError(
            f"Azure Resource Manager answered with a redirect, which is never followed: {detail}",
            "Check HTTPS_PROXY and `az cloud show --query endpoints.resourceManager`.",
        )
    kind = BadRequestError if status == 400 else AzureResponseError
    return kind(
        f"Azure Resource Manager refused the request for {where}: {detail}",
        "`az acr scope show` reads the state again; repeat the command once what the message names is mended.",
    )


def not_a_list(endpoint: str) -> AzCLIError:
    return AzureResponseError(
        f"An answer of Azure Resource Manager ({endpoint}) to a list is no part of a list, or the list has no end.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def policy_disallows(where: str, message: str, assignments: list[str], correlation: str) -> AzCLIError:
    """A write that Azure Policy refused.

    :param assignments: the IDs of the assignments that did; empty if the answer does not name them in its members.
    """
    code = f"[RequestDisallowedByPolicy, HTTP 403, correlation id {correlation}]"
    if not assignments:
        return ForbiddenError(
            f"An Azure Policy assignment forbids this change of {where}: {message} {code}.",
            [f"`az acr scope policy show --name {registry_of(where)}` shows which govern it.", _EXEMPTION.format("ID")],
        )
    named = " and ".join(f"'{each.split('/')[-1]}' ({each})" for each in assignments)
    return ForbiddenError(
        f"Azure Policy forbids this change of {where}: it is refused by the assignment {named} {code}.",
        [
            f"`az acr scope policy show --name {registry_of(where)}` shows all that govern it. Whoever owns the "
            "assignment can exempt the registry, or switch enforcement off for all:",
            _EXEMPTION.format(assignments[0]),
            f'`az policy assignment update --name "{assignments[0].split("/")[-1]}" '
            f'--scope "{assignments[0].rsplit("/providers/", 1)[0]}" --enforcement-mode DoNotEnforce`',
        ],
    )


_EXEMPTION = (
    '`az policy exemption create --name NAME --exemption-category Waiver --scope REGISTRY-ID --policy-assignment "{}"`'
)


def arm_link_refused(endpoint: str) -> AzCLIError:
    return AzureResponseError(
        f"Azure Resource Manager ({endpoint}) links to another host, which is never followed.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def write_unfinished(where: str, target: str, problem: str, state: str) -> AzCLIError:
    """A change that ARM took but that did not come to its end."""
    return AzureResponseError(
        f"{where} was to become `{target}`, but {problem}. {state}",
        "`az acr scope show` reads the state again; `az acr scope enforce` can be repeated safely.",
    )


def with_state(error: AzCLIError, state: str) -> AzCLIError:
    """The same error, ending in what state the registry is in now."""
    return type(error)(f"{error.error_msg} {state}", recommendation=error.recommendations)


def with_advice(error: AzCLIError, advice: str) -> AzCLIError:
    """The same error with one more next step."""
    return type(error)(error.error_msg, recommendation=[*error.recommendations, advice])


NAME_LOGIN_SERVER = (
    "Signing in needs no Azure Resource Manager if you name the login server: az acr scope login --name LOGIN_SERVER"
)


def login_server_guessed(name: str, guess: str, cause: AzCLIError) -> str:
    """A warning, not an error."""
    return (
        f"Azure Resource Manager did not tell the login server of '{name}' ({cause.error_msg}) "
        f"Signing in to {guess}. If that is not the registry you mean, name its login server."
    )


def arm_audience_named(audience: str) -> str:
    """A warning, not an error."""
    return (
        f"The setting acr.audience_resource names {audience}: signing in with a token that opens far more than images."
    )

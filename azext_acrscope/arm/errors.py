"""What went wrong here, in words: the error, why, and the next command to type."""

import re

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureConnectionError,
    AzureInternalError,
    AzureResponseError,
    BadRequestError,
    ForbiddenError,
    InvalidArgumentValueError,
    ResourceNotFoundError,
    UnauthorizedError,
)

from azext_acrscope.base.errors import cli_error, sentence
from azext_acrscope.base.resource_ids import name_in_id, parse_resource_id
from azext_acrscope.base.tokens import redact_secrets
from azext_acrscope.hops.errors import cause_of, network_advice, with_id


def bad_group(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' cannot be the name of a resource group.",
        "`az group list --output table` shows the groups.",
    )


def bad_management_group(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' cannot be the name of a management group.",
        "`az account management-group list --output table` shows the groups; the name is wanted, not the display name.",
    )


def bad_subscription(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' cannot be the ID of a subscription.",
        "`az account list --output table` shows the subscriptions.",
    )


def bad_name(text: str) -> AzCLIError:
    return cli_error(InvalidArgumentValueError, f"'{text}' cannot be a name in Azure.", "Check the spelling.")


def bad_resource_id(text: object, resource_type: str) -> AzCLIError:
    kind = f" of the type {resource_type}" if resource_type else ""
    return cli_error(
        InvalidArgumentValueError,
        f"'{str(text)[:200]}' cannot be a resource ID{kind}.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/TYPE/NAME.",
    )


def arm_refused(where: str, action: str, status: int, code: str, message: str, correlation: str) -> AzCLIError:
    """An answer of 400 or more from Azure Resource Manager, by status and error code.

    :param where: the registry, as a person names it.
    :param action: the right that the request needs, such as ``Microsoft.ContainerRegistry/registries/read``.
    """
    detail = f"{message} [{code}, HTTP {status}, correlation id {correlation}]."
    if code == "ScopeLocked":
        return cli_error(
            ForbiddenError,
            f"A lock protects {where}: {detail}",
            "`az lock list` shows the locks; `az lock delete` by someone with that right removes one.",
        )
    if status == 401:
        return cli_error(
            UnauthorizedError,
            f"Azure Resource Manager did not accept the sign-in: {detail}",
            "`az login`, then repeat the command.",
        )
    if status == 403:
        return cli_error(
            ForbiddenError,
            f"The signed-in account may not do this with {where}: {detail}",
            f"Ask for a role that grants {action} there, then `az account clear && az login` if it was just granted.",
        )
    if status == 429:
        return cli_error(
            AzureResponseError,
            f"Azure Resource Manager is throttling this account: {detail}",
            "Wait a minute, then repeat the command.",
        )
    if status >= 500:
        return cli_error(
            AzureInternalError,
            f"Azure Resource Manager failed: {detail}",
            "Repeat the command; https://status.azure.com tells of outages.",
        )
    if 300 <= status < 400:
        return cli_error(
            AzureResponseError,
            f"Azure Resource Manager answered with a redirect, which is never followed: {detail}",
            "Check HTTPS_PROXY and `az cloud show --query endpoints.resourceManager`.",
        )
    kind = BadRequestError if status == 400 else AzureResponseError
    return cli_error(
        kind,
        f"Azure Resource Manager refused the request for {where}: {detail}",
        "`az acr scope show` reads the state again; repeat the command once what the message names is mended.",
    )


def not_a_list(endpoint: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"An answer of Azure Resource Manager ({endpoint}) to a list is no part of a list, or the list has no end.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def policy_disallows(where: str, message: str, assignments: list[str], correlation: str) -> AzCLIError:
    """A write that Azure Policy refused.

    :param assignments: the IDs of the assignments that did; empty if the answer does not name them in its members.
    """
    code = f"[RequestDisallowedByPolicy, HTTP 403, correlation id {correlation}]"
    if not assignments:
        return cli_error(
            ForbiddenError,
            f"An Azure Policy assignment forbids this change of {where}: {message} {code}.",
            [f"`az acr scope policy show --name {registry_of(where)}` shows which govern it.", _EXEMPTION.format("ID")],
        )
    named = " and ".join(f"'{name_in_id(each)}' ({each})" for each in assignments)
    return cli_error(
        ForbiddenError,
        f"Azure Policy forbids this change of {where}: it is refused by the assignment {named} {code}.",
        [
            f"`az acr scope policy show --name {registry_of(where)}` shows all that govern it. Whoever owns the "
            "assignment can exempt the registry, or switch enforcement off for all:",
            _EXEMPTION.format(assignments[0]),
            f'`az policy assignment update --name "{name_in_id(assignments[0])}" '
            f'--scope "{parse_resource_id(assignments[0]).scope}" --enforcement-mode DoNotEnforce`',
        ],
    )


_EXEMPTION = (
    '`az policy exemption create --name NAME --exemption-category Waiver --scope REGISTRY-ID --policy-assignment "{}"`'
)


def arm_link_refused(endpoint: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"Azure Resource Manager ({endpoint}) links to another host, which is never followed.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


# --- sentences on what may be missing ------------------------------------------------------------------------------

GRAPH_LEFT_OUT = "Resource Graph answers for a part of the subscriptions only: there are too many."
GRAPH_CUT = "Resource Graph cut its answer short."


def no_subscription_in_graph(tenant: str, correlation: str) -> AzCLIError:
    return cli_error(
        ForbiddenError,
        f"The signed-in account sees no subscription in tenant {tenant}, so Azure Resource Graph has nothing to search "
        f"[NoValidSubscriptionsInQueryRequest{with_id(correlation)}].",
        "Ask for the role Reader on the subscriptions. `az account list --refresh --output table` shows those that the "
        "account sees.",
    )


_IDS = (
    '`az monitor log-analytics workspace list --query "[].{name: name, workspace: customerId, id: id}" '
    "--output table` shows the workspaces of the subscription; both forms of ID will do."
)
_QUERY = "Microsoft.OperationalInsights/workspaces/query/*/read"


def bad_workspace(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{redact_secrets(text)}' is no Log Analytics workspace's ID: neither a GUID nor a resource ID.",
        _IDS,
    )


def no_log_endpoint(cloud: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"The cloud in use ({cloud}) names no https endpoint for Log Analytics, so no log can be read.",
        "Leave --workspace out, or name the endpoint: "
        "`az cloud update --endpoint-log-analytics-resource-id https://HOST`.",
    )


def workspace_not_found(workspace: str, code: str) -> AzCLIError:
    return cli_error(ResourceNotFoundError, f"There is no Log Analytics workspace {workspace} ({code}).", _IDS)


def not_a_workspace(workspace: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"The answer for {workspace} holds no workspace ID (customerId).",
        f"Give the GUID itself. {_IDS}",
    )


def log_slow(endpoint: str, seconds: float) -> AzCLIError:
    return cli_error(
        AzureConnectionError,
        f"Log Analytics ({endpoint}) did not come to the end of its answer within {seconds:.0f} s.",
        "Repeat the command with fewer --days.",
    )


def not_an_answer(endpoint: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"The answer of Log Analytics ({endpoint}) is no table, or longer than any answer to this query.",
        "Something between here and Log Analytics may be answering in its place: check HTTPS_PROXY and "
        "`az cloud show --query endpoints.logAnalyticsResourceId`.",
    )


def log_refused(guid: str, endpoint: str, status: int, codes: list[str]) -> AzCLIError:
    """An answer other than 200. Of its words only the codes are repeated.

    :param codes: of the error and of those inside it.
    """
    detail = f"[{', '.join([*dict.fromkeys(codes), f'HTTP {status}'])}]."
    where = f"workspace {guid}"
    if status == 404:
        return cli_error(ResourceNotFoundError, f"Log Analytics knows no {where} {detail}", _IDS)
    if status == 401 or "InvalidAuthenticationToken" in " ".join(codes):
        return cli_error(
            UnauthorizedError,
            f"Log Analytics did not accept the sign-in {detail}",
            "`az login`, then repeat the command.",
        )
    if status == 403:
        return cli_error(
            ForbiddenError,
            f"The signed-in account may not query {where} {detail}",
            [
                f"Ask for the role Log Analytics Reader there; what it takes is {_QUERY}.",
                "A workspace can also refuse queries from public networks: then run the command from its own.",
            ],
        )
    if status == 429:
        return cli_error(
            AzureResponseError,
            f"Log Analytics is throttling this account {detail}",
            "Wait a minute, then repeat the command.",
        )
    if status >= 500:
        return cli_error(
            AzureInternalError,
            f"Log Analytics failed {detail}",
            "Repeat the command, with fewer --days if it stays so; https://status.azure.com tells of outages.",
        )
    if 300 <= status < 400:
        return cli_error(
            AzureResponseError,
            f"Log Analytics ({endpoint}) answered with a redirect, which is never followed {detail}",
            "Check HTTPS_PROXY and `az cloud show --query endpoints.logAnalyticsResourceId`.",
        )
    kind = BadRequestError if status == 400 else AzureResponseError
    return cli_error(
        kind, f"Log Analytics refused the query of {where} {detail}", "Repeat the command with fewer --days."
    )


# --- sentences, not errors -----------------------------------------------------------------------------------------


def log_partial(codes: list[str]) -> str:
    return sentence(
        f"Log Analytics answered in part only ({', '.join(dict.fromkeys(codes)) or 'no code'}): there may be more."
    )


def registry_of(where: str) -> str:
    """The name of the registry that a text of `registry.short_name` names, for commands."""
    found = re.match(r"Registry '(\w+)'", where, re.ASCII)
    return sentence(found[1] if found else "REGISTRY")


def service_unreachable(service: str, endpoint: str, cause: Exception) -> AzCLIError:
    why = cause_of(cause)
    return cli_error(AzureConnectionError, f"{service} ({endpoint}) could not be reached: {why}", network_advice(cause))

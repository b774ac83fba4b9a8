"""Make the errors and sentences about requests to Azure Resource Manager, Resource Graph and Log Analytics."""

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

from azext_acrscope.base.errors import cli_error, counted, sentence
from azext_acrscope.base.resource_ids import name_in_id, parse_resource_id
from azext_acrscope.base.tokens import redact_secrets
from azext_acrscope.hops.errors import cause_of, connection_error, network_advice, with_id


def bad_group(text: str) -> AzCLIError:
    """Return the error for a text that cannot be the name of a resource group."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' cannot be the name of a resource group.",
        "`az group list --output table` shows the groups.",
    )


def bad_management_group(text: str) -> AzCLIError:
    """Return the error for a text that cannot be the name of a management group."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' cannot be the name of a management group.",
        "`az account management-group list --output table` shows the groups. Give the name, not the display name.",
    )


def bad_subscription(text: str) -> AzCLIError:
    """Return the error for a text that cannot be the ID of a subscription."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' cannot be the ID of a subscription.",
        "`az account list --output table` shows the subscriptions.",
    )


def bad_name(text: str) -> AzCLIError:
    """Return the error for a text that cannot be the name of any Azure resource."""
    return cli_error(InvalidArgumentValueError, f"'{text}' cannot be a name in Azure.", "Check the spelling.")


def bad_resource_id(text: object, resource_type: str) -> AzCLIError:
    """Return the error for a text that cannot be a resource ID.

    :param resource_type: the type that the ID must have; empty for any.
    """
    kind = f" of the type {resource_type}" if resource_type else ""
    return cli_error(
        InvalidArgumentValueError,
        f"'{str(text)[:200]}' cannot be a resource ID{kind}.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/TYPE/NAME.",
    )


def arm_refused(where: str, action: str, status: int, *, code: str, message: str, correlation: str) -> AzCLIError:
    """Return the error for an answer of 400 or more from Azure Resource Manager, by status and error code.

    :param where: the registry, as a person names it.
    :param action: the right that the request needs, such as ``Microsoft.ContainerRegistry/registries/read``.
    """
    detail = f"{message} [{code}, HTTP {status}, correlation id {correlation}]."
    if code == "ScopeLocked":
        return cli_error(
            ForbiddenError,
            f"A lock protects {where}: {detail}",
            "`az lock list` shows the locks. Somebody with that right can remove one with `az lock delete`.",
        )
    if status == 401:
        return cli_error(
            UnauthorizedError,
            f"Azure Resource Manager did not accept the sign-in: {detail}",
            "Run `az login`, then repeat the command.",
        )
    if status == 403:
        return cli_error(
            ForbiddenError,
            f"The signed-in account has no permission for this on {where}: {detail}",
            f"Ask for a role that grants {action} there. If it was just granted, run `az account clear && az login`.",
        )
    if _is_unavailable(status):
        return _arm_unavailable(status, detail)
    kind = BadRequestError if status == 400 else AzureResponseError
    return cli_error(
        kind,
        f"Azure Resource Manager refused the request for {where}: {detail}",
        "`az acr scope show --name REGISTRY` reads the state again. Fix what the message names, then repeat the "
        "command.",
    )


def _is_unavailable(status: int) -> bool:
    """Whether an answer says nothing about the request itself: throttling, a redirect, a fault of the service."""
    return status == 429 or 300 <= status < 400 or status >= 500


def _arm_unavailable(status: int, detail: str) -> AzCLIError:
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
            "Repeat the command; https://status.azure.com shows outages.",
        )
    return cli_error(
        AzureResponseError,
        f"Azure Resource Manager answered with a redirect, which is never followed: {detail}",
        "Check HTTPS_PROXY and `az cloud show --query endpoints.resourceManager`.",
    )


def not_a_list(endpoint: str) -> AzCLIError:
    """Return the error for a list request whose answer is not a list."""
    return cli_error(
        AzureResponseError,
        f"Azure Resource Manager ({endpoint}) answered a list request with something that is not a list, is not the "
        "whole list, or has no end.",
        "A proxy may be answering in place of Azure Resource Manager. Check HTTPS_PROXY.",
    )


def policy_disallows(where: str, message: str, assignments: list[str], correlation: str) -> AzCLIError:
    """Return the error for a write that Azure Policy refused.

    :param assignments: the IDs of the assignments that did; empty if the answer does not name them in its members.
    """
    code = f"[RequestDisallowedByPolicy, HTTP 403, correlation id {correlation}]"
    if not assignments:
        return cli_error(
            ForbiddenError,
            f"An Azure Policy assignment forbids this change to {where}: {message} {code}.",
            [
                f"`az acr scope policy show --name {_registry_of(where)}` shows which assignments apply.",
                _EXEMPTION.format("ID"),
            ],
        )
    named = " and ".join(f"'{name_in_id(each)}' ({each})" for each in assignments)
    return cli_error(
        ForbiddenError,
        f"Azure Policy forbids this change to {where}: it was refused by the assignment {named} {code}.",
        [
            f"`az acr scope policy show --name {_registry_of(where)}` shows all assignments that apply. The owner "
            "of the assignment can exempt the registry, or turn off enforcement for all registries:",
            _EXEMPTION.format(assignments[0]),
            f'`az policy assignment update --name "{name_in_id(assignments[0])}" '
            f'--scope "{parse_resource_id(assignments[0]).scope}" --enforcement-mode DoNotEnforce`',
        ],
    )


_EXEMPTION = (
    '`az policy exemption create --name NAME --exemption-category Waiver --scope REGISTRY-ID --policy-assignment "{}"`'
)


def arm_link_refused(endpoint: str) -> AzCLIError:
    """Return the error for a link of Azure Resource Manager to another host."""
    return cli_error(
        AzureResponseError,
        f"Azure Resource Manager ({endpoint}) returned a link to another host. Such links are never followed.",
        "A proxy may be answering in place of Azure Resource Manager. Check HTTPS_PROXY.",
    )


# --- sentences on what may be missing ------------------------------------------------------------------------------

GRAPH_LEFT_OUT = "Resource Graph searched only part of the subscriptions because there are too many."
GRAPH_CUT = "Resource Graph returned only part of its answer."
GRAPH_SHORT = "Resource Graph returned fewer rows than it counted, or did not count them."


def graph_rows_unread(number: int) -> str:
    """Return the sentence on rows of Resource Graph that could not be read."""
    return sentence(f"{counted(number, 'row', 'rows')} of Resource Graph could not be read.")


def no_subscription_in_graph(tenant: str, correlation: str) -> AzCLIError:
    """Return the error for an account that sees no subscription in Resource Graph."""
    return cli_error(
        ForbiddenError,
        f"The signed-in account sees no subscription in tenant {tenant}, so Azure Resource Graph has nothing to search "
        f"[NoValidSubscriptionsInQueryRequest{with_id(correlation)}].",
        "Ask for the role Reader on the subscriptions. `az account list --refresh --output table` lists those that the "
        "account sees.",
    )


_IDS = (
    '`az monitor log-analytics workspace list --query "[].{name: name, workspace: customerId, id: id}" '
    "--output table` lists the workspaces of the subscription. Either ID works."
)
_QUERY = "Microsoft.OperationalInsights/workspaces/query/*/read"


def bad_workspace(text: str) -> AzCLIError:
    """Return the error for a text that is not the ID of a Log Analytics workspace."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{redact_secrets(text)}' is not the ID of a Log Analytics workspace: it is neither a GUID nor a resource ID.",
        _IDS,
    )


def no_log_endpoint(cloud: str) -> AzCLIError:
    """Return the error for a cloud that defines no endpoint for Log Analytics."""
    return cli_error(
        InvalidArgumentValueError,
        f"The active cloud ({cloud}) defines no https endpoint for Log Analytics, so no log can be read.",
        "Leave out --workspace, or set the endpoint: "
        "`az cloud update --endpoint-log-analytics-resource-id https://HOST`.",
    )


def workspace_not_found(workspace: str, code: str) -> AzCLIError:
    """Return the error for a workspace that does not exist."""
    return cli_error(ResourceNotFoundError, f"There is no Log Analytics workspace {workspace} ({code}).", _IDS)


def not_a_workspace(workspace: str) -> AzCLIError:
    """Return the error for an answer without the workspace's own ID."""
    return cli_error(
        AzureResponseError,
        f"The answer for {workspace} has no workspace ID (customerId).",
        f"Give the GUID itself. {_IDS}",
    )


def log_slow(endpoint: str, seconds: float) -> AzCLIError:
    """Return the error for an answer of Log Analytics that did not end in time."""
    return cli_error(
        AzureConnectionError,
        f"Log Analytics ({endpoint}) did not finish its answer within {seconds:.0f} s.",
        "Repeat the command with fewer --days.",
    )


def not_an_answer(endpoint: str) -> AzCLIError:
    """Return the error for an answer of Log Analytics that is not a table."""
    return cli_error(
        AzureResponseError,
        f"The answer from Log Analytics ({endpoint}) is not a table, or is longer than any answer to this query.",
        "A proxy may be answering in place of Log Analytics. Check HTTPS_PROXY and "
        "`az cloud show --query endpoints.logAnalyticsResourceId`.",
    )


def log_refused(guid: str, endpoint: str, status: int, codes: list[str]) -> AzCLIError:
    """Return the error for an answer of Log Analytics other than 200; of its text only the codes are repeated.

    :param codes: of the error and of those inside it.
    """
    detail = f"[{', '.join([*dict.fromkeys(codes), f'HTTP {status}'])}]."
    where = f"workspace {guid}"
    if status == 404:
        return cli_error(ResourceNotFoundError, f"Log Analytics has no {where} {detail}", _IDS)
    if status == 401 or "InvalidAuthenticationToken" in " ".join(codes):
        return cli_error(
            UnauthorizedError,
            f"Log Analytics did not accept the sign-in {detail}",
            "Run `az login`, then repeat the command.",
        )
    if status == 403:
        return cli_error(
            ForbiddenError,
            f"The signed-in account has no permission to query {where} {detail}",
            [
                f"Ask for the role Log Analytics Reader there. The permission needed is {_QUERY}.",
                "A workspace can also refuse queries from public networks. If so, run the command from its own "
                "network.",
            ],
        )
    if _is_unavailable(status):
        return _log_unavailable(endpoint, status, detail)
    kind = BadRequestError if status == 400 else AzureResponseError
    return cli_error(
        kind, f"Log Analytics refused the query of {where} {detail}", "Repeat the command with fewer --days."
    )


def _log_unavailable(endpoint: str, status: int, detail: str) -> AzCLIError:
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
            "Repeat the command, with fewer --days if it fails again; https://status.azure.com shows outages.",
        )
    return cli_error(
        AzureResponseError,
        f"Log Analytics ({endpoint}) answered with a redirect, which is never followed {detail}",
        "Check HTTPS_PROXY and `az cloud show --query endpoints.logAnalyticsResourceId`.",
    )


# --- sentences, not errors -----------------------------------------------------------------------------------------


def log_partial(codes: list[str]) -> str:
    """Return the sentence on an answer of Log Analytics that is only a part."""
    return sentence(
        f"Log Analytics returned only part of its answer ({', '.join(dict.fromkeys(codes)) or 'no code'}): there may "
        "be more."
    )


def _registry_of(where: str) -> str:
    """Return the registry's name from a text of `registry.resource.registry_label`, for use in commands."""
    found = re.match(r"Registry '(\w+)'", where, re.ASCII)
    return sentence(found[1] if found else "REGISTRY")


def answer_unreadable(service: str, endpoint: str, why: str) -> AzCLIError:
    """Return the error for an answer whose headers cannot be read.

    :param why: the name of the exception.
    """
    return cli_error(
        AzureResponseError,
        f"The answer from {service} ({endpoint}) cannot be read ({why}).",
        "A proxy may be answering in its place. Check HTTPS_PROXY, then repeat the command.",
    )


def service_unreachable(service: str, endpoint: str, cause: Exception) -> AzCLIError:
    """Return the error for a service that could not be reached."""
    text = f"{service} ({endpoint}) could not be reached: {cause_of(cause)}"
    return cli_error(connection_error(cause), text, network_advice(cause))

"""The log of sign-ins: which workspace, what Log Analytics refuses, and what the log cannot say."""

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

from azext_acrscope._errors.wording import counted
from azext_acrscope.tokens import redact_strictly

_IDS = (
    '`az monitor log-analytics workspace list --query "[].{name: name, workspace: customerId, id: id}" '
    "--output table` shows the workspaces of the subscription; both forms of ID will do."
)
_FEW = 5  # registries that a command to type names
_QUERY = "Microsoft.OperationalInsights/workspaces/query/*/read"


def bad_workspace(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{redact_strictly(text)}' is no Log Analytics workspace's ID: neither a GUID nor a resource ID.", _IDS
    )


def bad_days(text: str, longest: int) -> AzCLIError:
    return InvalidArgumentValueError(
        f"--days takes a whole number from 1 to {longest}, not '{redact_strictly(text)}'.", "Leave it out for a week."
    )


def no_log_endpoint(cloud: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The cloud in use ({cloud}) names no https endpoint for Log Analytics, so no log can be read.",
        "Leave --workspace out, or name the endpoint: "
        "`az cloud update --endpoint-log-analytics-resource-id https://HOST`.",
    )


def workspace_not_found(workspace: str, code: str) -> AzCLIError:
    return ResourceNotFoundError(f"There is no Log Analytics workspace {workspace} ({code}).", _IDS)


def not_a_workspace(workspace: str) -> AzCLIError:
    return AzureResponseError(
        f"The answer for {workspace} holds no workspace ID (customerId).",
        f"Give the GUID itself. {_IDS}",
    )


def log_slow(endpoint: str, seconds: float) -> AzCLIError:
    return AzureConnectionError(
        f"Log Analytics ({endpoint}) did not come to the end of its answer within {seconds:.0f} s.",
        "Repeat the command with fewer --days.",
    )


def not_an_answer(endpoint: str) -> AzCLIError:
    return AzureResponseError(
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
        return ResourceNotFoundError(f"Log Analytics knows no {where} {detail}", _IDS)
    if status == 401 or "InvalidAuthenticationToken" in " ".join(codes):
        return UnauthorizedError(
            f"Log Analytics did not accept the sign-in {detail}", "`az login`, then repeat the command."
        )
    if status == 403:
        return ForbiddenError(
            f"The signed-in account may not query {where} {detail}",
            [
                f"Ask for the role Log Analytics Reader there; what it takes is {_QUERY}.",
                "A workspace can also refuse queries from public networks: then run the command from its own.",
            ],
        )
    if status == 429:
        return AzureResponseError(
            f"Log Analytics is throttling this account {detail}", "Wait a minute, then repeat the command."
        )
    if status >= 500:
        return AzureInternalError(
            f"Log Analytics failed {detail}",
            "Repeat the command, with fewer --days if it stays so; https://status.azure.com tells of outages.",
        )
    if 300 <= status < 400:
        return AzureResponseError(
            f"Log Analytics ({endpoint}) answered with a redirect, which is never followed {detail}",
            "Check HTTPS_PROXY and `az cloud show --query endpoints.logAnalyticsResourceId`.",
        )
    kind = BadRequestError if status == 400 else AzureResponseError
    return kind(f"Log Analytics refused the query of {where} {detail}", "Repeat the command with fewer --days.")


# --- sentences, not errors -----------------------------------------------------------------------------------------


def log_partial(codes: list[str]) -> str:
    return f"Log Analytics answered in part only ({', '.join(dict.fromkeys(codes)) or 'no code'}): there may be more."


def log_cut(most: int) -> str:
    return f"The log has more clients than the {most:,} that were read, those with the latest events: try fewer --days."


def log_rows_unread(number: int) -> str:
    return f"{counted(number, 'row', 'rows')} of the log could not be read."


def no_logins(names: str, days: int, registry_id: str, workspace: str) -> str:
    """:param names: of the registries without any event.
    :param registry_id: of the first of them.
    :param workspace: for the command: a resource ID, or a word in its place.
    """
    return (
        f"No sign-in to {names} is in the log of {_last(days)}. That proves nothing: events exist only where a "
        "diagnostic setting sends the category ContainerRegistryLoginEvents to this workspace. "
        f"`az monitor diagnostic-settings create --name acr-logins --resource {registry_id} --workspace {workspace} "
        """--logs '[{"category": "ContainerRegistryLoginEvents", "enabled": true}]'` """
        f"makes one for {registry_id.rpartition('/')[2]}."
    )


def logins_seen(clients: int, newly: int, days: int) -> str:
    return f"Sign-ins of {_last(days)}: {counted(clients, 'client', 'clients')}, {newly} newly refused."


LOG_LIMITS = (
    "The log has no column for the audience: a sign-in in it may have used either. Who is not in it may pull all the "
    "same, or fail without a trace, as pulls of Foundry did: absence proves nothing. Events arrive some minutes late."
)


def newly_refused(number: int) -> str:
    return f"{counted(number, 'client', 'clients')} signed in before and {'is' if number == 1 else 'are'} refused now:"


def newly_refused_client(
    who: str, address: str, agent: str, registry: str, signed_in: str, since: str | None, last: str
) -> str:
    """:param since: None where it is known of the last refusal only that it is later than the last sign-in."""
    refused = f"refused since {since}" if since else f"refused at {last}"
    return f"{registry}: {who} from {address} with {agent}: signed in until {signed_in}, {refused}"


def to_go_back(ids: list[str]) -> str:
    """:param ids: resource IDs of registries, for they may be in other subscriptions than the one in use."""
    named = " ".join(ids) if len(ids) <= _FEW else "ID …"
    return (
        f"To let them in again at once: `az acr scope enforce --status enabled --ids {named}`, or "
        "`az acr scope enforce --undo RECORD` for all that a run changed."
    )


def _last(days: int) -> str:
    return f"the last {days} days" if days > 1 else "the last day"

"""Make the errors of the second hop: a login server, its challenge, its exchange and its access tokens."""

import re

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureConnectionError,
    AzureInternalError,
    AzureResponseError,
    ForbiddenError,
    UnauthorizedError,
)

from azext_acrscope.base.errors import cli_error
from azext_acrscope.base.tokens import ACR_AUDIENCE, safe_word
from azext_acrscope.hops.errors import cause_of, connection_error, name_of, network_advice, with_id


class ThrottledError(AzureResponseError):
    """A login server that takes no more requests now: the credential helper tells it from a refusal."""


def login_server_unreachable(login_server: str, cause: Exception) -> AzCLIError:
    """Return the error for a login server that cannot be reached."""
    return cli_error(
        connection_error(cause),
        f"The login server {login_server} could not be reached: {cause_of(cause)}",
        network_advice(cause, login_server),
    )


def login_server_slow(login_server: str, seconds: float) -> AzCLIError:
    """Return the error for a login server whose answer did not end in time."""
    return cli_error(
        AzureConnectionError,
        f"{login_server} did not finish its answer within {seconds:g} seconds.",
        "Repeat the command in a minute.",
    )


def no_challenge(login_server: str, status: int, why: str) -> AzCLIError:
    """Return the error for a host that does not answer like a registry."""
    return cli_error(
        AzureResponseError,
        f"{login_server} does not answer like a container registry: {why} (HTTP {status}). No token was sent.",
        f"Check the name. `az acr check-health --name {name_of(login_server)}` examines the connection.",
    )


def foreign_realm(login_server: str, realm: str) -> AzCLIError:
    """Return the error for a challenge that names another host.

    :param realm: the URL that the challenge names.
    """
    return cli_error(
        AzureResponseError,
        f"{login_server} directs credentials to another host: its challenge names the realm '{safe_word(realm)}', "
        f"not https://{login_server}/oauth2/token. No token was sent.",
        "A proxy may be answering in place of the registry. Check DNS and HTTPS_PROXY.",
    )


def redirected(login_server: str, status: int, to_host: str) -> AzCLIError:
    """Return the error for a redirect, which is never followed."""
    return cli_error(
        AzureResponseError,
        f"{login_server} answered with a redirect to '{to_host}' (HTTP {status}). Redirects are refused because "
        "they would take a token to another host.",
        "A proxy may be answering in place of the registry. Check DNS and HTTPS_PROXY.",
    )


def network_refused(login_server: str, code: str, message: str, correlation: str) -> AzCLIError:
    """Return the error for a registry that refuses this machine's network.

    :param message: of the answer; only the address in it is shown.
    """
    address = re.search(r"client with IP '([0-9a-fA-F.:]{2,45})'", message)
    shown = f" (it sees the address {address[1]})" if address else ""
    return cli_error(
        ForbiddenError,
        f"{login_server} refuses this machine's network{shown}, for every account "
        f"[{code}, HTTP 403{with_id(correlation)}].",
        [
            "Public access is off or limited. Connect through the private endpoint, or allow this address:",
            f"az acr network-rule add --name {name_of(login_server)} --ip-address ADDRESS",
        ],
    )


def exchange_refused(
    login_server: str, status: int, *, code: str, correlation: str, retry_after: str, tenant: str, audience: str
) -> AzCLIError:
    """Return the error for an answer to POST /oauth2/exchange other than 200 and 403.

    The meaning of each status is from public issues and recordings. Texts differ, so nothing depends on them.
    """
    detail = f"[{code}, HTTP {status}{with_id(correlation)}]"
    if status == 401:
        return _token_refused(login_server, detail, tenant, audience)
    if status == 404:
        return cli_error(
            AzureResponseError,
            f"{login_server} has no token exchange {detail}. It may not be a container registry.",
            "Check the name.",
        )
    if status == 413:
        return cli_error(
            AzureResponseError,
            f"{login_server} rejects the Entra token as too large {detail}. This happens to accounts in very many "
            "groups.",
            "Sign in with a service principal or a managed identity, or reduce the groups in the token.",
        )
    if status == 429:
        wait = f"Wait {retry_after} seconds" if retry_after else "Wait a minute"
        return cli_error(
            ThrottledError,
            f"{login_server} is throttling sign-ins {detail}, and all retries failed.",
            f"{wait}, then repeat the command. All clients of the registry share the limit.",
        )
    if status >= 500:
        return cli_error(
            AzureInternalError,
            f"{login_server} failed {detail}, and all retries failed.",
            "Repeat the command in a minute.",
        )
    return cli_error(AzureResponseError, f"{login_server} refused the token exchange {detail}.")


def _token_refused(login_server: str, detail: str, tenant: str, audience: str) -> AzCLIError:
    if audience != ACR_AUDIENCE:
        return cli_error(
            UnauthorizedError,
            f"{login_server} did not accept a token for the audience {audience}, which the setting "
            f"acr.audience_resource asked for {detail}. A registry whose status is `disabled` accepts "
            f"{ACR_AUDIENCE} only.",
            [
                "`az config unset acr.audience_resource` goes back to the default. Unset AZURE_ACR_AUDIENCE_RESOURCE "
                "also.",
                f"`az acr scope show --name {login_server}` shows what the registry accepts.",
            ],
        )
    return cli_error(
        UnauthorizedError,
        f"{login_server} did not accept the token of this account {detail}. Most often the account has no role on "
        f"this registry, or its tenant ({tenant}) is not the registry's.",
        [
            "`az account show` shows the active account. Select the registry's subscription with --subscription.",
            "Grant pull or push rights with `az role assignment create --role AcrPull` (or AcrPush) "
            "`--assignee IDENTITY --scope REGISTRY_ID`. They can take ten minutes to arrive.",
        ],
    )


def bad_exchange_answer(login_server: str, why: str, correlation: str) -> AzCLIError:
    """Return the error for a token exchange whose answer is not usable.

    :param why: what the answer holds.
    """
    return cli_error(
        AzureResponseError,
        f"{login_server} answered the token exchange with {why} [HTTP 200{with_id(correlation)}].",
        "A proxy may be answering in place of the registry. Check DNS and HTTPS_PROXY.",
    )


def access_refused(login_server: str, status: int, code: str, correlation: str) -> AzCLIError:
    """Return the error for an answer to POST /oauth2/token other than 200."""
    detail = f"[{code}, HTTP {status}{with_id(correlation)}]"
    if status == 401:
        return cli_error(
            UnauthorizedError,
            f"{login_server} issued a refresh token, but no access token for it {detail}.",
            "Repeat the command in a minute. Rights that were just changed take time to arrive.",
        )
    if status == 429:
        return cli_error(
            ThrottledError,
            f"{login_server} is throttling sign-ins {detail}, and all retries failed.",
            "Wait a minute, then repeat the command. All clients of the registry share the limit.",
        )
    kind = AzureInternalError if status >= 500 else AzureResponseError
    return cli_error(kind, f"{login_server} refused an access token {detail}.", "Check the names of the repositories.")


def bad_access_answer(login_server: str, why: str, correlation: str) -> AzCLIError:
    """Return the error for an access token request whose answer is not usable.

    :param why: what the answer holds.
    """
    return cli_error(
        AzureResponseError,
        f"{login_server} answered the request for an access token with {why} [HTTP 200{with_id(correlation)}].",
        "A proxy may be answering in place of the registry. Check DNS and HTTPS_PROXY.",
    )


def nothing_granted(login_server: str, repositories: list[str], actions: list[str]) -> AzCLIError:
    """Return the error for repositories that the account has no rights in."""
    return cli_error(
        ForbiddenError,
        f"{login_server} does not grant this account {', '.join(actions)} in {', '.join(repositories)}.",
        "Check the repository's name. Grant pull or push rights with `az role assignment create --role AcrPull` "
        "(or AcrPush, AcrDelete) `--assignee IDENTITY --scope REGISTRY_ID`. They can take ten minutes to arrive.",
    )

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
from azext_acrscope.hops.errors import cause_of, is_certificate_error, name_of, network_advice, with_id


class UntrustedCertificateError(AzureConnectionError):
    """A connection that failed because of the other side's certificate: a check tells it from other failures."""


def login_server_unreachable(login_server: str, cause: Exception) -> AzCLIError:
    kind = UntrustedCertificateError if is_certificate_error(cause) else AzureConnectionError
    return cli_error(
        kind,
        f"The login server {login_server} could not be reached: {cause_of(cause)}",
        network_advice(cause, login_server),
    )


def login_server_slow(login_server: str, seconds: float) -> AzCLIError:
    return cli_error(
        AzureConnectionError,
        f"{login_server} did not finish its answer within {seconds:g} seconds.",
        "Repeat the command in a minute.",
    )


def no_challenge(login_server: str, status: int, why: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"{login_server} does not answer like a container registry: {why} (HTTP {status}). No token was sent.",
        f"Check the name. `az acr check-health --name {name_of(login_server)}` examines the connection.",
    )


def foreign_realm(login_server: str, realm: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"{login_server} sends credentials to another place: its challenge names the realm '{safe_word(realm)}', "
        f"not https://{login_server}/oauth2/token. No token was sent.",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def redirected(login_server: str, status: int, to_host: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"{login_server} answered with a redirect to '{to_host}' (HTTP {status}). Redirects are refused: a token would "
        "follow them.",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def network_refused(login_server: str, code: str, message: str, correlation: str) -> AzCLIError:
    address = re.search(r"client with IP '([0-9a-fA-F.:]{2,45})'", message)
    shown = f" (seen from there as {address[1]})" if address else ""
    return cli_error(
        ForbiddenError,
        f"{login_server} refuses this machine's network{shown}, whoever signs in "
        f"[{code}, HTTP 403{with_id(correlation)}].",
        [
            "Public access is off or limited: connect through the private endpoint, or let this address in:",
            f"az acr network-rule add --name {name_of(login_server)} --ip-address ADDRESS",
        ],
    )


def exchange_refused(
    login_server: str, status: int, code: str, correlation: str, retry_after: str, tenant: str, audience: str
) -> AzCLIError:
    """The login server's answer to POST /oauth2/exchange, other than 200 and 403.

    Statuses and their meanings are those seen in public issues and recordings; texts differ and are not relied on.
    """
    detail = f"[{code}, HTTP {status}{with_id(correlation)}]"
    if status == 401 and audience != ACR_AUDIENCE:
        return cli_error(
            UnauthorizedError,
            f"{login_server} did not accept a token for the audience {audience}, which the setting "
            f"acr.audience_resource asked for {detail}. A registry whose status is `disabled` accepts "
            f"{ACR_AUDIENCE} only.",
            [
                "`az config unset acr.audience_resource` goes back to it; unset AZURE_ACR_AUDIENCE_RESOURCE, too.",
                f"`az acr scope show --name {login_server}` tells what the registry accepts.",
            ],
        )
    if status == 401:
        return cli_error(
            UnauthorizedError,
            f"{login_server} did not accept the token of this account {detail}. Most often the account has no role on "
            f"this registry, or its tenant ({tenant}) is not the registry's.",
            [
                "See who is signed in with `az account show`; choose the registry's subscription with --subscription.",
                "Pull and push rights are given with `az role assignment create --role AcrPull` (or AcrPush) "
                "`--assignee IDENTITY --scope REGISTRY_ID` and can take ten minutes to arrive.",
            ],
        )
    if status == 404:
        return cli_error(
            AzureResponseError,
            f"{login_server} has no token exchange {detail}. It may be no container registry.",
            "Check the name.",
        )
    if status == 413:
        return cli_error(
            AzureResponseError,
            f"{login_server} finds the Entra token too large {detail}, as happens to accounts in very many groups.",
            "Sign in with a service principal or a managed identity, or reduce the groups that the token carries.",
        )
    if status == 429:
        wait = f"Wait {retry_after} seconds" if retry_after else "Wait a minute"
        return cli_error(
            AzureResponseError,
            f"{login_server} limits sign-ins to it at the moment {detail}; all tries were used up.",
            f"{wait}, then repeat the command. The limit is the registry's, shared by all its clients.",
        )
    if status >= 500:
        return cli_error(
            AzureInternalError,
            f"{login_server} failed {detail}; all tries were used up.",
            "Repeat the command in a minute.",
        )
    return cli_error(AzureResponseError, f"{login_server} refused the token exchange {detail}.")


def bad_exchange_answer(login_server: str, why: str, correlation: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"{login_server} answered the token exchange with {why} [HTTP 200{with_id(correlation)}].",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def access_refused(login_server: str, status: int, code: str, correlation: str) -> AzCLIError:
    """The login server's answer to POST /oauth2/token, other than 200."""
    detail = f"[{code}, HTTP {status}{with_id(correlation)}]"
    if status == 401:
        return cli_error(
            UnauthorizedError,
            f"{login_server} gave a refresh token, and then no access token for it {detail}.",
            "Repeat the command in a minute: rights that were just changed take time to arrive.",
        )
    if status == 429:
        return cli_error(
            AzureResponseError,
            f"{login_server} limits sign-ins to it at the moment {detail}; all tries were used up.",
            "Wait a minute, then repeat the command. The limit is the registry's, shared by all its clients.",
        )
    kind = AzureInternalError if status >= 500 else AzureResponseError
    return cli_error(kind, f"{login_server} refused an access token {detail}.", "Check the names of the repositories.")


def bad_access_answer(login_server: str, why: str, correlation: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"{login_server} answered the request for an access token with {why} [HTTP 200{with_id(correlation)}].",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def nothing_granted(login_server: str, repositories: list[str], actions: list[str]) -> AzCLIError:
    return cli_error(
        ForbiddenError,
        f"{login_server} grants this account nothing of {', '.join(actions)} in {', '.join(repositories)}.",
        "Check the repository's name. Pull and push rights are given with `az role assignment create --role AcrPull` "
        "(or AcrPush, AcrDelete) `--assignee IDENTITY --scope REGISTRY_ID` and can take ten minutes to arrive.",
    )

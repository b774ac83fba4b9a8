"""First hop: Entra ID gives the account of the CLI, or another identity, a token for the registry audience.

The audience is ``https://containerregistry.azure.net`` in every cloud (azure-cli, the SDKs and the AKS kubelet agree);
``az config set acr.audience_resource=…`` overrides it, as it does for ``az acr login``.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import http, threads
from azext_acrscope.base.tokens import ACR_AUDIENCE, EntraToken, read_claims
from azext_acrscope.hops import cli_sign_in, managed_identity_errors, sign_in_errors
from azext_acrscope.hops.principals import Principal, RequestedIdentity

# The application behind that audience; tokens of version 2.0 carry its id as their audience.
_ACR_APP_ID = "76c92352-c057-4cc2-9b1e-f34c32bc58bd"

T = TypeVar("T")

ACCOUNT_TOKEN_SECONDS = 120.0  # for a token of the CLI's account, with all requests that MSAL makes for it


def registry_audience(cli_ctx: Any) -> str:
    """Return the audience to request. The override is a URL, or the NAME in https://NAME.azure.net."""
    configured = cli_ctx.config.get("acr", "audience_resource", fallback=None)
    if not configured:
        return ACR_AUDIENCE
    if re.match(r"[a-z]+://", configured):
        return str(configured)
    if re.fullmatch(r"[a-z0-9-]+", configured):
        return f"https://{configured}.azure.net"
    raise base_errors.bad_setting("acr.audience_resource", configured, "a URL or a short name")


def acquire_token(cli_ctx: Any, wanted: str, source: RequestedIdentity) -> EntraToken:
    """Return a token for the audience `wanted`. Never prompts, and never tries another source than the one named.

    :raises AuthenticationError: not signed in, sign-in expired or refused, or a token for another audience came back.
    :raises InvalidArgumentValueError: the subscription named is not the account's.
    :raises AzureConnectionError: Entra ID could not be reached, or did not answer in time.
    :raises RequiredArgumentMissingError, FileOperationError: what another identity needs is not there.
    """
    if source.credential == "cli":
        # MSAL's own requests have no timeout, and a container client would wait for the helper without an end.
        try:
            token = threads.run_with_deadline(
                lambda: _acquire_account_token(cli_ctx, wanted, source), ACCOUNT_TOKEN_SECONDS
            )
        except threads.DeadlineExceeded:
            raise sign_in_errors.identity_slow("cli", ACCOUNT_TOKEN_SECONDS) from None
    else:
        from azext_acrscope.hops import identities

        token = identities.acquire_identity_token(cli_ctx, wanted, source)
    _check_audience(token, wanted, source.credential)
    # The token's own word for its tenant, which may have been named by a domain, or not at all.
    return EntraToken(token, str(read_claims(token).get("tid", source.tenant or "")), wanted)


def _acquire_account_token(cli_ctx: Any, wanted: str, source: RequestedIdentity) -> str:
    """A token of the CLI's account, for the tenant of its subscription or for one where the person is a guest."""
    from azure.cli.core._profile import Profile

    profile = Profile(cli_ctx=cli_ctx)
    account = account_for_subscription(profile, cli_ctx, source.subscription)

    if not source.tenant or source.tenant == account["tenantId"]:
        (_, token, _), _, _ = call_entra(
            lambda: profile.get_raw_token(resource=wanted, subscription=account["id"]), wanted, account
        )
    else:
        (_, token, _), _, _ = call_entra(
            lambda: profile.get_raw_token(resource=wanted, tenant=source.tenant),
            wanted,
            {**account, "tenantId": source.tenant},
            lambda error: sign_in_errors.tenant_not_of_account(str(source.tenant), error),
        )
    return str(token)


def call_entra(
    request: Callable[[], T],
    wanted: str,
    account: dict[str, Any],
    unable: Callable[[Exception], AzCLIError] = sign_in_errors.not_signed_in,
) -> T:
    """Return what the CLI gets from Entra ID, or from the machine's endpoint, for one of its accounts.

    An answer that breaks off is requested once more.

    :param request: calls the CLI, which may read its files and connect as soon as it makes a credential.
    :param unable: makes the error where the CLI itself cannot do it for this account.
    :raises AuthenticationError: refused, or an answer that makes no sense; nothing of it is repeated.
    :raises AzureConnectionError: no connection.
    :raises FileOperationError: a file that the sign-in needs cannot be read.
    """
    http.load_requests()
    from azure.cli.core.azclierror import AuthenticationError
    from knack.util import CLIError
    from requests.exceptions import RequestException

    http.prepare_connections()
    try:
        return http.repeat_if_cut_short(request)
    except AuthenticationError as error:
        raise _refused(error, wanted, account) from None
    except AzCLIError:
        raise
    except CLIError as error:
        raise unable(error) from None
    except RequestException as error:
        if cli_sign_in.is_managed_identity(account):
            raise managed_identity_errors.no_identity_endpoint(error, by_account=True) from None
        raise sign_in_errors.entra_unreachable(error) from None
    except Exception as error:  # pylint: disable=broad-exception-caught  # MSAL raises of many kinds
        raise _failed(error, wanted, account) from None


def _refused(error: Any, wanted: str, account: dict[str, Any]) -> AzCLIError:
    again = cli_sign_in.sign_in_command(account, wanted)
    if not cli_sign_in.is_managed_identity(account):
        return sign_in_errors.sign_in_refused(wanted, account, error, again, cli_sign_in.repeats_request(account))
    answer = f"{error} {getattr(error, 'msal_error', None)}"
    if "AADSTS" in answer:
        sign_in = Principal("cli", account["tenantId"], "of the managed identity")
        return base_errors.with_advice(sign_in_errors.identity_refused(wanted, sign_in, answer), again)
    return managed_identity_errors.no_managed_identity(wanted, answer, again=again)


def _failed(error: Exception, wanted: str, account: dict[str, Any]) -> AzCLIError:
    """The error for an exception of a library: because of a local file, or an answer that makes no sense."""
    if cli_sign_in.is_managed_identity(account):
        again = cli_sign_in.sign_in_command(account, wanted)
        return managed_identity_errors.find_key_file(error) or managed_identity_errors.no_managed_identity(
            wanted, type(error).__name__, again=again
        )
    if refusal := sign_in_errors.find_refusal(error):
        again = cli_sign_in.sign_in_command(account, wanted)
        return sign_in_errors.sign_in_refused(wanted, account, ValueError(refusal), again)
    broken = cli_sign_in.find_broken_file(account, wanted, error)
    return broken or sign_in_errors.entra_failed(wanted, type(error).__name__)


def account_for_subscription(profile: Any, cli_ctx: Any, subscription_id: str | None) -> dict[str, Any]:
    """Return the account of a subscription in a resource ID; if the CLI does not know it, the active account."""
    known = profile.load_cached_subscriptions()
    if subscription_id and any(each["id"].lower() == subscription_id.lower() for each in known):
        return find_account(profile, subscription_id)
    return find_account(profile, cli_ctx.data.get("subscription_id"))


def find_account(profile: Any, subscription: str | None) -> dict[str, Any]:
    """Return the CLI account (a dict with `id`, `tenantId`, `name` …) of a subscription, by default the active one."""
    from knack.util import CLIError

    try:
        found: dict[str, Any] = profile.get_subscription(subscription)
        return found
    except CLIError as error:
        if not profile.load_cached_subscriptions():
            raise sign_in_errors.not_signed_in(error) from error
        raise sign_in_errors.unknown_subscription(error) from error


def _check_audience(token: str, wanted: str, credential: str = "cli") -> None:
    """Entra gives what was asked for; a broken or hostile identity endpoint may not. Then nothing leaves."""
    got = str(read_claims(token).get("aud", ""))
    if got.rstrip("/") == wanted.rstrip("/"):
        return
    if got == _ACR_APP_ID and wanted == ACR_AUDIENCE:
        return
    raise sign_in_errors.wrong_audience(wanted, got, credential)

"""Make the errors of the first hop: the CLI's account, and what Entra ID refuses to anyone."""

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    AzureConnectionError,
    FileOperationError,
    InvalidArgumentValueError,
)

from azext_acrscope.base.errors import cli_error, with_advice
from azext_acrscope.base.tokens import redact_secrets, safe_word
from azext_acrscope.hops.errors import cause_of, connection_error, network_advice, short

if TYPE_CHECKING:
    from azext_acrscope.hops.principals import Principal


def not_signed_in(cause: Exception) -> AzCLIError:
    """Return the error for a CLI that is not signed in."""
    advice = ["az login"]
    if os.environ.get("SUDO_USER") and os.environ.get("HOME") == "/root":
        advice = [
            "sudo uses root's sign-in and credential files. Run the command without sudo, or sign in as root:\n"
            "sudo az login"
        ]
    elif os.path.expanduser("~") == "~" and not os.environ.get("AZURE_CONFIG_DIR"):
        advice = [
            "This user has no home directory, so the CLI looks for its sign-in below the working directory. Set "
            "AZURE_CONFIG_DIR to the directory with the sign-in, or set HOME."
        ]
    return cli_error(AuthenticationError, f"The Azure CLI is not signed in: {cause}", advice)


def sign_in_file_broken(file: str, why: str, again: str) -> AzCLIError:
    """Return the error for a file of the CLI's sign-in that it cannot read.

    :param again: the command that signs in again.
    """
    return cli_error(
        FileOperationError,
        f"The Azure CLI cannot read its own file {file}: {why}. No token was requested.",
        [
            "Remove the file first, because `az account clear` may fail on it. Then sign in again:\n"
            f'rm "{file}"\naz account clear\n{again}',
        ],
    )


def sign_in_file_unusable(file: str, why: str, again: str, denied: bool) -> AzCLIError:
    """Return the error for a file that the CLI's sign-in needs and cannot use: a certificate, a cache of another user.

    :param again: the command that signs in again.
    :param denied: whether it is there and this user may not read or write it.
    """
    advice = [f"Put the file back, or sign in again:\n{again}"]
    if denied:
        advice = [f'If a command with sudo made the file, give it back to your user:\nsudo chown "$USER" "{file}"']
    return cli_error(
        FileOperationError,
        f"The Azure CLI cannot use the file {file}, which its sign-in needs: {why}.",
        advice,
    )


def unknown_subscription(cause: Exception) -> AzCLIError:
    """Return the error for a subscription that the account does not have."""
    return cli_error(
        InvalidArgumentValueError,
        str(cause),
        "`az account list --output table` shows the subscriptions of the signed-in account.",
    )


def sign_in_refused(
    audience: str, account: dict[str, Any], cause: Exception, again: str, same_request: bool = False
) -> AzCLIError:
    """Return the error for an account that gets no token without interaction: expired, Conditional Access …

    :param account: the CLI's account.
    :param cause: its attribute `msal_error` is Entra's answer, if it has one; a `claims` member is a claims challenge.
    :param again: the command that signs in again.
    :param same_request: whether a new sign-in makes the same request, which MSAL answers from memory for a minute.
    """
    client = "04b07795-8ddb-461a-bbee-02f9e1bf7b46 (the Azure CLI)"
    if (account.get("user") or {}).get("type") == "servicePrincipal":
        client = account["user"]["name"]
    told = {"audience": audience, "tenant": account["tenantId"], "client": client, "again": again}
    answer = getattr(cause, "msal_error", None)
    answer = answer if isinstance(answer, dict) else {}
    said = str(answer.get("error_description") or (cause if str(cause) != "None" else answer.get("error")))
    error = _entra_refused(said, told, bool(answer.get("claims")), by_hand=True)
    mends = f"\n{again}" in "".join(error.recommendations)
    # Not the refusals with 401 (invalid_client): MSAL remembers those with 400.
    if answer and answer.get("error") != "invalid_client" and (same_request or not mends):
        return with_advice(error, _REMEMBERED)
    return error


def identity_refused(audience: str, sign_in: "Principal", answer: str, challenged: bool = False) -> AzCLIError:
    """Return the error for an identity other than the CLI's account that gets no token.

    :param answer: Entra's text; only its codes and IDs are shown where the code is known.
    :param challenged: whether a claims challenge came with it.
    """
    shown = {f"presented_{name}": short(value) for name, value in sign_in.presented.items()}
    told = {"audience": audience, "tenant": sign_in.tenant, "client": sign_in.client_id, **shown}
    return _entra_refused(answer, told, challenged, by_hand=False)


class _Refusal(NamedTuple):
    """Why Entra refuses, and the next step: for a person (`az login`), and for a job, an application or a machine."""

    why: str
    person: str
    machine: str


_REMEMBERED = (
    "After fixing the cause, repeat the command in a minute: that long, the Azure CLI answers the same request from "
    "memory."
)
_AGAIN = "Sign in again, then repeat the command:\n{again}"
_EXPECTED = (
    "Compare with `az ad app federated-credential list --id {client}` (of a managed identity: "
    "`az identity federated-credential list`), and correct that credential or add one."
)
_NO_AUDIENCE = _Refusal(
    "tenant {tenant} does not know this audience",
    "Check the tenant, and `az config get acr.audience_resource`. An administrator of the tenant can add the registry "
    "service with `az ad sp create --id 76c92352-c057-4cc2-9b1e-f34c32bc58bd`.",
    "Check the tenant, and `az config get acr.audience_resource`. An administrator of the tenant can add the registry "
    "service with `az ad sp create --id 76c92352-c057-4cc2-9b1e-f34c32bc58bd`.",
)
_PEOPLE_ONLY = "Only a person can fix that. Use an application or a managed identity, which Entra does not ask for it."
_INTERACTION = _Refusal(
    "it requires the person to sign in interactively, for example with another factor", _AGAIN, _PEOPLE_ONLY
)
_POLICY = _Refusal(
    "a Conditional Access policy of tenant {tenant} blocks this sign-in",
    "Sign in again for this audience, then repeat the command:\naz logout\n{again}",
    "A policy for workload identities applies to application {client}. The tenant's sign-in logs show the sign-in. "
    "An administrator can allow this network or exclude the application.",
)
_SECRET = _Refusal(
    "the client secret of application {client} is wrong or has expired",
    _AGAIN,
    "AZURE_CLIENT_SECRET must hold the secret's value, not its ID; "
    "`az ad app credential list --id {client}` shows when each one expires.",
)
_NO_TRUST = "no federated credential of application {client} has "
_REFUSALS = {  # by AADSTS code
    "50001": _NO_AUDIENCE,
    "500011": _NO_AUDIENCE,
    "50020": _Refusal("the account is neither a member nor a guest of tenant {tenant}", _AGAIN, _PEOPLE_ONLY),
    "50076": _INTERACTION,
    "50079": _INTERACTION,
    "50173": _Refusal("the sign-in was revoked", _AGAIN, _PEOPLE_ONLY),
    "53003": _POLICY,
    "700016": _Refusal(
        "tenant {tenant} has no application {client}",
        _AGAIN,
        "Check the client ID (--client-id, or the variable that holds it) and the tenant (--tenant).",
    ),
    "700024": _Refusal(
        "the assertion presented is not valid now. It has expired, or the clocks differ",
        "`az login --federated-token` keeps the token it was given, which is valid for minutes. Sign in to the "
        "registry "
        "right after it, or use --credential github-actions, azure-pipelines or workload-identity.",
        "Run the job again. Otherwise check this machine's clock. For workload identity, also check that the file in "
        "AZURE_FEDERATED_TOKEN_FILE is still renewed.",
    ),
    "700027": _Refusal(
        "application {client} does not know the certificate or key that signed the assertion",
        _AGAIN,
        "`az ad app credential list --id {client} --cert` lists its certificates.",
    ),
    "700211": _Refusal(_NO_TRUST + "the issuer presented: {presented_issuer}", _AGAIN, _EXPECTED),
    "700212": _Refusal(_NO_TRUST + "the audience presented: {presented_audience}", _AGAIN, _EXPECTED),
    "700213": _Refusal(
        _NO_TRUST + "the subject presented: {presented_subject} (issuer {presented_issuer})", _AGAIN, _EXPECTED
    ),
    "70043": _Refusal("the sign-in is older than a policy of tenant {tenant} allows", _AGAIN, _PEOPLE_ONLY),
    "700082": _Refusal("the sign-in has expired because it was not used", _AGAIN, _PEOPLE_ONLY),
    "7000215": _SECRET,
    "7000222": _SECRET,
    "90002": _Refusal(
        "there is no tenant {tenant} in this cloud",
        "Check --tenant; `az account tenant list` and `az cloud show` show the active ones.",
        "Check the tenant (--tenant, or the variable that holds it), and `az cloud show`.",
    ),
}


class _Told(dict[str, str]):
    """The values that a text can name; a missing one reads "(unknown)"."""

    def __missing__(self, _name: str) -> str:
        return "(unknown)"


def _entra_refused(answer: str, told: dict[str, str], challenged: bool, by_hand: bool) -> AzCLIError:
    """Return the error for any refusal of Entra ID. For a known code, only codes and IDs of the answer are shown."""
    code = re.search(r"AADSTS(\d{5,8})\b", answer)
    correlation = re.search(r"Correlation ID: ([0-9a-f-]{36})", answer)
    known = _REFUSALS.get(code[1] if code else "") or (_POLICY if challenged else None)
    if known is None:
        said = answer.partition(code[0])[2].lstrip(": ") if code else answer
        reason = redact_secrets(said.split("Trace ID:")[0].split("provided:")[0]).strip().rstrip(".")
        known = _Refusal(reason.replace("{", "(").replace("}", ")") or "no reason given", _AGAIN, "")
    elif challenged and known is _INTERACTION:
        known = _POLICY
    ids = [code[0]] if code else []
    ids += [f"correlation id {correlation[1]}"] if correlation else []
    names = _Told(told)
    detail = f" [{', '.join(ids)}]" if ids else ""
    return cli_error(
        AuthenticationError,
        f"Entra ID returned no token for the audience {told['audience']}: {known.why.format_map(names)}{detail}.",
        recommendation=(known.person if by_hand else known.machine).format_map(names) or None,
    )


def entra_failed(audience: str, kind: str) -> AzCLIError:
    """Return the error for an answer of Entra ID that is not an OAuth answer.

    :param kind: the name of the exception.
    """
    return cli_error(
        AuthenticationError,
        f"Entra ID, or a proxy in its place, did not answer the request for a token for {audience} correctly ({kind}).",
        recommendation="Repeat the command in a minute. If it fails again, check HTTPS_PROXY and `az cloud show`.",
    )


def find_refusal(error: BaseException) -> str:
    """Return the text with Entra's code in an exception or in what led to it; empty if there is none.

    MSAL says of a tenant that there is none only in the exception behind the one that it raises.
    """
    seen, each = list[BaseException](), error
    while each and each not in seen:
        if "AADSTS" in str(each):
            return str(each)
        seen.append(each)
        each = each.__cause__ or each.__context__  # type: ignore[assignment]
    return ""


def wrong_audience(wanted: str, got: str, credential: str) -> AzCLIError:
    """Return the error for a token of another audience than requested.

    :param credential: the value of --credential.
    """
    advice = "`az account show` shows the active account. `az login` signs in again."
    if credential != "cli":
        advice = f"Check which service answers --credential {credential} here, and HTTPS_PROXY."
    return cli_error(
        AuthenticationError,
        f"The sign-in returned a token for the audience '{safe_word(got)}' instead of {wanted}. "
        "It was not sent to the registry.",
        recommendation=advice,
    )


def tenant_not_of_account(tenant: str, cause: Exception) -> AzCLIError:
    """Return the error for a tenant that the account cannot sign in to."""
    return cli_error(
        AuthenticationError,
        f"The account in use cannot sign in to tenant {tenant}: {redact_secrets(str(cause)).rstrip('.')}.",
        recommendation=f'Sign in to that tenant, or leave out --tenant:\naz login --tenant "{tenant}"',
    )


def entra_unreachable(cause: Exception) -> AzCLIError:
    """Return the error for an Entra ID that cannot be reached."""
    return cli_error(
        connection_error(cause),
        f"Entra ID could not be reached: {cause_of(cause)}",
        network_advice(cause),
    )


def identity_slow(credential: str, seconds: float) -> AzCLIError:
    """Return the error for a credential that returned no token in time."""
    return cli_error(
        AzureConnectionError,
        f"--credential {credential} returned no token within {seconds:g} seconds.",
        "Check the network and HTTPS_PROXY, then repeat the command.",
    )

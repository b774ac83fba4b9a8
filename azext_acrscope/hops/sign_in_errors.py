"""Make the errors of the first hop: the account, Entra ID, and the identities of jobs and machines."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    AzureConnectionError,
    FileOperationError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
)

from azext_acrscope.base.errors import cli_error
from azext_acrscope.base.tokens import redact_secrets, safe_word
from azext_acrscope.hops.errors import cause_of, network_advice, short

if TYPE_CHECKING:
    from azext_acrscope.hops.principals import Principal


# --- first hop: the account and Entra ID -----------------------------------------------------------------------------


def not_signed_in(cause: Exception) -> AzCLIError:
    return cli_error(AuthenticationError, f"The Azure CLI is not signed in: {cause}", recommendation="az login")


def unknown_subscription(cause: Exception) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        str(cause),
        "`az account list --output table` shows the subscriptions of the signed-in account.",
    )


def sign_in_refused(audience: str, account: dict[str, Any], cause: Exception) -> AzCLIError:
    """Entra ID would not give a token silently: expired sign-in, Conditional Access, unknown audience …

    :param account: the CLI's account; its kind decides how to sign in again.
    :param cause: a `claims` member of its attribute `msal_error`, if it has one, is a claims challenge.
    """
    tenant, kind = account["tenantId"], (account.get("user") or {}).get("type")
    again = f'az login --tenant "{tenant}" --scope "{audience.rstrip("/")}/.default"'
    client = "04b07795-8ddb-461a-bbee-02f9e1bf7b46 (the Azure CLI)"
    if kind == "servicePrincipal":
        client = account["user"]["name"]
        again = f'az login --service-principal --username "{client}" --tenant "{tenant}" --password SECRET'
    told = {"audience": audience, "tenant": tenant, "client": client, "again": again}
    answer = getattr(cause, "msal_error", None)
    challenged = isinstance(answer, dict) and bool(answer.get("claims"))
    return _entra_refused(str(cause), told, challenged, by_hand=True)


def identity_refused(audience: str, sign_in: "Principal", answer: str, challenged: bool = False) -> AzCLIError:
    """Entra ID would not give a token to an identity other than the CLI's account.

    :param answer: Entra's words; only codes and ids of them are repeated where the code is known.
    :param challenged: a claims challenge came with them.
    """
    shown = {f"presented_{name}": short(value) for name, value in sign_in.presented.items()}
    told = {"audience": audience, "tenant": sign_in.tenant, "client": sign_in.client_id, **shown}
    return _entra_refused(answer, told, challenged, by_hand=False)


class _Refusal(NamedTuple):
    """Why Entra refuses, and the next step: for a person (`az login`), and for a job, an application or a machine."""

    why: str
    person: str
    machine: str


_AGAIN = "Sign in again, then repeat the command:\n{again}"
_EXPECTED = (
    "Compare with `az ad app federated-credential list --id {client}` (of a managed identity: "
    "`az identity federated-credential list`), and correct that credential or add one."
)
_NO_AUDIENCE = _Refusal(
    "tenant {tenant} does not know this audience",
    "Check the tenant, and `az config get acr.audience_resource`. An administrator of the tenant can make the registry "
    "service known there with `az ad sp create --id 76c92352-c057-4cc2-9b1e-f34c32bc58bd`.",
    "Check the tenant, and `az config get acr.audience_resource`. An administrator of the tenant can make the registry "
    "service known there with `az ad sp create --id 76c92352-c057-4cc2-9b1e-f34c32bc58bd`.",
)
_PEOPLE_ONLY = (
    "Only a person can mend that. Name an application or a managed identity, which Entra asks for no such thing."
)
_INTERACTION = _Refusal("it wants to see the person: another factor or a fresh sign-in", _AGAIN, _PEOPLE_ONLY)
_POLICY = _Refusal(
    "a Conditional Access policy of tenant {tenant} does not let this sign-in pass as it is",
    "Sign in again for this audience, then repeat the command:\naz logout\n{again}",
    "A policy for workload identities applies to application {client}: its owners see the sign-in in the tenant's "
    "sign-in logs, and can allow this network or leave the application out.",
)
_SECRET = _Refusal(
    "the client secret of application {client} is wrong or has ended",
    _AGAIN,
    "AZURE_CLIENT_SECRET must hold the secret's value, not its ID; "
    "`az ad app credential list --id {client}` tells when each ends.",
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
        "the assertion presented is not valid now: it has expired, or the clocks differ",
        "`az login --federated-token` keeps the token it was given, which lives for minutes. Sign in to the registry "
        "right after it, or without it: --credential github-actions, azure-pipelines or workload-identity.",
        "Run the job again. Otherwise check this machine's clock and, for workload identity, that the file which "
        "AZURE_FEDERATED_TOKEN_FILE names is still renewed.",
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
    "700082": _Refusal("the sign-in has expired for want of use", _AGAIN, _PEOPLE_ONLY),
    "7000215": _SECRET,
    "7000222": _SECRET,
    "90002": _Refusal(
        "there is no tenant {tenant} in this cloud",
        "Check --tenant; `az account tenant list` and `az cloud show` show what is in use.",
        "Check the tenant (--tenant, or the variable that holds it), and `az cloud show`.",
    ),
}


class _Told(dict[str, str]):
    """What a text may name; what is not known to it is said to be unknown."""

    def __missing__(self, _name: str) -> str:
        return "(unknown)"


def _entra_refused(answer: str, told: dict[str, str], challenged: bool, by_hand: bool) -> AzCLIError:
    """One wording for all refusals of Entra ID. Of an answer with a known code, nothing but codes and ids is shown."""
    code = re.search(r"AADSTS(\d{5,8})\b", answer)
    correlation = re.search(r"Correlation ID: ([0-9a-f-]{36})", answer)
    known = _REFUSALS.get(code[1] if code else "") or (_POLICY if challenged else None)
    if known is None:
        said = answer.partition(code[0])[2].lstrip(": ") if code else answer
        reason = redact_secrets(said.split("Trace ID:")[0].split("provided:")[0]).strip().rstrip(".")
        known = _Refusal(reason.replace("{", "(").replace("}", ")") or "it does not say why", _AGAIN, "")
    elif challenged and known is _INTERACTION:
        known = _POLICY
    ids = [code[0]] if code else []
    ids += [f"correlation id {correlation[1]}"] if correlation else []
    names = _Told(told)
    detail = f" [{', '.join(ids)}]" if ids else ""
    return cli_error(
        AuthenticationError,
        f"Entra ID gave no token for the audience {told['audience']}: {known.why.format_map(names)}{detail}.",
        recommendation=(known.person if by_hand else known.machine).format_map(names) or None,
    )


def entra_failed(audience: str, kind: str) -> AzCLIError:
    return cli_error(
        AuthenticationError,
        f"Entra ID, or what answered in its place, failed when asked for a token for {audience} ({kind}).",
        recommendation="Repeat the command in a minute. If it stays so, check HTTPS_PROXY and `az cloud show`.",
    )


def wrong_audience(wanted: str, got: str, credential: str) -> AzCLIError:
    advice = "`az account show` tells which account is in use; `az login` signs in afresh."
    if credential != "cli":
        advice = f"Check what answers for --credential {credential} here, and HTTPS_PROXY."
    return cli_error(
        AuthenticationError,
        f"The sign-in source answered with a token for the audience '{safe_word(got)}' where {wanted} was asked for. "
        "It was not sent to the registry.",
        recommendation=advice,
    )


def tenant_not_of_account(tenant: str, cause: Exception) -> AzCLIError:
    return cli_error(
        AuthenticationError,
        f"The account in use cannot sign in to tenant {tenant}: {redact_secrets(str(cause)).rstrip('.')}.",
        recommendation=f'Sign in to that tenant, or leave --tenant out:\naz login --tenant "{tenant}"',
    )


def entra_unreachable(cause: Exception) -> AzCLIError:
    return cli_error(
        AzureConnectionError,
        f"Entra ID could not be reached: {cause_of(cause)}",
        "Check the network and HTTPS_PROXY, then repeat the command.",
    )


# --- first hop: other identities -------------------------------------------------------------------------------------

_BY_TASK = (
    "the tasks AzureCLI@2 and AzurePowerShell@5 set the AZURESUBSCRIPTION_ variables for their service connection "
    "(--client-id and --tenant stand in for two of them)"
)
_BY_JOB = "GitHub sets both ACTIONS_ID_TOKEN_REQUEST_ variables in jobs with `permissions: id-token: write`"
_HOW_TO_SET = {
    "AZURE_TENANT_ID": "AZURE_TENANT_ID (or --tenant) is the tenant's ID",
    "AZURE_CLIENT_ID": "AZURE_CLIENT_ID (or --client-id) is the ID of the application or managed identity",
    "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH": "AZURE_CLIENT_SECRET is a secret of the application, "
    "AZURE_CLIENT_CERTIFICATE_PATH a PEM or PKCS12 file with its certificate and key",
    "AZURE_FEDERATED_TOKEN_FILE": "Kubernetes sets AZURE_FEDERATED_TOKEN_FILE in pods with the label "
    'azure.workload.identity/use: "true" and a service account for it',
    "ACTIONS_ID_TOKEN_REQUEST_URL": _BY_JOB,
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _BY_JOB,
    "SYSTEM_OIDCREQUESTURI": "Azure Pipelines sets SYSTEM_OIDCREQUESTURI in every job",
    "SYSTEM_ACCESSTOKEN": "give the step `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": _BY_TASK,
    "AZURESUBSCRIPTION_CLIENT_ID": _BY_TASK,
    "AZURESUBSCRIPTION_TENANT_ID": _BY_TASK,
}


def identity_incomplete(credential: str, missing: list[str]) -> AzCLIError:
    """:param missing: names of environment variables, as in `_HOW_TO_SET`."""
    how = list(dict.fromkeys(_HOW_TO_SET[name] for name in missing))
    return cli_error(
        RequiredArgumentMissingError,
        f"--credential {credential} needs what is not set here: {', '.join(missing)}.",
        [f"{text[0].upper()}{text[1:]}." for text in how],
    )


def bad_tenant(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{safe_word(text)}' cannot be a tenant.",
        "Give the tenant's ID, or one of its domains.",
    )


def identity_file_unusable(variable: str, file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The file {file}, which {variable} names, cannot be used: {why}.",
        f"Mend the file, or set {variable} anew.",
    )


def foreign_authority(named: str, authority: str, cloud: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"AZURE_AUTHORITY_HOST names {redact_secrets(named)}, but the cloud in use ({cloud}) signs in at {authority}. "
        "Nothing was sent to either.",
        "Unset AZURE_AUTHORITY_HOST; or, for another cloud, `az cloud list --output table` and "
        "`az cloud set --name CLOUD` switch over.",
    )


def bad_authority_region() -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        "AZURE_REGIONAL_AUTHORITY_NAME is not the name of a region.",
        "Set it to a name such as westeurope, or unset it.",
    )


def bad_oidc_url(variable: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"{variable} is no https URL on port 443, so the job's token was not sent there.",
        f"Leave {variable} as the system that runs the job sets it.",
    )


def oidc_unreachable(host: str, cause: Exception) -> AzCLIError:
    return cli_error(AzureConnectionError, f"{host} could not be reached: {cause_of(cause)}.", network_advice(cause))


def no_oidc_token(variable: str, host: str, status: int) -> AzCLIError:
    what = "what holds no token" if status == 200 else f"HTTP {status}"
    advice = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "The variables hold for the job that they were set in, and while it runs: run "
        "the job again, and look that it has `permissions: id-token: write`.",
        "SYSTEM_OIDCREQUESTURI": "Look that SYSTEM_ACCESSTOKEN is this job's $(System.AccessToken), and that the "
        "pipeline may use the service connection, and references it in this stage.",
    }
    return cli_error(
        AuthenticationError,
        f"{host} was asked for the job's identity token and answered with {what}.",
        recommendation=advice[variable],
    )


def no_identity_endpoint(endpoint: str, cause: Exception) -> AzCLIError:
    return cli_error(
        AzureConnectionError,
        f"There is no managed identity here: its endpoint {short(endpoint)} could not be reached ({cause_of(cause)}).",
        "A managed identity serves on Azure's own machines and services only. Elsewhere, name another --credential.",
    )


def no_managed_identity(endpoint: str, client_id: str | None, answer: str) -> AzCLIError:
    """The endpoint answered, and gave no token. Its words are looked at, and not shown."""
    if "Multiple user assigned" in answer:
        why, advice = "several identities are assigned here", "Name one of them with --client-id."
    elif "Identity not found" in answer or "identity has been assigned" in answer:
        which = f"no managed identity with the client ID {safe_word(client_id)}" if client_id else "no managed identity"
        why = f"{which} is assigned here"
        advice = "Assign one (`az vm identity assign`, or the like for this service), or name another with --client-id."
    else:
        why = "what it answered is no token"
        advice = "If this is no machine or service of Azure's, name another --credential; else repeat in a minute."
    return cli_error(
        AuthenticationError,
        f"The managed identity endpoint {short(endpoint)} gave no token: {why}.",
        recommendation=advice,
    )


def identity_slow(credential: str, seconds: float) -> AzCLIError:
    return cli_error(
        AzureConnectionError,
        f"--credential {credential} gave no token within {seconds:g} seconds.",
        "Check the network and HTTPS_PROXY, then repeat the command.",
    )

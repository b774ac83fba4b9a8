"""Every error's wording: what happened, why, and the next command to type.

Functions return the exception; rooms raise it. Types are the third layer of azure.cli.core.azclierror. Of a login
server's answer only the status, the error code and the correlation id are shown, of ARM's its error message, too; what
looks like a token is taken out of every text at the end of this file.
"""

import re
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    AzureConnectionError,
    AzureInternalError,
    AzureResponseError,
    BadRequestError,
    ClientRequestError,
    FileOperationError,
    ForbiddenError,
    InvalidArgumentValueError,
    ManualInterrupt,
    MutuallyExclusiveArgumentError,
    NoTTYError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
    UnauthorizedError,
    ValidationError,
)

from azext_acrscope.tokens import ACR_AUDIENCE, plain, redact, redact_strictly

if TYPE_CHECKING:
    from azext_acrscope.identities import SignIn


class FileBusyError(FileOperationError):
    """Another process keeps a file: unlike other file errors, it may help to wait."""


# --- what the user typed -------------------------------------------------------------------------------------------


def bad_registry_name(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a registry name: a name has 5 to 50 letters and digits and nothing else.",
        "Give the name (contoso), the login server (contoso.azurecr.io, contoso-e7gg.azurecr.io) or the resource ID.",
    )


def bad_registry_id(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the resource ID of a container registry.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/"
        "Microsoft.ContainerRegistry/registries/NAME. `az acr show --name NAME --query id` prints it.",
    )


def not_a_bare_host(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a bare login server: scheme, port, path and user info are not accepted.",
        "Give the host alone, for example contoso.azurecr.io.",
    )


def data_endpoint(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is a data endpoint: it serves image layers and is no login server, so no token is sent to it.",
        "Give the login server, for example contoso.azurecr.io.",
    )


def foreign_login_server(text: str, suffix: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a login server of the cloud in use, whose registries are named NAME{suffix}. "
        "No token is sent to it.",
        "Check the spelling. For a registry of another cloud, `az cloud list --output table` and "
        "`az cloud set --name CLOUD` switch over.",
    )


def cloud_without_suffix(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The cloud in use names no login server suffix, so '{text}' cannot be checked.",
        "`az cloud update --name CLOUD --suffix-acr-login-server-endpoint SUFFIX` sets it.",
    )


def bad_group(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' cannot be the name of a resource group.", "`az group list --output table` shows the groups."
    )


def bad_management_group(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' cannot be the name of a management group.",
        "`az account management-group list --output table` shows the groups; the name is wanted, not the display name.",
    )


def group_contradicts_id(group: str, group_of_id: str) -> AzCLIError:
    return MutuallyExclusiveArgumentError(
        f"--resource-group '{group}' contradicts the resource ID, which names the group '{group_of_id}'.",
        "Leave --resource-group out.",
    )


def bad_setting(name: str, value: str, expected: str) -> AzCLIError:
    variable = f"AZURE_{name.replace('.', '_').upper()}"
    return InvalidArgumentValueError(
        f"The setting {name} is '{value}', which is not {expected}.",
        f"`az config unset {name}` goes back to the default; unset the environment variable {variable}, too.",
    )


def exclusive(one: str, other: str) -> AzCLIError:
    return MutuallyExclusiveArgumentError(f"{one} cannot be combined with {other}.", "Leave one of them out.")


def needs(option: str, other: str) -> AzCLIError:
    return RequiredArgumentMissingError(f"{option} means something with {other} only.", f"Add {other}.")


def no_registry() -> AzCLIError:
    return RequiredArgumentMissingError("No registry was named.", "For example: --name contoso.azurecr.io")


def empty_option(option: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"{option} is empty.", "Give it a value or leave it out; a variable that it was taken from may not be set."
    )


def bad_min_ttl(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a time of up to three hours, which is how long a registry's token lives.",
        "For example: --min-ttl 45m, or 1h30m.",
    )


def bad_repository(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the name of a repository: lower-case letters, digits, and `.`, `_`, `-`, `/` between them.",
        "Give the name without the login server and the tag, for example team/app.",
    )


def nothing_selected() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was selected.",
        "Name some with --name or --ids, or select with --resource-group, --all (of the subscription), "
        "--all-subscriptions or --management-group.",
    )


def nothing_matches(selection: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"No registry matches the selection ({selection}).", "`az acr scope list` shows what there is."
    )


def bad_tag(text: str) -> AzCLIError:
    return InvalidArgumentValueError(f"'{text}' is not of the form KEY=VALUE.", "For example: --tag environment=test")


def tag_twice() -> AzCLIError:
    return InvalidArgumentValueError(
        "A tag was given twice: a registry has one value for each key.", "Run the command once for each value."
    )


def bad_wave(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is no share of the registries.", "Give a percentage between 1% and 99%, for example --wave 10%."
    )


def no_such_canary(names: list[str]) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The plan changes no registry of this name, so it cannot go first: {', '.join(names)}. Nothing was written.",
        "Check the names given with --canary; `--dry-run` shows the plan.",
    )


def nothing_to_exclude(names: list[str]) -> AzCLIError:
    return InvalidArgumentValueError(
        f"No selected registry has this name, login server or ID, so it cannot be excluded: {', '.join(names)}. "
        "Nothing was written.",
        "Check the names given with --exclude; `--dry-run` shows the plan.",
    )


def needs_yes(question: str, otherwise: str = ", or --dry-run to see the plan") -> AzCLIError:
    return NoTTYError(
        f"{question} Nobody can be asked here: there is no terminal.",
        f"Add --yes to go ahead{otherwise}.",
    )


def declined() -> AzCLIError:
    return ManualInterrupt("Nothing was changed: the question was answered with no.")


# --- the fleet -----------------------------------------------------------------------------------------------------


def group_not_found(group: str, subscription: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"There is no resource group '{group}' in subscription {subscription}.",
        "`az group list --output table` shows them; --subscription names another subscription.",
    )


def management_group_not_found(name: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"There is no management group '{name}' that the signed-in account may see.",
        "`az account management-group list --output table` shows their names.",
    )


def nothing_in_view() -> AzCLIError:
    return ResourceNotFoundError(
        "There is no registry in view, so there is nothing that fulfils the requirement.",
        "Check --resource-group, --subscription or --management-group.",
    )


def requirement_missed(required: str, missed: int, unknown: int, unread: int, incomplete: list[str]) -> AzCLIError:
    """The gate of `az acr scope list --require`."""
    parts = []
    if missed:
        parts.append(f"{registries(missed)} not `{required}`")
    if unknown:
        parts.append(f"{registries(unknown)} of unknown status")
    if unread:
        parts.append(f"{subscriptions(unread)} that could not be read")
    return ValidationError(
        f"Not every registry in view is known to be `{required}`: {'; '.join([*parts, *incomplete])}.",
        "`az acr scope enforce` sets it; reading a subscription needs the role Reader there.",
    )


def some_failed(failed: int, total: int, unread: int, record: str) -> AzCLIError:
    parts = [f"{failed} of {registries(total)} failed"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return AzureResponseError(f"{' and '.join(parts)}; the rows and the lines above say why.", _after_a_run(record))


def was_interrupted(left: int, record: str) -> AzCLIError:
    return ManualInterrupt(f"Interrupted: {registries(left)} left as before.", _after_a_run(record))


def _after_a_run(record: str) -> list[str]:
    undo = [f"`az acr scope enforce --undo {record}` takes back what was changed."] if record else []
    return ["The same command again does what is left.", *undo]


def record_exists(file: str) -> AzCLIError:
    return FileOperationError(
        f"The record {file} exists already; a record is never overwritten.", "Give another name with --record."
    )


def record_unwritable(file: str, cause: Exception) -> AzCLIError:
    return FileOperationError(
        f"The record {file} cannot be written ({cause}), so nothing more is changed.",
        "Give another place with --record.",
    )


def record_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"{file} cannot be read as a record: {why}.",
        "A run prints the name of its record at its start; those without --record lie in acrscope/ in the CLI's "
        "configuration directory.",
    )


# --- first hop: the account and Entra ID ---------------------------------------------------------------------------


def not_signed_in(cause: Exception) -> AzCLIError:
    return AuthenticationError(f"The Azure CLI is not signed in: {cause}", recommendation="az login")


def unknown_subscription(cause: Exception) -> AzCLIError:
    return InvalidArgumentValueError(
        str(cause), "`az account list --output table` shows the subscriptions of the signed-in account."
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


def identity_refused(audience: str, sign_in: "SignIn", answer: str, challenged: bool = False) -> AzCLIError:
    """Entra ID would not give a token to an identity other than the CLI's account.

    :param answer: Entra's words; only codes and ids of them are repeated where the code is known.
    :param challenged: a claims challenge came with them.
    """
    shown = {f"presented_{name}": _short(value) for name, value in sign_in.presented.items()}
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
        reason = redact_strictly(said.split("Trace ID:")[0].split("provided:")[0]).strip().rstrip(".")
        known = _Refusal(reason.replace("{", "(").replace("}", ")") or "it does not say why", _AGAIN, "")
    elif challenged and known is _INTERACTION:
        known = _POLICY
    ids = [code[0]] if code else []
    ids += [f"correlation id {correlation[1]}"] if correlation else []
    names = _Told(told)
    detail = f" [{', '.join(ids)}]" if ids else ""
    return AuthenticationError(
        f"Entra ID gave no token for the audience {told['audience']}: {known.why.format_map(names)}{detail}.",
        recommendation=(known.person if by_hand else known.machine).format_map(names) or None,
    )


def _short(value: str) -> str:
    """A claim of an assertion, such as a subject, or an address, short enough to be read."""
    return "".join(character for character in value if character.isprintable())[:200]


def entra_failed(audience: str, kind: str) -> AzCLIError:
    return AuthenticationError(
        f"Entra ID, or what answered in its place, failed when asked for a token for {audience} ({kind}).",
        recommendation="Repeat the command in a minute. If it stays so, check HTTPS_PROXY and `az cloud show`.",
    )


def wrong_audience(wanted: str, got: str, credential: str) -> AzCLIError:
    advice = "`az account show` tells which account is in use; `az login` signs in afresh."
    if credential != "cli":
        advice = f"Check what answers for --credential {credential} here, and HTTPS_PROXY."
    return AuthenticationError(
        f"The sign-in source answered with a token for the audience '{plain(got)}' where {wanted} was asked for. "
        "It was not sent to the registry.",
        recommendation=advice,
    )


def tenant_not_of_account(tenant: str, cause: Exception) -> AzCLIError:
    return AuthenticationError(
        f"The account in use cannot sign in to tenant {tenant}: {redact_strictly(str(cause)).rstrip('.')}.",
        recommendation=f'Sign in to that tenant, or leave --tenant out:\naz login --tenant "{tenant}"',
    )


def entra_unreachable(cause: Exception) -> AzCLIError:
    return AzureConnectionError(
        f"Entra ID could not be reached: {_cause(cause)}", "Check the network and HTTPS_PROXY, then repeat the command."
    )


# --- first hop: other identities -----------------------------------------------------------------------------------

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
    return RequiredArgumentMissingError(
        f"--credential {credential} needs what is not set here: {', '.join(missing)}.",
        [f"{text[0].upper()}{text[1:]}." for text in how],
    )


def identity_option(option: str, credential: str) -> AzCLIError:
    return MutuallyExclusiveArgumentError(
        f"{option} means nothing with --credential {credential}.", f"Leave {option} out, or name another --credential."
    )


def bad_tenant(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{plain(text)}' cannot be a tenant.", "Give the tenant's ID, or one of its domains."
    )


def identity_file_unusable(variable: str, file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The file {file}, which {variable} names, cannot be used: {why}.", f"Mend the file, or set {variable} anew."
    )


def foreign_authority(named: str, authority: str, cloud: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"AZURE_AUTHORITY_HOST names {redact_strictly(named)}, but the cloud in use ({cloud}) signs in at {authority}. "
        "Nothing was sent to either.",
        "Unset AZURE_AUTHORITY_HOST; or, for another cloud, `az cloud list --output table` and "
        "`az cloud set --name CLOUD` switch over.",
    )


def bad_authority_region() -> AzCLIError:
    return InvalidArgumentValueError(
        "AZURE_REGIONAL_AUTHORITY_NAME is not the name of a region.",
        "Set it to a name such as westeurope, or unset it.",
    )


def bad_oidc_url(variable: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"{variable} is no https URL on port 443, so the job's token was not sent there.",
        f"Leave {variable} as the system that runs the job sets it.",
    )


def oidc_unreachable(host: str, cause: Exception) -> AzCLIError:
    return AzureConnectionError(f"{host} could not be reached: {_cause(cause)}.", _network_advice(cause))


def no_oidc_token(variable: str, host: str, status: int) -> AzCLIError:
    what = "what holds no token" if status == 200 else f"HTTP {status}"
    advice = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "The variables hold for the job that they were set in, and while it runs: run "
        "the job again, and look that it has `permissions: id-token: write`.",
        "SYSTEM_OIDCREQUESTURI": "Look that SYSTEM_ACCESSTOKEN is this job's $(System.AccessToken), and that the "
        "pipeline may use the service connection, and references it in this stage.",
    }
    return AuthenticationError(
        f"{host} was asked for the job's identity token and answered with {what}.", recommendation=advice[variable]
    )


def no_identity_endpoint(endpoint: str, cause: Exception) -> AzCLIError:
    return AzureConnectionError(
        f"There is no managed identity here: its endpoint {_short(endpoint)} could not be reached ({_cause(cause)}).",
        "A managed identity serves on Azure's own machines and services only. Elsewhere, name another --credential.",
    )


def no_managed_identity(endpoint: str, client_id: str | None, answer: str) -> AzCLIError:
    """The endpoint answered, and gave no token. Its words are looked at, and not shown."""
    if "Multiple user assigned" in answer:
        why, advice = "several identities are assigned here", "Name one of them with --client-id."
    elif "Identity not found" in answer or "identity has been assigned" in answer:
        which = f"no managed identity with the client ID {plain(client_id)}" if client_id else "no managed identity"
        why = f"{which} is assigned here"
        advice = "Assign one (`az vm identity assign`, or the like for this service), or name another with --client-id."
    else:
        why = "what it answered is no token"
        advice = "If this is no machine or service of Azure's, name another --credential; else repeat in a minute."
    return AuthenticationError(
        f"The managed identity endpoint {_short(endpoint)} gave no token: {why}.", recommendation=advice
    )


def identity_slow(credential: str, seconds: float) -> AzCLIError:
    return AzureConnectionError(
        f"--credential {credential} gave no token within {seconds:g} seconds.",
        "Check the network and HTTPS_PROXY, then repeat the command.",
    )


# --- the registry resource: Azure Resource Manager -----------------------------------------------------------------


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


def ambiguous_name(name: str, ids: list[str]) -> AzCLIError:
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
            [f"`az acr scope policy show --name {_registry(where)}` shows which govern it.", _EXEMPTION.format("ID")],
        )
    named = " and ".join(f"'{each.split('/')[-1]}' ({each})" for each in assignments)
    return ForbiddenError(
        f"Azure Policy forbids this change of {where}: it is refused by the assignment {named} {code}.",
        [
            f"`az acr scope policy show --name {_registry(where)}` shows all that govern it. Whoever owns the "
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


def arm_unreachable(endpoint: str, cause: Exception) -> AzCLIError:
    return AzureConnectionError(
        f"Azure Resource Manager ({endpoint}) could not be reached: {_cause(cause)}", _network_advice(cause)
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


# --- second hop: the login server ----------------------------------------------------------------------------------


def login_server_unreachable(login_server: str, cause: Exception) -> AzCLIError:
    return AzureConnectionError(
        f"The login server {login_server} could not be reached: {_cause(cause)}", _network_advice(cause, login_server)
    )


def login_server_slow(login_server: str, seconds: float) -> AzCLIError:
    return AzureConnectionError(
        f"{login_server} did not finish its answer within {seconds:g} seconds.", "Repeat the command in a minute."
    )


def bad_proxy() -> AzCLIError:
    return InvalidArgumentValueError(
        "The proxy address in the environment variable HTTPS_PROXY cannot be understood.",
        "It has the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT.",
    )


def no_challenge(login_server: str, status: int, why: str) -> AzCLIError:
    return AzureResponseError(
        f"{login_server} does not answer like a container registry: {why} (HTTP {status}). No token was sent.",
        f"Check the name. `az acr check-health --name {_name(login_server)}` examines the connection.",
    )


def foreign_realm(login_server: str, realm: str) -> AzCLIError:
    return AzureResponseError(
        f"{login_server} sends credentials to another place: its challenge names the realm '{plain(realm)}', "
        f"not https://{login_server}/oauth2/token. No token was sent.",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def redirected(login_server: str, status: int, to_host: str) -> AzCLIError:
    return AzureResponseError(
        f"{login_server} answered with a redirect to '{to_host}' (HTTP {status}). Redirects are refused: a token would "
        "follow them.",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def network_refused(login_server: str, code: str, message: str, correlation: str) -> AzCLIError:
    address = re.search(r"client with IP '([0-9a-fA-F.:]{2,45})'", message)
    shown = f" (seen from there as {address[1]})" if address else ""
    return ForbiddenError(
        f"{login_server} refuses this machine's network{shown}, whoever signs in [{code}, HTTP 403{_id(correlation)}].",
        [
            "Public access is off or limited: connect through the private endpoint, or let this address in:",
            f"az acr network-rule add --name {_name(login_server)} --ip-address ADDRESS",
        ],
    )


def exchange_refused(
    login_server: str, status: int, code: str, correlation: str, retry_after: str, tenant: str, audience: str
) -> AzCLIError:
    """The login server's answer to POST /oauth2/exchange, other than 200 and 403.

    Statuses and their meanings are those seen in public issues and recordings; texts differ and are not relied on.
    """
    detail = f"[{code}, HTTP {status}{_id(correlation)}]"
    if status == 401 and audience != ACR_AUDIENCE:
        return UnauthorizedError(
            f"{login_server} did not accept a token for the audience {audience}, which the setting "
            f"acr.audience_resource asked for {detail}. A registry whose status is `disabled` accepts "
            f"{ACR_AUDIENCE} only.",
            [
                "`az config unset acr.audience_resource` goes back to it; unset AZURE_ACR_AUDIENCE_RESOURCE, too.",
                f"`az acr scope show --name {login_server}` tells what the registry accepts.",
            ],
        )
    if status == 401:
        return UnauthorizedError(
            f"{login_server} did not accept the token of this account {detail}. Most often the account has no role on "
            f"this registry, or its tenant ({tenant}) is not the registry's.",
            [
                "See who is signed in with `az account show`; choose the registry's subscription with --subscription.",
                "Pull and push rights are given with `az role assignment create --role AcrPull` (or AcrPush) "
                "`--assignee IDENTITY --scope REGISTRY_ID` and can take ten minutes to arrive.",
            ],
        )
    if status == 404:
        return AzureResponseError(
            f"{login_server} has no token exchange {detail}. It may be no container registry.", "Check the name."
        )
    if status == 413:
        return AzureResponseError(
            f"{login_server} finds the Entra token too large {detail}, as happens to accounts in very many groups.",
            "Sign in with a service principal or a managed identity, or reduce the groups that the token carries.",
        )
    if status == 429:
        wait = f"Wait {retry_after} seconds" if retry_after else "Wait a minute"
        return AzureResponseError(
            f"{login_server} limits sign-ins to it at the moment {detail}; all tries were used up.",
            f"{wait}, then repeat the command. The limit is the registry's, shared by all its clients.",
        )
    if status >= 500:
        return AzureInternalError(
            f"{login_server} failed {detail}; all tries were used up.", "Repeat the command in a minute."
        )
    return AzureResponseError(f"{login_server} refused the token exchange {detail}.")


def bad_exchange_answer(login_server: str, why: str, correlation: str) -> AzCLIError:
    return AzureResponseError(
        f"{login_server} answered the token exchange with {why} [HTTP 200{_id(correlation)}].",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def access_refused(login_server: str, status: int, code: str, correlation: str) -> AzCLIError:
    """The login server's answer to POST /oauth2/token, other than 200."""
    detail = f"[{code}, HTTP {status}{_id(correlation)}]"
    if status == 401:
        return UnauthorizedError(
            f"{login_server} gave a refresh token, and then no access token for it {detail}.",
            "Repeat the command in a minute: rights that were just changed take time to arrive.",
        )
    if status == 429:
        return AzureResponseError(
            f"{login_server} limits sign-ins to it at the moment {detail}; all tries were used up.",
            "Wait a minute, then repeat the command. The limit is the registry's, shared by all its clients.",
        )
    kind = AzureInternalError if status >= 500 else AzureResponseError
    return kind(f"{login_server} refused an access token {detail}.", "Check the names of the repositories.")


def bad_access_answer(login_server: str, why: str, correlation: str) -> AzCLIError:
    return AzureResponseError(
        f"{login_server} answered the request for an access token with {why} [HTTP 200{_id(correlation)}].",
        "Something between here and the registry may be answering in its place: check DNS and HTTPS_PROXY.",
    )


def nothing_granted(login_server: str, repositories: list[str], actions: list[str]) -> AzCLIError:
    return ForbiddenError(
        f"{login_server} grants this account nothing of {', '.join(actions)} in {', '.join(repositories)}.",
        "Check the repository's name. Pull and push rights are given with `az role assignment create --role AcrPull` "
        "(or AcrPush, AcrDelete) `--assignee IDENTITY --scope REGISTRY_ID` and can take ten minutes to arrive.",
    )


def less_granted(login_server: str, missing: dict[str, list[str]]) -> str:
    """A warning, not an error."""
    parts = "; ".join(f"{', '.join(actions)} in {name}" for name, actions in missing.items())
    return f"{login_server} grants this account less than was asked for, without {parts}."


def sign_ins_failed(failed: int, total: int) -> AzCLIError:
    others = "The others are signed in. " if failed < total else ""
    return ClientRequestError(
        f"{failed} of {registries(total)} could not be signed in to; the reasons stand in the rows.",
        f"{others}Repeat the command with the failed ones once the reason is mended.",
    )


def unexpected(login_server: str, kind: str) -> AzCLIError:
    return AzureInternalError(
        f"Signing in to {login_server} failed in a way that was not foreseen ({kind}).",
        "Repeat the command with --debug, and report what it says.",
    )


def login_server_needed(name: str, what: str) -> AzCLIError:
    return RequiredArgumentMissingError(
        f"Only Azure Resource Manager knows {what} of '{name}', and with this --credential it is never asked.",
        "Give the login server with --name; who may read the registry finds it with "
        f"`az acr show --name {name} --query loginServer`.",
    )


def no_regional_login_servers(login_server: str) -> str:
    """A warning, not an error."""
    return f"The registry has no regional login servers, only {login_server}."


def bad_region(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the name of an Azure region.", "For example: --endpoint westeurope, or --endpoint all."
    )


# --- container clients ---------------------------------------------------------------------------------------------


def client_not_on_path(client: str) -> AzCLIError:
    return ValidationError(
        f"{client} is not on PATH.",
        "Install it, or write the credential without it: --auth-file FILE.",
    )


def client_not_found(command: str) -> AzCLIError:
    return ValidationError(
        f"DOCKER_COMMAND names '{command}', which cannot be found or run.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or unset it.",
    )


def client_in_working_directory(path: str) -> AzCLIError:
    return ValidationError(
        f"'{path}' lies in the working directory, or is found only from there, so it was not run: it could be "
        "anyone's program.",
        "Run the command from another directory, or set DOCKER_COMMAND to the absolute path of a trusted binary.",
    )


def client_not_runnable(path: str, why: str) -> AzCLIError:
    return ValidationError(
        f"'{path}' cannot be run: {why}.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or mend PATH.",
    )


def client_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    how = f"failed with exit code {exit_code}" if exit_code >= 0 else f"was killed by signal {-exit_code}"
    advice = [f"`az acr scope login --name {login_server} --expose-token` shows the credential without a client."]
    if "Identity token" in said:  # podman will not replace what docker wrote
        advice.insert(0, f"`{client} logout {login_server}` removes the entry that is in the way.")
    return ClientRequestError(
        f"The registry accepted the sign-in, but `{client} login {login_server}` {how}: {said or 'it said nothing'}",
        advice,
    )


def client_timed_out(client: str, login_server: str, seconds: int) -> AzCLIError:
    return ClientRequestError(
        f"`{client} login {login_server}` did not end within {seconds} seconds and was stopped.",
        "A credential helper may be waiting for an answer: try the same client by hand.",
    )


def logout_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    return ClientRequestError(
        f"`{client} logout {login_server}` failed with exit code {exit_code}: {said or 'it said nothing'}",
        "The credential may still be there: try the same command by hand.",
    )


def nothing_to_log_out_of() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was named.", "Name some with --name, or give --all: every registry of the cloud in use."
    )


def logouts_failed(failed: int, total: int) -> AzCLIError:
    return ClientRequestError(
        f"{failed} of {total} credentials could not be removed; the reasons stand in the rows.",
        "The others are removed. Repeat the command once the reason is mended.",
    )


def nothing_stored(store: str) -> str:
    """A reason in a row, not an error, as are the next two."""
    return f"{store} has no credential for it."


def nothing_stored_for(name: str) -> str:
    return f"No credential is stored for a registry named '{name}'."


def somebody_elses(store: str, username: str) -> str:
    return f"{store} has a credential of the user '{plain(username)}' for it, which no sign-in put there: it stays."


def still_stored(login_server: str, store: str) -> AzCLIError:
    return ClientRequestError(
        f"The logout ended without an error, but {store} still has the credential for {login_server}.",
        "Its credential helper may have failed: try the same logout by hand.",
    )


def identity_token_in_the_way(login_server: str, file: str, own: str) -> AzCLIError:
    program = "podman" if file == own else "docker"
    return ValidationError(
        f"podman refuses to log in to {login_server}: {file} holds an identity token for it, as docker writes it.",
        [
            f"`{program} logout {login_server}` takes it out; then repeat the command. Or leave it there and write "
            f"podman's own file, which podman reads first: --auth-file {own}",
        ],
    )


# --- credential helpers --------------------------------------------------------------------------------------------


def helper_not_found(program: str) -> AzCLIError:
    return ValidationError(
        f"The client's configuration names the credential helper {program}, which is not on PATH.",
        "Install it, take it out of `credHelpers` or `credsStore`, or give another place with --auth-file FILE.",
    )


def helper_failed(program: str, action: str, host: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"`{program} {action}` failed for {host}: {why or 'it said nothing'}",
        "The helper keeps the client's credentials: try it by hand, or give another place with --auth-file FILE.",
    )


def too_large_for_wincred(login_server: str, size: int, limit: int) -> AzCLIError:
    return ValidationError(
        f"The token for {login_server} has {size} bytes, and Windows Credential Manager (wincred) takes {limit} at "
        "most. Nothing was stored, and nothing was deleted.",
        [
            "`az acr scope configure-docker` installs a helper without that limit for this registry;",
            "--auth-file FILE writes a credential file instead.",
        ],
    )


# --- what shadows a credential: sentences, no errors ---------------------------------------------------------------


def shadowed_by_variable(host: str) -> str:
    return (
        f"docker reads the environment variable DOCKER_AUTH_CONFIG first, and it has a credential for {host}: unset it."
    )


def shadowed_by_helper(host: str, file: str, helper: str, for_all: bool) -> str:
    member = "credsStore" if for_all else f"credHelpers[{host}]"
    readers = "docker and others look there" if for_all else "clients ask it"
    return f"{file} names the helper {helper} as {member}: {readers} and not at the credential just written to `auths`."


def shadowed_by_auth_file(named: str) -> str:
    return (
        f"The environment variable REGISTRY_AUTH_FILE names {named}: podman, skopeo and buildah read that file instead."
    )


def shadowed_by_repositories(host: str, file: str, keys: list[str]) -> str:
    return f"{file} has credentials for single repositories, which come before the one for {host}: {', '.join(keys)}."


def shadowed_for_helm(host: str, file: str) -> str:
    return (
        f"helm reads {file} first, and it has an older credential for {host}: `helm registry logout {host}` removes it."
    )


def helper_makes_another(host: str) -> str:
    return (
        f"The helper makes a new token for the next pull from {host}: "
        f"`az acr scope configure-docker --name {host} --remove` ends that."
    )


def literal_tilde(variable: str, value: str) -> AzCLIError:
    return FileOperationError(
        f"{variable} is '{value}': docker takes the ~ to the letter, and there is no such directory.",
        f'Set {variable}="$HOME{value[1:]}".',
    )


# --- credential files ----------------------------------------------------------------------------------------------


def credential_file_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The credential file {file} cannot be read: {why}. It was left as it is.",
        "Mend it, or move it away and sign in anew to every registry that it held.",
    )


def credential_file_unwritable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The credential file {file} cannot be written: {why}. It was left as it is.",
        "Give another place with --auth-file FILE, or for docker with the environment variable DOCKER_CONFIG.",
    )


def credential_file_locked(file: str, lock: str, seconds: float) -> AzCLIError:
    return FileBusyError(
        f"Another process has kept the credential file {file} for {seconds:g} seconds.",
        f"Repeat the command once it has ended; the lock is {lock}.",
    )


# --- the credential helper -----------------------------------------------------------------------------------------


def in_one_line(error: AzCLIError) -> str:
    """An error with its advice, as a container client shows it of a credential helper."""
    what = error.error_msg.strip()
    advice = [f"Run: {each}" if each.startswith("az ") else each for each in error.recommendations]
    return " ".join(" ".join([what if what.endswith(".") else f"{what}.", *advice]).split())


def helper_said(error: Exception) -> str:
    """Any error, for a container client to show."""
    return f"acrscope: {helper_reason(error)}"


def helper_reason(error: Exception) -> str:
    """Any error, in one line."""
    from knack.util import CLIError

    if isinstance(error, AzCLIError):
        text = in_one_line(error)
    elif isinstance(error, CLIError):
        text = f"The Azure CLI failed: {redact_strictly(str(error))}"
    else:
        text = (
            f"docker-credential-acrscope failed in an unforeseen way ({type(error).__name__}). "
            "`az acr scope login --name LOGIN_SERVER --expose-token --debug` makes the same requests and tells more."
        )
    return " ".join(text.split())


def helper_slow(seconds: float) -> AzCLIError:
    return AzureConnectionError(f"It took longer than {seconds:g} seconds.", "Check the network and HTTPS_PROXY.")


def helper_failed_before(why: str) -> AzCLIError:
    """The error of another process that was waited for, once more; it has its advice in it."""
    return AzureResponseError(why)


NAME_HELPERS_LOGIN_SERVER = "A login server, such as NAME.azurecr.io, is taken as it is: give that with --name."


def no_host_selected() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was selected.", "Name some with --name, or take all of the subscription with --all."
    )


def launcher_not_ours(file: str) -> AzCLIError:
    return FileOperationError(
        f"There is another program at {file}, which is left alone.",
        "Give another directory on PATH with --bin-dir DIR, or move that program away.",
    )


def launcher_unwritable(file: str, why: str) -> AzCLIError:
    return FileOperationError(f"{file} cannot be written: {why}.", "Give another directory on PATH with --bin-dir DIR.")


def no_bin_dir(usual: str) -> AzCLIError:
    return ValidationError(
        "No directory on PATH is your own and writable, so there is no place for docker-credential-acrscope.",
        f"Name one with --bin-dir, for example --bin-dir {usual}, and put it on PATH.",
    )


def helper_not_on_path(folder: str) -> str:
    """A warning, not an error."""
    return (
        f"{folder} is not on PATH: clients will not find docker-credential-acrscope there. Add it for them, for "
        f'example with the line export PATH="$PATH:{folder}" in your profile.'
    )


def helper_replaces(login_server: str, helper: str) -> str:
    """A warning, not an error."""
    return f"{login_server} has another credential helper now, docker-credential-{plain(helper)}, which is replaced."


def helper_shadows(login_server: str, file: str) -> str:
    """A warning, not an error."""
    return (
        f"The credential for {login_server} in {file} is no longer used. `docker logout {login_server}` "
        "(or `podman logout`) removes it."
    )


def helper_is_shadowed(login_server: str) -> str:
    """A warning, not an error."""
    return (
        f"podman is signed in to {login_server} and uses that credential first: `podman logout {login_server}` removes "
        "it."
    )


def helper_many(many: int) -> str:
    """A warning, not an error."""
    return (
        f"More than {many} registries have the helper: `docker build` without BuildKit asks it for each of them, every "
        "time."
    )


def helper_settings_unreadable(file: str) -> AzCLIError:
    return FileOperationError(
        f"The settings of docker-credential-acrscope in {file} cannot be read, so it is not known whose token to use.",
        "Delete the file, then `az acr scope configure-docker` writes it anew.",
    )


def helper_account_gone(login_server: str, subscription: str) -> AzCLIError:
    return AuthenticationError(
        f"{login_server} was set up for the account of subscription {plain(subscription)}, which is not signed in.",
        recommendation=[
            "Sign in to it with `az login`;",
            f"`az acr scope configure-docker --name {login_server}` is for the account in use from now on.",
        ],
    )


def helper_limited_token_over(login_server: str) -> AzCLIError:
    return UnauthorizedError(
        f"The token for some repositories of {login_server}, which a login handed over, has expired.",
        [
            f"`az acr scope login --name {login_server} --repository NAME` makes another one;",
            f"`docker logout {login_server}` goes back to all that the account may do.",
        ],
    )


def helper_renewal_busy(login_server: str, seconds: float) -> AzCLIError:
    return AzureConnectionError(
        f"Another process has been fetching a token for {login_server} for {seconds:g} seconds.",
        "Repeat the command; if it stays so, `az acr scope login --expose-token` shows what takes so long.",
    )


def helper_renewal_failed(login_server: str, why: str) -> str:
    """A warning, not an error."""
    return f"acrscope: the credential for {login_server} is still valid, but could not be renewed: {why}"


# --- consumers -----------------------------------------------------------------------------------------------------


def knowledge_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The knowledge in {file} could not be read: {why}.", "Name a file that you may read with --knowledge."
    )


def bad_knowledge(file: str, why: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The knowledge in {file} cannot be used: {why}.",
        "It has the form of knowledge.json in the extension's folder consumers; every entry needs a verdict and a "
        "source with the date on which it was read. `az extension show --name acrscope --query path` prints where "
        "that is.",
    )


def break_question(name: str, breaks: int) -> str:
    return f"Enforce {name} although {counted(breaks, 'consumer breaks', 'consumers break')}?"


def consumers_not_asked(why: str) -> str:
    return f"Who uses the registries could not be asked, so consumers may break: {why.rstrip('.')}."


def no_registry_for_consumers() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry is named.",
        "Name registries with --name, or take all of the subscription with --all, of a group with --resource-group, of "
        "all subscriptions with --all-subscriptions.",
    )


def consumers_in_the_way(fail_on: str, breaks: int, unknown: int, incomplete: int) -> AzCLIError:
    said = [f"{counted(breaks, 'consumer breaks', 'consumers break')}"] if breaks else []
    if fail_on == "unknown":
        said += [f"{counted(unknown, 'consumer is unknown', 'consumers are unknown')}"] if unknown else []
        said += [f"{counted(incomplete, 'part', 'parts')} of the search could not be read"] if incomplete else []
    return ValidationError(
        f"Not every consumer is known to work once only ACR-audience tokens are accepted: {', '.join(said)}.",
        "The rows say why and what mends it; --knowledge FILE takes what your team knows better.",
    )


# --- policy --------------------------------------------------------------------------------------------------------


CHECK_GROUP = "Or there is no such group: `az account management-group list --output table` shows the names."


def right_missing(
    doing: str, where: str, path: str, role: str, code: str, message: str, correlation: str
) -> AzCLIError:
    """A 403 around policy assignments.

    :param doing: what was not allowed, such as "assign policies".
    :param role: the narrowest built-in role that allows it.
    """
    detail = f"{message} [{code}, HTTP 403, correlation id {correlation}]."
    return ForbiddenError(
        f"The signed-in account may not {doing} at {where}: {detail}",
        [
            f'Ask for the role "{role}" there: `az role assignment create --assignee ACCOUNT --role "{role}" '
            f"--scope {path}`.",
            "Then repeat the command, which does what is left; `az account clear && az login` if the role is new.",
        ],
    )


def identity_right_missing(role: str, code: str, message: str, correlation: str) -> AzCLIError:
    return ForbiddenError(
        "The signed-in account may not give that identity to a policy assignment: "
        f"{message} [{code}, HTTP 403, correlation id {correlation}].",
        f'Ask for the role "{role}" on the identity, or leave --identity out: then the assignment has one of its own.',
    )


def no_subscription_for_policy(tenant: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"The signed-in account has no subscription in tenant {tenant}, so no scope was named.",
        "Name a management group with --management-group, or another account's subscription with --subscription.",
    )


def bad_assignment_name(name: str, longest: int) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{name}' cannot be the name of a policy assignment here: 1 to {longest} characters without "
        "< > * % & : ? . + / \\ and without a space at the end.",
        "Leave --assignment-name out for the usual name; --display-name takes any text.",
    )


def bad_identity(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the resource ID of a user-assigned managed identity.",
        "`az identity list --query [].id --output tsv` prints them.",
    )


def bad_not_scope(text: str, where: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the ID of something inside {where}, so it cannot be excluded from it.",
        "Give IDs such as /subscriptions/SUBSCRIPTION/resourceGroups/GROUP, or a registry's ID.",
    )


def name_taken(name: str, where: str, definition: str) -> AzCLIError:
    return ValidationError(
        f"The policy assignment '{name}' at {where} assigns another definition ({definition}), and Azure lets no "
        "assignment change its definition. Nothing was written.",
        "Give another name with --assignment-name, or the effect that belongs to that definition with --effect.",
    )


def assignment_elsewhere(there: str, wanted: str) -> AzCLIError:
    return ValidationError(
        f"The policy assignment has its identity in {there}; it cannot be moved to {wanted}. Nothing was written.",
        "Leave --location out, or `az acr scope policy unassign` and assign again.",
    )


def location_needed(where: str) -> AzCLIError:
    return RequiredArgumentMissingError(
        f"The effect modify works by a managed identity, which needs a location, and {where} has none.",
        "Add --location, for example --location westeurope; it does not limit which registries are covered.",
    )


def identity_unknown(principal: str, where: str, seconds: float) -> AzCLIError:
    return AzureResponseError(
        f"The policy is assigned at {where}, but its new identity {principal} was still unknown to the directory after "
        f"{seconds:g} seconds, so it has no role and cannot change registries yet.",
        "Repeat the command in a few minutes: it gives the role and changes nothing else.",
    )


def no_identity(assignment_id: str) -> AzCLIError:
    return AzureResponseError(
        f"Azure took the policy assignment {assignment_id} but names no identity for it, so no role can be given.",
        "Repeat the command: it reads the assignment again and goes on from there.",
    )


def not_an_assignment() -> AzCLIError:
    return AzureResponseError(
        "Azure Resource Manager's answer is not a policy assignment.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def not_our_assignment(name: str, where: str, definition: str) -> AzCLIError:
    return ValidationError(
        f"The policy assignment '{name}' at {where} ({definition}) was not made by `az acr scope policy assign`, so it "
        "is left alone. Nothing was removed.",
        "Whoever made it (a template, the portal, another tool) should remove it there, or use "
        "`az policy assignment delete`.",
    )


def several_assignments(names: list[str], where: str) -> AzCLIError:
    return ValidationError(
        f"There are {len(names)} assignments of ours at {where}: {', '.join(names)}. Nothing was removed.",
        "Say which one with --assignment-name.",
    )


def counted_with(group: str) -> str:
    """A sentence, no error."""
    return f"Registries in the excluded {group} are counted, too."


# --- Azure Policy: what governs, what it sees, what it mends ---------------------------------------------------------


def no_such_assignment(name: str, where: str, known: list[str]) -> AzCLIError:
    there = f"; there: {', '.join(known)}" if known else ""
    return ResourceNotFoundError(
        f"No assignment '{name}' of the modifying definition governs {where}{there}.",
        "`az acr scope policy show` with the same scope shows what governs it.",
    )


def nothing_modifies(where: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"No assignment with the effect modify governs {where}, so there is nothing that a remediation could use.",
        "`az acr scope policy assign --effect modify` makes one; `az acr scope enforce` needs none.",
    )


def several_modify(names: list[str]) -> AzCLIError:
    return InvalidArgumentValueError(
        f"Several assignments with the effect modify govern it, and a remediation belongs to one: {', '.join(names)}.",
        "Name one with --assignment, by its name or its ID.",
    )


def identity_without_role(name: str, scope: str, command: str) -> AzCLIError:
    return ValidationError(
        f"The identity of the assignment '{name}' has no role, so it could change no registry at {scope}: nothing was "
        "started.",
        f"`{command}` completes the assignment.",
    )


def identity_with_other_roles(name: str, command: str) -> str:
    return (
        f"The identity of the assignment '{name}' does not have the role Contributor where it was assigned. Should its "
        f"changes be refused: `{command}` completes the assignment."
    )


def remediation_running(where: str, message: str, correlation: str) -> AzCLIError:
    return ValidationError(
        f"Azure will not start a remediation for {where}: {message} [correlation id {correlation}]",
        "`az policy remediation list --output table` shows those that are running; wait for their end, or cancel one.",
    )


def remediation_goes_on(name: str, option: str, why: str) -> AzCLIError:
    """Nobody follows it any more, but Azure has not been told to stop."""
    return ManualInterrupt(
        f"{why}: the remediation {name} goes on in Azure.",
        [
            f"`az policy remediation show --name {name}{option}` shows how far it is;",
            f"`az policy remediation cancel --name {name}{option}` stops it.",
        ],
    )


def remediation_too_slow(name: str, option: str, seconds: float, state: str) -> AzCLIError:
    return AzureResponseError(
        f"The remediation {name} had not ended after {seconds:g} seconds (last reported as {state}); it goes on in "
        "Azure.",
        [
            f"`az policy remediation show --name {name}{option}` shows how far it is;",
            "`az config set acrscope.policy_timeout=SECONDS` lets this command wait longer.",
        ],
    )


def evaluation_too_slow(where: str, seconds: float) -> AzCLIError:
    return AzureResponseError(
        f"The evaluation of {where} had not ended after {seconds:g} seconds; it goes on in Azure.",
        [
            "Repeat the command without --refresh in some minutes;",
            "`az config set acrscope.policy_timeout=SECONDS` lets this command wait longer.",
        ],
    )


def evaluation_goes_on(where: str) -> AzCLIError:
    return ManualInterrupt(
        f"Interrupted: the evaluation of {where} goes on in Azure.",
        "Repeat the command without --refresh in some minutes.",
    )


def evaluation_failed(where: str, state: str) -> AzCLIError:
    return AzureResponseError(f"Azure reports the evaluation of {where} as {state}.", "Repeat the command.")


def not_a_policy_answer(what: str) -> AzCLIError:
    return AzureResponseError(
        f"Azure Resource Manager's answer about {what} cannot be read.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def still_not_enforced(left: int, total: int, unread: int, encrypted: list[str]) -> AzCLIError:
    """The end of a remediation that did not mend everything."""
    parts = [f"{left} of {registries(total)} still not `disabled`"] if left else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    advice = ["The rows say why. `az acr scope policy remediate --enforce-rest` enforces what Azure Policy cannot."]
    if encrypted:
        advice = [
            "Azure Policy cannot change registries with customer-managed keys: "
            f"`az acr scope enforce --name {' '.join(encrypted[:20])}` or --enforce-rest does."
        ]
    return AzureResponseError(f"{' and '.join(parts)}.", advice)


def encrypted_registries(names: list[str]) -> str:
    return (
        f"{registries(len(names))} with customer-managed keys, which Azure Policy cannot change and "
        f"`az acr scope enforce` can: {', '.join(names)}"
    )


def policy_unread(where: str, why: str) -> str:
    return f"Whether Azure Policy will refuse or undo this in {where} cannot be told: {why}"


def policy_hinders(assignment: str, scope: str, how: str) -> str:
    """What Azure Policy will do to a registry that is set to `enabled`.

    :param how: `refused` or `undone`.
    """
    does = "refuse it" if how == "refused" else "set it back to `disabled` in the same write"
    return f"the Azure Policy assignment {assignment} (at {scope}) will {does}"


def hindered(names: list[str], said: str) -> str:
    """The warning before a run."""
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"Setting {shown} to `enabled`: {said}. `az acr scope policy show --name {names[0]}` shows what governs it."


# --- wording shared by the above -----------------------------------------------------------------------------------


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: 1 registry, 2 registries."""
    return f"{number} {one if number == 1 else many}"


def registries(number: int) -> str:
    return counted(number, "registry", "registries")


def subscriptions(number: int) -> str:
    return counted(number, "subscription", "subscriptions")


def _name(login_server: str) -> str:
    """The name of a login server's registry, for commands that take no hash."""
    return login_server.split(".")[0].split("-")[0]


def _registry(where: str) -> str:
    """The name of the registry that a text of `registry.short_name` names, for commands."""
    found = re.match(r"Registry '(\w+)'", where, re.ASCII)
    return found[1] if found else "REGISTRY"


def _id(correlation: str) -> str:
    return f", correlation id {correlation}" if correlation else ""


def _cause(cause: BaseException) -> str:
    """The innermost reason in one line: what the operating system or TLS said."""
    seen: set[int] = set()
    current: Any = cause
    while id(current) not in seen:
        seen.add(id(current))
        inner = getattr(current, "inner_exception", None) or getattr(current, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in getattr(current, "args", ()) if isinstance(arg, BaseException)), None)
        current = inner or current
    return redact_strictly(str(current).split("\n")[0].strip()).rstrip(".") or type(current).__name__


def _network_advice(cause: Exception, login_server: str = "") -> str:
    text = f"{cause!r} {cause}"
    if "407" in text or "ProxyError" in text:
        host = f"the name {login_server}, and the proxy's" if login_server else "its"
        return f"The proxy that HTTPS_PROXY names did not let the request through: check {host} address and password."
    if "CERTIFICATE" in text.upper() or "SSLError" in text:
        return (
            "The certificate was not trusted. Behind a proxy that opens TLS, point REQUESTS_CA_BUNDLE at its CA file."
        )
    if login_server:
        return "Check the name and the network. A private endpoint is reached from its virtual network only."
    return "Check the network and HTTPS_PROXY, then repeat the command."


def _without_tokens(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose texts hold no token whatever was put into them: they go to telemetry, too."""

    @wraps(make)
    def made(*args: Any, **options: Any) -> Any:
        result = make(*args, **options)
        if isinstance(result, AzCLIError) and redact(result.error_msg) != result.error_msg:
            advice = [redact(text) for text in result.recommendations]
            return type(result)(redact(result.error_msg), recommendation=advice)
        return redact(result) if isinstance(result, str) else result

    return made


for _function_name, _function in list(globals().items()):
    if isinstance(_function, FunctionType) and _function.__module__ == __name__ and not _function_name.startswith("_"):
        globals()[_function_name] = _without_tokens(_function)

"""Make the errors of identities other than the CLI's account: what they need, their files, and job tokens."""

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error
from azext_acrscope.base.tokens import redact_secrets, safe_word
from azext_acrscope.hops.errors import cause_of, connection_error, network_advice

_BY_TASK = (
    "the tasks AzureCLI@2 and AzurePowerShell@5 set the AZURESUBSCRIPTION_ variables for their service connection "
    "(--client-id and --tenant replace two of them)"
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


def library_missing(credential: str, package: str) -> AzCLIError:
    """Return the error for a credential whose library cannot be imported.

    :param package: the name of the Python package that is not there.
    """
    return cli_error(
        ValidationError,
        f"--credential {credential} needs the Python package {package}, which is not installed: the extension was "
        "added without its dependencies.",
        [
            "Add the extension again. Where no package index can be reached, docs/install.md shows how (Offline):\n"
            "az extension remove --name acrscope\naz extension add --source acrscope-VERSION-py3-none-any.whl",
        ],
    )


def identity_incomplete(credential: str, missing: list[str]) -> AzCLIError:
    """Return the error for a credential whose environment variables are not all set.

    :param missing: names of environment variables, as in `_HOW_TO_SET`.
    """
    how = list(dict.fromkeys(_HOW_TO_SET[name] for name in missing))
    return cli_error(
        RequiredArgumentMissingError,
        f"--credential {credential} needs environment variables that are not set here: {', '.join(missing)}.",
        [f"{text[0].upper()}{text[1:]}." for text in how],
    )


def bad_tenant(text: str) -> AzCLIError:
    """Return the error for a text that cannot be a tenant."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{safe_word(text)}' cannot be a tenant.",
        "Give the tenant's ID or one of its domains.",
    )


def identity_file_unusable(variable: str, file: str, why: str) -> AzCLIError:
    """Return the error for a file of a credential that cannot be used.

    :param variable: that names the file.
    """
    return cli_error(
        FileOperationError,
        f"The file {file}, which {variable} names, cannot be used: {why}.",
        f"Fix the file, or set {variable} again.",
    )


def foreign_authority(named: str, authority: str, cloud: str) -> AzCLIError:
    """Return the error for an AZURE_AUTHORITY_HOST outside the active cloud."""
    return cli_error(
        InvalidArgumentValueError,
        f"AZURE_AUTHORITY_HOST names {redact_secrets(named)}, but the active cloud ({cloud}) signs in at {authority}. "
        "Nothing was sent to either.",
        "Unset AZURE_AUTHORITY_HOST. For another cloud, run `az cloud list --output table`, then "
        "`az cloud set --name CLOUD`.",
    )


def bad_authority_region() -> AzCLIError:
    """Return the error for an AZURE_REGIONAL_AUTHORITY_NAME that is not a region."""
    return cli_error(
        InvalidArgumentValueError,
        "AZURE_REGIONAL_AUTHORITY_NAME is not the name of a region.",
        "Set it to a name such as westeurope, or unset it.",
    )


def bad_oidc_url(variable: str) -> AzCLIError:
    """Return the error for a variable that is not an https URL."""
    return cli_error(
        InvalidArgumentValueError,
        f"{variable} is not an https URL on port 443. The job's token was not sent there.",
        f"Do not change {variable}: the system that runs the job sets it.",
    )


def bad_job_token(variable: str) -> AzCLIError:
    """Return the error for a token of the job that can be none, because it holds blanks or other characters.

    :param variable: that names the issuer, which the token was meant for.
    """
    return cli_error(
        InvalidArgumentValueError,
        f"The job's own token, which goes to the issuer that {variable} names, holds characters that no token has. It "
        "was not sent.",
        "Hand the variable on as the system that runs the job sets it, without a line break.",
    )


def oidc_unreachable(host: str, cause: Exception) -> AzCLIError:
    """Return the error for an issuer of job tokens that cannot be reached."""
    return cli_error(connection_error(cause), f"{host} could not be reached: {cause_of(cause)}.", network_advice(cause))


def no_oidc_token(variable: str, host: str, status: int) -> AzCLIError:
    """Return the error for an issuer of job tokens that returned none.

    :param variable: that names the issuer.
    """
    what = "no token in its answer" if status == 200 else f"HTTP {status}"
    advice = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "The variables are valid only in the job that they were set in, while it "
        "runs. Run the job again, and check that it has `permissions: id-token: write`.",
        "SYSTEM_OIDCREQUESTURI": "Check that SYSTEM_ACCESSTOKEN is this job's $(System.AccessToken). Check that the "
        "pipeline can use the service connection and references it in this stage.",
    }
    return cli_error(
        AuthenticationError,
        f"{host} returned no identity token for this job ({what}).",
        recommendation=advice[variable],
    )

"""First hop without `az login`: identities of jobs, machines and applications, through azure-identity.

Each source is tried as it was named, once; none of them guesses another, and Entra ID is asked for the audience wanted
and nothing else. The authority is that of the CLI's cloud. azure-identity follows no redirects; what it would log or
raise may hold a server's words, so neither is let out.
"""

import os
import re
from typing import TYPE_CHECKING, Any

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger

from azext_acrscope.base import http, threads
from azext_acrscope.base.files import os_error_reason
from azext_acrscope.base.tokens import is_valid_tenant, parse_json_object
from azext_acrscope.hops import assertions, identity_errors, managed_identity_errors, sign_in_errors
from azext_acrscope.hops.principals import Principal

if TYPE_CHECKING:
    from azext_acrscope.hops.principals import RequestedIdentity


TOTAL_SECONDS = 120.0  # for everything that one identity takes, with all tries and waits
# azure-identity's own are up to ten tries, two minutes between them, and five minutes for a connection. It also repeats
# what breaks off, up to the total.
_RETRY_OPTIONS = {
    "retry_total": 3,
    "retry_connect": 1,
    "retry_read": 1,
    "retry_status": 3,
    "retry_backoff_factor": 0.5,
    "connection_timeout": 10,
    "read_timeout": 30,
}
# The metadata service of a virtual machine answers 404 and 410 for a while, and never belongs behind a proxy: its
# answer is a token in the clear.
_METADATA_RETRY_OPTIONS = {
    "retry_total": 4,
    "retry_connect": 1,
    "retry_read": 1,
    "retry_status": 4,
    "connection_timeout": 2,
    "read_timeout": 30,
    "use_env_settings": False,
}
logger = get_logger(__name__)


def acquire_identity_token(cli_ctx: Any, wanted: str, source: "RequestedIdentity") -> str:
    """Return a token for the audience `wanted`; unchecked.

    :raises RequiredArgumentMissingError: a variable is missing; all that are missing are named.
    :raises FileOperationError: a file of the identity cannot be used.
    :raises AuthenticationError: refused, or there is no such identity here.
    :raises AzureConnectionError: what had to be asked could not be reached.
    """
    http.load_requests()
    http.prepare_connections()
    try:
        return threads.run_with_deadline(lambda: _request_token(cli_ctx, wanted, source), TOTAL_SECONDS)
    except threads.DeadlineExceeded:
        raise sign_in_errors.identity_slow(source.credential, TOTAL_SECONDS) from None


def _request_token(cli_ctx: Any, wanted: str, source: "RequestedIdentity") -> str:
    if source.credential == "managed-identity":
        return _request_managed_identity_token(wanted, source.client_id)
    authority = _cli_authority(cli_ctx)
    options = {**_RETRY_OPTIONS, **_tls_options(), "authority": authority, **_discovery_options(cli_ctx)}
    if source.credential == "environment":
        return _request_environment_token(wanted, source, options)
    return _request_federated_token(wanted, source, options)


# --- applications: a secret, a certificate, or an assertion ---


def _request_environment_token(wanted: str, source: "RequestedIdentity", options: dict[str, Any]) -> str:
    """A secret or a certificate; the secret counts where there are both, as in azure-identity."""
    found = _read_identity_variables(source, ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"), either=True)
    sign_in = Principal("environment", found["AZURE_TENANT_ID"], found["AZURE_CLIENT_ID"])
    if found["AZURE_CLIENT_SECRET"]:
        credential = _library("environment").ClientSecretCredential(
            sign_in.tenant, sign_in.client_id, client_secret=found["AZURE_CLIENT_SECRET"], **options
        )
    else:
        credential = _certificate_credential(sign_in, found["AZURE_CLIENT_CERTIFICATE_PATH"], options)
    return _get_token(credential, wanted, sign_in)


def _certificate_credential(sign_in: Principal, file: str, options: dict[str, Any]) -> Any:
    library = _library("environment")
    more = {
        "password": os.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        "send_certificate_chain": os.environ.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "").lower() in ("1", "true"),
    }
    try:
        return library.CertificateCredential(sign_in.tenant, sign_in.client_id, file, **more, **options)
    except OSError as error:
        why = os_error_reason(error)
    except (ValueError, TypeError):
        # The cause may quote the file.
        why = "it is not a PEM or PKCS12 file with an RSA key, or AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it"
    raise identity_errors.identity_file_unusable("AZURE_CLIENT_CERTIFICATE_PATH", file, why)


def _request_federated_token(wanted: str, source: "RequestedIdentity", options: dict[str, Any]) -> str:
    """An application that trusts the system this job runs in."""
    library = _library(source.credential)
    client, tenant = "AZURE_CLIENT_ID", "AZURE_TENANT_ID"
    if source.credential == "workload-identity":
        found = _read_identity_variables(source, ("AZURE_FEDERATED_TOKEN_FILE",))
        assertion = assertions.read_assertion_file(found["AZURE_FEDERATED_TOKEN_FILE"])
    elif source.credential == "github-actions":
        found = _read_identity_variables(source, ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
        assertion = assertions.request_github_assertion(
            found["ACTIONS_ID_TOKEN_REQUEST_URL"], found["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
        )
    else:
        client, tenant = "AZURESUBSCRIPTION_CLIENT_ID", "AZURESUBSCRIPTION_TENANT_ID"
        connection = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
        found = _read_identity_variables(
            source, ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", connection), client, tenant
        )
        assertion = assertions.request_azure_pipelines_assertion(
            found["SYSTEM_OIDCREQUESTURI"], found["SYSTEM_ACCESSTOKEN"], found[connection]
        )
    shown = assertions.read_trust_claims(assertion)
    sign_in = Principal(source.credential, found[tenant], found[client], presented=shown)
    credential = library.ClientAssertionCredential(sign_in.tenant, sign_in.client_id, lambda: assertion, **options)
    return _get_token(credential, wanted, sign_in)


def _read_identity_variables(
    source: "RequestedIdentity",
    names: tuple[str, ...],
    client: str = "AZURE_CLIENT_ID",
    tenant: str = "AZURE_TENANT_ID",
    either: bool = False,
) -> dict[str, str]:
    """The variables named, and who signs in where: the options of the command line, else two more variables.

    :param either: one of `names` is enough.
    """
    found = assertions.read_variables((*names, client, tenant))
    found[client], found[tenant] = source.client_id or found[client], source.tenant or found[tenant]
    missing = [name for name, value in found.items() if not value and not (either and name in names)]
    if either and not any(found[name] for name in names):
        missing.append(" or ".join(names))
    if missing:
        raise identity_errors.identity_incomplete(source.credential, missing)
    if not is_valid_tenant(found[tenant]):
        raise identity_errors.bad_tenant(found[tenant])
    return found


def _library(credential: str) -> Any:
    """azure-identity, which comes with the extension and not with the CLI.

    :raises ValidationError: it, or what it needs, is not there.
    """
    try:
        import azure.identity
    except ImportError as error:
        package = str(error.name or "azure.identity")
        raise identity_errors.library_missing(credential, "-".join(package.split(".")[:2]).replace("_", "-")) from None
    return azure.identity


def _get_token(credential: Any, wanted: str, sign_in: Principal) -> str:
    from azure.core.exceptions import AzureError

    logger.debug("Asking for %s as %s of tenant %s", wanted, sign_in.client_id, sign_in.tenant)
    try:
        return str(credential.get_token(f"{wanted}/.default").token)
    except AzureError as error:
        # No chain: the cause may hold what a server sent.
        if unreachable := _find_broken_connection(error):
            raise sign_in_errors.entra_unreachable(unreachable) from None
        if refusal := sign_in_errors.find_refusal(error):
            raise sign_in_errors.identity_refused(wanted, sign_in, refusal, _has_claims_challenge(error)) from None
        raise sign_in_errors.entra_failed(wanted, type(error).__name__) from None
    except Exception as error:  # pylint: disable=broad-exception-caught  # MSAL raises of many kinds
        raise sign_in_errors.entra_failed(wanted, type(error).__name__) from None


# --- managed identities ---


def _request_managed_identity_token(wanted: str, client_id: str | None) -> str:
    from azure.core.exceptions import AzureError

    endpoint = managed_identity_errors.endpoint_label()
    logger.debug("Asking %s for %s", endpoint, wanted)
    try:
        credential = _library("managed-identity").ManagedIdentityCredential(
            client_id=client_id,
            _exclude_workload_identity_credential=True,  # else it goes over to that where it finds its variables
            **_METADATA_RETRY_OPTIONS,
        )
        return str(credential.get_token(f"{wanted}/.default").token)
    except AzCLIError:
        raise
    except AzureError as error:
        if unreachable := _find_broken_connection(error):
            raise managed_identity_errors.no_identity_endpoint(unreachable) from None
        if "AADSTS" in str(error):
            sign_in = Principal("managed-identity", "of the managed identity", client_id or "(system-assigned)")
            raise sign_in_errors.identity_refused(wanted, sign_in, str(error)) from None
        raise _no_managed_identity(error, str(error), wanted, client_id) from None
    except Exception as error:  # pylint: disable=broad-exception-caught  # whatever answers there
        raise _no_managed_identity(error, type(error).__name__, wanted, client_id) from None


def _no_managed_identity(error: Exception, answer: str, wanted: str, client_id: str | None) -> AzCLIError:
    key_file = managed_identity_errors.find_key_file(error)
    return key_file or managed_identity_errors.no_managed_identity(wanted, answer, client_id)


# --- Entra ID of the CLI's cloud ---


def _cli_authority(cli_ctx: Any) -> str:
    """The authority of the CLI's cloud. A variable that names another one is an error: nothing is sent to either."""
    authority = str(cli_ctx.cloud.endpoints.active_directory).rstrip("/")
    named = assertions.read_variable(os.environ, "AZURE_AUTHORITY_HOST")
    if named and _normalize_authority(named) != _normalize_authority(authority):
        raise identity_errors.foreign_authority(named, authority, cli_ctx.cloud.name)
    region = assertions.read_variable(os.environ, "AZURE_REGIONAL_AUTHORITY_NAME")
    if region and not re.fullmatch(r"[A-Za-z0-9]+", region):  # it becomes a part of the host
        raise identity_errors.bad_authority_region()
    return authority


def _normalize_authority(authority: str) -> str:
    text = authority if "://" in authority else f"https://{authority}"
    return text.lower().rstrip("/")


def _discovery_options(cli_ctx: Any) -> dict[str, bool]:
    """As the CLI does for clouds whose authority Microsoft does not know (core.instance_discovery)."""
    if cli_ctx.config.getboolean("core", "instance_discovery", True):
        return {}
    return {"disable_instance_discovery": True}


def _tls_options() -> dict[str, bool]:
    from azure.cli.core.util import should_disable_connection_verify

    return {"connection_verify": False} if should_disable_connection_verify() else {}


def _has_claims_challenge(error: Any) -> bool:
    """Whether Entra sent a claims challenge with its refusal."""
    try:
        return bool(parse_json_object(error.response.text()).get("claims"))
    except Exception:  # pylint: disable=broad-exception-caught  # there is no answer, or none that is text
        return False


def _find_broken_connection(error: BaseException | None) -> Exception | None:
    """The first among an exception and its causes that says that there was no answer, or no whole one."""
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    while error is not None:
        if isinstance(error, (ServiceRequestError, ServiceResponseError)):
            return error
        if isinstance(error, Exception) and http.is_cut_short(error) and not http.is_cut_short(error.__cause__):
            return error
        error = error.__cause__
    return None

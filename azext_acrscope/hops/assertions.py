"""What a job can show to Entra ID instead of a secret: a token of the system that runs it (a federated assertion).

GitHub Actions (docs.github.com, OpenID Connect reference): GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=… with
``Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN`` answers ``{"count": …, "value": "…"}``. Azure Pipelines (REST
API, Oidctoken - Create, 7.1): POST $SYSTEM_OIDCREQUESTURI?api-version=7.1&serviceConnectionId=… with
``Authorization: Bearer $SYSTEM_ACCESSTOKEN`` answers ``{"oidcToken": "…"}``. Kubernetes: the file
$AZURE_FEDERATED_TOKEN_FILE.
"""

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from azext_acrscope.base import http
from azext_acrscope.base.files import os_error_reason
from azext_acrscope.base.tokens import parse_json_object, read_claims
from azext_acrscope.hops import identity_errors

FEDERATION_AUDIENCE = "api://AzureADTokenExchange"  # what Entra's federated credentials are made for
_MAX_BYTES = 64 * 1024
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 20.0


def read_variable(environ: Mapping[str, str], name: str) -> str:
    """Return a variable without blanks around it; empty where it is missing.

    Azure Pipelines leaves ``$(System.AccessToken)`` as it is where there is no such variable.
    """
    value = environ.get(name, "").strip()
    return "" if value.startswith("$(") else value


def read_assertion_file(file: str) -> str:
    """Return the assertion that a cluster projects into a file.

    :raises FileOperationError: the file cannot be read, or holds no token.
    """
    try:
        with open(file, "rb") as handle:
            text = handle.read(_MAX_BYTES).decode("ascii").strip()
    except OSError as error:
        raise identity_errors.identity_file_unusable(
            "AZURE_FEDERATED_TOKEN_FILE", file, os_error_reason(error)
        ) from None
    except ValueError:
        text = ""
    if not read_claims(text):
        raise identity_errors.identity_file_unusable("AZURE_FEDERATED_TOKEN_FILE", file, "it holds no token")
    return text


def request_github_assertion(url: str, request_token: str) -> str:
    """Return the assertion that GitHub gives the job. Errors as for `_ask`."""
    joint = "&" if "?" in url else "?"
    full = f"{url}{joint}audience={quote(FEDERATION_AUDIENCE, safe='')}"
    return _request_assertion("GET", "ACTIONS_ID_TOKEN_REQUEST_URL", full, request_token, "value")


def request_azure_pipelines_assertion(url: str, access_token: str, service_connection: str) -> str:
    """Return the assertion that Azure DevOps gives the job for a service connection. Errors as for `_ask`."""
    full = f"{url.rstrip('/')}?api-version=7.1&serviceConnectionId={quote(service_connection, safe='')}"
    return _request_assertion("POST", "SYSTEM_OIDCREQUESTURI", full, access_token, "oidcToken")


def read_trust_claims(assertion: str) -> dict[str, str]:
    """Return the claims by which Entra finds the trust: `issuer`, `subject` and `audience`. They are no secrets."""
    told = read_claims(assertion)
    return {"issuer": str(told.get("iss")), "subject": str(told.get("sub")), "audience": str(told.get("aud"))}


def _request_assertion(method: str, variable: str, url: str, bearer: str, member: str) -> str:
    """Ask the job's system; the job's own token goes to the host of that variable over TLS, and no further.

    :raises InvalidArgumentValueError: the variable holds no https URL, or the job's own token is none.
    :raises AzureConnectionError: no connection.
    :raises AuthenticationError: any answer but a token.
    """
    try:
        parts = urlsplit(url)
        proper = parts.scheme == "https" and parts.hostname and parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        proper = False
    if not proper or any(character.isspace() for character in url):
        raise identity_errors.bad_oidc_url(variable)
    if not re.fullmatch(r"[\x21-\x7e]+", bearer):
        raise identity_errors.bad_job_token(variable)
    host = str(parts.hostname)
    status, body = _send_request(method, host, f"{parts.path or '/'}?{parts.query}", bearer)
    token = parse_json_object(body).get(member)
    if status != 200 or not isinstance(token, str) or not read_claims(token):
        raise identity_errors.no_oidc_token(variable, host, status)
    return token


def _send_request(method: str, host: str, target: str, bearer: str) -> tuple[int, bytes]:
    """Status and body of the answer; passing faults are retried, a redirect is an answer like any other.

    A body that breaks off is requested once more.
    """
    headers: dict[str, Any] = {
        "Authorization": f"Bearer {bearer}",
        "Accept": "application/json",
        "User-Agent": http.user_agent(),
    }
    if method == "POST":
        # Else Azure DevOps answers a bad token with a redirect to a sign-in page.
        headers |= {"Content-Type": "application/json", "Content-Length": "0", "X-TFS-FedAuthRedirect": "Suppress"}
    retries = Retry(
        total=2,
        redirect=False,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=(method,),
        backoff_factor=0.5,
        raise_on_status=False,
        respect_retry_after_header=False,
    )

    def request() -> tuple[int, bytes]:
        response = pool.urlopen(
            method,
            target,
            headers=headers,
            retries=retries,
            redirect=False,
            timeout=Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            preload_content=False,
        )
        return response.status, response.read(_MAX_BYTES, decode_content=True)

    try:
        with http.open_pool(host) as pool:
            return http.repeat_if_cut_short(request)
    except (HTTPError, OSError, ValueError) as error:
        raise identity_errors.oidc_unreachable(host, error) from None


def read_variables(names: tuple[str, ...]) -> dict[str, str]:
    """Return environment variables by name; empty where missing."""
    return {name: read_variable(os.environ, name) for name in names}

"""Make the errors of managed identities: the endpoint on the machine that gives their tokens, and Azure Arc's key."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

from azure.cli.core.azclierror import AuthenticationError, AzCLIError, AzureConnectionError, FileOperationError

from azext_acrscope.base import systems
from azext_acrscope.base.errors import cli_error
from azext_acrscope.base.tokens import ACR_AUDIENCE, safe_word
from azext_acrscope.hops.errors import cause_of, short

_ARC_FOLDERS = ("/var/opt/azcmagent/tokens", r"\AzureConnectedMachineAgent\Tokens")
_CODE = re.compile(r"""['"](?:code|error)['"]: ?['"]([A-Za-z_]{3,40})['"]|\(([A-Za-z_]{3,40})\)""")


def endpoint_label() -> str:
    """Return the endpoint that is asked here, for errors: scheme and host, or the variable that names them."""
    for name in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        if os.environ.get(name):
            try:
                parts = urlsplit(os.environ[name])
            except ValueError:  # no URL, which may hold anything
                return f"that {name} names"
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} (from {name})"
    return "http://169.254.169.254"


def no_identity_endpoint(cause: Exception, by_account: bool = False) -> AzCLIError:
    """Return the error for a machine without a managed identity endpoint.

    :param by_account: whether it is the CLI's account that is signed in so, and not a --credential.
    """
    other = "sign in with another identity" if by_account else "use another --credential"
    return cli_error(
        AzureConnectionError,
        f"There is no managed identity here: its endpoint {short(endpoint_label())} could not be reached "
        f"({cause_of(cause)}).",
        f"A managed identity works only on machines and services in Azure. Elsewhere, {other}.",
    )


def no_managed_identity(audience: str, answer: str, client_id: str | None = None, again: str = "") -> AzCLIError:
    """Return the error for a managed identity endpoint that returned no token.

    :param answer: its text, of which only the code is shown.
    :param again: the command that signs the CLI's account in again; empty for a --credential.
    """
    found = _CODE.search(answer)
    code = safe_word(found[1] or found[2]) if found else ""
    advice = [f"Sign in again, then repeat the command:\n{again}"] if again else []
    if "Multiple user assigned" in answer:
        why, advice = "several identities are assigned here", [f"Select one of them with {_client_id_option(again)}."]
    elif "Identity not found" in answer or "identity has been assigned" in answer:
        which = f"no managed identity with the client ID {safe_word(client_id)}" if client_id else "no managed identity"
        why = f"{which} is assigned here"
        advice = [
            "Assign one (`az vm identity assign`, or the same for this service), or select another with "
            f"{_client_id_option(again)}."
        ]
    elif code == "AudienceNotSupported" or "token audience" in answer:
        why = "this machine issues no tokens for that audience"
        advice += ["Sign in with another identity, such as a service principal.", *_other_audience(audience)]
    elif code:
        why = "it refused"
        advice += ["Some machines issue no tokens for this audience: use another identity there."]
        advice += _other_audience(audience)
    else:
        why = "its answer is not a token"
        other = "`az login` in another way" if again else "another --credential"
        advice = [*advice, f"If this is not a machine or service in Azure, use {other}. Otherwise repeat in a minute."]
    return cli_error(
        AuthenticationError,
        f"The managed identity endpoint {short(endpoint_label())} returned no token for the audience {audience}: {why}"
        f"{f' [{code}]' if code else ''}.",
        recommendation=advice,
    )


def find_key_file(error: Any) -> AzCLIError | None:
    """Return the error for Azure Arc's key file, if an exception or one of its causes is that it cannot be read."""
    while error is not None:
        file = str(getattr(error, "filename", None) or "")
        if isinstance(error, OSError) and any(folder in file for folder in _ARC_FOLDERS):
            return _arc_key_unreadable(file, error.strerror or type(error).__name__)
        error = error.__cause__
    return None


def _arc_key_unreadable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"Azure Arc proves by the file {file} who asks for a token, and it cannot be read: {why}. Only root and the "
        "members of one group can read it.",
        systems.this_system().arc_key_advice(),
    )


def _client_id_option(again: str) -> str:
    return "`az login --identity --client-id ID`" if again else "--client-id"


def _other_audience(audience: str) -> list[str]:
    """What is left where a machine issues no token for the registry audience; ARM's audience is not ours to choose."""
    if audience != ACR_AUDIENCE:
        return []
    return [
        "While the registry's status is `enabled`, `az config set acr.audience_resource=https://management.azure.com` "
        "signs in with an ARM token instead, which gives access to far more than images. "
        "`az config unset acr.audience_resource` goes back.",
    ]

"""How the Azure CLI is signed in: with what, how to do it again, and which of its files is broken."""

import json
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base.files import os_error_reason
from azext_acrscope.hops import sign_in_errors

_MANAGED_IDENTITIES = ("systemAssignedIdentity", "userAssignedIdentity")  # the names that the CLI gives such accounts
_IDENTITY_OPTIONS = {"MSIClient": "--client-id", "MSIObject": "--object-id", "MSIResource": "--resource-id"}
_TOKEN_CACHE, _PRINCIPALS = "msal_token_cache.json", "service_principal_entries.json"


def is_managed_identity(account: dict[str, Any]) -> bool:
    """Return whether an account of the CLI was signed in with `az login --identity`."""
    return _user(account).get("name") in _MANAGED_IDENTITIES


def sign_in_command(account: dict[str, Any], audience: str) -> str:
    """Return the command that signs an account in again, in the way in which it is signed in."""
    user, tenant = _user(account), account["tenantId"]
    alone = " --allow-no-subscriptions" if account.get("id") == tenant else ""
    if is_managed_identity(account):
        kind, _, value = str(user.get("assignedIdentityInfo")).partition("-")
        which = f' {_IDENTITY_OPTIONS[kind]} "{value}"' if kind in _IDENTITY_OPTIONS else ""
        return f"az login --identity{which}{alone}"
    if user.get("type") == "servicePrincipal":
        secret = _secret_option(_stored_principal(account))
        return f'az login --service-principal --username "{user.get("name")}" --tenant "{tenant}" {secret}{alone}'
    return f'az login --tenant "{tenant}" --scope "{audience.rstrip("/")}/.default"{alone}'


def repeats_request(account: dict[str, Any]) -> bool:
    """Return whether a request after a new sign-in is the same as before, to the letter.

    MSAL remembers a refusal (HTTP 400) for a minute by all that was sent, in a file of all processes. A person's new
    sign-in brings another refresh token, and a certificate makes a new assertion for each process.
    """
    return _user(account).get("type") == "servicePrincipal" and "certificate" not in _stored_principal(account)


def find_broken_file(account: dict[str, Any], audience: str, error: Exception) -> AzCLIError | None:
    """Return the error for the file of the CLI's sign-in that made a request fail; None if they are as they should be.

    The CLI reads them without a word of its own, and what it raises may look like an answer of Entra ID's.

    :param error: what it raised.
    """
    from azure.cli.core._environment import get_config_dir

    again = sign_in_command(account, audience)
    if isinstance(error, OSError) and error.filename:
        denied = isinstance(error, PermissionError)
        return sign_in_errors.sign_in_file_unusable(str(error.filename), os_error_reason(error), again, denied)
    for name in (_TOKEN_CACHE, _PRINCIPALS):
        file = Path(get_config_dir()) / name
        if file.is_file() and (why := _why_broken(file)):
            return sign_in_errors.sign_in_file_broken(str(file), why, again)
    return None


def _why_broken(file: Path) -> str:
    """Why the CLI cannot read one of its files; empty if it can. To MSAL an empty cache is none."""
    try:
        content = json.loads(file.read_bytes() or b"{}")
    except OSError as error:
        return os_error_reason(error)
    except (ValueError, RecursionError):
        return "it is not JSON, perhaps because it was cut short"
    if file.name == _TOKEN_CACHE:
        kinds = list(content.values()) if isinstance(content, dict) else [None]
        proper = all(isinstance(kind, dict) and all(isinstance(each, dict) for each in kind.values()) for kind in kinds)
    else:
        proper = isinstance(content, list) and all(
            isinstance(each, dict) and {"client_id", "tenant"} <= set(each) for each in content
        )
    return "" if proper else "it does not have the form that the Azure CLI gives it"


def _user(account: dict[str, Any]) -> dict[str, Any]:
    return account.get("user") or {}


def _stored_principal(account: dict[str, Any]) -> dict[str, Any]:
    """What the CLI keeps of a service principal: its secret, the path of its certificate, or an assertion.

    Nothing where it cannot be read: whatever is wrong with it, another error is about to be told.
    """
    from azure.cli.core.auth.identity import Identity

    try:
        store: Any = Identity._service_principal_store_instance  # pylint: disable=protected-access  # it has no other
        return dict(store.load_entry(_user(account)["name"], account["tenantId"]))
    except Exception:  # pylint: disable=broad-exception-caught  # as above
        return {}


def _secret_option(entry: dict[str, Any]) -> str:
    """The option with which a service principal shows who it is; never its secret."""
    if "certificate" in entry:
        chain = " --use-cert-sn-issuer" if entry.get("use_cert_sn_issuer") else ""
        return f'--certificate "{entry["certificate"]}"{chain}'
    if "client_assertion" in entry:
        return "--federated-token TOKEN"
    return "--password SECRET" if "client_secret" in entry else "(--password, --certificate or --federated-token)"

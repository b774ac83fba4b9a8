"""Make the errors and sentences that both hops share: settings, and why a connection failed."""

import re
from typing import Any

from azure.cli.core.azclierror import AzureConnectionError, AzureInternalError

from azext_acrscope.base.errors import sentence
from azext_acrscope.base.tokens import redact_secrets

# What OpenSSL says where X509_V_FLAG_X509_STRICT is set, which Python does from 3.13 on: no trusted file mends that.
_STRICT_RULES = re.compile(
    r"Missing (Authority|Subject) Key Identifier|(Authority|Subject) Key Identifier marked critical|"
    r"Basic Constraints of CA cert not marked critical|CA cert does not include key usage extension|"
    r"Empty Subject Alternative Name extension|(Issuer|Subject) name empty"
)
# Errors that quote a setting of this machine as it is: a proxy's password, or a header with a token.
_QUOTES_A_SETTING = re.compile(r"Failed to parse|Invalid header|header value|Invalid URL")


class UntrustedCertificateError(AzureConnectionError):
    """A connection that failed because of the other side's certificate: a check tells it from other failures."""


def connection_error(cause: Exception) -> type[AzureConnectionError]:
    """Return the type of the error for a connection that failed."""
    return UntrustedCertificateError if is_certificate_error(cause) else AzureConnectionError


def is_passing(error: BaseException | None) -> bool:
    """Return whether a failure may be over in a while: a broken connection or 5xx, and no certificate or firewall."""
    passing = isinstance(error, (AzureConnectionError, AzureInternalError))
    return passing and not isinstance(error, UntrustedCertificateError)


def short(value: str) -> str:
    """Return a claim of an assertion or an address, short enough to read and in printable characters."""
    return sentence("".join(character for character in value if character.isprintable())[:200])


def name_of(login_server: str) -> str:
    """Return the name of a login server's registry, for commands that accept no hash."""
    return sentence(login_server.split(".")[0].split("-")[0])


def with_id(correlation: str) -> str:
    """Return a correlation ID in the form that error texts use; empty if there is none."""
    return sentence(f", correlation id {correlation}" if correlation else "")


def cause_of(cause: BaseException) -> str:
    """Return the innermost reason in one line: what the operating system or TLS reported."""
    seen: set[int] = set()
    current: Any = cause
    while id(current) not in seen:
        seen.add(id(current))
        inner = getattr(current, "inner_exception", None) or getattr(current, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in getattr(current, "args", ()) if isinstance(arg, BaseException)), None)
        current = inner or current
    said = str(current).split("\n", maxsplit=1)[0].strip()
    if _QUOTES_A_SETTING.search(said):
        return sentence(type(current).__name__)
    return sentence(redact_secrets(said).rstrip(".") or type(current).__name__)


def is_certificate_error(cause: Exception) -> bool:
    """Return whether a connection failed because of a certificate."""
    text = f"{cause!r} {cause}"
    return "CERTIFICATE" in text.upper() or "SSLError" in text


def network_advice(cause: Exception, login_server: str = "") -> str:
    """Return what to check after a connection failed.

    :param login_server: the other side, if it was one.
    """
    text = f"{cause!r} {cause}"
    if "407" in text or "ProxyError" in text:
        host = f"the name {login_server}, and the proxy's" if login_server else "its"
        return sentence(
            f"The request did not get past the proxy that HTTPS_PROXY names. Check {host} address and password."
        )
    strict = _STRICT_RULES.search(text)
    if strict:
        return sentence(
            f"Python 3.13 and newer reject such a certificate ({strict[0]}), whatever REQUESTS_CA_BUNDLE names. "
            "Usually a proxy that inspects TLS made it. Ask its administrators to renew its certificates, or to let "
            "this host through."
        )
    if is_certificate_error(cause):
        return sentence(
            "The certificate is not trusted. If a proxy inspects TLS, set REQUESTS_CA_BUNDLE to the file of its CA."
        )
    if login_server:
        return sentence(
            "Check the name and the network. A private endpoint is reachable only from its virtual network."
        )
    return sentence("Check the network and HTTPS_PROXY, then repeat the command.")

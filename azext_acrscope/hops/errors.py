"""Make the errors and sentences that both hops share: settings, and why a connection failed."""

from typing import Any

from azure.cli.core.azclierror import AzCLIError, InvalidArgumentValueError

from azext_acrscope.base.errors import cli_error, sentence
from azext_acrscope.base.tokens import redact_secrets


def bad_setting(name: str, value: str, expected: str) -> AzCLIError:
    variable = f"AZURE_{name.replace('.', '_').upper()}"
    return cli_error(
        InvalidArgumentValueError,
        f"The setting {name} is '{value}', which is not {expected}.",
        f"`az config unset {name}` goes back to the default; unset the environment variable {variable}, too.",
    )


def short(value: str) -> str:
    """A claim of an assertion, such as a subject, or an address, short enough to be read."""
    return sentence("".join(character for character in value if character.isprintable())[:200])


def name_of(login_server: str) -> str:
    """The name of a login server's registry, for commands that take no hash."""
    return sentence(login_server.split(".")[0].split("-")[0])


def with_id(correlation: str) -> str:
    return sentence(f", correlation id {correlation}" if correlation else "")


def cause_of(cause: BaseException) -> str:
    """The innermost reason in one line: what the operating system or TLS said."""
    seen: set[int] = set()
    current: Any = cause
    while id(current) not in seen:
        seen.add(id(current))
        inner = getattr(current, "inner_exception", None) or getattr(current, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in getattr(current, "args", ()) if isinstance(arg, BaseException)), None)
        current = inner or current
    return sentence(redact_secrets(str(current).split("\n")[0].strip()).rstrip(".") or type(current).__name__)


def is_certificate_error(cause: Exception) -> bool:
    text = f"{cause!r} {cause}"
    return "CERTIFICATE" in text.upper() or "SSLError" in text


def network_advice(cause: Exception, login_server: str = "") -> str:
    text = f"{cause!r} {cause}"
    if "407" in text or "ProxyError" in text:
        host = f"the name {login_server}, and the proxy's" if login_server else "its"
        return sentence(
            f"The proxy that HTTPS_PROXY names did not let the request through: check {host} address and password."
        )
    if is_certificate_error(cause):
        return sentence(
            "The certificate was not trusted. Behind a proxy that opens TLS, point REQUESTS_CA_BUNDLE at its CA file."
        )
    if login_server:
        return sentence("Check the name and the network. A private endpoint is reached from its virtual network only.")
    return sentence("Check the network and HTTPS_PROXY, then repeat the command.")

"""What several texts share."""

import re
from collections.abc import Sequence
from typing import Any

from azure.cli.core.azclierror import AzCLIError, AzureConnectionError

from azext_acrscope.tokens import redact_strictly


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: 1 registry, 2 registries."""
    return f"{number} {one if number == 1 else many}"


def registries(number: int) -> str:
    return counted(number, "registry", "registries")


def subscriptions(number: int) -> str:
    return counted(number, "subscription", "subscriptions")


def first(names: Sequence[str], most: int) -> str:
    """The first names of many: a, b, c …"""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def first_and_number(names: Sequence[str], most: int) -> str:
    """The first names of many, and how many there are besides: a, b, c and 4 more."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def name_of(login_server: str) -> str:
    """The name of a login server's registry, for commands that take no hash."""
    return login_server.split(".")[0].split("-")[0]


def registry_of(where: str) -> str:
    """The name of the registry that a text of `registry.short_name` names, for commands."""
    found = re.match(r"Registry '(\w+)'", where, re.ASCII)
    return found[1] if found else "REGISTRY"


def with_id(correlation: str) -> str:
    return f", correlation id {correlation}" if correlation else ""


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
    return redact_strictly(str(current).split("\n")[0].strip()).rstrip(".") or type(current).__name__


def _is_certificate(cause: Exception) -> bool:
    text = f"{cause!r} {cause}"
    return "CERTIFICATE" in text.upper() or "SSLError" in text


def network_advice(cause: Exception, login_server: str = "") -> str:
    text = f"{cause!r} {cause}"
    if "407" in text or "ProxyError" in text:
        host = f"the name {login_server}, and the proxy's" if login_server else "its"
        return f"The proxy that HTTPS_PROXY names did not let the request through: check {host} address and password."
    if _is_certificate(cause):
        return (
            "The certificate was not trusted. Behind a proxy that opens TLS, point REQUESTS_CA_BUNDLE at its CA file."
        )
    if login_server:
        return "Check the name and the network. A private endpoint is reached from its virtual network only."
    return "Check the network and HTTPS_PROXY, then repeat the command."


def service_unreachable(service: str, endpoint: str, cause: Exception) -> AzCLIError:
    why = cause_of(cause)
    return AzureConnectionError(f"{service} ({endpoint}) could not be reached: {why}", network_advice(cause))

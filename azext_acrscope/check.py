"""Checking registries: what ARM holds, what the login server does, what this machine has stored; a verdict for each."""

import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError, AzureConnectionError, AzureInternalError, ForbiddenError

from azext_acrscope import _connection, _errors, hosts, probe, registry, stored
from azext_acrscope.arm import Arm
from azext_acrscope.fleet import UNKNOWN
from azext_acrscope.hosts import RegistryRef
from azext_acrscope.probe import FAILED, NOT_SENT, OK, WARNING, Outcome, Prober
from azext_acrscope.registry import Resource

WORKERS = 20  # registries at the same time; each has a login server of its own
_READERS = 8
# RFC 1918 and RFC 4193: what a private endpoint's name leads to.
_PRIVATE = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


@dataclass
class Target:
    """A registry to check, or why it could not be read."""

    name: str
    resource: Resource | None = None
    error: AzCLIError | None = None


def targets(
    connect: Callable[[str | None], Arm], refs: list[RegistryRef], group: str | None, suffix: str
) -> list[Target]:
    """The registries named, read from ARM, each once; of several, one that cannot be read is a failed row.

    :raises AzCLIError: the only one could not be read.
    """

    def read(ref: RegistryRef) -> Target:
        try:
            return Target(ref.name, registry.find(connect(ref.subscription_id), ref, group, suffix))
        except AzCLIError as error:
            if len(refs) == 1:
                raise
            return Target(ref.login_server or ref.name, error=error)

    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(read, refs))
    first: dict[Any, Target] = {}
    for each in found:
        first.setdefault(each.resource["id"].lower() if each.resource else id(each), each)
    return list(first.values())


def rows(chosen: list[Target], prober: Prober, watch: Callable[[int, int, int], None]) -> list[dict[str, Any]]:
    """A row for each registry, in their order: ``{name, id, loginServer, status, enforcedInEffect, verdict, seen[],
    toDo[], probe{time, acr, arm}, network{route, addresses[], answer, …}, credentials[]}``.

    An outcome in `probe` is ``{result, status, code, correlationId}``; no row holds a token.

    :param watch: is told of progress.
    """
    running = _connection.each_in_background(lambda target: _row(target, prober), chosen, WORKERS)
    done = []
    for work in running:
        done.append(work.result())
        watch(len(done), len(running), sum(row["verdict"] == FAILED for row in done))
    return done


def failure(found: list[dict[str, Any]], unread: int) -> AzCLIError | None:
    """The error to end with: a row failed, or a subscription could not be read."""
    failed = sum(row["verdict"] == FAILED for row in found)
    if failed == len(found) == 1 and not unread:
        return _errors.check_failed(found[0]["name"])
    return _errors.checks_failed(failed, len(found), unread) if failed or unread else None


# --- one registry --------------------------------------------------------------------------------------------------


@dataclass
class _Row:
    """A row in the making: `note` adds what a part of the check has seen."""

    verdict: str = OK
    seen: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)

    def note(self, verdict: str, seen: list[str], to_do: list[str]) -> None:
        order = (OK, WARNING, FAILED)
        self.verdict = max(self.verdict, verdict, key=order.index)
        self.seen += [each for each in seen if each not in self.seen]
        self.to_do += [each for each in to_do if each not in self.to_do]


def _row(target: Target, prober: Prober) -> dict[str, Any]:
    if target.error or not target.resource:
        return _unchecked(target, target.error or _errors.unchecked(target.name, "no resource"))
    try:
        return _checked(target.resource, prober)
    except AzCLIError as error:
        return _unchecked(target, error)
    except Exception as error:  # noqa: BLE001  (one registry's surprise never hides the others)
        return _unchecked(target, _errors.unchecked(target.name, type(error).__name__))


def _checked(resource: Resource, prober: Prober) -> dict[str, Any]:
    status, is_default = registry.status(resource)
    host = hosts.check_login_server(registry.login_server(resource), prober.suffix)
    row = _Row()
    lookup = _connection.in_background(lambda: _addresses(host))
    seen = prober.probe(resource)
    network = _network(resource, host, lookup.result(), seen, row)
    finding = probe.judge(status, seen, resource["id"])
    row.note(finding.verdict, [finding.seen], list(finding.to_do))
    credentials = stored.credentials(host)
    for each in credentials:
        row.note(WARNING if each.wrong else OK, each.seen, each.to_do)
    return {
        **_head(resource["name"], resource["id"], host),
        "status": status,
        "statusIsDefault": is_default,
        "enforcedInEffect": finding.in_effect,
        "verdict": row.verdict,
        "seen": row.seen,
        "toDo": row.to_do,
        "probe": seen.row(),
        "network": network,
        "credentials": [each.row() for each in credentials],
    }


def _unchecked(target: Target, error: AzCLIError) -> dict[str, Any]:
    resource = target.resource
    host = registry.login_server(resource) or None if resource else None
    none = Outcome(NOT_SENT).row()
    return {
        **_head(resource["name"] if resource else target.name, resource["id"] if resource else None, host),
        "status": UNKNOWN,
        "statusIsDefault": False,
        "enforcedInEffect": probe.UNKNOWN,
        "verdict": FAILED,
        "seen": [error.error_msg],
        "toDo": list(error.recommendations),
        "probe": {"time": None, "acr": none, "arm": none},
        "network": None,
        "credentials": [],
    }


def _head(name: str, registry_id: str | None, host: str | None) -> dict[str, Any]:
    return {"name": name, "id": registry_id, "loginServer": host}


# --- the network ---------------------------------------------------------------------------------------------------


def _network(resource: Resource, host: str, addresses: list[str], seen: probe.Probe, row: _Row) -> dict[str, Any]:
    """How the login server is reached and what it answers there, beside what ARM holds; remarks go to the row."""
    private_endpoints = len(resource["properties"].get("privateEndpointConnections") or [])
    answer = _answer(seen.challenge)
    if _connection.proxy_for(host):
        route, said = "proxy", [_errors.through_proxy(host)]
    elif not addresses:
        route, said = None, []
    elif all(map(_is_private, addresses)):
        route, said = "private address", [_errors.resolves_privately(host, addresses)]
    else:
        route, said = "public address", [_errors.resolves_publicly(host, addresses)]
    row.note(OK, said, [])
    if route == "public address" and private_endpoints and answer != "challenge":
        row.note(OK, [], [_errors.private_name_missing(private_endpoints)])
    return {
        "route": route,
        "addresses": addresses,
        "answer": answer,
        "publicNetworkAccess": resource["properties"].get("publicNetworkAccess"),
        "privateEndpoints": private_endpoints,
    }


def _answer(error: AzCLIError | None) -> str:
    """What the login server made of a request without any token, in a word for programs."""
    if error is None:
        return "challenge"
    if isinstance(error, ForbiddenError):
        return "firewall"
    if isinstance(error, _errors.UntrustedCertificateError):
        return "untrusted certificate"
    if isinstance(error, AzureInternalError):
        return "failing"  # 5xx: it may well be one
    return "no connection" if isinstance(error, AzureConnectionError) else "no registry"


def _addresses(host: str) -> list[str]:
    """The addresses that this machine's name service gives; none through a proxy, which looks the name up itself."""
    if _connection.proxy_for(host):
        return []
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError:
        return []  # the probe's connection says why
    return sorted({str(each[4][0]) for each in found})


def _is_private(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return any(parsed.version == network.version and parsed in network for network in _PRIVATE)

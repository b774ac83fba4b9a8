"""Checking registries: what ARM holds, what the login server does, what this machine has stored; a verdict for each."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError, AzureConnectionError, AzureInternalError, ForbiddenError

from azext_acrscope.arm.client import Connect
from azext_acrscope.base import hosts, http, threads
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.credentials import inspection
from azext_acrscope.hops import errors as hops_errors
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import UNKNOWN, RegistryResource
from azext_acrscope.verification import errors, probe
from azext_acrscope.verification.probe import FAILED, NOT_SENT, OK, WARNING, Prober, TokenOutcome

MAX_CONCURRENT_CHECKS = 20  # registries at the same time; each has a login server of its own
# RFC 1918 and RFC 4193: what a private endpoint's name leads to.
_PRIVATE_NETWORKS = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


@dataclass
class CheckTarget:
    """A registry to check, or why it could not be read."""

    name: str
    resource: RegistryResource | None = None
    error: AzCLIError | None = None


def read_targets(connect: Connect, refs: list[RegistryRef], group: str | None, suffix: str) -> list[CheckTarget]:
    """Return the registries named, read from ARM, each once; of several, one that cannot be read is a failed row.

    :raises AzCLIError: the only one could not be read.
    """

    found = threads.try_each(
        lambda ref: registry_resource.find_registry(connect(ref.subscription_id), ref, group, suffix), refs, AzCLIError
    )
    first: dict[Any, CheckTarget] = {}
    for ref, answer in zip(refs, found, strict=True):
        if not isinstance(answer, AzCLIError):
            first.setdefault(answer["id"].lower(), CheckTarget(ref.name, answer))
        elif len(refs) == 1:
            raise answer
        else:
            first.setdefault(ref, CheckTarget(ref.login_server or ref.name, error=answer))
    return list(first.values())


def check_rows(
    chosen: list[CheckTarget], prober: Prober, watch: Callable[[int, int, int], None]
) -> list[dict[str, Any]]:
    """Return a row for each registry, in their order: ``{name, id, loginServer, status, enforcedInEffect, verdict,
    observations[], actions[], probe{time, acr, arm}, network{route, addresses[], answer, …}, credentials[]}``.

    An outcome in `probe` is ``{result, status, code, correlationId}``; no row holds a token.

    :param watch: is told of progress.
    """
    done = []
    for checked in threads.iterate_bounded(lambda target: _check_row(target, prober), chosen, MAX_CONCURRENT_CHECKS):
        done.append(checked)
        watch(len(done), len(chosen), sum(row["verdict"] == FAILED for row in done))
    return done


def check_error(found: list[dict[str, Any]], unread: int) -> AzCLIError | None:
    """Return the error to end with: a row failed, or a subscription could not be read."""
    failed = sum(row["verdict"] == FAILED for row in found)
    if failed == len(found) == 1 and not unread:
        return errors.check_failed(found[0]["name"])
    return errors.checks_failed(failed, len(found), unread) if failed or unread else None


# --- one registry --------------------------------------------------------------------------------------------------


@dataclass
class _RowBuilder:
    """A row in the making: `note` adds what a part of the check has seen."""

    verdict: str = OK
    seen: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    def note(self, verdict: str, seen: list[str], actions: list[str]) -> None:
        order = (OK, WARNING, FAILED)
        self.verdict = max(self.verdict, verdict, key=order.index)
        self.seen += [each for each in seen if each not in self.seen]
        self.actions += [each for each in actions if each not in self.actions]


def _check_row(target: CheckTarget, prober: Prober) -> dict[str, Any]:
    if target.error or not target.resource:
        return _unchecked_row(target, target.error or errors.unchecked(target.name, "no resource"))
    try:
        return _checked_row(target.resource, prober)
    except AzCLIError as error:
        return _unchecked_row(target, error)
    except Exception as error:  # pylint: disable=broad-exception-caught  # one surprise never hides the others
        return _unchecked_row(target, errors.unchecked(target.name, type(error).__name__))


def _checked_row(resource: RegistryResource, prober: Prober) -> dict[str, Any]:
    status, is_default = registry_resource.status_of(resource)
    host = hosts.check_login_server(registry_resource.login_server_of(resource), prober.suffix)
    row = _RowBuilder()
    lookup = threads.run_in_background(lambda: _resolve_addresses(host))
    seen = prober.probe(resource)
    network = _describe_network(resource, host, lookup.result(), seen, row)
    finding = probe.judge_probe(status, seen, resource["id"])
    row.note(finding.verdict, [finding.seen], list(finding.actions))
    credentials = inspection.find_credentials(host)
    for each in credentials:
        row.note(WARNING if each.wrong else OK, each.seen, each.actions)
    return {
        **_row_head(resource["name"], resource["id"], host),
        "status": status,
        "statusIsDefault": is_default,
        "enforcedInEffect": finding.in_effect,
        "verdict": row.verdict,
        "observations": row.seen,
        "actions": row.actions,
        "probe": seen.row(),
        "network": network,
        "credentials": [each.row() for each in credentials],
    }


def _unchecked_row(target: CheckTarget, error: AzCLIError) -> dict[str, Any]:
    resource = target.resource
    host = registry_resource.login_server_of(resource) or None if resource else None
    none = TokenOutcome(NOT_SENT).row()
    return {
        **_row_head(resource["name"] if resource else target.name, resource["id"] if resource else None, host),
        "status": UNKNOWN,
        "statusIsDefault": False,
        "enforcedInEffect": probe.UNKNOWN,
        "verdict": FAILED,
        "observations": [error.error_msg],
        "actions": list(error.recommendations),
        "probe": {"time": None, "acr": none, "arm": none},
        "network": None,
        "credentials": [],
    }


def _row_head(name: str, registry_id: str | None, host: str | None) -> dict[str, Any]:
    return {"name": name, "id": registry_id, "loginServer": host}


# --- the network ---------------------------------------------------------------------------------------------------


def _describe_network(
    resource: RegistryResource, host: str, addresses: list[str], seen: probe.ProbeResult, row: _RowBuilder
) -> dict[str, Any]:
    """How the login server is reached and what it answers there, beside what ARM holds; remarks go to the row."""
    private_endpoints = len(resource["properties"].get("privateEndpointConnections") or [])
    answer = _challenge_word(seen.challenge)
    if http.proxy_for(host):
        route, said = "proxy", [errors.through_proxy(host)]
    elif not addresses:
        route, said = None, []
    elif all(map(_is_private_address, addresses)):
        route, said = "private address", [errors.resolves_privately(host, addresses)]
    else:
        route, said = "public address", [errors.resolves_publicly(host, addresses)]
    row.note(OK, said, [])
    if route == "public address" and private_endpoints and answer != "challenge":
        row.note(OK, [], [errors.private_name_missing(private_endpoints)])
    return {
        "route": route,
        "addresses": addresses,
        "answer": answer,
        "publicNetworkAccess": resource["properties"].get("publicNetworkAccess"),
        "privateEndpoints": private_endpoints,
    }


def _challenge_word(error: AzCLIError | None) -> str:
    """What the login server made of a request without any token, in a word for programs."""
    if error is None:
        return "challenge"
    if isinstance(error, ForbiddenError):
        return "firewall"
    if isinstance(error, hops_errors.UntrustedCertificateError):
        return "untrusted certificate"
    if isinstance(error, AzureInternalError):
        return "failing"  # 5xx: it may well be one
    return "no connection" if isinstance(error, AzureConnectionError) else "no registry"


def _resolve_addresses(host: str) -> list[str]:
    """The addresses that this machine's name service gives; none through a proxy, which looks the name up itself."""
    if http.proxy_for(host):
        return []
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError:
        return []  # the probe's connection says why
    return sorted({str(each[4][0]) for each in found})


def _is_private_address(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return any(parsed.version == network.version and parsed in network for network in _PRIVATE_NETWORKS)

"""Checking registries: how a login server is reached, what makes a verdict, one row never hiding another."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import (
    AzureConnectionError,
    AzureInternalError,
    AzureResponseError,
    ForbiddenError,
    ResourceNotFoundError,
)

from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.credentials import inspection
from azext_acrscope.hops import errors as hops_errors
from azext_acrscope.verification import check
from azext_acrscope.verification.check import CheckTarget
from azext_acrscope.verification.probe import ACCEPTED, NOT_SENT, REFUSED, Prober, ProbeResult, TokenOutcome
from tests.factories.registries import resource

HOST = "contoso.azurecr.io"
OK = ProbeResult(
    "2026-11-23T12:00:00Z", TokenOutcome(ACCEPTED, 200, "", "c1"), TokenOutcome(REFUSED, 401, "UNAUTHORIZED", "c2")
)


class FakeProber(Prober):
    """Answers what the test says; an exception is raised."""

    def __init__(self, answer: Any = OK) -> None:
        super().__init__(lambda _audience, _subscription: pytest.fail("asked for a token"), "a", "b", ".azurecr.io")
        self.answer = answer

    def probe(self, _resource: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a proxy, whose name service knows one public address, and with nothing stored."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("DOCKER", "HELM", "REGISTRY", "XDG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    resolving(monkeypatch, "20.1.2.3")


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def getaddrinfo(_host: str, _port: int, **_: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror("Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)


def one(prober: Any = None, **options: Any) -> dict[str, Any]:
    found = resource(options.pop("status", "disabled"), name="contoso")
    found["properties"] |= options
    (row,) = check.check_rows([CheckTarget("contoso", found)], prober or FakeProber(), lambda *_: None)
    return row


def test_a_row_has_the_evidence_and_can_be_written_as_json() -> None:
    row = one()
    assert (row["verdict"], row["enforcedInEffect"], row["status"], row["actions"]) == ("ok", "yes", "disabled", [])
    assert row["probe"] == {
        "time": "2026-11-23T12:00:00Z",
        "acr": {"result": "accepted", "status": 200, "code": None, "correlationId": "c1"},
        "arm": {"result": "refused", "status": 401, "code": "UNAUTHORIZED", "correlationId": "c2"},
    }
    assert list(row) == [
        "name", "id", "loginServer", "status", "statusIsDefault", "enforcedInEffect", "verdict", "observations",
        "actions", "probe", "network", "credentials",
    ]  # fmt: skip
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize(
    ("addresses", "route"),
    [
        (["10.1.2.3"], "private address"),
        (["172.31.0.4", "fd00::4"], "private address"),
        (["192.168.0.1"], "private address"),
        (["172.32.0.4"], "public address"),
        (["20.1.2.3", "10.0.0.1"], "public address"),
        (["2603:1030::1"], "public address"),
        ([], None),
    ],
)
def test_a_private_endpoint_is_known_by_its_address(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], route: str | None
) -> None:
    resolving(monkeypatch, *addresses)
    row = one()
    assert row["network"]["route"] == route
    assert row["network"]["addresses"] == sorted(addresses)


def test_through_a_proxy_no_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    row = one()
    assert (row["network"]["route"], row["network"]["addresses"]) == ("proxy", [])
    assert "through the proxy" in row["observations"][0]
    assert "secret" not in json.dumps(row)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ForbiddenError("x"), "firewall"),
        (hops_errors.UntrustedCertificateError("x"), "untrusted certificate"),
        (AzureConnectionError("x"), "no connection"),
        (AzureInternalError("x"), "failing"),
        (AzureResponseError("x"), "no registry"),
        (None, "challenge"),
    ],
)
def test_what_the_login_server_answers_is_told_apart(error: Any, answer: str) -> None:
    row = one(
        FakeProber(ProbeResult("", TokenOutcome(NOT_SENT, error=error), TokenOutcome(NOT_SENT), error) if error else OK)
    )
    assert row["network"]["answer"] == answer
    assert row["verdict"] == ("failed" if error else "ok")


def test_a_private_endpoint_whose_name_leads_elsewhere_is_said() -> None:
    refused = ForbiddenError("refuses this network")
    prober = FakeProber(ProbeResult("", TokenOutcome(NOT_SENT, error=refused), TokenOutcome(NOT_SENT), refused))
    row = one(prober, privateEndpointConnections=[{}], publicNetworkAccess="Disabled")
    assert "privatelink.azurecr.io" in row["actions"][0]
    assert (row["network"]["privateEndpoints"], row["network"]["publicNetworkAccess"]) == (1, "Disabled")


def test_a_credential_that_is_no_good_makes_a_warning_and_never_less_than_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expired = inspection.FoundCredential("docker", "f", seen=["it expired"], wrong=["it expired"], actions=["sign in"])
    monkeypatch.setattr(inspection, "find_credentials", lambda _host: [expired])
    row = one()
    assert (row["verdict"], row["enforcedInEffect"], row["actions"]) == ("warning", "yes", ["sign in"])
    assert one(status="enabled")["verdict"] == "failed"
    assert check.check_error([row], 0) is None


@pytest.mark.parametrize("error", [ForbiddenError("no"), ValueError("odd")])
def test_one_registrys_surprise_does_not_hide_the_others(error: Exception) -> None:
    targets = [
        CheckTarget("contoso", resource("disabled", name="contoso")),
        CheckTarget("gone", error=ResourceNotFoundError("x")),
    ]
    rows = check.check_rows(targets, FakeProber(error), lambda *_: None)
    assert [(row["name"], row["verdict"], row["enforcedInEffect"]) for row in rows] == [
        ("contoso", "failed", "unknown"),
        ("gone", "failed", "unknown"),
    ]
    assert rows[1]["observations"] == ["x"]
    assert [set(row) for row in rows] == [set(one())] * 2
    assert "2 of 2 registries did not pass" in str(check.check_error(rows, 0))


def test_a_status_that_is_neither_is_a_failure() -> None:
    row = one(status="partly")
    assert (row["status"], row["verdict"], row["enforcedInEffect"]) == ("unknown", "failed", "unknown")


def test_what_could_not_be_read_fails_the_check_even_without_a_failed_row() -> None:
    assert "1 subscription could not be read" in str(check.check_error([one()], 1))


def test_rows_keep_their_order_and_progress_is_told() -> None:
    targets = [CheckTarget(name, resource("disabled", name=name)) for name in (f"contoso{i:02}" for i in range(50))]
    told: list[tuple[int, int, int]] = []
    rows = check.check_rows(targets, FakeProber(), lambda *counts: told.append(counts))
    assert [row["name"] for row in rows] == [target.name for target in targets]
    assert told[-1] == (50, 50, 0)


def test_a_registry_named_twice_is_checked_once_and_a_single_missing_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find(_arm: Any, ref: RegistryRef, _group: Any, _suffix: str) -> Any:
        if ref.name == "missing":
            raise ResourceNotFoundError("not there")
        return resource("disabled", name=ref.name)

    monkeypatch.setattr("azext_acrscope.registry.resource.find_registry", find)
    connect: Any = lambda _subscription: None  # noqa: E731
    refs = [RegistryRef("contoso"), RegistryRef("contoso", HOST), RegistryRef("missing")]
    found = check.read_targets(connect, refs, None, ".azurecr.io")
    assert [(each.name, bool(each.error)) for each in found] == [("contoso", False), ("missing", True)]
    with pytest.raises(ResourceNotFoundError):
        check.read_targets(connect, refs[2:], None, ".azurecr.io")

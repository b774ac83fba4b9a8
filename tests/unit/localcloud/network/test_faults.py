"""Each kind of fault, whom it strikes and how often; and the endpoints by which another process orders them."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.factories.localcloud import ARM, Client
from tests.localcloud import Answer, LocalCloud, Registry, Request


def test_a_status_with_headers_and_a_body(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(path="*/registries/contoso", status=503, headers={"Retry-After": "7"}, body={"error": "busy"})
    answer = client.arm("GET", registry.id)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (503, "7", {"error": "busy"})
    assert client.arm("GET", registry.id).status_code == 200


def test_it_strikes_only_what_it_names(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(host="*.azurecr.io", method="post", path="/OAUTH2/*", times=None, status=500)
    assert client.arm("GET", registry.id).status_code == 200
    assert client.session.get("https://contoso.azurecr.io/v2/", timeout=5).status_code == 401
    for _ in range(3):
        assert client.exchange(registry, "x").status_code == 500
    cloud.faults.clear()
    assert client.exchange(registry, "x").status_code == 401


def test_it_may_begin_later(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(after=2, times=1, status=500)
    assert [client.arm("GET", registry.id).status_code for _ in range(4)] == [200, 200, 500, 200]


def test_the_first_active_rule_decides(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(status=500)
    cloud.faults.add(status=502)
    assert [client.arm("GET", registry.id).status_code for _ in range(3)] == [500, 502, 200]


def test_chance_repeats_itself_with_the_same_seed(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    def run() -> list[int]:
        cloud.faults.clear()
        cloud.faults.add(times=None, status=500, probability=0.5, seed=3)
        return [client.arm("GET", registry.id).status_code for _ in range(12)]

    first = run()
    assert run() == first
    assert set(first) == {200, 500}


def test_what_an_ended_program_left_is_not_counted_and_uses_up_none_of_the_next_one_s(
    cloud: LocalCloud, client: Client
) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def keep_busy(_request: Request) -> Answer:
        busy.set()
        go_on.wait(30)
        return Answer(200)

    cloud.hostile("busy.example").answer = keep_busy
    cloud.hostile("example.com").answer = Answer(200)
    ended = http.client.HTTPConnection("127.0.0.1", int(cloud.proxy_url.rpartition(":")[2]))
    ended.request("GET", "http://example.com/first")
    ended.getresponse().read()
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(requests.get, "http://busy.example/", proxies={"http": cloud.proxy_url}, timeout=30)
        assert busy.wait(30)
        ended.request("GET", "http://example.com/left")
        ended.close()
        cloud.faults.add(host="example.com", status=500)
        go_on.set()
        assert waiting.result().status_code == 200
    answers = [client.session.get("http://example.com/next", timeout=5).status_code for _ in range(2)]
    assert answers == [500, 200]
    assert [each.path for each in cloud.requests_to("example.com")] == ["/first", "/next", "/next"]


def test_a_delay_lets_the_request_through(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(delay=0.3)
    begun = time.monotonic()
    assert client.arm("GET", registry.id).status_code == 200
    assert time.monotonic() - begun >= 0.3


def test_the_cloud_s_own_delay_holds_for_every_answer(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.delay = 0.1
    begun = time.monotonic()
    client.arm("GET", registry.id)
    client.arm("GET", registry.id)
    assert time.monotonic() - begun >= 0.2


def _patch(client: Client, registry: Registry) -> requests.Response:
    content = {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}
    return client.arm("PATCH", registry.id, json=content)


def test_a_reset_cuts_before_the_work_is_done(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(method="PATCH", reset=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        _patch(client, registry)
    assert registry.policy_status == "enabled"
    assert [one.status for one in cloud.requests] == [None]


def test_a_reset_after_cuts_when_the_work_is_done(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(method="PATCH", reset="after")
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _patch(client, registry)
    assert registry.policy_status == "disabled"


def test_a_truncated_answer_is_shorter_than_it_says(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    cloud.faults.add(truncate=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.arm("GET", registry.id)
    assert client.arm("GET", registry.id).status_code == 200


def test_a_redirect_leads_where_the_test_says(cloud: LocalCloud, client: Client, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    cloud.faults.add(path="/oauth2/exchange", redirect="https://evil.example/oauth2/exchange")
    assert client.exchange(registry, "a-token").status_code == 200
    assert "access_token=a-token" in evil.requests[0].text


def test_another_process_can_order_and_clear_them(cloud: LocalCloud, registry: Registry, client: Client) -> None:
    control = f"{cloud.proxy_url}/localcloud"
    order = {"host": "management.azure.com", "status": 500, "times": None}
    assert requests.post(f"{control}/faults", json=order, timeout=5).status_code == 204
    assert client.arm("GET", registry.id).status_code == 500
    assert requests.delete(f"{control}/faults", timeout=5).status_code == 204
    assert client.arm("GET", registry.id).status_code == 200
    assert requests.post(f"{control}/faults", json={"nonsense": 1}, timeout=5).status_code == 400


def test_another_process_can_look_but_sees_no_secrets(cloud: LocalCloud, registry: Registry, client: Client) -> None:
    client.arm("GET", registry.id)
    control = f"{cloud.proxy_url}/localcloud"
    answer = requests.get(f"{control}/requests", timeout=5)
    assert [(one["host"], one["status"]) for one in answer.json()] == [(ARM.removeprefix("https://"), 200)]
    assert not any(secret in answer.text for secret in cloud.secrets)
    assert requests.get(f"{control}/registries", timeout=5).json() == [registry.body]

"""Log Analytics in the local Azure: who may query, what comes back, and the events that registries write."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.factories.localcloud import ARM_AUDIENCE, Client
from tests.localcloud import ACR_AUDIENCE, LocalCloud, Registry
from tests.localcloud.world.login_events import COLUMNS, Workspace

AUDIENCE = "https://api.loganalytics.io"
QUERY = "ContainerRegistryLoginEvents | where TimeGenerated > ago(1d)"


@pytest.fixture
def workspace(cloud: LocalCloud, registry: Registry) -> Workspace:
    made = cloud.world.logs.add_workspace("log-contoso")
    cloud.world.logs.send(registry, made)
    return made


def ask(client: Client, guid: str, query: str = QUERY, **more: Any) -> requests.Response:
    token = more.pop("token", client.token(AUDIENCE))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = more.pop("json", {"query": query, "timespan": "P1D"})
    url = f"https://api.loganalytics.io/v1/workspaces/{guid}/query"
    return client.session.request(more.pop("method", "POST"), url, json=body, headers=headers, timeout=20)


def codes(answer: requests.Response) -> list[str]:
    error, found = answer.json().get("error"), []
    while error:
        found.append(error["code"])
        error = error.get("innererror")
    return found


def test_an_answer_is_a_table_of_the_documented_columns(
    client: Client, cloud: LocalCloud, workspace: Workspace
) -> None:
    [table] = ask(client, workspace.customer_id).json()["tables"]
    assert table["name"] == "PrimaryResult"
    assert [column["name"] for column in table["columns"]] == list(COLUMNS)
    assert table["rows"] == []


def test_the_exchange_writes_an_event(client: Client, registry: Registry, workspace: Workspace) -> None:
    client.session.headers["User-Agent"] = "agent"
    assert client.exchange(registry, client.token(ACR_AUDIENCE)).status_code == 200
    registry.policy_status = "disabled"
    assert client.exchange(registry, client.token(ARM_AUDIENCE)).status_code == 401
    query = f"{QUERY} | project Identity, UserAgent, ResultDescription, LoginServer, _ResourceId"
    rows = ask(client, workspace.customer_id, query).json()["tables"][0]["rows"]
    who = client.principal.object_id
    where = [registry.login_server, registry.id.lower()]
    assert rows == [[who, "agent", "200", *where], [who, "agent", "401", *where]]


def test_a_registry_without_a_setting_writes_nothing(client: Client, cloud: LocalCloud, workspace: Workspace) -> None:
    silent = cloud.world.add_registry("silent")
    client.exchange(silent, client.token(ACR_AUDIENCE))
    assert workspace.rows == []


def test_a_setting_is_made_and_read_through_arm(client: Client, cloud: LocalCloud, workspace: Workspace) -> None:
    registry = cloud.world.add_registry("fabrikam")
    path = f"{registry.id}/providers/microsoft.insights/diagnosticSettings/x"
    logs = [{"category": "ContainerRegistryLoginEvents", "enabled": True}]
    body = {"properties": {"workspaceId": workspace.id, "logs": logs}}
    version = "2021-05-01-preview"
    assert client.arm("GET", path, version).status_code == 404
    assert client.arm("PUT", path, version, json={"properties": {"workspaceId": "/none"}}).status_code == 400
    assert client.arm("PUT", path, version, json=body).status_code == 200
    assert client.arm("GET", path, version).json()["properties"] == body["properties"]
    client.exchange(registry, client.token(ACR_AUDIENCE))
    assert len(workspace.rows) == 1


def test_arm_shows_the_id_of_a_workspace(client: Client, workspace: Workspace) -> None:
    assert client.arm("GET", workspace.id, "2023-09-01").json()["properties"]["customerId"] == workspace.customer_id
    assert client.arm("GET", f"{workspace.id}2", "2023-09-01").status_code == 404
    assert client.arm("DELETE", workspace.id, "2023-09-01").status_code == 405


def test_tokens_are_looked_at(client: Client, cloud: LocalCloud, workspace: Workspace) -> None:
    guid = workspace.customer_id
    assert codes(ask(client, guid, token=None)) == ["AuthenticationFailed"]
    wrong = ask(client, guid, token=client.token(ARM_AUDIENCE))
    assert (wrong.status_code, codes(wrong)) == (403, ["InvalidAuthenticationTokenAudience"])
    forged = client.cloud.world.mint(client.principal, AUDIENCE, key=cloud.world.stranger_key)
    for token in (forged, client.token(AUDIENCE, lifetime=-1), "none"):
        assert codes(ask(client, guid, token=token)) == ["InvalidAuthenticationToken"]


def test_rights_are_looked_at(client: Client, cloud: LocalCloud, workspace: Workspace) -> None:
    stranger = Client(cloud, cloud.world.add_service_principal("stranger"))
    assert codes(ask(stranger, workspace.customer_id)) == ["InsufficientAccessError"]
    cloud.world.grant(stranger.principal, workspace.id, "Log Analytics Reader")
    assert ask(stranger, workspace.customer_id).status_code == 200


def test_what_is_not_there_or_not_understood_is_refused(client: Client, workspace: Workspace) -> None:
    guid = workspace.customer_id
    assert codes(ask(client, "11111111-2222-3333-4444-555555555555")) == ["PathNotFoundError"]
    assert codes(ask(client, guid, method="GET")) == ["PathNotFoundError"]
    assert codes(ask(client, guid, "Elsewhere | take 1")) == ["BadArgumentError", "SemanticError", "SEM0100"]
    assert codes(ask(client, guid, "ContainerRegistryLoginEvents | what")) == [
        "BadArgumentError",
        "SyntaxError",
        "SYN0002",
    ]
    assert ask(client, guid, json={"query": 3}).status_code == 400
    assert ask(client, guid, json=[]).status_code == 400
    assert ask(client, guid, json={"query": QUERY, "timespan": "week"}).status_code == 400


def test_events_come_late_and_old_ones_are_out_of_the_timespan(
    client: Client, cloud: LocalCloud, registry: Registry, workspace: Workspace
) -> None:
    def count() -> int:
        return len(ask(client, workspace.customer_id, "ContainerRegistryLoginEvents").json()["tables"][0]["rows"])

    cloud.world.logs.lag = 300
    cloud.world.logs.write(registry, 200)
    assert count() == 0
    cloud.world.advance(301)
    assert count() == 1
    cloud.world.advance(86400)
    assert count() == 0


def test_an_event_has_no_column_that_is_not_documented(
    registry: Registry, cloud: LocalCloud, workspace: Workspace
) -> None:
    cloud.world.logs.write(registry, 200)
    assert set(workspace.rows[0]) == set(COLUMNS)
    with pytest.raises(ValueError, match="Audience"):
        cloud.world.logs.write(registry, 200, Audience="x")

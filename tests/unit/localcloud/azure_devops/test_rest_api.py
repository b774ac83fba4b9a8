"""Azure DevOps in the local Azure: who gets in, what comes back, and how it throttles."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.factories.localcloud import ARM_AUDIENCE, Client
from tests.localcloud import LocalCloud
from tests.localcloud.world.azure_devops import Organization
from tests.localcloud.world.world import DEVOPS_AUDIENCE


@pytest.fixture
def organization(cloud: LocalCloud, client: Client) -> Organization:
    made = cloud.world.devops.add_organization("contoso")
    made.admit(client.principal)
    return made


def ask(client: Client, path: str, **more: Any) -> requests.Response:
    token = more.pop("token", client.token(DEVOPS_AUDIENCE))
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {"X-TFS-FedAuthRedirect": "Suppress"})}
    query = {"api-version": "7.1", **more.pop("params", {})}
    method = more.pop("method", "GET")
    url = f"https://dev.azure.com/{path}"
    return client.session.request(method, url, params=query, headers=headers, timeout=20, allow_redirects=False, **more)


def test_a_member_lists_projects_page_by_page(client: Client, organization: Organization) -> None:
    for each in range(5):
        organization.add_project(f"p{each}")
    first = ask(client, "contoso/_apis/projects", params={"$top": 3})
    assert [row["name"] for row in first.json()["value"]] == ["p0", "p1", "p2"]
    query = {"$top": 3, "continuationToken": first.headers["x-ms-continuationtoken"]}
    second = ask(client, "contoso/_apis/projects", params=query)
    assert [row["name"] for row in second.json()["value"]] == ["p3", "p4"]
    assert "x-ms-continuationtoken" not in second.headers


def test_a_token_that_is_not_accepted_gets_401_or_a_page(client: Client, organization: Organization) -> None:
    wrong = client.token(ARM_AUDIENCE)
    refused = ask(client, "contoso/_apis/projects", token=wrong)
    assert (refused.status_code, refused.json()["typeKey"]) == (401, "UnauthorizedRequestException")
    assert refused.headers["X-VSS-ResourceTenant"] == organization.tenant_id
    page = ask(client, "contoso/_apis/projects", token=wrong, headers={})
    assert (page.status_code, page.headers["Content-Type"]) == (203, "text/html; charset=utf-8")


def test_who_is_no_member_gets_nothing(client: Client, organization: Organization) -> None:
    organization.members.clear()
    assert ask(client, "contoso/_apis/projects").status_code == 401


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("nobody/_apis/projects", {}, 404),
        ("contoso/_apis/projects", {"params": {"api-version": "9.9"}}, 400),
        ("contoso/_apis/projects", {"params": {"$top": "many"}}, 400),
        ("contoso/_apis/projects", {"method": "POST"}, 405),
        ("contoso/nothing/_apis/serviceendpoint/endpoints", {}, 400),
        ("contoso/Shop/_apis/other", {}, 404),
        ("contoso/Shop/_apis/serviceendpoint/nobody/executionhistory", {}, 404),
    ],
)
def test_what_is_not_there_is_refused(
    client: Client, organization: Organization, path: str, more: dict[str, Any], status: int
) -> None:
    organization.add_project("Shop")
    assert ask(client, path, **more).status_code == status


def test_a_connection_has_a_name_and_a_history_in_each_project(client: Client, organization: Organization) -> None:
    one, two = organization.add_project("One"), organization.add_project("Two")
    connection = organization.add_azure_connection(one, "azure")
    organization.add_connection(two, "azure-of-two", connection)
    pipeline = organization.add_pipeline(two, "Deploy", "ci.yml")
    organization.run(two, pipeline, connection)
    [row] = ask(client, f"contoso/{two.id}/_apis/serviceendpoint/endpoints").json()["value"]
    assert (row["name"], row["isShared"], len(row["serviceEndpointProjectReferences"])) == ("azure-of-two", True, 2)
    history = f"_apis/serviceendpoint/{connection.id}/executionhistory"
    assert ask(client, f"contoso/{one.id}/{history}").json()["count"] == 0
    [record] = ask(client, f"contoso/{two.id}/{history}").json()["value"]
    assert record["data"]["definition"]["name"] == "Deploy"
    query = {"definitionIds": str(pipeline.number), "includeAllProperties": "true"}
    [definition] = ask(client, f"contoso/{two.id}/_apis/build/definitions", params=query).json()["value"]
    assert definition["process"] == {"type": 2, "yamlFilename": "ci.yml"}


def test_it_asks_to_wait_before_it_refuses(client: Client, cloud: LocalCloud, organization: Organization) -> None:
    limits = cloud.world.devops.limits
    limits.free, limits.delayed, limits.seconds = 2, 1, 600
    answers = [ask(client, "contoso/_apis/projects") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert ["Retry-After" in answer.headers for answer in answers] == [False, False, True, True]
    assert answers[1].headers["X-RateLimit-Remaining"] == "0"


def test_the_endpoint_of_jobs_is_still_there(client: Client, organization: Organization) -> None:
    path = "contoso/x/_apis/distributedtask/hubs/build/plans/x/jobs/x/oidctoken"
    assert ask(client, path).json() == {"message": "not found"}

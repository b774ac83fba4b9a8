"""`az acr scope consumers --azure-devops` through the real `az`: service connections, their users, who gets a token."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.azure_devops import fill
from tests.factories.secrets import holds_any
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world.azure_devops import Organization
from tests.localcloud.world.world import DEVOPS_AUDIENCE

HOST = "dev.azure.com"


@dataclass
class Estate:
    """An organization, an account that is a member of it, and a registry that the account may read."""

    member: ServicePrincipal
    organization: Organization
    registry: Registry


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    member = world.add_service_principal(f"member of {registry_name}")
    subscription = world.add_subscription(f"DevOps {registry_name}")
    world.grant(member, subscription.scope, "Reader")
    registry = world.add_registry(f"{registry_name}devops", "rg-apps", subscription)
    organization = world.devops.add_organization(f"org-{registry_name}")
    organization.admit(member)
    return Estate(member, organization, registry)


@pytest.fixture
def shop(estate: Estate) -> Estate:
    """Two projects: a federated connection that both share, a secret, an Azure connection, another registry's."""
    organization, registry = estate.organization, estate.registry
    fabrikam, tailspin = organization.add_project("Fabrikam"), organization.add_project("Tailspin")
    shared = organization.add_acr_connection(fabrikam, "shop-acr", registry)
    organization.add_connection(tailspin, "shop-acr", shared)
    organization.run(fabrikam, organization.add_pipeline(fabrikam, "Build shop", "ci/shop.yml"), shared, 3)
    organization.release(tailspin, "Ship shop", shared, 2)
    organization.add_acr_connection(tailspin, "old-acr", registry, "ServicePrincipal")
    organization.add_azure_connection(tailspin, "apps")
    organization.add_password_connection(tailspin, "elsewhere", "northwind.azurecr.io", "builders")
    return estate


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.member)


def consumers(az: Az, estate: Estate, *arguments: str) -> Result:
    return az("acr", "scope", "consumers", "--azure-devops", estate.organization.name, *arguments)


def connections(result: Result) -> list[tuple[Any, ...]]:
    rows = result.json["azureDevOps"]
    return [(row["connection"], row["scheme"], row["registry"], row["verdict"]) for row in rows]


def test_alone_it_needs_no_registry_and_lists_all_connections(az: Az, shop: Estate, cloud: LocalCloud) -> None:
    result = consumers(az, shop)
    assert result.code == 0, result
    ours = shop.registry.login_server
    assert connections(result) == [
        ("shop-acr", "workload identity federation", ours, "breaks"),
        ("apps", "workload identity federation", None, "unknown"),
        ("old-acr", "service principal", ours, "unknown"),
        ("elsewhere", "user name and password", "northwind.azurecr.io", "works"),
    ]
    first = result.json["azureDevOps"][0]
    assert (first["project"], first["sharedWith"]) == ("Fabrikam", ["Tailspin"])
    assert [(each["pipeline"], each["kind"], each["file"]) for each in first["usedBy"]] == [
        ("Build shop", "YAML pipeline", "ci/shop.yml"),
        ("Ship shop", "classic release", None),
    ]
    assert (result.json["registries"], result.json["incomplete"]) == ([], [])
    assert "4 service connections that can reach the registries: 1 break, 1 work, 2 unknown." in result.stderr
    assert not cloud.requests_to("management.azure.com")


def test_beside_a_registry_it_lists_what_may_reach_that_one_and_counts_it(az: Az, shop: Estate) -> None:
    named = ("--name", shop.registry.id)
    result = consumers(az, shop, *named)
    assert {row[0] for row in connections(result)} == {"shop-acr", "old-acr", "apps"}
    assert result.json["registries"][0]["breaks"] == 0
    failed = consumers(az, shop, *named, "--fail-on", "breaks", "--output", "none")
    assert failed.code == 1
    assert "1 consumer breaks" in failed.stderr
    unknown = consumers(az, shop, *named, "--fail-on", "unknown", "--output", "none")
    assert "2 consumers are unknown" in unknown.stderr


def test_the_table_has_a_row_for_each_connection(az: Az, shop: Estate) -> None:
    result = consumers(az, shop, "--output", "table")
    [row] = [line for line in result.stdout.splitlines() if "Fabrikam/shop-acr" in line]
    assert row.startswith(shop.registry.name)
    assert "breaks" in row
    assert any(line.startswith("not known") and "Tailspin/apps" in line for line in result.stdout.splitlines())


def test_a_default_registry_does_not_count_beside_an_organization(az: Az, shop: Estate) -> None:
    az.ok("config", "set", "defaults.acr=nosuchregistry", "defaults.group=nosuchgroup")
    assert len(connections(consumers(az, shop))) == 4


def test_the_token_goes_to_one_host_and_shows_nowhere(az: Az, shop: Estate, cloud: LocalCloud) -> None:
    secrets = {secret.encode() for secret in cloud.secrets}
    claims = base64.b64encode(b'{"access_token": {"nbf": {"essential": true, "value": "1"}}}').decode()
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{claims}"'}
    for trouble in ("none", "challenge", "redirect"):
        if trouble == "challenge":  # after which the same request is sent again
            cloud.faults.add(host=HOST, path="*/endpoints", times=1, status=401, headers=challenge, body="{}")
        if trouble == "redirect":
            cloud.faults.add(host=HOST, path="*/endpoints", times=None, redirect="https://evil.example/_signin")
        result = consumers(az, shop, "--debug")
        secrets |= {secret.encode() for secret in cloud.secrets}
        assert not holds_any((result.stdout + result.stderr).encode(), secrets)
        assert "serviceendpoint" in result.stderr  # that requests are logged
        assert "userdata" not in result.stderr.lower()
        assert "authorization'" not in result.stderr  # nor their answers: they tell of people and their applications
        assert '"authorization"' not in result.stderr
        assert f"{shop.member.object_id}:" not in result.stderr
    sent = {request.bearer() for request in cloud.requests_to(HOST)}
    assert len(sent) == 2  # the cached one, and the one after the challenge
    for token in sent:
        assert token
        assert cloud.world.entra_key.verify(token)["aud"] == DEVOPS_AUDIENCE
        assert not [request for request in cloud.requests if request.host != HOST and token in str(request.headers)]
    assert "evil.example" not in {*cloud.refused_hosts, *cloud.unresolved_hosts}


def test_nothing_is_written(az: Az, shop: Estate, cloud: LocalCloud) -> None:
    consumers(az, shop)
    assert {request.method for request in cloud.requests_to(HOST)} == {"GET"}


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"status": 203, "body": "<html>", "headers": {"Content-Type": "text/html"}}, 1, "did not accept the sign-in"),
        ({"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}, 1, "is not one of Azure DevOps"),
        ({"status": 401}, 1, "did not accept the sign-in"),
        ({"status": 404}, 3, "Azure DevOps has no organization"),
    ],
)
def test_an_organization_that_cannot_be_read_is_never_one_without_connections(
    az: Az, shop: Estate, cloud: LocalCloud, wrong: dict[str, Any], code: int, words: str
) -> None:
    cloud.faults.add(host=HOST, path="*/projects", times=None, **wrong)
    result = consumers(az, shop)
    assert (result.code, result.stdout) == (code, "")
    assert words in result.stderr
    beside = consumers(az, shop, "--name", shop.registry.id, "--fail-on", "unknown")
    assert beside.code == 1
    assert beside.json["azureDevOps"] == []
    assert words in beside.json["incomplete"][0]


def test_who_is_no_member_is_told_the_tenant(az: Az, shop: Estate) -> None:
    shop.organization.members.clear()
    result = consumers(az, shop)
    assert result.code == 1
    assert f"It belongs to tenant {shop.organization.tenant_id}." in result.stderr


def test_a_project_that_may_not_be_read_is_told(az: Az, shop: Estate, cloud: LocalCloud) -> None:
    project = shop.organization.projects[1]
    body = json.dumps({"typeKey": "AccessDeniedException", "message": "no"})
    headers = {"Content-Type": "application/json"}
    cloud.faults.add(host=HOST, path=f"*/{project.id}/*", times=None, status=403, body=body, headers=headers)
    result = consumers(az, shop, "--fail-on", "unknown")
    assert result.code == 1
    assert any(
        "(Tailspin) could not be read (HTTP 403, AccessDeniedException)" in text for text in result.json["incomplete"]
    )


def test_a_request_that_is_throttled_is_sent_again(az: Az, shop: Estate, cloud: LocalCloud) -> None:
    cloud.faults.add(host=HOST, path="*/endpoints", status=429, headers={"Retry-After": "1"})
    result = consumers(az, shop)
    assert (len(connections(result)), result.json["incomplete"]) == (4, [])


@pytest.mark.parametrize("name", ["../evil", "contoso/x", "https://evil.example/contoso", "contoso?x=y", ""])
def test_what_is_no_organization_is_refused_before_anything_is_sent(az: Az, cloud: LocalCloud, name: str) -> None:
    result = az("acr", "scope", "consumers", "--azure-devops", name)
    assert result.code == 1
    assert "cannot be the name of an Azure DevOps organization" in result.stderr
    assert not cloud.requests


def test_projects_of_several_pages_take_one_request_each(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    """`tests/unit/consumers/test_azure_devops.py` has an organization of 300 projects with 2,000 connections."""
    fill(cloud.world, estate.organization, projects=120, connections=150)
    cloud.clear_requests()
    result = consumers(az, estate, "--query", "length(azureDevOps)")
    assert (result.code, result.stdout.strip()) == (0, "150")
    asked = [request.path for request in cloud.requests_to(HOST)]
    assert sum(path.endswith("/serviceendpoint/endpoints") for path in asked) == 120
    assert sum(path.endswith("/_apis/projects") for path in asked) == 3

"""`az acr scope consumers` through the real `az`: who uses a registry, and what becomes of them."""

import base64
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.accounts import sign_in
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world.world import Subscription

ARM = "management.azure.com"


@dataclass
class Estate:
    """A registry in one subscription and room for its consumers in another, both seen by one auditor."""

    auditor: ServicePrincipal
    platform: Subscription
    apps: Subscription
    registry: Registry


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    auditor = world.add_service_principal(f"auditor of {registry_name}")
    platform = world.add_subscription(f"Platform {registry_name}")
    apps = world.add_subscription(f"Apps {registry_name}")
    for subscription in (platform, apps):
        world.grant(auditor, subscription.scope, "Reader")
    return Estate(auditor, platform, apps, world.add_registry(f"{registry_name}c", "rg-registries", platform))


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate) -> Az:
    return new_az(estate.auditor, subscription=estate.platform)


def consumers(az: Az, *arguments: str) -> Result:
    return az("acr", "scope", "consumers", *arguments)


def rows(result: Result) -> dict[str, dict[str, Any]]:
    """The consumers of the only registry, by name, without those who are only Readers of its subscription."""
    assert result.code == 0, result
    [registry] = result.json["registries"]
    return {row["name"]: row for row in registry["consumers"]}


def verdicts(result: Result) -> dict[str, tuple[str, str, str]]:
    return {name: (row["kind"], row["signIn"], row["verdict"]) for name, row in rows(result).items()}


def test_each_kind_and_sign_in_has_its_verdict(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    known, apps, registry = cloud.world.consumers, estate.apps, estate.registry
    image = f"{registry.login_server}/team/app:1"
    assigned = known.add_assigned("id-pull", apps)
    known.add_web_app("web-identity", f"DOCKER|{image}", apps, identity="system")
    known.add_web_app("web-password", f"DOCKER|{image}", apps)
    known.add_web_app("web-windows", f"DOCKER|{image}", apps, identity=assigned, windows=True)
    known.add_web_app("func", f"Docker|{image}", apps, identity="system", kind="functionapp,linux,container")
    compose = base64.b64encode(f"services:\n  app:\n    image: {image}\n".encode()).decode()
    known.add_web_app("web-compose", f"COMPOSE|{compose}", apps, identity="system")
    known.add_web_app("web-slot", f"DOCKER|{image}", apps, identity="system", slot="staging")
    known.add_container_app("aca-identity", image, apps, identity="system", server=f"{registry.login_server}:443")
    known.add_container_app("aca-admin", image, apps, username=registry.name)
    known.add_container_app("aca-token", image, apps, username="builders")
    known.add_container_app("aca-application", image, apps, username="11111111-2222-3333-4444-555555555555")
    known.add_container_app("aca-anonymous", image, apps)
    known.add_container_app("job-identity", image, apps, identity=assigned, kind="jobs")
    known.add_session_pool("pool-identity", image, "system", apps)
    known.add_container_group("aci-identity", image, apps, identity=assigned)
    known.add_container_group("aci-admin", image, apps, username=registry.name)
    known.add_cluster("aks-new", None, apps, registry)
    known.add_cluster("aks-old", [("AKSUbuntu-2204gen2containerd-202504.27.0", "1.31.4")], apps, registry)
    known.add_cluster("aks-isolated", None, apps, own_registry=registry)
    known.add_workspace("ml", registry, apps)
    known.add_batch_pool("batch-identity", image, assigned, apps)
    known.add_batch_pool("batch-token", image, None, apps)
    known.add_task(registry, "task")
    known.add_task(registry, "agents", kind="agentPools")
    known.add_flux("flux", f"oci://{registry.login_server}/manifests", True, apps)
    known.add_registry_endpoint("endpoint", registry.login_server, "https://management.azure.com/", apps)
    known.grant(known.add_foundry("foundry", apps), registry.id, "AcrPull")
    known.grant(known.add_assigned("id-forgotten", apps).principal_id, registry.id, "AcrPush")
    assert (
        verdicts(consumers(az, "--name", registry.name)).items()
        >= {
            "web-identity": ("app-service", "managed identity", "breaks"),
            "web-password": ("app-service", "password or none", "works"),
            "web-windows": ("app-service", "managed identity", "breaks"),
            "func": ("functions", "managed identity", "breaks"),
            "web-compose": ("app-service", "managed identity", "breaks"),
            "staging": ("app-service", "managed identity", "breaks"),
            "aca-identity": ("container-app", "managed identity", "breaks"),
            "aca-admin": ("container-app", "admin user", "works"),
            "aca-token": ("container-app", "repository token", "works"),
            "aca-application": ("container-app", "service principal", "unknown"),
            "aca-anonymous": ("container-app", "anonymous", "works"),
            "job-identity": ("container-app-job", "managed identity", "breaks"),
            "pool-identity": ("session-pool", "managed identity", "breaks"),
            "aci-identity": ("container-instance", "managed identity", "unknown"),
            "aci-admin": ("container-instance", "admin user", "works"),
            "aks-new": ("aks", "managed identity", "works"),
            "aks-old": ("aks", "managed identity", "breaks"),
            "aks-isolated": ("aks-network-isolated", "managed identity", "breaks"),
            "ml": ("machine-learning", "unknown", "unknown"),
            "batch-identity": ("batch", "managed identity", "unknown"),
            "batch-token": ("batch", "repository token", "works"),
            "task": ("acr-task", "unknown", "unknown"),
            "agents": ("agent-pool", "unknown", "unknown"),
            "flux": ("flux", "managed identity", "unknown"),
            "endpoint": ("iot-operations", "managed identity, ARM audience", "breaks"),
            "foundry": ("foundry", "managed identity", "breaks"),
            "id-forgotten": ("managed identity", "managed identity", "unknown"),
        }.items()
    )


def test_a_row_says_why_from_where_since_when_and_the_mend(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    image = f"DOCKER|{estate.registry.login_server}/app"
    resource_id = cloud.world.consumers.add_web_app("web", image, estate.apps, identity="system")
    result = consumers(az, "--name", estate.registry.login_server)
    row = rows(result)["web"]
    assert row["consumer"] == resource_id
    assert "ARM-scoped credentials" in row["why"]
    assert row["source"].startswith("Azure Container Registry documentation")
    assert row["sourceDate"] == "2026-11-25"
    assert "repository token" in row["fix"]
    assert (
        "1 registry, 2 consumers: 1 break, 0 work, 1 unknown (1 of them can pull only through a broad" in result.stderr
    )
    assert result.stderr.count("consumers that no query finds") == 1
    breaking = [item["consumer"] for item in result.json["manualChecks"] if item["verdict"] == "breaks"]
    assert any("Bicep: publish, restore and br: modules" in name for name in breaking)
    assert "WARNING" not in result.stderr
    assert {"breaks", "works", "unknown"} == {item["verdict"] for item in result.json["manualChecks"]}


def test_what_depends_on_a_version_has_the_range_and_nothing_reads_as_searched(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    cloud.world.consumers.add_flux("flux", f"oci://{estate.registry.login_server}/manifests", True, estate.apps)
    result = consumers(az, "--name", estate.registry.name)
    assert "By version: below 2.8.2: breaks; 2.8.2 and newer: works." in rows(result)["flux"]["why"]
    assert rows(result)["flux"]["evidence"] == "read"
    checks = result.json["manualChecks"]
    [cli] = [each for each in checks if each["consumer"].startswith("Azure CLI")]
    assert "2.40.0 to below 2.82.0: works with the right Microsoft.ContainerRegistry/registries/read" in cli["why"]
    assert {(each["searched"]["in"], each["searched"]["found"]) for each in checks} == {("", None)}
    assert all(each["searched"]["how"] for each in checks)


def test_what_no_query_sees_is_one_line_with_a_command_that_lists_it(az: Az, estate: Estate) -> None:
    result = consumers(az, "--name", estate.registry.name)
    checks = result.json["manualChecks"]
    [line] = [line for line in result.stderr.splitlines() if "no query finds" in line]
    breaks = sum(each["verdict"] == "breaks" for each in checks)
    assert line.startswith(f"{len(checks)} kinds of consumers that no query finds, to check by hand ({breaks} break): ")
    program, *arguments = shlex.split(line.split("`")[1])
    assert program == "az"
    listed = az(*arguments)
    assert listed.code == 0, listed
    header, _, *lines = listed.stdout.splitlines()
    assert header.split() == ["Verdict", "Consumer"]
    assert [each.split(maxsplit=1) for each in lines] == [[each["verdict"], each["consumer"]] for each in checks]
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_table_is_no_wider_than_the_terminal(az: Az, estate: Estate, cloud: LocalCloud, columns: str) -> None:
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("app", image, estate.apps, identity="system")
    table = az("acr", "scope", "consumers", "--name", estate.registry.name, "-o", "table", env={"COLUMNS": columns})
    assert max(map(len, table.stdout.splitlines())) <= int(columns)
    assert "breaks" in table.stdout
    assert " …" in table.stdout


def test_a_registry_is_matched_by_its_whole_host(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    known, host = cloud.world.consumers, estate.registry.login_server
    label, _, suffix = host.partition(".")
    others = [f"my-{host}/app", f"x{host}/app", f"{host}.example.com/app", f"docker.io/{host}/app", f"{host}/"[:-3]]
    others += [f"user@{host}/app", f"{label}.westeurope.data.{suffix}/app", f"{host}:8443/app"]
    for number, image in enumerate(others):
        known.add_container_app(f"other{number}", image, estate.apps, username=estate.registry.name)
    known.add_container_app("regional", f"{label}.westeurope.geo.{suffix}/app", estate.apps)
    known.add_container_app("capitals", f"{host.upper()}/app", estate.apps)
    seen = rows(consumers(az, "--name", estate.registry.name))
    assert {name for name, row in seen.items() if row["kind"] == "container-app"} == {"regional", "capitals"}


def test_a_hashed_login_server_is_told_from_the_plain_one(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    name = estate.registry.name
    hashed = cloud.world.add_registry(name, "rg-hashed", estate.platform, domain_name_label_hash="e7gg9xb2")
    cloud.world.consumers.add_container_app("plain", f"{name}.azurecr.io/app", estate.apps)
    cloud.world.consumers.add_container_app("hashed", f"{hashed.login_server}/app", estate.apps, username=name)
    seen = rows(consumers(az, "--name", name, "--resource-group", "rg-hashed"))
    assert seen["hashed"]["signIn"] == "admin user"
    assert "plain" not in seen
    assert "plain" in rows(consumers(az, "--name", f"{name}.azurecr.io"))
    ambiguous = consumers(az, "--name", name)
    assert ambiguous.code == 1
    assert "rg-hashed" in ambiguous.stderr


def test_settings_come_from_the_other_table_and_at_last_from_arm(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    known, image = cloud.world.consumers, f"DOCKER|{estate.registry.login_server}/app"
    known.add_web_app("by-table", image, estate.apps, "system", row_says=False, settings_row=True)
    asked = known.add_web_app("by-arm", image, estate.apps, "system", row_says=False)
    known.add_web_app("silent", image, estate.apps, "system", row_says=False, config=False)
    known.add_web_app("elsewhere", "DOCKER|docker.io/library/nginx", estate.apps, row_says=False)
    seen = rows(consumers(az, "--name", estate.registry.name))
    assert (seen["by-table"]["verdict"], seen["by-arm"]["verdict"]) == ("breaks", "breaks")
    assert (seen["silent"]["signIn"], seen["silent"]["verdict"]) == ("unknown", "unknown")
    assert "could not be read" in seen["silent"]["why"]
    gets = [request.path for request in cloud.requests_to(ARM) if "/config/web" in request.path]
    assert f"{asked}/config/web" in gets
    assert len(gets) == 2


def test_sidecar_containers_are_asked_of_arm(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    known, host = cloud.world.consumers, estate.registry.login_server
    known.add_sidecars("car", [{"image": f"{host}/main:1", "authType": "SystemIdentity"}], estate.apps)
    by_user = {"image": f"{host}/main:1", "authType": "UserCredentials", "userName": estate.registry.name}
    known.add_sidecars("bike", [by_user, {"image": "docker.io/nginx", "authType": "Anonymous"}], estate.apps)
    seen = verdicts(consumers(az, "--name", estate.registry.name))
    assert seen["car"] == ("app-service", "managed identity", "breaks")
    assert seen["bike"] == ("app-service", "admin user", "works")


def test_rights_count_by_the_registrys_mode_and_from_above(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    known, registry = cloud.world.consumers, estate.registry
    group = registry.id.partition("/providers/")[0]
    people = {
        "aaaaaaaa-0000-0000-0000-000000000001": (estate.platform.scope, "Reader", "User"),
        "aaaaaaaa-0000-0000-0000-000000000002": (group, "Contributor", "Group"),
        "aaaaaaaa-0000-0000-0000-000000000003": (registry.id, "Container Registry Repository Reader", "User"),
        "aaaaaaaa-0000-0000-0000-000000000004": (registry.id, "AcrDelete", "User"),
        "aaaaaaaa-0000-0000-0000-000000000005": (f"{group}2", "AcrPull", "User"),
        "aaaaaaaa-0000-0000-0000-000000000006": (
            registry.id,
            ("Microsoft.ContainerRegistry/registries/*/read",),
            "ServicePrincipal",
        ),
    }
    for principal, (scope, role, kind) in people.items():
        known.grant(principal, scope, role, kind)  # type: ignore[arg-type]

    def holders() -> dict[str, str]:
        found = rows(consumers(az, "--name", registry.name)).values()
        return {row["consumer"][-1]: " ".join(row["rights"]) for row in found if row["consumer"].startswith("aaaaaaaa")}

    registry.properties["roleAssignmentMode"] = "LegacyRegistryPermissions"
    registry.changed()
    seen = holders()
    assert set(seen) == {"1", "2", "6"}
    assert seen["1"] == "Reader on the subscription"
    assert seen["2"] == "Contributor on the resource group"
    registry.properties["roleAssignmentMode"] = "AbacRepositoryPermissions"
    registry.changed()
    assert set(holders()) == {"3"}


def test_rights_of_a_management_group_count_only_below_it(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    world, known = cloud.world, cloud.world.consumers
    ours, theirs = (world.add_management_group(f"{which}-{estate.registry.name}") for which in ("ours", "theirs"))
    world.move(estate.platform, ours)
    for group in (ours, theirs):
        world.grant(estate.auditor, group.id, "Reader")
        known.grant(f"bbbbbbbb-0000-0000-0000-{group.name[:4]:0>12}".replace("ours", "0001").replace("thei", "0002"),
                    group.id, "AcrPull", "Group")  # fmt: skip
    seen = [row["consumer"] for row in rows(consumers(az, "--name", estate.registry.name)).values()]
    assert "bbbbbbbb-0000-0000-0000-000000000001" in seen
    assert "bbbbbbbb-0000-0000-0000-000000000002" not in seen


def test_an_identity_that_a_consumer_pulls_with_is_no_row_of_its_own(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    known = cloud.world.consumers
    assigned = known.add_assigned("id-app", estate.apps)
    known.grant(assigned.principal_id, estate.registry.id, "AcrPull")
    known.add_container_app("app", f"{estate.registry.login_server}/app", estate.apps, identity=assigned)
    seen = rows(consumers(az, "--name", estate.registry.name))
    assert "id-app" not in seen
    assert seen["app"]["rights"] == ["AcrPull on the registry"]


def test_a_subscription_that_cannot_be_seen_is_said_and_closes_the_strict_gate(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    world = cloud.world
    grant = next(each for each in world.grants(estate.auditor) if estate.apps.id in each.scope)
    # Nobody but the auditor, through a broad role: that fails no check.
    assert consumers(az, "--name", estate.registry.name, "--fail-on", "unknown").code == 0
    world.revoke(grant)
    result = consumers(az, "--name", estate.registry.name, "--fail-on", "breaks")
    assert f"Subscription {estate.apps.id} is not visible" in result.stderr
    assert result.code == 0
    assert consumers(az, "--name", estate.registry.name, "--fail-on", "unknown").code == 1


def test_the_gate_fails_after_the_result(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("app", image, estate.apps, identity="system")
    result = consumers(az, "--name", estate.registry.name, "--fail-on", "breaks")
    assert result.code == 1
    assert result.json["registries"][0]["breaks"] == 1
    assert "1 consumer breaks" in result.stderr


def test_a_teams_knowledge_replaces_ours(az: Az, estate: Estate, cloud: LocalCloud, tmp_path: Path) -> None:
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_group("aci", image, estate.apps, cloud.world.consumers.add_assigned("id-aci"))
    entry = {"kind": "container-instance", "signIn": "managed identity", "verdict": "works", "why": "We tried it."}
    source = {"title": "Our trial", "url": "https://wiki.example/acr", "read": "2026-11-02"}
    file = tmp_path / "team.json"
    file.write_text(json.dumps({"sources": {"us": source}, "entries": [{**entry, "source": "us", "fix": "None."}]}))
    row = rows(consumers(az, "--name", estate.registry.name, "--knowledge", str(file)))["aci"]
    assert (row["verdict"], row["sourceDate"]) == ("works", "2026-11-02")
    file.write_text(json.dumps({"entries": [{**entry, "source": "nowhere", "fix": "None."}]}))
    refused = consumers(az, "--name", estate.registry.name, "--knowledge", str(file))
    assert refused.code == 1
    assert "there is no source nowhere" in refused.stderr
    assert consumers(az, "--name", estate.registry.name, "--knowledge", str(tmp_path / "none.json")).code == 1


def test_an_odd_row_is_said_and_hides_nobody(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    image = f"{estate.registry.login_server}/app"
    known = cloud.world.consumers
    odd = known.add_container_app("odd", image, estate.apps)
    cloud.world.graph_rows["resources"][-1]["properties"]["configuration"]["registries"] = f"{image}"
    known.add_container_app("app", image, estate.apps)
    result = consumers(az, "--name", estate.registry.name)
    assert "app" in rows(result)
    assert any(odd in sentence for sentence in result.json["incomplete"])


def test_tables_that_a_cloud_lacks_are_said(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.world.consumers.add_container_app("app", f"{estate.registry.login_server}/app", estate.apps)
    cloud.world.missing_tables = {"authorizationresources", "batchresources"}
    try:
        result = consumers(az, "--name", estate.registry.name)
    finally:
        cloud.world.missing_tables = set()
    assert "app" in rows(result)
    assert "Role assignments could not be read" in result.stderr
    assert "Batch pools could not be read" in result.stderr


def test_a_registry_that_is_not_there_is_not_found(az: Az) -> None:
    assert consumers(az, "--name", "nosuchregistry").code == 3


def test_something_must_be_named(az: Az) -> None:
    result = consumers(az)
    assert result.code == 1
    assert "--all" in result.stderr


def test_a_table_has_a_row_for_each_consumer(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("app", image, estate.apps, identity="system")
    result = az("acr", "scope", "consumers", "--all", "--output", "table", env={"COLUMNS": "200"})
    assert result.stdout.splitlines()[0].split() == [
        "Registry",
        "Consumer",
        "Kind",
        "SignIn",
        "Verdict",
        "Why",
        "SourceDate",
    ]
    assert any("container-app" in line and "breaks" in line for line in result.stdout.splitlines())


def test_two_hundred_registries_with_two_thousand_consumers_take_twelve_requests(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    known, apps = cloud.world.consumers, estate.apps
    registries = [estate.registry]
    for number in range(199):
        name = f"{estate.registry.name}n{number}"
        registries.append(cloud.world.add_registry(name, f"rg-{number % 120}", estate.platform))
    makers: list[Callable[[str, str, Registry], Any]] = [
        lambda name, image, registry: known.add_web_app(name, f"DOCKER|{image}", apps, identity="system"),
        lambda name, image, registry: known.add_container_app(name, image, apps, identity="system"),
        lambda name, image, registry: known.add_container_group(name, image, apps, username=registry.name),
        lambda name, image, registry: known.add_cluster(name, None, apps, registry),
    ]
    for number in range(2000):
        registry = registries[number % 200]
        makers[(number // 200) % 4](f"app{number}", f"{registry.login_server}/app:1", registry)
    result = consumers(az, "--all")
    assert result.code == 0, result
    assert len(result.json["registries"]) == 200
    assert sum(row["name"].startswith("app") for each in result.json["registries"] for row in each["consumers"]) == 2000
    assert not result.json["incomplete"]
    assert len(cloud.requests_to(ARM)) <= 12


def test_built_in_roles_that_read_everything_pull_too_and_are_told_apart(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    """Nobody thinks of Log Analytics Reader; its `*/read` includes pulling."""
    watcher = cloud.world.add_service_principal("watcher")
    cloud.world.grant(watcher, estate.platform.scope, "Log Analytics Reader")
    builder = cloud.world.add_service_principal("builder")
    cloud.world.grant(builder, estate.registry.id, "AcrPull")
    cloud.world.grant(builder, estate.platform.scope, "Log Analytics Reader")
    found = rows(consumers(az, "--name", estate.registry.name))
    watching, building = (found[f"ServicePrincipal {each.object_id}"] for each in (watcher, builder))
    assert watching["rights"] == ["Log Analytics Reader on the subscription"]
    assert (watching["verdict"], watching["foundBy"]) == ("unknown", "broad role")
    assert (building["verdict"], building["foundBy"]) == ("unknown", "role")


def test_who_sees_no_subscription_is_told_so(new_az: Callable[..., Az], cloud: LocalCloud) -> None:
    nobody = new_az(cloud.world.add_service_principal("nobody"))
    result = consumers(nobody, "--name", "contoso")
    assert result.code == 1
    assert "sees no subscription" in result.stderr
    assert "Reader" in result.stderr
    assert "support" not in result.stderr


@pytest.fixture
def owner(new_az: Callable[..., Az], estate: Estate, cloud: LocalCloud) -> Az:
    """`az` of somebody who may enforce there."""
    principal = cloud.world.add_service_principal(f"owner of {estate.registry.name}")
    for subscription in (estate.platform, estate.apps):
        cloud.world.grant(principal, subscription.scope, "Contributor")
    return new_az(principal, "owner", estate.platform)


def test_enforce_lists_who_breaks_and_needs_a_yes(owner: Az, estate: Estate, cloud: LocalCloud) -> None:
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("shop", image, estate.apps, identity="system")
    cloud.world.consumers.add_workspace("churn", estate.registry, estate.apps)
    refused = owner("acr", "scope", "enforce", "--name", estate.registry.name)
    assert refused.code == 1
    assert "container-app shop" in refused.stderr
    # Principals that may do everything do not count.
    assert "It is not known whether 1 consumer of 1 registry would break" in refused.stderr
    assert "Confirmation is required because 1 consumer would break, and there is no terminal" in refused.stderr
    assert "--yes" in refused.stderr
    assert estate.registry.policy_status == "enabled"
    assert owner("acr", "scope", "enforce", "--name", estate.registry.name, "--yes").code == 0
    assert estate.registry.policy_status == "disabled"
    back = owner("acr", "scope", "enforce", "--name", estate.registry.name, "--status", "enabled")
    assert "shop" not in back.stderr


def test_a_fleet_leaves_out_registries_with_consumers_that_break(
    owner: Az, estate: Estate, cloud: LocalCloud, tmp_path: Path
) -> None:
    other = cloud.world.add_registry(f"{estate.registry.name}x", "rg-registries", estate.platform)
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("shop", image, estate.apps, identity="system")
    record = tmp_path / "record.jsonl"
    result = owner("acr", "scope", "enforce", "--all", "--yes", "--record", str(record))
    assert result.code == 0, result
    by_name = {row["name"]: row for row in result.json}
    assert (by_name[estate.registry.name]["result"], by_name[other.name]["result"]) == ("skipped", "changed")
    assert "shop" in by_name[estate.registry.name]["reason"]
    assert json.loads(record.read_text().splitlines()[0])["consumers"] == "asked"
    all_the_same = owner("acr", "scope", "enforce", "--all", "--yes", "--include-breaking")
    assert all_the_same.code == 0
    assert estate.registry.policy_status == "disabled"


def test_not_asking_is_written_down(owner: Az, estate: Estate, cloud: LocalCloud, tmp_path: Path) -> None:
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("shop", image, estate.apps, identity="system")
    record = tmp_path / "record.jsonl"
    cloud.clear_requests()
    owner.ok("acr", "scope", "enforce", "--all", "--yes", "--skip-consumers", "--record", str(record))
    assert json.loads(record.read_text().splitlines()[0])["consumers"] == "skipped"
    assert estate.registry.policy_status == "disabled"
    assert not [request for request in cloud.requests_to(ARM) if "ResourceGraph" in request.path]


# --- what could not be read ---


def nobody_answers(cloud: LocalCloud) -> None:
    body = json.dumps({"error": {"code": "Forbidden", "message": "No."}})
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, body=body, times=None)


def writes(cloud: LocalCloud) -> int:
    return sum(request.method == "PATCH" for request in cloud.requests_to(ARM))


def test_one_registry_whose_consumers_cannot_be_asked_for_takes_a_yes(
    owner: Az, estate: Estate, cloud: LocalCloud
) -> None:
    nobody_answers(cloud)
    enforce = ("acr", "scope", "enforce", "--name", estate.registry.name, "--resource-group", "rg-registries")
    refused = owner(*enforce)
    assert refused.code == 1
    assert "The search for consumers of the registries failed" in refused.stderr
    assert "Confirmation is required because part of its consumers could not be read" in refused.stderr
    assert "--yes" in refused.stderr
    assert "--skip-consumers" in refused.stderr
    assert (writes(cloud), estate.registry.policy_status) == (0, "enabled")
    dry = owner(*enforce, "--dry-run")
    assert (dry.code, dry.json[0]["plannedStatus"], dry.json[0]["consumers"]) == (0, "disabled", "unanswered")
    done = owner(*enforce, "--yes")
    assert (done.code, done.json[0]["changed"], done.json[0]["consumers"]) == (0, True, "unanswered")


def test_a_fleet_is_not_begun_while_consumers_cannot_be_asked_for(
    owner: Az, estate: Estate, cloud: LocalCloud, tmp_path: Path
) -> None:
    cloud.world.add_registry(f"{estate.registry.name}x", "rg-registries", estate.platform)
    nobody_answers(cloud)
    refused = owner("acr", "scope", "enforce", "--all", "--yes", "--record", str(tmp_path / "none.jsonl"))
    assert refused.code == 1
    assert "Nothing was written" in refused.stderr
    assert "--include-breaking" in refused.stderr
    assert "--skip-consumers" in refused.stderr
    assert (writes(cloud), (tmp_path / "none.jsonl").exists()) == (0, False)
    dry = owner("acr", "scope", "enforce", "--all", "--dry-run")
    assert (dry.code, [row["result"] for row in dry.json]) == (0, ["planned"] * 2)
    assert "The search for consumers of the registries failed" in dry.stderr
    record = tmp_path / "record.jsonl"
    owner.ok("acr", "scope", "enforce", "--all", "--yes", "--include-breaking", "--record", str(record))
    assert json.loads(record.read_text().splitlines()[0])["consumers"] == "unanswered"
    assert estate.registry.policy_status == "disabled"


@pytest.mark.parametrize("unread", ["a table", "a row", "settings"])
def test_what_part_of_the_search_could_not_read_counts_as_well(
    owner: Az, estate: Estate, cloud: LocalCloud, unread: str
) -> None:
    world = cloud.world
    if unread == "a table":
        world.missing_tables = {"authorizationresources"}
    elif unread == "settings":
        image = f"DOCKER|{estate.registry.login_server}/app"
        world.consumers.add_web_app("silent", image, estate.apps, "system", row_says=False, config=False)
    else:
        world.consumers.add_container_app("odd", f"{estate.registry.login_server}/app", estate.apps)
        world.graph_rows["resources"][-1]["properties"]["configuration"]["registries"] = "text"
    try:
        refused = owner("acr", "scope", "enforce", "--name", estate.registry.name)
        fleet = owner("acr", "scope", "enforce", "--all", "--yes")
    finally:
        world.missing_tables = set()
    assert (refused.code, fleet.code) == (1, 1)
    assert "Confirmation is required because part of its consumers could not be read" in refused.stderr
    assert "Nothing was written" in fleet.stderr
    assert estate.registry.policy_status == "enabled"


def test_a_subscription_that_is_not_visible_is_said_before_enforcing(
    owner: Az, estate: Estate, cloud: LocalCloud
) -> None:
    """And stops nobody: an account that may not look there would never get by."""
    world = cloud.world
    account = next(each for each in world.principals.values() if each.name == f"owner of {estate.registry.name}")
    world.revoke(next(each for each in world.grants(account) if estate.apps.id in each.scope))
    result = owner("acr", "scope", "enforce", "--name", estate.registry.name)
    assert result.code == 0
    assert f"Subscription {estate.apps.id} is not visible" in result.stderr


def test_the_row_of_a_registry_says_whether_consumers_were_asked_for(
    owner: Az, estate: Estate, cloud: LocalCloud
) -> None:
    name = estate.registry.name
    [asked] = owner.ok("acr", "scope", "enforce", "--name", name)
    assert (asked["changed"], asked["consumers"]) == (True, "asked")
    [again] = owner.ok("acr", "scope", "enforce", "--name", name)
    assert (again["changed"], again["consumers"]) == (False, "not asked")
    [back] = owner.ok("acr", "scope", "enforce", "--name", name, "--status", "enabled")
    assert (back["changed"], back["consumers"]) == (True, "not asked")
    [skipped] = owner.ok("acr", "scope", "enforce", "--name", name, "--skip-consumers")
    assert (skipped["changed"], skipped["consumers"]) == (True, "skipped")


def test_an_undo_that_enforces_asks_as_every_enforcement_does(
    owner: Az, estate: Estate, cloud: LocalCloud, tmp_path: Path
) -> None:
    estate.registry.policy_status = "disabled"
    record, second = tmp_path / "back.jsonl", tmp_path / "undo.jsonl"
    owner.ok("acr", "scope", "enforce", "--all", "--status", "enabled", "--yes", "--record", str(record))
    assert json.loads(record.read_text().splitlines()[0])["consumers"] == "not asked"
    image = f"{estate.registry.login_server}/app"
    cloud.world.consumers.add_container_app("shop", image, estate.apps, identity="system")
    [row] = owner.ok("acr", "scope", "enforce", "--undo", str(record), "--yes", "--record", str(second))
    assert row["result"] == "skipped"
    assert "shop" in row["reason"]
    assert estate.registry.policy_status == "enabled"


# --- whose consumers ---


def test_registries_below_a_management_group(new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str) -> None:
    world = cloud.world
    account = world.add_service_principal(f"reader of {registry_name}")
    parent = world.add_management_group(f"parent-{registry_name}")
    child = world.add_management_group(f"child-{registry_name}", parent=parent)
    inside, outside = (world.add_subscription(f"{which} {registry_name}") for which in ("inside", "outside"))
    world.move(inside, child)
    for scope in (parent.id, inside.scope, outside.scope):
        world.grant(account, scope, "Reader")
    below = world.add_registry(f"{registry_name}a", "rg-apps", inside)
    world.add_registry(f"{registry_name}b", "rg-apps", outside)
    world.consumers.add_container_app("app", f"{below.login_server}/app", outside, identity="system")
    az = new_az(account)
    for group in (parent, child):
        [found] = consumers(az, "--management-group", group.name.upper()).json["registries"]
        assert (found["id"], found["breaks"]) == (below.id, 1)
    assert consumers(az, "--management-group", "nosuchgroup").code == 3
    world.revoke(next(each for each in world.grants(account) if parent.name in each.scope))
    by_chain = consumers(az, "--management-group", parent.name)
    assert [each["id"] for each in by_chain.json["registries"]] == [below.id]
    assert any("cannot be listed" in sentence for sentence in by_chain.json["incomplete"])
    assert consumers(az, "--management-group", "nosuchgroup").code == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--management-group", "x", "--name", "contoso"], "--name cannot be combined"),
        (["--management-group", "x", "--all"], "--all cannot be combined"),
        (["--management-group", "x", "--all-subscriptions"], "cannot be combined"),
        (["--management-group", "x", "--resource-group", "y"], "cannot be combined"),
    ],
)
def test_a_management_group_is_a_scope_of_its_own(az: Az, cloud: LocalCloud, arguments: list[str], says: str) -> None:
    result = consumers(az, *arguments)
    assert result.code == 1
    assert says in result.stderr
    assert cloud.requests == []


def test_registries_of_two_tenants_are_asked_for_in_each(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world = cloud.world
    theirs = world.add_tenant(f"Tenant of {registry_name}")
    made: list[Registry] = []
    az = new_az()
    for tenant in (None, theirs.id):
        account = world.add_service_principal(f"reader of {tenant} {registry_name}", tenant_id=tenant)
        subscription = world.add_subscription(f"{tenant} {registry_name}", tenant)
        world.grant(account, subscription.scope, "Reader")
        made.append(world.add_registry(f"{registry_name}{len(made)}", "rg-apps", subscription))
        world.consumers.add_container_app("app", f"{made[-1].login_server}/app", subscription, identity="system")
        sign_in(az, account)
    everything = consumers(az, "--all-subscriptions")
    assert everything.code == 0, everything
    assert {each["id"]: each["breaks"] for each in everything.json["registries"]} == {each.id: 1 for each in made}
    named = consumers(az, "--name", *(each.id for each in made))
    assert [each["id"] for each in named.json["registries"]] == [each.id for each in made]
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, times=1)
    partly = consumers(az, "--all-subscriptions", "--fail-on", "unknown")
    assert partly.code == 1
    assert [each["id"] for each in partly.json["registries"]] == [made[1].id]
    assert "could not be searched" in partly.json["incomplete"][0]

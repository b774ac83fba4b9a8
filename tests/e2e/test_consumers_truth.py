"""Ground truth: an estate whose consumers are known as it is made, against what `az acr scope consumers` finds.

Each consumer that is added says which rows it must give, and whose; near misses say none. Then every row found must be
one of these (precision 1.0), and each of these must be found (recall 1.0).
"""

import base64
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.az import Az
from tests.localcloud import LocalCloud, Registry
from tests.localcloud.world.consumers import Assigned, Consumers
from tests.localcloud.world.world import Subscription

OLD, NEW = "AKSUbuntu-2204gen2containerd-202504.27.0", "AKSUbuntu-2204gen2containerd-202508.06.0"
DIGEST = f"@sha256:{'0' * 64}"
SUFFIXES = (".azurecr.io", ".azurecr.cn", ".azurecr.us")
IDENTITY, ADMIN, TOKEN = "managed identity", "admin user", "repository token"
BREAKS_BY_IDENTITY = ("container-app", "container-app-job", "session-pool", "app-service", "functions")

Truth = tuple[str, str, str, str, str]  # registry ID, consumer, kind, how it signs in, verdict


@dataclass
class Estate:
    """A world in the making, and the truth about it."""

    known: Consumers
    apps: Subscription
    suffix: str
    registries: list[Registry]
    chance: random.Random
    truth: set[Truth] = field(default_factory=set)
    made: int = 0

    def name(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def expect(self, registry: Registry, consumer: str, kind: str, sign_in: str, verdict: str = "") -> None:
        works = sign_in in (ADMIN, TOKEN, "anonymous", "password or none")
        by_identity = "breaks" if sign_in == IDENTITY and kind in BREAKS_BY_IDENTITY else "unknown"
        self.truth.add((registry.id, consumer, kind, sign_in, verdict or ("works" if works else by_identity)))

    @property
    def properties(self) -> dict[str, Any]:
        """Of the resource that was added last."""
        found: dict[str, Any] = self.known._world.graph_rows["resources"][-1]["properties"]
        return found

    # Hosts

    def hosts(self, registry: Registry) -> list[str]:
        """Every way to name a registry's login server."""
        label = registry.login_server.removesuffix(self.suffix)
        mixed = "".join(each.upper() if place % 2 else each for place, each in enumerate(registry.login_server))
        regional = f"{label}.westeurope.geo{self.suffix}"
        return [registry.login_server, registry.login_server.upper(), mixed, regional, f"{registry.login_server}:443"]

    def images(self, registry: Registry) -> Iterator[str]:
        """By tag, by digest, by both and by neither, in nested repositories, for each way to name the host."""
        for host in self.hosts(registry):
            yield f"{host}/{self.chance.choice(('app', 'team/app', 'a/b/c'))}{self.chance.choice(ENDS)}"

    def near(self, registry: Registry) -> list[str]:
        """Images of nobody's registry here, whose names are like a registry's."""
        host = registry.login_server
        label = host.removesuffix(self.suffix)
        others = [f"{label}{suffix}/app" for suffix in SUFFIXES if suffix != self.suffix]
        return [
            *(f"my-{host}/app", f"z{host}/app", f"{label}9{self.suffix}/app", f"{label}-other{self.suffix}/app"),
            *(f"{host}.example.com/app", f"docker.io/{host}/app", f"{host}:8443/app", f"user@{host}/app"),
            *(f"{label}.westeurope.data{self.suffix}/app", f"{label}/app", f"{host[:-1]}/app", *others),
        ]


ENDPOINT_AUDIENCES = (
    ("https://management.azure.com/", ", ARM audience", "breaks"),
    ("https://containerregistry.azure.net", ", ACR audience", "works"),
    ("", "", "unknown"),
)
ENDS = (":1", ":latest", DIGEST, f":1{DIGEST}", "")


def fill(estate: Estate) -> None:
    identity = estate.known.add_assigned("id-shared", estate.apps)
    for registry in estate.registries:
        for image in estate.images(registry):
            add_apps(estate, registry, image, identity)
            add_sites(estate, registry, image, identity)
            add_others(estate, registry, image, identity)
        for image in estate.near(registry):
            estate.known.add_container_app(estate.name("near"), image, estate.apps, identity="system")
            estate.known.add_web_app(estate.name("near"), f"DOCKER|{image}", estate.apps, identity="system")
            estate.known.add_container_group(estate.name("near"), image, estate.apps, username=registry.name)
            host = image.rpartition("/")[0]
            estate.known.add_registry_endpoint(estate.name("near"), host, ENDPOINT_AUDIENCES[0][0], estate.apps)
        add_clusters_and_holders(estate, registry)
    add_users_of_several(estate)


def add_apps(estate: Estate, registry: Registry, image: str, identity: Assigned) -> None:
    known, apps = estate.known, estate.apps
    for kind, resource in (("container-app", "containerapps"), ("container-app-job", "jobs")):
        ways: list[tuple[str, dict[str, Any]]] = [
            (IDENTITY, {"identity": "system"}),
            (IDENTITY, {"identity": identity}),
            (ADMIN, {"username": registry.name}),
            (TOKEN, {"username": "builders"}),
            ("service principal", {"username": "11111111-2222-3333-4444-555555555555"}),
            ("anonymous", {}),
        ]
        for sign_in, options in ways:
            consumer = known.add_container_app(estate.name("aca"), image, apps, kind=resource, **options)
            estate.expect(registry, consumer, kind, sign_in)
    name = estate.name("sessions")
    known.add_session_pool(name, image, "system", apps)
    estate.expect(registry, known._id("Microsoft.App", "sessionPools", name, apps), "session-pool", IDENTITY)


def add_sites(estate: Estate, registry: Registry, image: str, identity: Assigned) -> None:
    known, apps = estate.known, estate.apps
    encoded = base64.b64encode(f"{{services: {{a: {{image: '{image}'}}, b: {{image: nginx}}}}}}".encode()).decode()
    forms: list[tuple[str, dict[str, Any]]] = [
        (f"DOCKER|{image}", {}),
        (f"DOCKER|{image}", {"windows": True}),
        (f"Docker|{image}", {"slot": "staging"}),
        (f"DOCKER|{image}", {"row_says": False, "settings_row": True}),
        (f"DOCKER|{image}", {"row_names": False, "settings_row": True}),
        (f"COMPOSE|{encoded}", {}),
    ]
    for version, options in forms:
        one = known.add_web_app(estate.name("site"), version, apps, identity="system", **options)
        estate.expect(registry, one, "app-service", IDENTITY)
        kind = "functionapp,linux,container"
        one = known.add_web_app(estate.name("func"), version, apps, identity=identity, kind=kind, **options)
        estate.expect(registry, one, "functions", IDENTITY)
        one = known.add_web_app(estate.name("site"), version, apps, **options)
        estate.expect(registry, one, "app-service", "password or none")
    asked = known.add_web_app(estate.name("site"), f"DOCKER|{image}", apps, identity="system", row_says=False)
    estate.expect(registry, asked, "app-service", IDENTITY)
    main = {"image": image, "authType": "UserCredentials", "userName": registry.name}
    side = {"image": image, "authType": "SystemIdentity"}
    both = known.add_sidecars(estate.name("side"), [main, side, {"image": "nginx", "authType": "Anonymous"}], apps)
    estate.expect(registry, both, "app-service", ADMIN)
    estate.expect(registry, both, "app-service", IDENTITY)


def add_others(estate: Estate, registry: Registry, image: str, identity: Assigned) -> None:
    known, apps = estate.known, estate.apps
    group = known.add_container_group(estate.name("aci"), image, apps, identity=identity)
    estate.expect(registry, group, "container-instance", IDENTITY)
    group = known.add_container_group(estate.name("aci"), image, apps, username=registry.name)
    estate.expect(registry, group, "container-instance", ADMIN)
    for owned, sign_in in ((identity, IDENTITY), (None, TOKEN)):
        pool = known.add_batch_pool(estate.name("pool"), image, owned, apps)
        estate.expect(registry, pool, "batch", sign_in)
    flux = known.add_flux(estate.name("flux"), f"oci://{image.partition('@')[0]}", True, apps)
    estate.expect(registry, flux, "flux", IDENTITY)
    for audience, words, verdict in ENDPOINT_AUDIENCES:
        endpoint = known.add_registry_endpoint(estate.name("endpoint"), image.partition("/")[0], audience, apps)
        estate.expect(registry, endpoint, "iot-operations", f"{IDENTITY}{words}", verdict)


def add_clusters_and_holders(estate: Estate, registry: Registry) -> None:
    known, apps, abac = estate.known, estate.apps, "Abac" in str(registry.properties.get("roleAssignmentMode"))
    role = "Container Registry Repository Reader" if abac else "AcrPull"
    for image, version, verdict in ((NEW, "1.33.2", "works"), (OLD, "1.31.4", "breaks")):
        cluster = known.add_cluster(estate.name("aks"), [(image, version)], apps, registry, role)
        estate.expect(registry, cluster, "aks", IDENTITY, verdict)
    known.add_cluster(estate.name("aks"), [(OLD, "1.31.4")], apps)  # without a role anywhere
    known.add_cluster(estate.name("aks"), [(OLD, "1.31.4")], apps, registry, "AcrDelete")
    own = known.add_cluster(estate.name("aks"), None, apps, own_registry=registry)
    estate.expect(registry, own, "aks-network-isolated", IDENTITY, "breaks")
    estate.expect(registry, known.add_workspace(estate.name("ml"), registry, apps), "machine-learning", "unknown")
    estate.expect(registry, known.add_task(registry, estate.name("task")), "acr-task", "unknown")
    pusher = known.add_assigned(estate.name("id"), apps)
    builder = estate.name("builder")
    known.add_builder(builder, registry, pusher, apps)
    consumer = known._id("Microsoft.App", "builders", builder, apps)
    estate.expect(registry, consumer, "container-app-builder", IDENTITY)
    forgotten = known.add_assigned(estate.name("id"), apps)
    known.grant(forgotten.principal_id, registry.id, role)
    estate.expect(registry, forgotten.id, "managed identity", IDENTITY)
    foundry = estate.name("foundry")
    known.grant(known.add_foundry(foundry, apps), registry.id, role)
    account = known._id("Microsoft.CognitiveServices", "accounts", foundry, apps)
    estate.expect(registry, account, "foundry", IDENTITY, "breaks")
    group = registry.id.partition("/providers/")[0]
    principal = f"{estate.made:08d}-0000-0000-0000-000000000001"
    known.grant(principal, registry.id, role, "User")
    estate.expect(registry, principal, "user", "unknown")
    near = [(f"{group}9", role), (f"{registry.id}9", role), (registry.id, "AcrDelete"), (estate.apps.scope, role)]
    near.append((registry.id, "AcrPull" if abac else "Container Registry Repository Reader"))
    for number, (scope, other) in enumerate(near):
        known.grant(f"{estate.made:08d}-0000-0000-0000-00000000001{number}", scope, other, "Group")


def add_users_of_several(estate: Estate) -> None:
    """Apps with two registries of which each has its own sign-in, and one that is listed and not in use."""
    known, apps = estate.known, estate.apps
    for first, second, idle in zip(
        estate.registries, estate.registries[1:], [*estate.registries[2:], estate.registries[0]], strict=False
    ):
        app = known.add_container_app(estate.name("both"), f"{first.login_server}/a", apps, identity="system")
        estate.properties["template"]["initContainers"] = [{"image": f"{second.login_server}/b{DIGEST}"}]
        estate.properties["configuration"]["registries"] += [
            {"server": second.login_server.upper(), "username": second.name, "passwordSecretRef": "secret"},
            {"server": idle.login_server, "username": "", "identity": "system"},
        ]
        estate.expect(first, app, "container-app", IDENTITY)
        estate.expect(second, app, "container-app", ADMIN)
        estate.expect(idle, app, "container-app", IDENTITY)
        text = f"services:\n  a:\n    image: {first.login_server}/a\n  b:\n    image: {second.login_server}/b\n"
        compose = f"COMPOSE|{base64.b64encode(text.encode()).decode()}"
        site = known.add_web_app(estate.name("both"), compose, apps, identity="system")
        custom = {second.login_server: {"identity": "[system]"}, "docker.io": {"userName": "x"}}
        task = known.add_task(first, estate.name("task"), {"customRegistries": custom})
        estate.expect(first, task, "acr-task", "unknown")
        estate.expect(second, task, "acr-task", IDENTITY)
        for registry in (first, second):
            estate.expect(registry, site, "app-service", IDENTITY)


def missed(az: Az, truth: set[Truth], *arguments: str) -> tuple[list[Truth], list[Truth], float, float]:
    """What was found and is not true, what is true and was not found; precision and recall."""
    result = az("acr", "scope", "consumers", *arguments)
    assert result.code == 0, result
    assert not result.json["incomplete"]
    found = {
        (registry["id"], row["consumer"], row["kind"], row["signIn"], row["verdict"])
        for registry in result.json["registries"]
        for row in registry["consumers"]
    }
    right = len(found & truth)
    return sorted(found - truth), sorted(truth - found), right / len(found), right / len(truth)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_precision_and_recall_are_one(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str, suffix: str
) -> None:
    world = cloud.world
    auditor = world.add_service_principal(f"auditor of {registry_name}")
    platform, apps = (world.add_subscription(f"{each} {registry_name}") for each in ("Platform", "Apps"))
    for subscription in (platform, apps):
        world.grant(auditor, subscription.scope, "Reader")

    def add(name: str, group: str = "rg-plain", mode: str = "LegacyRegistryPermissions", label: Any = None) -> Registry:
        made = world.add_registry(name, group, platform, domain_name_label_hash=label, suffix=suffix[1:])
        made.properties["roleAssignmentMode"] = mode
        made.changed()
        return made

    registries = [
        add(registry_name),
        add(registry_name, "rg-label", label="e7gg9xb2"),
        add(f"{registry_name}x"),
        add(f"x{registry_name}"),
        add(f"abac{registry_name}", mode="AbacRepositoryPermissions"),
    ]
    estate = Estate(world.consumers, apps, suffix, registries, random.Random(6))
    fill(estate)
    readable = [each for each in registries if not each.name.startswith("abac")]  # to those who are Readers
    for registry in readable:
        estate.expect(registry, auditor.object_id, "service principal", "unknown")
    assert len(estate.truth) > 500
    az = new_az(auditor)
    az.ok("cloud", "update", "--name", "AzureCloud", "--suffix-acr-login-server-endpoint", suffix)
    assert missed(az, estate.truth, "--name", *(each.id for each in registries)) == ([], [], 1.0, 1.0)
    # Of more than twenty registries no query names any: other conditions, the same truth.
    for number in range(20):
        estate.expect(add(f"{registry_name}more{number}"), auditor.object_id, "service principal", "unknown")
    assert missed(az, estate.truth, "--all-subscriptions") == ([], [], 1.0, 1.0)

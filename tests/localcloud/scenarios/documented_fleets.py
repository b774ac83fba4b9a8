"""The stages that the pages of the documentation play on. tests/e2e/test_guide.py runs their commands.

Methods without an underscore are what happens between the commands, by the name that a page gives it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tests.localcloud.cloud import LocalCloud
from tests.localcloud.scenarios.container_client import Client
from tests.localcloud.world import registry_children
from tests.localcloud.world.identities import ServicePrincipal
from tests.localcloud.world.world import ACR_AUDIENCE, Subscription, World

WORKSPACE = "5b1d6f0e-3c52-4d0f-9d0b-8f4f9c1d7a21"
_OLD_NODES = ("AKSUbuntu-2204gen2containerd-202504.27.0", "1.31.4")
_NEW_NODES = ("AKSUbuntu-2204gen2containerd-202510.19.0", "1.33.4")


class Stage:
    """What all stages have: who types the commands, in which subscription, and the files in their home."""

    team: ServicePrincipal
    production: Subscription
    files: ClassVar[dict[str, str]] = {}


def _service_principals(world: World, *names: str) -> list[ServicePrincipal]:
    """Add service principals with object IDs in the order of the names.

    Rows are in the order of IDs, and a page has to be the same in every run.
    """
    made = [world.add_service_principal(name) for name in names]
    for principal, identifier in zip(made, sorted(each.object_id for each in made), strict=True):
        principal.object_id = identifier
        world.principals[identifier] = principal
    return made


class Contoso(Stage):
    """A fleet: six registries in two subscriptions, and what uses them.

    `python -m tests.localcloud --fleet` serves it, so that docs/cut-over.md can be followed by hand.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, world = cloud, cloud.world
        self.production = world.add_subscription("Contoso Production")
        self.test = world.add_subscription("Contoso Test")
        # Lists are in the order of IDs, and a page has to be the same in every run.
        self.production.id, self.test.id = sorted((self.production.id, self.test.id))
        self.team, self._exporter = _service_principals(world, "platform-team", "nightly-export")
        for subscription in (self.production, self.test):
            world.grant(self.team, subscription.scope, "Contributor")
        self.registries = {
            "contosoapps": world.add_registry("contosoapps", "rg-apps", self.production),
            "contosobase": world.add_registry("contosobase", "rg-base", self.production),
            "contosomlops": world.add_registry("contosomlops", "rg-ml", self.production, admin_user=True),
            "contosoweb": world.add_registry("contosoweb", "rg-web", self.production, policy_status=None),
            "contosonightly": world.add_registry("contosonightly", "rg-test", self.test, policy_status="disabled"),
            "contosotest": world.add_registry("contosotest", "rg-test", self.test),
        }
        self._add_consumers()

    def _add_consumers(self) -> None:
        known, production = self.cloud.world.consumers, self.production
        self._cluster = known.add_cluster("aks-shop", [_OLD_NODES], production, self.registries["contosoapps"])
        self._api = known.add_container_app("shop-api", self._image("contosoapps"), production, identity="system")
        known.add_container_app("shop-mail", self._image("contosoapps"), production, username="shop-pull")
        known.add_web_app("shop-web", f"DOCKER|{self._image('contosoweb')}", production, identity="system")
        known.add_cluster("aks-base", [_NEW_NODES], production, self.registries["contosobase"])
        known.add_workspace("ml-churn", self.registries["contosomlops"], production)
        known.add_container_group("test-runner", self._image("contosotest"), self.test, username="runner")
        base, world = self.registries["contosobase"], self.cloud.world
        world.grant(self._exporter, base.id, "AcrPull")
        self._export = Client(self.cloud, self._exporter, base, "20.31.7.112", "docker/27.5.1 go/go1.22.11")
        workspace = world.logs.add_workspace("log-platform", subscription=self.production)
        workspace.customer_id = WORKSPACE
        world.logs.send(base, workspace)

    def _image(self, registry: str) -> str:
        return f"{self.registries[registry].login_server}/team/app:1"

    def _row(self, resource_id: str) -> dict[str, Any]:
        rows = self.cloud.world.graph_rows["resources"]
        row: dict[str, Any] = next(each for each in rows if str(each["id"]).lower() == resource_id.lower())
        return row

    # What happens between the commands

    def clients_are_moved(self) -> None:
        """The cluster's node image is upgraded; the container app signs in with a repository token."""
        [pool] = self._row(self._cluster)["properties"]["agentPoolProfiles"]
        pool["nodeImageVersion"], pool["currentOrchestratorVersion"] = _NEW_NODES
        configuration = self._row(self._api)["properties"]["configuration"]
        configuration["registries"][0] |= {"identity": "", "username": "shop-pull", "passwordSecretRef": "pull"}

    def the_nightly_export_pulls(self) -> None:
        """With a token for ARM, whatever becomes of it."""
        self._export.sign_in()

    def the_nightly_export_is_moved(self) -> None:
        self._export.audience = ACR_AUDIENCE
        self._export.sign_in()

    def a_lock_is_there(self) -> None:
        self.cloud.world.lock(self.registries["contosomlops"].id)

    def the_lock_is_gone(self) -> None:
        self.cloud.world.locks.remove(self.registries["contosomlops"].id)


class Shop(Stage):
    """Two registries in one subscription, used from another."""

    files: ClassVar[dict[str, str]] = {
        "shop/azure-pipelines.yml": "steps:\n- script: az acr login --name contoso\n",
        "shop/web/Dockerfile": "FROM contoso.azurecr.io/base:1\n",
        "shop/prepare.sh": "az acr config authentication-as-arm update --registry contoso --status enabled\n",
    }

    def __init__(self, cloud: LocalCloud) -> None:
        world, known = cloud.world, cloud.world.consumers
        self.production = world.add_subscription("Contoso Production")
        apps = world.add_subscription("Contoso Apps")
        self.team, nodes = _service_principals(world, "platform-team", "aks-shop-agentpool")
        for subscription in (self.production, apps):
            world.grant(self.team, subscription.scope, "Contributor")
        contoso = world.add_registry("contoso", "rg-apps", self.production)
        fabrikam = world.add_registry("fabrikam", "rg-apps", self.production, policy_status="disabled")
        world.grant(self.team, contoso.id, "AcrPull")
        image = f"{contoso.login_server}/team/app:1"
        cluster = known.add_cluster("aks-shop", [_OLD_NODES], apps)
        known.add_web_app("shop-web", f"DOCKER|{image}", apps, identity="system")
        known.add_container_app("shop-api", image, apps, identity="system")
        known.add_container_app("shop-mail", image, apps, username=contoso.name)
        build = known.add_assigned("id-build", apps)
        known.grant(build.principal_id, contoso.id, "AcrPush")
        known.add_cluster("aks-new", [_NEW_NODES], apps, fabrikam)
        workspace = world.logs.add_workspace("log-platform", subscription=self.production)
        workspace.customer_id = WORKSPACE
        world.logs.send(contoso, workspace)
        world.grant(nodes, contoso.id, "AcrPull")
        [row] = [each for each in world.graph_rows["resources"] if each["id"] == cluster]
        row["properties"]["identityProfile"]["kubeletidentity"]["objectId"] = nodes.object_id
        self._nodes = Client(cloud, nodes, contoso, "20.61.4.9")
        organization = world.devops.add_organization("contoso")
        organization.admit(self.team)
        shop, tools = organization.add_project("Shop"), organization.add_project("Tools")
        shared = organization.add_acr_connection(shop, "contoso-acr", contoso)
        organization.add_connection(tools, "contoso-acr", shared)
        organization.run(shop, organization.add_pipeline(shop, "shop-images", "ci/images.yml"), shared, 26)
        organization.release(tools, "Tools to production", shared, 21)
        organization.add_acr_connection(tools, "fabrikam-acr", fabrikam, "ServicePrincipal")
        organization.add_azure_connection(shop, "contoso-production")

    def the_nodes_pull(self) -> None:
        """With a token for ARM, as their old image does."""
        self._nodes.sign_in()


class Governed(Stage):
    """For Azure Policy: five registries in one subscription, one of them with a customer-managed key."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._world = world = cloud.world
        self.production = world.add_subscription("Contoso Production")
        self.team = world.add_service_principal("platform-team")
        for role in ("Contributor", "Resource Policy Contributor", "Role Based Access Control Administrator"):
            world.grant(self.team, self.production.scope, role)
        apps = world.add_registry("contosoapps", "rg-apps", self.production)
        registry_children.add_token(apps, "builders", passwords={"password1": "2027-01-31T00:00:00+00:00"})
        registry_children.add_token(apps, "factory-sync", passwords={"password1": None})
        registry_children.add_connected_registry(apps, "factory", token="factory-sync")
        world.add_registry("contosonew", "rg-apps", self.production, policy_status="disabled")
        world.add_registry("contosobase", "rg-base", self.production)
        vault = world.add_registry("contosovault", "rg-vault", self.production)
        vault.body["properties"]["encryption"] = {"status": "enabled"}
        world.add_registry("contosoweb", "rg-web", self.production, policy_status=None)

    def azure_policy_evaluates(self) -> None:
        self._world.evaluate_policies()


class SignIns(Stage):
    """For signing in: a registry with regional login servers, a second one, and one behind a firewall."""

    def __init__(self, cloud: LocalCloud) -> None:
        world = cloud.world
        self.production = world.add_subscription("Contoso Production")
        self.team = world.add_service_principal("platform-team")
        world.grant(self.team, self.production.scope, "Reader")
        world.grant(self.team, self.production.scope, "AcrPush")
        world.add_registry("contoso", "rg-apps", self.production, regions=("westeurope", "northeurope"))
        world.add_registry("fabrikam", "rg-apps", self.production, policy_status="disabled")
        world.add_registry("northwind", "rg-apps", self.production).firewall = "203.0.113.7"

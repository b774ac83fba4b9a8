"""AKS by node image and Kubernetes version, and rights by role, scope and mode."""

from typing import Any

import pytest

from azext_acrscope.consumers import knowledge, role_assignments, verdicts

OURS = knowledge.load_knowledge()
UBUNTU, LINUX3, MARINER = "AKSUbuntu-2204gen2containerd-", "AKSAzureLinux-V3gen2-", "AKSCBLMariner-V2gen2-"
WINDOWS = "AKSWindows-2022-containerd-20348.1787."
REGISTRY = "/subscriptions/s1/resourcegroups/rg/providers/microsoft.containerregistry/registries/contoso"
PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
REPOSITORY = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
IMPORTER = "577a9874-89fd-4f24-9dbd-b5034d0ad23a"
GROUPS = "/providers/microsoft.management/managementgroups"


def cluster(*pools: tuple[Any, Any]) -> dict[str, Any]:
    return {
        "pools": [
            {"name": f"p{number}", "nodeImageVersion": image, "currentOrchestratorVersion": version}
            for number, (image, version) in enumerate(pools)
        ]
    }


@pytest.mark.parametrize(
    ("image", "version", "verdict"),
    [
        (f"{UBUNTU}202306.19.0", "1.29.0", "breaks"),
        (f"{UBUNTU}202504.27.0", "1.31.4", "breaks"),
        (f"{UBUNTU}202505.02.0", "1.31.4", "unknown"),
        (f"{UBUNTU}202505.14.0", "1.31.4", "works"),
        (f"{LINUX3}202608.01.0", "1.34.1", "works"),
        (f"{UBUNTU}202608.01.0", "1.28.15", "breaks"),
        (f"{MARINER}202608.01.0", "1.31.4", "unknown"),
        ("AKSUbuntu-1804gen2containerd-202405.20.0", "1.29.2", "breaks"),
        (f"{WINDOWS}230614", "1.30.1", "breaks"),
        (f"{WINDOWS}250801", "1.31.1", "unknown"),
        (f"{WINDOWS}251212", "1.32.4", "breaks"),
        (f"{WINDOWS}251212", "1.33.2", "works"),
        (f"{WINDOWS}260120", "1.31.4", "breaks"),
        (f"{WINDOWS}260210", "1.32.4", "unknown"),
        (f"{WINDOWS}260210", "1.34.3", "works"),
        (f"{WINDOWS}260311", "1.30.15", "works"),
        (None, "1.33.2", "unknown"),
        ("Something-202608.01.0", "1.33.2", "unknown"),
        (f"{UBUNTU}new", "1.33.2", "unknown"),
        (f"{UBUNTU}202505.14.0", None, "unknown"),
        (f"{UBUNTU}202505.14.0", "one", "unknown"),
        (7, "1.33.2", "unknown"),
    ],
)
def test_a_node_pool_is_judged_by_image_and_version(image: Any, version: Any, verdict: str) -> None:
    assert verdicts.judge_node_pools(cluster((image, version)), OURS.aks)[0] == verdict


def test_the_worst_pool_decides_and_is_named() -> None:
    verdict, why = verdicts.judge_node_pools(
        cluster((f"{UBUNTU}202505.14.0", "1.33.2"), (f"{UBUNTU}202306.19.0", "1.33.2")), OURS.aks
    )
    assert verdict == "breaks"
    assert "Pool p1" in why
    assert "Pool p0" not in why


@pytest.mark.parametrize(
    ("pools", "why"),
    [([{"name": None, "nodeImageVersion": None}], "has no node pools"), ("unread", "could not be read")],
)
def test_a_cluster_without_pools_is_told_from_one_whose_pools_are_unread(pools: Any, why: str) -> None:
    assert why in verdicts.judge_node_pools({"pools": pools}, OURS.aks)[1]


@pytest.mark.parametrize("pools", [None, [], "text", [1]])
def test_a_cluster_whose_pools_cannot_be_read_is_unknown(pools: Any) -> None:
    assert verdicts.judge_node_pools({"pools": pools}, OURS.aks)[0] == "unknown"


def holders(scope: str, role: str, mode: str | None = "LegacyRegistryPermissions", **more: Any) -> list[str]:
    row = {"principalId": "P", "scope": scope, "roleId": f"/providers/x/{role.upper()}", **more}
    held = role_assignments.find_rights_holders(
        REGISTRY, mode, ["ours"], role_assignments.index_role_assignments([row]), OURS.roles
    )
    return [role for holder in held.values() for role in holder.roles]


@pytest.mark.parametrize(
    ("scope", "where"),
    [
        (REGISTRY.upper(), "on the registry"),
        (f"{REGISTRY}/", "on the registry"),
        ("/subscriptions/s1/resourceGroups/RG", "on the resource group"),
        ("/subscriptions/s1", "on the subscription"),
        (f"{GROUPS}/Ours", "on management group ours"),
        ("/", "on the tenant"),
        (f"{REGISTRY}2", None),
        ("/subscriptions/s1/resourceGroups/rg2", None),
        ("/subscriptions/s", None),
        (f"{GROUPS}/theirs", None),
    ],
)
def test_a_role_reaches_a_registry_from_it_and_from_above(scope: str, where: str | None) -> None:
    assert holders(scope, PULL) == ([f"AcrPull {where}"] if where else [])


@pytest.mark.parametrize(
    ("role", "mode", "pulls"),
    [
        (READER, "LegacyRegistryPermissions", True),
        (READER, "AbacRepositoryPermissions", False),
        (PULL, "AbacRepositoryPermissions", False),
        (REPOSITORY, "AbacRepositoryPermissions", True),
        (REPOSITORY, "LegacyRegistryPermissions", False),
        (REPOSITORY, None, True),
        (READER, None, True),
        (IMPORTER, "LegacyRegistryPermissions", True),
        (IMPORTER, "AbacRepositoryPermissions", True),
        ("c2f4ef07-c644-48eb-af81-4b1b4947fb11", "LegacyRegistryPermissions", False),
    ],
)
def test_what_a_role_opens_depends_on_the_registrys_mode(role: str, mode: str | None, pulls: bool) -> None:
    assert bool(holders(REGISTRY, role, mode)) == pulls


ROLES = "/providers/Microsoft.Authorization/roleDefinitions/"
CUSTOM = {
    "watcher": ["*/read", "Microsoft.Insights/*"],
    "builder": ["Microsoft.ContainerRegistry/registries/*", "*/read"],
    "importer": ["Microsoft.ContainerRegistry/registries/pull/read"],
}
JUDGED = role_assignments.judge_roles(
    {"id": ROLES + name, "roleName": name, "permissions": [{"actions": actions}]} for name, actions in CUSTOM.items()
)


@pytest.mark.parametrize(
    ("assigned", "by_chance"),
    [
        ([(READER, "/subscriptions/s1")], True),
        ([(READER, "/"), (READER, f"{GROUPS}/ours"), ("watcher", "/subscriptions/s1/resourceGroups/rg")], True),
        ([(READER, REGISTRY)], False),
        ([("watcher", REGISTRY)], False),
        ([(PULL, "/subscriptions/s1")], False),
        ([(READER, "/subscriptions/s1"), (PULL, REGISTRY)], False),
        ([("builder", "/subscriptions/s1")], False),
        ([("importer", "/subscriptions/s1")], False),
    ],
)
def test_who_may_pull_only_by_a_role_for_everything_from_above_is_told_apart(
    assigned: list[tuple[str, str]], by_chance: bool
) -> None:
    rows = [{"principalId": "P", "scope": scope, "roleId": f"/providers/x/{role}"} for role, scope in assigned]
    [held] = role_assignments.find_rights_holders(
        REGISTRY,
        "LegacyRegistryPermissions",
        ["ours"],
        role_assignments.index_role_assignments(rows),
        {**JUDGED, **OURS.roles},
    ).values()
    assert held.by_chance is by_chance
    assert len(held.roles) == len(assigned)


def test_a_role_on_a_repository_and_a_condition_are_said() -> None:
    found = holders(f"{REGISTRY}/repositories/app", REPOSITORY, "AbacRepositoryPermissions", condition="@Resource …")
    assert found == ["Container Registry Repository Reader on repositories/app, under a condition"]


def test_an_odd_assignment_is_counted() -> None:
    assert role_assignments.index_role_assignments([{"principalId": 7, "scope": "/", "roleId": PULL}]).odd == 1


@pytest.mark.parametrize(
    ("permissions", "pull"),
    [
        ({"actions": ["*"]}, ["rbac"]),
        ({"actions": ["Microsoft.ContainerRegistry/registries/pull/read"]}, ["rbac"]),
        ({"actions": ["*/read"], "notActions": ["Microsoft.ContainerRegistry/*"]}, []),
        ({"dataActions": ["Microsoft.ContainerRegistry/registries/repositories/content/read"]}, ["abac"]),
        ({"actions": ["Microsoft.Compute/*"]}, []),
    ],
)
def test_a_custom_role_is_judged_by_its_actions(permissions: dict[str, Any], pull: list[str]) -> None:
    roles = role_assignments.judge_roles([{"id": f"{ROLES}ABC", "roleName": "Ours", "permissions": [permissions]}])
    assert (roles["abc"]["pull"] if roles else []) == pull

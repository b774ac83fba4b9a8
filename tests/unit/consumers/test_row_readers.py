"""Rows of Resource Graph: which registries they name, and how they sign in there."""

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from azext_acrscope.base import hosts
from azext_acrscope.base.foreign_json import UnexpectedShape
from azext_acrscope.consumers import registry_uses, row_readers, site_readers

SUFFIX = ".azurecr.io"
PASSWORD = registry_uses.PullAuth(registry_uses.PASSWORD_OR_NONE)
APP = {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/app", "name": "app"}


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("contoso.azurecr.io/app:1", "contoso.azurecr.io"),
        ("Contoso.AzureCR.io/app@sha256:0", "contoso.azurecr.io"),
        ("contoso.azurecr.io:443/app", "contoso.azurecr.io"),
        ("https://contoso.azurecr.io/app", "contoso.azurecr.io"),
        ("oci://contoso.azurecr.io/manifests", "contoso.azurecr.io"),
        ("contoso-e7gg9xb2.azurecr.io/app", "contoso-e7gg9xb2.azurecr.io"),
        ("contoso.westeurope.geo.azurecr.io/app", "contoso.azurecr.io"),
        ("contoso.westeurope.data.azurecr.io/app", None),
        ("contoso.azurecr.io.evil.example/app", None),
        ("evil.example/contoso.azurecr.io/app", None),
        ("user@contoso.azurecr.io/app", None),
        ("contoso.azurecr.io:8443/app", None),
        ("contoso.azurecr.cn/app", None),
        ("contoso.azurecr.io", None),
        ("contoso/app", None),
        ("", None),
    ],
)
def test_an_image_names_the_registry_of_its_whole_host(reference: str, host: str | None) -> None:
    assert hosts.image_login_server(reference, SUFFIX) == host


@pytest.mark.parametrize(
    ("username", "how"),
    [
        ("contoso", registry_uses.ADMIN_USER),
        ("CONTOSO", registry_uses.ADMIN_USER),
        ("builders", registry_uses.REPOSITORY_TOKEN),
        ("contoso2", registry_uses.REPOSITORY_TOKEN),
        ("11111111-2222-3333-4444-555555555555", registry_uses.SERVICE_PRINCIPAL),
        ("00000000-0000-0000-0000-000000000000", registry_uses.UNKNOWN_AUTH),
        ("", registry_uses.PASSWORD_OR_NONE),
    ],
)
def test_a_user_name_tells_who_it_is(username: str, how: str) -> None:
    assert registry_uses.auth_of_username(username, "contoso.azurecr.io").how == how
    assert registry_uses.auth_of_username(username, "contoso-e7gg9xb2.azurecr.io").how == how


def container_app(image: str, *entries: Any) -> list[registry_uses.RegistryUse]:
    row: dict[str, Any] = {**APP, "type": "microsoft.app/containerapps", "registries": list(entries) or None}
    row["template"] = {"containers": [{"image": image}], "initContainers": None}
    return row_readers.READERS_BY_TYPE["microsoft.app/containerapps"](row, SUFFIX)


def test_an_image_without_an_entry_is_pulled_anonymously() -> None:
    assert [use.sign_in for use in container_app("contoso.azurecr.io/app")] == [registry_uses.ANONYMOUS]


def test_a_registry_that_is_configured_and_not_in_use_is_said() -> None:
    [use] = container_app("mcr.microsoft.com/app", {"server": "contoso.azurecr.io", "username": "contoso"})
    assert "none of its images is in use" in use.detail


def test_an_entry_that_says_nothing_is_unknown() -> None:
    entry = {"server": "contoso.azurecr.io", "username": "", "identity": "", "passwordSecretRef": ""}
    assert [use.sign_in for use in container_app("contoso.azurecr.io/app", entry)] == [registry_uses.UNKNOWN_AUTH]


def test_two_registries_of_one_app_are_two_uses() -> None:
    first, second = container_app(
        "contoso.azurecr.io/app",
        {"server": "contoso.azurecr.io", "identity": "system"},
        {"server": "fabrikam.azurecr.io", "username": "fabrikam"},
    )
    assert (first.registry, second.registry) == ("contoso.azurecr.io", "fabrikam.azurecr.io")


SPELLINGS = [
    {"siteConfig": {"linuxFxVersion": "DOCKER|contoso.azurecr.io/app"}},
    {"siteConfig": {"windowsFxVersion": "docker|contoso.azurecr.io/app"}},
    {"siteConfig": {"LinuxFxVersion": "Docker|contoso.azurecr.io/app"}},
    {"siteProperties": [{"name": "WindowsFxVersion", "value": "DOCKER|contoso.azurecr.io/app"}]},
]


@pytest.mark.parametrize("row", SPELLINGS)
def test_a_sites_image_is_found_in_every_place_and_spelling(row: dict[str, Any]) -> None:
    assert [use.registry for use in site_readers.read_site_uses({**APP, **row}, PASSWORD, SUFFIX)] == [
        "contoso.azurecr.io"
    ]
    config = row.get("siteConfig", {"LinuxFxVersion": "DOCKER|contoso.azurecr.io/app"})
    assert [use.registry for use in site_readers.read_site_uses(APP, PASSWORD, SUFFIX, config)] == [
        "contoso.azurecr.io"
    ]


def test_where_the_places_of_a_site_disagree_none_is_left_out() -> None:
    row = {**APP, "siteConfig": {"linuxFxVersion": "DOCKER|contoso.azurecr.io/a", "acrUseManagedIdentityCreds": False}}
    config = {"LinuxFxVersion": "DOCKER|fabrikam.azurecr.io/a", "AcrUseManagedIdentityCreds": True}
    sign_in = site_readers.site_auth(row, config)
    assert sign_in
    assert sign_in.how == registry_uses.MANAGED_IDENTITY
    found = site_readers.read_site_uses(row, sign_in, SUFFIX, config)
    assert [use.registry for use in found] == ["contoso.azurecr.io", "fabrikam.azurecr.io"]


@pytest.mark.parametrize(
    ("value", "how"),
    [
        (True, registry_uses.MANAGED_IDENTITY),
        ("true", registry_uses.MANAGED_IDENTITY),
        ("False", registry_uses.PASSWORD_OR_NONE),
        (False, registry_uses.PASSWORD_OR_NONE),
        (None, None),
    ],
)
def test_a_sites_sign_in_is_read_or_not_said(value: Any, how: str | None) -> None:
    sign_in = site_readers.site_auth({"siteConfig": {"acrUseManagedIdentityCreds": value}})
    assert (sign_in.how if sign_in else None) == how
    sign_in = site_readers.site_auth({"siteConfig": {}}, {"AcrUseManagedIdentityCreds": value})
    assert (sign_in.how if sign_in else None) == how


def test_a_compose_file_is_read() -> None:
    text = "services:\n  a:\n    image: contoso.azurecr.io/a:1\n  b:\n    image: 'fabrikam.azurecr.io/b'  # two\n"
    images = site_readers.site_images(f"COMPOSE|{base64.b64encode(text.encode()).decode()}")
    assert images == ["contoso.azurecr.io/a:1", "fabrikam.azurecr.io/b"]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "{services: {a: {image: contoso.azurecr.io/a}}}",
        '{"services": {"a": {"image": "contoso.azurecr.io/a"}}}',
        "x-base: &base\n  image: contoso.azurecr.io/a\nservices:\n  a:\n    <<: *base\n",
        "services:\n  a:\n    image:\n      contoso.azurecr.io/a\n",
        "kind: Deployment\n---\nspec:\n  containers:\n  - name: a\n    image: contoso.azurecr.io/a\n",
    ],
)
def test_every_way_to_write_a_compose_file_is_read(text: str) -> None:
    assert set(site_readers.site_images(f"COMPOSE|{encoded(text)}")) == {"contoso.azurecr.io/a"}


def test_a_compose_file_of_aliases_upon_aliases_is_read_in_no_time() -> None:
    lines = ["a0: &a0 {image: contoso.azurecr.io/a}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert site_readers.site_images(f"COMPOSE|{encoded(chr(10).join(lines))}") == ["contoso.azurecr.io/a"]


def test_an_image_whose_registry_is_a_variable_is_not_passed_over() -> None:
    images = site_readers.site_images("COMPOSE|" + encoded("services: {a: {image: '${ACR}/a'}, b: {image: x.io/$b}}"))
    assert site_readers.images_with_variable_registry(images) == ["${ACR}/a"]


@pytest.mark.parametrize("image", ["COMPOSE|%%%", "KUBE|/w==", "COMPOSE|a", f"COMPOSE|{encoded('a: [')}"])
def test_a_compose_file_that_cannot_be_read_is_odd(image: str) -> None:
    with pytest.raises(UnexpectedShape):
        site_readers.site_images(image)


def test_a_registry_that_is_listed_with_two_login_servers_is_signed_in_to_in_both_ways() -> None:
    found = container_app(
        "contoso.azurecr.io/app",
        {"server": "contoso.azurecr.io", "identity": "system"},
        {"server": "contoso.westeurope.geo.azurecr.io", "username": "contoso"},
    )
    assert [use.sign_in for use in found] == [registry_uses.MANAGED_IDENTITY, registry_uses.ADMIN_USER]
    assert {use.registry for use in found} == {"contoso.azurecr.io"}


def test_a_batch_pool_whose_row_does_not_say_how_it_signs_in_is_unknown() -> None:
    entry = {"registryServer": "contoso.azurecr.io", "username": None}
    listed = {"containerImageNames": ["contoso.azurecr.io/a"], "containerRegistries": [entry]}
    row = {**APP, "containerConfiguration": listed}
    assert [use.sign_in for use in row_readers.read_batch_pool(row, SUFFIX)] == [registry_uses.UNKNOWN_AUTH]


def test_the_container_of_a_batch_pools_start_task_is_a_use() -> None:
    registry = {"registryServer": "contoso.azurecr.io", "identityReference": {"resourceId": "/subscriptions/s/id"}}
    start = {"imageName": "contoso.azurecr.io/a", "registry": registry}
    [use] = row_readers.read_batch_pool({**APP, "startContainer": start}, SUFFIX)
    assert (use.registry, use.sign_in) == ("contoso.azurecr.io", registry_uses.MANAGED_IDENTITY)


def test_a_workspace_with_a_registry_and_more_uses_all_of_them() -> None:
    first, second = (
        f"/subscriptions/s/resourceGroups/x/providers/Microsoft.ContainerRegistry/registries/{name}"
        for name in ("one", "two")
    )
    row = {**APP, "type": "x", "mlRegistry": first, "mlRegistries": [first, second]}
    found = row_readers.READERS_BY_TYPE["microsoft.machinelearningservices/workspaces"](row, SUFFIX)
    assert [use.registry for use in found] == [first.lower(), second.lower()]


# --- rows of any shape ---

ROW: dict[str, Any] = {
    "identity": {"principalId": "p", "userAssignedIdentities": {"/id": {"clientId": "c", "principalId": "p2"}}},
    "siteConfig": {"linuxFxVersion": "DOCKER|contoso.azurecr.io/a", "acrUseManagedIdentityCreds": True},
    "siteProperties": [{"name": "LinuxFxVersion", "value": "DOCKER|contoso.azurecr.io/a"}],
    "template": {"containers": [{"image": "contoso.azurecr.io/a"}], "initContainers": [{"image": "x"}]},
    "registries": [{"server": "contoso.azurecr.io", "identity": "/id", "username": "", "passwordSecretRef": ""}],
    "customContainerTemplate": {"registryCredentials": {"server": "contoso.azurecr.io"}, "containers": []},
    "containers": [{"name": "a", "properties": {"image": "contoso.azurecr.io/a"}}],
    "imageRegistryCredentials": [{"server": "contoso.azurecr.io", "identity": "/id"}],
    "kubelet": {"objectId": "p"},
    "pools": [{"name": "p0", "nodeImageVersion": "AKSUbuntu-2204gen2containerd-202508.06.0"}],
    "bootstrapProfile": {"artifactSource": "Cache", "containerRegistryId": "/x"},
    "mlRegistry": "/x",
    "mlRegistries": ["/x"],
    "mlDetails": [{"acrDetails": [{"arm": "/x"}]}],
    "taskCredentials": {"sourceRegistry": {"identity": "c"}, "customRegistries": {"contoso.azurecr.io": {}}},
    "builderRegistries": [{"containerRegistryServer": "contoso.azurecr.io", "identityResourceId": "/id"}],
    "containerConfiguration": {"containerImageNames": ["contoso.azurecr.io/a"], "containerRegistries": [{}]},
    "startContainer": {"imageName": "contoso.azurecr.io/a", "registry": {"registryServer": "contoso.azurecr.io"}},
    "ociRepository": {"url": "oci://contoso.azurecr.io/m", "useWorkloadIdentity": True},
    "managedBy": "",
    "kind": "app",
}
ID = "/subscriptions/s/resourceGroups/g/providers/x/y/contoso/tasks/t"
ODD: tuple[Any, ...] = (None, 7, True, "text", [], [7], [[]], {}, {"a": 7}, {"a": {}}, [{"image": []}])


def distorted(value: Any) -> Iterator[Any]:
    """The value with each of its parts, one at a time, in each of the odd shapes."""
    yield from ODD
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ({**value, key: each} for each in distorted(inner))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], each, *value[place + 1 :]] for each in distorted(inner))


@pytest.mark.parametrize("part", ROW)
def test_no_shape_of_a_row_is_an_error_of_ours(part: str) -> None:
    for shape in distorted(ROW[part]):
        row = {**ROW, "id": ID, "type": "x", part: shape}
        for reader in [*row_readers.READERS_BY_TYPE.values(), row_readers.read_batch_pool, row_readers.read_flux]:
            with contextlib.suppress(UnexpectedShape):
                reader(row, SUFFIX)
        with contextlib.suppress(UnexpectedShape):
            site_readers.read_site_uses(row, site_readers.site_auth(row) or PASSWORD, SUFFIX)


HOSTILE: list[dict[str, Any]] = [
    {"template": "text"},
    {"template": {"containers": {"image": "contoso.azurecr.io/app"}}},
    {"template": {"containers": ["contoso.azurecr.io/app"]}},
    {"template": {"containers": [{"image": 7}]}},
    {"registries": "contoso.azurecr.io"},
    {"registries": [["contoso.azurecr.io"]]},
    {"registries": [{"server": {"host": "contoso.azurecr.io"}}]},
    {"registries": [{"server": "contoso.azurecr.io", "identity": True}]},
]


@pytest.mark.parametrize("more", HOSTILE)
def test_a_row_of_another_shape_is_odd_and_not_empty(more: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape):
        row_readers.READERS_BY_TYPE["microsoft.app/containerapps"](
            {**APP, "type": "microsoft.app/containerapps", **more}, SUFFIX
        )


@pytest.mark.parametrize("kind", row_readers.READERS_BY_TYPE)
def test_a_row_with_nothing_in_it_uses_nothing_but_its_own_registry(kind: str) -> None:
    row = {"id": "/subscriptions/s/resourceGroups/g/providers/x/y/contoso/tasks/t", "name": "t", "type": kind}
    assert len(row_readers.READERS_BY_TYPE[kind](row, SUFFIX)) == (
        1 if kind.startswith("microsoft.containerregistry") else 0
    )


def test_a_tasks_other_registries_are_uses_too() -> None:
    row = {
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso/tasks/t",
        "type": "microsoft.containerregistry/registries/tasks",
        "taskCredentials": {"customRegistries": {"fabrikam.azurecr.io": {"identity": "[system]"}}},
        "identity": {"principalId": "AB"},
    }
    own, other = row_readers.READERS_BY_TYPE["microsoft.containerregistry/registries/tasks"](row, SUFFIX)
    assert own.registry.endswith("/registries/contoso")
    assert (other.registry, other.sign_in) == ("fabrikam.azurecr.io", registry_uses.MANAGED_IDENTITY)
    assert other.principals == frozenset({"ab"})


def test_the_identity_is_found_by_resource_id_and_by_client_id() -> None:
    ids = {"/subscriptions/s/x/ID-Pull": {"clientId": "C1", "principalId": "P1"}}
    row = {"identity": {"principalId": "P0", "userAssignedIdentities": ids}}
    assert registry_uses.principals_of_identity(row, "system") == {"p0"}
    assert registry_uses.principals_of_identity(row, "/subscriptions/s/x/id-pull") == {"p1"}
    assert registry_uses.principals_of_identity(row, "c1") == {"p1"}
    assert registry_uses.principals_of_identity(row, "c2") == set()


# --- Azure IoT Operations ------------------------------------------------------------------------------------------

SYSTEM, USER = "SystemAssignedManagedIdentity", "UserAssignedManagedIdentity"


def registry_endpoint(host: str, authentication: Any) -> list[registry_uses.RegistryUse]:
    row = {
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.IoTOperations/instances/i/registryEndpoints/acr",
        "name": "acr",
        "type": "microsoft.iotoperations/instances/registryendpoints",
        "endpointHost": host,
        "endpointAuthentication": authentication,
    }
    return row_readers.READERS_BY_TYPE[row["type"]](row, SUFFIX)


@pytest.mark.parametrize(
    ("authentication", "how"),
    [
        ({"method": SYSTEM, "systemAssignedManagedIdentitySettings": {"audience": "https://management.azure.com/"}},
         registry_uses.IDENTITY_FOR_ARM),
        ({"method": SYSTEM, "systemAssignedManagedIdentitySettings": {"audience": "https://MANAGEMENT.azure.com"}},
         registry_uses.IDENTITY_FOR_ARM),
        ({"method": USER, "userAssignedManagedIdentitySettings": {"scope": "https://management.azure.com/.default"}},
         registry_uses.IDENTITY_FOR_ARM),
        ({"method": USER, "userAssignedManagedIdentitySettings": {"scope": "https://management.azure.com//.default"}},
         registry_uses.IDENTITY_FOR_ARM),
        ({"method": SYSTEM, "systemAssignedManagedIdentitySettings": {"audience": "https://containerregistry.azure.net"}},
         registry_uses.IDENTITY_FOR_ACR),
        ({"method": USER, "userAssignedManagedIdentitySettings": {
            "scope": "https://containerregistry.azure.net/.default"}}, registry_uses.IDENTITY_FOR_ACR),
        ({"method": SYSTEM, "systemAssignedManagedIdentitySettings": {"audience": "https://containerregistry.azure.net.x"}},
         registry_uses.MANAGED_IDENTITY),
        ({"method": SYSTEM, "systemAssignedManagedIdentitySettings": {}}, registry_uses.MANAGED_IDENTITY),
        ({"method": SYSTEM}, registry_uses.MANAGED_IDENTITY),
        ({"method": "ArtifactPullSecret", "artifactPullSecretSettings": {"secretRef": "pull"}},
         registry_uses.PASSWORD_OR_NONE),
        ({"method": "Anonymous", "anonymousSettings": {}}, registry_uses.ANONYMOUS),
        ({"method": "Certificate"}, registry_uses.UNKNOWN_AUTH),
        (None, registry_uses.UNKNOWN_AUTH),
    ],
)  # fmt: skip
def test_a_registry_endpoint_is_judged_by_the_audience_that_is_set(authentication: Any, how: str) -> None:
    [use] = registry_endpoint("contoso.azurecr.io", authentication)
    assert (use.registry, use.kind, use.sign_in) == ("contoso.azurecr.io", "iot-operations", how)


@pytest.mark.parametrize("host", ["mcr.microsoft.com", "contoso.azurecr.io.evil.example", "", "xcontoso"])
def test_a_registry_endpoint_elsewhere_is_no_consumer(host: str) -> None:
    assert registry_endpoint(host, {"method": SYSTEM}) == []


@pytest.mark.parametrize(
    "authentication", ["text", {"method": 1}, {"method": SYSTEM, "systemAssignedManagedIdentitySettings": "x"}]
)
def test_a_registry_endpoint_of_another_shape_is_not_passed_over(authentication: Any) -> None:
    with pytest.raises(UnexpectedShape):
        registry_endpoint("contoso.azurecr.io", authentication)

"""Rows of Resource Graph: which registries they name, and how they sign in there."""

import base64
from typing import Any

import pytest

from azext_acrscope import hosts
from azext_acrscope.consumers import uses
from azext_acrscope.consumers.uses import Odd

SUFFIX = ".azurecr.io"
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
        ("contoso", uses.ADMIN),
        ("CONTOSO", uses.ADMIN),
        ("builders", uses.TOKEN),
        ("contoso2", uses.TOKEN),
        ("11111111-2222-3333-4444-555555555555", uses.SERVICE_PRINCIPAL),
        ("00000000-0000-0000-0000-000000000000", uses.UNKNOWN),
        ("", uses.PASSWORD),
    ],
)
def test_a_user_name_tells_who_it_is(username: str, how: str) -> None:
    assert uses.by_user(username, "contoso.azurecr.io").how == how
    assert uses.by_user(username, "contoso-e7gg9xb2.azurecr.io").how == how


def container_app(image: str, *entries: Any) -> list[uses.Use]:
    row: dict[str, Any] = {**APP, "type": "microsoft.app/containerapps", "registries": list(entries) or None}
    row["template"] = {"containers": [{"image": image}], "initContainers": None}
    return uses.READERS["microsoft.app/containerapps"](row, SUFFIX)


def test_an_image_without_an_entry_is_pulled_anonymously() -> None:
    assert [use.sign_in for use in container_app("contoso.azurecr.io/app")] == [uses.ANONYMOUS]


def test_a_registry_that_is_configured_and_not_in_use_is_said() -> None:
    [use] = container_app("mcr.microsoft.com/app", {"server": "contoso.azurecr.io", "username": "contoso"})
    assert "no image of it is in use" in use.detail


def test_an_entry_that_says_nothing_is_unknown() -> None:
    entry = {"server": "contoso.azurecr.io", "username": "", "identity": "", "passwordSecretRef": ""}
    assert [use.sign_in for use in container_app("contoso.azurecr.io/app", entry)] == [uses.UNKNOWN]


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
    assert uses.site_images(uses.site_image(row)) == ["contoso.azurecr.io/app"]
    assert uses.site_image({}, row.get("siteConfig", {"LinuxFxVersion": "DOCKER|contoso.azurecr.io/app"}))


@pytest.mark.parametrize(
    ("value", "how"),
    [(True, uses.IDENTITY), ("true", uses.IDENTITY), ("False", uses.PASSWORD), (False, uses.PASSWORD), (None, None)],
)
def test_a_sites_sign_in_is_read_or_not_said(value: Any, how: str | None) -> None:
    sign_in = uses.site_sign_in({"siteConfig": {"acrUseManagedIdentityCreds": value}})
    assert (sign_in.how if sign_in else None) == how
    sign_in = uses.site_sign_in({"siteConfig": {}}, {"AcrUseManagedIdentityCreds": value})
    assert (sign_in.how if sign_in else None) == how


def test_a_compose_file_is_read() -> None:
    text = "services:\n  a:\n    image: contoso.azurecr.io/a:1\n  b:\n    image: 'fabrikam.azurecr.io/b'  # two\n"
    images = uses.site_images(f"COMPOSE|{base64.b64encode(text.encode()).decode()}")
    assert images == ["contoso.azurecr.io/a:1", "fabrikam.azurecr.io/b"]


@pytest.mark.parametrize("image", ["COMPOSE|%%%", "KUBE|/w==", "COMPOSE|a"])
def test_a_compose_file_that_cannot_be_read_is_odd(image: str) -> None:
    with pytest.raises(Odd):
        uses.site_images(image)


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
    with pytest.raises(Odd):
        uses.READERS["microsoft.app/containerapps"]({**APP, "type": "microsoft.app/containerapps", **more}, SUFFIX)


@pytest.mark.parametrize("kind", uses.READERS)
def test_a_row_with_nothing_in_it_uses_nothing_but_its_own_registry(kind: str) -> None:
    row = {"id": "/subscriptions/s/resourceGroups/g/providers/x/y/contoso/tasks/t", "name": "t", "type": kind}
    assert len(uses.READERS[kind](row, SUFFIX)) == (1 if kind.startswith("microsoft.containerregistry") else 0)


def test_a_tasks_other_registries_are_uses_too() -> None:
    row = {
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso/tasks/t",
        "type": "microsoft.containerregistry/registries/tasks",
        "taskCredentials": {"customRegistries": {"fabrikam.azurecr.io": {"identity": "[system]"}}},
        "identity": {"principalId": "AB"},
    }
    own, other = uses.READERS["microsoft.containerregistry/registries/tasks"](row, SUFFIX)
    assert own.registry.endswith("/registries/contoso")
    assert (other.registry, other.sign_in) == ("fabrikam.azurecr.io", uses.IDENTITY)
    assert other.principals == frozenset({"ab"})


def test_the_identity_is_found_by_resource_id_and_by_client_id() -> None:
    ids = {"/subscriptions/s/x/ID-Pull": {"clientId": "C1", "principalId": "P1"}}
    row = {"identity": {"principalId": "P0", "userAssignedIdentities": ids}}
    assert uses.principals(row, "system") == {"p0"}
    assert uses.principals(row, "/subscriptions/s/x/id-pull") == {"p1"}
    assert uses.principals(row, "c1") == {"p1"}
    assert uses.principals(row, "c2") == set()

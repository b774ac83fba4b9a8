"""Terraform in JSON is read as Terraform in its own language."""

import json
from typing import Any

import pytest

from azext_acrscope.consumers.code.formats import READERS
from azext_acrscope.consumers.code.place import Place
from tests.factories.source import places_in

HOST = "contoso.azurecr.io"


def read(content: dict[str, Any], name: str = "cdk.tf.json") -> set[Place]:
    return places_in(name, json.dumps(content, indent=1), READERS)


@pytest.mark.parametrize("name", ["main.tf.json", "main.tofu.json"])
@pytest.mark.parametrize("as_list", [False, True])
def test_resources_have_their_findings(name: str, as_list: bool) -> None:
    registry = {"server": "${local.host}", "identity": "${azurerm_user_assigned_identity.pull.id}"}
    content = {
        "//": {"metadata": {"backend": "local"}},
        "locals": [{"host": HOST}] if as_list else {"host": HOST},
        "resource": {
            "azurerm_container_app": {"shop": {"name": "shop", "registry": [registry] if as_list else registry}},
            "azurerm_container_registry": {
                "keeps": {"name": "contoso", "azuread_authentication_as_arm_policy_enabled": False},
                "enables": {"name": "fabrikam", "azuread_authentication_as_arm_policy_enabled": True},
                "omits": {"name": "northwind"},
            },
        },
    }
    lines = json.dumps(content, indent=1).split("\n")
    line = {
        word: next(at for at, text in enumerate(lines, 1) if word in text)
        for word in ("server", '_enabled": true', "omits")
    }
    assert read(content, name) == {
        Place(line["server"], "container-app-identity", HOST),
        Place(line['_enabled": true'], "terraform-status-enabled", "fabrikam.azurecr.io"),
        Place(line["omits"], "terraform-status-omitted", "northwind.azurecr.io"),
    }


def test_a_variable_decides_as_in_its_own_language() -> None:
    content = {
        "variable": {"keep": {"default": True}},
        "resource": {
            "azurerm_container_registry": {"a": {"azuread_authentication_as_arm_policy_enabled": "${var.keep}"}}
        },
    }
    assert {place.pattern for place in read(content)} == {"terraform-status-variable"}


def test_modules_and_providers_are_read_and_data_is_not() -> None:
    module = {"module": {"acr": {"source": "x", "azuread_authentication_as_arm_policy_enabled": True}}}
    assert {place.pattern for place in read(module)} == {"terraform-status-enabled"}
    provider = {"provider": {"helm": [{"registry": {"url": f"oci://{HOST}", "password": "${var.p}"}}]}}
    assert {(place.pattern, place.registry) for place in read(provider)} == {("terraform-stored-password", HOST)}
    assert read({"data": {"azurerm_container_registry": {"a": {"name": "contoso"}}}}) == set()


def test_other_json_is_no_terraform() -> None:
    assert read({"resource": {"azurerm_container_registry": {"a": {"name": "contoso"}}}}, "plan.json") == set()

"""Dynamic blocks of Terraform: credentials of registries for each element, or once if others say the elements."""

import json
from typing import Any

import pytest

from azext_acrscope.consumers.code.readers import terraform
from tests.factories.work import assert_work_grows_as_size

CONTOSO, FABRIKAM = "contoso.azurecr.io", "fabrikam.azurecr.io"
LISTS = [
    '[{server = "contoso.azurecr.io"}, {server = "fabrikam.azurecr.io"}, {server = "ghcr.io"}]',
    '{a = {server = "contoso.azurecr.io"}, b = {server = "fabrikam.azurecr.io"}}',
    'var.enabled ? [{server = "contoso.azurecr.io"}] : [{server = "fabrikam.azurecr.io"}]',
    "local.listed",
]
_LOCALS = 'locals {\n  listed = [{server = "contoso.azurecr.io"}, {server = "fabrikam.azurecr.io"}]\n}\n'


def _read(text: str, name: str = "main.tf") -> set[tuple[int, str, str | None]]:
    return {(each.line, each.pattern, each.registry) for each in terraform.read_places(text, name)}


def _app(for_each: str, server: str, more: str = "") -> str:
    return (
        'resource "azurerm_container_app" "shop" {\n'
        '  dynamic "registry" {\n'
        f"    for_each = {for_each}\n"
        "    content {\n"
        f"      server   = {server}\n"
        "      identity = azurerm_user_assigned_identity.pull.id\n"
        f"    }}\n{more}  }}\n}}\n"
    )


def _rows(*registries: str | None) -> set[tuple[int, str, str | None]]:
    return {(5, "container-app-identity", registry) for registry in registries}


@pytest.mark.parametrize("for_each", LISTS)
@pytest.mark.parametrize("server", ["registry.value.server", 'registry.value["server"]', '"${registry.value.server}"'])
def test_a_block_is_made_for_each_element_that_the_file_says(for_each: str, server: str) -> None:
    assert _read(_app(for_each, server) + _LOCALS) == _rows(CONTOSO, FABRIKAM)


def test_elements_may_be_texts_and_have_another_name() -> None:
    assert _read(_app('toset(["contoso"])', '"${registry.value}.azurecr.io"')) == _rows(CONTOSO)
    assert _read(_app("{contoso = {}}", '"${registry.key}.azurecr.io"')) == _rows(CONTOSO)
    named = _app(f'["{CONTOSO}"]', "each.value", "    iterator = each\n")
    assert _read(named) == _rows(CONTOSO)
    assert _read(named.replace("each.value", "registry.value")) == _rows(None)


@pytest.mark.parametrize(
    "for_each",
    [
        "var.registries",
        "[for each in var.names : each]",
        "{ for each in var.names : each.name => each }",
        "concat(local.listed, var.more)",
        "var.enabled ? local.listed : var.more",
        "[var.registry]",
        f"[{', '.join(f'{{server = {number}}}' for number in range(30))}]",
    ],
)
def test_a_block_whose_elements_others_say_is_found_once_without_a_name(for_each: str) -> None:
    variable = 'variable "registries" {\n  default = [{server = "contoso.azurecr.io"}]\n}\n'
    assert _read(_app(for_each, "registry.value.server") + _LOCALS + variable) == _rows(None)


def test_a_content_in_plain_letters_needs_no_elements() -> None:
    assert _read(_app("var.enabled ? [1] : []", f'"{CONTOSO}"')) == _rows(CONTOSO)


def test_no_elements_are_no_blocks() -> None:
    assert _read(_app("[]", f'"{CONTOSO}"')) == set()


def test_blocks_in_blocks_and_other_resources() -> None:
    found = _read(
        'resource "azurerm_container_group" "a" {\n'
        '  dynamic "image_registry_credential" {\n'
        '    for_each = [{ host = "contoso.azurecr.io", user = "u" }]\n'
        "    content {\n"
        "      server   = image_registry_credential.value.host\n"
        "      username = image_registry_credential.value.user\n"
        "      password = var.password\n"
        "    }\n"
        "  }\n"
        "}\n"
        'resource "azurerm_batch_pool" "b" {\n'
        '  dynamic "container_configuration" {\n'
        "    for_each = [1]\n"
        "    content {\n"
        '      dynamic "container_registries" {\n'
        "        for_each = var.registries\n"
        "        content {\n"
        "          registry_server           = container_registries.value\n"
        "          user_assigned_identity_id = var.identity\n"
        "        }\n"
        "      }\n"
        "    }\n"
        "  }\n"
        "}\n"
    )
    assert found == {(5, "container-instance-password", CONTOSO), (18, "batch-identity", None)}


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize(
    ("for_each", "registries"),
    [([{"server": CONTOSO}, {"server": FABRIKAM}], {CONTOSO, FABRIKAM}), ("${var.registries}", {None})],
)
def test_json_says_the_same(as_list: bool, for_each: Any, registries: set[str | None]) -> None:
    content = {"server": "${registry.value.server}", "identity": "${azurerm_user_assigned_identity.pull.id}"}
    dynamic: Any = {"for_each": for_each, "content": [content] if as_list else content}
    shop: Any = {"dynamic": {"registry": [dynamic] if as_list else dynamic}}
    text = json.dumps({"resource": {"azurerm_container_app": {"shop": [shop] if as_list else shop}}}, indent=1)
    line = next(number for number, each in enumerate(text.split("\n"), 1) if "registry.value.server" in each)
    assert _read(text, "main.tf.json") == {(line, "container-app-identity", registry) for registry in registries}


def test_the_setting_of_a_registry_is_no_block_so_its_elements_say_nothing() -> None:
    text = (
        'resource "azurerm_container_registry" "acr" {\n'
        '  for_each = toset(["contoso"])\n  name = each.value\n'
        "  azuread_authentication_as_arm_policy_enabled = true\n"
        '  dynamic "georeplications" {\n    for_each = [{ location = "west" }]\n'
        "    content {\n      location = georeplications.value.location\n    }\n  }\n}\n"
    )
    assert _read(text) == {(4, "terraform-status-enabled", None)}


@pytest.mark.parametrize(
    "unit", ['dynamic "registry" {\n for_each = local.a\n content {\n', "dynamic {\n", "dynamic = "]
)
def test_twice_as_many_are_at_most_twice_the_work(unit: str) -> None:
    begin = 'locals {\n a = [{server = 1}, {server = 2}]\n}\nresource "azurerm_container_app" "a" {\n'
    assert_work_grows_as_size(terraform, "a.tf", lambda number: begin + (unit * 20 + "}\n" * 60) * number, 4)


def test_a_long_list_that_is_named_often_is_judged_once() -> None:
    def make(number: int) -> str:
        servers = ", ".join(['{registry_server = "contoso.azurecr.io", user_name = 1}'] * number)
        names = "    container_registries = container_configuration.value.l\n" * number
        return (
            'resource "azurerm_batch_pool" "a" {\n  dynamic "container_configuration" {\n'
            f"    for_each = [{{l = [{servers}]}}]\n    content {{\n{names}    }}\n  }}\n}}\n"
        )

    assert_work_grows_as_size(terraform, "a.tf", make, 60)

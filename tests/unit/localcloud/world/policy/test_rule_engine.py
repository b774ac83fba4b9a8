"""How the local Azure Policy judges a registry and rewrites it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.world.policy import definitions
from tests.localcloud.world.policy.rule_engine import BadRule, met, modified, path_of, resolve

STATUS = "Microsoft.ContainerRegistry/registries/policies.azureADAuthenticationAsArmPolicy.status"


def body(status: str | None = "enabled", **policies: Any) -> dict[str, Any]:
    block = {} if status is None else {"azureADAuthenticationAsArmPolicy": {"status": status}}
    return {
        "type": "Microsoft.ContainerRegistry/registries",
        "name": "contoso",
        "location": "westeurope",
        "tags": {"Team": "red"},
        "sku": {"name": "Premium"},
        "properties": {"policies": {**block, **policies}},
    }


@pytest.mark.parametrize("definition", definitions.BUILT_IN, ids=lambda one: str(one.name)[:8])
@pytest.mark.parametrize(
    ("status", "expected"), [("enabled", True), ("Enabled", True), (None, True), ("disabled", False)]
)
def test_a_registry_that_says_nothing_counts_as_enabled(definition: Any, status: str | None, expected: bool) -> None:
    assert met(definition.condition, body(status), {}) is expected


def test_a_block_without_a_status_counts_as_enabled() -> None:
    content = body(None, azureADAuthenticationAsArmPolicy={})
    assert met(definitions.BUILT_IN[0].condition, content, {})


def test_other_resources_are_not_meant() -> None:
    assert not met(definitions.BUILT_IN[0].condition, {**body(), "type": "Microsoft.Storage/x"}, {})


def test_modify_sets_the_status_and_nothing_else() -> None:
    before = body(None, quarantinePolicy={"status": "disabled"})
    operations = definitions.BUILT_IN[1].details["operations"]
    after = modified(before, operations, {})
    assert before == body(None, quarantinePolicy={"status": "disabled"})
    assert after == body("disabled", quarantinePolicy={"status": "disabled"})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "location", "in": ["WestEurope", "eastus"]}, True),
        ({"field": "location", "notIn": ["westeurope"]}, False),
        ({"field": "name", "like": "con*"}, True),
        ({"field": "name", "notLike": "con*"}, False),
        ({"field": "name", "notEquals": "CONTOSO"}, False),
        ({"field": "tags['team']", "equals": "RED"}, True),
        ({"field": "tags.owner", "exists": "false"}, True),
        ({"field": "Microsoft.ContainerRegistry/registries/sku.name", "equals": "premium"}, True),
        ({"not": {"field": "tags", "exists": True}}, False),
        ({"field": "[parameters('which')]", "equals": "[parameters('wanted')]"}, True),
    ],
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    assert met(condition, body(), {"which": "location", "wanted": "westeurope"}) is expected


def test_the_trail_says_what_was_looked_at() -> None:
    trail: list[dict[str, Any]] = []
    met(definitions.BUILT_IN[0].condition, body("enabled"), {}, trail)
    assert trail[-1] == {
        "result": "True",
        "expressionKind": "Field",
        "expression": STATUS,
        "path": "properties.policies.azureADAuthenticationAsArmPolicy.status",
        "expressionValue": "enabled",
        "targetValue": "enabled",
        "operator": "Equals",
    }
    assert [one["operator"] for one in trail] == ["Equals", "Exists", "Exists", "Equals"]


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(BadRule):
        resolve("[concat('a', 'b')]", {})
    with pytest.raises(BadRule):
        path_of("Microsoft.Storage/storageAccounts/sku")
    with pytest.raises(BadRule):
        definitions.check({"policyRule": {"if": {"value": "x", "equals": "x"}, "then": {"effect": "audit"}}})

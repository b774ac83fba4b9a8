"""Definitions of Azure Policy: the two built-in ones about ARM-audience tokens, custom ones, and initiatives.

The content of the two is published in github.com/Azure/azure-policy (version 1.0.0, the only one there is): a registry
without the value counts as non-compliant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.localcloud.world.policy.rule_engine import ALIAS, BadRule, Body, met, resolve

AUDIT_DENY = "/providers/Microsoft.Authorization/policyDefinitions/42781ec6-6127-4c30-bdfa-fb423a0047d3"
MODIFY = "/providers/Microsoft.Authorization/policyDefinitions/785596ed-054f-41bc-aaec-7f3d0ba05725"
CONTRIBUTOR = "/providers/microsoft.authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
_REGISTRY = "Microsoft.ContainerRegistry/registries"
_BLOCK = f"{ALIAS}policies.azureADAuthenticationAsArmPolicy"
_MODE = "Indexed"


@dataclass(frozen=True)
class _Published:
    """What rules and initiatives have in common. `content` is the `properties` member as Azure shows it."""

    id: str
    content: Body

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[-1]

    @property
    def display_name(self) -> str:
        return str(self.content.get("displayName") or self.name)

    @property
    def version(self) -> str:
        return str(self.content.get("version") or self.content.get("metadata", {}).get("version") or "1.0.0")

    @property
    def parameters(self) -> Body:
        found: Body = self.content.get("parameters") or {}
        return found

    def shown(self) -> Body:
        return {"properties": self.content, "id": self.id, "type": self.kind, "name": self.name}


@dataclass(frozen=True)
class Definition(_Published):
    """One rule."""

    kind = "Microsoft.Authorization/policyDefinitions"

    @property
    def condition(self) -> Body:
        found: Body = self.content["policyRule"]["if"]
        return found

    @property
    def details(self) -> Body:
        found: Body = self.content["policyRule"]["then"].get("details") or {}
        return found

    @property
    def role_ids(self) -> list[str]:
        return list(self.details.get("roleDefinitionIds") or [])

    def effect(self, parameters: Mapping[str, Any]) -> str:
        return str(resolve(self.content["policyRule"]["then"]["effect"], parameters))


@dataclass(frozen=True)
class Member:
    """A definition in an initiative, with the values its parameters get there."""

    definition_id: str
    reference_id: str
    parameters: Body = field(default_factory=dict)
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetDefinition(_Published):
    """An initiative."""

    kind = "Microsoft.Authorization/policySetDefinitions"

    @property
    def members(self) -> list[Member]:
        return [
            Member(
                str(one["policyDefinitionId"]),
                str(one["policyDefinitionReferenceId"]),
                {name: value.get("value") for name, value in (one.get("parameters") or {}).items()},
                tuple(one.get("groupNames") or ()),
            )
            for one in self.content["policyDefinitions"]
        ]


def defaults(parameters: Body) -> Body:
    """The values that parameters have when nobody gives one."""
    return {name: one["defaultValue"] for name, one in parameters.items() if "defaultValue" in one}


def check(content: Body) -> None:
    """Raises BadRule (or KeyError) for a rule that the engine cannot judge."""
    rule = content["policyRule"]
    for leaf in _leaves(rule["if"]):
        met(leaf, {}, defaults(content.get("parameters") or {}))
    if "effect" not in rule["then"]:
        raise BadRule("the rule has no effect")


def _leaves(condition: Body) -> Iterator[Body]:
    inner = [condition[name] for name in condition if name.lower() in ("allof", "anyof", "not")]
    for one in inner:
        for branch in one if isinstance(one, list) else [one]:
            yield from _leaves(branch)
    if not inner:
        yield condition


def _rule(then: Body) -> Body:
    status = f"{_BLOCK}.status"
    missing = [{"field": name, "exists": False} for name in (_BLOCK, status)]
    return {
        "if": {
            "allOf": [
                {"field": "type", "equals": _REGISTRY},
                {"anyOf": [*missing, {"field": status, "equals": "enabled"}]},
            ]
        },
        "then": {"effect": "[parameters('effect')]", **then},
    }


def _built_in(identifier: str, display_name: str, effects: tuple[str, ...], rule: Body) -> Definition:
    effect = {
        "type": "String",
        "metadata": {"displayName": "Effect", "description": "Enable or disable the execution of the policy"},
        "allowedValues": list(effects),
        "defaultValue": effects[0],
    }
    content = {
        "displayName": display_name,
        "policyType": "BuiltIn",
        "mode": _MODE,
        "description": f"{display_name} Only tokens meant for a registry are then taken by it.",
        "metadata": {"version": "1.0.0", "category": "Container Registry"},
        "version": "1.0.0",
        "parameters": {"effect": effect},
        "policyRule": rule,
        "versions": ["1.0.0"],
    }
    return Definition(identifier, content)


BUILT_IN = (
    _built_in(
        AUDIT_DENY,
        "Container registries should have ARM audience token authentication disabled.",
        ("Audit", "Deny", "Disabled"),
        _rule({}),
    ),
    _built_in(
        MODIFY,
        "Configure container registries to disable ARM audience token authentication.",
        ("Modify", "Disabled"),
        _rule(
            {
                "details": {
                    "conflictEffect": "audit",
                    "roleDefinitionIds": [CONTRIBUTOR],
                    "operations": [
                        {"operation": "addOrReplace", "field": f"{_BLOCK}.status", "value": "disabled"},
                    ],
                }
            }
        ),
    ),
)


def custom(identifier: str, effect: str, display_name: str, **then: Any) -> Definition:
    """A definition of somebody's own about every registry, whatever it says."""
    content = {
        "displayName": display_name,
        "policyType": "Custom",
        "mode": _MODE,
        "metadata": {},
        "parameters": {},
        "policyRule": {"if": {"field": "type", "equals": _REGISTRY}, "then": {"effect": effect, **then}},
        "version": "1.0.0",
    }
    return Definition(identifier, content)

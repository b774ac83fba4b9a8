"""Which rules govern: what an assignment comes to, and which registries it reaches."""

from typing import Any, cast

import pytest
from azure.cli.core.azclierror import ResourceNotFoundError

from azext_acrscope.arm import resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.policy import effective_rules, scopes
from azext_acrscope.policy.definitions import AUDIT_OR_DENY_ID, MODIFY_ID
from azext_acrscope.policy.effective_rules import EffectiveRules, PolicyExemption, PolicyRule

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = "/providers/Microsoft.Management/managementGroups/Contoso"
REGISTRY = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso"
SET = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policySetDefinitions/baseline"


def assignment(definition: str = AUDIT_OR_DENY_ID, scope: str = SUBSCRIPTION, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/policyAssignments/keep-off",
        "name": "keep-off",
        "properties": {"policyDefinitionId": definition, **properties},
    }


def member(definition: str, effect: Any = None, reference: str = "one") -> dict[str, Any]:
    parameters = {} if effect is None else {"effect": {"value": effect}}
    return {"policyDefinitionId": definition, "policyDefinitionReferenceId": reference, "parameters": parameters}


def effects(resource: dict[str, Any], initiative: dict[str, Any] | None = None) -> list[str]:
    return [rule.effect for rule in effective_rules.rules_of_assignment(resource, initiative)]


@pytest.mark.parametrize(
    ("definition", "properties", "effect"),
    [
        (AUDIT_OR_DENY_ID, {}, "audit"),
        (MODIFY_ID.upper(), {}, "modify"),
        (AUDIT_OR_DENY_ID, {"parameters": {"Effect": {"value": "Deny"}}}, "deny"),
        (AUDIT_OR_DENY_ID, {"parameters": {"effect": {"value": "Disabled"}}}, "disabled"),
        (AUDIT_OR_DENY_ID, {"parameters": [], "overrides": "odd", "notScopes": 1}, "audit"),
        (AUDIT_OR_DENY_ID, {"overrides": [{"kind": "policyEffect", "value": "Deny"}]}, "deny"),
        (AUDIT_OR_DENY_ID, {"overrides": ["odd"]}, "audit"),
        (
            AUDIT_OR_DENY_ID,
            {"overrides": [{"kind": "policyEffect", "value": "Deny", "selectors": [{"kind": "resourceLocation"}]}]},
            "audit",
        ),
    ],
)
def test_the_effect_is_what_parameters_and_overrides_come_to(
    definition: str, properties: dict[str, Any], effect: str
) -> None:
    assert effects(assignment(definition, **properties)) == [effect]


def test_another_definition_makes_no_rule() -> None:
    assert effects(assignment("/providers/Microsoft.Authorization/policyDefinitions/other")) == []


@pytest.mark.parametrize(
    ("value", "given", "effect"),
    [
        (None, {}, "audit"),
        ("Deny", {}, "deny"),
        ("[parameters('level')]", {}, "disabled"),
        ("[Parameters( 'LEVEL' )]", {"level": {"value": "Deny"}}, "deny"),
        ("[parameters('unknown')]", {}, "audit"),
    ],
)
def test_the_effect_of_a_member_is_resolved(value: Any, given: dict[str, Any], effect: str) -> None:
    initiative = {
        "parameters": {"level": {"defaultValue": "Disabled"}},
        "policyDefinitions": [member(AUDIT_OR_DENY_ID, value), member("/other", "Deny"), "odd"],
    }
    assert effects(assignment(SET, parameters=given), initiative) == [effect]


def test_an_override_reaches_the_member_it_selects() -> None:
    initiative = {"policyDefinitions": [member(AUDIT_OR_DENY_ID), member(MODIFY_ID, reference="Two")]}
    selectors = [{"kind": "policyDefinitionReferenceId", "in": ["TWO"]}]
    overrides = [{"kind": "policyEffect", "value": "Disabled", "selectors": selectors}]
    assert effects(assignment(SET, overrides=overrides), initiative) == ["audit", "disabled"]


@pytest.mark.parametrize("initiative", [{}, {"policyDefinitions": None}, {"policyDefinitions": {"a": 1}}])
def test_an_odd_initiative_holds_nothing(initiative: dict[str, Any]) -> None:
    assert effects(assignment(SET), initiative) == []


@pytest.mark.parametrize(
    ("effect", "enforced", "hinders"),
    [("deny", True, "refused"), ("modify", True, "undone"), ("audit", True, ""), ("deny", False, "")],
)
def test_only_what_is_enforced_hinders(effect: str, enforced: bool, hinders: str) -> None:
    assert rule(effect=effect, enforced=enforced).hinders == hinders


def rule(scope: str = SUBSCRIPTION, **members: Any) -> PolicyRule:
    given = {"effect": "deny", **members}
    return PolicyRule(f"{scope}/x/keep-off", "keep-off", "", scope, AUDIT_OR_DENY_ID, **given)


@pytest.mark.parametrize(
    ("scope", "not_scopes", "reached"),
    [
        (SUBSCRIPTION.upper(), (), True),
        (f"{SUBSCRIPTION}/resourceGroups/RG", (), True),
        (f"{SUBSCRIPTION}/resourceGroups/r", (), False),
        (REGISTRY.lower(), (), True),
        (GROUP, (), True),
        (GROUP.replace("Contoso", "Other"), (), False),
        (SUBSCRIPTION, (f"{SUBSCRIPTION}/resourcegroups/rg",), False),
        (SUBSCRIPTION, (REGISTRY.upper(),), False),
        (SUBSCRIPTION, (GROUP.replace("Contoso", "Inner"),), False),
        (SUBSCRIPTION, (f"{SUBSCRIPTION}/resourceGroups/rg2",), True),
    ],
)
def test_a_rule_reaches_what_is_in_its_scope_and_not_left_out(
    scope: str, not_scopes: tuple[str, ...], reached: bool
) -> None:
    found = EffectiveRules([rule(scope, not_scopes=not_scopes)], above={"contoso"})
    found.ancestors = {SUBSCRIPTION.split("/")[2]: {"inner"}}
    assert bool(found.over(REGISTRY)) is reached


@pytest.mark.parametrize(
    ("scope", "references", "exempt"),
    [
        (REGISTRY.lower(), frozenset(), True),
        (SUBSCRIPTION, frozenset({"one"}), True),
        (SUBSCRIPTION, frozenset({"two"}), False),
        (f"{SUBSCRIPTION}/resourceGroups/other", frozenset(), False),
    ],
)
def test_an_exemption_frees_what_is_in_its_scope(scope: str, references: frozenset[str], exempt: bool) -> None:
    mine = rule(reference="One")
    found = EffectiveRules([mine], [PolicyExemption(scope, mine.assignment.lower(), references)])
    assert found.exempt(mine, REGISTRY) is exempt


@pytest.mark.parametrize(
    ("expires", "counts"),
    [
        (None, True),
        ("2020-01-01T00:00:00.1234567Z", False),
        ("2020-01-01", False),
        ("2999-01-01T00:00:00Z", True),
        ("odd", True),
    ],
)
def test_an_exemption_counts_until_it_expires(expires: Any, counts: bool) -> None:
    resource = {
        "id": f"{REGISTRY}/providers/microsoft.authorization/policyexemptions/waiver",
        "properties": {"policyAssignmentId": "/A", "expiresOn": expires, "policyDefinitionReferenceIds": None},
    }
    found = effective_rules.parse_exemption(resource)
    assert found == (PolicyExemption(REGISTRY, "/a") if counts else None)


def test_a_display_name_cannot_give_a_terminal_orders() -> None:
    [rule] = effective_rules.rules_of_assignment(assignment(displayName="Odd\u202e\x1b[2J\nname"), None)
    assert rule.display_name.isprintable()


def look_above(monkeypatch: pytest.MonkeyPatch, answer: Any) -> EffectiveRules:
    """What is known after a look at the groups above a subscription, of which one has something assigned."""

    def query(*_: object, **__: object) -> resource_graph.GraphRows:
        if isinstance(answer, Exception):
            raise answer
        return resource_graph.GraphRows([{"id": SUBSCRIPTION, "ancestors": answer}], [])

    monkeypatch.setattr(resource_graph, "query_graph", query)
    found = EffectiveRules([rule(GROUP)])
    scope = scopes.choose_scope(cast(ArmClient, None), "Contoso", None)
    effective_rules._add_ancestors(cast(ArmClient, None), scope, found)
    return found


@pytest.mark.parametrize(
    ("chain", "reaches"),
    [
        ([{"name": "Inner"}, {"name": "Contoso"}], True),
        ([{"name": "Inner"}], False),
        ([{"name": "Inner"}, {"name": "Con\ufffdtoso"}], None),
        ([{"name": 5}], None),
        ([], None),
        ("Contoso", None),
        (None, None),
    ],
)
def test_groups_above_that_cannot_all_be_read_are_said(
    monkeypatch: pytest.MonkeyPatch, chain: Any, reaches: bool | None
) -> None:
    found = look_above(monkeypatch, chain)
    assert bool(found.incomplete) is (reaches is None)
    if reaches is not None:
        assert bool(found.over(REGISTRY)) is reaches


def test_a_group_that_resource_graph_does_not_know_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ArmError(400, "BadRequest", "no", "c", reasons=("ManagementGroupsContainInvalidIds",))
    with pytest.raises(ResourceNotFoundError, match="Contoso"):
        look_above(monkeypatch, refused)

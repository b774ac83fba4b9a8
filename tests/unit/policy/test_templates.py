"""`--print bicep|terraform`: what parsers of the two languages find in it."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import RequiredArgumentMissingError

from azext_acrscope.policy import templates
from azext_acrscope.policy.definitions import AUDIT_OR_DENY_ID, CONTRIBUTOR_ROLE, MODIFY_ID, TEMPLATE_LANGUAGES
from azext_acrscope.policy.planning import AssignmentRequest
from azext_acrscope.policy.scopes import PolicyScope
from tests.az import ROOT
from tests.factories.policy import AT_GROUP, AT_MANAGEMENT_GROUP, AT_SUBSCRIPTION, IDENTITY, SUBSCRIPTION

SCOPES = [AT_SUBSCRIPTION, AT_GROUP, AT_MANAGEMENT_GROUP]
MODIFYING = AssignmentRequest("modify", location="westeurope")
AWKWARD = """it's "a\\b" ${x} %{y}, ''' <<EOT
next"""


def parse(language: str, *texts: str) -> list[Any]:
    """What the parsers of .venvs/templates read; they refuse what is not of the language."""
    done = subprocess.run(
        [str(ROOT / ".venvs/templates/bin/python"), str(Path(__file__).parent / "parse_templates.py")],
        input=json.dumps([[language, text] for text in texts]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def everything() -> list[tuple[PolicyScope, AssignmentRequest]]:
    """Each scope with each effect, plain and with all that can be said."""
    rest = {"message": AWKWARD, "display_name": AWKWARD, "enforcement": "do-not-enforce"}
    inside = [f"{AT_GROUP.path}/providers/Microsoft.ContainerRegistry/registries/legacy"]
    some = [AssignmentRequest(), AssignmentRequest("deny", not_scopes=inside, **rest), MODIFYING]
    some += [
        AssignmentRequest("modify", "1 odd-name", location="westeurope", identity=IDENTITY, not_scopes=inside, **rest)
    ]
    return [*itertools.product(SCOPES, some), (AT_GROUP, AssignmentRequest("modify"))]


@pytest.mark.parametrize("language", TEMPLATE_LANGUAGES)
def test_every_template_is_of_its_language(language: str) -> None:
    cases = everything()
    assert len(parse(language, *(templates.write_template(language, *case) for case in cases))) == len(cases)


def test_the_parsers_refuse_what_is_not_of_the_language() -> None:
    for language in TEMPLATE_LANGUAGES:
        with pytest.raises(AssertionError):
            parse(language, templates.write_template(language, AT_SUBSCRIPTION, AssignmentRequest())[:-2])


@pytest.mark.parametrize(
    ("scope", "kind"), list(zip(SCOPES, ["subscription", "resource_group", "management_group"], strict=True))
)
def test_terraform_assigns_the_definition_at_the_scope(scope: PolicyScope, kind: str) -> None:
    (document,) = parse(
        "terraform",
        templates.write_template("terraform", scope, AssignmentRequest("deny", enforcement="do-not-enforce")),
    )
    (resource,) = document["resource"]
    (assignment,) = resource[f'"azurerm_{kind}_policy_assignment"'].values()
    assert assignment[f"{kind}_id"] == f'"{scope.path}"'
    assert assignment["policy_definition_id"] == f'"{AUDIT_OR_DENY_ID}"'
    assert assignment["enforce"] is False
    assert '"Deny"' in assignment["parameters"]


def test_terraform_gives_the_identity_its_role() -> None:
    (document,) = parse("terraform", templates.write_template("terraform", AT_SUBSCRIPTION, MODIFYING))
    assignment, role = document["resource"]
    (made,) = assignment['"azurerm_subscription_policy_assignment"'].values()
    assert made["policy_definition_id"] == f'"{MODIFY_ID}"'
    assert made["location"] == '"westeurope"'
    (given,) = role['"azurerm_role_assignment"'].values()
    assert given["scope"] == f'"{SUBSCRIPTION}"'
    assert given["role_definition_name"] == '"Contributor"'
    assert "azurerm_subscription_policy_assignment.acrscope_modify.identity[0].principal_id" in given["principal_id"]


ELSEWHERE = IDENTITY.replace(SUBSCRIPTION, "/subscriptions/99999999-2222-3333-4444-555555555555")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("identity", [IDENTITY, ELSEWHERE])
def test_terraform_looks_for_the_identity_in_its_own_subscription(scope: PolicyScope, identity: str) -> None:
    wanted = AssignmentRequest("modify", location="westeurope", identity=identity)
    (document,) = parse("terraform", templates.write_template("terraform", scope, wanted))
    providers = {each.get("alias", "default"): each for (each,) in (one.values() for one in document["provider"])}
    (data,) = document["data"]
    (found,) = data['"azurerm_user_assigned_identity"'].values()
    used = providers['"identity"' if "provider" in found else "default"]
    assert used["subscription_id"].strip('"') == identity.split("/")[2]
    assert all("features" in each for each in providers.values())
    assert found["name"] == f'"{identity.rpartition("/")[2]}"'


def test_terraform_reads_a_group_in_the_subscription_of_the_scope_and_says_how_to_apply_it() -> None:
    text = templates.write_template("terraform", AT_GROUP, AssignmentRequest("modify"))
    (document,) = parse("terraform", text)
    (provider,) = document["provider"]
    assert provider['"azurerm"']["subscription_id"] == f'"{SUBSCRIPTION.rpartition("/")[2]}"'
    assert "terraform apply" in text.splitlines()[0]


def test_bicep_looks_for_the_identity_in_its_own_subscription() -> None:
    wanted = AssignmentRequest("modify", location="westeurope", identity=ELSEWHERE)
    for scope in SCOPES:
        text = templates.write_template("bicep", scope, wanted)
        assert f"scope: resourceGroup('{ELSEWHERE.split('/')[2]}', '{ELSEWHERE.split('/')[4]}')" in text
        assert f"'{ELSEWHERE}': {{}}" in text


@pytest.mark.parametrize(
    ("scope", "kind"), list(zip(SCOPES, ["subscription", "resourceGroup", "managementGroup"], strict=True))
)
def test_bicep_assigns_the_definition_at_the_scope(scope: PolicyScope, kind: str) -> None:
    (document,) = parse("bicep", templates.write_template("bicep", scope, MODIFYING))
    assert document["globals"]["scope"]["value"] == kind
    assignment, role = document["resources"].values()
    properties = assignment["config"]["properties"]
    assert properties["policyDefinitionId"] == MODIFY_ID
    assert properties["parameters"] == {"effect": {"value": "Modify"}}
    assert assignment["config"]["identity"] == {"type": "SystemAssigned"}
    assert role["config"]["properties"]["principalType"] == "ServicePrincipal"
    assert CONTRIBUTOR_ROLE in str(role["config"]["properties"]["roleDefinitionId"])


@pytest.mark.parametrize("language", TEMPLATE_LANGUAGES)
def test_a_template_for_modify_needs_a_location_where_the_scope_has_none(language: str) -> None:
    with pytest.raises(RequiredArgumentMissingError, match="needs a location"):
        templates.write_template(language, AT_SUBSCRIPTION, AssignmentRequest("modify"))

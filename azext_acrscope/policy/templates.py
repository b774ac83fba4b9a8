"""The same assignment as a template for those who keep their estate in code: Bicep, or Terraform with azurerm.

Nothing is read from Azure: a template tells what is wanted and not how it is now.
"""

import json
import re

from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.policy import errors
from azext_acrscope.policy.definitions import BICEP, CONTRIBUTOR_ROLE, EFFECTS, ENFORCEMENT_MODES, MODIFY_ID
from azext_acrscope.policy.planning import AssignmentRequest
from azext_acrscope.policy.scopes import PolicyScope


def write_template(language: str, scope: PolicyScope, wanted: AssignmentRequest) -> str:
    """Return a template that is complete in itself.

    :raises RequiredArgumentMissingError: `modify` needs a location that only --location can tell.
    """
    definition, _ = EFFECTS[wanted.effect or "audit"]
    if definition == MODIFY_ID and not (wanted.new_location or scope.resource_group):
        raise errors.location_needed(scope.text)
    return (_bicep_template if language == BICEP else _terraform_template)(scope, wanted, definition)


def _effect_value(wanted: AssignmentRequest) -> str:
    return EFFECTS[wanted.effect or "audit"][1]


# --- Bicep ---------------------------------------------------------------------------------------------------------


def _bicep_template(scope: PolicyScope, wanted: AssignmentRequest, definition: str) -> str:
    kind = "managementGroup" if scope.management_group else "resourceGroup" if scope.resource_group else "subscription"
    modifies = definition == MODIFY_ID
    lines = [f"// {_deploy_command(scope, kind)}", f"targetScope = '{kind}'", ""]
    if modifies and wanted.identity:
        lines += _bicep_existing_identity(wanted.identity)
    lines += [
        "resource assignment 'Microsoft.Authorization/policyAssignments@2023-04-01' = {",
        f"  name: {_bicep_string(wanted.assignment_name)}",
    ]
    if modifies:
        lines.append(
            f"  location: {_bicep_string(wanted.new_location) if wanted.new_location else 'resourceGroup().location'}"
        )
        lines += _bicep_identity_member(wanted)
    lines += [
        "  properties: {",
        f"    displayName: {_bicep_string(_display_name(wanted))}",
        f"    policyDefinitionId: {_bicep_string(definition)}",
        "    parameters: {",
        "      effect: {",
        f"        value: {_bicep_string(_effect_value(wanted))}",
        "      }",
        "    }",
        f"    enforcementMode: {_bicep_string(ENFORCEMENT_MODES[wanted.enforcement or 'default'])}",
    ]
    if wanted.not_scopes:
        lines += ["    notScopes: [", *(f"      {_bicep_string(each)}" for each in wanted.not_scopes), "    ]"]
    if wanted.message:
        lines += [
            "    nonComplianceMessages: [",
            "      {",
            f"        message: {_bicep_string(wanted.message)}",
            "      }",
            "    ]",
        ]
    lines += ["  }", "}"]
    return "\n".join(lines + (_bicep_role_assignment(scope, wanted) if modifies else []))


def _deploy_command(scope: PolicyScope, kind: str) -> str:
    subscription = parse_resource_id(scope.path).subscription
    at = {
        "managementGroup": f"mg create --management-group-id {scope.management_group} --location LOCATION",
        "subscription": f"sub create --subscription {subscription} --location LOCATION",
        "resourceGroup": f"group create --subscription {subscription} --resource-group {scope.resource_group}",
    }
    return f"az deployment {at[kind]} --template-file FILE"


def _bicep_existing_identity(identity: str) -> list[str]:
    parts = parse_resource_id(identity)
    return [
        "resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {",
        f"  name: {_bicep_string(parts.name)}",
        f"  scope: resourceGroup({_bicep_string(parts.subscription)}, {_bicep_string(parts.resource_group)})",
        "}",
        "",
    ]


def _bicep_identity_member(wanted: AssignmentRequest) -> list[str]:
    if not wanted.identity:
        return ["  identity: {", "    type: 'SystemAssigned'", "  }"]
    return [
        "  identity: {",
        "    type: 'UserAssigned'",
        "    userAssignedIdentities: {",
        f"      {_bicep_string(wanted.identity)}: {{}}",
        "    }",
        "  }",
    ]


def _bicep_role_assignment(scope: PolicyScope, wanted: AssignmentRequest) -> list[str]:
    owner = "tenantResourceId" if scope.management_group else "subscriptionResourceId"
    principal = "identity.properties.principalId" if wanted.identity else "assignment.identity.principalId"
    return [
        "",
        "// Contributor, as the definition requires",
        "resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
        f"  name: guid(assignment.id, {_bicep_string(CONTRIBUTOR_ROLE)})",
        "  properties: {",
        f"    roleDefinitionId: {owner}('Microsoft.Authorization/roleDefinitions', {_bicep_string(CONTRIBUTOR_ROLE)})",
        f"    principalId: {principal}",
        "    principalType: 'ServicePrincipal'",
        "  }",
        "}",
    ]


def _bicep_string(text: str | None) -> str:
    """A Bicep string."""
    escaped = str(text).replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"


# --- Terraform -----------------------------------------------------------------------------------------------------


def _terraform_template(scope: PolicyScope, wanted: AssignmentRequest, definition: str) -> str:
    kind = (
        "management_group" if scope.management_group else "resource_group" if scope.resource_group else "subscription"
    )
    resource = f"azurerm_{kind}_policy_assignment"
    label = re.sub(r"\W", "_", wanted.assignment_name, flags=re.ASCII)
    label = label if re.match(r"[A-Za-z_]", label) else f"_{label}"
    modifies = definition == MODIFY_ID
    group = modifies and not wanted.new_location
    members = {
        "name": _hcl_string(wanted.assignment_name),
        f"{kind}_id": _hcl_string(scope.path),
        "policy_definition_id": _hcl_string(definition),
        "display_name": _hcl_string(_display_name(wanted)),
        "enforce": "false" if wanted.enforcement == "do-not-enforce" else "true",
        "parameters": f"jsonencode({{ effect = {{ value = {_hcl_string(_effect_value(wanted))} }} }})",
    }
    if wanted.not_scopes:
        members["not_scopes"] = f"[{', '.join(map(_hcl_string, wanted.not_scopes))}]"
    if modifies:
        members["location"] = (
            f"data.azurerm_resource_group.{label}.location" if group else _hcl_string(wanted.new_location)
        )
    lines = _terraform_providers(scope, wanted.identity if modifies else None)
    lines += _terraform_group_data(label, str(scope.resource_group)) if group else []
    if modifies and wanted.identity:
        lines += _terraform_identity_data(label, wanted.identity, _is_elsewhere(scope, wanted.identity))
    lines += [f'resource "{resource}" "{label}" {{', *_aligned_members(members)]
    if modifies:
        own = {"type": _hcl_string("UserAssigned"), "identity_ids": f"[{_hcl_string(wanted.identity)}]"}
        lines += _terraform_block("identity", own if wanted.identity else {"type": _hcl_string("SystemAssigned")})
    if wanted.message:
        lines += _terraform_block("non_compliance_message", {"content": _hcl_string(wanted.message)})
    lines.append("}")
    return "\n".join(lines + (_terraform_role_assignment(scope, wanted, resource, label) if modifies else []))


def _terraform_providers(scope: PolicyScope, identity: str | None) -> list[str]:
    """Return the line to apply the template with, and the provider: a data source reads in its subscription."""
    subscription = parse_resource_id(scope.path).subscription
    needs = "" if subscription else "export ARM_SUBSCRIPTION_ID=SUBSCRIPTION && "  # azurerm 4 wants one, whichever
    lines = [f"# {needs}terraform init && terraform apply"]
    lines += _terraform_provider({"subscription_id": _hcl_string(subscription)} if subscription else {})
    if identity and _is_elsewhere(scope, identity):
        other = {
            "alias": _hcl_string("identity"),
            "subscription_id": _hcl_string(parse_resource_id(identity).subscription),
        }
        lines += _terraform_provider(other)
    return lines


def _terraform_provider(members: dict[str, str]) -> list[str]:
    settings = [*_aligned_members(members), ""] if members else []
    return ['provider "azurerm" {', *settings, "  features {}", "}", ""]


def _is_elsewhere(scope: PolicyScope, identity: str) -> bool:
    """Whether an identity is in another subscription than the scope, so that it must be looked for there."""
    return parse_resource_id(identity).subscription.lower() != parse_resource_id(scope.path).subscription.lower()


def _terraform_group_data(label: str, group: str) -> list[str]:
    return [f'data "azurerm_resource_group" "{label}" {{', *_aligned_members({"name": _hcl_string(group)}), "}", ""]


def _terraform_identity_data(label: str, identity: str, elsewhere: bool) -> list[str]:
    parts = parse_resource_id(identity)
    members = {"provider": "azurerm.identity"} if elsewhere else {}
    members |= {"name": _hcl_string(parts.name), "resource_group_name": _hcl_string(parts.resource_group)}
    return [f'data "azurerm_user_assigned_identity" "{label}" {{', *_aligned_members(members), "}", ""]


def _terraform_role_assignment(scope: PolicyScope, wanted: AssignmentRequest, resource: str, label: str) -> list[str]:
    own, given = (
        f"{resource}.{label}.identity[0].principal_id",
        f"data.azurerm_user_assigned_identity.{label}.principal_id",
    )
    members = {
        "scope": _hcl_string(scope.path),
        "role_definition_name": _hcl_string("Contributor"),
        "principal_id": given if wanted.identity else own,
        "principal_type": _hcl_string("ServicePrincipal"),
    }
    return [
        "",
        "# Contributor, as the definition requires",
        f'resource "azurerm_role_assignment" "{label}" {{',
        *_aligned_members(members),
        "}",
    ]


def _aligned_members(members: dict[str, str], indent: str = "  ") -> list[str]:
    """Arguments as `terraform fmt` lays them out."""
    widest = max(map(len, members))
    return [f"{indent}{name:<{widest}} = {value}" for name, value in members.items()]


def _terraform_block(name: str, members: dict[str, str]) -> list[str]:
    return ["", f"  {name} {{", *_aligned_members(members, "    "), "  }"]


def _hcl_string(text: str | None) -> str:
    """An HCL string: JSON's escapes, and no interpolation."""
    return json.dumps(str(text), ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _display_name(wanted: AssignmentRequest) -> str:
    return wanted.display_name or wanted.default_display_name

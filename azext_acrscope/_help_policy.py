"""Help texts of the commands about Azure Policy. Every `az acr` command imports this file through `_help`."""

from knack.help_files import helps

helps["acr scope policy"] = """
type: group
short-summary: Keep a fleet enforced with Azure Policy.
long-summary: >
    Azure has two built-in definitions for registries that accept ARM-audience tokens: one audits or denies them, the
    other modifies them. Both count a registry as non-compliant if its status is `enabled` or missing.
"""

helps["acr scope policy assign"] = """
type: command
short-summary: Assign Azure's built-in policy that audits, denies or modifies registries.
long-summary: >
    Assigns at a management group, the subscription (the default) or a resource group. It first shows how many
    registries there are non-compliant today; `deny` and `modify` ask before they write. Repeating the command changes
    nothing, and completes what was interrupted; options that you leave out leave an existing assignment as it is. For
    `modify`, the assignment's managed identity gets the role Contributor at the scope. `modify` changes existing
    registries only by a remediation, which fails for registries with customer-managed keys: `az acr scope enforce`
    fixes those.
examples:
  - name: See what would be assigned at the subscription, and how many registries are non-compliant.
    text: az acr scope policy assign --dry-run
  - name: Audit everything below a management group.
    text: az acr scope policy assign --management-group contoso
  - name: Refuse non-compliant registries in a resource group, except one.
    text: >
        az acr scope policy assign --resource-group rg-apps --effect deny --yes --not-scopes
        /subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-apps/providers/Microsoft.ContainerRegistry/registries/legacy
  - name: Let Azure set the status in the subscription, without enforcing it yet.
    text: az acr scope policy assign --effect modify --location westeurope --enforcement-mode do-not-enforce
  - name: Print the same for Terraform.
    text: az acr scope policy assign --management-group contoso --effect modify --location westeurope --print terraform
"""  # noqa: E501  (a resource ID is long)

helps["acr scope policy unassign"] = """
type: command
short-summary: Remove a policy assignment that `az acr scope policy assign` made.
long-summary: >
    Asks first, and also removes the role assignment of its identity. It leaves assignments that anybody else made
    alone. Registries keep the status they have.
examples:
  - name: See what would be removed at the subscription.
    text: az acr scope policy unassign --dry-run
  - name: Remove what was assigned at a resource group.
    text: az acr scope policy unassign --resource-group rg-apps
  - name: Remove one of several at a management group, without being asked.
    text: az acr scope policy unassign --management-group contoso --assignment-name acrscope-modify --yes
"""

helps["acr scope policy show"] = """
type: command
short-summary: Show which assignments govern registries, and what Azure Policy has seen beside their status now.
long-summary: >
    For a registry, a resource group, the subscription (the default) or a management group. `assignments` are those of
    the two built-in definitions, including inherited ones and those inside initiatives, with `effect` and
    `enforcementMode`. `registries` has the `status` of each, its `compliance` (NonCompliant, NotEvaluated, Compliant,
    Exempt or NotGoverned), and a `disagreement` where the two do not match: Azure Policy's states are those of its
    last evaluation. For a management group the statuses come from Resource Graph unless `--live` is given.
examples:
  - name: Show what governs the current subscription, and the state of its registries.
    text: az acr scope policy show --output table
  - name: Show what governs one registry.
    text: az acr scope policy show --name contoso
  - name: Have a resource group evaluated first.
    text: az acr scope policy show --resource-group rg-apps --refresh
  - name: List the registries below a management group that disagree with what Azure Policy has seen.
    text: az acr scope policy show --management-group contoso --query "registries[?disagreement].name" --output tsv
"""

helps["acr scope policy remediate"] = """
type: command
short-summary: Let Azure Policy set the registries that an assignment with the effect modify governs.
long-summary: >
    Creates the remediation, follows it to its end, and reads the registries back. The result is a row for each
    registry that the assignment governs, with `result` (`remediated`, `enforced`, `unchanged`, `skipped`, `failed` or
    `notReached`) and `reason`. Azure Policy cannot change registries with customer-managed keys: the command names
    them, and `--enforce-rest` sets them, and all others that are left, directly. It follows the remediation for an hour
    at most, or as `az config set acrscope.policy_timeout=SECONDS` says; neither that nor interrupting the command stops
    the remediation. It does not look for consumers that break: `az acr scope consumers` does that. It ends with an
    error unless every registry is enforced or exempt.
examples:
  - name: Remediate the current subscription.
    text: az acr scope policy remediate
  - name: Remediate a management group with one of its assignments, without being asked.
    text: az acr scope policy remediate --management-group contoso --assignment acrscope-modify --yes
  - name: Remediate a resource group, and set directly what Azure Policy cannot.
    text: az acr scope policy remediate --resource-group rg-apps --enforce-rest --yes
"""

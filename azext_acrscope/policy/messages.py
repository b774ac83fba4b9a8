"""The texts of `assign` and `unassign`: the numbers and warnings before a change, and the questions."""

from collections.abc import Sequence
from typing import Any

from azext_acrscope.base import errors as base_errors
from azext_acrscope.policy.assignments import Assignment, assigned_effect
from azext_acrscope.policy.noncompliance import NonComplianceCount
from azext_acrscope.policy.planning import AssignmentPlan
from azext_acrscope.policy.scopes import PolicyScope


def assignment_preview(plan: AssignmentPlan, count: NonComplianceCount) -> list[str]:
    """Return lines on how many registries are non-compliant today, and on what changes."""
    return [_describe_count(plan.scope, count), *(f"  {change}" for change in plan.changes)]


def assignment_warnings(plan: AssignmentPlan, count: NonComplianceCount) -> list[str]:
    """Return warnings: why the count may be short, what the effect does to registries, whose assignment it is."""
    lines = list(count.remarks)
    effect = plan.effect.lower()
    enforced = plan.body["properties"].get("enforcementMode", "Default").lower() == "default"
    if plan.changes and enforced and effect == "deny" and count.non_compliant != 0:
        lines.append(
            "With `deny`, Azure also refuses every other update of these registries (tags, SKU, network rules …) "
            "until their "
            "status is `disabled`. `az acr scope enforce` sets it. Pulling and pushing images still works."
        )
    if plan.changes and effect == "modify" and count.non_compliant != 0:
        lines.append(
            "With `modify`, Azure sets the status when a registry is created or updated; existing ones need a "
            "remediation. It fails for registries with customer-managed keys: use `az acr scope enforce` for those."
        )
    if plan.foreign and plan.changes:
        lines.append(f"The assignment {plan.name} was not created by `az acr scope policy assign`.")
    return lines


def _describe_count(scope: PolicyScope, count: NonComplianceCount) -> str:
    if count.non_compliant is None or count.total is None:
        return f"In {scope.text}: it is not known how many registries are non-compliant today."
    verb = "is" if count.non_compliant == 1 else "are"
    return (
        f"In {scope.text}: {count.non_compliant} of {base_errors.registries(count.total)} {verb} non-compliant today."
    )


def needs_confirmation(plan: AssignmentPlan) -> bool:
    """Return whether a change needs confirmation: its effect is not audit, or somebody else made the assignment."""
    return plan.effect.lower() != "audit" or plan.foreign


def assignment_question(plan: AssignmentPlan) -> str:
    """Return the question before an assignment is created or changed."""
    verb = "Change" if plan.before else "Assign"
    return f"{verb} the policy assignment {plan.name} ({plan.effect}) at {plan.scope.text}?"


def removal_question(scope: PolicyScope, assignment: Assignment, roles: Sequence[str]) -> str:
    """Return the question before an assignment is removed.

    :param roles: of its identity, which are removed with it.
    """
    role = " and the role Contributor of its identity there" if roles else ""
    return f"Remove the policy assignment {assignment['name']} ({assigned_effect(assignment)}) at {scope.text}{role}?"


def nothing_to_remove(scope: PolicyScope, name: str | None) -> str:
    """Return the sentence on a scope without a matching assignment."""
    named: Any = f"policy assignment '{name}'" if name else "policy assignment created by `az acr scope policy assign`"
    return f"There is no {named} at {scope.text}: nothing to remove."

"""What `assign` and `unassign` say to people: the numbers and warnings before a change, and the questions."""

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
            "With `deny`, Azure refuses every update of such registries, too (tags, SKU, network rules …), until their "
            "status is `disabled`: `az acr scope enforce` sets it. Pulling and pushing images is not concerned."
        )
    if plan.changes and effect == "modify" and count.non_compliant != 0:
        lines.append(
            "With `modify`, Azure sets the status when a registry is created or updated; existing ones wait for a "
            "remediation, which fails with customer-managed keys: `az acr scope enforce` sets it there."
        )
    if plan.foreign and plan.changes:
        lines.append(f"The assignment {plan.name} was not made by `az acr scope policy assign`.")
    return lines


def _describe_count(scope: PolicyScope, count: NonComplianceCount) -> str:
    if count.non_compliant is None or count.total is None:
        return f"In {scope.text}: how many registries are non-compliant today is not known."
    verb = "is" if count.non_compliant == 1 else "are"
    return (
        f"In {scope.text}: {count.non_compliant} of {base_errors.registries(count.total)} {verb} non-compliant today."
    )


def needs_confirmation(plan: AssignmentPlan) -> bool:
    """Whether somebody has to agree: to what refuses or changes registries, and to changing what others made."""
    return plan.effect.lower() != "audit" or plan.foreign


def assignment_question(plan: AssignmentPlan) -> str:
    verb = "Change" if plan.before else "Assign"
    return f"{verb} the policy assignment {plan.name} ({plan.effect}) at {plan.scope.text}?"


def removal_question(scope: PolicyScope, assignment: Assignment, roles: Sequence[str]) -> str:
    role = " and the role Contributor of its identity there" if roles else ""
    return f"Remove the policy assignment {assignment['name']} ({assigned_effect(assignment)}) at {scope.text}{role}?"


def nothing_to_remove(scope: PolicyScope, name: str | None) -> str:
    named: Any = f"policy assignment '{name}'" if name else "policy assignment made by `az acr scope policy assign`"
    return f"There is no {named} at {scope.text}: nothing to remove."

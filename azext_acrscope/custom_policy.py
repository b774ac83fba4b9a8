"""The commands of `az acr scope policy`: each reads its input, calls the rooms of `policy`, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions. The CLI calls
the commands with keyword arguments, by the names that `_params` describes.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors
from azext_acrscope._command import configured_seconds, connection_factory, operation_timeout_seconds
from azext_acrscope._validators import typed_value
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.enforcement import record
from azext_acrscope.enforcement.plan import EnforcementPlan
from azext_acrscope.enforcement.plan_item import CHANGED, PlanItem
from azext_acrscope.policy.remediation import ENFORCED, RemediationTask, not_disabled_targets
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import UNKNOWN

if TYPE_CHECKING:
    from azext_acrscope.arm.client import ArmClient
    from azext_acrscope.policy.context import PolicyContext
    from azext_acrscope.policy.scopes import PolicyScope

_DEFAULT_POLICY_SECONDS = 3600  # for which an evaluation or a remediation is followed: acrscope.policy_timeout


def assign(
    cmd: Any,
    *,
    management_group: str | None = None,
    resource_group_name: str | None = None,
    effect: str | None = None,
    not_scopes: list[str] | None = None,
    assignment_name: str | None = None,
    display_name: str | None = None,
    enforcement_mode: str | None = None,
    non_compliance_message: str | None = None,
    location: str | None = None,
    identity: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    print_as: str | None = None,
) -> dict[str, Any] | None:
    """Assign one of the two built-in definitions; the shape is that of `planning.assignment_result`."""
    from azext_acrscope.base import console
    from azext_acrscope.policy import messages, noncompliance, planning, templates

    timeout = operation_timeout_seconds(cmd)
    arm, scope = _connect_to_scope(cmd, management_group, resource_group_name)
    wanted = planning.AssignmentRequest(
        effect,
        name=assignment_name,
        display_name=display_name,
        not_scopes=not_scopes,
        enforcement=enforcement_mode,
        message=non_compliance_message,
        location=typed_value(location),
        identity=identity,
        default_location=location,
    )
    wanted.check(scope)
    if print_as:
        console.refuse_query(cmd.cli_ctx, "--print")
        console.print_lines([templates.write_template(print_as, scope, wanted)])
        return None
    plan = planning.plan_assignment(arm, scope, wanted)
    count = noncompliance.count_non_compliant(cmd.cli_ctx, scope, plan.body["properties"].get("notScopes") or [])
    console.tell(messages.assignment_preview(plan, count))
    console.warn(messages.assignment_warnings(plan, count))
    if dry_run:
        return planning.assignment_result(plan, None, count.as_result())
    if plan.changes and messages.needs_confirmation(plan) and not yes:
        console.confirm(cmd.cli_ctx, messages.assignment_question(plan))
    return planning.assignment_result(
        plan,
        planning.apply_assignment(
            plan, arm, timeout, console.sleep_with_spinner(cmd.cli_ctx, "Waiting for the new identity")
        ),
        count.as_result(),
    )


def unassign(
    cmd: Any,
    *,
    management_group: str | None = None,
    resource_group_name: str | None = None,
    assignment_name: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Remove an assignment that `assign` made, and its identity's role; see `assignments.removal_result`."""
    from azext_acrscope.base import console
    from azext_acrscope.policy import assignments, messages, roles

    arm, scope = _connect_to_scope(cmd, management_group, resource_group_name)
    if assignment_name:
        assignments.check_assignment_name(assignment_name, scope)
    found = assignments.find_removable(arm, scope, assignment_name)
    if not found:
        console.tell([messages.nothing_to_remove(scope, assignment_name)])
        return assignments.removal_result(scope, None, [], assignment_name)
    granted = roles.find_granted_roles(
        arm, scope, assignments.assignment_id(scope, found["name"]), roles.identity_principals(found)
    )
    if dry_run:
        return {**assignments.removal_result(scope, found, granted), "changed": False}
    if not yes:
        console.confirm(cmd.cli_ctx, messages.removal_question(scope, found, granted))
    assignments.remove_assignment(arm, scope, found, granted)
    return assignments.removal_result(scope, found, granted)


def _connect_to_scope(
    cmd: Any, management_group: str | None, resource_group: str | None
) -> tuple["ArmClient", "PolicyScope"]:
    """Return the connection of the account in use, and the scope."""
    from azext_acrscope.arm.client import ArmClient
    from azext_acrscope.policy import scopes

    arm = ArmClient(cmd.cli_ctx)
    return arm, scopes.choose_scope(arm, management_group, resource_group)


def show(
    cmd: Any,
    *,
    registry_name: RegistryRef | None = None,
    resource_group_name: str | None = None,
    management_group: str | None = None,
    refresh: bool = False,
    live: bool = False,
) -> dict[str, Any]:
    """Show what governs a scope and what Azure Policy has seen there; see `compliance.compliance_result`."""
    from azext_acrscope.base import console
    from azext_acrscope.policy import compliance, context

    if registry_name:
        seen = context.read_registry_context(cmd.cli_ctx, registry_name, resource_group_name)
    else:
        seen = context.read_scope_context(cmd.cli_ctx, resource_group_name, management_group, live)
    if refresh:
        _refresh_states(cmd, seen)
    known, unread = compliance.read_states(seen.arm, seen.scope)
    audience = cmd.cli_ctx.cloud.endpoints.active_directory_resource_id
    result = compliance.compliance_result(seen.scope, seen.found, seen.fleet, known, audience)
    console.tell(compliance.compliance_summary(result, known, seen.live))
    console.warn(compliance.compliance_warnings(result, seen.found, seen.fleet, unread))
    return result


def _refresh_states(cmd: Any, seen: "PolicyContext") -> None:
    from azext_acrscope.base import console
    from azext_acrscope.policy import compliance

    places = compliance.evaluation_scopes(seen.fleet, seen.scope)
    sleep = console.sleep_with_spinner(cmd.cli_ctx, f"Azure Policy is evaluating {seen.scope.text}")
    compliance.run_evaluation(
        seen.arm, places, configured_seconds(cmd, "policy_timeout", _DEFAULT_POLICY_SECONDS), sleep
    )


def remediate(
    cmd: Any,
    *,
    resource_group_name: str | None = None,
    management_group: str | None = None,
    assignment: str | None = None,
    enforce_rest: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    record_file: str | None = None,
) -> list[dict[str, Any]]:
    """Let a modifying assignment change what was there before it; see `remediation.remediation_rows`."""
    from azext_acrscope.base import console
    from azext_acrscope.fleet import summary
    from azext_acrscope.policy import context, messages, remediation

    seen = context.read_scope_context(cmd.cli_ctx, resource_group_name, management_group, live=True)
    task = remediation.plan_remediation(
        remediation.choose_modifying_rule(seen.found, assignment, seen.scope.text), seen.scope, seen.found, seen.fleet
    )
    console.warn([*summary.unread_lines(seen.fleet.unreadable), *seen.found.incomplete])
    started, problem = False, None
    if task.todo:
        console.warn(remediation.remediation_warnings(seen.arm, task))
        if dry_run:
            return remediation.remediation_rows(task, started)
        if not yes:
            console.confirm(cmd.cli_ctx, messages.remediation_question(task, enforce_rest))
        started = _run_remediation(cmd, seen, task, resource_group_name, management_group)
        if enforce_rest:
            problem = _enforce_not_reached(task, lambda plan: _run_enforcement(cmd, plan, record_file))
    console.tell([messages.remediation_summary(task)])
    console.warn(messages.remediation_remarks(task))
    if failed := problem or remediation.remediation_error(task, seen.fleet):
        console.fail_after_output(cmd.cli_ctx, failed)
    return remediation.remediation_rows(task, started)


def _run_remediation(
    cmd: Any, seen: "PolicyContext", task: "RemediationTask", group: str | None, management_group: str | None
) -> bool:
    """Start the remediation, follow it, and look what became of each registry; False if there was no use in it."""

    from azext_acrscope.base import console
    from azext_acrscope.policy import context, remediation

    if remediation.is_all_encrypted(task):
        remediation.mark_not_started(task)
        return False
    timeout = configured_seconds(cmd, "policy_timeout", _DEFAULT_POLICY_SECONDS)
    remediation.start_remediation(seen.arm, task)
    console.tell([_errors.remediation_begun(task.name, task.option)])
    ended = remediation.wait_for_remediation(seen.arm, task, timeout, time.sleep, console.progress_meter(cmd.cli_ctx))
    outcome = remediation.read_deployments(seen.arm, task)
    remediation.record_results(
        task, ended, outcome, context.read_scope_context(cmd.cli_ctx, group, management_group, live=True).fleet
    )
    return True


def _run_enforcement(cmd: Any, plan: "EnforcementPlan", record_file: str | None) -> Exception | None:
    """Make the changes of a plan, as `az acr scope enforce` does. Return the error to end with, if any."""
    from azext_acrscope.base import console
    from azext_acrscope.enforcement import run

    file = record.choose_record_file(record_file, cmd.cli_ctx.config.config_dir)
    rollout = run.Rollout(file, operation_timeout_seconds(cmd))
    writers = connection_factory(cmd.cli_ctx, patient=False)
    return run.run_plan(plan, writers, rollout, console.progress_meter(cmd.cli_ctx))


def _enforce_not_reached(task: RemediationTask, run: Callable[[EnforcementPlan], Exception | None]) -> Exception | None:
    """Set those that are left directly, as `az acr scope enforce` does. Return the error of that run, if any.

    :param run: makes the changes of a plan.
    """
    left = {each.id: each for each in not_disabled_targets(task)}
    # No consumers are looked for: an assignment of Azure Policy has decided that these are to be `disabled`.
    items = [
        PlanItem(each.resource, each.after, registry_resource.DISABLED, consumers=record.CONSUMERS_SKIPPED)
        for each in left.values()
        if each.after != UNKNOWN
    ]
    problem = run(EnforcementPlan(items)) if items else None
    for item in items:
        target = left[str(item.resource["id"])]
        target.after = item.status or target.after
        if item.result == CHANGED or target.after == registry_resource.DISABLED:
            target.result, target.reason = ENFORCED, ""
        else:
            target.reason = item.reason or target.reason
    return problem

"""The commands of `az acr scope policy`: each reads its input, calls the rooms of `policy`, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions.
"""

from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors
from azext_acrscope._command import configured_seconds, connections, operation_seconds
from azext_acrscope._validators import is_default
from azext_acrscope.hosts import RegistryRef

if TYPE_CHECKING:
    from azext_acrscope.arm import Arm
    from azext_acrscope.enforcement import Plan
    from azext_acrscope.policy.remediation import Task
    from azext_acrscope.policy.scopes import PolicyScope
    from azext_acrscope.policy.view import View

_POLICY_SECONDS = 3600  # for which an evaluation or a remediation is followed: acrscope.policy_timeout


def assign(
    cmd: Any,
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
    """Assign one of the two built-in definitions; the shape is that of `planning.result`."""
    from azext_acrscope import _outcome, _progress
    from azext_acrscope.policy import estate, messages, planning, templates

    timeout = operation_seconds(cmd)
    arm, scope = _at(cmd, management_group, resource_group_name)
    wanted = planning.Wanted(
        effect,
        assignment_name,
        display_name,
        not_scopes,
        enforcement_mode,
        non_compliance_message,
        location,
        identity,
    )
    wanted.check(scope)
    if print_as:
        _outcome.lines([templates.write(print_as, scope, wanted)])
        return None
    plan = planning.plan(arm, scope, wanted)
    count = estate.count(cmd.cli_ctx, scope, plan.body["properties"].get("notScopes") or [])
    _outcome.tell(messages.before(plan, count))
    if dry_run:
        return planning.result(plan, None, count.as_result())
    if plan.changes and messages.asks(plan) and not yes:
        _outcome.confirm(cmd.cli_ctx, messages.question(plan))
    sleep = _progress.visible_sleep(cmd.cli_ctx, "Waiting for the new identity")
    done = planning.assign(plan, arm, timeout, sleep)
    return planning.result(plan, done, count.as_result())


def unassign(
    cmd: Any,
    management_group: str | None = None,
    resource_group_name: str | None = None,
    assignment_name: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Remove an assignment that `assign` made, and its identity's role; the shape is that of `assignments.removal`."""
    from azext_acrscope import _outcome
    from azext_acrscope.policy import assignments, messages, roles

    arm, scope = _at(cmd, management_group, resource_group_name)
    if assignment_name:
        assignments.check_name(assignment_name, scope)
    found = assignments.to_remove(arm, scope, assignment_name)
    if not found:
        _outcome.tell([messages.nothing_to_remove(scope, assignment_name)])
        return assignments.removal(scope, None, [], assignment_name)
    granted = roles.ours(arm, scope, assignments.id_of(scope, found["name"]), assignments.principals(found))
    if dry_run:
        return {**assignments.removal(scope, found, granted), "changed": False}
    if not yes:
        _outcome.confirm(cmd.cli_ctx, messages.removal_question(scope, found, granted))
    assignments.unassign(arm, scope, found, granted)
    return assignments.removal(scope, found, granted)


def _at(cmd: Any, management_group: str | None, resource_group: str | None) -> tuple["Arm", "PolicyScope"]:
    """The connection of the account in use, and the scope; a default group of the CLI's configuration selects none."""
    from azext_acrscope.arm import Arm
    from azext_acrscope.policy import scopes

    arm = Arm(cmd.cli_ctx)
    return arm, scopes.choose(arm, management_group, None if is_default(resource_group) else resource_group)


def show(
    cmd: Any,
    registry_name: RegistryRef | None = None,
    resource_group_name: str | None = None,
    management_group: str | None = None,
    refresh: bool = False,
    live: bool = False,
) -> dict[str, Any]:
    """Show what governs a scope and what Azure Policy has seen there; the shape is that of `compliance.report`."""
    from azext_acrscope import _outcome
    from azext_acrscope.policy import compliance, view

    if registry_name:
        seen = view.of_registry(cmd.cli_ctx, registry_name, resource_group_name)
    else:
        seen = view.of_scope(cmd.cli_ctx, resource_group_name, management_group, live)
    if refresh:
        _evaluate(cmd, seen)
    known = compliance.states(seen.arm, seen.scope)
    audience = cmd.cli_ctx.cloud.endpoints.active_directory_resource_id
    result = compliance.report(seen.scope, seen.found, seen.fleet, known, audience)
    _outcome.tell(compliance.summary(result, seen.found, seen.fleet, known, seen.live))
    return result


def _evaluate(cmd: Any, seen: "View") -> None:
    from azext_acrscope import _progress
    from azext_acrscope.policy import compliance

    places = compliance.places(seen.fleet, seen.scope)
    sleep = _progress.visible_sleep(cmd.cli_ctx, f"Azure Policy is evaluating {seen.scope.text}")
    compliance.evaluate(seen.arm, places, configured_seconds(cmd, "policy_timeout", _POLICY_SECONDS), sleep)


def remediate(
    cmd: Any,
    resource_group_name: str | None = None,
    management_group: str | None = None,
    assignment: str | None = None,
    enforce_rest: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    record_file: str | None = None,
) -> list[dict[str, Any]]:
    """Let a modifying assignment mend what was there before it; the shape is that of `remediation.rows`."""
    from azext_acrscope import _outcome, fleet
    from azext_acrscope.policy import remediation, view

    seen = view.of_scope(cmd.cli_ctx, resource_group_name, management_group, live=True)
    task = remediation.plan(
        remediation.choose(seen.found, assignment, seen.scope.text), seen.scope, seen.found, seen.fleet
    )
    _outcome.tell([*fleet.unread(seen.fleet.unreadable), *seen.found.incomplete])
    started, problem = False, None
    if task.todo:
        _outcome.tell(remediation.beforehand(seen.arm, task))
        if dry_run:
            return remediation.rows(task, started)
        if not yes:
            _outcome.confirm(cmd.cli_ctx, remediation.question(task, enforce_rest))
        started = _remediate(cmd, seen, task, resource_group_name, management_group)
        if enforce_rest:
            problem = remediation.enforce(task, lambda plan: _enforce(cmd, plan, record_file))
    _outcome.tell(remediation.summary(task))
    if failed := problem or remediation.verdict(task, seen.fleet):
        _outcome.fail_after_output(cmd.cli_ctx, failed)
    return remediation.rows(task, started)


def _remediate(cmd: Any, seen: "View", task: "Task", group: str | None, management_group: str | None) -> bool:
    """Start the remediation, follow it, and look what became of each registry; False if there was no use in it."""
    import time

    from azext_acrscope import _outcome, _progress
    from azext_acrscope.policy import remediation, view

    if remediation.is_useless(task):
        remediation.not_started(task)
        return False
    timeout = configured_seconds(cmd, "policy_timeout", _POLICY_SECONDS)
    remediation.start(seen.arm, task)
    _outcome.tell([_errors.remediation_begun(task.name, task.option)])
    ended = remediation.follow(seen.arm, task, timeout, time.sleep, _progress.meter(cmd.cli_ctx))
    outcome = remediation.deployments(seen.arm, task)
    remediation.settle(task, ended, outcome, view.of_scope(cmd.cli_ctx, group, management_group, live=True).fleet)
    return True


def _enforce(cmd: Any, plan: "Plan", record_file: str | None) -> Exception | None:
    """Make the changes of a plan, as `az acr scope enforce` does."""
    from azext_acrscope import _progress, enforcement

    file = enforcement.record_file(record_file, cmd.cli_ctx.config.config_dir)
    writers = connections(cmd.cli_ctx, patient=False)
    return enforcement.run(
        plan, writers, file, enforcement.Waves(), operation_seconds(cmd), _progress.meter(cmd.cli_ctx)
    )

"""The commands of `az acr scope policy`: each reads its input, calls the rooms of `policy`, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions.
"""

from typing import TYPE_CHECKING, Any

from azext_acrscope._validators import is_default
from azext_acrscope.custom import operation_seconds

if TYPE_CHECKING:
    from azext_acrscope.arm import Arm
    from azext_acrscope.policy.scopes import PolicyScope


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
    """Assign one of the two built-in definitions; the shape is that of `assignments.result`."""
    from azext_acrscope import _outcome, _progress
    from azext_acrscope.policy import assignments, estate, messages, templates

    seconds = operation_seconds(cmd)
    arm, scope = _at(cmd, management_group, resource_group_name)
    wanted = assignments.Wanted(
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
    plan = assignments.plan(arm, scope, wanted)
    count = estate.count(cmd.cli_ctx, scope, plan.body["properties"].get("notScopes") or [])
    _outcome.tell(messages.before(plan, count))
    if dry_run:
        return assignments.result(plan, None, count.as_result())
    if plan.changes and messages.asks(plan) and not yes:
        _outcome.confirm(cmd.cli_ctx, messages.question(plan))
    sleep = _progress.visible_sleep(cmd.cli_ctx, "Waiting for the new identity")
    done = assignments.assign(plan, arm, seconds, sleep)
    return assignments.result(plan, done, count.as_result())


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

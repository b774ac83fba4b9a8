"""Remediation: Azure Policy lets the identity of a modifying assignment change what was there before it.

Wire format: ``PUT {scope}/providers/Microsoft.PolicyInsights/remediations/NAME`` with ``{properties{policyAssignmentId,
policyDefinitionReferenceId, resourceDiscoveryMode, …}}`` answers 201; `provisioningState` goes from Accepted over
Running to Succeeded, Failed or Canceled; ``POST …/listDeployments`` has a deployment for each registry, in pages.
Re-evaluating first is for subscriptions and below only (documented). It fails on registries that are encrypted with
customer-managed keys (documented): those are for `enforce`.
"""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.paths import ArmPath, arm_path, check_resource_id
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.foreign_json import find_object, find_value
from azext_acrscope.base.polling import Polling
from azext_acrscope.base.resource_ids import management_group_name, parse_resource_id
from azext_acrscope.base.tokens import safe_word
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.policy import errors
from azext_acrscope.policy.effective_rules import EffectiveRules, PolicyRule
from azext_acrscope.policy.refusals import ASSIGNER_ROLE, READER_ROLE, refusal_error
from azext_acrscope.policy.roles import gives_writing_role
from azext_acrscope.policy.scopes import PolicyScope, scope_contains
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import UNKNOWN, RegistryResource

API_VERSION = "2021-10-01"
ROLES_API_VERSION = "2022-04-01"
_MAX_REGISTRIES, _MAX_PARALLEL_DEPLOYMENTS = (
    50000,
    30,
)  # registries of a remediation (the default is 500), deployments at once (10): the maxima
_FINAL_STATES = ("succeeded", "failed", "canceled", "cancelled")
REMEDIATED, ENFORCED, UNCHANGED, SKIPPED, FAILED, NOT_REACHED = _RESULT_WORDS = (
    "remediated",
    "enforced",
    "unchanged",
    "skipped",
    "failed",
    "notReached",
)

ProgressCallback = Callable[[int, int, int], None]


@dataclass
class RemediationTarget:
    """A registry that the assignment governs: what it is before and after, and what came of it."""

    resource: RegistryResource
    before: str
    after: str = ""
    result: str = ""
    reason: str = ""

    @property
    def id(self) -> str:
        return str(self.resource["id"])


@dataclass
class RemediationTask:
    """A remediation to run: one assignment's, at the scope named or, if that is below it, at the assignment's."""

    rule: PolicyRule
    place: PolicyScope
    targets: list[RemediationTarget]
    name: str = field(default_factory=lambda: f"acrscope-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}")

    @property
    def todo(self) -> list[RemediationTarget]:
        """Those that are to be changed."""
        return [each for each in self.targets if not each.result]

    @property
    def path(self) -> ArmPath:
        template = "{scope}/providers/Microsoft.PolicyInsights/remediations/{name}"
        return arm_path(template, scope=self.place.path, name=self.name)

    @property
    def option(self) -> str:
        """How `az policy remediation` is told the place."""
        return _place_options(self.place.path)


def _place_options(scope: str) -> str:
    """Return the options that name a scope to a command."""
    parts = parse_resource_id(scope)
    if parts.management_group:
        return f" --management-group {parts.management_group}"
    group = f" --resource-group {parts.resource_group}" if parts.resource_group else ""
    return f"{group} --subscription {parts.subscription}"


# --- before --------------------------------------------------------------------------------------------------------


def choose_modifying_rule(found: EffectiveRules, named: str | None, where: str) -> PolicyRule:
    """The modifying rule to remediate: the one that is named, or the only one.

    :param named: an assignment's name, display name or ID.
    :raises ResourceNotFoundError: there is none, or none so named.
    :raises InvalidArgumentValueError: there are several.
    """
    modifying = [rule for rule in found.rules if rule.effect == "modify"]
    if named:
        wanted = named.lower()
        match = [r for r in modifying if wanted in (r.name.lower(), r.display_name.lower(), r.assignment.lower())]
        if not match:
            raise errors.no_such_assignment(named, where, sorted({rule.name for rule in modifying}))
        modifying = match
    if not modifying:
        raise errors.nothing_modifies(where)
    if len(modifying) > 1:
        raise errors.several_modify([f"{rule.name} ({rule.assignment})" for rule in modifying])
    return modifying[0]


def plan_remediation(rule: PolicyRule, scope: PolicyScope, found: EffectiveRules, seen: Fleet) -> RemediationTask:
    """The registries that the rule governs in the scope: which are to be changed, and which are not and why."""
    place = scope if _governs_whole_scope(rule.scope, scope, found) else _assignment_scope(rule.scope)
    targets = []
    for each in seen.registries:
        if rule not in found.over(str(each["id"])):
            continue
        targets.append(target := RemediationTarget(each, _status_or_unknown(each)))
        if target.before == registry_resource.DISABLED:
            target.result, target.reason = UNCHANGED, "it is already `disabled`"
        elif found.exempt(rule, target.id):
            target.result, target.reason = SKIPPED, f"exempt from the assignment {rule.name}"
    return RemediationTask(rule, place, targets)


def _governs_whole_scope(assigned: str, scope: PolicyScope, found: EffectiveRules) -> bool:
    """Whether an assignment governs a whole scope, so that the remediation can be made there."""
    group = management_group_name(assigned)
    return group in found.above if group else scope_contains(assigned, scope.path)


def _assignment_scope(scope: str) -> PolicyScope:
    path = check_resource_id(scope)
    parts = parse_resource_id(path)
    if parts.management_group:
        return PolicyScope(path, f"management group {parts.name}", management_group=parts.name)
    group = parts.resource_group or None
    text = f"resource group {group}" if group else f"subscription {parts.subscription}"
    return PolicyScope(path, text, resource_group=group)


def _status_or_unknown(resource: RegistryResource) -> str:
    from azure.cli.core.azclierror import AzureResponseError

    try:
        return registry_resource.status_of(resource)[0]
    except AzureResponseError:
        return UNKNOWN


def encrypted_names(targets: list[RemediationTarget]) -> list[str]:
    """The names of those that are encrypted with a customer-managed key, which a remediation cannot change."""
    return [str(each.resource["name"]) for each in targets if registry_resource.uses_customer_key(each.resource)]


def check_identity(arm: ArmClient, rule: PolicyRule) -> str | None:
    """Whether the assignment's identity may change registries; None, or a warning that it may not.

    :raises ValidationError: it has no role at all.
    """
    command = _repair_command(rule)
    assigned: list[dict[str, Any]] = []
    try:
        for principal in rule.identities:
            assigned += arm.pages(
                arm_path(
                    "{scope}/providers/Microsoft.Authorization/roleAssignments", scope=check_resource_id(rule.scope)
                ),
                ROLES_API_VERSION,
                **{"$filter": f"assignedTo('{re.sub('[^0-9A-Za-z-]', '', principal)}')"},
            )
    except ArmError as error:
        return errors.identity_roles_unread(error.code)
    if not assigned:
        raise errors.identity_without_role(rule.name, rule.scope, command)
    here = rule.scope.lower()
    for each in assigned:
        at = str(find_value(each, "properties", "scope") or "").lower()
        reaches = management_group_name(at) is not None or scope_contains(at or "/", here) or at == "/"
        if reaches and gives_writing_role(each):
            return None
    return errors.identity_with_other_roles(rule.name, command)


def _repair_command(rule: PolicyRule) -> str:
    """The command that gives the assignment's identity what it lacks."""
    return f'az acr scope policy assign --effect modify --assignment-name "{rule.name}"{_place_options(rule.scope)}'


def remediation_warnings(arm: ArmClient, task: RemediationTask) -> list[str]:
    """Lines for people before a remediation: what it will not do.

    :raises ValidationError: the assignment's identity has no role at all.
    """
    names = encrypted_names(task.todo)
    warnings = [f"In scope: {errors.encrypted_registries(names)}"] if names else []
    return warnings + ([] if is_all_encrypted(task) else [text for text in [check_identity(arm, task.rule)] if text])


def is_all_encrypted(task: RemediationTask) -> bool:
    """Whether a remediation could change nothing: all that is left has customer-managed keys."""
    return all(registry_resource.uses_customer_key(each.resource) for each in task.todo)


def remediation_question(task: RemediationTask, enforce_rest: bool) -> str:
    """What is asked before, with the numbers."""
    kept = "" if task.rule.enforced else " (its enforcement is off, so the result is not kept in place)"
    rest_too = ", and then set the remaining ones directly" if enforce_rest else ""
    return (
        f"Have Azure Policy set {base_errors.registries(len(task.todo))} in {task.place.text} to `disabled` with the "
        f"assignment {task.rule.name}{kept}{rest_too}?"
    )


# --- the remediation -----------------------------------------------------------------------------------------------


def start_remediation(arm: ArmClient, task: RemediationTask) -> None:
    """Create the remediation.

    :raises ForbiddenError: naming the role to ask for.
    :raises ValidationError: another one of the assignment is running.
    """
    properties: dict[str, Any] = {
        "policyAssignmentId": task.rule.assignment,
        "resourceDiscoveryMode": "ExistingNonCompliant" if task.place.management_group else "ReEvaluateCompliance",
        "resourceCount": _MAX_REGISTRIES,
        "parallelDeployments": _MAX_PARALLEL_DEPLOYMENTS,
        "failureThreshold": {"percentage": 1.0},  # one failure does not stop the others
    }
    if task.rule.reference:
        properties["policyDefinitionReferenceId"] = task.rule.reference
    try:
        arm.put(task.path, API_VERSION, {"properties": properties})
    except ArmError as error:
        if error.status == 400 and error.code == "InvalidCreateRemediationRequest":
            raise errors.remediation_running(task.place.text, error.message, error.correlation) from error
        raise refusal_error(error, task.place, "start a remediation", ASSIGNER_ROLE) from error


def wait_for_remediation(
    arm: ArmClient, task: RemediationTask, timeout: float, sleep: Callable[[float], None], watch: ProgressCallback
) -> str:
    """Wait for the remediation's end; Azure's word for it.

    :param watch: told of the registries done, of all, and of those that failed.
    :raises ManualInterrupt: Ctrl-C; it goes on in Azure.
    :raises AzureResponseError: it did not end in time; it goes on in Azure.
    """
    polling, total = Polling(timeout, sleep), len(task.todo)
    try:
        while True:
            state, done, known, failed = _read_progress(arm, task)
            total = max(known, done) or total
            if state.lower() in _FINAL_STATES:
                watch(total, total, failed)
                return state
            watch(min(done, max(total - 1, 0)), total, failed)
            if not polling.wait():
                raise errors.remediation_too_slow(task.name, task.option, timeout, state)
    except KeyboardInterrupt:
        raise errors.remediation_goes_on(task.name, task.option, "Interrupted") from None


def _read_progress(arm: ArmClient, task: RemediationTask) -> tuple[str, int, int, int]:
    """The state of a remediation, and its deployments: done, all, failed."""
    try:
        reply: Reply = arm.get(task.path, API_VERSION)
    except ArmError as error:
        raise refusal_error(error, task.place, "follow a remediation", ASSIGNER_ROLE) from error
    properties = find_object(reply.body, "properties")
    if not isinstance(properties.get("provisioningState"), str):
        raise errors.not_a_policy_answer(f"the remediation {task.name}")
    counts = find_object(properties, "deploymentStatus")
    succeeded, failed = (
        _count_or_zero(counts.get("successfulDeployments")),
        _count_or_zero(counts.get("failedDeployments")),
    )
    state = safe_word(properties["provisioningState"])
    return state, succeeded + failed, _count_or_zero(counts.get("totalDeployments")), failed


def _count_or_zero(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def read_deployments(arm: ArmClient, task: RemediationTask) -> dict[str, str]:
    """What became of each registry, by its lower-cased ID: why it failed, or nothing if it did not."""
    try:
        items = arm.posted_pages(arm_path("{resource}/listDeployments", resource=task.path), API_VERSION)
    except ArmError as error:
        raise refusal_error(error, task.place, "list the deployments of a remediation", READER_ROLE) from error
    return {str(item.get("remediatedResourceId")).lower(): _deployment_failure(item) for item in items}


def _deployment_failure(item: dict[str, Any]) -> str:
    status = safe_word(item.get("status") or "")
    if status.lower() == "succeeded":
        return ""
    said = item.get("error")
    if isinstance(said, dict):
        return f"{said.get('message') or 'no reason given'} [{safe_word(said.get('code') or 'no code')}]"
    return f"its deployment is {status or 'in an unknown state'}"


# --- after ---------------------------------------------------------------------------------------------------------


def record_results(task: RemediationTask, ended: str, outcome: dict[str, str], now: Fleet) -> None:
    """Write down what came of each registry: what counts is the status it has now, not what Azure Policy says."""
    after = {str(each["id"]).lower(): each for each in now.registries}
    for each in task.todo:
        resource = after.get(each.id.lower())
        each.after = _status_or_unknown(resource) if resource else UNKNOWN
        each.resource = resource or each.resource
        why = outcome.get(each.id.lower())
        if each.after == registry_resource.DISABLED:
            each.result = REMEDIATED
        elif why:
            each.result, each.reason = FAILED, why
        elif why is None:
            each.result = NOT_REACHED
            each.reason = (
                f"the remediation ({ended}) did not reach it: Azure Policy does not report it as non-compliant yet "
                "(`az acr scope policy show --refresh` starts an evaluation)"
            )
        else:
            each.result, each.reason = FAILED, "its deployment succeeded, but it is not `disabled`"
        if each.result in (FAILED, NOT_REACHED) and registry_resource.uses_customer_key(each.resource):
            each.reason = f"it has a customer-managed key, so Azure Policy cannot change it: {each.reason}"


def mark_not_started(task: RemediationTask) -> None:
    """All that is to be changed has customer-managed keys: a remediation could change none of it."""
    for each in task.todo:
        each.after, each.result = each.before, NOT_REACHED
        each.reason = "it has a customer-managed key, so Azure Policy cannot change it: no remediation was started"


def not_disabled_targets(task: RemediationTask) -> list[RemediationTarget]:
    """Those that were to be changed and are not `disabled`."""
    return [each for each in task.targets if each.result in (FAILED, NOT_REACHED)]


def remediation_error(task: RemediationTask, seen: Fleet) -> Exception | None:
    """The error to end with; None if every registry that the assignment governs is `disabled`, or exempt from it."""
    left = not_disabled_targets(task)
    unknown = [each for each in task.targets if not each.result]
    if not (left or unknown or seen.unreadable):
        return None
    return errors.still_not_enforced(
        len(left) + len(unknown), len(task.targets), len(seen.unreadable), encrypted_names(left)
    )


def remediation_rows(task: RemediationTask, started: bool) -> list[dict[str, Any]]:
    """A row for each registry that the assignment governs in the scope."""
    return [
        {
            "id": each.id,
            "name": each.resource["name"],
            "resourceGroup": parse_resource_id(each.id).resource_group,
            "subscriptionId": parse_resource_id(each.id).subscription,
            "previousStatus": each.before,
            "status": each.after or each.before,
            "result": each.result or "planned",
            "reason": each.reason,
            "customerManagedKey": registry_resource.uses_customer_key(each.resource),
            "assignment": task.rule.assignment,
            "remediation": task.name if started else None,
        }
        for each in task.targets
    ]


def remediation_summary(task: RemediationTask) -> str:
    """Return a line for people with the numbers of registries by result."""
    counted = {word: sum(each.result == word for each in task.targets) for word in _RESULT_WORDS}
    numbers = ", ".join(f"{number} {word}" for word, number in counted.items() if number)
    return f"{base_errors.registries(len(task.targets))} of {task.rule.name}: {numbers or 'none'}"


def remediation_remarks(task: RemediationTask) -> list[str]:
    """Return a warning that names the registries which only `enforce` can change, where there are any left."""
    names = encrypted_names(not_disabled_targets(task))
    return [errors.encrypted_registries(names)] if names else []

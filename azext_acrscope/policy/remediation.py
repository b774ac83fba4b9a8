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

from azext_acrscope import _errors, record, registry
from azext_acrscope.arm import Arm, ArmError, Reply
from azext_acrscope.arm_paths import ArmPath, arm_path, checked_id
from azext_acrscope.enforcement import Plan
from azext_acrscope.fleet import UNKNOWN, Fleet
from azext_acrscope.policy.governing import Governance, Rule, management_group
from azext_acrscope.policy.refusals import TO_ASSIGN, TO_READ, refused
from azext_acrscope.policy.scopes import PolicyScope, contains
from azext_acrscope.registry import Resource
from azext_acrscope.rollout import CHANGED, Item
from azext_acrscope.tokens import plain

API_VERSION = "2021-10-01"
ROLES_API_VERSION = "2022-04-01"
_CAN_WRITE = ("b24988ac-6180-42a0-ab88-20f7382dd24c", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")  # Contributor, Owner
_MOST, _AT_ONCE = 50000, 30  # registries of a remediation (the default is 500), deployments at once (10): the maxima
_ENDED = ("succeeded", "failed", "canceled", "cancelled")
_FIRST_LOOK_SECONDS, _SLOWEST_LOOK_SECONDS = 1.0, 15.0
REMEDIATED, ENFORCED, UNCHANGED, SKIPPED, FAILED, LEFT = _RESULTS = (
    "remediated",
    "enforced",
    "unchanged",
    "skipped",
    "failed",
    "left",
)

Watch = Callable[[int, int, int], None]


@dataclass
class Target:
    """A registry that the assignment governs: what it is before and after, and what came of it."""

    resource: Resource
    before: str
    after: str = ""
    result: str = ""
    reason: str = ""

    @property
    def id(self) -> str:
        return str(self.resource["id"])


@dataclass
class Task:
    """A remediation to run: one assignment's, at the scope named or, if that is below it, at the assignment's."""

    rule: Rule
    place: PolicyScope
    targets: list[Target]
    name: str = field(default_factory=lambda: f"acrscope-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}")

    @property
    def todo(self) -> list[Target]:
        """Those that are to be changed."""
        return [each for each in self.targets if not each.result]

    @property
    def path(self) -> ArmPath:
        template = "{scope}/providers/Microsoft.PolicyInsights/remediations/{name}"
        return arm_path(template, scope=self.place.path, name=self.name)

    @property
    def option(self) -> str:
        """How `az policy remediation` is told the place."""
        if self.place.management_group:
            return f" --management-group {self.place.management_group}"
        parts = self.place.path.split("/")
        group = f" --resource-group {parts[4]}" if len(parts) > 4 else ""
        return f"{group} --subscription {parts[2]}"


# --- before --------------------------------------------------------------------------------------------------------


def choose(found: Governance, named: str | None, where: str) -> Rule:
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
            raise _errors.no_such_assignment(named, where, sorted({rule.name for rule in modifying}))
        modifying = match
    if not modifying:
        raise _errors.nothing_modifies(where)
    if len(modifying) > 1:
        raise _errors.several_modify([f"{rule.name} ({rule.assignment})" for rule in modifying])
    return modifying[0]


def plan(rule: Rule, scope: PolicyScope, found: Governance, seen: Fleet) -> Task:
    """The registries that the rule governs in the scope: which are to be changed, and which are not and why."""
    place = scope if _reaches(rule.scope, scope, found) else _place(rule.scope)
    targets = []
    for each in seen.registries:
        if rule not in found.over(str(each["id"])):
            continue
        targets.append(target := Target(each, _status(each)))
        if target.before == registry.DISABLED:
            target.result, target.reason = UNCHANGED, "it is `disabled` already"
        elif found.exempt(rule, target.id):
            target.result, target.reason = SKIPPED, f"exempt from the assignment {rule.name}"
    return Task(rule, place, targets)


def _reaches(assigned: str, scope: PolicyScope, found: Governance) -> bool:
    """Whether an assignment governs a whole scope, so that the remediation can be made there."""
    group = management_group(assigned)
    return group in found.above if group else contains(assigned, scope.path)


def _place(scope: str) -> PolicyScope:
    path = checked_id(scope)
    parts = path.split("/")
    if management_group(path):
        return PolicyScope(path, f"management group {parts[-1]}", management_group=parts[-1])
    group = parts[4] if len(parts) > 4 else None
    return PolicyScope(path, f"resource group {group}" if group else f"subscription {parts[2]}", resource_group=group)


def _status(resource: Resource) -> str:
    from azure.cli.core.azclierror import AzureResponseError

    try:
        return registry.status(resource)[0]
    except AzureResponseError:
        return UNKNOWN


def encrypted(targets: list[Target]) -> list[str]:
    """The names of those that are encrypted with a customer-managed key, which a remediation cannot change."""
    return [str(each.resource["name"]) for each in targets if registry.is_encrypted(each.resource)]


def check_identity(arm: Arm, rule: Rule) -> str | None:
    """Whether the assignment's identity may change registries; None, or a warning that it may not.

    :raises ValidationError: it has no role at all.
    """
    command = _complete(rule)
    assigned: list[dict[str, Any]] = []
    try:
        for principal in rule.identities:
            assigned += arm.pages(
                arm_path("{scope}/providers/Microsoft.Authorization/roleAssignments", scope=checked_id(rule.scope)),
                ROLES_API_VERSION,
                **{"$filter": f"assignedTo('{re.sub('[^0-9A-Za-z-]', '', principal)}')"},
            )
    except ArmError as error:
        return _errors.identity_roles_unread(error.code)
    if not assigned:
        raise _errors.identity_without_role(rule.name, rule.scope, command)
    here = rule.scope.lower()
    for each in assigned:
        properties = each.get("properties") if isinstance(each.get("properties"), dict) else {}
        role = str((properties or {}).get("roleDefinitionId")).lower().split("/")[-1]
        at = str((properties or {}).get("scope") or "").lower()
        if role in _CAN_WRITE and (management_group(at) is not None or contains(at or "/", here) or at == "/"):
            return None
    return _errors.identity_with_other_roles(rule.name, command)


def _complete(rule: Rule) -> str:
    """The command that gives the assignment's identity what it lacks."""
    parts = rule.scope.split("/")
    where = f" --management-group {parts[-1]}" if management_group(rule.scope) else f" --subscription {parts[2]}"
    group = f" --resource-group {parts[4]}" if len(parts) > 4 and not management_group(rule.scope) else ""
    return f'az acr scope policy assign --effect modify --assignment-name "{rule.name}"{group}{where}'


def beforehand(arm: Arm, task: Task) -> list[str]:
    """Lines for people before a remediation: what it will not do.

    :raises ValidationError: the assignment's identity has no role at all.
    """
    names = encrypted(task.todo)
    warnings = [f"In view: {_errors.encrypted_registries(names)}"] if names else []
    return warnings + ([] if is_useless(task) else [text for text in [check_identity(arm, task.rule)] if text])


def is_useless(task: Task) -> bool:
    """Whether a remediation could change nothing: all that is left has customer-managed keys."""
    return all(registry.is_encrypted(each.resource) for each in task.todo)


def question(task: Task, enforce_rest: bool) -> str:
    """What is asked before, with the numbers."""
    kept = "" if task.rule.enforced else " (whose enforcement is switched off: what it mends is not kept so)"
    rest_too = ", and then set those that are left directly" if enforce_rest else ""
    return (
        f"Have Azure Policy set {_errors.registries(len(task.todo))} in {task.place.text} to `disabled` with the "
        f"assignment {task.rule.name}{kept}{rest_too}?"
    )


# --- the remediation -----------------------------------------------------------------------------------------------


def start(arm: Arm, task: Task) -> None:
    """Create the remediation.

    :raises ForbiddenError: naming the role to ask for.
    :raises ValidationError: another one of the assignment is running.
    """
    properties: dict[str, Any] = {
        "policyAssignmentId": task.rule.assignment,
        "resourceDiscoveryMode": "ExistingNonCompliant" if task.place.management_group else "ReEvaluateCompliance",
        "resourceCount": _MOST,
        "parallelDeployments": _AT_ONCE,
        "failureThreshold": {"percentage": 1.0},  # one failure does not stop the others
    }
    if task.rule.reference:
        properties["policyDefinitionReferenceId"] = task.rule.reference
    try:
        arm.put(task.path, API_VERSION, {"properties": properties})
    except ArmError as error:
        if error.status == 400 and error.code == "InvalidCreateRemediationRequest":
            raise _errors.remediation_running(task.place.text, error.message, error.correlation) from error
        raise refused(error, task.place, "start a remediation", TO_ASSIGN) from error


def follow(arm: Arm, task: Task, timeout: float, sleep: Callable[[float], None], watch: Watch) -> str:
    """Wait for the remediation's end; Azure's word for it.

    :param watch: told of the registries done, of all, and of those that failed.
    :raises ManualInterrupt: Ctrl-C; it goes on in Azure.
    :raises AzureResponseError: it did not end in time; it goes on in Azure.
    """
    deadline, pause, total = time.monotonic() + timeout, _FIRST_LOOK_SECONDS, len(task.todo)
    try:
        while True:
            state, done, known, failed = _look(arm, task)
            total = max(known, done) or total
            if state.lower() in _ENDED:
                watch(total, total, failed)
                return state
            watch(min(done, max(total - 1, 0)), total, failed)
            if time.monotonic() > deadline:
                raise _errors.remediation_too_slow(task.name, task.option, timeout, state)
            sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK_SECONDS)
    except KeyboardInterrupt:
        raise _errors.remediation_goes_on(task.name, task.option, "Interrupted") from None


def _look(arm: Arm, task: Task) -> tuple[str, int, int, int]:
    """The state of a remediation, and its deployments: done, all, failed."""
    try:
        reply: Reply = arm.get(task.path, API_VERSION)
    except ArmError as error:
        raise refused(error, task.place, "follow a remediation", TO_ASSIGN) from error
    properties = reply.body.get("properties") if isinstance(reply.body, dict) else None
    if not isinstance(properties, dict) or not isinstance(properties.get("provisioningState"), str):
        raise _errors.not_a_policy_answer(f"the remediation {task.name}")
    status = properties.get("deploymentStatus")
    counts = status if isinstance(status, dict) else {}
    succeeded, failed = _number(counts.get("successfulDeployments")), _number(counts.get("failedDeployments"))
    state = plain(properties["provisioningState"])
    return state, succeeded + failed, _number(counts.get("totalDeployments")), failed


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def deployments(arm: Arm, task: Task) -> dict[str, str]:
    """What became of each registry, by its lower-cased ID: why it failed, or nothing if it did not."""
    try:
        items = arm.posted_pages(arm_path("{resource}/listDeployments", resource=task.path), API_VERSION)
    except ArmError as error:
        raise refused(error, task.place, "list the deployments of a remediation", TO_READ) from error
    return {str(item.get("remediatedResourceId")).lower(): _why(item) for item in items}


def _why(item: dict[str, Any]) -> str:
    status = plain(item.get("status") or "")
    if status.lower() == "succeeded":
        return ""
    said = item.get("error")
    if isinstance(said, dict):
        return f"{said.get('message') or 'no reason given'} [{plain(said.get('code') or 'no code')}]"
    return f"its deployment is {status or 'in an unknown state'}"


# --- after ---------------------------------------------------------------------------------------------------------


def settle(task: Task, ended: str, outcome: dict[str, str], now: Fleet) -> None:
    """Write down what came of each registry: what counts is the status it has now, not what Azure Policy says."""
    after = {str(each["id"]).lower(): each for each in now.registries}
    for each in task.todo:
        resource = after.get(each.id.lower())
        each.after = _status(resource) if resource else UNKNOWN
        each.resource = resource or each.resource
        why = outcome.get(each.id.lower())
        if each.after == registry.DISABLED:
            each.result = REMEDIATED
        elif why:
            each.result, each.reason = FAILED, why
        elif why is None:
            each.result = LEFT
            each.reason = (
                f"the remediation ({ended}) did not come to it: Azure Policy has not seen it as non-compliant yet "
                "(`az acr scope policy show --refresh` has it look)"
            )
        else:
            each.result, each.reason = FAILED, "its deployment succeeded, and yet it is not `disabled`"
        if each.result in (FAILED, LEFT) and registry.is_encrypted(each.resource):
            each.reason = f"it has a customer-managed key, which Azure Policy cannot change: {each.reason}"


def not_started(task: Task) -> None:
    """All that is to be changed has customer-managed keys: a remediation could change none of it."""
    for each in task.todo:
        each.after, each.result = each.before, LEFT
        each.reason = "it has a customer-managed key, which Azure Policy cannot change: no remediation was started"


def rest(task: Task) -> list[Target]:
    """Those that were to be changed and are not `disabled`."""
    return [each for each in task.targets if each.result in (FAILED, LEFT)]


def enforce(task: Task, run: Callable[[Plan], Exception | None]) -> Exception | None:
    """Set those that are left directly, as `az acr scope enforce` does; the error of that run, if there is one.

    :param run: makes the changes of a plan.
    """
    left = {each.id: each for each in rest(task)}
    items = [Item(each.resource, each.after, registry.DISABLED) for each in left.values() if each.after != UNKNOWN]
    # Nobody is asked who uses them: an assignment of Azure Policy has decided that they are to be `disabled`.
    problem = run(Plan(items, consumers=record.SKIPPED)) if items else None
    for item in items:
        target = left[str(item.resource["id"])]
        target.after = item.status or target.after
        if item.result == CHANGED or target.after == registry.DISABLED:
            target.result, target.reason = ENFORCED, ""
        else:
            target.reason = item.reason or target.reason
    return problem


def verdict(task: Task, seen: Fleet) -> Exception | None:
    """The error to end with; None if every registry that the assignment governs is `disabled`, or exempt from it."""
    left = rest(task)
    unknown = [each for each in task.targets if not each.result]
    if not (left or unknown or seen.unreadable):
        return None
    return _errors.still_not_enforced(
        len(left) + len(unknown), len(task.targets), len(seen.unreadable), encrypted(left)
    )


def rows(task: Task, started: bool) -> list[dict[str, Any]]:
    """A row for each registry that the assignment governs in the scope."""
    return [
        {
            "id": each.id,
            "name": each.resource["name"],
            "resourceGroup": each.id.split("/")[4],
            "subscriptionId": each.id.split("/")[2],
            "previousStatus": each.before,
            "status": each.after or each.before,
            "result": each.result or "planned",
            "reason": each.reason,
            "customerManagedKey": registry.is_encrypted(each.resource),
            "assignment": task.rule.assignment,
            "remediation": task.name if started else None,
        }
        for each in task.targets
    ]


def summary(task: Task) -> list[str]:
    """A line for people with the numbers, and one with the registries that are for `enforce`."""
    counted = {word: sum(each.result == word for each in task.targets) for word in _RESULTS}
    numbers = ", ".join(f"{number} {word}" for word, number in counted.items() if number)
    lines = [f"{_errors.registries(len(task.targets))} governed by {task.rule.name}: {numbers or 'none'}"]
    names = encrypted(rest(task))
    return lines + ([f"  {_errors.encrypted_registries(names)}"] if names else [])

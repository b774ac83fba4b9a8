"""What Azure Policy has seen (its policy states) next to the status the registries have now.

Policy states are the outcome of the last evaluation: after a write they lag by a quarter of an hour and more, and a new
assignment is evaluated within half an hour; `run_evaluation` asks for it. Wire format:
``POST {scope}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`` with the query in the query string
and no body, answered in pages with ``@odata.nextLink``, which are asked for with POST, too; IDs are lower-cased.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import arm_path
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.foreign_json import UnexpectedShape, as_name, as_text, find_text
from azext_acrscope.base.polling import Polling
from azext_acrscope.base.resource_ids import management_group_name, name_in_id, parse_resource_id
from azext_acrscope.fleet import summary as fleet_summary
from azext_acrscope.fleet.summary import Fleet
from azext_acrscope.policy import definitions, errors
from azext_acrscope.policy.effective_rules import EffectiveRules, PolicyRule
from azext_acrscope.policy.refusals import ASSIGNER_ROLE, READER_ROLE, refusal_error
from azext_acrscope.policy.scopes import PolicyScope, resource_group_scope, scope_contains, subscription_scope
from azext_acrscope.registry import resource as registry_resource

STATES_API_VERSION = "2019-10-01"
_LATEST_STATES_PATH = "/providers/Microsoft.PolicyInsights/policyStates/latest"
COMPLIANT, NON_COMPLIANT, EXEMPT = "Compliant", "NonCompliant", "Exempt"
NOT_GOVERNED, NOT_EVALUATED = "NotGoverned", "NotEvaluated"
# The first of these that a registry has under any rule is what it is said to be.
_WORST_FIRST = (NON_COMPLIANT, NOT_EVALUATED, COMPLIANT, EXEMPT)


@dataclass(frozen=True)
class PolicyState:
    """One registry under one rule, as of the last evaluation.

    :ivar state: Azure's word: Compliant, NonCompliant, Exempt, or a rarer one.
    """

    registry: str
    key: tuple[str, str]
    state: str
    evaluated: str


def read_states(arm: ArmClient, scope: PolicyScope) -> tuple[list[PolicyState], list[str]]:
    """Return the policy states of the two definitions at a scope: a request for each thousand. And a sentence on those
    that cannot be read.

    :raises ForbiddenError: naming the role to ask for.
    :raises AzureResponseError: an answer is no page of policy states.
    """
    names = " or ".join(f"policyDefinitionName eq '{name_in_id(each)}'" for each in definitions.DEFAULT_EFFECTS)
    wanted = "resourceId,policyAssignmentId,policyDefinitionReferenceId,complianceState,timestamp"
    try:
        rows = arm.posted_pages(
            arm_path(f"{{scope}}{_LATEST_STATES_PATH}/queryResults", scope=scope.path),
            STATES_API_VERSION,
            **{"$filter": names, "$select": wanted},
        )
    except ArmError as error:
        raise refusal_error(error, scope, "read policy states", READER_ROLE) from error
    states, odd = list[PolicyState](), 0
    for row in rows:
        try:
            states.append(_parse_state(row))
        except UnexpectedShape:
            odd += 1
    return states, errors.items_unread(odd, "policy state")


def _parse_state(row: dict[str, Any]) -> PolicyState:
    resource, assignment, state = (
        as_name(row.get(name)) for name in ("resourceId", "policyAssignmentId", "complianceState")
    )
    reference = as_text(row.get("policyDefinitionReferenceId")).lower()
    return PolicyState(resource.lower(), (assignment.lower(), reference), state, as_text(row.get("timestamp")))


# --- an evaluation on demand ---------------------------------------------------------------------------------------


def run_evaluation(arm: ArmClient, wanted: list[PolicyScope], timeout: float, sleep: Callable[[float], None]) -> None:
    """Have subscriptions or resource groups evaluated, and wait for the end; all are under way together.

    :raises ForbiddenError: naming the role to ask for.
    :raises AzureResponseError: it did not end in time.
    :raises ManualInterrupt: Ctrl-C; the evaluation goes on.
    """
    try:
        running = {place: _trigger_evaluation(arm, place) for place in wanted}
        polling = Polling(timeout, sleep)
        while running := {place: link for place, link in running.items() if not _is_evaluation_done(arm, place, link)}:
            if not polling.wait():
                raise errors.evaluation_too_slow(next(iter(running)).text, timeout)
    except KeyboardInterrupt:
        raise errors.evaluation_goes_on(wanted[0].text) from None


def _trigger_evaluation(arm: ArmClient, place: PolicyScope) -> str:
    """Ask for an evaluation: 202 with a Location to look at."""
    try:
        reply = arm.post(
            arm_path(f"{{scope}}{_LATEST_STATES_PATH}/triggerEvaluation", scope=place.path), STATES_API_VERSION
        )
    except ArmError as error:
        raise refusal_error(error, place, "start an evaluation of Azure Policy", ASSIGNER_ROLE) from error
    link = str(reply.headers.get("Location") or "")
    if not arm.owns(link):
        raise errors.not_a_policy_answer("the evaluation")
    return link


def _is_evaluation_done(arm: ArmClient, place: PolicyScope, link: str) -> bool:
    """A look at an evaluation: 202 while it is under way, then 200 with ``{"status": "Succeeded"}``."""
    try:
        reply = arm.follow(link)
    except ArmError as error:
        raise refusal_error(error, place, "follow an evaluation", ASSIGNER_ROLE) from error
    state = find_text(reply.body, "status")
    if reply.status == 202:
        return False
    if state.lower() in ("failed", "canceled", "cancelled"):
        raise errors.evaluation_failed(place.text, state)
    if state.lower() != "succeeded":
        raise errors.not_a_policy_answer("the evaluation")
    return True


# --- side by side --------------------------------------------------------------------------------------------------


def compliance_result(
    scope: PolicyScope, found: EffectiveRules, seen: Fleet, known: list[PolicyState], audience: str
) -> dict[str, Any]:
    """Return the result of `az acr scope policy show`: ``{scope, assignments[], registries[]}``."""
    by_registry: dict[str, dict[tuple[str, str], PolicyState]] = {}
    for state in known:
        by_registry.setdefault(state.registry, {})[state.key] = state
    rows = [
        _registry_row(
            fleet_summary.fleet_row(each, seen, audience), found, by_registry.get(str(each["id"]).lower(), {})
        )
        for each in seen.registries
    ]
    return {
        "scope": scope.path,
        "assignments": [_assignment_row(rule, _is_inherited(rule, scope, found), rows) for rule in found.rules],
        "registries": rows,
    }


def _assignment_row(rule: PolicyRule, inherited: bool, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the two definitions as assigned; of an initiative, each member that is one of them."""
    under = [
        each for row in rows for each in row["assignments"] if (each["id"], each["reference"]) == _assignment_key(rule)
    ]
    return {
        "id": rule.assignment,
        "name": rule.name,
        "displayName": rule.display_name,
        "scope": rule.scope,
        "inherited": inherited,
        "effect": rule.effect,
        "enforcementMode": "Default" if rule.enforced else "DoNotEnforce",
        "definitionId": rule.definition,
        "initiativeId": rule.initiative or None,
        "reference": rule.reference or None,
        "notScopes": list(rule.not_scopes),
        "registries": len(under),
        "exempt": sum(each["exempt"] for each in under),
        "nonCompliant": sum(each["compliance"] == NON_COMPLIANT for each in under),
    }


def _is_inherited(rule: PolicyRule, scope: PolicyScope, found: EffectiveRules) -> bool:
    """Whether it is assigned above the scope."""
    group = management_group_name(rule.scope)
    if group:
        return group in found.above and rule.scope.lower() != scope.path.lower()
    return not (scope.management_group or scope_contains(scope.path, rule.scope))


def _assignment_key(rule: PolicyRule) -> tuple[str, str | None]:
    return rule.assignment, rule.reference or None


def registry_policies(found: EffectiveRules, registry_id: str) -> list[dict[str, Any]]:
    """Return the rules over one registry, for `az acr scope show --policy`."""
    return [
        {
            "id": rule.assignment,
            "name": rule.name,
            "effect": rule.effect,
            "enforcementMode": "Default" if rule.enforced else "DoNotEnforce",
            "exempt": found.exempt(rule, registry_id),
        }
        for rule in found.over(registry_id)
    ]


def _registry_row(
    described: dict[str, Any], found: EffectiveRules, mine: dict[tuple[str, str], PolicyState]
) -> dict[str, Any]:
    """A registry: its status now, what Azure Policy has seen of it, and whether the two go together."""
    over = found.over(described["id"])
    under = [
        _registry_assignment_row(rule, found.exempt(rule, described["id"]), mine.get(rule.key), described["status"])
        for rule in over
    ]
    counting = [each for each in under if each["effect"] != "disabled"]
    said = [each["compliance"] for each in counting]
    worst = next((each for each in (*_WORST_FIRST, *said) if each in said), NOT_GOVERNED)
    disagreements = [each["disagreement"] for each in counting if each["disagreement"]]
    return {
        **{name: described[name] for name in ("id", "name", "resourceGroup", "subscriptionId", "subscriptionName")},
        "loginServer": described["loginServer"],
        "status": described["status"],
        "statusIsDefault": described["statusIsDefault"],
        "compliance": worst,
        "disagreement": disagreements[0] if disagreements else None,
        "assignments": under,
    }


def _registry_assignment_row(rule: PolicyRule, exempt: bool, state: PolicyState | None, status: str) -> dict[str, Any]:
    """A rule as it is about one registry. Both definitions count a registry as compliant if it is `disabled`."""
    compliance = state.state if state else NOT_EVALUATED
    return {
        "id": rule.assignment,
        "name": rule.name,
        "reference": rule.reference or None,
        "effect": rule.effect,
        "enforcementMode": "Default" if rule.enforced else "DoNotEnforce",
        "exempt": exempt,
        "compliance": compliance,
        "evaluatedOn": state.evaluated if state else None,
        "disagreement": _find_disagreement(compliance, exempt, status),
    }


def _find_disagreement(compliance: str, exempt: bool, status: str) -> str | None:
    if compliance == NOT_EVALUATED or status == registry_resource.UNKNOWN:
        return None
    now = EXEMPT if exempt else COMPLIANT if status == registry_resource.DISABLED else NON_COMPLIANT
    if compliance not in (COMPLIANT, NON_COMPLIANT, EXEMPT) or compliance == now:
        return None
    is_now = "exempt" if exempt else f"`{status}`"
    return f"Azure Policy reports {compliance}, but it is now {is_now}"


def compliance_summary(result: dict[str, Any], known: list[PolicyState], live: bool) -> list[str]:
    """Return lines for people: what governs, what is compliant, and how fresh that is."""
    rows = result["registries"]
    lines = [_describe_assignment(each) for each in result["assignments"]] or [
        "No assignment of the two definitions applies here."
    ]
    by_state = {state: sum(row["compliance"] == state for row in rows) for state in sorted(_compliance_words(rows))}
    counted = ", ".join(f"{number} {state}" for state, number in by_state.items())
    lines.append(f"In scope: {base_errors.registries(len(rows))}" + (f": {counted}" if counted else ""))
    strangers = len({each.registry for each in known} - {str(row["id"]).lower() for row in rows})
    if strangers:
        lines.append(f"  Azure Policy has states of {base_errors.registries(strangers)} outside this scope or deleted.")
    if not live:
        lines.append("  Statuses are from Resource Graph, up to minutes old. Use --live for current ones.")
    return lines


def compliance_warnings(result: dict[str, Any], found: EffectiveRules, seen: Fleet, unread: list[str]) -> list[str]:
    """Return warnings: which states disagree with the registries, and what could not be read.

    :param unread: sentences on the states that could not be.
    """
    differ = sum(row["disagreement"] is not None for row in result["registries"])
    lines = [errors.states_lag(differ)] if differ else []
    return [*lines, *fleet_summary.unread_lines(seen.unreadable), *seen.incomplete, *found.incomplete, *unread]


def _describe_assignment(each: dict[str, Any]) -> str:
    initiative = f", in initiative {name_in_id(each['initiativeId'])}" if each["initiativeId"] else ""
    mode = "" if each["enforcementMode"] == "Default" else f" ({each['enforcementMode']})"
    inherited = ", inherited" if each["inherited"] else ""
    return f"{each['name']}: {each['effect']}{mode} at {each['scope']}{inherited}{initiative}"


def _compliance_words(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {row["compliance"] for row in rows}


def evaluation_scopes(seen: Fleet, scope: PolicyScope) -> list[PolicyScope]:
    """Return what to have evaluated for a scope, which must be a subscription or a resource group: a management group's
    subscriptions, a registry's group.
    """
    if scope.management_group:
        return [subscription_scope(each, name) for each, name in seen.subscriptions.items()]
    parts = parse_resource_id(scope.path)
    if parts.resource_group:
        return [resource_group_scope(parts.subscription, parts.resource_group)]
    return [scope]

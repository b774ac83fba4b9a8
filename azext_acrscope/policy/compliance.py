"""What Azure Policy has seen (its policy states) next to the status the registries have now.

Policy states are the outcome of the last evaluation: after a write they lag by a quarter of an hour and more, and a new
assignment is evaluated within half an hour; `evaluate` asks for it. Wire format:
``POST {scope}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`` with the query in the query string
and no body, answered in pages with ``@odata.nextLink``, which are asked for with POST, too; IDs are lower-cased.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azext_acrscope import _errors, fleet, registry
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.arm_paths import arm_path
from azext_acrscope.fleet import Fleet
from azext_acrscope.policy import definitions
from azext_acrscope.policy.governing import Governance, Rule, management_group
from azext_acrscope.policy.refusals import TO_ASSIGN, TO_READ, refused
from azext_acrscope.policy.scopes import PolicyScope, contains, of_group, of_subscription

STATES_API_VERSION = "2019-10-01"
_STATES = "/providers/Microsoft.PolicyInsights/policyStates/latest"
COMPLIANT, NON_COMPLIANT, EXEMPT = "Compliant", "NonCompliant", "Exempt"
NOT_GOVERNED, NOT_EVALUATED = "NotGoverned", "NotEvaluated"
# The first of these that a registry has under any rule is what it is said to be.
_WORST_FIRST = (NON_COMPLIANT, NOT_EVALUATED, COMPLIANT, EXEMPT)
_FIRST_LOOK_SECONDS, _SLOWEST_LOOK_SECONDS = 1.0, 15.0


@dataclass(frozen=True)
class State:
    """One registry under one rule, as of the last evaluation.

    :ivar state: Azure's word: Compliant, NonCompliant, Exempt, or a rarer one.
    """

    registry: str
    key: tuple[str, str]
    state: str
    evaluated: str


def states(arm: Arm, scope: PolicyScope) -> list[State]:
    """The policy states of the two definitions at a scope: a request for each thousand.

    :raises ForbiddenError: naming the role to ask for.
    :raises AzureResponseError: an answer is no page of policy states.
    """
    names = " or ".join(f"policyDefinitionName eq '{each.split('/')[-1]}'" for each in definitions.DEFAULT_EFFECTS)
    wanted = "resourceId,policyAssignmentId,policyDefinitionReferenceId,complianceState,timestamp"
    try:
        rows = arm.posted_pages(
            arm_path(f"{{scope}}{_STATES}/queryResults", scope=scope.path),
            STATES_API_VERSION,
            **{"$filter": names, "$select": wanted},
        )
    except ArmError as error:
        raise refused(error, scope, "read policy states", TO_READ) from error
    return [state for row in rows if (state := _state(row))]


def _state(row: dict[str, Any]) -> State | None:
    members = [row.get(name) for name in ("resourceId", "policyAssignmentId", "complianceState")]
    if not all(isinstance(each, str) and each for each in members):
        return None
    resource, assignment, state = map(str, members)
    reference = str(row.get("policyDefinitionReferenceId") or "").lower()
    return State(resource.lower(), (assignment.lower(), reference), state, str(row.get("timestamp") or ""))


# --- an evaluation on demand ---------------------------------------------------------------------------------------


def evaluate(arm: Arm, wanted: list[PolicyScope], timeout: float, sleep: Callable[[float], None]) -> None:
    """Have subscriptions or resource groups evaluated, and wait for the end; all are under way together.

    :raises ForbiddenError: naming the role to ask for.
    :raises AzureResponseError: it did not end in time.
    :raises ManualInterrupt: Ctrl-C; the evaluation goes on.
    """
    try:
        running = {place: _trigger(arm, place) for place in wanted}
        deadline, pause = time.monotonic() + timeout, _FIRST_LOOK_SECONDS
        while running := {place: link for place, link in running.items() if not _ended(arm, place, link)}:
            if time.monotonic() > deadline:
                raise _errors.evaluation_too_slow(next(iter(running)).text, timeout)
            sleep(pause)
            pause = min(pause * 2, _SLOWEST_LOOK_SECONDS)
    except KeyboardInterrupt:
        raise _errors.evaluation_goes_on(wanted[0].text) from None


def _trigger(arm: Arm, place: PolicyScope) -> str:
    """Ask for an evaluation: 202 with a Location to look at; empty if it is over at once."""
    try:
        reply = arm.post(arm_path(f"{{scope}}{_STATES}/triggerEvaluation", scope=place.path), STATES_API_VERSION)
    except ArmError as error:
        raise refused(error, place, "have Azure Policy evaluate what is there", TO_ASSIGN) from error
    link = str(reply.headers.get("Location") or "")
    if reply.status == 202 and not urlsplit(link).netloc:
        raise _errors.not_a_policy_answer("an evaluation")
    return link


def _ended(arm: Arm, place: PolicyScope, link: str) -> bool:
    """A look at an evaluation: 202 while it is under way, then 200 with ``{"status": "Succeeded"}``."""
    if not link:
        return True
    try:
        reply = arm.follow(link)
    except ArmError as error:
        raise refused(error, place, "follow an evaluation", TO_ASSIGN) from error
    state = str(reply.body.get("status")) if isinstance(reply.body, dict) else "Succeeded"
    if reply.status == 200 and state.lower() in ("failed", "canceled", "cancelled"):
        raise _errors.evaluation_failed(place.text, state)
    return reply.status != 202


# --- side by side --------------------------------------------------------------------------------------------------


def report(scope: PolicyScope, found: Governance, seen: Fleet, known: list[State], audience: str) -> dict[str, Any]:
    """What `az acr scope policy show` prints: ``{scope, assignments[], registries[]}``; see `_assignment`, `_row`."""
    by_registry: dict[str, dict[tuple[str, str], State]] = {}
    for state in known:
        by_registry.setdefault(state.registry, {})[state.key] = state
    rows = [
        _row(fleet.row(each, seen, audience), found, by_registry.get(str(each["id"]).lower(), {}))
        for each in seen.registries
    ]
    return {
        "scope": scope.path,
        "assignments": [_assignment(rule, _inherited(rule, scope, found), rows) for rule in found.rules],
        "registries": rows,
    }


def _assignment(rule: Rule, inherited: bool, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the two definitions as assigned; of an initiative, each member that is one of them."""
    under = [each for row in rows for each in row["assignments"] if (each["id"], each["reference"]) == _key(rule)]
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


def _inherited(rule: Rule, scope: PolicyScope, found: Governance) -> bool:
    """Whether it is assigned above the scope."""
    group = management_group(rule.scope)
    if group:
        return group in found.above and rule.scope.lower() != scope.path.lower()
    return not (scope.management_group or contains(scope.path, rule.scope))


def _key(rule: Rule) -> tuple[str, str | None]:
    return rule.assignment, rule.reference or None


def over(found: Governance, registry_id: str) -> list[dict[str, Any]]:
    """The rules over one registry, for `az acr scope show --policy`."""
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


def _row(described: dict[str, Any], found: Governance, mine: dict[tuple[str, str], State]) -> dict[str, Any]:
    """A registry: its status now, what Azure Policy has seen of it, and whether the two go together."""
    over = found.over(described["id"])
    under = [
        _under(rule, found.exempt(rule, described["id"]), mine.get(rule.key), described["status"]) for rule in over
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


def _under(rule: Rule, exempt: bool, state: State | None, status: str) -> dict[str, Any]:
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
        "disagreement": _disagreement(compliance, exempt, status),
    }


def _disagreement(compliance: str, exempt: bool, status: str) -> str | None:
    if compliance == NOT_EVALUATED or status == fleet.UNKNOWN:
        return None
    now = EXEMPT if exempt else COMPLIANT if status == registry.DISABLED else NON_COMPLIANT
    if compliance not in (COMPLIANT, NON_COMPLIANT, EXEMPT) or compliance == now:
        return None
    is_now = "exempt" if exempt else f"`{status}`"
    return f"Azure Policy has seen it as {compliance}; it is {is_now} now"


def summary(result: dict[str, Any], found: Governance, seen: Fleet, known: list[State], live: bool) -> list[str]:
    """Lines for people: what governs, what is compliant, what disagrees, what could not be read."""
    rows = result["registries"]
    lines = [_assigned(each) for each in result["assignments"]] or [
        "No assignment of the two definitions governs this."
    ]
    by_state = {state: sum(row["compliance"] == state for row in rows) for state in sorted(_names(rows))}
    counted = ", ".join(f"{number} {state}" for state, number in by_state.items())
    lines.append(f"In view: {_errors.registries(len(rows))}" + (f": {counted}" if counted else ""))
    differ = sum(row["disagreement"] is not None for row in rows)
    if differ:
        lines.append(
            f"  {_errors.registries(differ)} whose status is not what Azure Policy has seen: its states lag, and "
            "--refresh has them renewed."
        )
    strangers = len({each.registry for each in known} - {str(row["id"]).lower() for row in rows})
    if strangers:
        lines.append(f"  Azure Policy has states of {_errors.registries(strangers)} that are not in view (any more).")
    if not live:
        lines.append(
            "  Statuses are Resource Graph's, which lags by up to minutes; --live asks for those of this moment."
        )
    return lines + [f"  {text}" for text in [*fleet.unread(seen.unreadable), *seen.incomplete, *found.incomplete]]


def _assigned(each: dict[str, Any]) -> str:
    initiative = f", in initiative {each['initiativeId'].split('/')[-1]}" if each["initiativeId"] else ""
    mode = "" if each["enforcementMode"] == "Default" else f" ({each['enforcementMode']})"
    inherited = ", inherited" if each["inherited"] else ""
    return f"{each['name']}: {each['effect']}{mode} at {each['scope']}{inherited}{initiative}"


def _names(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {row["compliance"] for row in rows}


def places(seen: Fleet, scope: PolicyScope) -> list[PolicyScope]:
    """What to have evaluated for a scope, which must be a subscription or a resource group: a management group's
    subscriptions, a registry's group.
    """
    if scope.management_group:
        return [of_subscription(each, name) for each, name in seen.subscriptions.items()]
    parts = scope.path.split("/")
    if len(parts) > 5:
        return [of_group(parts[2], parts[4])]
    return [scope]

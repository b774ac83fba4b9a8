"""Microsoft.PolicyInsights: policy states, evaluations on demand, remediations.

Recorded: the shapes and headers; that queryResults shows @odata.nextLink only where no $top was asked; that a poll of
an evaluation answers 202 with its own Location and without Retry-After. Rights are checked by the names that Azure
lists for its operations.
"""

from __future__ import annotations

import datetime
from typing import Any

from tests.localcloud.arm import errors
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.arm.paging import page
from tests.localcloud.arm.policy import odata
from tests.localcloud.arm.policy.odata import BadQuery
from tests.localcloud.arm.scoped_calls import Call, query
from tests.localcloud.base.messages import Answer, json_answer
from tests.localcloud.world import scopes
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.policy.remediations import ACTIVE, Remediation
from tests.localcloud.world.policy.states import State, detailed

_PROVIDER = "Microsoft.PolicyInsights"
_STATES = ("2018-04-04", "2018-07-01-preview", "2019-10-01", "2024-10-01")
_REMEDIATIONS = ("2018-07-01-preview", "2019-07-01", "2021-10-01", "2024-10-01")
_PAGE = 100
"""Of remediations (recorded) and of their deployments."""


def answer(call: Call) -> Answer:
    """Answers a path whose last provider is Microsoft.PolicyInsights."""
    names = call.names
    if names[:1] == ["remediations"]:
        _known_version(call.version, "remediations", _REMEDIATIONS)
        found = _remediations(call)
    else:
        _known_version(call.version, "policyStates", _STATES)
        found = _states(call)
    # Recorded: 149 on the first request of a while, less on others; the limit itself is not modelled.
    found.headers.setdefault("x-ms-ratelimit-remaining-policy-insights-requests", "149")
    return found


def _known_version(version: str, kind: str, known: tuple[str, ...]) -> None:
    if version not in known:
        raise errors.unknown_api_version(version, kind, known)


def _states(call: Call) -> Answer:
    names = call.names
    if names[:1] == ["asyncoperationresults"] and len(names) == 2 and call.method == "GET":
        return _poll(call, call.rest[1])
    if len(names) != 3 or names[0] != "policystates" or names[1] not in ("latest", "default"):
        raise call.not_here()
    if call.method != "POST":
        raise errors.method_not_allowed(call.method)
    if names[2] == "triggerevaluation" and names[1] == "latest":
        return _trigger(call)
    if names[2] not in ("queryresults", "summarize"):
        raise call.not_here()
    word = "queryResults" if names[2] == "queryresults" else "summarize"
    call.demand(f"{_PROVIDER}/policyStates/{word}/read")
    try:
        return _query(call) if word == "queryResults" else _summarize(call)
    except (BadQuery, TypeError) as error:
        # Not recorded.
        raise ArmError(400, "InvalidFilterInPolicyStatesQuery", f"The query is invalid: {error}.") from error


# queryResults


def _context(call: Call, what: str) -> str:
    return f"https://management.azure.com{call.scope}/providers/{_PROVIDER}/policyStates/$metadata#{what}"


def _found(call: Call) -> list[State]:
    found = call.world.policy_states.at(call.scope)
    text = query(call.request, "$filter")
    if text:
        test = odata.Filter(text)
        found = [state for state in found if test(state.row)]
    # Really the last day counts unless a request says; states here never grow too old to show.
    since, until = query(call.request, "$from"), query(call.request, "$to")
    if since is not None:
        found = [state for state in found if _seconds(state.row["timestamp"]) >= _seconds(since)]
    if until is not None:
        found = [state for state in found if _seconds(state.row["timestamp"]) <= _seconds(until)]
    return found


def _seconds(text: str) -> float:
    try:
        return scopes.moment(text)
    except ValueError as error:
        raise BadQuery(text) from error


def _query(call: Call) -> Answer:
    request, states = call.request, _found(call)
    if "policyevaluationdetails" in (query(request, "$expand") or "").lower():
        rows = [{**state.row, **detailed(state)} for state in states]
    else:
        rows = [state.row for state in states]
    for name, change in (("$apply", odata.applied), ("$orderby", odata.ordered), ("$select", odata.selected)):
        text = query(request, name)
        if text:
            rows = change(rows, text)
    top = query(request, "$top")
    head: dict[str, Any] = {}
    if top is not None:
        rows = rows[: _whole(top)]
    else:
        shown, link = page(rows, request, call.world.policy_states.page_size, 0)
        rows, head = list(shown), {"@odata.nextLink": link}
    entity = _context(call, "latest/$entity")
    value = [{"@odata.id": None, "@odata.context": entity, **row} for row in rows]
    body = {**head, "@odata.context": _context(call, "latest"), "@odata.count": len(value), "value": value}
    return json_answer(200, body)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise BadQuery(f"$top {text}")
    return int(text)


# summarize

_WEIGHT = {"noncompliant": 3, "compliant": 2, "exempt": 1}


def _summarize(call: Call) -> Answer:
    """All states under the scope, and by assignment and definition. Recorded with a filter only: what counts below the
    list of assignments ($top) are those without compliance first is assumed.
    """
    states = _found(call)
    text = query(call.request, "$filter")
    groups: dict[str, list[State]] = {}
    for state in states:
        groups.setdefault(state.row["policyAssignmentId"], []).append(state)
    worst_first = sorted(groups.items(), key=lambda item: -len(_resources(item[1], "noncompliant")))
    top = query(call.request, "$top")
    if top is not None:
        worst_first = worst_first[: _whole(top)]
    uri = _results_uri(call, text)
    entry = {
        "@odata.id": None,
        "@odata.context": _context(call, "summary/$entity"),
        "results": _results(states, uri),
        "policyAssignments": [_by_assignment(name, found, uri) for name, found in worst_first],
    }
    body = {"@odata.context": _context(call, "summary"), "@odata.count": 1, "value": [entry]}
    return json_answer(200, body)


def _results_uri(call: Call, text: str | None) -> str:
    where = f"https://management.azure.com{call.scope}/providers/{_PROVIDER}/policyStates/latest/queryResults"
    now = datetime.datetime.fromtimestamp(call.world.now(), datetime.timezone.utc).replace(microsecond=0)
    before = now - datetime.timedelta(days=1)
    since = query(call.request, "$from") or before.isoformat(" ").replace("+00:00", "Z")
    until = query(call.request, "$to") or now.isoformat(" ").replace("+00:00", "Z")
    only = f"({text})" if text else "IsCompliant eq false"
    return f"{where}?api-version=2019-10-01&$from={since}&$to={until}&$filter={only}"


def _resources(states: list[State], wanted: str) -> set[str]:
    """The resources whose worst state is the wanted one."""
    worst: dict[str, str] = {}
    for state in states:
        name, found = state.row["resourceId"], state.row["complianceState"].lower()
        if _WEIGHT[found] > _WEIGHT.get(worst.get(name, ""), 0):
            worst[name] = found
    return {name for name, found in worst.items() if found == wanted}


def _policies(states: list[State], wanted: str) -> set[tuple[str, str]]:
    return {
        (state.row["policyAssignmentId"], state.row["policyDefinitionReferenceId"] or state.row["policyDefinitionId"])
        for state in states
        if state.row["complianceState"].lower() == wanted
    }


def _results(states: list[State], uri: str, with_policies: bool = True) -> dict[str, Any]:
    failing = _policies(states, "noncompliant")
    counts = [(name, len(_resources(states, name))) for name in ("compliant", "noncompliant", "exempt")]
    found: dict[str, Any] = {
        "queryResultsUri": uri,
        "nonCompliantResources": len(_resources(states, "noncompliant")),
    }
    if with_policies:
        found["nonCompliantPolicies"] = len(failing)
    passing = _policies(states, "compliant") - failing
    policies = [("compliant", len(passing)), ("noncompliant", len(failing))]
    return found | {
        "resourceDetails": [{"complianceState": name, "count": count} for name, count in counts if count],
        "policyDetails": [{"complianceState": name, "count": count} for name, count in policies if count],
        "policyGroupDetails": [],
    }


def _by_assignment(name: str, states: list[State], uri: str) -> dict[str, Any]:
    uri = f"{uri} and PolicyAssignmentId eq '{name}'"
    definitions: dict[tuple[str, str], list[State]] = {}
    for state in states:
        key = state.row["policyDefinitionReferenceId"], state.row["policyDefinitionId"]
        definitions.setdefault(key, []).append(state)
    return {
        "policyAssignmentId": name,
        "policySetDefinitionId": states[0].row["policySetDefinitionId"],
        "results": _results(states, uri),
        "policyDefinitions": [
            {
                "policyDefinitionGroupNames": found[0].row["policyDefinitionGroupNames"],
                "policyDefinitionReferenceId": reference,
                "policyDefinitionId": definition,
                "effect": found[0].row["policyDefinitionAction"],
                "results": _results(found, f"{uri} and PolicyDefinitionId eq '{definition}'", False),
            }
            for (reference, definition), found in definitions.items()
        ],
        "policyGroups": [],
    }


# triggerEvaluation


def _trigger(call: Call) -> Answer:
    if scopes.subscription(call.scope) is None or len(call.scope.strip("/").split("/")) > 4:
        raise call.not_here()
    call.demand(f"{_PROVIDER}/policyStates/triggerEvaluation/action")
    call.check_scope()
    return _pending(call, call.world.policy_states.trigger(call.scope), {_EVALUATIONS: "9"})


_EVALUATIONS = "x-ms-ratelimit-remaining-subscription-resource-requests"


def _pending(call: Call, name: str, more: dict[str, str] | None = None) -> Answer:
    owner = "/".join(call.scope.split("/")[:3])
    link = (
        f"https://management.azure.com{owner}/providers/{_PROVIDER}/asyncOperationResults/{name}?api-version=2019-10-01"
    )
    return Answer(202, b"", {"Location": link, **(more or {})})


def _poll(call: Call, name: str) -> Answer:
    call.demand(f"{_PROVIDER}/asyncOperationResults/read")
    ended = call.world.policy_states.poll(name)
    if ended is None:
        raise ArmError(404, "NotFound", f"The operation '{name}' was not found.")
    return json_answer(200, {"status": "Succeeded"}) if ended else _pending(call, name)


# Remediations


def _remediations(call: Call) -> Answer:
    names = call.names
    if len(names) == 1:
        if call.method != "GET":
            raise errors.method_not_allowed(call.method)
        call.demand(f"{_PROVIDER}/remediations/read")
        return _page_of(call, [one.shown() for one in call.world.remediations.under(call.scope)])
    below = f"/providers/{_PROVIDER}/remediations/{call.rest[1]}"
    if len(names) == 3 and call.method == "POST" and names[2] in ("cancel", "listdeployments"):
        verb = "cancel/action" if names[2] == "cancel" else "listDeployments/read"
    elif len(names) == 2:
        verb = {"GET": "read", "PUT": "write", "DELETE": "delete"}.get(call.method, "")
    else:
        verb = ""
    if not verb:
        raise errors.method_not_allowed(call.method)
    call.demand(f"{_PROVIDER}/remediations/{verb}", below)
    call.check_scope()
    task = call.world.remediations.find(call.scope + below)
    if verb == "write":
        return _create(call, call.rest[1], task)
    if task is None:
        if verb == "delete":
            return Answer(204)
        # Not recorded.
        raise ArmError(404, "RemediationNotFound", f"The remediation '{call.rest[1]}' could not be found.")
    return _on(call, task, verb)


def _on(call: Call, task: Remediation, verb: str) -> Answer:
    known = call.world.remediations
    if verb == "listDeployments/read":
        return _page_of(call, [one.shown() for one in task.deployments])
    if verb == "cancel/action":
        if task.state not in ACTIVE:
            # Not recorded.
            message = f"The request to cancel remediation '{task.name}' is invalid. The remediation is not active."
            raise ArmError(400, "InvalidCancelRemediationRequest", message)
        known.cancel(task)
        task.system_data = call.system_data(task.system_data)
    elif verb == "delete":
        if task.state in ACTIVE:
            # The code and "must be in a terminal provisioning state" are known from clients.
            raise ArmError(
                400,
                "InvalidDeleteRemediationRequest",
                f"The request to delete remediation '{task.name}' is invalid. The remediation must be in a terminal "
                "provisioning state.",
            )
        known.remove(task)
    else:
        known.poll(task)
    return json_answer(200, task.shown())


def _page_of(call: Call, items: list[dict[str, Any]]) -> Answer:
    top = query(call.request, "$top")
    if top is not None and top.isdecimal():
        items = items[: int(top)]
    found, link = page(items, call.request, _PAGE, 0)
    return json_answer(200, {"value": list(found), **({"nextLink": link} if link else {})})


def _invalid(name: str, reason: str) -> ArmError:
    """Code and beginning of the text are known from clients' output, for several reasons."""
    return ArmError(
        400, "InvalidCreateRemediationRequest", f"The request to create remediation '{name}' is invalid. {reason}"
    )


def _create(call: Call, name: str, before: Remediation | None) -> Answer:
    properties = call.content().get("properties") or {}
    assignment = call.world.policies.assignment(str(properties.get("policyAssignmentId") or ""))
    if assignment is None:
        # Not recorded.
        wanted = properties.get("policyAssignmentId")
        raise _invalid(name, f"The policy assignment '{wanted}' could not be found.")
    if before is not None and before.state in ACTIVE:
        raise ArmError(
            400,
            "InvalidUpdateRemediationRequest",
            f"The request to update remediation '{name}' is invalid. A remediation may not be changed or replaced "
            "while it is active.",
        )
    now = call.world.now()
    filters = properties.get("filters") or {}
    locations = filters.get("locations")
    task = Remediation(
        call.scope,
        before.name if before else name,
        assignment.id,
        now,
        now,
        reference_id=str(properties.get("policyDefinitionReferenceId") or ""),
        mode=str(properties.get("resourceDiscoveryMode") or "ExistingNonCompliant"),
        locations=None if locations is None else tuple(locations),
        resource_ids=tuple(filters.get("resourceIds") or ()),
        resource_count=properties.get("resourceCount"),
        parallel=properties.get("parallelDeployments"),
        threshold=(properties.get("failureThreshold") or {}).get("percentage"),
        system_data=call.system_data(),
    )
    _check(call, task, assignment)
    call.world.remediations.begin(task, assignment)
    return json_answer(201 if before is None else 200, task.shown())


def _check(call: Call, task: Remediation, assignment: Assignment) -> None:
    policies = call.world.policies
    if task.mode not in ("ExistingNonCompliant", "ReEvaluateCompliance"):
        raise errors.bad_content(f"resourceDiscoveryMode {task.mode}")
    if task.mode == "ReEvaluateCompliance" and scopes.subscription(task.scope) is None:
        raise _invalid(
            task.name,
            "Evaluating compliance before remediation is only supported for remediations at subscription scope and "
            "below.",
        )
    if policies.initiative(assignment.definition_id) is not None and not task.reference_id:
        raise _invalid(
            task.name,
            f"The policy assignment '{assignment.id.lower()}' assigns a policy set definition. Remediations must "
            "specify a single policy definition reference ID within the policy set definition.",
        )
    if not policies.lies_in(task.scope, assignment.scope) and not policies.lies_in(assignment.scope, task.scope):
        # Not recorded.
        raise _invalid(task.name, f"The policy assignment '{assignment.id.lower()}' does not apply to the scope.")
    if task.resource_count is not None and not 1 <= task.resource_count <= 50000:
        raise _invalid(task.name, "The resource count must be between 1 and 50000.")
    running = call.world.remediations.conflicting(task)
    if running:
        names = ", ".join(f"'{one.name}'" for one in running)
        raise _invalid(
            task.name,
            f"The following remediations: {names} are already running for policy assignment "
            f"'{assignment.id.lower()}', definition reference ID '{task.reference_id}' on a scope conflicting with "
            "requested scope.",
        )

"""Remediations: tasks that change registries as a modify definition says, each with a deployment per registry.

Recorded: one for an assignment that only audits or denies is accepted, and has succeeded at once without deployments;
one that has work is Accepted for a while, then Running with its deployments Evaluating; lower-cased ids. Not recorded:
deployments that fail, and what a task with some of those ends as (here: Failed, or as failureThreshold says).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.localcloud.world import roles, scopes
from tests.localcloud.world.identities import Principal, new_id
from tests.localcloud.world.policy.assignments import Assignment, Rule
from tests.localcloud.world.policy.rule_engine import Body, modified
from tests.localcloud.world.registries import Registry

if TYPE_CHECKING:
    from tests.localcloud.world.world import World

ACTIVE = ("Accepted", "Evaluating", "Running", "Cancelling")


@dataclass(eq=False)
class Deployment:
    resource_id: str
    location: str
    created: float
    updated: float
    status: str = "Evaluating"
    error: Body | None = None

    def shown(self) -> Body:
        """Recorded, but for `error` (documented). Of modify no deploymentId was seen."""
        return {
            "remediatedResourceId": self.resource_id.lower(),
            "status": self.status,
            "resourceLocation": self.location,
            **({"error": self.error} if self.error else {}),
            "createdOn": scopes.stamp(self.created),
            "lastUpdatedOn": scopes.stamp(self.updated),
        }


@dataclass(eq=False)
class Remediation:
    scope: str
    name: str
    assignment_id: str
    created: float
    updated: float
    state: str = "Accepted"
    reference_id: str = ""
    mode: str = "ExistingNonCompliant"
    locations: tuple[str, ...] | None = None
    resource_ids: tuple[str, ...] = ()
    resource_count: int | None = None
    parallel: int | None = None
    threshold: float | None = None
    system_data: Body = field(default_factory=dict)
    correlation_id: str = field(default_factory=new_id)
    deployments: list[Deployment] = field(default_factory=list)
    polls_left: int = 0
    ends_at: float = 0.0

    @property
    def id(self) -> str:
        return f"{self.scope}/providers/microsoft.policyinsights/remediations/{self.name}".lower()

    def count(self, status: str) -> int:
        return sum(one.status == status for one in self.deployments)

    def shown(self) -> Body:
        filters: Body = {}
        if self.locations is not None:
            filters["locations"] = list(self.locations)
        if self.resource_ids:
            filters["resourceIds"] = list(self.resource_ids)
        properties = {
            "policyAssignmentId": self.assignment_id.lower(),
            **({"policyDefinitionReferenceId": self.reference_id.lower()} if self.reference_id else {}),
            "provisioningState": self.state,
            "createdOn": scopes.stamp(self.created),
            "lastUpdatedOn": scopes.stamp(self.updated),
            **({"filters": filters} if filters else {}),
            "deploymentStatus": {
                "totalDeployments": len(self.deployments),
                "successfulDeployments": self.count("Succeeded"),
                "failedDeployments": self.count("Failed"),
            },
            "resourceDiscoveryMode": self.mode,
            "correlationId": self.correlation_id,
            **({"resourceCount": self.resource_count} if self.resource_count is not None else {}),
            **({"parallelDeployments": self.parallel} if self.parallel is not None else {}),
            **({"failureThreshold": {"percentage": self.threshold}} if self.threshold is not None else {}),
        }
        return {
            "properties": properties,
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.PolicyInsights/remediations",
            "systemData": self.system_data,
        }


class Remediations:
    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Remediation] = {}
        self.polls = 2
        """So many polls of a task with work answer Accepted before it runs (recorded: three)."""
        self.batch = 500
        """So many deployments end with each poll while the task runs."""
        self.seconds = 600.0
        """A task nobody polls ends by itself after so long."""
        self.default_count = 500
        """How many registries one task takes unless it says (documented)."""

    def find(self, identifier: str) -> Remediation | None:
        found = self._known.get(identifier.lower())
        if found is not None and found.state in ACTIVE and self._world.now() >= found.ends_at:
            self._finish(found)
        return found

    def under(self, scope: str) -> list[Remediation]:
        """The tasks at a scope and, below a subscription, under it (recorded), the newest first."""
        known = [self.find(one.id) for one in list(self._known.values())]
        return [one for one in reversed(known) if one is not None and scopes.under(one.scope, scope)]

    def conflicting(self, task: Remediation) -> list[Remediation]:
        """The running tasks for the same assignment and definition on a scope that overlaps."""
        return [
            one
            for one in self.under("")
            if one.state in ACTIVE
            and one.assignment_id.lower() == task.assignment_id.lower()
            and one.reference_id.lower() == task.reference_id.lower()
            and (
                self._world.policies.lies_in(one.scope, task.scope)
                or self._world.policies.lies_in(task.scope, one.scope)
            )
        ]

    def rule(self, assignment: Assignment, reference_id: str) -> Rule | None:
        """The definition that a task is about."""
        found = self._world.policies.rules_of(assignment)
        return next((one for one in found if one.reference_id.lower() == reference_id.lower()), None)

    def begin(self, task: Remediation, assignment: Assignment) -> Remediation:
        """Starts a task; one without work has succeeded at once."""
        self._known.pop(task.id, None)
        self._known[task.id] = task
        rule = self.rule(assignment, task.reference_id)
        found = [] if rule is None or rule.effect.lower() != "modify" else self._find(task, assignment)
        now = self._world.now()
        task.polls_left, task.ends_at = self.polls, now + self.seconds
        if not found and task.mode == "ExistingNonCompliant":
            task.state = "Succeeded"
        return task

    def _find(self, task: Remediation, assignment: Assignment) -> list[Registry]:
        wanted = assignment.id.lower()
        chosen = {one.lower() for one in task.resource_ids}
        places = None if task.locations is None else {one.lower().replace(" ", "") for one in task.locations}
        rows = [
            state.row
            for state in self._world.policy_states.at(task.scope)
            if state.row["policyAssignmentId"] == wanted
            and state.row["policyDefinitionReferenceId"] == task.reference_id.lower()
            and state.row["complianceState"] == "NonCompliant"
            and (places is None or state.row["resourceLocation"].lower() in places)
            and (not chosen or state.row["resourceId"] in chosen)
        ]
        found = (self._world.registry(row["resourceId"]) for row in rows)
        limit = self.default_count if task.resource_count is None else task.resource_count
        return [one for one in found if one is not None][:limit]

    # Progress

    def poll(self, task: Remediation) -> None:
        """One look at a task moves it on."""
        if task.state == "Cancelling":
            task.state = "Canceled"
        elif task.state in ("Accepted", "Evaluating"):
            if task.polls_left > 0:
                task.polls_left -= 1
                return
            self._start(task)
        elif task.state == "Running":
            self._work(task, self.batch)
        else:
            return
        task.updated = self._world.now()

    def _start(self, task: Remediation) -> None:
        assignment = self._world.policies.assignment(task.assignment_id)
        now = self._world.now()
        if assignment is not None:
            rule = self.rule(assignment, task.reference_id)
            if task.mode == "ReEvaluateCompliance":
                self._world.policy_states.evaluate(task.scope)
            if rule is not None and rule.effect.lower() == "modify":
                found = self._find(task, assignment)
                task.deployments = [Deployment(one.id, str(one.body["location"]), now, now) for one in found]
        task.state = "Running" if task.deployments else "Succeeded"

    def _finish(self, task: Remediation) -> None:
        task.polls_left = 0
        while task.state in ACTIVE:
            self.poll(task)

    def _work(self, task: Remediation, batch: int) -> None:
        assignment = self._world.policies.assignment(task.assignment_id)
        rule = self.rule(assignment, task.reference_id) if assignment else None
        waiting = [one for one in task.deployments if one.status == "Evaluating"]
        for deployment in waiting[:batch]:
            deployment.error = self._change(deployment, assignment, rule)
            deployment.status = "Failed" if deployment.error else "Succeeded"
            deployment.updated = self._world.now()
        if len(waiting) <= batch:
            failed = task.count("Failed") / max(1, len(task.deployments))
            task.state = "Failed" if failed > (task.threshold or 0.0) else "Succeeded"

    def cancel(self, task: Remediation) -> None:
        task.state = "Cancelling"
        task.updated = self._world.now()
        for one in task.deployments:
            if one.status == "Evaluating":
                one.status = "Canceled"

    def remove(self, task: Remediation) -> None:
        self._known.pop(task.id, None)

    def _change(self, deployment: Deployment, assignment: Assignment | None, rule: Rule | None) -> Body | None:
        """Changes one registry; the error if that fails."""
        registry = self._world.registry(deployment.resource_id)
        if assignment is None or rule is None:
            return _error("PolicyAssignmentNotFound", "The policy assignment could not be found.")
        if registry is None:
            name = deployment.resource_id.rsplit("/", 1)[-1]
            return _error("ResourceNotFound", f"The resource '{name}' was not found.")
        refused = self._refused(assignment, registry)
        if refused is not None:
            return refused
        if not rule.met(registry.body):
            return None
        body, violations = self._world.policies.enforce(
            registry.id, modified(registry.body, rule.operations, rule.parameters)
        )
        if violations:
            return _error("RequestDisallowedByPolicy", f"Resource '{registry.name}' was disallowed by policy.")
        registry.body = body
        self._world.policy_states.written(registry)
        return None

    def _refused(self, assignment: Assignment, registry: Registry) -> Body | None:
        identities = [self._world.principals.get(one) for one in assignment.principal_ids]
        known = [one for one in identities if one is not None]
        if not any(self._world.allowed(one, roles.WRITE, registry.id) for one in known):
            return _unauthorized(known[0] if known else None, registry)
        lock = self._world.lock_on(registry.id)
        if lock is not None:
            return _error(
                "ScopeLocked",
                f"The scope '{registry.id}' cannot perform write operation because following scope(s) are locked: "
                f"'{lock}'. Please remove the lock and try again.",
            )
        if (registry.properties.get("encryption") or {}).get("status") == "enabled":
            # Azure's documentation: modify remediation fails on registries with a customer-managed key. The error's
            # code and text are not recorded; these are made up.
            return _error(
                "BadRequest",
                f"The registry {registry.name} is encrypted with a customer-managed key and cannot be updated.",
            )
        return None


def _unauthorized(identity: Principal | None, registry: Registry) -> Body:
    """The text Azure Resource Manager has for it (recorded); in a deployment it was not seen."""
    client = identity.app_id if identity else "00000000-0000-0000-0000-000000000000"
    object_id = identity.object_id if identity else "00000000-0000-0000-0000-000000000000"
    return _error(
        "AuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' does not have authorization to perform action "
        f"'{roles.WRITE}' over scope '{registry.id}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
    )


def _error(code: str, message: str) -> Body:
    return {"code": code, "message": message}

"""What Azure Policy says of the registries: the outcome of the last evaluation, not of this moment.

A subscription's states are renewed by an evaluation (`World.evaluate_policies`, triggerEvaluation, a remediation that
asks for one); a single registry's also some time after it was written. Ids are lower-cased, as recorded.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.localcloud.world import scopes
from tests.localcloud.world.policy.assignments import Rule
from tests.localcloud.world.policy.rule_engine import Body
from tests.localcloud.world.registries import Registry

if TYPE_CHECKING:
    from tests.localcloud.world.world import Subscription, World


@dataclass(frozen=True)
class State:
    """One registry under one rule. `row` is what queryResults shows of it."""

    row: Body
    trail: list[Body]


class PolicyStates:
    def __init__(self, world: World) -> None:
        self._world = world
        self._states: dict[str, dict[str, list[State]]] = {}
        self._written: list[tuple[float, Registry]] = []
        self._old: list[tuple[float, list[State]]] = []
        self._runs: dict[str, tuple[str, int]] = {}
        self.write_lag: float | None = 900.0
        """Seconds after which a write shows (documented: about 15 minutes). None: only an evaluation shows it."""
        self.evaluation_polls = 3
        """So many polls of triggerEvaluation answer 202 (recorded: eighteen)."""
        self.graph_lag = 0.0
        """Resource Graph shows the states that were there so many seconds ago."""
        self.page_size = 1000

    # Evaluation

    def evaluate(self, scope: str = "") -> None:
        """Renews the states of a subscription, a resource group, a management group, or everything."""
        self._remember()
        for subscription in self._subscriptions(scope):
            group = scopes.resource_group(scope)
            kept = {} if group is None else dict(self._states.get(subscription.id, {}))
            for key in [key for key in kept if (scopes.resource_group(key) or "").lower() == (group or "").lower()]:
                del kept[key]
            for registry in self._world.registries_of(subscription):
                if group is None or registry.resource_group.lower() == group.lower():
                    kept[registry.id.lower()] = list(self._judge(registry, subscription))
            self._states[subscription.id] = kept

    def written(self, registry: Registry) -> None:
        """A registry was written: its states follow after a while."""
        if self.write_lag is not None:
            self._written.append((self._world.now() + self.write_lag, registry))

    def _catch_up(self) -> None:
        now = self._world.now()
        due = {id(one): one for time, one in self._written if time <= now}
        self._written = [(time, one) for time, one in self._written if time > now]
        for registry in due.values():
            subscription = self._world.subscription(registry.subscription_id)
            if subscription is not None and self._world.registry(registry.id) is registry:
                states = self._states.setdefault(subscription.id, {})
                states[registry.id.lower()] = list(self._judge(registry, subscription))

    def _judge(self, registry: Registry, subscription: Subscription) -> Iterator[State]:
        groups = [self._world.hierarchy.home(subscription)]
        groups += groups[0].ancestors
        names = ",".join(one.name for one in groups)
        for rule in self._world.policies.rules(registry.id):
            trail: list[Body] = []
            state = "NonCompliant" if rule.met(registry.body, trail) else "Compliant"
            if self._world.policies.exemption_of(rule, registry.id) is not None:
                state = "Exempt"
            yield State(self._row(registry, rule, state, names), trail)

    def _row(self, registry: Registry, rule: Rule, state: str, groups: str) -> Body:
        """The recorded members in the recorded order. What an exempt registry's isCompliant says is not known."""
        assignment, definition, initiative = rule.assignment, rule.definition, rule.initiative
        return {
            "timestamp": scopes.stamp(self._world.now()),
            "resourceId": registry.id.lower(),
            "policyAssignmentId": assignment.id.lower(),
            "policyDefinitionId": definition.id.lower(),
            "effectiveParameters": "",
            "isCompliant": state != "NonCompliant",
            "subscriptionId": registry.subscription_id,
            "resourceType": "Microsoft.ContainerRegistry/registries",
            "resourceLocation": registry.body["location"],
            "resourceGroup": registry.resource_group,
            "resourceTags": "tbd",
            "policyAssignmentName": assignment.name,
            "policyAssignmentOwner": "tbd",
            "policyAssignmentParameters": "",
            "policyAssignmentScope": assignment.scope,
            "policyDefinitionName": definition.name,
            "policyDefinitionAction": rule.effect.lower(),
            "policyDefinitionCategory": "tbd",
            "policySetDefinitionId": initiative.id if initiative else "",
            "policySetDefinitionName": initiative.name if initiative else "",
            "policySetDefinitionOwner": "",
            "policySetDefinitionCategory": "",
            "policySetDefinitionParameters": "",
            "managementGroupIds": groups,
            "policyDefinitionReferenceId": rule.reference_id.lower(),
            "complianceState": state,
            "policyDefinitionGroupNames": list(rule.groups) or [""],
            "policyDefinitionVersion": definition.version,
            "policySetDefinitionVersion": initiative.version if initiative else "",
            "policyAssignmentVersion": "",
            "complianceReasonCode": "",
        }

    # Reading

    def at(self, scope: str) -> list[State]:
        """The states under a management group, subscription, resource group or resource, or of an assignment or a
        definition.
        """
        self._catch_up()
        return [state for owner in self._subscriptions(scope) for state in self._in(owner.id, scope)]

    def _in(self, subscription: str, scope: str) -> Iterator[State]:
        states = self._states.get(subscription, {})
        policy = scopes.split(scope, ("microsoft.authorization",))
        if policy is not None:
            kind = policy[2][0].lower() if policy[2] else ""
            column = {
                "policyassignments": "policyAssignmentId",
                "policydefinitions": "policyDefinitionId",
                "policysetdefinitions": "policySetDefinitionId",
            }.get(kind, "policyAssignmentId")
            wanted = scope.lower()
            found = (state for rows in list(states.values()) for state in rows)
            # A built-in definition is asked for below a subscription, too.
            yield from (one for one in found if _same(str(one.row[column]).lower(), wanted, kind))
            return
        keep: Callable[[str], bool] = lambda key: True  # noqa: E731
        if scopes.resource_group(scope):
            keep = lambda key: scopes.under(key, scope)  # noqa: E731
        yield from (state for key, rows in list(states.items()) if keep(key) for state in rows)

    def _subscriptions(self, scope: str) -> list[Subscription]:
        wanted = scopes.subscription(scope)
        if wanted is not None:
            return [one for one in self._world.subscriptions if one.id == wanted]
        policy = scopes.split(scope, ("microsoft.authorization",))
        group = self._world.management_group(scopes.management_group(policy[0] if policy else scope) or "")
        if group is None:
            return list(self._world.subscriptions)
        inside = {one.id for one in self._world.hierarchy.subscriptions(group)}
        return [one for one in self._world.subscriptions if one.id in inside]

    # triggerEvaluation

    def trigger(self, scope: str) -> str:
        """Starts an evaluation; the name of its operation."""
        name = uuid.uuid4().hex
        self._runs[name] = scope, self.evaluation_polls
        return name

    def poll(self, name: str) -> bool | None:
        """Whether an evaluation has ended; None when there is no such one."""
        if name not in self._runs:
            return None
        scope, left = self._runs[name]
        if left == 0:
            self.evaluate(scope)
        self._runs[name] = scope, left - 1
        return left <= 0

    # Resource Graph

    def _remember(self) -> None:
        """Keeps what is there now for Resource Graph, which is behind."""
        if self.graph_lag > 0:
            present = [list(at.values()) for at in list(self._states.values())]
            self._old.append((self._world.now(), [one for at in present for rows in at for one in rows]))

    def in_graph(self) -> list[State]:
        """The states as Resource Graph knows them: those before the last evaluation, while that is younger than the
        lag.
        """
        moment = self._world.now() - self.graph_lag
        self._old = [(time, states) for time, states in self._old if time > moment]
        if self.graph_lag > 0 and self._old:
            return self._old[0][1]
        return self.at("")


def _same(known: str, wanted: str, kind: str) -> bool:
    return known == wanted or (kind != "policyassignments" and wanted.endswith(known) and bool(known))


def detailed(state: State) -> dict[str, Any]:
    """What $expand=PolicyEvaluationDetails adds (recorded)."""
    return {"policyEvaluationDetails": {"evaluatedExpressions": state.trail}}

"""What Azure Policy knows in the local Azure: definitions, initiatives, assignments, exemptions; which of them apply to
a registry, and what they do to a write. No network in here.

Order of effects at a write, as documented: disabled, modify, deny, audit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.localcloud.world import scopes
from tests.localcloud.world.identities import AssignmentIdentity, ManagedIdentity, new_id
from tests.localcloud.world.policy.definitions import BUILT_IN, CONTRIBUTOR, Definition, Member, SetDefinition, defaults
from tests.localcloud.world.policy.rule_engine import Body, met, modified, resolve
from tests.localcloud.world.registries import system_data

if TYPE_CHECKING:
    from tests.localcloud.world.world import World


@dataclass(eq=False)
class Assignment:
    """A definition or an initiative put in force at a scope."""

    scope: str
    name: str
    definition_id: str
    parameters: Body = field(default_factory=dict)
    """Values by parameter name, without the `{"value": …}` around them."""
    enforcement: str = "Default"
    not_scopes: tuple[str, ...] = ()
    messages: tuple[Body, ...] = ()
    overrides: tuple[Body, ...] = ()
    display_name: str | None = None
    description: str | None = None
    metadata: Body = field(default_factory=dict)
    location: str | None = None
    identity: Body | None = None
    system_data: Body = field(default_factory=dict)
    instance_id: str = field(default_factory=new_id)
    enforced_from: float = 0.0

    @property
    def id(self) -> str:
        return f"{self.scope}/providers/Microsoft.Authorization/policyAssignments/{self.name}"

    @property
    def principal_ids(self) -> list[str]:
        """The object ids of its identities."""
        if self.identity is None:
            return []
        users = (self.identity.get("userAssignedIdentities") or {}).values()
        own = [self.identity["principalId"]] if "principalId" in self.identity else []
        return own + [one["principalId"] for one in users]

    def message(self, reference_id: str) -> str:
        """The message for one definition of an initiative, or for all."""
        for one in self.messages:
            if one.get("policyDefinitionReferenceId", "").lower() in ("", reference_id.lower()):
                return str(one.get("message", ""))
        return ""


@dataclass(eq=False)
class Exemption:
    scope: str
    name: str
    content: Body
    """The `properties` member."""
    system_data: Body = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.scope}/providers/Microsoft.Authorization/policyExemptions/{self.name}"

    def ended(self, now: float) -> bool:
        expiry = self.content.get("expiresOn")
        return bool(expiry) and scopes.moment(str(expiry)) <= now


@dataclass(frozen=True)
class Rule:
    """One definition as an assignment puts it in force."""

    assignment: Assignment
    definition: Definition
    parameters: Body
    effect: str
    initiative: SetDefinition | None = None
    reference_id: str = ""
    groups: tuple[str, ...] = ()

    def met(self, body: Body, trail: list[Body] | None = None) -> bool:
        return met(self.definition.condition, body, self.parameters, trail)

    @property
    def operations(self) -> list[Body]:
        return list(self.definition.details.get("operations") or [])


@dataclass(frozen=True)
class Violation:
    """Why a write was refused."""

    rule: Rule
    trail: list[Body]

    @property
    def assignment_id(self) -> str:
        return self.rule.assignment.id

    @property
    def assignment_display_name(self) -> str:
        return self.rule.assignment.display_name or self.rule.assignment.name

    @property
    def definition_id(self) -> str:
        return self.rule.definition.id

    @property
    def definition_display_name(self) -> str:
        return self.rule.definition.display_name

    @property
    def version(self) -> str:
        return self.rule.definition.version

    @property
    def message(self) -> str:
        return self.rule.assignment.message(self.rule.reference_id)

    def info(self) -> Body:
        rule, assignment = self.rule, self.rule.assignment
        found: Body = {
            "evaluationDetails": {"evaluatedExpressions": self.trail},
            "policyDefinitionId": rule.definition.id,
            "policyDefinitionName": rule.definition.name,
            "policyDefinitionDisplayName": rule.definition.display_name,
            "policyDefinitionVersion": rule.definition.version,
            "policyDefinitionEffect": rule.effect,
        }
        if rule.initiative is not None:
            found |= {
                "policyDefinitionReferenceId": rule.reference_id,
                "policySetDefinitionId": rule.initiative.id,
                "policySetDefinitionName": rule.initiative.name,
                "policySetDefinitionDisplayName": rule.initiative.display_name,
                "policySetDefinitionVersion": rule.initiative.version,
            }
        return found | {
            "policyAssignmentId": assignment.id,
            "policyAssignmentName": assignment.name,
            "policyAssignmentDisplayName": self.assignment_display_name,
            "policyAssignmentScope": assignment.scope,
            "policyAssignmentParameters": {name: {"value": value} for name, value in assignment.parameters.items()},
            "policyExemptionIds": [],
            "policyEnrollmentIds": [],
        }


class Policies:
    def __init__(self, world: World) -> None:
        self._world = world
        self._definitions = {one.id.lower(): one for one in BUILT_IN}
        self._initiatives: dict[str, SetDefinition] = {}
        self._assignments: dict[str, dict[str, Assignment]] = {}
        self._exemptions: dict[str, dict[str, Exemption]] = {}
        self._rules: dict[Assignment, list[Rule]] = {}
        self._names = itertools.count(1)
        self.enforcement_delay = 0.0
        """Seconds until a new or changed assignment is enforced (documented for Azure: some minutes)."""
        self.requires_identity = True
        """An assignment of a definition that names roles needs an identity (found in clients' logs)."""
        self.changes = 0

    # Definitions

    def add(self, definition: Definition) -> Definition:
        self._definitions[definition.id.lower()] = definition
        self._changed()
        return definition

    def definition(self, identifier: str) -> Definition | None:
        return self._definitions.get(identifier.lower())

    @property
    def definitions(self) -> list[Definition]:
        return list(self._definitions.values())

    def remove_definition(self, identifier: str) -> None:
        self._definitions.pop(identifier.lower(), None)
        self._changed()

    def add_initiative(
        self,
        scope: str,
        name: str,
        members: Mapping[str, tuple[str, Body]] | None = None,
        parameters: Body | None = None,
        display_name: str | None = None,
    ) -> SetDefinition:
        """A custom initiative; members: {reference id: (definition id, values of its parameters)}.

        Without members it holds both definitions, with `effect` handed to the first and `modifyEffect` to the second.
        """
        audit, modify = (one.id for one in BUILT_IN)
        chosen = members or {
            "arm-audience": (audit, {"effect": "[parameters('effect')]"}),
            "arm-audience-off": (modify, {"effect": "[parameters('modifyEffect')]"}),
        }
        known = {
            "effect": {"type": "String", "defaultValue": "Audit", "allowedValues": ["Audit", "Deny", "Disabled"]},
            "modifyEffect": {"type": "String", "defaultValue": "Modify", "allowedValues": ["Modify", "Disabled"]},
        }
        content = {
            "displayName": display_name or name,
            "policyType": "Custom",
            "metadata": {},
            "parameters": known if parameters is None and members is None else parameters or {},
            "policyDefinitions": [
                {
                    "policyDefinitionReferenceId": reference,
                    "policyDefinitionId": definition,
                    "parameters": {key: {"value": value} for key, value in values.items()},
                }
                for reference, (definition, values) in chosen.items()
            ],
            "version": "1.0.0",
        }
        identifier = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/policySetDefinitions/{name}"
        return self.put_initiative(SetDefinition(identifier, content))

    def put_initiative(self, initiative: SetDefinition) -> SetDefinition:
        self._initiatives[initiative.id.lower()] = initiative
        self._changed()
        return initiative

    def initiative(self, identifier: str) -> SetDefinition | None:
        return self._initiatives.get(identifier.lower())

    @property
    def initiatives(self) -> list[SetDefinition]:
        return list(self._initiatives.values())

    def remove_initiative(self, identifier: str) -> None:
        self._initiatives.pop(identifier.lower(), None)
        self._changed()

    # Assignments

    def assign(
        self,
        scope: str,
        definition: str,
        name: str | None = None,
        effect: str | None = None,
        parameters: Body | None = None,
        identity: bool | ManagedIdentity | None = None,
        location: str = "westeurope",
        **more: Any,
    ) -> Assignment:
        """Assigns a definition or an initiative at a scope.

        effect: the parameter of that name. identity: True for a system-assigned one, or a user-assigned one; by default
        there is one where a definition names roles. `more`: members of Assignment, such as enforcement="DoNotEnforce",
        not_scopes=(…,), display_name, messages.
        """
        values = {**({"effect": effect} if effect else {}), **(parameters or {})}
        assignment = Assignment(
            scope.rstrip("/"), name or f"assignment-{next(self._names)}", definition, values, **more
        )
        wanted = self.role_ids(assignment) != [] if identity is None else identity
        if wanted:
            assignment.location = location
        if isinstance(wanted, ManagedIdentity):
            assignment.identity = self.user_assigned({wanted.resource_id: {}})
        elif wanted:
            assignment.identity = self.system_assigned(assignment, 0)
        now = scopes.stamp(self._world.now())
        assignment.metadata |= {"createdBy": new_id(), "createdOn": now, "updatedBy": None, "updatedOn": None}
        assignment.system_data = system_data(now)
        return self.put(assignment)

    def put(self, assignment: Assignment) -> Assignment:
        self._assignments.setdefault(scopes.prefix(assignment.scope), {})[assignment.name.lower()] = assignment
        assignment.enforced_from = self._world.now() + self.enforcement_delay
        self._changed()
        return assignment

    def remove(self, assignment: Assignment) -> None:
        """Its own identity goes with it; that identity's role assignments stay, as they do in Azure."""
        self._assignments[scopes.prefix(assignment.scope)].pop(assignment.name.lower(), None)
        self.drop_identity(assignment)
        self._changed()

    def assignment(self, identifier: str) -> Assignment | None:
        found = scopes.split(identifier, ("microsoft.authorization",))
        if found is None or len(found[2]) != 2 or found[2][0].lower() != "policyassignments":
            return None
        return self._assignments.get(scopes.prefix(found[0]), {}).get(found[2][1].lower())

    @property
    def assignments(self) -> list[Assignment]:
        return [one for at in list(self._assignments.values()) for one in list(at.values())]

    def assigned(self, scope: str) -> list[Assignment]:
        """The assignments at exactly one scope."""
        return list(self._assignments.get(scopes.prefix(scope), {}).values())

    # Identities of assignments

    def system_assigned(self, assignment: Assignment, unknown_for: int) -> Body:
        tenant = self._tenant(assignment.scope)
        identity = AssignmentIdentity(assignment.name, tenant, unknown_for=unknown_for)
        self._world.principals[identity.object_id] = identity
        return {"principalId": identity.object_id, "tenantId": tenant, "type": "SystemAssigned"}

    def user_assigned(self, wanted: Body) -> Body | None:
        """The `identity` member for user-assigned identities; None when one of them does not exist."""
        known = {one.resource_id.lower(): one for one in self._world.managed_identities}
        if not wanted or any(name.lower() not in known for name in wanted):
            return None
        found = {name: known[name.lower()] for name in wanted}
        return {
            "type": "UserAssigned",
            "userAssignedIdentities": {
                name: {"principalId": one.object_id, "clientId": one.client_id} for name, one in found.items()
            },
        }

    def drop_identity(self, assignment: Assignment) -> None:
        own = (assignment.identity or {}).get("principalId")
        if own:
            self._world.principals.pop(own, None)

    def _tenant(self, scope: str) -> str:
        owner = self._world.subscription(scopes.subscription(scope) or "")
        group = self._world.management_group(scopes.management_group(scope) or "")
        return owner.tenant_id if owner else group.tenant_id if group else self._world.tenant_id

    # Exemptions

    def exempt(
        self,
        scope: str,
        assignment: Assignment,
        name: str | None = None,
        category: str = "Waiver",
        reference_ids: tuple[str, ...] = (),
        expires_on: str | None = None,
    ) -> Exemption:
        content: Body = {
            "policyAssignmentId": assignment.id,
            "policyDefinitionReferenceIds": list(reference_ids),
            "exemptionCategory": category,
        }
        if expires_on:
            content["expiresOn"] = expires_on
        return self.put_exemption(Exemption(scope.rstrip("/"), name or f"exemption-{next(self._names)}", content))

    def put_exemption(self, exemption: Exemption) -> Exemption:
        self._exemptions.setdefault(scopes.prefix(exemption.scope), {})[exemption.name.lower()] = exemption
        self._changed()
        return exemption

    def remove_exemption(self, exemption: Exemption) -> None:
        self._exemptions[scopes.prefix(exemption.scope)].pop(exemption.name.lower(), None)
        self._changed()

    def exemption(self, scope: str, name: str) -> Exemption | None:
        return self._exemptions.get(scopes.prefix(scope), {}).get(name.lower())

    @property
    def exemptions(self) -> list[Exemption]:
        return [one for at in list(self._exemptions.values()) for one in list(at.values())]

    def exempted(self, scope: str) -> list[Exemption]:
        """The exemptions at exactly one scope."""
        return list(self._exemptions.get(scopes.prefix(scope), {}).values())

    # What applies

    def chain(self, scope: str) -> list[str]:
        """A scope and all above it, up to the tenant's root group."""
        found = scopes.parents(scope)
        owner = self._world.subscription(scopes.subscription(scope) or "")
        name = scopes.management_group(scope)
        group = self._world.hierarchy.home(owner) if owner else self._world.management_group(name) if name else None
        if group is not None:
            above = [group, *group.ancestors]
            found += [one.id for one in above if one.id.lower() != scope.lower().rstrip("/")]
        return found

    def rules(self, resource_id: str) -> Iterator[Rule]:
        """The rules in force for a resource, the nearest assignments first; without those that are switched off."""
        for scope in self.chain(resource_id):
            for assignment in self.assigned(scope):
                if not any(self.lies_in(resource_id, one) for one in assignment.not_scopes):
                    yield from (rule for rule in self.rules_of(assignment) if rule.effect.lower() != "disabled")

    def lies_in(self, scope: str, parent: str) -> bool:
        if scopes.management_group(parent):
            return any(scopes.prefix(one) == scopes.prefix(parent) for one in self.chain(scope))
        return scopes.under(scope, parent)

    def rules_of(self, assignment: Assignment) -> list[Rule]:
        """The definitions an assignment puts in force, each with its effect."""
        known = self._rules.get(assignment)
        if known is None:
            known = self._rules[assignment] = list(self._resolve(assignment))
        return known

    def _resolve(self, assignment: Assignment) -> Iterator[Rule]:
        initiative = self.initiative(assignment.definition_id)
        if initiative is None:
            yield from self._rule(assignment, assignment.definition_id, assignment.parameters, None, None)
            return
        given = {**defaults(initiative.parameters), **assignment.parameters}
        for member in initiative.members:
            values = {name: resolve(value, given) for name, value in member.parameters.items()}
            yield from self._rule(assignment, member.definition_id, values, initiative, member)

    def _rule(
        self,
        assignment: Assignment,
        definition_id: str,
        values: Body,
        initiative: SetDefinition | None,
        member: Member | None,
    ) -> Iterator[Rule]:
        definition = self.definition(definition_id)
        if definition is None:
            return
        parameters = {**defaults(definition.parameters), **values}
        reference = member.reference_id if member else ""
        effect = _overridden(assignment, reference) or definition.effect(parameters)
        groups = member.groups if member else ()
        yield Rule(assignment, definition, parameters, effect, initiative, reference, groups)

    def role_ids(self, assignment: Assignment) -> list[str]:
        """The roles that the identity of an assignment needs."""
        found = [name for rule in self.rules_of(assignment) for name in rule.definition.role_ids]
        self._rules.pop(assignment, None)
        return list(dict.fromkeys(found))

    def exemption_of(self, rule: Rule, resource_id: str) -> Exemption | None:
        """The exemption that frees a resource from a rule."""
        now = self._world.now()
        for scope in self.chain(resource_id):
            for one in self.exempted(scope):
                references = [name.lower() for name in one.content.get("policyDefinitionReferenceIds") or []]
                if (
                    str(one.content.get("policyAssignmentId", "")).lower() == rule.assignment.id.lower()
                    and (not references or rule.reference_id.lower() in references)
                    and not one.ended(now)
                ):
                    return one
        return None

    # Writes

    def enforce(self, resource_id: str, body: Body, alias_known: bool = True) -> tuple[Body, list[Violation]]:
        """A registry as a write leaves it: (changed by modify, why it is refused).

        alias_known: False for an api-version that does not have the property. Modify then changes nothing, since both
        the definition's conflictEffect and Azure's documentation say that such a request is only audited.
        """
        now = self._world.now()
        active = [
            rule
            for rule in self.rules(resource_id)
            if rule.assignment.enforcement != "DoNotEnforce"
            and rule.assignment.enforced_from <= now
            and rule.effect.lower() in ("modify", "deny")
            and self.exemption_of(rule, resource_id) is None
        ]
        for rule in active:
            if rule.effect.lower() == "modify" and alias_known and rule.met(body):
                body = modified(body, rule.operations, rule.parameters)
        violations = []
        for rule in active:
            trail: list[Body] = []
            if rule.effect.lower() == "deny" and rule.met(body, trail):
                violations.append(Violation(rule, trail))
        return body, violations

    def _changed(self) -> None:
        self._rules.clear()
        self.changes += 1


def _overridden(assignment: Assignment, reference_id: str) -> str | None:
    """The effect that `overrides` of an assignment give a definition."""
    for one in assignment.overrides:
        selectors = one.get("selectors") or []
        if one.get("kind") == "policyEffect" and all(_selects(selector, reference_id) for selector in selectors):
            return str(one.get("value"))
    return None


def _selects(selector: Body, reference_id: str) -> bool:
    if selector.get("kind") != "policyDefinitionReferenceId":
        return True
    wanted = [name.lower() for name in selector.get("in") or []]
    spared = [name.lower() for name in selector.get("notIn") or []]
    return (not wanted or reference_id.lower() in wanted) and reference_id.lower() not in spared


__all__ = ["CONTRIBUTOR", "Assignment", "Exemption", "Policies", "Rule", "Violation"]

"""Which assignments of the two definitions govern a scope: its own, inherited ones, and those inside initiatives.

At a subscription, a resource group or a registry, ARM's list without a filter holds what applies from above and what is
assigned below (documented). At a management group it holds nothing from below, so that comes from Resource Graph's
table `policyresources`, which lags by minutes. Azure writes IDs in any case: they are compared without regard to it.
"""

import datetime
import re
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError, ForbiddenError

from azext_acrscope.arm import resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.paths import arm_path, check_resource_id
from azext_acrscope.arm.resource_graph import list_kql
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import (
    UnexpectedShape,
    find_list,
    find_object,
    find_objects,
    find_text,
    find_value,
    member_ignoring_case,
)
from azext_acrscope.base.resource_ids import ResourceId, management_group_name, parse_resource_id
from azext_acrscope.base.text import one_line
from azext_acrscope.policy import definitions, errors, shapes
from azext_acrscope.policy.refusals import READER_ROLE, refusal_error
from azext_acrscope.policy.roles import identity_principals
from azext_acrscope.policy.scopes import PolicyScope, scope_contains
from azext_acrscope.policy.shapes import ASSIGNMENT_TYPE, EXEMPTION_TYPE

API_VERSION = "2023-04-01"  # of assignments and initiatives; the first with `overrides` and version ranges, stable
EXEMPTIONS_API_VERSION = "2022-07-01-preview"  # there is no stable one
_INITIATIVE_TYPE = "Microsoft.Authorization/policySetDefinitions"
_MAX_SINGLE_READS = 3  # so many initiatives are read one by one; more are looked up in Resource Graph first

_BELOW_QUERY = """policyresources
| where type =~ 'microsoft.authorization/policyexemptions' or (type =~ 'microsoft.authorization/policyassignments' \
and (tostring(properties.policyDefinitionId) in~ ({ours}) \
or tostring(properties.policyDefinitionId) contains '/policysetdefinitions/'))
| project id, name, type, identity, properties
| order by id asc"""
_INITIATIVES_QUERY = """policyresources
| where type =~ 'microsoft.authorization/policysetdefinitions' and id in~ ({ids})
| project id, name, properties
| order by id asc"""
_ANCESTORS_QUERY = """resourcecontainers
| where type =~ 'microsoft.resources/subscriptions'
| project id, ancestors = properties.managementGroupAncestorsChain
| order by id asc"""


@dataclass(frozen=True)
class PolicyRule:  # pylint: disable=too-many-instance-attributes  # plain data
    """One of the two definitions as an assignment puts it in force, by itself or as a member of an initiative.

    :ivar effect: audit, deny, modify or disabled, as it comes out of all parameters and overrides.
    :ivar reference: what the initiative calls its member; empty without an initiative.
    """

    assignment: str
    name: str
    display_name: str
    scope: str
    definition: str
    effect: str
    enforced: bool = True
    initiative: str = ""
    reference: str = ""
    not_scopes: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()

    @property
    def hinders(self) -> str:
        """Return what becomes of a registry that is set to `enabled` in its scope: `refused`, `undone`, or nothing."""
        return {"deny": "refused", "modify": "undone"}.get(self.effect, "") if self.enforced else ""

    @property
    def key(self) -> tuple[str, str]:
        """Return the key by which a policy state names the rule."""
        return self.assignment.lower(), self.reference.lower()


@dataclass(frozen=True)
class PolicyExemption:
    """An exemption from an assignment at a scope; without `references`, from all members of its initiative."""

    scope: str
    assignment: str
    references: frozenset[str] = frozenset()


@dataclass
class EffectiveRules:
    """What governs a scope.

    :ivar ancestors: the names of a subscription's management groups, in lower case, by its lower-cased ID; needed only
        where something was assigned or excluded at a management group that does not hold the whole scope.
    :ivar incomplete: sentences on why there may be more rules, or fewer exemptions, than these.
    """

    rules: list[PolicyRule] = field(default_factory=list)
    exemptions: list[PolicyExemption] = field(default_factory=list)
    ancestors: dict[str, set[str]] = field(default_factory=dict)
    above: set[str] = field(default_factory=set)
    incomplete: list[str] = field(default_factory=list)

    def over(self, registry_id: str) -> list[PolicyRule]:
        """Return the rules in whose scope a registry is, exempt from them or not; also those that are switched off."""
        return [
            rule
            for rule in self.rules
            if self._holds(rule.scope, registry_id)
            and not any(self._holds(each, registry_id) for each in rule.not_scopes)
        ]

    def exempt(self, rule: PolicyRule, registry_id: str) -> bool:
        """Return whether a registry is exempt from a rule."""
        return any(
            each.assignment == rule.assignment.lower()
            and (not each.references or rule.reference.lower() in each.references)
            and self._holds(each.scope, registry_id)
            for each in self.exemptions
        )

    def _holds(self, scope: str, registry_id: str) -> bool:
        group = management_group_name(scope)
        if group is None:
            return scope_contains(scope, registry_id)
        subscription = parse_resource_id(registry_id).subscription.lower()
        return group in self.above or group in self.ancestors.get(subscription, set())


# --- reading -------------------------------------------------------------------------------------------------------


def read_effective_rules(arm: ArmClient, scope: PolicyScope) -> EffectiveRules:
    """Return what applies to a scope or anything in it.

    It takes two requests, one more for each initiative (of many, for all of them), and at a management group one of
    Resource Graph.

    :raises ForbiddenError: naming the role to ask for.
    :raises ResourceNotFoundError: there is no such group.
    """
    found = EffectiveRules()
    only_above = {"$filter": "atScope()"} if scope.management_group else {}
    assignments = _list_resources(arm, scope, ASSIGNMENT_TYPE, API_VERSION, "read policy assignments", **only_above)
    found.above = {str(management_group_name(_resource_id(each).scope)) for each in assignments} - {"None"}
    if scope.management_group:
        found.above.add(scope.management_group.lower())
    try:
        exemptions = _list_resources(
            arm, scope, EXEMPTION_TYPE, EXEMPTIONS_API_VERSION, "read policy exemptions", **only_above
        )
    except ForbiddenError as error:
        exemptions = []
        found.incomplete.append(errors.exemptions_unread(error.error_msg))
    if scope.management_group:
        below = _list_below(arm, scope, found)
        exemptions += [each for each in below if _resource_id(each).has_type(EXEMPTION_TYPE)]
        assignments += [each for each in below if not _resource_id(each).has_type(EXEMPTION_TYPE)]
    assignments, odd_assignments = shapes.readable_assignments(assignments)
    exemptions, odd_exemptions = shapes.readable_exemptions(exemptions)
    found.incomplete += errors.items_unread(odd_assignments, "policy assignment")
    found.incomplete += errors.items_unread(odd_exemptions, "policy exemption")
    sets = _read_initiatives(
        arm, {_definition_id(each) for each in assignments if _is_initiative(_definition_id(each))}, scope, found
    )
    found.rules = [
        rule for each in assignments for rule in rules_of_assignment(each, sets.get(_definition_id(each).lower()))
    ]
    found.rules.sort(key=lambda rule: (len(rule.scope), rule.key))
    mine = {rule.assignment.lower() for rule in found.rules}
    known = {str(each.get("id")).lower(): parse_exemption(each) for each in exemptions}
    found.exemptions = [each for each in known.values() if each and each.assignment in mine]
    _add_ancestors(arm, scope, found)
    return found


def _list_resources(
    arm: ArmClient, scope: PolicyScope, resource_type: str, version: str, doing: str, **query: str
) -> list[dict[str, Any]]:
    try:
        return arm.pages(arm_path(f"{{scope}}/providers/{resource_type}", scope=scope.path), version, **query)
    except ArmError as error:
        raise refusal_error(error, scope, doing, READER_ROLE) from error


def _list_below(arm: ArmClient, scope: PolicyScope, found: EffectiveRules) -> list[dict[str, Any]]:
    kql = _BELOW_QUERY.format(ours=list_kql([definitions.AUDIT_OR_DENY_ID, definitions.MODIFY_ID]))
    try:
        rows = resource_graph.query_graph(arm, kql, management_group=scope.management_group)
    except ArmError as error:
        raise refusal_error(error, scope, "read the policy assignments below", READER_ROLE) from error
    found.incomplete += rows.incomplete
    return rows.rows


def _read_initiatives(
    arm: ArmClient, ids: set[str], scope: PolicyScope, found: EffectiveRules
) -> dict[str, dict[str, Any]]:
    """The initiatives' properties by lower-cased ID. Resource Graph does not show all of them to everybody: what it
    leaves out is read from ARM.
    """
    known: dict[str, dict[str, Any]] = {}
    wanted = {each.lower(): each for each in ids}
    if len(wanted) > _MAX_SINGLE_READS:
        target: dict[str, Any] = {"management_group": scope.management_group}
        if not scope.management_group:
            target = {"subscriptions": [parse_resource_id(scope.path).subscription]}
        try:
            rows = resource_graph.query_graph(
                arm, _INITIATIVES_QUERY.format(ids=list_kql(sorted(wanted))), **target
            ).rows
        except ArmError:
            rows = []
        known = {row["id"].lower(): find_object(row, "properties") for row in rows}

    missing = [each for key, each in sorted(wanted.items()) if key not in known]
    answers = threads.try_each(
        lambda each: arm.get(check_resource_id(each), API_VERSION).body, missing, (ArmError, AzCLIError)
    )
    for identifier, body in zip(missing, answers, strict=True):
        if isinstance(body, (ArmError, AzCLIError)):
            why = body.code if isinstance(body, ArmError) else type(body).__name__
            found.incomplete.append(errors.initiative_unread(identifier, why))
        else:
            known[identifier.lower()] = find_object(body, "properties")
    return {key: each for key, each in known.items() if _is_readable_initiative(key, each, found)}


def _is_readable_initiative(identifier: str, properties: dict[str, Any], found: EffectiveRules) -> bool:
    try:
        shapes.check_initiative(properties)
    except UnexpectedShape:
        found.incomplete.append(errors.initiative_unread(identifier, "its answer cannot be read"))
        return False
    return True


def _add_ancestors(arm: ArmClient, scope: PolicyScope, found: EffectiveRules) -> None:
    """Look up where subscriptions lie, if something is assigned or excluded at a group that is not above the scope."""
    told = [rule.scope for rule in found.rules] + [each for rule in found.rules for each in rule.not_scopes]
    told += [each.scope for each in found.exemptions]
    groups = {str(management_group_name(each)) for each in told} - {"None"} - found.above
    if not groups:
        return
    target: dict[str, Any] = {"management_group": scope.management_group}
    if not scope.management_group:
        target = {"subscriptions": [parse_resource_id(scope.path).subscription]}
    try:
        rows = resource_graph.query_graph(arm, _ANCESTORS_QUERY, **target)
    except ArmError as error:
        raise refusal_error(error, scope, "read the management groups above", READER_ROLE) from error
    found.incomplete += [text for text in rows.incomplete if text not in found.incomplete]
    for row in rows.rows:
        names = resource_graph.group_names_above(row.get("ancestors"))
        found.ancestors[parse_resource_id(row["id"]).subscription.lower()] = {each.lower() for each in names or []}
        if not names:
            found.incomplete.append(errors.ancestors_unread(row["id"]))


# --- what an assignment says ---------------------------------------------------------------------------------------


def rules_of_assignment(assignment: dict[str, Any], initiative: dict[str, Any] | None) -> list[PolicyRule]:
    """Return the rules of an assignment: none if it is about other definitions.

    :param initiative: the properties of the initiative that it assigns, None if it assigns a definition.
    """
    said = find_object(assignment, "properties")
    if initiative is None:
        effect = _parameter_value(said.get("parameters"), "effect")
        return _rules_of_definition(assignment, _definition_id(assignment), effect, "", "")
    found = []
    for member in find_objects(initiative, "policyDefinitions"):
        effect = _resolve_parameter(_parameter_value(member.get("parameters"), "effect"), said, initiative)
        reference = str(member.get("policyDefinitionReferenceId") or "")
        found += _rules_of_definition(
            assignment, str(member.get("policyDefinitionId")), effect, _definition_id(assignment), reference
        )
    return found


def _rules_of_definition(
    assignment: dict[str, Any], definition: str, effect: Any, initiative: str, reference: str
) -> list[PolicyRule]:
    if not definitions.is_audience_definition(definition):
        return []
    said = find_object(assignment, "properties")
    effect = (
        _overriding_effect(said.get("overrides"), reference)
        or effect
        or definitions.DEFAULT_EFFECTS[definition.lower()]
    )
    return [
        PolicyRule(
            assignment=str(assignment.get("id")),
            name=str(assignment.get("name") or _resource_id(assignment).name),
            display_name=one_line(str(said.get("displayName") or "")),
            scope=_resource_id(assignment).scope,
            definition=definition,
            effect=str(effect).lower(),
            enforced=str(said.get("enforcementMode") or "Default").lower() == "default",
            initiative=initiative,
            reference=reference,
            not_scopes=tuple(str(each) for each in find_list(said, "notScopes")),
            identities=tuple(identity_principals(assignment)),
        )
    ]


def _resolve_parameter(value: Any, said: dict[str, Any], initiative: dict[str, Any]) -> Any:
    """The value of a member's parameter, which may stand for one of the initiative's: `[parameters('effect')]`."""
    match = re.fullmatch(r"\[\s*parameters\(\s*'([^']+)'\s*\)\s*\]", str(value), re.IGNORECASE)
    if not match:
        return value
    given = _parameter_value(said.get("parameters"), match[1])
    declared = initiative.get("parameters")
    own = member_ignoring_case(find_object(declared), match[1])
    return given if given is not None else find_value(own, "defaultValue")


def _overriding_effect(overrides: Any, reference: str) -> str | None:
    """The effect that an assignment's `overrides` set. Those for some locations or types only are left out."""
    for each in find_list(overrides):
        selectors = each.get("selectors") or [] if isinstance(each, dict) else [None]
        if (
            all(_selects_reference(selector, reference.lower()) for selector in selectors)
            and each.get("kind") == "policyEffect"
        ):
            return str(each.get("value"))
    return None


def _selects_reference(selector: Any, reference: str) -> bool:
    if not isinstance(selector, dict) or str(selector.get("kind")).lower() != "policydefinitionreferenceid":
        return False
    wanted = {str(each).lower() for each in selector.get("in") or []}
    spared = {str(each).lower() for each in selector.get("notIn") or []}
    return (not wanted or reference in wanted) and reference not in spared


def parse_exemption(resource: dict[str, Any]) -> PolicyExemption | None:
    """Return an exemption as far as it counts here; None for one that is over or cannot be read."""
    said = find_object(resource, "properties")
    names = frozenset(str(each).lower() for each in find_list(said, "policyDefinitionReferenceIds"))
    if _is_expired(said.get("expiresOn")) or not said.get("policyAssignmentId"):
        return None
    return PolicyExemption(_resource_id(resource).scope, str(said["policyAssignmentId"]).lower(), names)


def _is_expired(expires: Any) -> bool:
    try:
        text = re.sub(r"(\.\d{6})\d+", r"\1", str(expires).strip().replace("Z", "+00:00"))
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
    return moment <= datetime.datetime.now(datetime.timezone.utc)


def _resource_id(resource: dict[str, Any]) -> ResourceId:
    return parse_resource_id(find_text(resource, "id"))


def _definition_id(assignment: dict[str, Any]) -> str:
    return str(find_object(assignment, "properties").get("policyDefinitionId") or "")


def _is_initiative(definition: str) -> bool:
    return parse_resource_id(definition).has_type(_INITIATIVE_TYPE)


def _parameter_value(parameters: Any, name: str) -> Any:
    """The value of a parameter, None without one."""
    return find_value(member_ignoring_case(find_object(parameters), name), "value")

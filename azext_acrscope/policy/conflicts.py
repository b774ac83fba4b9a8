"""Going back to `enabled` under a policy: which assignment will refuse that or undo it, told before the write."""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import Connect
from azext_acrscope.base import threads
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.policy import effective_rules, errors
from azext_acrscope.policy.effective_rules import EffectiveRules, PolicyRule
from azext_acrscope.policy.scopes import PolicyScope, resource_group_scope, subscription_scope

Resource = dict[str, Any]


def find_conflicts(connect: Connect, resources: list[Resource]) -> tuple[dict[str, str], list[str]]:
    """Return what Azure Policy will do to registries that are set to `enabled`.

    Asks once for each subscription, or for the resource group if it is only about one there.

    :return: a sentence for each registry that will be refused or undone, by its lower-cased ID; and warnings on what
        could not be read, which stops nothing.
    """
    places = _scopes_to_read(resources)
    answers = threads.try_each(
        lambda place: effective_rules.read_effective_rules(connect(parse_resource_id(place.path).subscription), place),
        places,
        AzCLIError,
    )
    found, warnings = dict[str, str](), list[str]()
    for (place, members), answer in zip(places.items(), answers, strict=True):
        if isinstance(answer, AzCLIError):
            warnings.append(errors.policy_unread(place.text, answer.error_msg))
            continue
        warnings += [errors.policy_unread(place.text, text) for text in answer.incomplete]
        for each in members:
            if rule := _conflicting_rule(answer, str(each["id"])):
                said = errors.policy_hinders(rule.name, rule.scope, rule.hinders)
                found[str(each["id"]).lower()] = said
    return found, warnings


def _scopes_to_read(resources: list[Resource]) -> dict[PolicyScope, list[Resource]]:
    by_subscription: dict[str, list[Resource]] = {}
    for each in resources:
        by_subscription.setdefault(parse_resource_id(str(each["id"])).subscription.lower(), []).append(each)
    found = {}
    for subscription, members in by_subscription.items():
        named = [parse_resource_id(str(each["id"])).resource_group for each in members]
        groups = {each.lower(): each for each in named}
        if len(groups) == 1:
            place = resource_group_scope(subscription, next(iter(groups.values())))
        else:
            place = subscription_scope(subscription)
        found[place] = members
    return found


def _conflicting_rule(found: EffectiveRules, registry_id: str) -> PolicyRule | None:
    """The rule that counts: a modifying one changes the write before a denying one sees it."""
    hindering = [rule for rule in found.over(registry_id) if rule.hinders and not found.exempt(rule, registry_id)]
    return next(iter(sorted(hindering, key=lambda rule: rule.hinders != "undone")), None)

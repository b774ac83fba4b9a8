"""The consumers of some registries as the command's result; the summary, the checklist and the gate."""

from collections.abc import Callable
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, fleet, hosts
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.consumers import inventory, verdicts, watch
from azext_acrscope.consumers.inventory import Places, Registry
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICTS, Knowledge
from azext_acrscope.consumers.watch import Log
from azext_acrscope.hosts import RegistryRef

_SHOWN = 10  # names of subscriptions in the summary; the result has all
READ = "Reader"  # the role that Resource Graph needs
Picked = Callable[[Places], list[Registry]]


def by_name(refs: list[RegistryRef], group: str | None, subscription: str) -> tuple[str, Picked]:
    """A condition of KQL for the registries named, and what picks them from the answer.

    A name is looked for in the subscription in use first, then in all that the account can see.

    :raises ResourceNotFoundError, InvalidArgumentValueError: by the second, one is not there or not the only one.
    """
    names = ", ".join(f"'{ref.name.lower()}'" for ref in refs)  # of letters and digits, see hosts

    def pick(found: Places) -> list[Registry]:
        picked = {each.id.lower(): each for ref in refs for each in [_pick(found.registries, ref, group, subscription)]}
        return list(picked.values())

    return f" and name in~ ({names})", pick


def _pick(registries: list[Registry], ref: RegistryRef, group: str | None, subscription: str) -> Registry:
    fit = [each for each in registries if _fits(each, ref, group)]
    here = [each for each in fit if each.subscription.lower() == subscription.lower()]
    fit = here or fit
    if not fit:
        raise _errors.registry_not_found(ref.login_server or ref.name, ref.subscription_id or subscription)
    if len(fit) > 1:
        raise _errors.ambiguous_name(ref.name, [each.id for each in fit])
    return fit[0]


def _fits(registry: Registry, ref: RegistryRef, group: str | None) -> bool:
    group = ref.resource_group or group
    return (
        registry.name.lower() == ref.name.lower()
        and (not group or registry.resource_group.lower() == group.lower())
        and (not ref.subscription_id or registry.subscription.lower() == ref.subscription_id.lower())
        and (not ref.login_server or hosts.is_at(ref.login_server, registry.login_server))
    )


def by_scope(scope: fleet.Scope) -> tuple[str, Picked]:
    """The same for all registries of some subscriptions or of a resource group."""
    subscriptions = {each.id.lower() for each in scope.subscriptions}
    group = scope.resource_group

    def pick(found: Places) -> list[Registry]:
        return [
            each
            for each in found.registries
            if each.subscription.lower() in subscriptions
            and (not group or each.resource_group.lower() == group.lower())
        ]

    return "", pick


def make(
    arm: Arm,
    condition: str,
    pick: Picked,
    expected: list[str],
    knowledge: Knowledge,
    suffix: str,
    log: Log | None = None,
) -> dict[str, Any]:
    """What the command prints.

    ``{registries: [{name, id, loginServer, status, breaks, works, unknown, consumers}], subscriptions, incomplete,
    notSeen}``: numbers of consumers by verdict and their rows (see `verdicts.of_registry`), the names of the
    subscriptions searched, sentences on what may be missing, and the checklist of what no query sees. With a log, what
    `Log.add` adds to that.

    :param expected: IDs of subscriptions that the account is said to have.
    :raises ForbiddenError, AzureResponseError …: Resource Graph refused.
    """
    try:
        found_places = inventory.places(arm, condition)
        found_places.registries = pick(found_places)
        if not found_places.registries:
            raise _errors.nothing_in_view()
        result = of(found_places, arm, knowledge, suffix, log)
    except ArmError as error:
        raise error.as_cli_error(f"Resource Graph in tenant {arm.tenant}", READ) from error
    unseen = [each for each in expected if each.lower() not in found_places.subscriptions]
    result["incomplete"] += [
        f"Subscription {each} is not visible in Resource Graph: consumers there are unknown." for each in unseen
    ]
    return result


def of(where: Places, arm: Arm, knowledge: Knowledge, suffix: str, log: Log | None = None) -> dict[str, Any]:
    """The same for registries that were picked already.

    :raises ArmError: Resource Graph refused.
    """
    found = inventory.search(arm, where, knowledge.roles, suffix)
    incomplete = [*where.incomplete, *found.incomplete, *verdicts.clusters_on_secrets(found)]
    by_registry: dict[str, list[Any]] = {}
    for use in found.uses:
        by_registry.setdefault(use.registry, []).append(use)
    registries, owners = [], {}
    for registry in where.registries:
        used = [*by_registry.get(registry.login_server.lower(), []), *by_registry.get(registry.id.lower(), [])]
        rows = verdicts.of_registry(registry, found, knowledge, used)
        owners[registry.id.lower()] = verdicts.owners(registry, found, used)
        registries.append(
            {
                "name": registry.name,
                "id": registry.id,
                "loginServer": registry.login_server,
                "status": registry.status or "enabled",
                **{verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS},
                "consumers": rows,
            }
        )
    result = {
        "registries": registries,
        "subscriptions": sorted(str(row.get("name")) for row in where.subscriptions.values()),
        "incomplete": list(dict.fromkeys(incomplete)),
        "notSeen": knowledge.checklist,
    }
    if log:
        log.add(result, where.registries, owners)
    return result


def summary(result: dict[str, Any]) -> list[str]:
    """Lines for people: the numbers, what may be missing, once the checklist of what no query sees, and the log."""
    registries, searched = result["registries"], result["subscriptions"]
    places = ", ".join(searched[:_SHOWN]) + (" …" if len(searched) > _SHOWN else "")
    numbers = {verdict: sum(each[verdict] for each in registries) for verdict in VERDICTS}
    counted = _errors.counted(sum(numbers.values()), "consumer", "consumers")
    lines = [
        f"{_errors.registries(len(registries))}, {counted}: {numbers[BREAKS]} break, {numbers['works']} work, "
        f"{numbers[UNKNOWN]} unknown; searched {_errors.subscriptions(len(searched))}: {places}"
    ]
    lines += [f"  {sentence}" for sentence in result["incomplete"]]
    lines.append("What no query sees, to be checked by hand:")
    lines += [
        f"  {item['verdict']}: {item['consumer']} (in {item['look']}): {item['why']}" for item in result["notSeen"]
    ]
    return lines + watch.summary(result)  # last, where it is seen


def missed(result: dict[str, Any], fail_on: str) -> AzCLIError | None:
    """The gate: `breaks` is passed if nothing is known to break and nobody is newly refused in the log, `unknown` only
    if nothing is unknown either.
    """
    numbers = {verdict: sum(each[verdict] for each in result["registries"]) for verdict in VERDICTS}
    newly, incomplete = len(watch.newly_refused(result)), len(result["incomplete"])
    if numbers[BREAKS] or newly or (fail_on == UNKNOWN and (numbers[UNKNOWN] or incomplete)):
        return _errors.consumers_in_the_way(fail_on, numbers[BREAKS], numbers[UNKNOWN], incomplete, newly)
    return None

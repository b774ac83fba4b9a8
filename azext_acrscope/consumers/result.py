"""The consumers of some registries as the command's result; the summary, the checklist and the gate."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.consumers import inventory, verdicts, watch
from azext_acrscope.consumers.inventory import Places, Registry
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICTS, WORKS, Knowledge
from azext_acrscope.consumers.selection import Search
from azext_acrscope.consumers.watch import Log

READ = "Reader"  # the role that Resource Graph needs


@dataclass
class Inquiry:
    """What was found of some registries.

    :ivar result: what the command prints: ``{registries: [{name, id, loginServer, status, breaks, works, unknown,
        consumers}], subscriptions, incomplete, notSeen}``: numbers of consumers by verdict and their rows (see
        `verdicts.of_registry`), the names of the subscriptions searched, sentences on what may be missing, and the
        checklist of what no query sees.
    :ivar unread: which of `incomplete` say what could not be read.
    :ivar owners: by registry ID in lower case, resource IDs by the identity that they pull with: `verdicts.owners`.
    """

    result: dict[str, Any]
    unread: list[str] = field(default_factory=list)
    registries: list[Registry] = field(default_factory=list)
    owners: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def over(searches: list[Search], knowledge: Knowledge, suffix: str, log: Log | None = None) -> dict[str, Any]:
    """What the command prints: the results of all searches (of one tenant each) as one, in the shape of
    `Inquiry.result`; with a log, and what `Log.add` adds to that.

    :raises ResourceNotFoundError: there is no registry in view.
    :raises AzCLIError: the only tenant could not be asked (one of several is said in `incomplete`), or the log.
    """
    merged: dict[str, Any] = {"registries": [], "subscriptions": [], "incomplete": [], "notSeen": knowledge.checklist}
    registries, owners = list[Registry](), dict[str, dict[str, list[str]]]()
    for search in searches:
        try:
            found = _search(search, knowledge, suffix)
        except AzCLIError as error:
            if search.named or len(searches) == 1:
                raise
            found = Inquiry({"incomplete": [_errors.tenant_not_asked(search.arm.tenant, error.error_msg)]})
        for part in ("registries", "subscriptions", "incomplete"):
            merged[part] += found.result.get(part, [])
        registries += found.registries
        owners |= found.owners
    if not merged["registries"]:
        raise _errors.no_registry_in_view(merged["incomplete"])
    if log:
        log.add(merged, registries, owners)
    return merged


def _search(search: Search, knowledge: Knowledge, suffix: str) -> Inquiry:
    """:raises ForbiddenError, AzureResponseError …: Resource Graph refused."""
    arm = search.arm
    try:
        where = inventory.places(arm, search.condition)
        where.registries = search.pick(where)
        empty = Inquiry({"incomplete": where.incomplete})
        found = inquire(where, arm, knowledge, suffix) if where.registries else empty
    except ArmError as error:
        raise error.as_cli_error(f"Resource Graph in tenant {arm.tenant}", READ) from error
    found.result["incomplete"] += [*search.incomplete, *unseen(where, search.expected)]
    return found


def unseen(where: Places, subscriptions: Iterable[str]) -> list[str]:
    """A sentence for each of the subscriptions that was not searched."""
    ids = dict.fromkeys(each.lower() for each in subscriptions)
    return [_errors.subscription_unseen(each) for each in ids if each not in where.subscriptions]


def inquire(where: Places, arm: Arm, knowledge: Knowledge, suffix: str) -> Inquiry:
    """The consumers of registries that were picked already.

    :raises ArmError: Resource Graph refused.
    """
    found = inventory.search(arm, where, knowledge.roles, suffix)
    unread = list(dict.fromkeys([*where.incomplete, *found.incomplete]))
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
        "incomplete": unread + verdicts.clusters_on_secrets(found),
        "notSeen": knowledge.checklist,
    }
    return Inquiry(result, unread, where.registries, owners)


def summary(result: dict[str, Any]) -> list[str]:
    """Lines for people: the numbers, what may be missing, once the checklist of what no query sees, and the log."""
    registries = result["registries"]
    numbers = {verdict: sum(each[verdict] for each in registries) for verdict in VERDICTS}
    broad = numbers[UNKNOWN] - _to_ask(result)
    lines = [_errors.consumers_found(len(registries), numbers, broad, result["subscriptions"])]
    lines += [f"  {sentence}" for sentence in result["incomplete"]]
    lines.append(_errors.NOT_SEEN)
    for verdict in (BREAKS, UNKNOWN, WORKS):
        names = [item["consumer"] for item in result["notSeen"] if item["verdict"] == verdict]
        lines += [f"  {verdict}: {'; '.join(names)}"] if names else []
    return lines + watch.summary(result)  # last, where it is seen


def _to_ask(result: dict[str, Any]) -> int:
    return sum(len(verdicts.to_ask(each["consumers"])) for each in result["registries"])


def missed(result: dict[str, Any], fail_on: str) -> AzCLIError | None:
    """The gate: `breaks` is passed if nothing is known to break and nobody is newly refused in the log, `unknown` only
    if there is nobody to ask about either.
    """
    breaks = sum(each[BREAKS] for each in result["registries"])
    unknown, newly, incomplete = _to_ask(result), len(watch.newly_refused(result)), len(result["incomplete"])
    if breaks or newly or (fail_on == UNKNOWN and (unknown or incomplete)):
        return _errors.consumers_in_the_way(fail_on, breaks, unknown, incomplete, newly)
    return None

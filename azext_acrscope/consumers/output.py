"""The consumers of some registries as the command's result; the summary, the warnings and the gate."""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.consumers import azure_devops, checklist, errors, login_log, verdicts
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICTS, count_verdicts


def consumers_summary(result: dict[str, Any], selection: str) -> list[str]:
    """Return lines for people: the numbers, what no query sees and how to list it, and the log.

    :param selection: the options that select one of the registries, for a command to type.
    """
    registries = result["registries"]
    numbers = {verdict: sum(each[verdict] for each in registries) for verdict in VERDICTS}
    broad = numbers[UNKNOWN] - _count_unknown_to_ask(result)
    checks = result["manualChecks"]
    by_hand = [item for item in checks if item["searched"]["found"] is None]
    number, found, places = checklist.count_searched(checks)
    return [
        *([errors.consumers_found(len(registries), numbers, broad, result["subscriptions"])] if registries else []),
        *azure_devops.connections_summary(result),
        *([errors.searched_elsewhere(number, found, places)] if number else []),
        errors.manual_checks(len(by_hand), count_verdicts(by_hand)[BREAKS], selection, bool(number)),
        *login_log.login_summary(result),
    ]


def consumers_warnings(result: dict[str, Any]) -> list[str]:
    """Return warnings: what may be missing, and who is newly refused: last, where it is seen."""
    return [*result["incomplete"], *login_log.login_warnings(result)]


def _count_unknown_to_ask(result: dict[str, Any]) -> int:
    return sum(len(verdicts.unknown_to_ask(each["consumers"])) for each in result["registries"])


def fail_on_error(result: dict[str, Any], fail_on: str) -> AzCLIError | None:
    """Return the error of --fail-on; None if the check passes. Connections of Azure DevOps and places in code count.

    `breaks` passes if no consumer is known to break and the log has no newly refused client. `unknown` passes only if
    there is also no unknown consumer to ask about.
    """
    elsewhere = count_verdicts([*result.get("azureDevOps", []), *result.get("code", [])])
    breaks = sum(each[BREAKS] for each in result["registries"]) + elsewhere[BREAKS]
    unknown, newly, incomplete = (
        _count_unknown_to_ask(result) + elsewhere[UNKNOWN],
        len(login_log.newly_refused_clients(result)),
        len(result["incomplete"]),
    )
    if breaks or newly or (fail_on == UNKNOWN and (unknown or incomplete)):
        return errors.consumers_in_the_way(fail_on, breaks, unknown, incomplete, newly)
    return None

"""The consumers of some registries as the command's result; the summary, the checklist and the gate."""

from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.consumers import errors, login_log, verdicts
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICTS, WORKS


def consumers_summary(result: dict[str, Any]) -> list[str]:
    """Lines for people: the numbers, what may be missing, once the checklist of what no query sees, and the log."""
    registries = result["registries"]
    numbers = {verdict: sum(each[verdict] for each in registries) for verdict in VERDICTS}
    broad = numbers[UNKNOWN] - _count_unknown_to_ask(result)
    lines = [errors.consumers_found(len(registries), numbers, broad, result["subscriptions"])]
    lines += [f"  {sentence}" for sentence in result["incomplete"]]
    lines.append(errors.NOT_SEEN)
    for verdict in (BREAKS, UNKNOWN, WORKS):
        names = [item["consumer"] for item in result["manualChecks"] if item["verdict"] == verdict]
        lines += [f"  {verdict}: {'; '.join(names)}"] if names else []
    return lines + login_log.login_summary(result)  # last, where it is seen


def _count_unknown_to_ask(result: dict[str, Any]) -> int:
    return sum(len(verdicts.unknown_to_ask(each["consumers"])) for each in result["registries"])


def fail_on_error(result: dict[str, Any], fail_on: str) -> AzCLIError | None:
    """The gate: `breaks` is passed if nothing is known to break and nobody is newly refused in the log, `unknown` only
    if there is nobody to ask about either.
    """
    breaks = sum(each[BREAKS] for each in result["registries"])
    unknown, newly, incomplete = (
        _count_unknown_to_ask(result),
        len(login_log.newly_refused_clients(result)),
        len(result["incomplete"]),
    )
    if breaks or newly or (fail_on == UNKNOWN and (unknown or incomplete)):
        return errors.consumers_in_the_way(fail_on, breaks, unknown, incomplete, newly)
    return None

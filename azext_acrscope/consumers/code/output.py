"""What people are told of a search of code, beside its rows. Pure."""

from typing import Any

from azext_acrscope.consumers.code import errors
from azext_acrscope.consumers.code.scan import SourceFindings
from azext_acrscope.consumers.knowledge import count_verdicts

FOUND_BY_CODE = "code"
_MAX_SHOWN = 10  # places in a warning; `az acr scope consumers --source` has all


def add_findings(result: dict[str, Any], found: SourceFindings) -> None:
    """Add `code`, `turnsBackOn` and `source` to the result of a search for consumers, and what may be missing."""
    result["code"] = found.code
    result["turnsBackOn"] = found.turns_back_on
    result["source"] = found.summary
    result["incomplete"] = [*result["incomplete"], *found.incomplete]


def code_summary(result: dict[str, Any]) -> list[str]:
    """Return lines for people: what was found in code, what was searched, and what was not; none without --source."""
    if "code" not in result:
        return []
    return source_lines(result["code"], result["turnsBackOn"], result["source"])


def source_lines(code: list[dict[str, Any]], turns_back_on: list[dict[str, Any]], summary: dict[str, Any]) -> list[str]:
    """Return the same for rows and the summary of a search."""
    unnamed = sum(row["registry"] is None for row in code)
    lines = [errors.places_found(count_verdicts(code), unnamed, summary["otherRegistries"])]
    lines += [errors.turned_back_on(len(turns_back_on))] if turns_back_on else []
    searched = (summary[name] for name in ("filesRead", "readInPart", "skipped", "leftOut"))
    return [*lines, errors.source_searched(*searched)]


def as_consumer(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of code as a row of a consumer (see `verdicts.judge_consumers`), named by file and line."""
    place = f"{row['file']}:{row['line']}"
    return {
        **{name: row[name] for name in ("kind", "verdict", "why", "fix", "source", "sourceDate")},
        "consumer": place,
        "name": place,
        "signIn": "code",
        "evidence": "",
        "foundBy": FOUND_BY_CODE,
        "rights": [],
        "managedBy": "",
    }


def set_back_lines(turns_back_on: list[dict[str, Any]]) -> list[str]:
    """Return warnings on the places that would undo an enforcement; none if there are none."""
    if not turns_back_on:
        return []
    lines = [f"  {row['file']}:{row['line']} ({row['strength']}): {row['why']} {row['fix']}" for row in turns_back_on]
    more = [f"  … and {len(lines) - _MAX_SHOWN} more"] if len(lines) > _MAX_SHOWN else []
    return [errors.turned_back_on(len(lines)), *lines[:_MAX_SHOWN], *more]

"""The results of earlier checks: the JSON that `az acr scope check` printed, kept as evidence."""

import re
from typing import Any

from azext_acrscope.base import files
from azext_acrscope.base.tokens import redact_tokens
from azext_acrscope.report import errors
from azext_acrscope.report.model import CheckEvidence
from azext_acrscope.verification import probe

_ALLOWED_WORDS = {
    "enforcedInEffect": (probe.YES, probe.NO, probe.UNKNOWN),
    "verdict": (probe.OK, probe.WARNING, probe.FAILED),
}
_TIME_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def evidence_of_check(row: dict[str, Any]) -> CheckEvidence:
    """Return a row of `check.check_rows` as evidence; tokens are removed, because anybody may have written the file."""
    return CheckEvidence(
        row["enforcedInEffect"],
        row["verdict"],
        str((row.get("probe") or {}).get("time") or ""),
        tuple(map(redact_tokens, row.get("observations") or ())),
    )


def read_check_files(paths: list[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of checks by registry ID in lower case; of several of one registry, that of the latest probe.

    :raises FileOperationError: a file cannot be read.
    :raises InvalidArgumentValueError: it is not what `az acr scope check` prints.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        for row in _read_check_file(path):
            key = str(row["id"]).lower()
            if key not in found or evidence_of_check(row).time >= evidence_of_check(found[key]).time:
                found[key] = row
    return found


def _read_check_file(file: str) -> list[dict[str, Any]]:
    content = files.read_json_document(file, errors.evidence_unreadable, errors.bad_evidence)
    rows = content if isinstance(content, list) else [content]
    if not rows or not all(_is_check_row(row) for row in rows):
        raise errors.bad_evidence(file, "it is not the output of `az acr scope check`")
    return [row for row in rows if row["id"]]  # a registry that could not be read has none


def _is_check_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("id", 0), (str, type(None)))
        and isinstance(row.get("status"), str)
        and all(row.get(name) in words for name, words in _ALLOWED_WORDS.items())
        and isinstance(row.get("probe"), dict)
        and _is_probe_time(row["probe"].get("time"))
        and all(_is_text_list(row.get(name)) for name in ("observations", "actions"))
    )


def _is_probe_time(value: Any) -> bool:
    """None if nothing was sent."""
    return value is None or (isinstance(value, str) and _TIME_PATTERN.fullmatch(value) is not None)


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)

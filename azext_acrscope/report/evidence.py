"""What earlier checks have proven: the JSON that `az acr scope check` printed, kept as evidence."""

import json
import re
from typing import Any

from azext_acrscope import _errors, files, probe
from azext_acrscope.report.content import Proof
from azext_acrscope.tokens import redact

_WORDS = {
    "enforcedInEffect": (probe.YES, probe.NO, probe.UNKNOWN),
    "verdict": (probe.OK, probe.WARNING, probe.FAILED),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def proof(row: dict[str, Any]) -> Proof:
    """A row of `check.rows` as a proof; a check repeats no token, but a file may have been written by anybody."""
    return Proof(
        row["enforcedInEffect"],
        row["verdict"],
        str((row.get("probe") or {}).get("time") or ""),
        tuple(map(redact, row.get("seen") or ())),
    )


def read(files: list[str]) -> dict[str, dict[str, Any]]:
    """The rows of checks by registry ID in lower case; of several of one registry, that of the latest probe.

    :raises FileOperationError: a file cannot be read.
    :raises InvalidArgumentValueError: it is not what `az acr scope check` prints.
    """
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for row in _rows(file):
            key = str(row["id"]).lower()
            if key not in found or proof(row).time >= proof(found[key]).time:
                found[key] = row
    return found


def _rows(file: str) -> list[dict[str, Any]]:
    try:
        content = json.loads(files.expanded(file).read_bytes())  # as bytes: Windows PowerShell's `>` writes UTF-16
    except OSError as error:
        raise _errors.evidence_unreadable(file, error.strerror or type(error).__name__) from error
    except (ValueError, RecursionError) as error:
        raise _errors.bad_evidence(file, "it is not JSON") from error
    rows = content if isinstance(content, list) else [content]
    if not rows or not all(_is_row(row) for row in rows):
        raise _errors.bad_evidence(file, "it is not what that command prints")
    return [row for row in rows if row["id"]]  # a registry that could not be read has none


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("id", 0), (str, type(None)))
        and isinstance(row.get("status"), str)
        and all(row.get(name) in words for name, words in _WORDS.items())
        and isinstance(row.get("probe"), dict)
        and _is_time(row["probe"].get("time"))
        and all(_is_texts(row.get(name)) for name in ("seen", "toDo"))
    )


def _is_time(value: Any) -> bool:
    """None if nothing was sent."""
    return value is None or (isinstance(value, str) and _TIME.fullmatch(value) is not None)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)

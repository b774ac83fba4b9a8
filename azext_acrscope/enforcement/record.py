"""The record of a run: what was about to change, and what came of it, on disk before and after each write.

A file of JSON lines that only its owner can read. First a line ``{"event": "run", "registries", "consumers"}``, with
what became of looking for consumers; before a write ``{"event": "change", "id", "from", "to"}``; after it ``{"event":
"outcome", "id", "result", "status", "reason"}``. A run that was killed leaves changes without an outcome: they may or
may not have been made, and an undo looks at the live state.
"""

import itertools
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from azext_acrscope.base import clock, files
from azext_acrscope.enforcement import errors

# Whether consumers were looked for before: all of the search was read; some of it was not, and the user went on; the
# user left it out; there was no need, because nothing was to become `disabled`.
CONSUMERS_ASKED, CONSUMERS_UNANSWERED, CONSUMERS_SKIPPED, CONSUMERS_NOT_ASKED = (
    "asked",
    "unanswered",
    "skipped",
    "not asked",
)


class RecordedChange(NamedTuple):
    """A change that a record says was made or begun: of the registry `id`, from one status to another."""

    id: str
    before: str
    after: str


class RunRecord:
    """An open record, for one run. Lines are on disk when `append` returns."""

    def __init__(self, file: Path) -> None:
        """Create the file, with its folder if need be.

        :raises FileOperationError: it exists already, or cannot be written.
        """
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise errors.record_unwritable(str(file), error) from error
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError as error:
            raise errors.record_exists(str(file)) from error
        except OSError as error:
            raise errors.record_unwritable(str(file), error) from error
        self._handle = handle

    def append(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write lines and wait until they are on disk.

        :raises FileOperationError: they could not be written; nothing may be changed then.
        """
        data = "".join(json.dumps({**line, "time": clock.utc_now()}) + "\n" for line in lines).encode()
        if not data:
            return
        try:
            while data:
                written = os.write(self._handle, data)
                data = data[written:]
            os.fsync(self._handle)
        except OSError as error:
            raise errors.record_unwritable(str(self.file), error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def default_record_file(config_directory: str) -> Path:
    """Return the name of a new file there, such as acrscope/enforce-20261123T124501Z-4711.jsonl.

    A process that begins two runs in one second (a program that calls the CLI as a library) gets -2 for the second.
    """
    folder = Path(config_directory) / "acrscope"
    name = f"enforce-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    numbered = (folder / f"{name}-{number}.jsonl" for number in itertools.count(2))
    return next(each for each in itertools.chain([folder / f"{name}.jsonl"], numbered) if not each.exists())


def read_record(file: str) -> list[RecordedChange]:
    """Return the changes of a record, given as it was typed; see `parse_record`."""
    return parse_record(files.expand_path(file))


def choose_record_file(chosen: str | None, config_directory: str) -> Path:
    """Return where to keep a record: the file that was typed, else a new one in the CLI's configuration directory."""
    return files.expand_path(chosen) if chosen else default_record_file(config_directory)


def parse_record(file: Path) -> list[RecordedChange]:
    """Return the changes of a record that were made or may have been, each registry once.

    A last line that a crash cut off is ignored.

    :raises FileOperationError: there is no such file, or it is not a record.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise errors.record_unreadable(str(file), files.os_error_reason(error)) from error
    except UnicodeDecodeError as error:
        raise errors.record_unreadable(str(file), "it is not text") from error
    lines = text.splitlines()
    if lines and not text.endswith("\n") and not _is_json(lines[-1]):
        lines.pop()
    made: dict[str, RecordedChange] = {}
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            event = entry["event"]
            if event == "change":
                if not {entry["from"], entry["to"]} <= {"enabled", "disabled"}:
                    raise ValueError("a status is one of two words")
                made.setdefault(entry["id"].lower(), RecordedChange(entry["id"], entry["from"], entry["to"]))
            elif event == "outcome" and not _may_have_changed(entry, made):
                made.pop(entry["id"].lower(), None)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise errors.record_unreadable(str(file), f"line {number} is not a line of a record") from error
    if not lines or '"event"' not in lines[0]:
        raise errors.record_unreadable(str(file), "it is not a record")
    return list(made.values())


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _may_have_changed(outcome: dict[str, Any], made: dict[str, RecordedChange]) -> bool:
    """Not if ARM refused the write, nor if the registry was seen to be as before."""
    change = made.get(outcome["id"].lower())
    return change is not None and not outcome.get("refused") and outcome["status"] != change.before

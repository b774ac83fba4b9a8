"""The record of a run: on disk before the write, never overwritten, readable after a crash."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrscope.enforcement import record
from azext_acrscope.enforcement.record import RecordedChange, RunRecord

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso"


def change(registry_id: str = ID, before: str = "enabled", after: str = "disabled") -> dict[str, str]:
    return {"event": "change", "id": registry_id, "from": before, "to": after}


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    log = RunRecord(tmp_path / "new" / "run.jsonl")
    log.append([{"event": "run"}])
    log.append([change(), change(ID + "2")])
    log.append([{"event": "outcome", "id": ID, "result": "changed", "status": "disabled"}])
    assert record.parse_record(log.file) == [
        RecordedChange(ID, "enabled", "disabled"),
        RecordedChange(ID + "2", "enabled", "disabled"),
    ]
    assert all(json.loads(line)["time"].endswith("Z") for line in log.file.read_text().splitlines())
    log.close()


def test_lines_are_on_disk_before_append_returns(tmp_path: Path) -> None:
    log = RunRecord(tmp_path / "run.jsonl")
    log.append([change()])
    assert record.parse_record(log.file)  # read through another handle, the first one still open
    log.close()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    RunRecord(tmp_path / "folder" / "run.jsonl").close()
    assert (tmp_path / "folder" / "run.jsonl").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o077 == 0


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("precious")
    with pytest.raises(FileOperationError, match="never overwritten"):
        RunRecord(tmp_path / "run.jsonl")
    assert (tmp_path / "run.jsonl").read_text() == "precious"


def test_a_link_is_not_followed_to_overwrite(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "run.jsonl").symlink_to(tmp_path / "precious")
    with pytest.raises(FileOperationError):
        RunRecord(tmp_path / "run.jsonl")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileOperationError, match="cannot be written"):
        RunRecord(tmp_path / "file" / "run.jsonl")


def test_a_last_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text(json.dumps(change()) + "\n" + json.dumps(change(ID + "2"))[:40])
    assert record.parse_record(file) == [RecordedChange(ID, "enabled", "disabled")]


def outcome(result: str, status: str, registry_id: str = ID) -> dict[str, str]:
    return {"event": "outcome", "id": registry_id, "result": result, "status": status}


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ([outcome("changed", "disabled")], True),
        ([outcome("failed", "disabled")], True),
        ([outcome("failed", "unknown")], True),
        ([], True),
        ([outcome("failed", "enabled")], False),
        ([{**outcome("failed", "disabled"), "refused": True}], False),
    ],
)
def test_a_change_counts_unless_the_registry_was_seen_as_before(
    tmp_path: Path, lines: list[dict[str, str]], counts: bool
) -> None:
    log = RunRecord(tmp_path / "run.jsonl")
    log.append([{"event": "run"}, change(), *lines])
    log.close()
    assert bool(record.parse_record(log.file)) is counts


@pytest.mark.parametrize(
    "line",
    [
        {"event": "change", "id": ID, "from": "banana", "to": "disabled"},
        {"event": "change", "id": ID, "from": "enabled"},
        {"event": "outcome", "id": 5, "status": "enabled"},
        {},
    ],
)
def test_a_last_line_that_is_whole_and_makes_no_sense_is_refused(tmp_path: Path, line: dict[str, Any]) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text(json.dumps(change()) + "\n" + json.dumps(line))
    with pytest.raises(FileOperationError, match="line 2 is not a line of a record"):
        record.parse_record(file)


@pytest.mark.parametrize("text", ["", "hello\nworld\n", '{"event": "change"}\n{}\n', "[]\n[]\n", "1\n"])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(FileOperationError, match="cannot be read as a record"):
        record.parse_record(tmp_path / "file")


def test_the_default_file_is_new_and_in_its_own_folder(tmp_path: Path) -> None:
    file = record.default_record_file(str(tmp_path))
    assert file.parent == tmp_path / "acrscope"
    assert not file.exists()


def test_runs_that_one_process_begins_in_one_second_have_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.gmtime()
    monkeypatch.setattr(time, "gmtime", lambda: now)
    for _ in range(3):
        RunRecord(record.default_record_file(str(tmp_path))).close()
    assert len(list((tmp_path / "acrscope").iterdir())) == 3


def test_a_full_disk_is_said_and_closing_does_not_raise_again(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = RunRecord(tmp_path / "run.jsonl")
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(FileOperationError, match="cannot be written"):
            log.append([change(f"{ID}{number}") for number in range(100)])
        log.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, previous)
    assert record.parse_record(log.file)

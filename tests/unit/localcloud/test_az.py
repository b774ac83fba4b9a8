"""tests/az.py: a program that is started ends, with what it started."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.az import captured, run, running

# Starts a program of its own that ignores a polite end, writes down the IDs of both, and waits.
_PARENT = "(trap '' TERM; exec sleep 60) & echo $$ $! >ids.new; mv ids.new ids; wait"


def have_ended(processes: str) -> bool:
    """Tell whether both have ended. The system may take a moment for one that nobody waits for."""
    ids = processes.split()
    assert len(ids) == 2
    deadline = time.monotonic() + 20
    while (left := [each for each in ids if _runs(each)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not left


def _runs(process: str) -> bool:
    try:
        return Path("/proc", process, "stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_what_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sh", "-c", _PARENT], os.environ, tmp_path, timeout=3)
    assert have_ended((tmp_path / "ids").read_text())


def test_an_error_beside_a_program_ends_it_with_what_it_started(tmp_path: Path) -> None:
    def fail_beside() -> None:
        with running(["sh", "-c", _PARENT], **captured(os.environ), cwd=tmp_path):
            while not (tmp_path / "ids").exists():
                time.sleep(0.01)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_beside()
    assert have_ended((tmp_path / "ids").read_text())


def test_what_ends_in_time_is_told_with_both_outputs(tmp_path: Path) -> None:
    result = run(["sh", "-c", "pwd; echo oops >&2; exit 3"], os.environ, tmp_path, timeout=20)
    assert (result.command[0], result.code, result.stdout, result.stderr) == ("sh", 3, f"{tmp_path}\n", "oops\n")

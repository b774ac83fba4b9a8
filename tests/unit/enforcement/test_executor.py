"""Rolling changes out: every item gets a result, whatever ARM does and whenever the run is stopped."""

import gc
import itertools
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import AzureConnectionError, FileOperationError

from azext_acrscope.arm.client import ArmError, Reply
from azext_acrscope.arm.throttle import READS_PER_SECOND, WRITES_PER_SECOND, Throttle
from azext_acrscope.enforcement import executor
from azext_acrscope.enforcement.executor import PlanExecutor
from azext_acrscope.enforcement.plan_item import PlanItem
from azext_acrscope.enforcement.record import RunRecord, parse_record
from azext_acrscope.registry import change as registry_change
from tests.factories.registries import RegistryArm, resource


class World(RegistryArm):
    """ARM for many registries; `trouble` is called before each request and may raise."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, str] = {}
        self.writes: list[str] = []
        self.trouble: Any = lambda method, name: None

    def read(self, path: str) -> Reply:
        name = path.rpartition("/")[2]
        self.trouble("GET", name)
        return Reply(200, {}, {**resource(self.statuses.get(name, "enabled"), name=name), "id": path})

    def write(self, path: str, body: Any) -> Reply:
        name = path.rpartition("/")[2]
        self.trouble("PATCH", name)
        self.writes.append(name)
        self.statuses[name] = "disabled"
        return Reply(200, {}, {})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(PlanItem, "pause", 0.01)


def items(count: int) -> list[PlanItem]:
    made = [PlanItem(resource(name=f"contoso{number:02}"), "enabled", "disabled") for number in range(count)]
    for item in made:
        item.pause = 0.01
    return made


def roll_out(world: World, todo: list[PlanItem], tmp_path: Path) -> PlanExecutor:
    log = RunRecord(tmp_path / "run.jsonl")
    runner = PlanExecutor(lambda _: world, log, operation_seconds=60)  # type: ignore[arg-type,return-value]
    runner.run(todo)
    log.close()
    return runner


def test_every_registry_is_written_once(tmp_path: Path) -> None:
    world, todo = World(), items(100)
    roll_out(world, todo, tmp_path)
    assert {item.result for item in todo} == {"changed"}
    assert sorted(world.writes) == [item.resource["name"] for item in todo]
    assert len(parse_record(tmp_path / "run.jsonl")) == 100


@pytest.mark.parametrize(
    "error",
    [
        AzureConnectionError("timed out"),
        ArmError(503, "Busy", "x", "c"),
        ArmError(429, "Throttled", "x", "c", retry_after=0.0),
    ],
)
def test_what_passes_is_tried_again(tmp_path: Path, error: Exception) -> None:
    world, todo, failed = World(), items(3), set[tuple[str, str]]()

    def first_time(method: str, name: str) -> None:
        if (method, name) not in failed:
            failed.add((method, name))
            raise error

    world.trouble = first_time
    roll_out(world, todo, tmp_path)
    assert {item.result for item in todo} == {"changed"}


@pytest.mark.parametrize(
    "error", [AzureConnectionError("timed out"), ArmError(500, "Oops", "x", "c"), ValueError("bug")]
)
def test_what_does_not_pass_fails_after_bounded_tries_and_alone(tmp_path: Path, error: Exception) -> None:
    world, todo = World(), items(5)
    tries: list[str] = []

    def always(method: str, name: str) -> None:
        if name == "contoso03" and (method == "PATCH" or "PATCH" in tries):
            tries.append(method)
            raise error

    world.trouble = always
    roll_out(world, todo, tmp_path)
    assert [item.result for item in todo] == ["changed", "changed", "changed", "failed", "changed"]
    assert todo[3].status == "unknown"
    assert "could not be read" in todo[3].reason
    assert 1 <= tries.count("PATCH") <= 7


def test_a_refusal_tells_the_state(tmp_path: Path) -> None:
    world, todo = World(), items(2)

    def locked(method: str, name: str) -> None:
        if method == "PATCH" and name == "contoso00":
            raise ArmError(409, "ScopeLocked", "locked", "c")

    world.trouble = locked
    roll_out(world, todo, tmp_path)
    assert (todo[0].result, todo[0].status) == ("failed", "enabled")
    assert todo[0].reason.endswith("It is `enabled` now.")


def test_ctrl_c_leaves_no_item_without_a_result_and_no_write_without_a_line(tmp_path: Path) -> None:
    world, todo, requests = World(), items(300), itertools.count(1)

    def slow(method: str, name: str) -> None:
        time.sleep(0.02)
        if next(requests) == 50:
            os.kill(os.getpid(), signal.SIGINT)

    world.trouble = slow
    before = signal.getsignal(signal.SIGINT)
    runner = roll_out(world, todo, tmp_path)
    assert runner.interrupted
    assert signal.getsignal(signal.SIGINT) == before
    assert {item.result for item in todo} == {"changed", "skipped"}
    changed = {item.resource["name"] for item in todo if item.result == "changed"}
    assert changed == set(world.writes)
    assert {made.id.rpartition("/")[2] for made in parse_record(tmp_path / "run.jsonl")} == changed


def test_a_record_that_cannot_be_written_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, todo, real, calls = World(), items(200), RunRecord.append, [0]

    def full(self: RunRecord, lines: Any) -> None:
        lines = list(lines)
        calls[0] += bool(lines)
        if calls[0] > 2:
            raise FileOperationError("disk full")
        real(self, lines)

    monkeypatch.setattr(RunRecord, "append", full)
    runner = roll_out(world, todo, tmp_path)
    assert isinstance(runner.stopped, FileOperationError)
    assert {item.result for item in todo} == {"changed", "skipped"}
    named = {made.id.rpartition("/")[2] for made in parse_record(tmp_path / "run.jsonl")}
    assert set(world.writes) <= named


def test_one_throttled_subscription_does_not_hold_up_another(tmp_path: Path) -> None:
    world, todo = World(), items(20)
    for item in todo[:10]:
        item.resource["id"] = item.resource["id"].replace("1111", "9999")
    held: list[str] = []

    def throttle(method: str, name: str) -> None:
        if method == "PATCH" and name < "contoso10" and not held:
            held.append(name)
            raise ArmError(429, "Throttled", "x", "c", retry_after=2.0)

    world.trouble = throttle
    roll_out(world, todo, tmp_path)
    assert {item.result for item in todo} == {"changed"}
    others = [number for number, name in enumerate(world.writes) if name >= "contoso10"]
    assert (len(others), max(others) < world.writes.index(held[0])) == (10, True)


def test_what_somebody_changed_since_the_plan_is_not_written_and_not_undone(tmp_path: Path) -> None:
    world, todo = World(), items(3)
    world.statuses["contoso01"] = "disabled"
    roll_out(world, todo, tmp_path)
    assert [item.result for item in todo] == ["changed", "unchanged", "changed"]
    assert sorted(world.writes) == ["contoso00", "contoso02"]
    assert len(parse_record(tmp_path / "run.jsonl")) == 2


def test_after_an_interruption_nothing_that_waits_for_its_turn_is_sent(tmp_path: Path) -> None:
    world, todo, first = World(), items(40), threading.Lock()

    def always_busy(method: str, name: str) -> None:
        if method == "PATCH":
            if first.acquire(blocking=False):
                os.kill(os.getpid(), signal.SIGTERM)
            raise ArmError(429, "Throttled", "x", "c", retry_after=2.0)

    world.trouble = always_busy
    roll_out(world, todo, tmp_path)
    assert world.writes == []
    assert {item.result for item in todo} == {"skipped"}
    assert parse_record(tmp_path / "run.jsonl") == []


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_breaks_in_and_never_ends_the_process_in_silence(
    tmp_path: Path, kind: int, second: int, caplog: pytest.LogCaptureFixture
) -> None:
    world, todo, requests = World(), items(40), itertools.count(1)

    def cancel(method: str, name: str) -> None:
        if next(requests) == 3:
            os.kill(os.getpid(), kind)
            while not any("Interrupted" in each for each in caplog.messages):
                time.sleep(0.01)
            os.kill(os.getpid(), second)

    world.trouble = cancel
    gc.disable()  # while it collects, Hypothesis runs a function in which what a signal raises is lost
    try:
        with pytest.raises(KeyboardInterrupt):
            roll_out(world, todo, tmp_path)
    finally:
        gc.enable()


def test_another_run_over_items_does_nothing_once_interrupted(tmp_path: Path) -> None:
    world, todo = World(), items(5)
    log = RunRecord(tmp_path / "run.jsonl")
    runner = PlanExecutor(lambda _: world, log, operation_seconds=60, interrupted=True)  # type: ignore[arg-type,return-value]
    runner.run(todo)
    assert {item.result for item in todo} == {"skipped"}
    assert world.writes == []


def test_writes_speed_up_again_when_they_are_taken(tmp_path: Path) -> None:
    world, todo, refused = World(), items(30), list[str]()

    def once(method: str, name: str) -> None:
        if method == "PATCH" and not refused:
            refused.append(name)
            raise ArmError(429, "Throttled", "x", "c", retry_after=1.0)

    world.trouble = once
    runner = roll_out(world, todo, tmp_path)
    writes = next(throttle for (_, rate), throttle in runner._throttles.items() if rate == 10.0)
    assert writes._rate > 10.0


def test_a_conflict_with_another_operation_is_tried_again(tmp_path: Path) -> None:
    world, todo, met = World(), items(2), set[str]()

    def conflict(method: str, name: str) -> None:
        if method == "PATCH" and name not in met:
            met.add(name)
            raise ArmError(409, "Conflict", "another operation is in progress", "c")

    world.trouble = conflict
    roll_out(world, todo, tmp_path)
    assert {item.result for item in todo} == {"changed"}


def test_writes_wait_for_what_arm_says_is_left(tmp_path: Path) -> None:
    class Telling(World):
        def write(self, path: str, body: Any) -> Reply:
            super().write(path, body)
            return Reply(200, {"x-ms-ratelimit-remaining-subscription-writes": str(max(0, 40 - len(self.writes)))}, {})

    world, todo = Telling(), items(45)
    started = time.monotonic()
    roll_out(world, todo, tmp_path)
    assert {item.result for item in todo} == {"changed"}
    assert time.monotonic() - started > 0.3, "the last of them had to wait"


def test_what_arm_says_is_left_of_reads_and_writes_paces_each_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[float, list[int | None]] = {READS_PER_SECOND: [], WRITES_PER_SECOND: []}
    taken = Throttle.taken

    def note(self: Throttle, now: float = 0.0, left: int | None = None, answered_before: int = 0) -> None:
        told[self._refill].append(left)
        taken(self, now, left, answered_before)

    class Telling(World):
        def read(self, path: str) -> Reply:
            reply = super().read(path)
            return Reply(reply.status, {"x-ms-ratelimit-remaining-subscription-reads": "77"}, reply.body)

        def write(self, path: str, body: Any) -> Reply:
            reply = super().write(path, body)
            return Reply(reply.status, {"x-ms-ratelimit-remaining-subscription-writes": "55"}, reply.body)

    monkeypatch.setattr(Throttle, "taken", note)
    roll_out(Telling(), items(2), tmp_path)
    assert {speed: Counter(left) for speed, left in told.items()} == {
        READS_PER_SECOND: {77: 4, None: 2},  # a look at what has ended sends nothing
        WRITES_PER_SECOND: {55: 2},
    }


@pytest.mark.parametrize("method", ["PATCH", "GET"])
def test_a_subscription_that_refuses_everything_is_given_up_in_time_and_told(
    tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    world, todo = World(), items(60)
    other = todo[0]
    other.resource["id"] = other.resource["id"].replace("1111", "9999")

    def throttle(each: str, name: str) -> None:
        if each == method and name != other.resource["name"]:
            raise ArmError(429, "Throttled", "x", "c", retry_after=1.0)

    world.trouble = throttle
    log = RunRecord(tmp_path / "run.jsonl")
    started = time.monotonic()
    PlanExecutor(lambda _: world, log, operation_seconds=2).run(todo)  # type: ignore[arg-type,return-value]
    log.close()
    assert time.monotonic() - started < 20
    assert other.result == "changed"
    results = {item.result for item in todo[1:]}
    assert "failed" in results
    assert results <= {"failed", "skipped"}
    assert all("throttl" in item.reason for item in todo[1:]), "whether it was tried or given up with the others"
    assert "for 2 s at most" in caplog.text
    changed = {made.id.rpartition("/")[2] for made in parse_record(tmp_path / "run.jsonl")}
    assert set(world.writes) <= changed | {item.resource["name"] for item in todo if item.result == "skipped"}


def test_a_status_older_than_the_write_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_READ_BACK_SECONDS", 0.01)
    world, todo, reads = World(), items(1), list[str]()

    def stale_twice(method: str, name: str) -> None:
        if method == "GET":
            reads.append(name)
            world.statuses[name] = "enabled" if len(reads) < 3 else "disabled"

    world.trouble = stale_twice
    roll_out(world, todo, tmp_path)
    assert (todo[0].result, todo[0].status, len(reads)) == ("changed", "disabled", 3)


def test_a_status_that_stays_another_is_reported_after_a_few_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_READ_BACK_SECONDS", 0.01)
    world, todo = World(), items(1)
    world.trouble = lambda method, name: world.statuses.update({name: "enabled"}) if method == "GET" else None
    roll_out(world, todo, tmp_path)
    assert (todo[0].result, todo[0].status) == ("failed", "enabled")
    assert "reading it back shows another status" in todo[0].reason


def test_looks_that_are_throttled_without_an_end_come_to_one_and_the_state_is_unknown(tmp_path: Path) -> None:
    world, todo = World(), items(1)

    def throttled(method: str, name: str) -> None:
        if method == "GET":
            raise ArmError(429, "Throttled", "x", "c")

    world.trouble = throttled
    log = RunRecord(tmp_path / "run.jsonl")
    runner = PlanExecutor(lambda _: world, log, 0.0, planned=time.monotonic())  # type: ignore[arg-type,return-value]
    runner.run(todo)
    assert (todo[0].result, todo[0].status) == ("failed", "unknown")
    assert "refused to be asked about it" in todo[0].reason
    assert "was being set to `disabled`" in todo[0].reason


@pytest.mark.parametrize(("count", "pause"), [(1, registry_change.QUICK_POLL_SECONDS), (2, 0.15)])
def test_one_change_is_looked_at_sooner_than_each_of_many(count: int, pause: float, tmp_path: Path) -> None:
    todo = items(count)
    for item in todo:
        item.pause = 0.15
    roll_out(World(), todo, tmp_path)
    assert {item.pause for item in todo} == {pause}

"""Changing the status of many registries: bounded writers, one view of throttling, a record, and an honest end.

The thread that calls `run` hands out work and keeps the books; a pool of writers does one request at a time and never
sleeps. A change whose operation is under way waits in a queue, not in a writer.
"""

import heapq
import itertools
import math
import random
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger

from azext_acrscope.arm.client import MAX_CONNECTIONS, ArmError, Connect, is_transient
from azext_acrscope.arm.throttle import READS_PER_SECOND, WRITES_PER_SECOND, Throttle
from azext_acrscope.base.tokens import redact_tokens
from azext_acrscope.enforcement import errors
from azext_acrscope.enforcement.plan_item import (
    CHANGED,
    SKIPPED,
    UNCHANGED,
    PlanItem,
    change_line,
    count_failures,
    outcome_line,
)
from azext_acrscope.enforcement.record import RunRecord
from azext_acrscope.registry import change as registry_change
from azext_acrscope.registry.change import StatusChange
from azext_acrscope.registry.resource import UNKNOWN

MAX_WRITERS = MAX_CONNECTIONS
_MAX_TRIES = 6  # of one request, when it fails in a way that passes
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.5, 20.0  # seconds between tries; doubled each time, with jitter
_MAX_READ_BACKS, _READ_BACK_SECONDS = 3, 0.25  # further ones where an older status is read; doubled each time
# Seconds after which a plan may be out of date, so that each registry is looked at again before it is written. Not
# always: reads are limited, too, and with a third one for each registry they would hold up the writes.
_PLAN_STALE_SECONDS = 60.0
_TICK_SECONDS = 0.5  # seconds after which Ctrl-C is noticed at the latest

logger = get_logger(__name__)
RunningSteps = dict[Future[float | None], PlanItem]


@dataclass
class PlanExecutor:  # pylint: disable=too-many-instance-attributes  # its input, and the state of one run
    """Makes the changes of items. `arms` gives the connection to a subscription, `progress` takes three counts: done,
    all, failed.

    :ivar interrupted: whether Ctrl-C or SIGTERM ended the handing out.
    :ivar stopped: the error that ended it: the record could not be written.
    """

    arms: Connect
    record: RunRecord
    operation_seconds: float
    planned: float = -math.inf  # when the registries were read, by time.monotonic()
    progress: Callable[[int, int, int], None] = lambda done, total, failed: None
    interrupted: bool = False
    stopped: AzCLIError | None = None
    _throttles: dict[tuple[str, float], Throttle] = field(default_factory=dict)
    _given_up: set[tuple[str, bool]] = field(default_factory=set)  # subscriptions that refuse all writes (True), reads
    _later: list[tuple[float, int, PlanItem]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _held: float = _TICK_SECONDS  # seconds until the first of those that throttling held back may go

    def run(self, items: list[PlanItem]) -> None:
        """Make the changes of all items without a result; each has one when this returns.

        Ctrl-C stops the handing out: what was sent is seen to its end, the rest is `skipped`.
        """
        todo = deque(item for item in items if not item.result)
        self._given_up.clear()  # what an earlier wave met
        if self.interrupted or self.stopped:
            self._drop(todo)
        for item in todo:
            item.change = StatusChange(self.arms(item.subscription), item.resource, item.target)
            if len(todo) == 1:
                item.alone, item.pause = True, registry_change.QUICK_POLL_SECONDS
        total, running = len(todo), RunningSteps()
        with self._interruptible(), ThreadPoolExecutor(MAX_WRITERS) as writers:
            while todo or running or self._later:
                for item in self._hand_out(todo, MAX_WRITERS - len(running)):
                    running[writers.submit(self._advance, item)] = item
                self._await(running)
                self._collect(running)
                if self.interrupted or self.stopped or self._given_up:
                    self._drop(todo)
                    self._drop_unsent()
                self.progress(total - len(todo) - len(running) - len(self._later), total, count_failures(items))

    # --- the thread that keeps the books ---

    def _hand_out(self, todo: deque[PlanItem], free: int) -> list[PlanItem]:
        """What the free writers are to do now: first what is due of the changes under way, then new ones."""
        now, out = time.monotonic(), list[PlanItem]()
        self._held = _TICK_SECONDS
        while self._later and len(out) < free and self._later[0][0] <= now:
            item = heapq.heappop(self._later)[2]
            if pause := self._admit(item, now):
                self._put_off(item, pause)
            else:
                out.append(item)
        stale = now - self.planned > _PLAN_STALE_SECONDS
        for _ in range(len(todo)):
            if len(out) >= free:
                break
            item = todo.popleft()
            item.step = "check" if stale else "send"
            if pause := self._admit(item, now):
                todo.append(item)  # another subscription may be free
                self._held = min(self._held, pause)
            else:
                out.append(item)
        return self._written_down(out)

    def _written_down(self, items: list[PlanItem]) -> list[PlanItem]:
        """Those that may go: before a write its line is on disk; if that fails, the write waits (to be dropped)."""
        new = [item for item in items if item.step == "send" and not item.written_down]
        written = self._write_down([change_line(item) for item in new])
        for item in new:
            item.written_down = written
            if not written:
                self._put_off(item, 0.0)
        return [item for item in items if item.step != "send" or item.written_down]

    def _await(self, running: RunningSteps) -> None:
        """Sleep until a writer is ready or something is due."""
        pause = self._held
        if self._later:
            pause = min(pause, max(0.0, self._later[0][0] - time.monotonic()))
        if len(running) >= MAX_WRITERS:
            pause = _TICK_SECONDS
        if running:
            wait(running, timeout=pause, return_when=FIRST_COMPLETED)
        else:
            time.sleep(pause)

    def _collect(self, running: RunningSteps) -> None:
        """Put off what goes on later, and write down what is finished."""
        finished = []
        for future in [future for future in running if future.done()]:
            item = running.pop(future)
            pause = future.result()
            if pause is None:
                finished.append(item)
            else:
                self._put_off(item, pause)
        self._write_down([outcome_line(item) for item in finished if item.written_down])

    def _write_down(self, lines: list[dict[str, Any]]) -> bool:
        """Whether the record took the lines; if not, nothing more is begun."""
        try:
            self.record.append(lines)
        except AzCLIError as error:
            self.stopped = self.stopped or error
        return not self.stopped

    def _drop(self, todo: deque[PlanItem]) -> None:
        """Take out what is not to be sent any more: it is skipped."""
        for _ in range(len(todo)):
            item = todo.popleft()
            if why := self._why_no_more(item):
                item.finish(SKIPPED, item.before, f"not started: {why}")
            else:
                todo.append(item)

    def _why_no_more(self, item: PlanItem) -> str:
        """Why nothing more is sent for an item; empty while it may be."""
        if not self.interrupted and not self.stopped:
            given_up = self._given_up & {(item.subscription, True), (item.subscription, False)}
            return errors.still_throttled(self.operation_seconds) if given_up else ""
        return "the run was interrupted" if self.interrupted else "the record could not be written"

    def _drop_unsent(self) -> None:
        """Of those that wait their turn: what was never sent is skipped; what may have been taken is looked at."""
        waiting, self._later = self._later, []
        for due, number, item in waiting:
            why = self._why_no_more(item)
            if why and item.step in ("check", "send") and not item.sent:
                self._drop(deque([item]))
            elif item.step not in ("check", "send") and (item.subscription, False) in self._given_up:
                self._fail_unread(item, item.problem or why)
            else:
                if why and item.step == "send":
                    item.problem = f"{why}, before Azure accepted the change"
                    item.next_step("explain")
                heapq.heappush(self._later, (due, number, item))
                continue
            self._write_down([outcome_line(item)] if item.written_down else [])

    def _put_off(self, item: PlanItem, seconds: float) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), item))

    def _admit(self, item: PlanItem, now: float) -> float:
        """Return 0 if the next step of an item may be taken now; else the seconds to wait."""
        throttle = self._throttle(item)
        pause = throttle.admit(now)
        item.answered_before = throttle.answered
        return pause

    def _throttle(self, item: PlanItem) -> Throttle:
        rate = WRITES_PER_SECOND if item.step == "send" else READS_PER_SECOND
        return self._throttles.setdefault((item.subscription, rate), Throttle(rate))

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Meanwhile the first Ctrl-C or SIGTERM sets a flag instead of breaking in anywhere; the second breaks in."""

        def note(_signal: int, _frame: Any) -> None:
            self.interrupted = True
            for kind in (signal.SIGINT, signal.SIGTERM):  # the second one may be of the other kind
                signal.signal(kind, signal.default_int_handler)
            logger.warning("Interrupted. No more changes are sent. Waiting for those already sent …")

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {kind: signal.signal(kind, note) for kind in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    # --- the writers ---

    def _advance(self, item: PlanItem) -> float | None:
        """Do the next step of an item. The seconds until the one after; None when it is finished."""
        change = item.change
        assert change is not None  # noqa: S101  (for the type checker: `run` has set it)
        throttle, change.requests_left = self._throttle(item), None  # of this step, which the step may move on
        try:
            pause = getattr(self, f"_{item.step}")(item, change)
            throttle.taken(time.monotonic(), change.requests_left, item.answered_before)
            item.refused_since = 0.0
            return pause
        except (ArmError, AzCLIError) as error:
            if isinstance(error, ArmError) and error.status == 429:
                pause = self._refused(item, throttle, error)
                return pause or self._explain_later(item, _throttling_problem(item, error))
            throttle.failed()
            if is_transient(error) and item.tries < _MAX_TRIES:
                item.sent = item.sent or item.step == "send"
                return _next_retry_seconds(item)
            return self._explain_later(item, error)
        except Exception as error:  # pylint: disable=broad-exception-caught  # one surprise never stops the others
            throttle.failed()
            logger.debug("Unexpected: %s", redact_tokens(traceback.format_exc()))
            item.fail(UNKNOWN, errors.unexpected(type(error).__name__))
            return None

    def _refused(self, item: PlanItem, throttle: Throttle, error: ArmError) -> float:
        """A 429: the seconds to wait with all others of the subscription; 0 if this has gone on for too long."""
        now, pause = time.monotonic(), max(error.retry_after, 1.0)
        if throttle.refused(now, error.retry_after):
            told = "Azure throttles subscription %s. Retrying in %.0f s, and for %.0f s at most while it takes nothing."
            logger.warning(told, item.subscription, pause, self.operation_seconds)
        item.refused_since = item.refused_since or now
        if throttle.refused_for(now) >= self.operation_seconds:
            self._given_up.add((item.subscription, item.step == "send"))
            return 0.0
        return pause if now - item.refused_since < self.operation_seconds else 0.0

    def _check(self, item: PlanItem, change: StatusChange) -> float | None:
        """Just before the write: somebody else may have done it since the plan was made."""
        now = change.read_status()
        if now == item.target:
            item.finish(UNCHANGED, now, f"it is already `{now}`: somebody changed it after the plan was made")
            return None
        return item.next_step("send")

    def _send(self, item: PlanItem, change: StatusChange) -> float:
        change.send()
        item.sent = True
        item.deadline = time.monotonic() + self.operation_seconds
        if item.alone:
            return item.next_step("glance")
        item.next_step("look")
        return item.pause

    def _glance(self, item: PlanItem, change: StatusChange) -> float | None:
        """Read the registry of the only change at once: where Azure has finished already, no look is needed.

        A fleet saves its reads instead, because they are limited.
        """
        if change.read_settled_status() == item.target:
            item.finish(CHANGED, item.target)
            return None
        return item.next_step("look")

    def _look(self, item: PlanItem, change: StatusChange) -> float | None:
        seen = change.look()
        if seen.ended:
            return item.next_step("read_back")
        if seen.problem or time.monotonic() > item.deadline:
            return self._explain_later(
                item, seen.problem or registry_change.timeout_reason(self.operation_seconds, seen.state)
            )
        item.pause = min(item.pause * 2, registry_change.MAX_POLL_SECONDS)
        return seen.wait or item.pause

    def _read_back(self, item: PlanItem, change: StatusChange) -> float | None:
        now = change.read_status()
        if now == item.target:
            item.finish(CHANGED, now)
            return None
        if item.read_back < _MAX_READ_BACKS:  # what is read may be older than what was written
            item.read_back += 1
            return _READ_BACK_SECONDS * 2**item.read_back
        item.fail(now, change.failed(registry_change.unchanged_reason(item.target), now))
        return None

    def _explain_later(self, item: PlanItem, problem: str | ArmError | AzCLIError) -> float | None:
        """Something went wrong; the next and last step reads what state the registry is in now."""
        if item.step != "explain":
            item.problem, item.refused_since = problem, 0.0
            return item.next_step("explain")
        self._fail_unread(item, item.problem)
        return None

    def _fail_unread(self, item: PlanItem, problem: str | ArmError | AzCLIError) -> None:
        assert item.change is not None  # noqa: S101
        item.fail(UNKNOWN, item.change.failed(problem, None))

    def _explain(self, item: PlanItem, change: StatusChange) -> None:
        now = change.read_status()
        item.fail(now, change.failed(item.problem, now))


def _throttling_problem(item: PlanItem, error: ArmError) -> str | ArmError:
    """Why a registry is not waited for any longer: of a write that Azure accepted, that nobody could look at it."""
    if item.step in ("check", "send"):
        return error
    return registry_change.throttled_reason(time.monotonic() - item.refused_since)


def _next_retry_seconds(item: PlanItem) -> float:
    """Seconds until the next try: doubled each time, with jitter so that not all come back at once."""
    item.tries += 1
    pause = min(_FIRST_RETRY_SECONDS * 2 ** (item.tries - 1), _LONGEST_RETRY_SECONDS)
    return pause * random.uniform(0.5, 1.5)  # noqa: S311  (no secret)

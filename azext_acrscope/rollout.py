"""Changing the status of many registries: bounded writers, one view of throttling, a record, and an honest end.

The thread that calls `run` hands out work and keeps the books; a pool of writers does one request at a time and never
sleeps. A change whose operation is under way waits in a queue, not in a writer.
"""

import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError, AzureConnectionError, AzureInternalError
from knack.log import get_logger

from azext_acrscope import registry
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.fleet import UNKNOWN
from azext_acrscope.record import Record
from azext_acrscope.registry import Change, Resource
from azext_acrscope.throttle import Throttle

WRITERS = 32
_TRIES = 6  # of one request, when it fails in a way that passes
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0  # seconds between tries; doubled each time, with jitter

CHANGED, UNCHANGED, FAILED, SKIPPED = "changed", "unchanged", "failed", "skipped"

logger = get_logger(__name__)


@dataclass
class Item:
    """One registry of a plan: the change to make, or why there is none; and, in the end, what came of it."""

    resource: Resource
    before: str
    target: str
    result: str = ""
    reason: str = ""
    status: str = ""
    # Of the run
    change: Change | None = None
    step: str = "send"
    tries: int = 0
    pause: float = registry.FIRST_LOOK_SECONDS
    deadline: float = 0.0

    @property
    def subscription(self) -> str:
        return str(self.resource["id"].split("/")[2]).lower()

    def finish(self, result: str, status: str, reason: str = "") -> None:
        self.result, self.status, self.reason, self.step = result, status, reason, "done"


@dataclass
class Rollout:
    """A run over items. `arms` gives the connection to a subscription, `watch` is told of progress after each item."""

    arms: Callable[[str | None], Arm]
    record: Record
    operation_seconds: float
    watch: Callable[[int, int, int], None] = lambda done, total, failed: None
    interrupted: bool = False
    _throttles: dict[str, Throttle] = field(default_factory=dict)
    _later: list[tuple[float, int, Item]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def run(self, items: list[Item]) -> None:
        """Make the changes of all items that are not finished; each is finished when this returns.

        Ctrl-C stops the handing out: what was sent is seen to its end, the rest is `skipped`.
        """
        todo = deque(item for item in items if item.step != "done")
        for item in todo:
            item.change = Change(self.arms(item.subscription), item.resource, item.target)
        total = len(todo)
        running: dict[Future[float | None], Item] = {}
        with ThreadPoolExecutor(WRITERS) as writers:
            while todo or running or self._later:
                try:
                    for item in self._hand_out(todo, WRITERS - len(running)):
                        running[writers.submit(self._advance, item)] = item
                    self._await(running, todo)
                    self._collect(running)
                    self.watch(sum(item.step == "done" for item in items) - len(items) + total, total, failures(items))
                except KeyboardInterrupt:
                    if self.interrupted:
                        raise
                    self.interrupted = True
                    logger.warning(
                        "Interrupted: no more writes; waiting for %d that were sent.", len(running) + len(self._later)
                    )
                    for item in todo:
                        item.finish(SKIPPED, item.before, "interrupted before it was sent")
                    todo.clear()

    # --- the thread that keeps the books ---

    def _hand_out(self, todo: deque[Item], free: int) -> list[Item]:
        """What the free writers are to do now: first what is due of the changes under way, then new ones."""
        now = time.monotonic()
        out: list[Item] = []
        while self._later and len(out) < free and self._later[0][0] <= now:
            item = heapq.heappop(self._later)[2]
            if item.step == "send" and not self._may_send(item, now):
                continue
            out.append(item)
        begun: list[Item] = []
        for _ in range(len(todo)):
            if len(out) + len(begun) >= free:
                break
            item = todo.popleft()
            if self._throttle(item).wait(now):
                todo.append(item)  # another subscription may be free
                continue
            self._throttle(item).sent(now)
            begun.append(item)
        self.record.append(
            {"event": "change", "id": item.resource["id"], "from": item.before, "to": item.target} for item in begun
        )
        return out + begun

    def _may_send(self, item: Item, now: float) -> bool:
        pause = self._throttle(item).wait(now)
        if pause:
            self._put_off(item, pause)
            return False
        self._throttle(item).sent(now)
        return True

    def _await(self, running: dict["Future[float | None]", Item], todo: deque[Item]) -> None:
        """Sleep until a writer is ready or something is due."""
        now = time.monotonic()
        due = [self._later[0][0] - now] if self._later else []
        due += [throttle.wait(now) for throttle in self._throttles.values()] if todo else []
        timeout = max(0.0, min(due)) if due else None
        if running:
            wait(running, timeout=None if len(running) >= WRITERS else timeout, return_when=FIRST_COMPLETED)
        elif timeout:
            time.sleep(timeout)

    def _collect(self, running: dict["Future[float | None]", Item]) -> None:
        """Put off what goes on later, and record what is finished."""
        finished = []
        for future in [future for future in running if future.done()]:
            item = running.pop(future)
            pause = future.result()
            if pause is None:
                finished.append(item)
            else:
                self._put_off(item, pause)
        self.record.append(
            {
                "event": "outcome",
                "id": item.resource["id"],
                "result": item.result,
                "status": item.status,
                "reason": item.reason,
            }
            for item in finished
        )

    def _put_off(self, item: Item, seconds: float) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), item))

    def _throttle(self, item: Item) -> Throttle:
        return self._throttles.setdefault(item.subscription, Throttle())

    # --- the writers ---

    def _advance(self, item: Item) -> float | None:
        """Do the next step of an item. The seconds until the one after; None when it is finished."""
        change = item.change
        assert change is not None  # noqa: S101  (for the type checker: `run` has set it)
        try:
            return getattr(self, f"_{item.step}")(item, change)
        except ArmError as error:
            if error.status == 429:
                return self._refused(item, error.retry_after)
            if error.status >= 500 and item.tries < _TRIES:
                return _try_again(item)
            _fail(item, change, error)
        except (AzureConnectionError, AzureInternalError) as error:
            if item.tries < _TRIES:
                return _try_again(item)
            _fail(item, change, error)
        except AzCLIError as error:
            _fail(item, change, error)
        return None

    def _send(self, item: Item, change: Change) -> float:
        change.send()
        self._throttle(item).taken()
        item.step, item.tries, item.deadline = "look", 0, time.monotonic() + self.operation_seconds
        return item.pause

    def _look(self, item: Item, change: Change) -> float | None:
        seen = change.look()
        if seen.ended:
            item.step, item.tries = "read_back", 0
            return 0.0
        if seen.problem or time.monotonic() > item.deadline:
            _fail(item, change, seen.problem or registry.not_ended(self.operation_seconds, seen.state))
            return None
        item.pause = min(item.pause * 2, registry.SLOWEST_LOOK_SECONDS)
        return seen.wait or item.pause

    def _read_back(self, item: Item, change: Change) -> None:
        now = registry.status(registry.get(change.arm, change.id))[0]
        if now == item.target:
            item.finish(CHANGED, now)
        else:
            item.finish(FAILED, now, change.failed(registry.NOT_SO, now).error_msg)

    def _refused(self, item: Item, retry_after: float) -> float:
        if item.step == "send":
            self._throttle(item).refused(time.monotonic(), retry_after)
        return max(retry_after, 1.0)


def _try_again(item: Item) -> float:
    """Seconds until the next try: doubled each time, with jitter so that not all come back at once."""
    item.tries += 1
    pause = min(_FIRST_PAUSE * 2 ** (item.tries - 1), _LONGEST_PAUSE)
    return pause * random.uniform(0.5, 1.5)  # noqa: S311  (no secret)


def _fail(item: Item, change: Change, problem: str | ArmError | AzCLIError) -> None:
    """Finish an item as failed, with the error's words and the state the registry is in now."""
    now = change.status_now()
    item.finish(FAILED, now or UNKNOWN, change.failed(problem, now).error_msg)


def failures(items: list[Item]) -> int:
    return sum(item.result == FAILED for item in items)

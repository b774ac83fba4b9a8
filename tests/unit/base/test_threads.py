"""Threads: bounded, in order, given up in time, and never waited for at the end of the program."""

import subprocess
import sys
import threading
import time

import pytest

from azext_acrscope.base import threads

SOON = 10.0  # seconds in which everything here has long happened


class Gate:
    """Work that counts how often it runs and how many runs there are at once, and that a test can hold back."""

    def __init__(self) -> None:
        self.begun, self.most, self.running = list[int](), 0, 0
        self.lock, self.open = threading.Lock(), threading.Event()

    def work(self, item: int) -> int:
        with self.lock:
            self.begun.append(item)
            self.running += 1
            self.most = max(self.most, self.running)
        self.open.wait(SOON)
        with self.lock:
            self.running -= 1
        return -item


def test_results_come_in_the_order_of_the_items_whichever_is_done_first() -> None:
    def work(item: int) -> int:
        time.sleep(0.02 if item == 0 else 0)
        return -item

    assert threads.map_bounded(work, range(30), 3) == [-item for item in range(30)]
    assert threads.map_bounded(work, [], 3) == []


def test_no_more_run_at_once_than_were_allowed() -> None:
    gate = Gate()
    threading.Timer(0.1, gate.open.set).start()
    assert len(threads.map_bounded(gate.work, range(12), 3)) == 12
    assert gate.most == 3


def test_an_error_ends_it_and_what_has_not_begun_is_not_begun() -> None:
    gate = Gate()

    def work(item: int) -> int:
        if item == 0:
            raise ValueError("the first one")
        return gate.work(item)

    with pytest.raises(ValueError, match="the first one"):
        threads.map_bounded(work, range(50), 2)
    gate.open.set()
    time.sleep(0.05)
    assert len(gate.begun) <= 2


def test_results_are_yielded_before_the_last_one_is_there() -> None:
    gate, seen = Gate(), list[int]()

    def work(item: int) -> int:
        return gate.work(item) if item == 2 else -item

    for result in threads.iterate_bounded(work, range(3), 3):
        seen.append(result)
        if len(seen) == 2:
            assert not gate.open.is_set()
            gate.open.set()
    assert seen == [0, -1, -2]


def test_an_item_that_fails_is_its_error_and_hides_no_other() -> None:
    def work(item: int) -> int:
        return 6 // item

    first, error, last = threads.try_each(work, [1, 0, 3], ZeroDivisionError)
    assert (first, last) == (6, 2)
    assert isinstance(error, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        threads.try_each(work, [1, 0, 3], (KeyError, IndexError))


def test_work_in_time_gives_its_result_or_its_own_error() -> None:
    assert threads.run_with_deadline(lambda: 7, SOON) == 7
    assert threads.run_with_deadline(lambda: 7, None) == 7

    def own_timeout() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        threads.run_with_deadline(own_timeout, SOON)


def test_work_that_does_not_end_is_given_up() -> None:
    end, began = threading.Event(), time.monotonic()
    with pytest.raises(threads.DeadlineExceeded):
        threads.run_with_deadline(lambda: end.wait(SOON), 0.05)
    end.set()
    assert time.monotonic() - began < SOON / 2


def test_the_end_of_the_program_waits_for_no_thread() -> None:
    code = (
        "import time\n"
        "from azext_acrscope.base import threads\n"
        "for _ in threads.iterate_bounded(time.sleep, [0, 60], 2):\n"
        "    raise KeyboardInterrupt\n"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=40, check=False)
    assert time.monotonic() - began < 30


def test_work_in_the_background_is_done_in_order_and_so_much_at_a_time() -> None:
    begun, most, running, lock = list[int](), 0, 0, threading.Lock()

    def work(item: int) -> int:
        nonlocal most, running
        with lock:
            begun.append(item)
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        if item == 7:
            raise ValueError(item)
        return -item

    before = threading.active_count()
    futures = threads.run_each_in_background(work, range(20), 3)
    assert threading.active_count() <= before + 3
    assert [future.result() for future in futures if future is not futures[7]] == [-n for n in range(20) if n != 7]
    with pytest.raises(ValueError, match="7"):
        futures[7].result()
    assert begun == sorted(begun)
    assert most <= 3


def test_nothing_to_do_in_the_background_starts_nothing() -> None:
    assert threads.run_each_in_background(lambda item: item, [], 3) == []

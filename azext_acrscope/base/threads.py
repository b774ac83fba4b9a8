"""Run work in other threads: several items at the same time, or one piece of work that can be given up.

All threads are daemons, not those of a ThreadPoolExecutor: the end of the program waits for a pool's threads, and a
person who presses Ctrl-C must not wait for a server. So only work that may be cut off runs here: requests that read.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

E = TypeVar("E", bound=Exception)
S = TypeVar("S")
T = TypeVar("T")

MAX_READERS = 8  # requests at the same time, where nothing speaks for another number


class DeadlineExceeded(Exception):
    """The work had not ended after the seconds it was given. It may still be running."""


def map_bounded(work: Callable[[S], T], items: Iterable[S], at_once: int = MAX_READERS) -> list[T]:
    """Return what the work returns for each item, in the items' order, with at most `at_once` of them under way.

    The first error, in that order, is raised; work that has not begun by then is not begun.
    """
    return list(iterate_bounded(work, items, at_once))


def iterate_bounded(work: Callable[[S], T], items: Iterable[S], at_once: int = MAX_READERS) -> Iterator[T]:
    """Yield what `map_bounded` returns, each result as soon as it and all before it are there.

    Work that has not begun when the caller stops iterating is not begun.
    """
    futures = run_each_in_background(work, items, at_once)
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def try_each(
    work: Callable[[S], T], items: Iterable[S], kinds: type[E] | tuple[type[E], ...], at_once: int = MAX_READERS
) -> list[T | E]:
    """Return what the work returns for each item or, where it fails with one of these kinds, the error itself.

    One item that fails does not hide the others; an error of another kind is raised.
    """

    def attempt(item: S) -> T | E:
        try:
            return work(item)
        except kinds as error:
            return error

    return map_bounded(attempt, items, at_once)


def run_with_deadline(work: Callable[[], T], seconds: float | None) -> T:
    """Return what the work returns, or raise what it raises, if it ends in time; None waits without a limit.

    :raises DeadlineExceeded: it did not end in time; it goes on in its thread, and nobody waits for it.
    """
    return result_within(run_in_background(work), seconds)


def result_within(future: "Future[T]", seconds: float | None) -> T:
    """Return or raise the outcome of work that was begun earlier; as `run_with_deadline` from here on."""
    try:
        return future.result(seconds)
    except FutureTimeout:
        if future.done():  # the work itself raised a TimeoutError, or ended in this very moment
            return future.result()
        raise DeadlineExceeded from None


def run_in_background(work: Callable[[], T]) -> "Future[T]":
    """Start the work in a thread of its own and return its future."""
    [future] = run_each_in_background(lambda _: work(), [None], 1)
    return future


def run_each_in_background(work: Callable[[S], T], items: Iterable[S], at_once: int) -> "list[Future[T]]":
    """Start the work for each item, at most `at_once` under way, and return the futures in the items' order.

    A future that is cancelled before its turn is passed over.
    """
    todo: deque[tuple[S, Future[T]]] = deque((item, Future()) for item in items)
    futures = [future for _, future in todo]

    def run() -> None:
        while True:
            try:
                item, future = todo.popleft()
            except IndexError:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work(item))
            except BaseException as error:  # pylint: disable=broad-exception-caught  # who asks for the result gets it
                future.set_exception(error)

    for _ in range(min(at_once, len(futures))):
        threading.Thread(target=run, daemon=True).start()
    return futures

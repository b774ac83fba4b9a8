"""A connection to one host, over TLS, by the machine's own proxy and certificate settings.

urllib3 itself and not requests: a pool is bound to its host and to TLS, so a request cannot end up elsewhere or in the
clear; it adds no credentials from ~/.netrc and no cookies; and it loads in half the time.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def run_in_background(work: Callable[[], T]) -> "Future[T]":
    """Do the work in a thread of its own, so that it can be given up whatever a server does.

    A daemon: nobody waits for it at the end of the program.
    """
    [future] = run_each_in_background(lambda _: work(), [None], 1)
    return future


def run_each_in_background(work: Callable[[S], T], items: Iterable[S], at_once: int) -> "list[Future[T]]":
    """Do the work for each, so many at the same time, in their order; in threads as those of `in_background`.

    Not a pool, whose threads the program's end would wait for: who presses Ctrl-C has waited enough.
    """
    todo: deque[tuple[S, Future[T]]] = deque((item, Future()) for item in items)
    futures = [future for _, future in todo]

    def run() -> None:
        while True:
            try:
                item, future = todo.popleft()
            except IndexError:
                return
            try:
                future.set_result(work(item))
            except BaseException as error:  # noqa: BLE001  (whatever it is, who asks for the result gets it)
                future.set_exception(error)

    for _ in range(min(at_once, len(futures))):
        threading.Thread(target=run, daemon=True).start()
    return futures

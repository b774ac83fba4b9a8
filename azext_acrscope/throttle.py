"""One view of a subscription's write limit, shared by all writers.

ARM gives each principal, in each subscription, a bucket of writes that refills steadily (published: 200, and 10 a
second) and answers 429 with Retry-After once it is empty. After the first 429 nobody writes until that time is over,
and then no faster than the bucket refills; the pace rises a little with each write taken, for real buckets differ.
"""

import threading

_REFILL = 10.0  # writes a second, as published for every subscription
_FASTER = 1.002  # with each write taken
_SLOWER = 0.9  # with each refusal


class Throttle:
    """When the next write may be sent. Times are seconds of one monotonic clock; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rate = 0.0  # writes a second; 0 while ARM has refused none
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next write may be sent; 0 if now."""
        return max(0.0, self._next - now)

    def sent(self, now: float) -> None:
        with self._lock:
            if self._rate:
                self._next = max(now, self._next) + 1 / self._rate

    def taken(self) -> None:
        with self._lock:
            self._rate *= _FASTER

    def refused(self, now: float, retry_after: float) -> None:
        """A write was answered 429. Refusals of writes that were under way together count as one."""
        until = now + max(retry_after, 1.0)
        with self._lock:
            if self._rate == 0:
                self._rate = _REFILL
            elif until > self._next + 0.5:
                self._rate = max(1.0, self._rate * _SLOWER)
            self._next = max(self._next, until)

"""One view of a subscription's limits, shared by all writers.

ARM gives each principal, in each subscription, a bucket of writes and one of reads that refill steadily (published: 200
and 10 a second, 250 and 25 a second) and answers 429 with Retry-After once one is empty. After the first 429 nobody
sends until that time is over, and then no faster than the bucket refills; the pace rises a little with each request
taken, for real buckets differ.
"""

import threading

WRITES_PER_SECOND, READS_PER_SECOND = 10.0, 25.0  # a second: the published refills
_SPEED_UP_FACTOR = 1.002  # with each request taken
_SLOW_DOWN_FACTOR = 0.9  # with each refusal


class Throttle:
    """When the next request may be sent. Times are seconds of one monotonic clock; threads may share it.

    :param refill: requests a second at which to go on after a refusal.
    """

    def __init__(self, refill: float) -> None:
        self._refill = refill
        self._lock = threading.Lock()
        self._rate = 0.0  # requests a second; 0 while ARM has refused none
        self._next = 0.0

    def admit(self, now: float) -> float:
        """0 if a request may be sent now, which is then counted; else the seconds to wait."""
        with self._lock:
            pause = max(0.0, self._next - now)
            if not pause and self._rate:
                self._next = max(now, self._next) + 1 / self._rate
            return pause

    def taken(self) -> None:
        """A request was answered otherwise than with 429."""
        with self._lock:
            self._rate *= _SPEED_UP_FACTOR

    def refused(self, now: float, retry_after: float) -> bool:
        """A request was answered 429. Refusals of requests that were under way together count as one.

        :return: whether this was the first refusal of all.
        """
        until = now + max(retry_after, 1.0)
        with self._lock:
            first = self._rate == 0
            if first:
                self._rate = self._refill
            elif until > self._next + 0.5:
                self._rate = max(1.0, self._rate * _SLOW_DOWN_FACTOR)
            self._next = max(self._next, until)
            return first

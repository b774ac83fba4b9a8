"""One view of a subscription's limits, shared by all writers.

ARM gives each principal, in each subscription, a bucket of writes and one of reads that refill steadily (published: 200
and 10 a second, 250 and 25 a second) and answers 429 with Retry-After once one is empty. With each answer it may tell
how many are left (`x-ms-ratelimit-remaining-…`). Where it does, requests wait until the bucket surely holds one for
them, and a spare one. After the first 429 nobody sends until that time is over, and then no faster than the bucket
refills; the pace rises a little with each request taken, for real buckets differ.

What is told only ever slows: a number that is too large leaves the pace as it is without one, and one that is too low
slows it to a third of the refill, because that is how fast the level is taken to rise again.
"""

import threading
from collections.abc import Mapping
from typing import Literal

WRITES_PER_SECOND, READS_PER_SECOND = 10.0, 25.0  # a second: the published refills
_SPEED_UP_FACTOR = 1.002  # with each request taken
_SLOW_DOWN_FACTOR = 0.9  # with each refusal
# Requests that are left in the bucket, so that one that refills more slowly than published is noticed before it is
# empty: what is missing is waited for, which slows the pace down to a third.
_SPARE = 2
_MOST_LEFT = 1_000_000  # what tells of more is no count of a bucket
# Where a service has limits of its own, ARM tells of those instead ("Understand how Azure Resource Manager throttles
# requests", learn.microsoft.com). The bucket of all principals of a subscription may be the emptier one.
_LEFT_HEADERS = {
    kind: tuple(
        f"x-ms-ratelimit-remaining-subscription-{limit}" for limit in (kind, f"global-{kind}", "resource-requests")
    )
    for kind in ("reads", "writes")
}


def count_left(headers: Mapping[str, str], kind: Literal["reads", "writes"]) -> int | None:
    """Return how many requests ARM says are left, the least if it tells of several limits; None where it tells none.

    What is no count (text, a negative number, more than any bucket holds) is not heeded.
    """
    told = [str(headers.get(name) or "").strip() for name in _LEFT_HEADERS[kind]]
    counts = [int(each) for each in told if each.isascii() and each.isdecimal() and len(each) <= len(str(_MOST_LEFT))]
    return min((each for each in counts if each <= _MOST_LEFT), default=None)


class Throttle:  # pylint: disable=too-many-instance-attributes  # what ARM said, and what is under way
    """When the next request may be sent. Times are seconds of one monotonic clock; threads may share it.

    Each request that is admitted is answered once: `taken`, `refused` or `failed`.

    :param refill: requests a second at which to go on after a refusal.
    """

    def __init__(self, refill: float) -> None:
        self._refill = refill
        self._lock = threading.Lock()
        self._rate = 0.0  # requests a second; 0 while ARM has refused none
        self._next = 0.0
        self._refused_since: float | None = None
        self._admitted = self._answered = 0
        # What the bucket held at least, and when, as far as ARM has told; None where the last answer told nothing.
        self._level: float | None = None
        self._level_time = 0.0
        self._highest = 0  # the largest number that ARM has told: the bucket may hold no more

    @property
    def answered(self) -> int:
        """Return how many requests have been answered. `taken` wants the number from before its request was sent."""
        return self._answered

    def refused_for(self, now: float) -> float:
        """Return the seconds for which ARM has refused whatever was sent; 0 where it has taken something since."""
        since = self._refused_since
        return 0.0 if since is None else now - since

    def admit(self, now: float) -> float:
        """Return 0 if a request may be sent now, which is then counted; else the seconds to wait."""
        with self._lock:
            self._fill(now)
            pause = max(0.0, self._next - now)
            if self._level is not None and self._level < 1 + _SPARE:
                pause = max(pause, (1 + _SPARE - self._level) / self._refill_now())
            if pause < 1e-6:  # rounding
                self._admitted += 1
                if self._rate:
                    self._next = max(now, self._next) + 1 / self._rate
                if self._level is not None:
                    self._level -= 1
                return 0.0
            return pause

    def taken(self, now: float = 0.0, left: int | None = None, answered_before: int = 0) -> None:
        """Note that a request was answered with another status than 429.

        :param left: how many more ARM says it will take; None where it does not say.
        :param answered_before: what `answered` was before the request was sent.
        """
        with self._lock:
            self._answered += 1
            self._refused_since = None
            self._rate *= _SPEED_UP_FACTOR
            if left is None:
                self._level = None
                return
            self._fill(now)
            self._highest = max(self._highest, left)
            # All that were under way together with this one may have been counted after it: `left` is of before.
            least = left - (self._admitted - answered_before - 1)
            self._level = float(least if self._level is None else min(max(self._level, least), left))
            self._level_time = now

    def refused(self, now: float, retry_after: float) -> bool:
        """Note that a request was answered with 429; requests that were under way together count as one.

        :return: whether this was the first refusal of all.
        """
        until = now + max(retry_after, 1.0)
        with self._lock:
            self._answered += 1
            self._refused_since = now if self._refused_since is None else self._refused_since
            first = self._rate == 0
            if first:
                self._rate = self._refill
            elif until > self._next + 0.5:
                self._rate = max(1.0, self._rate * _SLOW_DOWN_FACTOR)
            self._next = max(self._next, until)
            if self._level is not None:
                self._level, self._level_time = 0.0, until
            return first

    def failed(self) -> None:
        """Note that a request had no answer, or one that tells nothing of limits."""
        with self._lock:
            self._answered += 1

    def _fill(self, now: float) -> None:
        """Let the level rise by what has come since it was last looked at."""
        if self._level is not None and now > self._level_time:
            risen = self._level + (now - self._level_time) * self._refill_now()
            self._level = max(self._level, min(risen, max(self._highest, _SPARE) + 1.0))
            self._level_time = now

    def _refill_now(self) -> float:
        return min(self._refill, self._rate or self._refill)

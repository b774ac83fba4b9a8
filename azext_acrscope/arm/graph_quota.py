"""How many queries Resource Graph still takes from a user, shared by all connections and threads of theirs.

A user has 15 queries in a window of 5 seconds. Each answer tells how many are left (x-ms-user-quota-remaining) and
when there will be more (x-ms-user-quota-resets-after, hh:mm:ss). Once none is left, nobody sends until then.
"""

import functools
import re
import threading
import time
from collections.abc import Callable, Mapping

_WINDOW_QUERIES = 15
_WINDOW_SECONDS = 5  # after which there is quota again, if the answer does not say
_LONGEST_SECONDS = 60
_LOOK_AGAIN_SECONDS = 0.25  # while queries are under way whose answers may tell of more


class GraphQuota:
    """When the next query may be sent.

    What is told only ever slows: where it is too large, or is not told, a query is refused as it would be without it.

    :param clock: gives the seconds of a monotonic clock.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._left: int | None = None  # None where nothing is known of this window
        self._resets = 0.0
        self._under_way = 0

    def admit(self) -> None:
        """Wait until a query may be sent, which is then counted; it must be followed by `answered`."""
        while pause := self._pause():
            self._sleep(pause)

    def answered(self, headers: Mapping[str, str] | None = None) -> None:
        """Note the answer to a query that was admitted, by its headers; None where there was none."""
        told = str((headers or {}).get("x-ms-user-quota-remaining"))
        with self._lock:
            self._under_way -= 1
            if re.fullmatch(r"\d{1,6}", told, re.ASCII):
                # Those under way may have been counted already, or not.
                self._left = max(0, int(told) - self._under_way)
                now = self._clock()
                if self._resets <= now:
                    # What is told is the whole window at any time (recorded); it began before its first answer.
                    self._resets = now + seconds_to_reset((headers or {}).get("x-ms-user-quota-resets-after"))

    def _pause(self) -> float:
        """Return 0 if a query may be sent now, which is then counted; else the seconds to wait."""
        with self._lock:
            rest = self._resets - self._clock()
            if rest <= 0:
                self._left = None
            left = _WINDOW_QUERIES - self._under_way if self._left is None else self._left
            if left < 1:
                return _LOOK_AGAIN_SECONDS if self._under_way else rest
            if self._left is not None:
                self._left -= 1
            self._under_way += 1
            return 0.0


@functools.cache
def quota_of_user(_tenant: str, _user: str) -> GraphQuota:
    """Return the one quota of a user in a tenant, whichever of their connections asks."""
    return GraphQuota()


def seconds_to_reset(told: str | None) -> float:
    """Return the seconds in hh:mm:ss, at most a minute; those of a window for anything else."""
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)", str(told), re.ASCII)
    hours, minutes, seconds = map(int, match.groups()) if match else (0, 0, _WINDOW_SECONDS)
    return float(min(hours * 3600 + minutes * 60 + seconds, _LONGEST_SECONDS))

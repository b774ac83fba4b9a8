"""How many queries Resource Graph still takes from a user, shared by all connections and threads of theirs.

A user has 15 queries in a window of 5 seconds. Each answer tells how many are left (x-ms-user-quota-remaining) and
when there will be more (x-ms-user-quota-resets-after, hh:mm:ss). Once none is left, nobody sends until then.
"""

import functools
import re
import threading
import time
from collections.abc import Callable, Mapping

from knack.log import get_logger

_WINDOW_QUERIES = 15
_WINDOW_SECONDS = 5  # after which there is quota again, if the answer does not say
_LONGEST_SECONDS = 60
_LOOK_AGAIN_SECONDS = 0.25  # while queries are under way whose answers may tell of more
_SILENT_SECONDS = 6.0

logger = get_logger(__name__)


class GraphQuota:  # pylint: disable=too-many-instance-attributes  # what was told, and what is under way
    """When the next query may be sent.

    What is told only ever slows: where it is too large, or is not told, a query is refused as it would be without it.

    :param clock: gives the seconds of a monotonic clock.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        # At least so many are left in this window; None where nothing is known of it.
        self._left: int | None = None
        self._resets = self._said = 0.0
        self._admitted = self._answered = 0

    def admit(self) -> int:
        """Wait until a query may be sent, and count it. The query is followed by `answered`, which wants the result."""
        while (number := self._try()) < 0:
            self._sleep(self._pause())
        return number

    def answered(self, before: int, headers: Mapping[str, str] | None = None) -> None:
        """Note the answer to a query.

        :param before: what `admit` returned.
        :param headers: of the answer; None where there was none.
        """
        told = str((headers or {}).get("x-ms-user-quota-remaining"))
        with self._lock:
            self._answered += 1
            if not re.fullmatch(r"\d{1,6}", told, re.ASCII):
                return
            now = self._clock()
            if self._resets <= now:
                # What is told is the whole window at any time (recorded); it began before its first answer.
                self._left = None
                self._resets = now + seconds_to_reset((headers or {}).get("x-ms-user-quota-resets-after"))
            # All that were under way together with this one may have been counted after it.
            least = max(0, int(told) - (self._admitted - before - 1))
            self._left = least if self._left is None else min(max(self._left, least), int(told))

    def _try(self) -> int:
        """Count a query that may be sent now, and return how many were answered before it; -1 if it may not."""
        with self._lock:
            if self._resets <= self._clock():
                self._left = None
            left = _WINDOW_QUERIES - (self._admitted - self._answered) if self._left is None else self._left
            if left < 1:
                return -1
            if self._left is not None:
                self._left -= 1
            self._admitted += 1
            return self._answered

    def _pause(self) -> float:
        """Return the seconds after which to try again; a long wait is said once, whoever waits."""
        with self._lock:
            pause = max(0.0, self._resets - self._clock())
            if pause > _SILENT_SECONDS and self._said != self._resets:
                self._said = self._resets
                logger.warning("Resource Graph has no queries left for this account. Going on in %d s.", pause)
            return _LOOK_AGAIN_SECONDS if self._admitted > self._answered else pause


@functools.cache
def quota_of_user(_tenant: str, _user: str) -> GraphQuota:
    """Return the one quota of a user in a tenant, whichever of their connections asks."""
    return GraphQuota()


def seconds_to_reset(told: str | None) -> float:
    """Return the seconds in hh:mm:ss, at most a minute; those of a window for anything else."""
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)", str(told), re.ASCII)
    hours, minutes, seconds = map(int, match.groups()) if match else (0, 0, _WINDOW_SECONDS)
    return float(min(hours * 3600 + minutes * 60 + seconds, _LONGEST_SECONDS))

"""Waiting for something that another service finishes: look, pause, look again, with pauses that double."""

import time
from collections.abc import Callable


class Polling:
    """The pauses between looks at something that takes a while: each twice the one before, until the time is over.

    The last pause is cut short, so that the last look happens when the time is over and not later. Typical use::

        polling = Polling(timeout, sleep)
        while not (seen := look()).ended:
            if not polling.wait():
                raise too_slow(timeout)

    :ivar pauses: how many there were.
    """

    def __init__(
        self, seconds: float, sleep: Callable[[float], None], first: float = 1.0, longest: float = 15.0
    ) -> None:
        """Begin; the time counts from here.

        :param seconds: after which no further pause is made; with 0 there is none.
        :param sleep: takes the seconds of a pause; `time.sleep`, or one that shows people that the command waits.
        :param first: seconds of the first pause.
        :param longest: seconds that no pause exceeds, unless the service asks for more.
        """
        self._began, self._seconds, self._sleep = time.monotonic(), seconds, sleep
        self._pause, self._longest = first, longest
        self.pauses = 0

    @property
    def elapsed(self) -> float:
        """The seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self.elapsed >= self._seconds

    def wait(self, asked: float = 0.0) -> bool:
        """Pause until the next look is due; return False, at once, if the time is over.

        :param asked: the seconds that the service asks to wait; 0 where it does not say.
        """
        left = self._seconds - self.elapsed
        if left <= 0:
            return False
        pause = asked or self._pause
        self._sleep(min(pause, left))
        self._pause = min(pause * 2, self._longest)
        self.pauses += 1
        return True

"""Resource Graph's quota: 15 queries in a window of 5 seconds for each user.

learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests; headers as recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class GraphQuota:
    """The windows of all users; change `queries` and `seconds` to make small ones."""

    clock: Callable[[], float]
    queries: int = 15
    seconds: float = 5.0
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def take(self, user: str) -> tuple[int, int]:
        """(seconds to wait, queries left); the wait is 0 when the query may pass."""
        now = self.clock()
        begun, used = self._windows.get(user, (now, 0))
        if now >= begun + self.seconds:
            begun, used = now, 0
        if used >= self.queries:
            return max(1, math.ceil(begun + self.seconds - now)), 0
        self._windows[user] = begun, used + 1
        return 0, self.queries - used - 1

    def headers(self, left: int) -> dict[str, str]:
        """The reset header is always the whole window (recorded)."""
        return {
            "x-ms-user-quota-remaining": str(left),
            "x-ms-user-quota-resets-after": f"00:00:{int(self.seconds):02d}",
            "x-ms-ratelimit-remaining-tenant-resource-requests": str(left),
        }

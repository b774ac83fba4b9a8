"""Azure Resource Manager's token buckets.

Published in March 2024 (learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling):
per subscription, principal and kind of operation; reads 250 with 25 more a second, writes and deletes 200 with 10
more a second. A refused request takes nothing from the bucket. The second, "global" bucket of a subscription (fifteen
times as large) is told of (recorded: reads 249 with 3749) and never runs low. Azure China tells of nothing (recorded).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass
class Bucket:
    level: float
    filled_at: float


@dataclass
class Throttle:
    """The buckets; change `limits` to make small ones."""

    limits: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {"reads": (250, 25), "writes": (200, 10), "deletes": (200, 10)}
    )
    tells: bool = True
    clock: Callable[[], float] = monotonic
    _buckets: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)

    def take(self, subscription: str, principal: str, kind: str) -> tuple[int, int]:
        """(seconds to wait, tokens left); the wait is 0 when the request may pass."""
        size, per_second = self.limits[kind]
        now = self.clock()
        bucket = self._buckets.setdefault((subscription, principal, kind), Bucket(size, now))
        bucket.level = min(size, bucket.level + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.level < 1:
            return max(1, math.ceil((1 - bucket.level) / per_second)), 0
        bucket.level -= 1
        return 0, int(bucket.level)


def kind_of(method: str) -> str:
    """Which bucket a method draws from. POST counts as a write, as ARM documents for actions."""
    return {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")

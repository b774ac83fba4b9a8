"""Answers in rounds, which count how many answers a client waits for in a row whatever time anything takes."""

from __future__ import annotations

import asyncio

from tests.localcloud.base.messages import Request

QUIET_SECONDS = 0.4  # for which no further request comes before those that wait are answered


class Rounds:
    """Requests by round: those of one wait for each other, and are answered when the client sends no more of them."""

    def __init__(self) -> None:
        self.requests: list[list[Request]] = []
        self._open: asyncio.Event | None = None
        self._arrivals = 0

    async def join(self, request: Request) -> None:
        """Wait with the others of the round; the first one of a round opens it and ends it."""
        self._arrivals += 1
        if self._open is not None:
            self.requests[-1].append(request)
            await self._open.wait()
            return
        self._open = asyncio.Event()
        self.requests.append([request])
        seen = 0
        while seen != self._arrivals:
            seen = self._arrivals
            await asyncio.sleep(QUIET_SECONDS)
        ended, self._open = self._open, None
        ended.set()

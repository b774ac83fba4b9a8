"""What the cloud has received, for tests to look at from their own thread."""

from __future__ import annotations

import fnmatch
import threading

from tests.localcloud.base.messages import Request


class Journal:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    def add(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)

    @property
    def requests(self) -> list[Request]:
        with self._lock:
            return list(self._requests)

    def to(self, host: str) -> list[Request]:
        """The requests to the hosts that a glob names."""
        return [request for request in self.requests if fnmatch.fnmatchcase(request.host, host.lower())]

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()

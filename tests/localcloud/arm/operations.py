"""Long-running operations on registries: 201 with Azure-AsyncOperation, then polls, as recorded for PATCH and PUT."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import World

_ERRORS = {
    # No failed registry operation was ever recorded; codes and texts are made up in the documented form.
    "Failed": {"code": "OperationFailed", "message": "The operation on the registry failed."},
    "Canceled": {"code": "OperationCanceled", "message": "The operation on the registry was canceled."},
}


@dataclass(eq=False)
class Operation:
    name: str
    registry: Registry
    outcome: str
    polls_left: int
    ends_at: float
    done: bool = False


class Operations:
    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Operation] = {}
        self._running: dict[int, Operation] = {}

    def begin(self, registry: Registry) -> Operation:
        """A new operation; the registry shows Updating until it has ended."""
        outcome = registry.operation_outcome
        ends_at = self._world.now() + self._world.operation_seconds
        operation = Operation(f"registries-{uuid.uuid1()}", registry, outcome, self._world.async_polls, ends_at)
        self._known[operation.name] = operation
        self._running[id(registry)] = operation
        registry.properties["provisioningState"] = "Updating"
        registry.changed()
        return operation

    def settle(self, registry: Registry) -> None:
        """Ends an operation that nobody has polled for long enough, or that the first poll would find ended."""
        operation = self._running.get(id(registry))
        if operation is None or operation.outcome == "never":
            return
        if operation.polls_left <= 0 or self._world.now() >= operation.ends_at:
            self._end(operation)

    def poll(self, name: str, registry: Registry) -> dict[str, Any] | None:
        """The body of one poll; None when there is no such operation."""
        operation = self._known.get(name.lower())
        if operation is None or operation.registry is not registry:
            return None
        if not operation.done:
            if operation.outcome == "never" or operation.polls_left > 0:
                operation.polls_left -= 1
                return {"status": "Updating"}
            self._end(operation)
        if operation.outcome in _ERRORS:
            return {"status": operation.outcome, "error": _ERRORS[operation.outcome]}
        return {"status": operation.outcome}

    def _end(self, operation: Operation) -> None:
        operation.done = True
        operation.registry.properties["provisioningState"] = operation.outcome
        operation.registry.changed()
        if self._running.get(id(operation.registry)) is operation:
            del self._running[id(operation.registry)]

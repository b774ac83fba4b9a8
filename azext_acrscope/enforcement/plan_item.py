"""One registry of a plan: the change to make, its place in a run, and what came of it; and its lines in the record."""

from dataclasses import dataclass
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmError
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.enforcement.record import CONSUMERS_NOT_ASKED
from azext_acrscope.registry import change as registry_change
from azext_acrscope.registry.change import StatusChange
from azext_acrscope.registry.resource import RegistryResource

CHANGED, UNCHANGED, FAILED, SKIPPED = "changed", "unchanged", "failed", "skipped"
RESTORED = "restored"  # changed, and changed back by the same run


@dataclass
class PlanItem:  # pylint: disable=too-many-instance-attributes  # a row, and where it is in the run
    """One registry of a plan: the change to make, or why there is none; and, in the end, what came of it.

    :ivar result: empty while the change is to be made.
    :ivar error: why it failed, as a command about this registry alone ends.
    :ivar consumers: what became of looking for its consumers, in the words of `record`.
    :ivar restores: this change takes back one that the same run has made.
    :ivar verification: whether the status was seen in effect, as `enforce` prints it.
    """

    resource: RegistryResource
    before: str
    target: str
    result: str = ""
    reason: str = ""
    status: str = ""
    error: AzCLIError | None = None
    consumers: str = CONSUMERS_NOT_ASKED
    restores: bool = False
    verification: dict[str, Any] | None = None
    # Of the run: the next step is check, send, glance, look, read_back or explain.
    change: StatusChange | None = None
    step: str = "send"
    tries: int = 0
    answered_before: int = 0  # requests that the throttle had seen answered when this step was admitted
    written_down: bool = False
    alone: bool = False  # whether the run makes no other change
    sent: bool = False
    read_back: int = 0
    refused_since: float = 0.0
    pause: float = registry_change.FIRST_POLL_SECONDS
    deadline: float = 0.0
    problem: str | ArmError | AzCLIError = ""

    @property
    def subscription(self) -> str:
        """Return the ID of the registry's subscription."""
        return parse_resource_id(self.resource["id"]).subscription.lower()

    @property
    def changed(self) -> bool:
        """Return whether the registry has the new status, and has it from this run."""
        return self.change is not None and self.change.accepted and self.status == self.target

    def finish(self, result: str, status: str, reason: str = "") -> None:
        """Set what came of the item, with the status the registry has now."""
        self.result, self.status, self.reason = result, status, reason

    def fail(self, status: str, error: AzCLIError, reason: str = "") -> None:
        """Set that the item failed. `reason` is for its row; by default the error's message."""
        self.error = error
        self.finish(FAILED, status, reason or error.error_msg)

    def next_step(self, step: str) -> float:
        """Move on to another step, at once: return 0 seconds."""
        self.step, self.tries = step, 0
        return 0.0


def change_line(item: PlanItem) -> dict[str, Any]:
    """Return the record's line before a change is sent."""
    line = {"event": "change", "id": item.resource["id"], "from": item.before, "to": item.target}
    return {**line, "restores": True} if item.restores else line


def outcome_line(item: PlanItem) -> dict[str, Any]:
    """Return the record's line after an item is finished."""
    outcome: dict[str, Any] = {"result": item.result, "status": item.status, "reason": item.reason}
    never_taken = item.change and not item.change.accepted and not item.restores
    if isinstance(item.problem, ArmError) and item.problem.status < 500 and never_taken:
        outcome["refused"] = True  # whatever the status is now, it is not of this run's making
    return {"event": "outcome", "id": item.resource["id"], **outcome}


def count_failures(items: list[PlanItem]) -> int:
    """Return how many of the items failed."""
    return sum(item.result == FAILED for item in items)

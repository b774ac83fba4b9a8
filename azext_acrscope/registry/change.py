"""Change the status of a registry, step by step: write it, then look whether Azure has finished."""

from typing import NamedTuple

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger

from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.throttle import count_left
from azext_acrscope.base.foreign_json import find_object, find_text
from azext_acrscope.base.resource_ids import REGISTRY_TYPE
from azext_acrscope.base.tokens import safe_word
from azext_acrscope.registry import errors, sdk_client
from azext_acrscope.registry.resource import (
    ENABLED,
    REGISTRY_READ,
    RegistryResource,
    check_registry,
    registry_label,
    status_of,
)

REGISTRY_WRITE = f"{REGISTRY_TYPE}/write"
FIRST_POLL_SECONDS, MAX_POLL_SECONDS = 0.5, 5.0
QUICK_POLL_SECONDS = 0.1  # where there is one change, and reads need not be saved

logger = get_logger(__name__)


class StatusChange:  # pylint: disable=too-many-instance-attributes  # where it is between its steps
    """One registry's status being changed, step by step: `send`, then `look` until it has ended.

    The steps do not wait, so that a fleet can have many changes under way: `enforcement.executor` takes them.
    """

    def __init__(self, arm: ArmClient, resource: RegistryResource, target: str) -> None:
        self.arm, self.target = arm, target
        self.id: str = resource["id"]
        self.where = registry_label(self.id)
        self.accepted = False
        # As ARM said with the last request, of the kind that this was; None if it said nothing.
        self.requests_left: int | None = None
        self._operation: str | None = None
        self._ended = False

    def send(self) -> None:
        """Write that one property. The answer is 200 (done), or 201 with the header Azure-AsyncOperation.

        :raises ArmError: ARM refused it.
        """
        reply = sdk_client.write_status(self.arm, self.id, self.target)
        self.accepted = True
        self.requests_left = count_left(reply.headers, "writes")
        self._operation = reply.headers.get("Azure-AsyncOperation")
        if self._operation and not self.arm.owns(self._operation):
            logger.debug("The operation's status is at another host. Reading the registry instead.")
            self._operation = ""
        self._ended = reply.status == 200 and self._operation is None

    def look(self) -> "OperationState":
        """Return one look at whether Azure has finished.

        ACR was never seen to send Retry-After with an operation, but it is heeded. Roles may lack
        operationStatuses/read: then the registry itself is looked at.
        """
        if self._ended:
            return OperationState("Succeeded")
        if self._operation:
            try:
                reply = self.arm.follow(self._operation)
                self.requests_left = count_left(reply.headers, "reads")
                seen = _read_operation_state(reply)
                if seen.state:
                    return seen
                logger.debug("The operation's status is not in the answer. Reading the registry instead.")
            except ArmError as error:
                if error.status == 429:
                    raise
                logger.debug("The operation's status cannot be read (%s). Reading the registry instead.", error)
            self._operation = None
        return _provisioning_state(self._read())

    def read_settled_status(self) -> str:
        """Return the status that the registry has now; empty while Azure has not finished what it does with it.

        :raises ArmError: ARM refused to show it.
        """
        resource = self._read()
        return status_of(resource)[0] if _provisioning_state(resource).ended else ""

    def read_status(self) -> str:
        """Return the status that the registry has now.

        :raises ArmError: ARM refused to show it.
        """
        return status_of(self._read())[0]

    def _read(self) -> RegistryResource:
        reply = sdk_client.read_registry(self.arm, self.id)
        self.requests_left = count_left(reply.headers, "reads")
        return check_registry(reply, self.id)

    def failed(self, problem: "str | ArmError | AzCLIError", now: str | None) -> AzCLIError:
        """Return the error for a change that was refused or did not finish, with the current status."""
        state = f"It is `{now}` now." if now else "Its state could not be read."
        if isinstance(problem, str):
            return errors.write_unfinished(self.where, self.target, problem, state)
        if isinstance(problem, ArmError):
            problem = problem.as_cli_error(self.where, REGISTRY_READ if self.accepted else REGISTRY_WRITE)
        return errors.with_state(problem, f"Azure had accepted the change. {state}" if self.accepted else state)


class OperationState(NamedTuple):
    """What Azure says of a change: `state` is Azure's word, `wait` the seconds it asks for (0: it does not say)."""

    state: str
    wait: float = 0.0
    why: str = ""

    @property
    def ended(self) -> bool:
        """Return whether the operation has ended."""
        return self.state.lower() == "succeeded"

    @property
    def problem(self) -> str | None:
        """Return what went wrong; None if nothing did."""
        over = self.state.lower() in ("failed", "canceled")
        return f"Azure reports the operation as {self.state}{self.why}" if over else None


def unchanged_reason(target: str) -> str:
    """Return what is wrong where a write succeeded and did not do it."""
    by_policy = ": an Azure Policy assignment with the effect modify sets it back" if target == ENABLED else ""
    return f"reading it back shows another status{by_policy}"


def throttled_reason(seconds: float) -> str:
    """Return why a change is unfinished that Azure would not let be looked at."""
    return f"Azure Resource Manager refused to be asked about it for {seconds:.0f} seconds (HTTP 429)"


def timeout_reason(timeout: float, state: str) -> str:
    """Return why a change that did not end in time is unfinished."""
    return f"the operation had not ended after {timeout:g} seconds (last state: {state or 'unknown'})"


def _provisioning_state(resource: RegistryResource) -> OperationState:
    return OperationState(find_text(resource, "properties", "provisioningState") or "Succeeded")


def _read_operation_state(reply: Reply) -> OperationState:
    body, error = find_object(reply.body), find_object(reply.body, "error")
    message, code = find_text(error, "message"), find_text(error, "code")
    why = f": {message or 'no reason given'} [{safe_word(code or 'no code')}]" if error else ""
    return OperationState(safe_word(find_text(body, "status")), reply.retry_after, why)

"""The registry resource: finding it, and reading and writing its one property this project is about.

Wire format, of the resource type Microsoft.ContainerRegistry/registries::

    {"properties": {"loginServer": "…", "policies": {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}}}}

A missing policy counts as `enabled`: the API's documented default, and how the built-in Azure Policy reads it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azure.cli.core.azclierror import AzCLIError
from knack.log import get_logger

from azext_acrscope import _errors, arm_paths, hosts
from azext_acrscope._validators import is_default
from azext_acrscope.arm import Arm, ArmError, Reply
from azext_acrscope.arm_paths import ArmPath, arm_path, checked_id
from azext_acrscope.hosts import RegistryRef
from azext_acrscope.tokens import ACR_AUDIENCE, plain

# The first stable version that defines the property; older ones answer without it, which would read as the default.
API_VERSION = "2025-04-01"
# The property regionalEndpointHostNames is in preview versions only (Azure CLI 2.86 and newer show it).
REGIONAL_API_VERSION = "2026-09-01-preview"
RESOURCES_API_VERSION = "2021-04-01"
TYPE = "Microsoft.ContainerRegistry/registries"
READ = f"{TYPE}/read"
WRITE = f"{TYPE}/write"

ENABLED, DISABLED = "enabled", "disabled"
FIRST_LOOK_SECONDS, SLOWEST_LOOK_SECONDS = 0.5, 5.0

logger = get_logger(__name__)
Resource = dict[str, Any]


# --- reading -------------------------------------------------------------------------------------------------------


def find(arm: Arm, ref: RegistryRef, resource_group: str | None, suffix: str) -> Resource:
    """The registry that `ref` names, as ARM returns it.

    One request if the resource group is known. Otherwise two: a search by name over the subscription, which does not
    list the other registries, and the registry itself.

    :raises ResourceNotFoundError: naming the subscription searched.
    :raises InvalidArgumentValueError: several registries have that name (domain name labels allow it).
    """
    if ref.resource_group and is_default(resource_group):
        resource_group = None  # `az config set defaults.group=…` does not contradict an ID
    if ref.resource_group and resource_group and ref.resource_group.lower() != resource_group.lower():
        raise _errors.group_contradicts_id(resource_group, ref.resource_group)
    resource_group = ref.resource_group or resource_group
    if not arm.has_subscription:
        raise _errors.no_subscription(arm.tenant)
    ids = [resource_id(arm.subscription_id, resource_group, ref.name)] if resource_group else _search(arm, ref.name)
    if not ids:
        raise _errors.registry_not_found(ref.name, arm.subscription_id)
    if not ref.login_server:
        if len(ids) > 1:
            raise _errors.ambiguous_name(ref.name, ids)
        return get(arm, ids[0])
    found = [get(arm, registry_id) for registry_id in ids]
    wanted = hosts.global_login_server(ref.login_server, suffix)
    for resource in found:
        if login_server(resource) == wanted:
            return resource
    raise _errors.login_server_not_found(
        ref.login_server, [login_server(resource) for resource in found], arm.subscription_id
    )


def get(arm: Arm, registry_id: str) -> Resource:
    """The registry with this ID, in one request.

    :raises ResourceNotFoundError, ForbiddenError, UnauthorizedError, AzureResponseError: by ARM's answer.
    """
    where = short_name(registry_id)
    try:
        return fetch(arm, registry_id)
    except ArmError as error:
        if error.status == 404:
            raise _errors.registry_gone(where, registry_id.split("/")[2], error.code) from error
        raise error.as_cli_error(where, READ) from error


def fetch(arm: Arm, registry_id: str) -> Resource:
    """The same, but with ARM's refusal as an `ArmError`, for callers that act on its status."""
    return _checked(arm.get(checked_id(registry_id), API_VERSION), registry_id)


def regional_login_servers(arm: Arm, resource: Resource, suffix: str) -> list[str]:
    """The regional login servers of a registry, in one more request; empty where they are not switched on.

    :raises AzureResponseError: what ARM names is no regional login server of this registry.
    """
    where = short_name(resource["id"])
    try:
        body = arm.get(checked_id(resource["id"]), REGIONAL_API_VERSION).body
    except ArmError as error:
        raise error.as_cli_error(where, READ) from error
    properties = body.get("properties") if isinstance(body, dict) else None
    named = properties.get("regionalEndpointHostNames") if isinstance(properties, dict) else None
    found = [hosts.check_login_server(str(host), suffix) for host in named or []]
    if any(hosts.global_login_server(host, suffix) != login_server(resource) for host in found):
        raise _errors.not_a_registry(where, "its regional login servers are another registry's")
    return found


def _search(arm: Arm, name: str) -> list[ArmPath]:
    try:
        items = arm.pages(
            arm_path("/subscriptions/{subscription}/resources", subscription=arm.subscription_id),
            RESOURCES_API_VERSION,
            **{"$filter": f"resourceType eq '{TYPE}' and name eq '{name}'"},
        )
    except ArmError as error:
        if error.status == 404:  # a subscription that is not there, or not for this account
            raise _errors.registry_not_found(name, arm.subscription_id) from error
        raise error.as_cli_error(f"subscription {arm.subscription_id}", READ) from error
    named = [item for item in items if str(item.get("name", "")).lower() == name.lower()]
    return [checked_id(item["id"]) for item in named if is_id(item.get("id"))]


def _checked(reply: Reply, registry_id: str) -> Resource:
    body, where = reply.body, short_name(registry_id)
    if not isinstance(body, dict):
        raise _errors.not_a_registry(where, "it is no JSON object")
    if str(body.get("type", "")).lower() != TYPE.lower() or not isinstance(body.get("properties"), dict):
        raise _errors.not_a_registry(where, "it has another type or no properties")
    if str(body.get("id", "")).lower() != registry_id.lower() or "name" not in body:
        raise _errors.not_a_registry(where, "it is another resource")
    if not login_server(body):
        raise _errors.not_a_registry(where, "it has no login server")
    status(body)
    return body


def status(resource: Resource) -> tuple[str, bool]:
    """The status of a registry, and whether that is the default because Azure returned no value.

    :raises AzureResponseError: for a value that is neither `enabled` nor `disabled`.
    """
    value: Any = resource["properties"]
    for member in ("policies", "azureADAuthenticationAsArmPolicy", "status"):
        if value is None:
            break
        if not isinstance(value, dict):
            raise _errors.not_a_registry(resource.get("name", "the registry"), f"its {member} cannot be read")
        value = value.get(member)
    if value is None:
        return ENABLED, True
    if str(value).lower() not in (ENABLED, DISABLED):
        raise _errors.not_a_registry(resource.get("name", "the registry"), f"its status is '{plain(value)}'")
    return str(value).lower(), False


def login_server(resource: Resource) -> str:
    return str(resource["properties"].get("loginServer") or "").lower()


def is_encrypted(resource: Resource) -> bool:
    """Whether it is encrypted with a key of the customer's; Azure Policy's remediation cannot change such a one."""
    encryption = resource["properties"].get("encryption")
    return isinstance(encryption, dict) and str(encryption.get("status")).lower() == ENABLED


def resource_id(subscription_id: str, resource_group: str, name: str) -> ArmPath:
    template = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{TYPE}/{{registry}}"
    return arm_path(template, subscription=subscription_id, group=resource_group, registry=name)


def is_id(text: Any) -> bool:
    """Whether this is a registry's resource ID, whose parts may be relied on."""
    return arm_paths.is_id(text, TYPE) and str(text).count("/") == 8


def short_name(registry_id: str) -> str:
    """How an error names a registry: its name and group, found in its ID."""
    parts = registry_id.split("/")
    return f"Registry '{parts[8]}' (resource group '{parts[4]}')"


def describe(resource: Resource, arm_audience: str) -> dict[str, Any]:
    """What `az acr scope show` prints.

    :param arm_audience: the audience of ARM in the cloud in use, such as ``https://management.core.windows.net/``.
    :return: ``{id, name, resourceGroup, subscriptionId, loginServer, status, statusIsDefault, acceptedAudiences[],
        otherSignIns{adminUser, anonymousPull}}``; the last are ways in that this setting does not touch.
    """
    value, is_default = status(resource)
    parts = resource["id"].split("/")
    properties = resource["properties"]
    return {
        "id": resource["id"],
        "name": resource["name"],
        "resourceGroup": parts[4],
        "subscriptionId": parts[2],
        "loginServer": login_server(resource),
        "status": value,
        "statusIsDefault": is_default,
        "acceptedAudiences": [ACR_AUDIENCE, arm_audience] if value == ENABLED else [ACR_AUDIENCE],
        "otherSignIns": {
            "adminUser": bool(properties.get("adminUserEnabled")),
            "anonymousPull": bool(properties.get("anonymousPullEnabled")),
        },
    }


# --- writing -------------------------------------------------------------------------------------------------------


class Change:
    """One registry's status being changed, step by step: `send`, then `look` until it has ended.

    The steps do not wait, so that a fleet can have many changes under way; `set_status` waits for one.
    """

    def __init__(self, arm: Arm, resource: Resource, target: str) -> None:
        self.arm, self.target = arm, target
        self.id: str = resource["id"]
        self.where = short_name(self.id)
        self.accepted = False
        self._operation: str | None = None
        self._ended = False

    def send(self) -> None:
        """Write that one property. The answer is 200 (done), or 201 with the header Azure-AsyncOperation.

        :raises ArmError: ARM refused it.
        """
        reply = self.arm.patch(checked_id(self.id), API_VERSION, _patch_body(self.target))
        self.accepted = True
        self._operation = reply.headers.get("Azure-AsyncOperation")
        if self._operation and not self.arm.owns(self._operation):
            logger.debug("The operation's status lies at another host: looking at the registry instead.")
            self._operation = ""
        self._ended = reply.status == 200 and self._operation is None

    def look(self) -> "Look":
        """One look at whether Azure has finished.

        ACR was never seen to send Retry-After with an operation, but it is heeded. Roles may lack
        operationStatuses/read: then the registry itself is looked at.
        """
        if self._ended:
            return Look("Succeeded")
        if self._operation:
            try:
                return _operation_state(self.arm.follow(self._operation))
            except ArmError as error:
                if error.status == 429:
                    raise
                logger.debug("The operation's status cannot be read (%s): looking at the registry instead.", error)
                self._operation = None
        return Look(str(fetch(self.arm, self.id)["properties"].get("provisioningState") or "Succeeded"))

    def status_now(self) -> str | None:
        """The status at this moment, None if it cannot be read; never raises. For use after something went wrong."""
        try:
            return status(get(self.arm, self.id))[0]
        except AzCLIError as error:
            logger.debug("Reading the state failed: %s", error)
            return None

    def failed(self, problem: "str | ArmError | AzCLIError", now: str | None) -> AzCLIError:
        """The error for a change that was refused or did not come to its end, which tells the status it has now."""
        state = f"It is `{now}` now." if now else "Its state could not be read."
        if isinstance(problem, str):
            return _errors.write_unfinished(self.where, self.target, problem, state)
        if isinstance(problem, ArmError):
            problem = problem.as_cli_error(self.where, READ if self.accepted else WRITE)
        return _errors.with_state(problem, f"Azure had accepted the change. {state}" if self.accepted else state)


@dataclass(frozen=True)
class Look:
    """What Azure says of a change: `state` is Azure's word, `wait` the seconds it asks for (0: it does not say)."""

    state: str
    wait: float = 0.0
    why: str = ""

    @property
    def ended(self) -> bool:
        return self.state.lower() == "succeeded"

    @property
    def problem(self) -> str | None:
        over = self.state.lower() in ("failed", "canceled")
        return f"Azure reports the operation as {self.state}{self.why}" if over else None


def set_status(
    arm: Arm, resource: Resource, target: str, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> Resource:
    """Give a registry the status `target`: write that one property, wait for the operation, read the registry back.

    :param resource: the registry as just read.
    :param timeout: seconds to wait for ARM's operation to end.
    :return: the registry as read back, having that status.
    :raises AzCLIError: whatever went wrong, always ending in the state the registry is in now.
    """
    change = Change(arm, resource, target)
    try:
        change.send()
        problem = _wait(change, timeout, sleep)
        after = fetch(arm, change.id)
    except KeyboardInterrupt:
        raise _errors.interrupted_write(change.where, target) from None
    except (ArmError, AzCLIError) as error:
        raise change.failed(error, change.status_now()) from error
    now = status(after)[0]
    if problem or now != target:
        raise change.failed(problem or not_so(target), now)
    return after


def _wait(change: Change, timeout: float, sleep: Callable[[float], None]) -> str | None:
    """Wait for a change to end; None if it succeeded, else what went wrong."""
    deadline, pause = time.monotonic() + timeout, FIRST_LOOK_SECONDS
    while not (seen := change.look()).ended:
        if seen.problem:
            return seen.problem
        pause = seen.wait or pause
        left = deadline - time.monotonic()
        if left <= 0:
            return not_ended(timeout, seen.state)
        sleep(min(pause, left))
        pause = min(pause * 2, SLOWEST_LOOK_SECONDS)
    return None


def not_so(target: str) -> str:
    """What is wrong where a write succeeded and did not do it."""
    by_policy = ": an Azure Policy assignment with the effect modify sets it back" if target == ENABLED else ""
    return f"reading it back shows that it did not{by_policy}"


def not_ended(timeout: float, state: str) -> str:
    return f"the operation had not ended after {timeout:g} seconds (last reported as {state or 'unknown'})"


def _patch_body(target: str) -> dict[str, Any]:
    """Only the member that changes: ARM merges it, and every other policy keeps its value and its dates (recorded)."""
    return {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": target}}}}


def _operation_state(reply: Reply) -> Look:
    body = reply.body if isinstance(reply.body, dict) else {}
    error = body.get("error") if isinstance(body.get("error"), dict) else {}
    why = f": {error.get('message') or 'no reason given'} [{plain(error.get('code') or 'no code')}]" if error else ""
    return Look(plain(body.get("status") or ""), reply.retry_after, why)

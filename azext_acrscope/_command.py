"""What command functions share: the registry that is meant, connections to ARM, times from the configuration."""

import re
from typing import TYPE_CHECKING, Any

from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef

if TYPE_CHECKING:
    from azext_acrscope.arm.client import ArmClient, Connect

_OPERATION_SECONDS = 600


def connect_to_registry(cmd: Any, ref: RegistryRef, resource_group: str | None) -> tuple["ArmClient", dict[str, Any]]:
    """Return the registry resource, and the connection it was read with."""
    from azext_acrscope.arm.client import ArmClient
    from azext_acrscope.registry import resource

    arm = ArmClient(cmd.cli_ctx, ref.subscription_id)
    return arm, resource.find_registry(arm, ref, resource_group, hosts.login_server_suffix(cmd.cli_ctx.cloud))


def connection_factory(cli_ctx: Any, patient: bool) -> "Connect":
    """Return a function that gives the connection of a subscription, by default of the one in use: one for each."""
    made: dict[str | None, ArmClient] = {}

    def connect(subscription_id: str | None) -> "ArmClient":
        from azext_acrscope.arm.client import ArmClient

        if subscription_id not in made:
            arm = ArmClient(cli_ctx, subscription_id, patient=patient)
            made[subscription_id] = made.setdefault(arm.subscription_id, arm)  # whoever names the one in use gets it
        return made[subscription_id]

    return connect


def impatient(connect: "Connect") -> "Connect":
    """Return a function that gives the same connections for callers that themselves repeat what fails."""
    made: dict[str | None, ArmClient] = {}

    def connect_impatiently(subscription_id: str | None) -> "ArmClient":
        if subscription_id not in made:
            made[subscription_id] = connect(subscription_id).impatient()
        return made[subscription_id]

    return connect_impatiently


def operation_timeout_seconds(cmd: Any) -> float:
    """Return how long to wait for ARM to finish a change: `az config set acrscope.operation_timeout=SECONDS`."""
    return configured_seconds(cmd, "operation_timeout", _OPERATION_SECONDS)


def configured_seconds(cmd: Any, setting: str, default: float) -> float:
    """Return a time in the CLI's configuration, section acrscope."""
    value = cmd.cli_ctx.config.get("acrscope", setting, fallback=str(default))
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", value, re.ASCII):
        raise base_errors.bad_setting(f"acrscope.{setting}", value, "a number of seconds")
    return float(value)

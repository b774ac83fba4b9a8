"""What command functions share: the registry that is meant, connections to ARM, times from the configuration."""

import atexit
import gc
import re
from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors, hosts
from azext_acrscope.hosts import RegistryRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from azext_acrscope.arm import Arm

_OPERATION_SECONDS = 600

# When Python ends it collects garbage among all that the CLI has loaded: 50 ms and more of every command, for nothing.
atexit.register(gc.freeze)


def find_registry(cmd: Any, ref: RegistryRef, resource_group: str | None) -> tuple["Arm", dict[str, Any]]:
    """The registry resource, and the connection it was read with."""
    from azext_acrscope import registry
    from azext_acrscope.arm import Arm

    arm = Arm(cmd.cli_ctx, ref.subscription_id)
    return arm, registry.find(arm, ref, resource_group, hosts.cloud_suffix(cmd.cli_ctx.cloud))


def connections(cli_ctx: Any, patient: bool) -> "Callable[[str | None], Arm]":
    """Gives the connection of a subscription: one for each, with room for all writers, who wait by themselves."""
    from functools import cache

    @cache
    def connect(subscription_id: str | None) -> "Arm":
        from azext_acrscope import rollout
        from azext_acrscope.arm import Arm

        return Arm(cli_ctx, subscription_id, patient=patient, connections=rollout.WRITERS)

    return connect


def operation_seconds(cmd: Any) -> float:
    """How long to wait for ARM to finish a change: `az config set acrscope.operation_timeout=SECONDS`."""
    return configured_seconds(cmd, "operation_timeout", _OPERATION_SECONDS)


def configured_seconds(cmd: Any, setting: str, default: float) -> float:
    """A time in the CLI's configuration, section acrscope."""
    value = cmd.cli_ctx.config.get("acrscope", setting, fallback=str(default))
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", value, re.ASCII):
        raise _errors.bad_setting(f"acrscope.{setting}", value, "a number of seconds")
    return float(value)

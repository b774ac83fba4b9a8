"""What command functioArmClientshare: the registry that is meant, connections to ARM, times from the configuration."""

import atexit
import gc
import re
from typing import TYPE_CHECKING, Any

from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.hops import errors as hops_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from azext_acrscope.arm.client import ArmClient

_OPERATION_SECONDS = 600

# When Python ends it collects garbage among all that the CLI has loaded: 50 ms and more of every command, for nothing.
atexit.register(gc.freeze)


def connect_to_registry(cmd: Any, ref: RegistryRef, resource_group: str | None) -> tuple["ArmClient", dict[str, Any]]:
    """The registry resource, and the connection it was read with."""
    from azext_acrscope.arm.client import ArmClient
    from azext_acrscope.registry import resource

    arm = ArmClient(cmd.cli_ctx, ref.subscription_id)
    return arm, resource.find_registry(arm, ref, resource_group, hosts.login_server_suffix(cmd.cli_ctx.cloud))


def connection_factory(cli_ctx: Any, patient: bool) -> "Callable[[str | None], ArmClient]":
    """Gives the connection of a subscription: one for each, with room for all writers, who wait by themselves."""
    from functools import cache

    @cache
    def connect(subscription_id: str | None) -> "ArmClient":
        from azext_acrscope.arm.client import ArmClient
        from azext_acrscope.enforcement import executor

        return ArmClient(cli_ctx, subscription_id, patient=patient, connections=executor.MAX_WRITERS)

    return connect


def operation_timeout_seconds(cmd: Any) -> float:
    """How long to wait for ARM to finish a change: `az config set acrscope.operation_timeout=SECONDS`."""
    return configured_seconds(cmd, "operation_timeout", _OPERATION_SECONDS)


def configured_seconds(cmd: Any, setting: str, default: float) -> float:
    """A time in the CLI's configuration, section acrscope."""
    value = cmd.cli_ctx.config.get("acrscope", setting, fallback=str(default))
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", value, re.ASCII):
        raise hops_errors.bad_setting(f"acrscope.{setting}", value, "a number of seconds")
    return float(value)

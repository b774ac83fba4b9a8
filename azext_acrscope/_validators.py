"""Argument validators: they turn what was typed into what the rooms take, or raise."""

from typing import Any

from azext_acrscope import hosts


def validate_registry(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` (a name, a login server or a resource ID) into a `hosts.RegistryRef`."""
    namespace.registry_name = hosts.parse_registry(namespace.registry_name, hosts.cloud_suffix(cmd.cli_ctx.cloud))

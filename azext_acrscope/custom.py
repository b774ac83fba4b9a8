"""The commands of `az acr scope`: each reads its input, calls the rooms, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions.
"""

import atexit
import gc
from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors, hosts
from azext_acrscope.hosts import RegistryRef

if TYPE_CHECKING:
    from azext_acrscope.arm import Arm

_OPERATION_SECONDS = 600

# When Python ends it collects garbage among all that the CLI has loaded: 50 ms and more of every command, for nothing.
atexit.register(gc.freeze)


def show(cmd: Any, registry_name: RegistryRef, resource_group_name: str | None = None) -> dict[str, Any]:
    """Show which token audiences a registry accepts; the shape is that of `registry.describe`."""
    from azext_acrscope import registry

    arm, resource = _find(cmd, registry_name, resource_group_name)
    return registry.describe(resource, arm.audience)


def enforce(
    cmd: Any,
    registry_name: RegistryRef,
    resource_group_name: str | None = None,
    status: str = "disabled",
    dry_run: bool = False,
) -> dict[str, Any]:
    """Set a registry's status; returns what `show` does plus `previousStatus`, `changed`, when dry `plannedStatus`."""
    from azext_acrscope import _progress, registry

    status = str(status)  # the CLI's defaults are a subclass that prints as an object
    arm, before = _find(cmd, registry_name, resource_group_name)
    previous, _ = registry.status(before)
    after = before
    if previous != status and not dry_run:
        sleep = _progress.visible_sleep(cmd.cli_ctx, f"Waiting for {before['name']} to become {status}")
        after = registry.set_status(arm, before, status, _operation_seconds(cmd), sleep)
    result = {**registry.describe(after, arm.audience), "previousStatus": previous, "changed": after is not before}
    return {**result, "plannedStatus": status} if dry_run else result


def login(
    cmd: Any, registry_name: RegistryRef, resource_group_name: str | None = None, expose_token: bool = False
) -> dict[str, Any]:
    """Sign in to a registry: first hop, second hop, then the container client, or the token itself if asked for."""
    from azext_acrscope import clients, first_hop, second_hop

    client = None if expose_token else clients.find()
    if not (client or expose_token):
        raise _errors.no_client(registry_name.login_server or registry_name.name)
    login_server = registry_name.login_server or _ask_login_server(cmd, registry_name, resource_group_name)
    audience = first_hop.audience(cmd.cli_ctx)
    exchange = second_hop.Exchange(login_server, hosts.cloud_suffix(cmd.cli_ctx.cloud))
    token = exchange.finish(first_hop.acquire(cmd.cli_ctx, audience))
    result: dict[str, Any] = {"loginServer": login_server, "username": clients.USERNAME}
    if client:
        clients.login(client, token)
        result |= {"client": client.name, "credentialStore": clients.credential_store(client, login_server)}
    else:
        result["refreshToken"] = token.value
    return {**result, "expiresOn": token.expires_on}


def _find(cmd: Any, ref: RegistryRef, resource_group: str | None) -> tuple["Arm", dict[str, Any]]:
    """The registry resource, and the connection it was read with."""
    from azext_acrscope import registry
    from azext_acrscope.arm import Arm

    arm = Arm(cmd.cli_ctx, ref.subscription_id)
    return arm, registry.find(arm, ref, resource_group, hosts.cloud_suffix(cmd.cli_ctx.cloud))


def _ask_login_server(cmd: Any, ref: RegistryRef, resource_group: str | None) -> str:
    """The login server that ARM names. Only ARM knows a name's hash, so a plain name is asked for even with an ID.

    Pulling needs no right to read the resource: who may not see it is signed in at the cloud's suffix, and told so.
    """
    from azure.cli.core.azclierror import AzureConnectionError, ForbiddenError, ResourceNotFoundError
    from knack.log import get_logger

    from azext_acrscope import registry

    suffix = hosts.cloud_suffix(cmd.cli_ctx.cloud)
    try:
        _, resource = _find(cmd, ref, resource_group)
    except (ForbiddenError, ResourceNotFoundError) as error:
        guess = hosts.default_login_server(ref.name, suffix)
        get_logger(__name__).warning(_errors.login_server_guessed(ref.name, guess, error))
        return guess
    except AzureConnectionError as error:
        raise _errors.with_advice(error, _errors.NAME_LOGIN_SERVER) from error
    return hosts.check_login_server(registry.login_server(resource), suffix)


def _operation_seconds(cmd: Any) -> float:
    """How long to wait for ARM to finish a change: `az config set acrscope.operation_timeout=SECONDS`."""
    value = cmd.cli_ctx.config.get("acrscope", "operation_timeout", fallback=str(_OPERATION_SECONDS))
    try:
        return float(value)
    except ValueError as error:
        raise _errors.bad_setting("acrscope.operation_timeout", value, "a number of seconds") from error

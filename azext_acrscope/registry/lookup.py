"""From what users name to login servers: as it is where they named one, else by asking Azure Resource Manager."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.cli.core.azclierror import AzCLIError, AzureConnectionError, ForbiddenError, ResourceNotFoundError
from knack.log import get_logger

from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts, threads
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.registry import errors

if TYPE_CHECKING:
    from azext_acrscope.arm.client import Connect

ALL_ENDPOINTS = "all"

logger = get_logger(__name__)


class ResolvedRegistry(NamedTuple):
    """A registry as its user named it with one of its login servers, or the error of looking it up."""

    ref: RegistryRef
    login_server: str | None
    error: AzCLIError | None = None


def resolve_login_servers(
    refs: list[RegistryRef], resource_group: str | None, endpoints: list[str], suffix: str, connect: "Connect | None"
) -> list[ResolvedRegistry]:
    """Return every login server of the registries named, each once.

    :param endpoints: regions of regional login servers, or `all`: the global one and all regional ones.
    :param connect: gives the connection to a subscription; None if ARM must not be asked.
    :raises AzCLIError: the only registry named could not be found; of several, the error is put beside it.
    """

    refs = list(dict.fromkeys(refs))
    found = threads.try_each(
        lambda ref: find_login_servers(ref, resource_group, endpoints, suffix, connect), refs, AzCLIError
    )
    first: dict[Any, ResolvedRegistry] = {}
    for ref, answer in zip(refs, found, strict=True):
        if not isinstance(answer, AzCLIError):
            for host in answer:
                first.setdefault(host, ResolvedRegistry(ref, host))
        elif len(refs) == 1:
            raise answer
        else:
            first.setdefault(ref.login_server or ref, ResolvedRegistry(ref, ref.login_server, answer))
    return list(first.values())


def find_login_servers(
    ref: RegistryRef, resource_group: str | None, endpoints: list[str], suffix: str, connect: "Connect | None"
) -> list[str]:
    """Return the login servers that are meant by a registry and `endpoints`.

    :raises RequiredArgumentMissingError: ARM would have to be asked, and must not be.
    :raises InvalidArgumentValueError: no region can be named so.
    """
    everything = ALL_ENDPOINTS in map(str.lower, endpoints)
    if ref.login_server and not everything:
        return _select_endpoints(ref.login_server, endpoints, suffix)
    from azext_acrscope.registry import (
        resource as registry_resource,  # only now: a login server needs none of it, nor what it loads
    )

    if everything:
        if not connect:
            raise errors.login_server_needed(ref.name, "all regional login servers")
        arm = connect(ref.subscription_id)
        resource = registry_resource.find_registry(arm, ref, resource_group, suffix)
        own = hosts.check_login_server(registry_resource.login_server_of(resource), suffix)
        regional = registry_resource.list_regional_login_servers(arm, resource, suffix)
        if not regional:
            logger.warning(errors.no_regional_login_servers(own))
        return [own, *regional]
    return _select_endpoints(_find_login_server(ref, resource_group, suffix, connect), endpoints, suffix)


def _select_endpoints(own: str, regions: list[str], suffix: str) -> list[str]:
    return [hosts.regional_login_server(own, region, suffix) for region in regions] or [own]


def _find_login_server(ref: RegistryRef, resource_group: str | None, suffix: str, connect: "Connect | None") -> str:
    """The login server that ARM names. Only ARM knows a name's hash, so a plain name is asked for even with an ID.

    Pulling needs no right to read the resource: who is forbidden to is signed in at the cloud's suffix, and told so. A
    name that ARM does not know is more likely a slip, and NAME.azurecr.io somebody else's registry.
    """
    from azext_acrscope.registry import resource as registry_resource

    if not connect:
        raise errors.login_server_needed(ref.name, "the login server")
    try:
        resource = registry_resource.find_registry(connect(ref.subscription_id), ref, resource_group, suffix)
    except ForbiddenError as error:
        guess = hosts.default_login_server(ref.name, suffix)
        logger.warning(errors.login_server_guessed(ref.name, guess, error))
        return guess
    except (AzureConnectionError, ResourceNotFoundError) as error:
        raise base_errors.with_advice(error, errors.NAME_LOGIN_SERVER) from error
    return hosts.check_login_server(registry_resource.login_server_of(resource), suffix)


def match_stored_hosts(refs: list[RegistryRef], stored: Callable[[], list[str]], suffix: str) -> dict[str, list[str]]:
    """Return the login servers meant by each name, all of them without any; Azure is not asked.

    A name stands for all login servers of registries of that name, hashed and regional ones included. What is stored
    for a repository (LOGIN SERVER/NAME) is meant without any name only.

    :param stored: lists what something is stored for. Not called for login servers: some helpers have no list.
    """
    if refs and all(ref.login_server for ref in refs):
        return {str(ref.login_server): [str(ref.login_server)] for ref in refs}
    ours: dict[str, Any] = {}
    for host in stored():
        of_repository = "/" in host and "://" not in host
        try:
            server = hosts.check_login_server(hosts.host_of_reference(host) if of_repository else host, suffix)
            ours[host if of_repository else server] = hosts.parse_registry(server, suffix)
        except AzCLIError:
            continue  # another registry's
    meant = {}
    for ref in refs:
        named = [host for host, other in ours.items() if other.name.lower() == ref.name.lower() and "/" not in host]
        meant[ref.login_server or ref.name] = [ref.login_server] if ref.login_server else named
    return meant or {host: [host] for host in ours}

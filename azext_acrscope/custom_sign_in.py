"""The commands that sign in, or let others do it: each reads its input, calls the rooms, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions.
"""

from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors, hosts
from azext_acrscope._command import connections, find_registry
from azext_acrscope._validators import DOCKERCONFIGJSON, ENV, is_default
from azext_acrscope.hosts import RegistryRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from azext_acrscope.first_hop import Source
    from azext_acrscope.tokens import EntraToken


def login(
    cmd: Any,
    registry_name: list[RegistryRef],
    resource_group_name: str | None = None,
    endpoint: list[str] | None = None,
    client_name: str | None = None,
    auth_file: str | None = None,
    repository: list[str] | None = None,
    permission: list[str] | None = None,
    min_ttl: float | None = None,
    expose_token: bool = False,
    token_format: str | None = None,
    credential: str = "cli",
    client_id: str | None = None,
    tenant: str | None = None,
) -> Any:
    """Sign in to registries: first hop, second hop, then where the credentials go, or the tokens themselves.

    The shapes are those of `sign_in.result` and, with `expose_token`, of `exposed.result`.
    """
    from azext_acrscope import _outcome, access, destinations, exposed, first_hop, lookup, sign_in

    destination = None if expose_token else destinations.choose(client_name, auth_file)
    suffix = hosts.cloud_suffix(cmd.cli_ctx.cloud)
    audience = first_hop.audience(cmd.cli_ctx)
    if audience.rstrip("/") == str(cmd.cli_ctx.cloud.endpoints.active_directory_resource_id).rstrip("/"):
        _outcome.tell([_errors.arm_audience_named(audience)])
    # Only the account has a token for Azure Resource Manager.
    connect = connections(cmd.cli_ctx, patient=False) if credential == "cli" else None
    run = lookup.sign_ins(registry_name, resource_group_name, endpoint or [], suffix, connect)
    wanted = access.scope(repository, permission)
    if destination:
        sign_in.check(run, destination)
    if destination and min_ttl:
        sign_in.keep(run, destination, min_ttl, wanted)
    sign_in.fetch(run, suffix, _first_hop(cmd.cli_ctx, audience, credential, client_id, tenant), wanted)
    if destination:
        sign_in.deliver(run, destination)
    _outcome.tell(sign_in.remarks(run, wanted, destination))
    if failed := sign_in.verdict(run):
        if len(run) == 1:
            raise failed
        _outcome.fail_after_output(cmd.cli_ctx, failed)
    if destination:
        return sign_in.result(run, destination)
    exposed.mask(run)
    if token_format in (ENV, DOCKERCONFIGJSON):
        return _outcome.lines(exposed.lines(run, token_format))
    return exposed.result(run)


def logout(
    cmd: Any,
    registry_name: list[RegistryRef] | None = None,
    select_all: bool = False,
    client_name: str | None = None,
    auth_file: str | None = None,
) -> list[dict[str, Any]]:
    """Forget the credentials that a sign-in stored; the shape is that of `destinations.log_out`. Nobody is asked."""
    from azext_acrscope import _outcome, destinations, lookup

    destination = destinations.choose(client_name, auth_file)
    meant = lookup.stored_hosts(registry_name or [], destination.hosts, hosts.cloud_suffix(cmd.cli_ctx.cloud))
    rows, failed = destinations.log_out(destination, meant)
    if failed and len(rows) == 1:
        raise failed[0]
    if failed:
        _outcome.fail_after_output(cmd.cli_ctx, _errors.logouts_failed(len(failed), len(rows)))
    return rows


def configure_docker(
    cmd: Any,
    registry_name: list[RegistryRef] | None = None,
    resource_group_name: str | None = None,
    select_all: bool = False,
    client_name: str = "docker",
    bin_dir: str | None = None,
    credential: str = "cli",
    client_id: str | None = None,
    tenant: str | None = None,
    yes: bool = False,
    remove: bool = False,
) -> dict[str, Any]:
    """Let a container client ask docker-credential-acrscope for some registries, or no longer."""
    from azext_acrscope import _outcome, first_hop
    from azext_acrscope.helper import install

    named = registry_name or []
    if remove:
        made = install.plan_removal(_chooser(named, hosts.cloud_suffix(cmd.cli_ctx.cloud)), client_name, bin_dir)
    elif named or select_all:
        group = None if is_default(resource_group_name) else resource_group_name
        sources = {}
        for ref in named or _all_registries(cmd.cli_ctx, group):
            host = ref.login_server or _known_login_server(cmd, ref, group, credential)
            source = first_hop.Source(credential, client_id, tenant, ref.subscription_id)
            sources[host] = _settings(cmd.cli_ctx, source)
        made = install.plan(sources, client_name, bin_dir)
    else:
        raise _errors.no_host_selected()
    if not (yes and cmd.cli_ctx.only_show_errors):
        _outcome.show(install.describe(made))
    _outcome.tell(made.warnings)
    if not (made.empty or yes):
        _outcome.confirm(cmd.cli_ctx, "Make these changes?", "")
    install.apply(made)
    return {
        "launcher": str(made.program) if made.program else None,
        "client": str(client_name),  # the default is of a type of its own, which tables leave out
        "file": str(made.file),
        "hosts": [{"loginServer": host, "result": result} for host, result in made.results.items()],
    }


def _known_login_server(cmd: Any, ref: RegistryRef, group: str | None, credential: str) -> str:
    """The login server that ARM names. Not a guess, as at a login: it would be signed in to for months."""
    from azure.cli.core.azclierror import AzCLIError

    from azext_acrscope import registry

    if credential != "cli":  # which alone has a token for ARM
        raise _errors.login_server_needed(ref.name, "its login server")
    try:
        _, resource = find_registry(cmd, ref, group)
    except AzCLIError as error:
        raise _errors.with_advice(error, _errors.NAME_HELPERS_LOGIN_SERVER) from error
    return hosts.check_login_server(registry.login_server(resource), hosts.cloud_suffix(cmd.cli_ctx.cloud))


def _chooser(named: list[RegistryRef], suffix: str) -> "Callable[[list[str]], list[str]]":
    """Picks the hosts that are named; all are if none is named. Nothing is asked of ARM to take hosts out."""
    from azext_acrscope import lookup

    if not named:
        return list
    return lambda known: [
        host for meant in lookup.stored_hosts(named, lambda: known, suffix).values() for host in meant if host in known
    ]


def _all_registries(cli_ctx: Any, group: str | None) -> list[RegistryRef]:
    """The registries of the subscription in use, or of one of its groups, by their login servers."""
    from azext_acrscope import _outcome, fleet, registry

    suffix = hosts.cloud_suffix(cli_ctx.cloud)
    wanted = fleet.scope(cli_ctx, group)
    seen = fleet.live(cli_ctx, wanted)
    _outcome.tell(fleet.unread(seen.unreadable))
    servers = [hosts.check_login_server(registry.login_server(resource), suffix) for resource in seen.registries]
    if not servers:
        raise _errors.nothing_matches(wanted.text)
    return [hosts.parse_registry(server, suffix) for server in servers]


def _settings(cli_ctx: Any, source: "Source") -> dict[str, str]:
    """Who signs in, as the helper remembers it; a subscription only if one was named, else it follows the CLI."""
    from dataclasses import asdict, replace

    from azure.cli.core._profile import Profile

    from azext_acrscope import first_hop

    if source.credential == "cli" and (source.subscription or cli_ctx.data.get("subscription_id")):
        account = first_hop.account_of(Profile(cli_ctx=cli_ctx), cli_ctx, source.subscription)
        source = replace(source, subscription=account["id"])
    return {key: value for key, value in asdict(source).items() if value}


def _first_hop(
    cli_ctx: Any, audience: str, credential: str, client_id: str | None, tenant: str | None
) -> "Callable[[str | None], EntraToken]":
    """Gives the Entra token of whoever signs in; of the account, that for a subscription."""
    from azext_acrscope import first_hop

    return lambda subscription: first_hop.acquire(
        cli_ctx, audience, first_hop.Source(credential, client_id, tenant, subscription)
    )

"""The commands that sign in, or let others do it: each reads its input, calls the rooms, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions. The CLI calls
the commands with keyword arguments, by the names that `_params` describes.
"""

from typing import TYPE_CHECKING, Any

from azext_acrscope import _errors
from azext_acrscope._command import connect_to_registry, connection_factory
from azext_acrscope._validators import typed_value
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.credentials.token_output import JSON_FORMAT, KUBERNETES_FORMAT
from azext_acrscope.enforcement import errors as enforcement_errors
from azext_acrscope.registry import errors as registry_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from azext_acrscope.base.tokens import EntraToken
    from azext_acrscope.credentials.kubernetes_secret import SecretName
    from azext_acrscope.credentials.login import LoginTarget
    from azext_acrscope.hops.principals import RequestedIdentity


def login(  # pylint: disable=too-many-locals  # its options are most of them
    cmd: Any,
    *,
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
    secret_name: "SecretName | None" = None,
    namespace: str | None = None,  # pylint: disable=unused-argument  # validate_secret has put it into `secret_name`
    credential: str = "cli",
    client_id: str | None = None,
    tenant: str | None = None,
) -> Any:
    """Sign in to registries: first hop, second hop, then where the credentials go, or the tokens themselves.

    The shapes are those of `login.login_result` and, with `expose_token`, of `token_output.tokens_as_data`.
    """
    from azext_acrscope.base import console
    from azext_acrscope.credentials import login as credentials_login
    from azext_acrscope.credentials.helper import login as helper_login
    from azext_acrscope.hops import scoped_tokens

    if token_format and token_format != JSON_FORMAT:
        console.refuse_query(cmd.cli_ctx, f"--token-format {token_format}")
    destination = None
    if not expose_token:
        from azext_acrscope.credentials import destinations

        destination = destinations.choose_destination(client_name, auth_file)
    suffix = hosts.login_server_suffix(cmd.cli_ctx.cloud)
    source = _token_source(cmd.cli_ctx, credential, client_id, tenant)
    run = _find_targets(cmd.cli_ctx, registry_name, resource_group_name, endpoint or [], credential)
    wanted = scoped_tokens.requested_actions(repository, permission)
    if destination:
        credentials_login.check_storable(run, destination)
    if destination and min_ttl:
        credentials_login.skip_if_fresh(run, destination, min_ttl, wanted)
    credentials_login.fetch_tokens(run, suffix, source, wanted)
    helper_login.forget_failures([each.token.login_server for each in run if each.token])
    if destination:
        credentials_login.store_credentials(run, destination)
    console.warn(credentials_login.login_remarks(run, wanted, destination))
    if failed := credentials_login.login_error(run, whole=token_format == KUBERNETES_FORMAT):
        if len(run) == 1 or token_format == KUBERNETES_FORMAT:
            raise failed
        console.fail_after_output(cmd.cli_ctx, failed)
    if destination:
        return credentials_login.login_result(run, destination)
    return _give_tokens(run, token_format, secret_name)


def _find_targets(
    cli_ctx: Any, named: list[RegistryRef], group: str | None, endpoint: list[str], credential: str
) -> list["LoginTarget"]:
    """The sign-ins to make, one for each login server."""
    from azext_acrscope.credentials import login as credentials_login
    from azext_acrscope.registry import lookup

    # Only the account has a token for Azure Resource Manager.
    connect = connection_factory(cli_ctx, patient=False) if credential == "cli" else None
    suffix = hosts.login_server_suffix(cli_ctx.cloud)
    return credentials_login.login_targets(lookup.resolve_login_servers(named, group, endpoint, suffix, connect))


def _give_tokens(run: list["LoginTarget"], token_format: str | None, secret: "SecretName | None") -> Any:
    """Return the tokens of a sign-in, or print them in a form that other programs read."""
    from azext_acrscope.base import console
    from azext_acrscope.credentials import token_output

    token_output.mask_in_pipeline_logs(run, token_format)
    if token_format and token_format != JSON_FORMAT:
        console.print_lines(token_output.format_tokens(run, token_format, secret))
        return None
    return token_output.tokens_as_data(run)


def logout(
    cmd: Any,
    *,
    registry_name: list[RegistryRef] | None = None,
    select_all: bool = False,  # pylint: disable=unused-argument  # validate_logout has read it
    client_name: str | None = None,
    auth_file: str | None = None,
) -> list[dict[str, Any]]:
    """Remove the credentials that a sign-in stored, without a question; see `destinations.erase_credentials`."""
    from azext_acrscope.base import console
    from azext_acrscope.credentials import destinations
    from azext_acrscope.registry import lookup

    destination = destinations.choose_destination(client_name, auth_file)
    meant = lookup.match_stored_hosts(
        registry_name or [], destination.hosts, hosts.login_server_suffix(cmd.cli_ctx.cloud)
    )
    rows, failed = destinations.erase_credentials(destination, meant)
    if failed and len(rows) == 1:
        raise failed[0]
    if failed:
        console.fail_after_output(cmd.cli_ctx, _errors.logouts_failed(len(failed), len(rows)))
    return rows


def configure_docker(
    cmd: Any,
    *,
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
    show: bool = False,
) -> dict[str, Any]:
    """Let a container client ask docker-credential-acrscope for some registries, or no longer; or show what is so."""
    from azext_acrscope.base import console
    from azext_acrscope.credentials.helper import install
    from azext_acrscope.hops import principals

    named = registry_name or []
    if show:
        return _show_helper(cmd, named, typed_value(client_name))
    if remove:
        made = install.plan_removal(
            _host_chooser(named, hosts.login_server_suffix(cmd.cli_ctx.cloud)), client_name, bin_dir
        )
    elif named or select_all:
        sources = {}
        for ref in named or _list_all_registries(cmd.cli_ctx, resource_group_name):
            host = ref.login_server or _read_login_server(cmd, ref, resource_group_name, credential)
            source = principals.RequestedIdentity(credential, client_id, tenant, ref.subscription_id)
            sources[host] = _helper_settings(cmd.cli_ctx, source)
        made = install.plan_setup(sources, client_name, bin_dir)
    else:
        raise _errors.no_host_selected()
    if not (yes and cmd.cli_ctx.only_show_errors):
        console.print_to_stderr(install.describe_setup(made))
    console.warn(made.warnings)
    if remove and made.empty:
        nobody = "None of these registries" if named else "No registry"
        console.tell([f"{nobody} uses the helper in {made.file}: nothing to remove."])
    if not (made.empty or yes):
        console.confirm(cmd.cli_ctx, "Make these changes?", "")
    install.apply_setup(made)
    return {
        "launcher": str(made.program) if made.program else None,
        "client": str(client_name),  # the default is of a type of its own, which tables leave out
        "file": str(made.file),
        "hosts": [{"loginServer": host, "result": result} for host, result in made.results.items()],
    }


def _show_helper(cmd: Any, named: list[RegistryRef], client: str | None) -> dict[str, Any]:
    """Return what `configure-docker` has set up; what is wrong with it is also told."""
    from azext_acrscope.base import console
    from azext_acrscope.credentials.helper import status
    from azext_acrscope.registry import lookup

    missing: list[str] = []

    def choose(known: list[str]) -> list[str]:
        if not named:
            return known
        meant = lookup.match_stored_hosts(named, lambda: known, hosts.login_server_suffix(cmd.cli_ctx.cloud))
        missing.extend(name for name, found in meant.items() if not set(known).intersection(found))
        return [host for found in meant.values() for host in found if host in known]

    found = status.describe_status(choose, client, cmd.cli_ctx.cloud.name)
    console.tell(status.remark_lines(found, missing))
    return found


def _read_login_server(cmd: Any, ref: RegistryRef, group: str | None, credential: str) -> str:
    """The login server that ARM names. Not a guess, as at a login: it would be signed in to for months."""
    from azure.cli.core.azclierror import AzCLIError

    from azext_acrscope.registry import resource as registry_resource

    if credential != "cli":  # which alone has a token for ARM
        raise registry_errors.login_server_needed(ref.name, "the login server")
    try:
        _, resource = connect_to_registry(cmd, ref, group)
    except AzCLIError as error:
        raise base_errors.with_advice(error, _errors.NAME_HELPERS_LOGIN_SERVER) from error
    return hosts.check_login_server(
        registry_resource.login_server_of(resource), hosts.login_server_suffix(cmd.cli_ctx.cloud)
    )


def _host_chooser(named: list[RegistryRef], suffix: str) -> "Callable[[list[str]], list[str]]":
    """Picks the hosts that are named; all are if none is named. Nothing is asked of ARM to take hosts out."""
    from azext_acrscope.registry import lookup

    if not named:
        return list
    return lambda known: [
        host
        for meant in lookup.match_stored_hosts(named, lambda: known, suffix).values()
        for host in meant
        if host in known
    ]


def _list_all_registries(cli_ctx: Any, group: str | None) -> list[RegistryRef]:
    """The registries of the subscription in use, or of one of its groups, by their login servers."""
    from azext_acrscope.base import console
    from azext_acrscope.fleet import live, scope, summary
    from azext_acrscope.registry import resource as registry_resource

    suffix = hosts.login_server_suffix(cli_ctx.cloud)
    wanted = scope.choose_scope(cli_ctx, group)
    seen = live.read_live_fleet(cli_ctx, wanted)
    console.warn(summary.unread_lines(seen.unreadable))
    servers = [
        hosts.check_login_server(registry_resource.login_server_of(resource), suffix) for resource in seen.registries
    ]
    if not servers:
        raise enforcement_errors.nothing_matches(wanted.text)
    return [hosts.parse_registry(server, suffix) for server in servers]


def _helper_settings(cli_ctx: Any, source: "RequestedIdentity") -> dict[str, str]:
    """Who signs in, as the helper remembers it; a subscription only if one was named, else it follows the CLI."""
    from azure.cli.core._profile import Profile

    from azext_acrscope.hops import entra

    if source.credential == "cli" and (source.subscription or cli_ctx.data.get("subscription_id")):
        account = entra.account_for_subscription(Profile(cli_ctx=cli_ctx), cli_ctx, source.subscription)
        source = source._replace(subscription=account["id"])
    return {key: value for key, value in source._asdict().items() if value}


def _token_source(
    cli_ctx: Any, credential: str, client_id: str | None, tenant: str | None
) -> "Callable[[str | None], EntraToken]":
    """Gives the Entra token of whoever signs in; of the account, that for a subscription."""
    from azext_acrscope.base import console
    from azext_acrscope.hops import entra, principals

    audience = entra.registry_audience(cli_ctx)
    if audience.rstrip("/") == str(cli_ctx.cloud.endpoints.active_directory_resource_id).rstrip("/"):
        console.warn([_errors.arm_audience_named(audience)])
    return lambda subscription: entra.acquire_token(
        cli_ctx, audience, principals.RequestedIdentity(credential, client_id, tenant, subscription)
    )

"""What `docker login` and `docker logout` do at the helper."""

from contextlib import suppress

from azext_acrscope.credentials import protocol_constants
from azext_acrscope.credentials.helper import cache, state  # others only when needed: each sign-in loads this


def store_docker_login(server: str, host: str, username: str, secret: str) -> None:
    """Keep a credential.

    A refresh token of this very registry goes where our own are, and is renewed like them. Anything else (the admin
    user, a repository token, an access token that opens some repositories only) was chosen by its user: it is answered
    until it is erased, and never replaced by one that opens more; once it is over, that is said.

    :raises InvalidArgumentValueError: the host is no registry's of the cloud in use.
    """
    from azext_acrscope.credentials.helper import cache_update, cli, renewal

    cli.add_cli_packages()
    from azext_acrscope.base import hosts
    from azext_acrscope.base.tokens import read_claims

    suffix = renewal.check_login_server_suffix(host or server)
    token_claims = read_claims(secret)
    source, identity = state.read_settings().get(host, state.DEFAULT_SOURCE), None
    with suppress(state.Unreadable):  # it is not known who could renew it
        identity = state.identity_key(source)
    entry = cache_update.make_entry(secret, token_claims)
    refresh = (
        username in (protocol_constants.TOKEN_USERNAME, protocol_constants.IDENTITY_TOKEN_USERNAME)
        and token_claims.get("grant_type") == "refresh_token"
        and hosts.is_own_service(str(token_claims.get("aud")), host, suffix)
    )
    with cache_update.update_cache() as content:
        content["stored"].pop(host, None)
        if refresh and identity:
            content["tokens"].setdefault(identity, {})[host] = entry
        elif refresh:  # nobody is signed in who could renew it
            content["stored"][host] = {
                "username": protocol_constants.TOKEN_USERNAME,
                "secret": secret,
                "expires": entry["expires"],
            }
        else:
            content["stored"][host] = {"username": username, "secret": secret}
            if token_claims.get("grant_type") == "access_token":
                content["stored"][host]["over"] = entry["expires"]


def forget_hosts(hosts: list[str]) -> None:
    """Forget hosts, for all identities."""
    known = cache.read_cache()
    if not any(host in each for host in hosts for each in [known["stored"], *known["tokens"].values()]):
        return
    from azext_acrscope.credentials.helper import cache_update

    with cache_update.update_cache() as content:
        for each in [content["stored"], *content["tokens"].values()]:
            for host in hosts:
                each.pop(host, None)


def forget_failures(hosts: list[str]) -> None:
    """Forget that these hosts gave no answer, because they have just given one. It is no harm where that fails."""
    known = cache.read_cache()["tokens"]
    if not any("failed" in each.get(host, {}) for each in known.values() for host in hosts):
        return
    from azure.cli.core.azclierror import FileOperationError

    from azext_acrscope.credentials.helper import cache_update

    with suppress(FileOperationError), cache_update.update_cache() as content:
        for entries in content["tokens"].values():
            for host in hosts:
                for name in ("failed", "failure", "network"):
                    entries.get(host, {}).pop(name, None)

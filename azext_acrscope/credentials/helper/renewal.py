"""A new token for the cache: both hops, by one process at a time for each host."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from azext_acrscope.credentials.helper import cache, cache_update, cli, state

_OTHER_PROCESS_SECONDS = (
    300.0  # for another process that is making both hops, when there is nothing to answer with meanwhile
)
_RENEW_WITH_VALID_TOKEN_SECONDS = 30.0  # for both hops, when the old token is still valid


class ForeignHost(Exception):
    """The host is no login server of the cloud in use, nor one that was set up: it is none of our business."""


def obtain_token(host: str) -> str:
    """Return a token for the host: from another process that was making one anyway, else by both hops.

    :raises NotOurs: no token of ours may be sent to this host.
    :raises AzCLIError: there is none to be had, and the old one is no longer valid.
    :raises Unreadable: it is not known whose it would be.
    """
    began = time.time()
    cli.add_cli_packages()
    source = state.read_settings().get(host)
    if source is None:
        _refuse_foreign_host(host)
        source = state.DEFAULT_SOURCE
    identity = state.identity_key(source)
    if identity is None and "subscription" in source:  # no other account's token instead
        raise cli.load_errors().helper_account_gone(host, source["subscription"])
    old = cache.cached_token(cache.read_cache(), identity, host, last_resort=True)
    with _lock_renewal(host, wait=not old) as mine:
        content = cache.read_cache()
        new = cache.cached_token(content, identity, host)
        if new or (old and not mine):
            return str(new or old)
        entry = cache.token_entry(content, identity, host)
        failed = cache.entry_time(entry, "failed")
        # By the process that we were waiting for: to try the same again would take as long. A moment that is still to
        # come is of a clock that was ahead, and has been put right.
        if began < failed <= time.time():
            raise cli.load_errors().helper_failed_before(str(entry.get("failure")))
        return _renew_token(host, source, identity, old)


def check_login_server_suffix(host: str) -> str:
    """Return the suffix of the cloud in use, whose login servers the host is one of.

    :raises InvalidArgumentValueError: it is none.
    """
    from azext_acrscope.base import hosts

    suffix = hosts.login_server_suffix(cli.cli_context().cloud)
    hosts.check_login_server(host, suffix)
    return suffix


def _refuse_foreign_host(host: str) -> None:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    try:
        check_login_server_suffix(host)
    except InvalidArgumentValueError as error:
        raise ForeignHost(host) from error


def _renew_token(host: str, source: dict[str, str], identity: str | None, old: str | None) -> str:
    from azext_acrscope.base.threads import DeadlineExceeded, run_with_deadline
    from azext_acrscope.base.tokens import read_claims

    try:
        new = run_with_deadline(lambda: _run_both_hops(host, source), _RENEW_WITH_VALID_TOKEN_SECONDS if old else None)
    except Exception as error:  # pylint: disable=broad-exception-caught  # a valid token is better than any error
        slow = isinstance(error, DeadlineExceeded)
        why = cli.load_errors().helper_reason(
            cli.load_errors().helper_slow(_RENEW_WITH_VALID_TOKEN_SECONDS) if slow else error
        )
        news: dict[str, Any] = {"failed": time.time(), "failure": why, "network": None}
        if _is_without_answer(error):
            news["network"] = cache.network_settings()
        _remember_in_cache(identity, host, news)
        if not old:
            raise
        print(cli.load_errors().helper_renewal_failed(host, why), file=sys.stderr)
        return old
    if _is_still_in_use(identity, source):  # else somebody has signed in meanwhile: it is not known whose this is
        _remember_in_cache(identity, host, cache_update.make_entry(new, read_claims(new)), anew=True)
    return new


def _is_without_answer(error: Exception) -> bool:
    """Whether nobody could answer, or take the question: then, and only then, is it vain to ask again at once.

    A certificate is no reason: a host that shows one is up, and what is wrong with it is put right on this machine.
    """
    from azext_acrscope.hops.errors import is_passing
    from azext_acrscope.hops.login_server_errors import ThrottledError

    return is_passing(error) or isinstance(error, ThrottledError)


def _is_still_in_use(identity: str | None, source: dict[str, str]) -> bool:
    try:
        return state.identity_key(source) == identity
    except state.Unreadable:
        return False


def _run_both_hops(host: str, source: dict[str, str]) -> str:
    from azext_acrscope.hops import entra as hops_entra
    from azext_acrscope.hops import exchange as hops_exchange

    context = cli.cli_context()
    exchange = hops_exchange.Exchange(host, check_login_server_suffix(host))
    entra = hops_entra.acquire_token(context, hops_entra.registry_audience(context), _credential_source(source))
    return exchange.finish(entra).value


def _credential_source(settings: dict[str, str]) -> Any:
    """A host's settings as the first hop takes them; what a newer version may have added is not ours to know."""
    from azext_acrscope.hops.principals import RequestedIdentity

    known = ("credential", "client_id", "tenant", "subscription")
    return RequestedIdentity(**{name: settings[name] for name in known if name in settings})


def _remember_in_cache(identity: str | None, host: str, news: dict[str, Any], anew: bool = False) -> None:
    """Into the cache. Where it cannot be written, the token is still good for an answer."""
    from azure.cli.core.azclierror import FileOperationError

    if identity is None:
        return
    try:
        with cache_update.update_cache() as content:
            known = {} if anew else cache.token_entry(content, identity, host)
            content["tokens"].setdefault(identity, {})[host] = {**known, **news}
    except FileOperationError as error:
        print(error.error_msg, file=sys.stderr)


@contextmanager
def _lock_renewal(host: str, wait: bool) -> Iterator[bool]:
    """One process at a time for a host. Whether it is ours: without waiting, another one may be at it.

    Where nothing can be written, no lock can be had either: everybody makes the hops for themselves then.

    :raises AzureConnectionError: another process takes too long.
    """
    from azure.cli.core.azclierror import FileOperationError

    from azext_acrscope.credentials import credential_file
    from azext_acrscope.credentials.file_errors import FileBusyError
    from azext_acrscope.credentials.helper import errors

    folder, seconds = state.helper_folder(), _OTHER_PROCESS_SECONDS if wait else 0.0
    cache_update.make_private_folder(folder)
    with ExitStack() as held:
        mine = True
        try:
            held.enter_context(credential_file.lock_file(Path(folder) / f"renew-{host}", seconds))
        except FileBusyError:
            if wait:
                raise errors.helper_renewal_busy(host, seconds) from None
            mine = False
        except FileOperationError:
            pass
        yield mine

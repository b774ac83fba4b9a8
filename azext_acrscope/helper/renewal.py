"""A new token for the cache: both hops, by one process at a time for each host."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from azext_acrscope.helper import cache, cli, state

_WAIT_SECONDS = 300.0  # for another process that is making both hops, when there is nothing to answer with meanwhile
_OLD_WAIT_SECONDS = 30.0  # for both hops, when the old token is still valid
_PAUSE_SECONDS = 60.0  # before the next try, while the old token is still valid


class NotOurs(Exception):
    """The host is no login server of the cloud in use, nor one that was set up: it is none of our business."""


def token(host: str) -> str:
    """A token for the host: from another process that was making one anyway, else by both hops.

    :raises NotOurs: no token of ours may be sent to this host.
    :raises AzCLIError: there is none to be had, and the old one is no longer valid.
    """
    began = time.time()
    cli.packages()
    source = state.settings().get(host)
    if source is None:
        _refuse_foreign(host)
        source = state.CLI
    identity = state.identity(source)
    if identity is None and "subscription" in source:  # no other account's token instead
        raise cli.errors().helper_account_gone(host, source["subscription"])
    old = cache.token(cache.read(), identity, host, last_resort=True)
    with _turn(host, wait=not old) as mine:
        content = cache.read()
        new = cache.token(content, identity, host)
        if new or (old and not mine):
            return str(new or old)
        entry = cache.of(content, identity, host)
        failed = cache.moment(entry, "failed")
        if old and began - _PAUSE_SECONDS < failed <= time.time():
            return old
        # By the process that we were waiting for: to try the same again would take as long. A moment that is still to
        # come is of a clock that was ahead, and has been put right.
        if began < failed <= time.time():
            raise cli.errors().helper_failed_before(str(entry.get("failure")))
        return _renew(host, source, identity, old)


def check(host: str) -> str:
    """The suffix of the cloud in use, whose login servers the host is one of.

    :raises InvalidArgumentValueError: it is none.
    """
    from azext_acrscope import hosts

    suffix = hosts.cloud_suffix(cli.context().cloud)
    hosts.check_login_server(host, suffix)
    return suffix


def _refuse_foreign(host: str) -> None:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    try:
        check(host)
    except InvalidArgumentValueError as error:
        raise NotOurs(host) from error


def _renew(host: str, source: dict[str, str], identity: str | None, old: str | None) -> str:
    from azext_acrscope._connection import in_background
    from azext_acrscope.tokens import claims

    try:
        new = in_background(lambda: _both_hops(host, source)).result(_OLD_WAIT_SECONDS if old else None)
    except Exception as error:  # whatever it is, a token that is still valid is better
        slow = isinstance(error, FutureTimeout) and old
        why = cli.errors().helper_reason(cli.errors().helper_slow(_OLD_WAIT_SECONDS) if slow else error)
        _remember(identity, host, {"failed": time.time(), "failure": why})
        if not old:
            raise
        print(cli.errors().helper_renewal_failed(host, why), file=sys.stderr)
        return old
    if state.identity(source) == identity:  # else somebody has signed in meanwhile, and it is not known whose this is
        _remember(identity, host, cache.entry(new, claims(new)), anew=True)
    return new


def _both_hops(host: str, source: dict[str, str]) -> str:
    from azext_acrscope import first_hop, second_hop

    context = cli.context()
    exchange = second_hop.Exchange(host, check(host))
    entra = first_hop.acquire(context, first_hop.audience(context), _source(source))
    return exchange.finish(entra).value


def _source(settings: dict[str, str]) -> Any:
    """A host's settings as the first hop takes them; what a newer version may have added is not ours to know."""
    from azext_acrscope.first_hop import Source

    known = ("credential", "client_id", "tenant", "subscription")
    return Source(**{name: settings[name] for name in known if name in settings})


def _remember(identity: str | None, host: str, news: dict[str, Any], anew: bool = False) -> None:
    """Into the cache. Where it cannot be written, the token is still good for an answer."""
    from azure.cli.core.azclierror import FileOperationError

    if identity is None:
        return
    try:
        with cache.update() as content:
            known = {} if anew else cache.of(content, identity, host)
            content["tokens"].setdefault(identity, {})[host] = {**known, **news}
    except FileOperationError as error:
        print(error.error_msg, file=sys.stderr)


@contextmanager
def _turn(host: str, wait: bool) -> Iterator[bool]:
    """One process at a time for a host. Whether it is ours: without waiting, another one may be at it.

    Where nothing can be written, no lock can be had either: everybody makes the hops for themselves then.

    :raises AzureConnectionError: another process takes too long.
    """
    from azure.cli.core.azclierror import FileOperationError

    from azext_acrscope import _errors, credential_file

    folder, seconds = state.folder(), _WAIT_SECONDS if wait else 0.0
    cache.private(folder)
    with ExitStack() as held:
        mine = True
        try:
            held.enter_context(credential_file.lock(Path(folder) / f"renew-{host}", seconds))
        except _errors.FileBusyError:
            if wait:
                raise _errors.helper_renewal_busy(host, seconds) from None
            mine = False
        except FileOperationError:
            pass
        yield mine

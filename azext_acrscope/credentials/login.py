"""A run of sign-ins: one first hop for all, then a second hop for each registry, at the same time.

A registry that fails does not keep the others from being signed in to.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base.threads import run_each_in_background
from azext_acrscope.base.tokens import AccessToken, EntraToken, read_claims, read_expiry
from azext_acrscope.credentials import errors
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.hops import scoped_tokens
from azext_acrscope.hops.exchange import Exchange
from azext_acrscope.registry.lookup import ResolvedRegistry

if TYPE_CHECKING:
    from azext_acrscope.credentials.destinations import Destination, RegistryToken
    from azext_acrscope.credentials.stores import StoredCredential

MAX_CONCURRENT_LOGINS = (
    20  # at the same time; a registry allows thousands of exchanges a minute, and each goes to its own
)

RepositoryActions = dict[str, list[str]]
"""Actions by repository; empty for all that the identity may do."""


@dataclass
class LoginTarget:
    """One login server of a run, and what became of it."""

    name: str
    """What its user called it."""
    login_server: str | None = None
    subscription_id: str | None = None
    token: "RegistryToken | None" = None
    kept_until: str | None = None
    error: AzCLIError | None = None

    @property
    def is_open(self) -> bool:
        """Return whether there is something left to do."""
        return not (self.error or self.token or self.kept_until)


def login_targets(found: list[ResolvedRegistry]) -> list[LoginTarget]:
    """Return a sign-in for each login server; what could not be looked up keeps its error."""
    return [LoginTarget(each.ref.name, each.login_server, each.ref.subscription_id, error=each.error) for each in found]


def check_storable(run: list[LoginTarget], destination: "Destination") -> None:
    """Put an error beside every sign-in whose credential could not be stored, before any token is asked for."""
    for each in run:
        if each.is_open and each.login_server:
            try:
                destination.check(each.login_server)
            except AzCLIError as error:
                each.error = error


def skip_if_fresh(
    run: list[LoginTarget], destination: "Destination", seconds: float, wanted: RepositoryActions
) -> None:
    """Mark the sign-ins whose stored credential still lives for so many seconds and opens just what is wanted.

    What a helper does not give, for whatever reason, is not there.
    """
    for each in run:
        if each.is_open and each.login_server:
            with suppress(AzCLIError):
                store = destination.store(each.login_server)
                stored = store.get(each.login_server) if store else None
                if stored and _is_fresh(stored, each.login_server, seconds, wanted):
                    each.kept_until = read_expiry(read_claims(stored.secret))


def _is_fresh(stored: "StoredCredential", login_server: str, seconds: float, wanted: RepositoryActions) -> bool:
    token = read_claims(stored.secret)
    expires = token.get("exp")
    if not (stored.is_ours and isinstance(expires, int) and expires - time.time() >= seconds):
        return False
    # A token for a regional login server names the registry's global one.
    if str(token.get("aud")).partition(".")[0] != login_server.partition(".")[0]:
        return False
    if not wanted:
        return token.get("grant_type") == "refresh_token"
    opened = scoped_tokens.granted_actions(token)
    return {name: set(each) for name, each in opened.items()} == {name: set(each) for name, each in wanted.items()}


def fetch_tokens(
    run: list[LoginTarget],
    suffix: str,
    first_hop: Callable[[str | None], EntraToken],
    wanted: RepositoryActions | None = None,
) -> None:
    """Sign in to every login server of the run that is open; its token or its error is put beside it.

    :param first_hop: gives the Entra token for the account of a subscription. Called once for each, in this thread,
        while the challenges are asked for; what it raises ends the run.
    """
    todo = [each for each in run if each.is_open]
    entra: dict[str | None, Future[EntraToken]] = {each.subscription_id: Future() for each in todo}

    def one(each: LoginTarget) -> None:
        _fetch_one(each, suffix, entra[each.subscription_id], wanted or {})

    running = run_each_in_background(one, todo, MAX_CONCURRENT_LOGINS)
    try:
        for subscription, future in entra.items():
            future.set_result(first_hop(subscription))
    except BaseException as error:
        for future in entra.values():
            if not future.done():
                future.set_exception(error)
        raise
    for work in running:
        work.result()


def _fetch_one(sign_in: LoginTarget, suffix: str, entra: "Future[EntraToken]", wanted: RepositoryActions) -> None:
    try:
        exchange = Exchange(str(sign_in.login_server), suffix)
        refresh = exchange.finish(entra.result())
        sign_in.token = (
            scoped_tokens.acquire_access_token(exchange.server, exchange.service(), refresh, wanted)
            if wanted
            else refresh
        )
        exchange.server.close()
    except AzCLIError as error:
        sign_in.error = error
    except Exception as error:  # pylint: disable=broad-exception-caught  # nothing may be lost in a thread
        sign_in.error = errors.unexpected(str(sign_in.login_server), type(error).__name__)


def store_credentials(run: list[LoginTarget], destination: "Destination") -> None:
    """Put the tokens of the run where they go; a failure is put beside its sign-in."""
    failed = destination.put([each.token for each in run if each.token])
    for each in run:
        if each.login_server in failed:
            each.error = failed[each.login_server]


def login_error(run: list[LoginTarget], whole: bool = False) -> AzCLIError | None:
    """Return the error that the run as a whole ends with, if any of it failed: of a single sign-in its own.

    :param whole: part of it is no result.
    """
    failed = [each.error for each in run if each.error]
    if whole and failed and len(run) > 1:
        return errors.secret_incomplete(failed, len(run))
    return errors.sign_ins_failed(len(failed), len(run)) if failed and len(run) > 1 else failed[0] if failed else None


def login_remarks(run: list[LoginTarget], wanted: RepositoryActions, destination: "Destination | None") -> list[str]:
    """Return sentences for people: rights that were not granted, and what keeps a stored credential from being used."""
    said = []
    for each in run:
        if isinstance(each.token, AccessToken) and (missing := scoped_tokens.missing_actions(each.token, wanted)):
            said.append(errors.less_granted(each.token.login_server, missing))
        if destination and each.login_server and not each.error:
            said += destination.shadows(each.login_server)
    return list(dict.fromkeys(said))


def login_result(run: list[LoginTarget], destination: "Destination") -> dict[str, Any] | list[dict[str, Any]]:
    """Return the command's result, without tokens: an object for one login server, a row for each of several."""
    if len(run) == 1:
        return _login_row(run[0], destination)
    return [{"name": each.name, **_login_row(each, destination), "reason": _failure_reason(each)} for each in run]


def _failure_reason(sign_in: LoginTarget) -> str:
    return sign_in.error.error_msg if sign_in.error else ""


def _login_row(sign_in: LoginTarget, destination: "Destination") -> dict[str, Any]:
    store = destination.store(sign_in.login_server) if sign_in.login_server and not sign_in.error else None
    found: dict[str, Any] = {
        "loginServer": sign_in.login_server,
        "username": TOKEN_USERNAME,
        "client": destination.client.name if destination.client else None,
        "credentialStore": store.name if store else None,
        "expiresOn": None if sign_in.error else sign_in.token.expires_on if sign_in.token else sign_in.kept_until,
        "result": "failed" if sign_in.error else "kept" if sign_in.kept_until else "signed in",
    }
    if isinstance(sign_in.token, AccessToken):
        found["permissions"] = sign_in.token.granted
    return found

"""The two-token probe: what a registry really does with a token for its own audience, and with one for ARM's.

What the exchange says to a refused ARM-audience token is not published, so texts decide nothing. What decides is the
control: the same identity's ACR-audience token, at the same moment, at the same login server.

=========  ==========  ==========  =========  ==============================================================
status     ACR token   ARM token   in effect  verdict
=========  ==========  ==========  =========  ==============================================================
disabled   accepted    refused     yes        ok
disabled   accepted    accepted    no         failed: a disagreement; right after a write it may pass
enabled    accepted    accepted    no         ok
enabled    accepted    refused     yes        failed: a disagreement; right after a write it may pass
either     accepted    not sent    unknown    ok: it was left out on purpose
either     accepted    unanswered  unknown    failed, may pass
either     refused     accepted    no         failed: the audience is refused, not the identity
either     refused     refused     unknown    failed: no role; only with `enabled` is that sure
either     refused     other       unknown    failed: role or audience, that cannot be told
either     other       not sent    unknown    failed: there is no control
=========  ==========  ==========  =========  ==============================================================

An ARM-audience token opens far more than images. It goes to the login server that ARM itself names for the registry
and nowhere else, after that server's challenge was found to name its own realm, and never without need.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base import clock, hosts
from azext_acrscope.base.polling import Polling
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.base.tokens import EntraToken
from azext_acrscope.hops import errors as hops_errors
from azext_acrscope.hops.exchange import Exchange, read_refresh_token
from azext_acrscope.hops.token_endpoints import PROBE_PURPOSE, LoginServerAnswer, read_error_envelope
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import DISABLED, ENABLED, RegistryResource
from azext_acrscope.verification import errors

ACCEPTED, REFUSED, UNANSWERED, NOT_SENT = "accepted", "refused", "unanswered", "not sent"
YES, NO, UNKNOWN = "yes", "no", "unknown"
OK, WARNING, FAILED = "ok", "warning", "failed"

# Seconds between two probes that wait for a change to take effect.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 3.0, 15.0
# A refusal of the ARM-audience token is documented as 401. With the control accepted a moment before, neither the
# network nor the form of the request can be the reason, so these count, too.
_REFUSAL_STATUSES_WITH_CONTROL = (400, 401, 403)

TokenSource = Callable[[str, str | None], EntraToken]


@dataclass(frozen=True)
class TokenOutcome:
    """What became of one token. `status` is the answer's, None where there was none; `error` why there is no result."""

    result: str
    status: int | None = None
    code: str = ""
    correlation: str = ""
    error: AzCLIError | None = None

    def row(self) -> dict[str, Any]:
        """Return the members of the result."""
        return {
            "result": self.result,
            "status": self.status,
            "code": self.code or None,
            "correlationId": self.correlation or None,
        }


@dataclass(frozen=True)
class ProbeResult:
    """Both outcomes, and when. `challenge` is why no token was sent at all: the login server's first answer."""

    time: str
    acr: TokenOutcome
    arm: TokenOutcome
    challenge: AzCLIError | None = None

    def row(self) -> dict[str, Any]:
        """Return the members of the result."""
        return {"time": self.time, "acr": self.acr.row(), "arm": self.arm.row()}


@dataclass(frozen=True)
class ProbeFinding:
    """What a probe means beside a status. `may_pass`: looking again in a while may find another answer."""

    in_effect: str
    verdict: str
    seen: str
    actions: tuple[str, ...] = ()
    may_pass: bool = False


@dataclass
class Prober:
    """Probes registries as the account of each one's subscription; tokens are asked for once.

    :ivar first_hop: gives the Entra token for an audience and the account of a subscription, its audience checked.
    :ivar suffix: the cloud's login server suffix.
    """

    first_hop: TokenSource
    acr_audience: str
    arm_audience: str
    suffix: str
    skip_arm: bool = False

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[tuple[str, str], EntraToken | AzCLIError] = {}

    def probe(self, resource: RegistryResource) -> ProbeResult:
        """Make two exchanges at the login server of a registry, as ARM returned it. Failures are in the outcomes.

        :raises InvalidArgumentValueError: what ARM names is no login server of the cloud.
        """
        host = hosts.check_login_server(registry_resource.login_server_of(resource), self.suffix)
        subscription = parse_resource_id(str(resource["id"])).subscription.lower()
        now = clock.utc_now()
        exchange = Exchange(host, self.suffix, PROBE_PURPOSE)
        try:
            exchange.service()
        except AzCLIError as error:
            return ProbeResult(now, TokenOutcome(NOT_SENT, error=error), TokenOutcome(NOT_SENT), error)
        try:
            acr = self._try(exchange, self.acr_audience, subscription, (401,))
            arm = TokenOutcome(NOT_SENT)
            if acr.result in (ACCEPTED, REFUSED) and not self.skip_arm:
                refusals = _REFUSAL_STATUSES_WITH_CONTROL if acr.result == ACCEPTED else (401,)
                arm = self._try(exchange, self.arm_audience, subscription, refusals)
            return ProbeResult(now, acr, arm)
        finally:
            exchange.server.close()

    def _try(self, exchange: Exchange, audience: str, subscription: str, refusals: tuple[int, ...]) -> TokenOutcome:
        answer: LoginServerAnswer | None = None
        try:
            token = self._token(audience, subscription)
            answer = exchange.ask(token)
            read_refresh_token(answer, exchange.server.host, self.suffix, token)  # what it gives is thrown away
            result, why = ACCEPTED, None
        except AzCLIError as error:
            refused = answer is not None and answer.status in refusals
            result, why = (REFUSED, None) if refused else (UNANSWERED, error)
        if answer is None:
            return TokenOutcome(result, error=why)
        code, _, correlation = read_error_envelope(answer)
        return TokenOutcome(result, answer.status, "" if result == ACCEPTED else code, correlation, why)

    def _token(self, audience: str, subscription: str) -> EntraToken:
        """Asked for once, a refusal too: Entra ID is not asked again for each registry."""
        with self._lock:
            key = (audience, subscription)
            if key not in self._tokens:
                try:
                    self._tokens[key] = self.first_hop(audience, subscription)
                except AzCLIError as error:
                    self._tokens[key] = error
            found = self._tokens[key]
        if isinstance(found, AzCLIError):
            raise found
        return found


def judge_probe(status: str, probe: ProbeResult, registry_id: str) -> ProbeFinding:
    """Return what the outcomes mean beside the status that ARM holds: the table above."""
    acr, arm = probe.acr, probe.arm
    if acr.result == ACCEPTED:
        return _judge_arm_outcome(status, arm)
    if acr.result != REFUSED:
        return _unanswered_finding("an ACR-audience", acr, may_pass=hops_errors.is_passing(acr.error))
    if arm.result == ACCEPTED:
        seen, actions = errors.probe_refuses_acr(status)
        return ProbeFinding(NO, FAILED, seen, (actions,))
    if arm.result == REFUSED:
        seen, actions = errors.probe_refuses_both(status, registry_id)
    else:
        seen, actions = errors.probe_refuses_without_control(registry_id)
    return ProbeFinding(UNKNOWN, FAILED, seen, (actions,))


def _judge_arm_outcome(status: str, arm: TokenOutcome) -> ProbeFinding:
    """The rows of the table with an accepted ACR-audience token."""
    if arm.result == NOT_SENT:
        return ProbeFinding(UNKNOWN, OK, errors.probe_skipped())
    if arm.result == UNANSWERED:
        return _unanswered_finding("an ARM-audience", arm, may_pass=hops_errors.is_passing(arm.error))
    accepted = arm.result == ACCEPTED
    in_effect = NO if accepted else YES
    if status == (ENABLED if accepted else DISABLED):
        return ProbeFinding(in_effect, OK, errors.probe_agrees(status, accepted))
    seen, actions = errors.probe_disagrees(status, accepted)
    return ProbeFinding(in_effect, FAILED, seen, (actions,), may_pass=True)


def _unanswered_finding(audience: str, outcome: TokenOutcome, may_pass: bool) -> ProbeFinding:
    why = outcome.error.error_msg if outcome.error else "there was no answer."
    advice = tuple(outcome.error.recommendations) if outcome.error else ()
    seen = why if outcome.result == NOT_SENT else errors.probe_unanswered(audience, why)
    return ProbeFinding(UNKNOWN, FAILED, seen, advice, may_pass)


@dataclass(frozen=True)
class Verification:
    """Whether a status was seen in effect, and after how many seconds of looking."""

    finding: ProbeFinding
    seconds: float
    probe: ProbeResult | None

    @property
    def verified(self) -> bool:
        """Return whether the status was seen in effect."""
        return self.finding.verdict == OK

    def row(self) -> dict[str, Any]:
        """Return the members of the result."""
        return {
            "verified": self.verified,
            "enforcedInEffect": self.finding.in_effect,
            "seconds": round(self.seconds, 1),
            "observations": [self.finding.seen],
            "probe": self.probe.row() if self.probe else None,
        }


def wait_until_in_effect(
    prober: Prober, resource: RegistryResource, status: str, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> Verification:
    """Probe until a status is in effect: a change can take a while to reach every part of the service.

    :param status: what was just written.
    :param timeout: seconds after which no further probe is begun; with 0 there is one.
    :return: what was seen last; an error too is a finding, for the status has been written.
    """
    polling = Polling(timeout, sleep, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    while True:
        try:
            seen = prober.probe(resource)
            finding = judge_probe(status, seen, str(resource["id"]))
        except AzCLIError as error:
            return Verification(ProbeFinding(UNKNOWN, FAILED, error.error_msg), polling.elapsed, None)
        except Exception as error:  # pylint: disable=broad-exception-caught  # one surprise never ends a run
            what = errors.unchecked(str(resource["id"]), type(error).__name__)
            return Verification(ProbeFinding(UNKNOWN, FAILED, what.error_msg), polling.elapsed, None)
        passed = polling.elapsed
        if finding.verdict == OK or not finding.may_pass or not polling.wait():
            return Verification(finding, passed, seen)

"""The two-token probe: every cell of its table, which tokens go where, and waiting for a change to take effect."""

from typing import Any

import pytest
from azure.cli.core.azclierror import (
    AuthenticationError,
    AzureConnectionError,
    AzureInternalError,
    AzureResponseError,
    ForbiddenError,
    InvalidArgumentValueError,
)

from azext_acrscope.base.tokens import EntraToken
from azext_acrscope.hops import errors as hops_errors
from azext_acrscope.verification import probe
from azext_acrscope.verification.probe import ACCEPTED, NOT_SENT, REFUSED, UNANSWERED, Prober, ProbeResult, TokenOutcome
from tests.localcloud import LocalCloud, Registry

ACR, ARM = "https://containerregistry.azure.net", "https://management.core.windows.net/"
IO = ".azurecr.io"
ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azext_acrscope.hops.token_endpoints._BoundedRetry.sleep", lambda *_: None)


@pytest.fixture
def registry(cloud: LocalCloud) -> Registry:
    return cloud.world.add_registry("contoso")


class FirstHop:
    """Counts its calls; `principal` is who signs in."""

    def __init__(self, cloud: LocalCloud, principal: Any = None) -> None:
        self._cloud, self._principal = cloud, principal or cloud.default_account()
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, audience: str, subscription: str | None) -> EntraToken:
        self.asked.append((audience, subscription))
        return EntraToken(self._cloud.world.mint(self._principal, audience), self._cloud.world.tenant_id, audience)


def prober(first_hop: Any, **options: Any) -> Prober:
    return Prober(first_hop, ACR, ARM, IO, **options)


def results(found: ProbeResult) -> tuple[str, str]:
    return found.acr.result, found.arm.result


def exchanged(cloud: LocalCloud) -> list[str]:
    """The tokens of all exchanges anywhere, in their order."""
    return [request.form["access_token"] for request in cloud.requests if request.path == "/oauth2/exchange"]


# --- the table ---

BUSY = AzureInternalError("busy")
CELLS = [
    # status, ACR, ARM, in effect, verdict, may pass
    ("disabled", ACCEPTED, REFUSED, "yes", "ok", False),
    ("disabled", ACCEPTED, ACCEPTED, "no", "failed", True),
    ("enabled", ACCEPTED, ACCEPTED, "no", "ok", False),
    ("enabled", ACCEPTED, REFUSED, "yes", "failed", True),
    ("disabled", ACCEPTED, NOT_SENT, "unknown", "ok", False),
    ("enabled", ACCEPTED, NOT_SENT, "unknown", "ok", False),
    ("disabled", ACCEPTED, UNANSWERED, "unknown", "failed", True),
    ("enabled", ACCEPTED, UNANSWERED, "unknown", "failed", True),
    ("disabled", REFUSED, ACCEPTED, "no", "failed", False),
    ("enabled", REFUSED, ACCEPTED, "no", "failed", False),
    ("disabled", REFUSED, REFUSED, "unknown", "failed", False),
    ("enabled", REFUSED, REFUSED, "unknown", "failed", False),
    ("disabled", REFUSED, NOT_SENT, "unknown", "failed", False),
    ("enabled", REFUSED, NOT_SENT, "unknown", "failed", False),
    ("disabled", REFUSED, UNANSWERED, "unknown", "failed", False),
    ("enabled", REFUSED, UNANSWERED, "unknown", "failed", False),
    ("disabled", UNANSWERED, NOT_SENT, "unknown", "failed", True),
    ("enabled", UNANSWERED, NOT_SENT, "unknown", "failed", True),
]


@pytest.mark.parametrize(("status", "acr", "arm", "in_effect", "verdict", "may_pass"), CELLS)
def test_each_cell_of_the_table(status: str, acr: str, arm: str, in_effect: str, verdict: str, may_pass: bool) -> None:
    errors = {UNANSWERED: BUSY}
    seen = ProbeResult("", TokenOutcome(acr, error=errors.get(acr)), TokenOutcome(arm, error=errors.get(arm)))
    finding = probe.judge_probe(status, seen, ID)
    assert (finding.in_effect, finding.verdict, finding.may_pass) == (in_effect, verdict, may_pass)
    assert finding.seen
    if verdict == "failed" and UNANSWERED not in (acr, arm):
        assert finding.actions


def test_a_missing_role_and_a_refused_audience_are_told_apart() -> None:
    both = probe.judge_probe("enabled", ProbeResult("", TokenOutcome(REFUSED), TokenOutcome(REFUSED)), ID)
    audience = probe.judge_probe("enabled", ProbeResult("", TokenOutcome(REFUSED), TokenOutcome(ACCEPTED)), ID)
    assert "no role" in both.seen
    assert ID in both.actions[0]
    assert "So the audience is refused" in audience.seen
    assert "Do not enforce" in audience.actions[0]


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (AzureConnectionError("x"), True),
        (AzureInternalError("x"), True),
        (hops_errors.UntrustedCertificateError("x"), False),
        (ForbiddenError("x"), False),
        (AzureResponseError("x"), False),
        (AuthenticationError("x"), False),
    ],
)
def test_what_may_be_over_in_a_while(error: Any, may_pass: bool) -> None:
    seen = ProbeResult("", TokenOutcome(NOT_SENT, error=error), TokenOutcome(NOT_SENT), error)
    finding = probe.judge_probe("disabled", seen, ID)
    assert (finding.in_effect, finding.verdict, finding.may_pass) == ("unknown", "failed", may_pass)
    assert "x" in finding.seen


# --- the probe ---


def test_both_tokens_go_to_that_login_server_the_narrow_one_first(cloud: LocalCloud, registry: Registry) -> None:
    first_hop = FirstHop(cloud)
    found = prober(first_hop).probe(registry.body)
    assert results(found) == (ACCEPTED, ACCEPTED)
    assert [audience for audience, _ in first_hop.asked] == [ACR, ARM]
    assert [(request.method, request.host, request.path) for request in cloud.requests] == [
        ("GET", registry.login_server, "/v2/"),
        ("POST", registry.login_server, "/oauth2/exchange"),
        ("POST", registry.login_server, "/oauth2/exchange"),
    ]
    assert found.acr.status == found.arm.status == 200
    assert found.acr.correlation
    assert found.arm.correlation != found.acr.correlation


def test_an_enforced_registry_refuses_one_and_says_its_correlation_id(cloud: LocalCloud, registry: Registry) -> None:
    registry.policy_status = "disabled"
    found = prober(FirstHop(cloud)).probe(registry.body)
    assert results(found) == (ACCEPTED, REFUSED)
    assert (found.arm.status, found.arm.code) == (401, "UNAUTHORIZED")
    assert found.arm.correlation


def test_an_identity_without_a_role_is_refused_twice(cloud: LocalCloud, registry: Registry) -> None:
    stranger = cloud.world.add_service_principal("stranger")
    assert results(prober(FirstHop(cloud, stranger)).probe(registry.body)) == (REFUSED, REFUSED)


def test_without_arm_no_such_token_is_even_asked_for(cloud: LocalCloud, registry: Registry) -> None:
    first_hop = FirstHop(cloud)
    assert results(prober(first_hop, skip_arm=True).probe(registry.body)) == (ACCEPTED, NOT_SENT)
    assert [audience for audience, _ in first_hop.asked] == [ACR]
    assert len(exchanged(cloud)) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_with_the_control_accepted_any_refusal_is_one_whatever_its_text(
    cloud: LocalCloud, registry: Registry, status: int
) -> None:
    cloud.faults.add(path="/oauth2/exchange", status=status, body="never seen before", after=1)
    assert results(prober(FirstHop(cloud)).probe(registry.body)) == (ACCEPTED, REFUSED)


@pytest.mark.parametrize("status", [404, 413])
def test_what_is_no_refusal_leaves_it_unknown(cloud: LocalCloud, registry: Registry, status: int) -> None:
    cloud.faults.add(path="/oauth2/exchange", status=status, after=1)
    found = prober(FirstHop(cloud)).probe(registry.body)
    assert results(found) == (ACCEPTED, UNANSWERED)
    assert (found.arm.status, found.arm.error is None) == (status, False)


@pytest.mark.parametrize("status", [403, 404, 413, 429, 500])
def test_without_a_control_no_wide_token_is_sent(cloud: LocalCloud, registry: Registry, status: int) -> None:
    first_hop = FirstHop(cloud)
    cloud.faults.add(path="/oauth2/exchange", status=status, times=None)
    assert results(prober(first_hop).probe(registry.body)) == (UNANSWERED, NOT_SENT)
    assert [audience for audience, _ in first_hop.asked] == [ACR]
    assert len(exchanged(cloud)) == (4 if status in (429, 500) else 1), "bounded retries"


def test_a_foreign_realm_gets_no_token(cloud: LocalCloud, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    registry.challenge_realm = "https://evil.example/oauth2/token"
    first_hop = FirstHop(cloud)
    found = prober(first_hop).probe(registry.body)
    assert results(found) == (NOT_SENT, NOT_SENT)
    assert found.challenge is not None
    assert (first_hop.asked, evil.requests, exchanged(cloud)) == ([], [], [])


@pytest.mark.parametrize(
    "named", ["evil.example", "contoso.westeurope.data.azurecr.io", "contoso.azurecr.io@evil.example", ""]
)
def test_what_arm_names_must_be_a_login_server(cloud: LocalCloud, named: str) -> None:
    first_hop = FirstHop(cloud)
    with pytest.raises(InvalidArgumentValueError):
        prober(first_hop).probe({"id": ID, "properties": {"loginServer": named}})
    assert (first_hop.asked, cloud.requests) == ([], [])


def test_a_refusal_of_entra_is_no_answer_and_is_asked_for_once(cloud: LocalCloud, registry: Registry) -> None:
    real = FirstHop(cloud)
    asked = []

    def first_hop(audience: str, subscription: str | None) -> EntraToken:
        asked.append(audience)
        if audience == ARM:
            raise AuthenticationError("Conditional Access")
        return real(audience, subscription)

    both = prober(first_hop)
    for each in (registry, cloud.world.add_registry("fabrikam")):
        found = both.probe(each.body)
        assert results(found) == (ACCEPTED, UNANSWERED)
        assert probe.judge_probe("disabled", found, ID).in_effect == "unknown"
    assert asked == [ACR, ARM]


# --- verifying ---


def waits() -> tuple[list[float], Any]:
    waited: list[float] = []
    return waited, waited.append


def test_a_status_in_effect_is_verified_at_once(cloud: LocalCloud, registry: Registry) -> None:
    registry.policy_status = "disabled"
    waited, sleep = waits()
    seen = probe.wait_until_in_effect(prober(FirstHop(cloud)), registry.body, "disabled", 60, sleep)
    assert (seen.verified, waited, len(exchanged(cloud))) == (True, [], 2)


@pytest.mark.parametrize("status", ["disabled", "enabled"])
def test_a_change_that_takes_its_time_is_waited_for(cloud: LocalCloud, registry: Registry, status: Any) -> None:
    registry.policy_status = status
    registry.ignore_policy, registry.refuse_all_arm = status == "disabled", status == "enabled"
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            registry.ignore_policy = registry.refuse_all_arm = False

    seen = probe.wait_until_in_effect(prober(FirstHop(cloud)), registry.body, status, 600, sleep)
    assert seen.verified
    assert waited == [probe.FIRST_PAUSE_SECONDS, 2 * probe.FIRST_PAUSE_SECONDS]
    assert len(exchanged(cloud)) == 6


def test_a_change_that_never_takes_effect_ends_in_bounded_time(cloud: LocalCloud, registry: Registry) -> None:
    registry.policy_status, registry.ignore_policy = "disabled", True
    waited, sleep = waits()
    seen = probe.wait_until_in_effect(prober(FirstHop(cloud)), registry.body, "disabled", 0, sleep)
    assert (seen.verified, seen.finding.in_effect, waited) == (False, "no", [])
    assert len(exchanged(cloud)) == 2


def test_what_no_waiting_mends_is_not_waited_for(cloud: LocalCloud, registry: Registry) -> None:
    registry.firewall = "203.0.113.7"
    waited, sleep = waits()
    seen = probe.wait_until_in_effect(prober(FirstHop(cloud)), registry.body, "disabled", 60, sleep)
    assert (seen.verified, waited) == (False, [])
    assert "203.0.113.7" in seen.finding.seen


def test_a_surprise_is_a_finding_for_the_status_is_written(cloud: LocalCloud, registry: Registry) -> None:
    def first_hop(audience: str, subscription: str | None) -> EntraToken:
        raise ZeroDivisionError

    for odd in (prober(first_hop), Prober(FirstHop(cloud), ACR, ARM, ".azurecr.cn")):
        seen = probe.wait_until_in_effect(odd, registry.body, "disabled", 60, lambda _: None)
        assert (seen.verified, seen.finding.in_effect) == (False, "unknown")
        assert seen.row()["probe"] is None


def test_no_row_and_no_repr_holds_a_token(cloud: LocalCloud, registry: Registry) -> None:
    both = prober(FirstHop(cloud))
    seen = probe.wait_until_in_effect(both, registry.body, "enabled", 0)
    shown = f"{both!r} {seen!r} {seen.row()}"
    assert not [secret for secret in cloud.secrets if len(secret) >= 8 and secret in shown]

"""Queries wait for what Resource Graph says of a user's quota, whichever thread was told."""

from collections.abc import Callable

import pytest

from azext_acrscope.arm.graph_quota import GraphQuota, quota_of_user, seconds_to_reset


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.meanwhile()


def told(left: object, reset: str = "00:00:05") -> dict[str, str]:
    return {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": reset}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quota(clock: Clock) -> GraphQuota:
    return GraphQuota(lambda: clock.now, clock.sleep)


def test_nobody_waits_while_nothing_is_known(quota: GraphQuota, clock: Clock) -> None:
    for _ in range(15):
        quota.admit()
    assert clock.slept == []


def test_a_spent_quota_is_waited_for(quota: GraphQuota, clock: Clock) -> None:
    quota.answered(quota.admit(), told(0, "00:00:03"))
    quota.admit()
    assert clock.slept == [3.0]


@pytest.mark.parametrize(("reset", "told_of"), [("00:00:05", []), ("00:00:30", ["Going on in 30 s."])])
def test_a_long_wait_is_said(
    quota: GraphQuota, reset: str, told_of: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    quota.answered(quota.admit(), told(0, reset))
    quota.admit()
    assert [each.getMessage().partition("account. ")[2] for each in caplog.records] == told_of


def test_a_long_wait_of_several_threads_is_said_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    def sleep(seconds: float) -> None:
        if not clock.slept:
            clock.slept.append(seconds)
            shared.answered(shared.admit())  # by another thread, meanwhile
        clock.now += seconds

    shared = GraphQuota(lambda: clock.now, sleep)
    shared.answered(shared.admit(), told(0, "00:00:30"))
    shared.admit()
    assert len(caplog.records) == 1


def test_a_long_wait_is_said_while_a_slow_query_is_under_way(
    quota: GraphQuota, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    quota.admit()
    quota.answered(quota.admit(), told(0, "00:00:30"))
    quota.admit()
    assert (len(caplog.records), set(clock.slept)) == (1, {0.25})


def test_an_account_has_one_quota_over_all_its_connections() -> None:
    assert quota_of_user("tenant", "user") is quota_of_user("tenant", "user")
    assert quota_of_user("tenant", "user") is not quota_of_user("tenant", "other")


def test_a_window_ends_when_its_first_answer_said(quota: GraphQuota, clock: Clock) -> None:
    for left in (1, 0):
        quota.answered(quota.admit(), told(left))
        clock.now += 2
    last = quota.admit()
    assert (clock.slept, clock.now) == ([1.0], 5.0)
    quota.answered(last, told(0))
    quota.admit()
    assert clock.now == 10.0


def test_as_many_queries_are_sent_as_are_left(quota: GraphQuota, clock: Clock) -> None:
    quota.answered(quota.admit(), told(2))
    for _ in range(2):
        quota.answered(quota.admit())
    assert clock.slept == []
    quota.admit()
    assert clock.now == 5.0


def test_queries_under_way_may_have_been_counted_or_not(quota: GraphQuota, clock: Clock) -> None:
    sent = [quota.admit() for _ in range(3)]
    quota.answered(sent[0], told(2))
    answers = [lambda: None, lambda: quota.answered(sent[1], told(3))]
    clock.meanwhile = lambda: answers.pop(0)()
    quota.admit()
    assert clock.slept == [0.25, 0.25]  # until an answer tells of one more than are under way


def test_an_answer_that_was_overtaken_does_not_tell_of_more(quota: GraphQuota, clock: Clock) -> None:
    sent = [quota.admit() for _ in range(7)]
    for before, left in zip(sent, (6, 5, 4, 3, 2, 1, 7), strict=True):
        quota.answered(before, told(left))
    quota.answered(quota.admit(), told(0))
    assert clock.slept == []
    quota.admit()
    assert clock.slept == [5.0]


def test_more_than_a_window_holds_are_never_under_way(quota: GraphQuota, clock: Clock) -> None:
    sent = [quota.admit() for _ in range(15)]
    clock.meanwhile = lambda: quota.answered(sent[0])
    quota.admit()
    assert clock.slept == [0.25]


def test_a_query_without_an_answer_is_no_longer_under_way(quota: GraphQuota, clock: Clock) -> None:
    for _ in range(40):
        quota.answered(quota.admit())
    assert clock.slept == []


@pytest.mark.parametrize("left", ["", "none", "-1", "²", "1e3", 9_999_999, None])
def test_what_is_no_number_of_queries_slows_nobody(quota: GraphQuota, clock: Clock, left: object) -> None:
    quota.answered(quota.admit(), told(left))
    quota.admit()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("00:00:03", 3.0), ("00:01:00", 60.0), ("23:59:59", 60.0), ("soon", 5.0), ("::", 5.0), (None, 5.0)],
)
def test_a_window_ends_whatever_the_header_says(said: str | None, seconds: float) -> None:
    assert seconds_to_reset(said) == seconds

"""Queries wait for what Resource Graph says of a user's quota, whichever thread was told."""

import pytest

from azext_acrscope.arm.graph_quota import GraphQuota, seconds_to_reset


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.meanwhile = lambda: None

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
    quota.admit()
    quota.answered(told(0, "00:00:03"))
    quota.admit()
    assert clock.slept == [3.0]


def test_a_window_ends_when_its_first_answer_said(quota: GraphQuota, clock: Clock) -> None:
    for left in (1, 0):
        quota.admit()
        quota.answered(told(left))
        clock.now += 2
    quota.admit()
    assert (clock.slept, clock.now) == ([1.0], 5.0)
    quota.answered(told(0))
    quota.admit()
    assert clock.now == 10.0


def test_as_many_queries_are_sent_as_are_left(quota: GraphQuota, clock: Clock) -> None:
    quota.admit()
    quota.answered(told(2))
    quota.admit()
    quota.admit()
    assert clock.slept == []
    clock.meanwhile = lambda: quota.answered() if clock.now == 0.5 else None
    quota.admit()
    assert clock.now == 5.0


def test_queries_under_way_may_have_been_counted_or_not(quota: GraphQuota, clock: Clock) -> None:
    for _ in range(3):
        quota.admit()
    quota.answered(told(2))
    clock.meanwhile = lambda: quota.answered(told(1))
    quota.admit()
    assert clock.slept == [0.25, 0.25]  # until the answer to the last of them tells of one more


def test_more_than_a_window_holds_are_never_under_way(quota: GraphQuota, clock: Clock) -> None:
    for _ in range(15):
        quota.admit()
    clock.meanwhile = quota.answered
    quota.admit()
    assert clock.slept == [0.25]


def test_a_query_without_an_answer_is_no_longer_under_way(quota: GraphQuota, clock: Clock) -> None:
    for _ in range(40):
        quota.admit()
        quota.answered()
    assert clock.slept == []


@pytest.mark.parametrize("left", ["", "none", "-1", "²", "1e3", 9_999_999, None])
def test_what_is_no_number_of_queries_slows_nobody(quota: GraphQuota, clock: Clock, left: object) -> None:
    quota.admit()
    quota.answered(told(left))
    quota.admit()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("00:00:03", 3.0), ("00:01:00", 60.0), ("23:59:59", 60.0), ("soon", 5.0), ("::", 5.0), (None, 5.0)],
)
def test_a_window_ends_whatever_the_header_says(said: str | None, seconds: float) -> None:
    assert seconds_to_reset(said) == seconds

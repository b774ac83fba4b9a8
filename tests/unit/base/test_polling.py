"""Polling: pauses double up to a longest one, the service may ask for others, and the time is kept."""

import time

import pytest

from azext_acrscope.base.polling import Polling


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.slept = 1000.0, list[float]()
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_pauses_double_and_the_last_one_ends_with_the_time(clock: Clock) -> None:
    polling = Polling(40, clock.sleep, first=1, longest=10)
    while polling.wait():
        assert polling.pauses == len(clock.slept)
    assert clock.slept == [1, 2, 4, 8, 10, 10, 5]
    assert polling.elapsed == 40
    assert polling.is_over


def test_a_pause_that_the_service_asks_for_is_kept_even_beyond_the_longest(clock: Clock) -> None:
    polling = Polling(100, clock.sleep, first=1, longest=10)
    for asked in (0, 30, 0, 3, 0):
        assert polling.wait(asked)
    assert clock.slept == [1, 30, 10, 3, 6]


def test_a_pause_that_the_service_asks_for_does_not_outlast_the_time(clock: Clock) -> None:
    polling = Polling(5, clock.sleep)
    assert polling.wait(60)
    assert clock.slept == [5]


def test_without_any_time_there_is_no_pause(clock: Clock) -> None:
    polling = Polling(0, clock.sleep)
    assert polling.is_over
    assert not polling.wait(3)
    assert (clock.slept, polling.pauses) == ([], 0)


def test_what_passes_outside_of_pauses_counts(clock: Clock) -> None:
    polling = Polling(10, clock.sleep)
    clock.now += 9.5
    assert not polling.is_over
    assert polling.wait()
    assert clock.slept == [0.5]
    assert not polling.wait()

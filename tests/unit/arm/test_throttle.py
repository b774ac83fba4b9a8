"""One view of a subscription's limits: when the next request may be sent."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from azext_acrscope.arm.throttle import WRITES_PER_SECOND, Throttle, count_left

Tell = Callable[[float, random.Random], int | None]  # what ARM tells is left, by what is left
WRITERS = 32


@dataclass
class Measured:
    """What a fleet's writes took of a bucket: `share` of the seconds that the bucket alone needs."""

    seconds: float
    share: float
    refused: int


def truth(level: float, _random: random.Random) -> int:
    return int(level)


def nothing(_level: float, _random: random.Random) -> None:
    return None


def simulate(
    wanted: int,
    bucket: float,
    refill: float,
    tell: Tell = truth,
    round_trip: tuple[float, float] = (0.05, 0.4),
    shared: float = 0.0,
) -> Measured:
    """Send writes against a token bucket with Retry-After in whole seconds, on a clock of its own: nothing sleeps.

    :param round_trip: the shortest and the longest, in seconds; half of it is the way there.
    :param shared: writes a second that somebody else sends as the same principal.
    """
    throttle, chance = Throttle(WRITES_PER_SECOND), random.Random(7)
    level, filled, now = bucket, 0.0, 0.0
    under_way: list[tuple[float, str, int, int, int | None]] = []  # when, where, answered before, wait, left
    waiting: list[float] = []  # refused ones, by when they may come again
    todo, taken, refused, last = wanted, 0, 0, 0.0
    while taken < wanted:
        wake = now
        while len(under_way) < WRITERS and (todo or (waiting and waiting[0] <= now)):
            if pause := throttle.admit(now):
                wake = now + pause + chance.uniform(0.0, 0.003)
                break
            if waiting and waiting[0] <= now:
                heapq.heappop(waiting)
            else:
                todo -= 1
            arrives = now + chance.uniform(*round_trip) / 2
            heapq.heappush(under_way, (arrives, "arrives", throttle.answered, 0, None))
        soonest = [under_way[0][0]] if under_way else []
        soonest += [wake] if wake > now and len(under_way) < WRITERS else []
        soonest += [max(now, waiting[0])] if waiting and len(under_way) < WRITERS and waiting[0] > now else []
        now = min(soonest)
        if not under_way or under_way[0][0] > now:
            continue
        _, event, before, wait, left = heapq.heappop(under_way)
        if event == "arrives":
            level, filled = min(bucket, level + (now - filled) * (refill - shared)), now
            back = now + chance.uniform(*round_trip) / 2
            if level >= 1:
                level, last = level - 1, now
                heapq.heappush(under_way, (back, "answered", before, 0, tell(level, chance)))
            else:
                refused += 1
                wait = max(1, math.ceil((1 - level) / refill))
                heapq.heappush(under_way, (back, "answered", before, wait, 0))
        elif wait:
            throttle.refused(now, float(wait))
            heapq.heappush(waiting, now + wait)
        else:
            throttle.taken(now, left, before)
            taken += 1
    return Measured(last, last * (refill - shared) / max(1.0, wanted - bucket), refused)


def test_nothing_waits_before_a_refusal() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    assert [throttle.admit(0.0) for _ in range(1000)] == [0.0] * 1000


def test_after_a_refusal_all_wait_as_long_as_asked() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    throttle.refused(100.0, 7.0)
    assert throttle.admit(100.0) == 7.0
    assert throttle.admit(106.9) > 0
    assert throttle.admit(107.0) == 0


def test_then_they_go_on_at_the_pace_of_the_refill() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    throttle.refused(0.0, 1.0)
    sent = sum(not throttle.admit(1.0 + tick / 100) for tick in range(1000))
    assert 95 <= sent <= 105


def test_a_refusal_without_a_time_still_pauses() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    throttle.refused(0.0, 0.0)
    assert throttle.admit(0.0) == 1.0


@pytest.mark.parametrize("round_trip", [(0.01, 0.02), (0.04, 0.05), (0.05, 0.4), (0.1, 1.0)])
def test_a_fleet_paced_by_what_arm_tells_is_refused_nothing_and_loses_no_time(round_trip: tuple[float, float]) -> None:
    told = simulate(1000, bucket=200, refill=10, round_trip=round_trip)
    untold = simulate(1000, bucket=200, refill=10, tell=nothing, round_trip=round_trip)
    assert told.refused * 200 <= 1000
    assert told.share <= 1.02
    assert untold.refused > 20, "else there is nothing to gain"


@pytest.mark.parametrize(("bucket", "refill"), [(100.0, 10.0), (200.0, 5.0), (250.0, 25.0), (800.0, 40.0)])
def test_other_buckets_than_the_published_one_refuse_few(bucket: float, refill: float) -> None:
    told, untold = (simulate(1500, bucket, refill, tell) for tell in (truth, nothing))
    assert told.refused * 100 <= 1500
    assert told.share <= min(1.05, untold.share + 0.01)


def test_a_bucket_that_others_draw_from_as_well_refuses_few() -> None:
    told, untold = (simulate(600, 200, 10, tell, shared=4.0) for tell in (truth, nothing))
    assert told.refused < untold.refused / 3
    assert told.share <= 1.05


def test_an_hourly_count_without_a_refill_is_no_worse_than_none() -> None:
    told, untold = (simulate(1250, 1200, 1200 / 3600, tell) for tell in (truth, nothing))
    assert told.refused <= untold.refused
    assert told.share <= 1.1 * untold.share


WRONG: dict[str, Tell] = {
    "always none left": lambda _level, _random: 0,
    "always all left": lambda _level, _random: 200,
    "very many left": lambda _level, _random: 1_000_000,
    "any number": lambda _level, chance: chance.randrange(300),
    "another instance each time": lambda level, chance: int(level) + chance.choice([0, 50, 400]),
    "told now and then": lambda level, chance: int(level) if chance.random() < 0.5 else None,
}


@pytest.mark.parametrize("tell", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(("bucket", "refill"), [(200.0, 10.0), (20.0, 3.0)])
def test_a_wrong_number_neither_stops_a_run_nor_speeds_it_up(tell: Tell, bucket: float, refill: float) -> None:
    told, untold = (simulate(400, bucket, refill, each) for each in (tell, nothing))
    assert told.seconds >= 0.95 * untold.seconds
    assert told.refused <= 1.3 * untold.refused + 10
    assert told.seconds <= max(400 / (WRITES_PER_SECOND / 3), 1.3 * untold.seconds) + 5


def test_a_run_that_is_told_nothing_sends_as_if_nothing_were_known() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    throttle.admit(0.0)
    throttle.taken(0.1, 0, 0)
    assert throttle.admit(0.1) > 0
    throttle.taken(0.2, None, 0)
    assert [throttle.admit(0.2) for _ in range(500)] == [0.0] * 500


def test_requests_without_an_answer_do_not_count_as_under_way() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    for _ in range(50):
        assert throttle.admit(0.0) == 0
        throttle.failed()
    before = throttle.answered
    assert throttle.admit(0.0) == 0
    throttle.taken(0.1, 40, before)
    assert [throttle.admit(0.1) for _ in range(30)] == [0.0] * 30


def test_how_long_nothing_was_taken_is_known() -> None:
    throttle = Throttle(WRITES_PER_SECOND)
    assert throttle.refused_for(5.0) == 0
    throttle.refused(10.0, 1.0)
    throttle.refused(20.0, 1.0)
    assert throttle.refused_for(30.0) == 20
    throttle.taken(31.0)
    assert throttle.refused_for(40.0) == 0


REMAINING = "x-ms-ratelimit-remaining-subscription-"


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, None),
        ({"writes": "199"}, 199),
        ({"writes": "0"}, 0),
        ({"writes": " 7 "}, 7),
        ({"writes": "800", "global-writes": "12000"}, 800),
        ({"writes": "800", "global-writes": "3"}, 3),
        ({"resource-requests": "42"}, 42),
        ({"deletes": "5"}, None),
        ({"writes": "-1"}, None),
        ({"writes": "many"}, None),
        ({"writes": "1.5"}, None),
        ({"writes": "\u0663"}, None),
        ({"writes": "1e3"}, None),
        ({"writes": ""}, None),
        ({"writes": "1, 2"}, None),
        ({"writes": "9" * 5000}, None),
        ({"writes": "1000001"}, None),
        ({"writes": "-1", "global-writes": "9"}, 9),
    ],
)
def test_what_arm_tells_is_left(headers: dict[str, str], left: int | None) -> None:
    told = {REMAINING + name: value for name, value in headers.items()}
    assert count_left(told, "writes") == left
    assert count_left({name.replace("writes", "reads"): value for name, value in told.items()}, "reads") == left
    assert count_left(told, "reads") == (left if "resource-requests" in headers else None)

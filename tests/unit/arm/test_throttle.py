"""One view of a subscription's limits: when the next request may be sent."""

from azext_acrscope.arm.throttle import WRITES_PER_SECOND, Throttle


def simulate(bucket: int, refill: float, wanted: int, writers: int = 32) -> tuple[float, int]:
    """Send `wanted` requests against a token bucket with Retry-After in whole seconds, several at a time.

    Returns the seconds it took and how many were refused.
    """
    throttle, now, tokens, filled, sent, refused = Throttle(WRITES_PER_SECOND), 0.0, float(bucket), 0.0, 0, 0
    while sent < wanted:
        for _ in range(writers):  # those under way together
            if sent >= wanted or throttle.admit(now):
                break
            tokens = min(bucket, tokens + (now - filled) * refill)
            filled = now
            if tokens >= 1:
                tokens -= 1
                sent += 1
                throttle.taken()
            else:
                refused += 1
                throttle.refused(now, 1.0)
        now += 0.05
    return now, refused


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


def test_the_published_bucket_is_used_to_within_a_sixth_of_its_best_time() -> None:
    seconds, refused = simulate(bucket=200, refill=10, wanted=1000)
    assert seconds <= 1.15 * 80
    assert refused < 50


def test_a_smaller_bucket_than_published_is_found_out() -> None:
    seconds, refused = simulate(bucket=20, refill=3, wanted=200)
    assert seconds <= 1.5 * 60
    assert refused < 100


def test_a_larger_bucket_than_published_costs_nothing_at_first() -> None:
    seconds, refused = simulate(bucket=800, refill=50, wanted=800)
    assert refused == 0
    assert seconds < 3

"""Moments as text: always UTC, whatever the machine's zone."""

import time
from datetime import datetime, timedelta, timezone

import pytest

from azext_acrscope.base import clock


def test_a_moment_of_another_zone_is_told_in_utc() -> None:
    moment = datetime(2026, 9, 10, 11, 46, 57, 999999, timezone(timedelta(hours=2)))
    assert clock.utc_text(moment) == "2026-09-10T09:46:57Z"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows takes no zone from the environment")
def test_this_moment_is_told_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")  # 14 hours ahead
    time.tzset()
    try:
        told = datetime.strptime(clock.utc_now(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert abs((datetime.now(timezone.utc) - told).total_seconds()) < 60


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-25T10:00:00Z", "2026-11-25 10:00:00+00:00"),
        ("2026-11-25T10:00:00.1Z", "2026-11-25 10:00:00.100000+00:00"),
        ("2026-11-25T10:00:00.1234567Z", "2026-11-25 10:00:00.123456+00:00"),
        ("2026-11-25T10:00:00.1234567+02:00", "2026-11-25 10:00:00.123456+02:00"),
    ],
)
def test_a_moment_has_as_many_digits_as_a_service_writes(text: str, said: str) -> None:
    assert str(clock.parse_moment(text)) == said


@pytest.mark.parametrize(
    "value",
    [None, 0, "", "never", "2026-11-25", "2026-11-25T10:00:00", "2026-13-25T10:00:00Z", "2026-11-25T10:00:00Zx"],
)
def test_what_is_no_moment_is_none(value: object) -> None:
    assert clock.parse_moment(value) is None

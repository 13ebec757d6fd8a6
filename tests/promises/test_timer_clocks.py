"""R13 for timers: right to the second when clocks change and when the host's clock is set anew.

A person works for some minutes while a page beats. What the timer gives is held against the seconds
that passed, each of them dated by the zone's own wall clock.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from promised import Promised

from rpm import timing
from rpm.actions.entry_parts import parts_of
from rpm.timing import Timing

ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
)
NIGHTS = (date(2026, 3, 8), date(2026, 11, 1), date(2026, 1, 1), date(2026, 3, 1))
"""Clocks go forward, back, and stay, at the turn of a year and of a short month."""
BEAT_SECONDS = 15
IDLE_SECONDS = 600


def night(zone_name: str, day: date, draw: Random) -> datetime:
    """Some instant between ten in the evening before a day and three in its morning."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone_name)).astimezone(UTC)
    return midnight + timedelta(seconds=draw.randrange(-7_200, 10_800))


def worked(draw: Random, start: datetime, seconds: int, step: timedelta | None) -> Timing:
    """A timer of so many seconds of work; the host's clock makes a step at some moment of it."""
    one, off, last_beat = timing.started(start, IDLE_SECONDS), timedelta(0), None
    stepped_at = draw.randrange(BEAT_SECONDS + 1, seconds - BEAT_SECONDS) if step else None
    phase = draw.randrange(1, BEAT_SECONDS)
    for second in range(1, seconds + 1):
        if second == stepped_at and step is not None:
            off = step
        now = start + timedelta(seconds=second) + off
        if draw.random() < 0.02:
            one = timing.settled(one, now)  # a job or another page looks
        if second % BEAT_SECONDS == phase:
            elapsed = None if last_beat is None else second - last_beat
            one, last_beat = timing.heard(one, now, now, elapsed), second
    return timing.paused(one, start + timedelta(seconds=seconds) + off)


@pytest.mark.promise("R13")
def test_a_timer_is_right_in_nights_of_any_length(promised: Promised) -> None:
    """Seconds and days of a timer are those of the wall clock, second by second."""
    cases = promised.count(2_000, 60)
    for seed in range(cases):
        draw = Random(seed)
        zone_name, day = ZONES[seed % len(ZONES)], NIGHTS[seed // len(ZONES) % len(NIGHTS)]
        start, seconds = night(zone_name, day, draw), draw.randrange(60, 5_400)
        [span] = worked(draw, start, seconds, None).spans
        found = Counter(
            {
                part.local_day: part.duration_seconds
                for part in parts_of(uuid4(), span.begin, span.seconds, zone_name)
            }
        )
        zone = ZoneInfo(zone_name)
        passed = Counter(
            (start + timedelta(seconds=second)).astimezone(zone).date() for second in range(seconds)
        )
        assert found == passed, f"seed {seed}"
    promised.reached(f"{cases:,} timers in nights when clocks change or not: 0 seconds differ")


@pytest.mark.promise("R13")
def test_a_timer_is_right_when_the_host_is_a_day_off(promised: Promised) -> None:
    """While a page beats, a step of the host's clock by a day either way changes no length."""
    cases = promised.count(2_000, 60)
    worst = 0
    for seed in range(cases):
        draw = Random(seed)
        start, seconds = night(ZONES[0], NIGHTS[0], draw), draw.randrange(120, 3_600)
        step = timedelta(days=1) * draw.choice((1, -1))
        one = worked(draw, start, seconds, step)
        worst = max(worst, abs(sum(span.seconds for span in one.spans) - seconds))
        assert worst <= 1, f"seed {seed}"
    promised.reached(f"{cases:,} timers across a step of 24 h: at most {worst} s off")

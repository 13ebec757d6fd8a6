"""Clocks and local days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from rpm.clock import DemoClock, SystemClock, clock_for, local_day, local_parts, mark_as_demo
from rpm.errors import Conflict, InvalidRequest, NotAllowed

START = datetime(2025, 11, 1, 9, tzinfo=UTC)


def test_the_system_clock_is_aware_and_utc() -> None:
    """The machine's time carries its zone, which is UTC."""
    assert SystemClock().now().tzinfo is UTC


def test_a_plain_database_runs_on_the_machines_clock(engine: Engine) -> None:
    """A database that is no demo has the machine's clock, and its clock cannot be moved."""
    assert isinstance(clock_for(engine), SystemClock)
    with pytest.raises(NotAllowed):
        DemoClock(engine).advance(START)
    with pytest.raises(NotAllowed):
        DemoClock(engine).now()


def test_a_demo_clock_stands_still_and_moves_forward_only(engine: Engine) -> None:
    """A demo database keeps its instant between clocks, goes on when told, and never back."""
    mark_as_demo(engine, START)
    clock = clock_for(engine)
    assert isinstance(clock, DemoClock)
    assert clock.now() == START
    clock.advance(START + timedelta(days=3))
    assert clock_for(engine).now() == START + timedelta(days=3)
    with pytest.raises(Conflict):
        clock.advance(START)
    with pytest.raises(Conflict):
        mark_as_demo(engine, START)


@pytest.mark.parametrize(
    ("instant", "zone", "day", "second"),
    [
        ("2026-01-01T04:59:59+00:00", "America/New_York", "2025-12-31", 86_399),
        ("2026-01-01T05:00:00+00:00", "America/New_York", "2026-01-01", 0),
        ("2026-03-08T07:00:00+00:00", "America/New_York", "2026-03-08", 10_800),
        ("2026-11-01T06:30:00+00:00", "America/New_York", "2026-11-01", 5_400),
        ("2025-12-31T10:00:00+00:00", "Pacific/Kiritimati", "2026-01-01", 0),
    ],
)
def test_an_instant_has_the_day_and_second_of_its_zone(
    instant: str, zone: str, day: str, second: int
) -> None:
    """Midnight, the hour that is skipped and the hour that comes twice fall as the wall shows."""
    assert local_parts(datetime.fromisoformat(instant), zone) == (date.fromisoformat(day), second)


@given(st.datetimes(min_value=datetime(2019, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants a naive bound
def test_a_local_day_is_within_a_day_of_utc(instant: datetime) -> None:
    """Whatever the zone, the local day is the UTC day or a neighbor of it."""
    for zone in ("America/Los_Angeles", "Pacific/Kiritimati", "UTC"):
        try:
            day = local_day(instant, zone)
        except OverflowError:
            assert instant.year == 9999
            continue
        assert abs((day - instant.date()).days) <= 1


def test_naive_instants_and_unknown_zones_are_refused() -> None:
    """A local day needs an aware instant and a zone that exists; the name is not echoed."""
    with pytest.raises(ValueError, match="without a time zone"):
        local_day(datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - what is refused
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(InvalidRequest) as refused:
            local_day(START, name)
        assert not name or name not in str(refused.value)

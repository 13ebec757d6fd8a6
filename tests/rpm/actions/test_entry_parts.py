"""Work that crosses midnight becomes one piece for each local day, and no second is lost."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm.actions.entry_parts import parts_of, possible_ids
from rpm.clock import local_day

CLIENT_ID = UUID("0190a5a0-0000-4000-8000-000000000001")
ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Auckland", "Africa/Cairo", "UTC")


def test_work_within_a_day_stays_one_piece() -> None:
    """The piece keeps the client's id and starts at the clock's second of the day."""
    start = datetime(2026, 1, 15, 14, 30, 5, tzinfo=UTC)
    [part] = parts_of(CLIENT_ID, start, 480, "America/New_York")
    assert part.client_id == CLIENT_ID
    assert (part.local_day.isoformat(), part.start_second) == ("2026-01-15", 9 * 3600 + 1805)
    assert (part.duration_seconds, part.started_at) == (480, start)


def test_work_across_the_end_of_a_month_is_split_at_local_midnight() -> None:
    """Ten minutes around midnight of New York become five of each month."""
    start = datetime(2026, 2, 1, 4, 55, tzinfo=UTC)
    first, second = parts_of(CLIENT_ID, start, 600, "America/New_York")
    assert (first.local_day.isoformat(), first.duration_seconds) == ("2026-01-31", 300)
    assert (second.local_day.isoformat(), second.start_second) == ("2026-02-01", 0)
    assert second.duration_seconds == 300
    assert second.client_id != CLIENT_ID
    assert parts_of(CLIENT_ID, start, 600, "America/New_York")[1].client_id == second.client_id


def test_a_day_of_23_hours_may_lie_in_the_middle() -> None:
    """24 hours from shortly before midnight touch three days when the middle one is short."""
    start = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)  # 23:30 on the 7th
    parts = parts_of(CLIENT_ID, start, 24 * 3600, "America/New_York")
    assert [part.duration_seconds for part in parts] == [1800, 23 * 3600, 1800]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        # 2026-03-08: clocks of New York go from 02:00 to 03:00
        (datetime(2026, 3, 8, 6, 30, tzinfo=UTC), 5400),  # 01:30
        (datetime(2026, 3, 8, 7, 30, tzinfo=UTC), 9000),  # 03:30 on the wall
        # 2025-11-02: clocks go from 02:00 back to 01:00
        (datetime(2025, 11, 2, 5, 30, tzinfo=UTC), 5400),  # 01:30, the first one
        (datetime(2025, 11, 2, 6, 30, tzinfo=UTC), 9000),  # 01:30 again, an hour later
    ],
)
def test_seconds_of_a_day_pass_evenly_when_clocks_change(start: datetime, expected: int) -> None:
    """The start counts seconds since midnight, not what the clock on the wall shows."""
    [part] = parts_of(CLIENT_ID, start, 60, "America/New_York")
    assert part.start_second == expected


@given(
    st.integers(0, 3 * 366 * 24 * 3600),
    st.integers(1, 24 * 3600),
    st.sampled_from(ZONES),
)
def test_pieces_cover_the_interval_exactly(second: int, duration: int, zone: str) -> None:
    """Pieces follow each other without gap, each on its own day and of its own id."""
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    parts = parts_of(CLIENT_ID, start, duration, zone)
    assert sum(part.duration_seconds for part in parts) == duration
    begin = start
    for part in parts:
        assert part.started_at == begin
        last_second = begin + timedelta(seconds=part.duration_seconds - 1)
        assert local_day(begin, zone) == local_day(last_second, zone) == part.local_day
        begin += timedelta(seconds=part.duration_seconds)
    assert {part.client_id for part in parts} <= set(possible_ids(CLIENT_ID, parts[0].local_day))
    assert len({part.client_id for part in parts}) == len(parts)
    assert len({part.local_day for part in parts}) == len(parts)

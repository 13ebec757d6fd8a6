"""Counts since 1970 and offsets in minutes, as vendors write them."""

from datetime import UTC, datetime

import pytest

from devices.reading import CannotReadError
from devices.timestamps import parse_epoch, parse_offset_minutes


def test_milliseconds_and_seconds_are_what_the_vendor_says() -> None:
    """The same digits are read by the vendor's unit, never by their size."""
    assert parse_epoch("1380562575798", per_second=1000) == datetime(
        2013, 9, 30, 17, 36, 15, 798_000, tzinfo=UTC
    )
    assert parse_epoch("1380562575", per_second=1) == datetime(2013, 9, 30, 17, 36, 15, tzinfo=UTC)
    assert parse_epoch("1380562575", per_second=1000).year == 1970
    assert parse_epoch("0", per_second=1) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "1e9", "12345678901234", "٣", " 1", "2026-01-01"]
)
def test_other_texts_are_no_count(text: str) -> None:
    """Signs, fractions, blanks and overlong numbers are refused as a time."""
    with pytest.raises(CannotReadError) as refused:
        parse_epoch(text, per_second=1000)
    assert refused.value.reason == "time"


def test_a_year_beyond_the_calendar_is_refused() -> None:
    """Milliseconds sent where seconds are due give no reading in the far future."""
    with pytest.raises(CannotReadError):
        parse_epoch("1380562575798", per_second=1)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("-300", -300), ("0", 0), ("330", 330), ("840", 840)],
)
def test_offsets_in_quarter_hours_are_read(text: str, minutes: int) -> None:
    """Quarter hours from -14 h to +14 h are offsets from UTC."""
    assert parse_offset_minutes(text) == minutes


@pytest.mark.parametrize("text", ["-200", "400", "855", "-5:00", "", "+60", "99999"])
def test_offsets_that_do_not_exist_are_none(text: str) -> None:
    """``-200``, which is hours and minutes in disguise, is no offset in minutes."""
    assert parse_offset_minutes(text) is None

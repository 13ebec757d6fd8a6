"""Dates in a declared order, times with and without zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm.imports.refusals import DateOrderError
from rpm.imports.times import (
    Moment,
    parse_clock,
    parse_day,
    parse_epoch,
    parse_full_day,
    parse_moment,
    parse_offset,
    resolve,
)

FORMS = {"MDY": "{0.month}/{0.day}/{0.year}", "DMY": "{0.day}-{0.month}-{0.year}", "YMD": "{0}"}
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@given(DAYS, st.sampled_from(sorted(FORMS)))
def test_a_date_is_read_in_its_order(day: date, order: str) -> None:
    """Writing a date in an order and reading it in the same order gives the date."""
    assert parse_day(FORMS[order].format(day), order) == day


@given(DAYS.filter(lambda day: day.day > 12))
def test_a_day_after_the_twelfth_proves_the_wrong_order(day: date) -> None:
    """Month-first and day-first texts contradict each other as soon as the day exceeds twelve."""
    with pytest.raises(DateOrderError):
        parse_day(FORMS["DMY"].format(day), "MDY")
    with pytest.raises(DateOrderError):
        parse_day(FORMS["MDY"].format(day), "DMY")


@pytest.mark.parametrize(
    ("text", "order"),
    [("2020-06-02", "MDY"), ("2020-06-02", "DMY"), ("06/02/2020", "YMD"), ("6/2/20", "YMD")],
)
def test_a_year_in_another_place_proves_the_wrong_order(text: str, order: str) -> None:
    """Where the year stands is part of the declared order."""
    with pytest.raises(DateOrderError):
        parse_day(text, order)


@pytest.mark.parametrize(
    "text",
    ["", "2/30/2020", "13/13/2020", "1/1/1", "1/1/202", "1/1-2020", "0/1/2020", "1/1/0001", "x"],
)
def test_what_is_no_date_is_refused_alone(text: str) -> None:
    """A text that is no date in any order refuses its row, not the file."""
    with pytest.raises(ValueError, match=r"date|year") as caught:
        parse_day(text, "MDY")
    assert not isinstance(caught.value, DateOrderError)


def test_two_digit_years_are_of_this_century_and_no_birth_date() -> None:
    """A device's short year is 20xx; a birth date needs all four digits."""
    assert parse_day("6/2/20", "MDY") == date(2020, 6, 2)
    with pytest.raises(ValueError, match="four digits"):
        parse_full_day("6/2/20", "MDY")


def test_a_compact_date_is_read() -> None:
    """Eight digits are year, month and day where the year comes first."""
    assert parse_day("20260131", "YMD") == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12:00 AM", 0), ("12:30 pm", 12), ("1:08:52 AM", 1), ("11:59 P.M.", 23), ("23:15", 23)],
)
def test_clocks_of_twelve_and_of_24_hours(text: str, hour: int) -> None:
    """Noon and midnight are told apart in both forms."""
    assert parse_clock(text).hour == hour


@pytest.mark.parametrize("text", ["24:00", "13:00 PM", "0:10 AM", "8", "08:60", "08:10:60", "8.10"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """Hours, minutes and seconds beyond a clock's are refused."""
    with pytest.raises(ValueError, match=r"time of day|12-hour"):
        parse_clock(text)


def test_offsets_are_kept_and_utc_says_nothing_of_the_place() -> None:
    """An offset is read with its sign; Z and -00:00 give the instant but no local offset."""
    assert parse_moment("2026-01-31T08:15:00-05:00", "YMD").offset_minutes == -300
    for text in ("2026-01-31T08:15:00Z", "2026-01-31 08:15:00-00:00"):
        moment = parse_moment(text, "YMD")
        assert (moment.offset_minutes, moment.utc) == (None, True)


@pytest.mark.parametrize("text", ["-200", "+15:00", "+05:10", "Z", "", "-05:75"])
def test_an_offset_that_does_not_exist_is_refused(text: str) -> None:
    """Only quarter hours within 14 hours are offsets."""
    with pytest.raises(ValueError, match="offset"):
        parse_offset(text)


def test_epochs_are_fixed_by_form_never_by_size() -> None:
    """The same digits are another time in each declared form."""
    assert parse_epoch("1442491463", "epoch-seconds").at.year == 2015
    assert parse_epoch("1442491463", "epoch-milliseconds").at.year == 1970
    assert not parse_epoch("1442491463", "epoch-seconds-wall").utc
    with pytest.raises(ValueError, match="year"):
        parse_epoch("999999999999999", "epoch-seconds")


@given(
    st.datetimes(
        min_value=datetime.fromisoformat("2000-01-01T00:00"),
        max_value=datetime.fromisoformat("2100-01-01T00:00"),
    ),
    st.sampled_from(["America/New_York", "America/Phoenix", "Pacific/Honolulu"]),
)
def test_a_resolved_wall_time_shows_the_same_date(at: datetime, zone: str) -> None:
    """Outside the hour that clocks skip, the instant shows the file's wall time in its zone."""
    info = ZoneInfo(zone)
    resolved = resolve(Moment(at), info)
    shown = resolved.instant.astimezone(info).replace(tzinfo=None)
    assert shown == at or resolved.quality == "estimated"
    assert shown.date() == at.date()


@pytest.mark.parametrize(
    ("wall", "quality"),
    [
        (datetime.fromisoformat("2026-01-31T12:00"), "exact"),
        (datetime.fromisoformat("2026-01-31T01:59"), "estimated"),
        (datetime.fromisoformat("2026-01-31T22:00"), "estimated"),
        (datetime.fromisoformat("2026-03-08T02:30"), "estimated"),
        (datetime.fromisoformat("2025-11-02T01:30"), "estimated"),
    ],
)
def test_a_wall_time_that_could_be_another_day_is_estimated(wall: datetime, quality: str) -> None:
    """Near midnight and where clocks change, a time without zone is marked."""
    assert resolve(Moment(wall), ZoneInfo("America/New_York")).quality == quality


@pytest.mark.parametrize(
    ("wall", "quality"),
    [
        ("2026-01-31T23:59", "exact"),
        ("2026-01-31T00:00", "exact"),
        ("2025-11-02T01:30", "estimated"),
    ],
)
def test_a_wall_time_in_a_stated_zone_is_exact(wall: str, quality: str) -> None:
    """With a zone that the profile states only a time that clocks show twice is marked."""
    moment = Moment(datetime.fromisoformat(wall))
    assert resolve(moment, ZoneInfo("America/New_York"), stated=True).quality == quality


def test_utc_is_exact_at_any_hour() -> None:
    """An instant that the file gives needs no zone."""
    resolved = resolve(
        Moment(datetime.fromisoformat("2026-01-01T00:00"), utc=True), ZoneInfo("Asia/Tokyo")
    )
    assert (resolved.instant, resolved.quality) == (datetime(2026, 1, 1, tzinfo=UTC), "exact")

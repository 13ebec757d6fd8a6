"""The last day to go on measuring: until then a code can be had, after it the code is lost."""

from datetime import date
from typing import Any

import pytest
from builders import Chart, later
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.days import NO_DAY, day_date, day_number

OPENED = date(2026, 3, 2)
LAST = 29  # offset of the last day of the first window


def chart_with(*offsets: int, closed: date | None = None) -> Chart:
    """A patient of Medicare with readings on these days of the first window."""
    chart = Chart()
    chart.enroll(OPENED, **({"closed": closed, "end_reason": "goals_met"} if closed else {}))
    for offset in offsets:
        chart.measure(0, later(OPENED, offset), 1)
    return chart


def due(chart: Chart, as_of: date, ladder: str = "device-supply") -> tuple[str, date | None]:
    """The code that can still be had, and the last day to go on towards it."""
    rows: Any = chart.outcome(as_of).progress.astype({"ladder": object})
    row = rows[rows["ladder"] == ladder].to_dict("records")[0]
    day = None if row["due_day"] == NO_DAY else day_date(row["due_day"])
    return row["due_code"], day


@pytest.mark.parametrize(
    ("measured", "as_of_offset", "code", "due_offset"),
    [
        (5, 5, "99454", 19),  # eleven more days end on day 30
        (5, 19, "99454", 19),
        (5, 20, "", None),  # 99445 is earned, and 99454 out of reach
        (1, 15, "99454", 15),
        (1, 16, "99445", 29),  # the long code is lost, the short one is not
        (1, 29, "99445", 29),
        (15, 16, "99454", 29),
        (16, 17, "", None),
    ],
)
def test_the_last_day_to_go_on(
    measured: int, as_of_offset: int, code: str, due_offset: int | None
) -> None:
    """With so many days so far, all the days that are missing must fit behind the day."""
    found = due(chart_with(*range(measured)), later(OPENED, as_of_offset))
    assert found == (code, None if due_offset is None else later(OPENED, due_offset))


def test_todays_reading_was_taken_already() -> None:
    """Who measured today goes on tomorrow at the earliest."""
    assert due(chart_with(0, 1, 2, 3, 18), later(OPENED, 18)) == ("99454", later(OPENED, 19))
    assert due(chart_with(0, 1, 2, 3, 19), later(OPENED, 19)) == ("", None)


def test_an_ending_episode_is_the_last_chance() -> None:
    """Days after the end of the episode are not counted on."""
    chart = chart_with(0, closed=later(OPENED, 10))
    assert due(chart, later(OPENED, 5)) == ("99445", later(OPENED, 10))


def test_a_window_that_has_not_begun_loses_nothing() -> None:
    """Before the first reading the window waits; minutes have no such day either."""
    assert due(chart_with(), later(OPENED, 12)) == ("", None)
    assert due(chart_with(0), later(OPENED, 12), "management") == ("", None)


def test_a_code_that_is_not_adopted_is_not_waited_for() -> None:
    """A payer without the codes of 2026 has the long code only."""
    chart = Chart("COM_GENERIC_PRE2026_CODESET")
    chart.measure(chart.enroll(OPENED), OPENED, 1)
    assert due(chart, later(OPENED, 15)) == ("99454", later(OPENED, 15))
    assert due(chart, later(OPENED, 16)) == ("", None)


@settings(max_examples=25, deadline=None)
@given(
    measured=st.sets(st.integers(1, LAST), max_size=15).map(lambda days: {0, *days}),
    as_of_offset=st.integers(0, LAST),
)
def test_the_day_is_the_last_one_indeed(measured: set[int], as_of_offset: int) -> None:
    """Measuring from that day on earns the code; beginning a day later does not."""
    so_far = {day for day in measured if day <= as_of_offset}
    code, day = due(chart_with(*so_far), later(OPENED, as_of_offset))
    if day is None:
        assert code == ""
        return
    begin = (day - OPENED).days
    for first, earned in ((begin, True), (begin + 1, False)):
        events = chart_with(*so_far, *range(first, LAST + 1)).outcome(later(OPENED, 31)).events
        window = events[events["period_start_day"] == day_number(OPENED)]
        assert (code in set(window["code"].astype(object))) == earned

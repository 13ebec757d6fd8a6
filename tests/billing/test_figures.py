"""Figures of a practice: counted once, by month, and held against the thresholds of the rules."""

from datetime import date

import pandas as pd
import pytest

from billing.days import day_number
from billing.figures import enrolled_by_month, reached
from billing.rules.book import shipped_book

MONTHS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def episodes(*rows: tuple[int, date, date | None]) -> pd.DataFrame:
    """Episodes of patients by row number."""
    values = [
        (patient, day_number(opened), -1 if closed is None else day_number(closed))
        for patient, opened, closed in rows
    ]
    return pd.DataFrame(values, columns=["patient", "opened_day", "closed_day"])


def test_a_patient_is_enrolled_on_the_last_day_of_each_month_that_an_episode_covers() -> None:
    """An end inside the month takes the patient out of it; an end on its last day does not."""
    found = enrolled_by_month(
        episodes(
            (0, date(2025, 12, 5), date(2026, 1, 30)),
            (1, date(2026, 1, 31), date(2026, 1, 31)),
            (2, date(2026, 2, 10), None),
        ),
        MONTHS,
    )
    assert [one.enrolled for one in found] == [1, 1, 1]


def test_a_patient_is_new_once_however_many_episodes_follow() -> None:
    """A second episode at the same time or later is no new patient."""
    found = enrolled_by_month(
        episodes(
            (0, date(2026, 1, 5), date(2026, 1, 20)),
            (0, date(2026, 2, 5), None),
            (0, date(2026, 3, 5), None),
            (1, date(2026, 3, 31), None),
        ),
        MONTHS,
    )
    assert [one.new for one in found] == [1, 0, 1]
    assert [one.enrolled for one in found] == [0, 1, 2]


def test_no_episode_is_no_patient() -> None:
    """A practice that begins has months of zeros."""
    assert [(one.enrolled, one.new) for one in enrolled_by_month(episodes(), MONTHS)] == [
        (0, 0)
    ] * 3


def periods(kind: str, column: str, values: list[int]) -> pd.DataFrame:
    """Periods of the Medicare page of 2026 that differ in one measure."""
    frame = pd.DataFrame(
        {"days": 0, "seconds": 0, "practitioner_seconds": 0}, index=range(len(values))
    )
    frame[column] = values
    return frame.assign(page="medicare-b-2026", kind=kind, program="RPM")


@pytest.mark.parametrize(
    ("kind", "column", "ladder", "values", "expected"),
    [
        (
            "device-supply-30",
            "days",
            "device-supply",
            [0, 1, 2, 13, 14, 15, 16, 30],
            [(0, 2, 2, 1), (2, 16, 4, 2), (16, None, 2, 0)],
        ),
        (
            "calendar-month",
            "seconds",
            "management",
            [0, 479, 480, 599, 600, 1079, 1080, 1199, 1200, 5000],
            [(0, 600, 4, 2), (600, 1200, 4, 2), (1200, None, 2, 0)],
        ),
    ],
)
def test_periods_are_held_against_each_threshold(
    kind: str, column: str, ladder: str, values: list[int], expected: list[tuple[object, ...]]
) -> None:
    """Just missed: something is there, and at most two days or two minutes lack."""
    page = shipped_book().joined("medicare-b-2026")
    found = [
        (one.at_least, one.below, one.periods, one.just_missed)
        for one in reached(periods(kind, column, values), {page.id: page.ladders})
        if one.ladder == ladder
    ]
    assert found == expected


def test_a_period_of_a_page_that_is_not_told_is_left_out() -> None:
    """Without rules there is no threshold to be held against."""
    assert reached(periods("calendar-month", "seconds", [1300]), {}) == []

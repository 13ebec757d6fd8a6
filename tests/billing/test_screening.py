"""OIG's measures: each counts what its definition says, and nothing is measured against nothing."""

from datetime import date

import pandas as pd

from billing import screening
from billing.figures import MonthFigures


def months(*new: int) -> list[MonthFigures]:
    """Months with these numbers of new patients."""
    return [MonthFigures(date(2026, 1 + place, 1), 0, count) for place, count in enumerate(new)]


def parts(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """Live units of set-up, supply and management of patients 0, 1, ..."""
    frame = pd.DataFrame(list(rows), columns=list(screening.PARTS))
    return frame.rename_axis("patient").reset_index()


def test_the_steepest_rise_counts_and_a_month_without_new_patients_has_none() -> None:
    """From 2 to 5 is 150 percent; from 0 to 9 is no percentage."""
    found = screening.sudden_rise(months(4, 2, 5, 0, 9))
    assert found.percent == 150.0
    assert found.stands_out
    assert screening.sudden_rise(months(0, 9)).percent is None
    assert not screening.sudden_rise(months(4, 9)).stands_out


def test_new_patients_without_a_visit_are_a_share_of_the_new() -> None:
    """One of four; a practice without new patients has no share."""
    frame = pd.DataFrame({"patient": [3, 5, 7, 9], "visited": [True, True, False, True]})
    found = screening.no_prior_visit(frame)
    assert (found.patients, found.percent, found.stands_out) == ((7,), 25.0, False)
    assert screening.no_prior_visit(frame[:0]).percent is None
    assert screening.no_prior_visit(frame[2:3]).stands_out


def test_several_devices_are_a_share_of_those_supplied() -> None:
    """Two of five; OIG names no share, so one is enough to stand out."""
    found = screening.several_devices(pd.Series([4, 2], dtype="int64"), 5)
    assert (found.patients, found.percent, found.stands_out) == ((2, 4), 40.0, True)
    assert not screening.several_devices(pd.Series([], dtype="int64"), 0).stands_out


def test_parts_are_counted_by_live_units() -> None:
    """A reversed part is not billed; one who has nothing billed is not looked at."""
    frame = parts((1, 3, 2), (0, 2, 0), (1, 1, 0), (0, 0, 0), (0, 0, 4))
    never = screening.supply_without_management(frame)
    assert (never.patients, never.of) == ((1, 2), 3)
    lacking = screening.not_all_parts(frame)
    assert (lacking.patients, lacking.of, lacking.percent) == ((1, 2, 4), 4, 75.0)
    assert lacking.stands_out


def test_another_practice_counts_a_patient_once() -> None:
    """Two services elsewhere are one patient."""
    found = screening.another_practice(pd.Series([4, 4, 2], dtype="int64"), 10)
    assert (found.patients, found.percent) == ((2, 4), 20.0)
    assert found.stands_out

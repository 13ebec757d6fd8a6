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


def test_supply_of_overlapping_days_is_a_second_device() -> None:
    """Windows that follow each other are one device's; a shared day or two units are not."""
    frame = pd.DataFrame(
        [(0, 10, 39, 1), (0, 40, 69, 1), (1, 10, 39, 1), (1, 39, 68, 1), (2, 10, 39, 2)],
        columns=["patient", "start_day", "end_day", "units"],
    ).assign(part="supply")
    other = frame.assign(part="management", patient=9)
    frame = pd.concat([frame, other], ignore_index=True)
    found = screening.several_devices(frame)
    assert (found.patients, found.of) == ((1, 2), 3)
    assert screening.several_devices(frame[:0]).patients == ()


def test_parts_are_counted_by_live_units() -> None:
    """A reversed part is not billed; one who has nothing billed is not looked at."""
    frame = parts((1, 3, 2), (0, 2, 0), (1, 1, 0), (0, 0, 0), (0, 0, 4))
    never = screening.supply_without_management(frame)
    assert (never.patients, never.of) == ((1, 2), 3)
    lacking = screening.not_all_parts(frame)
    assert (lacking.patients, lacking.of, lacking.percent) == ((1, 2, 4), 4, 75.0)
    assert lacking.stands_out


def test_units_are_summed_by_part_and_a_part_nobody_has_is_zero() -> None:
    """Each patient has a figure for each part, also without any line."""
    lines = pd.DataFrame(
        [(3, "supply", 1), (3, "supply", 2), (5, "setup", 1)],
        columns=["patient", "part", "units"],
    )
    found = screening.parts_of(lines)
    assert found[["patient", *screening.PARTS]].to_numpy().tolist() == [[3, 0, 3, 0], [5, 1, 0, 0]]
    assert screening.parts_of(lines[:0]).empty


def test_another_practice_counts_a_patient_once() -> None:
    """Two services elsewhere are one patient."""
    found = screening.another_practice(pd.Series([4, 4, 2], dtype="int64"), 10)
    assert (found.patients, found.percent) == ((2, 4), 20.0)
    assert found.stands_out

"""The simulator: one seed gives the same measurements, and habits make the days they should."""

from datetime import UTC, date, datetime, timedelta

import pytest

from devices.simulator import (
    Habits,
    Measurement,
    PatientPlan,
    Sent,
    practice,
    readings,
    usual_series,
)

FIRST, LAST = date(2025, 11, 1), date(2025, 12, 30)
FAITHFUL = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0)


def _plan(habits: Habits, *kinds: str) -> PatientPlan:
    series = tuple(usual_series(kind, f"dev-{kind}") for kind in kinds or ("weight",))
    return PatientPlan("SYN-1", "America/Chicago", series, habits)


def _measured(habits: Habits, seed: int = 1) -> list[Measurement]:
    return [one.measurement for one in readings(_plan(habits), FIRST, LAST, seed=seed)]


def _all(seed: int, patients: int) -> list[Sent]:
    return [
        item for plan in practice(seed, patients) for item in readings(plan, FIRST, LAST, seed=seed)
    ]


def test_the_same_seed_gives_the_same_measurements() -> None:
    """Values and times are the same in every run, and others with another seed."""
    assert _all(7, 5) == _all(7, 5) != _all(8, 5)


def test_another_patient_changes_no_other() -> None:
    """A larger practice begins with the same patients and the same readings."""
    assert _all(7, 6)[: len(_all(7, 5))] == _all(7, 5)


def test_a_faithful_patient_misses_no_day() -> None:
    """With every chance at its best there is one weight on each of the sixty local days."""
    measured = _measured(FAITHFUL)
    assert len(measured) == len({one.local.date() for one in measured}) == 60


def test_missed_runs_leave_days_out() -> None:
    """Missed runs leave whole days without readings, all within the days asked for."""
    habits = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0.2)
    days = {one.local.date() for one in _measured(habits)}
    assert 10 < len(days) < 60
    assert FIRST <= min(days) <= max(days) <= LAST


def test_late_uploads_come_later_and_manual_entries_say_so() -> None:
    """From memory, readings come six hours to four days late; typed-in ones are marked."""
    habits = Habits(adherence=1, repeat=0, late=1, manual=1, missed_run=0)
    for item in readings(_plan(habits), FIRST, LAST, seed=1):
        lag = item.sent_at - item.measurement.measured_at
        assert timedelta(hours=6) <= lag <= timedelta(days=4, minutes=1)
        assert item.measurement.manual
        assert item.measurement.from_memory


def test_wrong_clocks_tell_another_time_of_the_same_measurements() -> None:
    """Clocks are two hours or three days ahead, or were reset; nothing else is changed by it."""
    habits = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0, wrong_clock=1)
    wrong, right = _measured(habits), _measured(FAITHFUL)
    assert [(one.measured_at, one.values) for one in wrong] == [
        (one.measured_at, one.values) for one in right
    ]
    ahead = {one.told_at - one.measured_at for one in wrong if one.told_at > one.measured_at}
    assert ahead == {timedelta(hours=2), timedelta(days=3)}
    reset = {one.told_at.year for one in wrong if one.told_at < one.measured_at}
    assert reset == {1970, 2000}
    assert min(one.told_at for one in wrong) >= datetime(1970, 1, 1, tzinfo=UTC)


def test_an_unknown_kind_has_no_figures() -> None:
    """A kind the simulator has no figures for is an error."""
    with pytest.raises(KeyError):
        usual_series("horoscope", "dev-1")

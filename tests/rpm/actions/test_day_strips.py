"""The days of a supply period are told as the ledger counted them."""

from datetime import date, timedelta

import pytest
from conftest import FixedClock
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.day_strips import AHEAD, COUNTS, NONE, REFUSED, DayTold, days_of_periods
from rpm.store.engine import reading
from rpm.store.outcomes import PeriodLine, evaluated

TODAY = date(2026, 1, 15)
OPENED = date(2026, 1, 2)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The test's practice."""
    return Practice(engine, actor, clock.now())


def strip(practice: Practice) -> tuple[PeriodLine, list[DayTold]]:
    """The one window of the one patient, and its days."""
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=TODAY, known=TODAY)
    (window,) = [one for one in found.periods() if one.kind == "device-supply-30"]
    (told,) = days_of_periods(found, [window])
    return window, told


def test_each_day_says_what_it_counts_for(practice: Practice) -> None:
    """Counted, refused with the reason, without a reading, and still to come."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    practice.readings(patient_id, episode_id, days(OPENED, 3))
    typed = {"countable": False, "refused_reason": "manual_entry", "entry_method": "manual"}
    practice.readings(patient_id, episode_id, [OPENED + timedelta(days=4)], **typed)
    window, told = strip(practice)
    by_day = {one.day: (one.state, one.why) for one in told}
    assert len(told) == 30
    assert by_day[OPENED] == (COUNTS, "")
    assert by_day[OPENED + timedelta(days=3)] == (NONE, "")
    assert by_day[OPENED + timedelta(days=4)] == (REFUSED, "entered by hand")
    assert by_day[TODAY] == (AHEAD, "")
    assert sum(one.state == COUNTS for one in told) == window.days == 3


def test_an_excluded_day_is_refused_with_its_reason(practice: Practice) -> None:
    """A day whose only reading was taken out does not count, and says so."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    rows = practice.readings(patient_id, episode_id, days(OPENED, 3))
    practice.exclude(rows[1])
    window, told = strip(practice)
    assert told[1] == DayTold(OPENED + timedelta(days=1), REFUSED, "taken out by the practice")
    assert sum(one.state == COUNTS for one in told) == window.days


def test_no_period_has_no_days(practice: Practice) -> None:
    """Nothing asked, nothing told."""
    practice.enrolled(opened_day=OPENED)
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=TODAY, known=TODAY)
    assert days_of_periods(found, []) == []

"""Why on stored facts: the answer with ids and words, and what it tells of more facts."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.seen_from import SeenFrom
from rpm.actions.what_if import what_if
from rpm.actions.what_if_command import WhatIf
from rpm.actions.why import AskWhy, why_month
from rpm.actions.why_answer import LadderTold, LineTold, MonthWhy, MoreTold
from rpm.actions.why_text import why_text
from rpm.clock import Clock
from rpm.errors import NotAllowed, NotFound
from rpm.store.engine import reading
from rpm.store.outcomes import evaluated

OPENED = date(2026, 1, 1)
FEBRUARY = datetime(2026, 2, 3, 15, tzinfo=UTC)
Line = tuple[str, int, date]
DAYS = st.sets(st.integers(0, 29), max_size=20).map(sorted)
WORK = st.lists(
    st.tuples(
        st.integers(0, 29),
        st.integers(36_000, 37_200),
        st.sampled_from((300, 600, 1_140, 1_199, 1_200, 2_380)),
        st.sampled_from(("live", "live", "async")),
    ),
    max_size=4,
)
SEEN = st.sampled_from((date(2026, 1, 12), date(2026, 1, 25), date(2026, 2, 3)))
stored = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def told(
    practice: Practice,
    patient_id: UUID,
    seen: date,
    code: str | None = None,
    month: str = "2026-01",
) -> MonthWhy:
    """The month as seen from a day."""
    with reading(practice.engine) as db:
        asked = AskWhy(month=month, code=code)
        return why_month(db, practice.actor, patient_id, asked, SeenFrom(seen, seen, None))


def ladder(found: MonthWhy, name: str) -> LadderTold:
    """The first ladder of a name."""
    return next(one for p in found.periods for one in p.ladders if one.name == name)


def bill(practice: Practice, as_of: date, known: date) -> Counter[Line]:
    """What the stored facts earn."""
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=as_of, known=known)
    return Counter((one.code, one.units, one.service_day) for one in found.events())


def lines(found: list[LineTold]) -> Counter[Line]:
    """Lines without their episode."""
    return Counter((one.code, one.units, one.service_day) for one in found)


def record(practice: Practice, patient_id: UUID, more: MoreTold) -> None:
    """Record for real what was tried."""
    for day in more.days:
        practice.readings(patient_id, day.episode_id, [day.day], kind=day.kind)
    for entry in more.entries:
        practice.entry(
            patient_id,
            entry.episode_id,
            entry.day,
            entry.duration_seconds,
            role=entry.role,
            work=entry.work,
            mode=entry.mode,
            start_second=None,
            actor_user_id=None,
            actor_name="Somebody New",
        )


def tell_story(
    practice: Practice, measured: list[int], worked: list[tuple[int, int, int, str]], seen: date
) -> UUID:
    """A patient's January up to a day."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    past = (seen - OPENED).days
    practice.readings(
        patient_id, episode_id, [OPENED + timedelta(days=n) for n in measured if n <= past]
    )
    for offset, start, seconds, mode in worked:
        if offset <= past:
            day = OPENED + timedelta(days=offset)
            practice.entry(patient_id, episode_id, day, seconds, start_second=start, mode=mode)
    return patient_id


@stored
@given(DAYS, WORK, SEEN, st.integers(0, 11))
def test_what_more_changes_is_what_recording_it_gives(
    engine: Engine,
    measured: list[int],
    worked: list[tuple[int, int, int, str]],
    seen: date,
    choice: int,
) -> None:
    """A day or a minute that is told to change lines changes just these when it is recorded."""
    practice = Practice.opened(engine, FEBRUARY)
    patient_id = tell_story(practice, measured, worked, seen)
    found = told(practice, patient_id, seen)
    trials = [more for p in found.periods for one in p.ladders for more in one.more]
    more = trials[choice % len(trials)]
    before = bill(practice, more.as_of, seen)
    record(practice, patient_id, more)
    after = bill(practice, more.as_of, seen)
    assert lines(more.gained) == after - before
    assert lines(more.lost) == before - after


@stored
@given(DAYS, WORK)
def test_the_month_bills_what_the_bill_has(
    engine: Engine, measured: list[int], worked: list[tuple[int, int, int, str]]
) -> None:
    """Ladders, the bill and a what-if without a change tell the same lines."""
    seen = date(2026, 2, 3)
    practice = Practice.opened(engine, FEBRUARY)
    patient_id = tell_story(practice, measured, worked, seen)
    found = told(practice, patient_id, seen)
    ladders = sum((lines(one.billed) for p in found.periods for one in p.ladders), Counter())
    assert ladders == bill(practice, seen, seen)
    with reading(engine) as db:
        compared = what_if(db, practice.actor, FEBRUARY, WhatIf(patient_id=patient_id, as_of=seen))
    assert Counter((x.code, x.units, x.service_day) for x in compared.what_if.events()) == ladders


def test_a_short_month_is_answered_in_words(practice: Practice) -> None:
    """18:20 of live work and a refused reading: why no 99457, and what it would take."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    practice.readings(patient_id, episode_id, days(OPENED, 16))
    practice.readings(
        patient_id, episode_id, [date(2026, 1, 20)], countable=False, refused_reason="manual_entry"
    )
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1100)
    practice.entry(patient_id, episode_id, date(2026, 1, 9), 300, role="admin")
    found = told(practice, patient_id, date(2026, 1, 20), "99457")
    assert found.asked is not None
    assert found.asked.sentences[-1] == "It would take 1:40 minutes more: can still be reached."
    text = why_text(found)
    assert "99457 Management, first 20 minutes" in text
    assert "10:00 to 19:59 minutes: 99470  [SETTLED; S01 S16 S17]" in text
    assert "1:40 minutes more: 99457 x1 on 2026-01-31 in place of 99470 x1 on 2026-01-31" in text
    assert "1 entry of 5:00 by clerical staff: 2026-01-09" in text
    assert any(one.what == "readings" and one.count == 1 for one in found.left_out)
    assert len(text.splitlines()) <= 24
    management = ladder(found, "management")
    assert management.bands[0].status == "SETTLED"
    assert management.not_billed_because


def test_a_billed_code_tells_units_and_day(practice: Practice) -> None:
    """What left is answered with its units and its day of service."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 3700)
    found = told(practice, patient_id, date(2026, 2, 3), "99458")
    assert found.asked is not None
    assert found.asked.sentences == ["Billed: 99458 2 units on 2026-01-31."]


def test_a_code_of_no_ladder_is_named_as_such(practice: Practice) -> None:
    """A CCM code is on no ladder of the page; the sentence names the page."""
    patient_id, _ = practice.enrolled(opened_day=OPENED)
    found = told(practice, patient_id, date(2026, 2, 3), "99490")
    assert found.asked is not None
    assert found.asked.state == "unknown"
    assert found.asked.sentences == [
        "No ladder of page medicare-b-2026 earns 99490 for this patient."
    ]


def test_empty_months_have_a_sentence(practice: Practice) -> None:
    """No episode, an episode later, a month to come, no coverage, no rule: each is told."""
    bare = practice.patient()
    seen = date(2026, 2, 3)
    assert told(practice, bare, seen).notes == [
        "The patient is in no program: no episode is on file."
    ]
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    assert told(practice, patient_id, seen, month="2025-06").notes == [
        "The patient was in no program in this month."
    ]
    assert told(practice, patient_id, seen, month="2026-04").notes == ["The month has not begun."]
    practice.readings(patient_id, episode_id, days(OPENED, 2))
    practice.record(*practice.coverage_ends(patient_id, date(2026, 1, 15)))
    (note, *more) = told(practice, patient_id, seen).notes
    assert note == "No coverage is on file on 2026-01-30, so no rule can be chosen."
    assert more == ["No coverage is on file on 2026-01-31, so no rule can be chosen."]
    odd = practice.patient("NOBODYS_PLAN")
    practice.episode(odd, opened_day=OPENED)
    (note,) = told(practice, odd, seen, "99457").notes
    assert note.startswith("No rule page of NOBODYS_PLAN is in force on 2026-01-31")


def test_strangers_are_not_told(practice: Practice) -> None:
    """A patient of another practice is not found; without permission nothing is told."""
    patient_id, _ = practice.enrolled(opened_day=OPENED)
    with pytest.raises(NotFound):
        told(practice, uuid4(), date(2026, 2, 3))
    with pytest.raises(NotFound):
        told(Practice.opened(practice.engine, practice.now), patient_id, date(2026, 2, 3))
    practice.actor = replace(practice.actor, permissions=frozenset())
    with pytest.raises(NotAllowed):
        told(practice, patient_id, date(2026, 2, 3))

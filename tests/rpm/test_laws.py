"""The ledger's laws on stored facts, random practices on both engines."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import col

from billing.ledger.explain import EventKey, explain
from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.what_if import what_if
from rpm.actions.what_if_command import WhatIf
from rpm.clock import Clock
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import evaluated
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting

SEEDS = pytest.mark.parametrize("seed", range(6))
OPENED = date(2026, 1, 1)
AS_OF = date(2026, 2, 1)
RANK = {"99453": 0, "99445": 1, "99454": 2, "99470": 1, "99457": 2, "99458": 3}
Line = tuple[str, int, date]
Step = Callable[[], object]


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """A practice whose February has begun."""
    now = clock.now()
    return Practice(engine, actor, now.replace(year=2026, month=2, day=3))


def steps(practice: Practice, seed: int) -> list[Step]:
    """A patient's readings and minutes of January, each a step that can be taken in any order."""
    draw = Random(seed)
    patient_id, episode_id = practice.enrolled(opened_day=OPENED, setup_billed=bool(seed % 2))
    measured = sorted({draw.randrange(30) for _ in range(draw.choice((3, 12, 40)))})
    taken: list[Step] = []
    for offset in measured:
        day = OPENED + timedelta(days=offset)
        taken.append(lambda day=day: practice.readings(patient_id, episode_id, [day]))
    for _ in range(draw.randrange(1, 5)):
        day = OPENED + timedelta(days=draw.randrange(30))
        start, seconds = 36_000 + draw.randrange(900), draw.choice((300, 599, 600, 1200, 2400))
        taken.append(
            lambda day=day, start=start, seconds=seconds: practice.entry(
                patient_id, episode_id, day, seconds, start_second=start
            )
        )
    return taken


def lines(practice: Practice) -> list[Line]:
    """What the stored facts earn."""
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=AS_OF, known=AS_OF)
        return sorted((one.code, one.units, one.service_day) for one in found.events())


def played(practice: Practice, seed: int) -> None:
    """Record the whole story."""
    for step in steps(practice, seed):
        step()


@SEEDS
def test_the_order_of_recording_does_not_matter(
    practice: Practice, engine: Engine, seed: int
) -> None:
    """The same facts recorded in another order earn the same lines."""
    played(practice, seed)
    other = Practice.opened(engine, practice.now)
    shuffled = steps(other, seed)
    Random(seed + 1).shuffle(shuffled)
    for step in shuffled:
        step()
    assert lines(other) == lines(practice)


@SEEDS
def test_an_entry_and_its_reversal_equal_neither(practice: Practice, seed: int) -> None:
    """Minutes that were taken back leave every line as it was."""
    played(practice, seed)
    before = lines(practice)
    patient_id, episode_id = the_patient(practice)
    practice.reverse(practice.entry(patient_id, episode_id, OPENED, 3_000))
    assert lines(practice) == before


@SEEDS
def test_another_reading_of_a_counted_day_changes_nothing(practice: Practice, seed: int) -> None:
    """Days are a set: a second reading on each counted day leaves every line as it was."""
    for _ in range(2):
        patient_id, episode_id = practice.enrolled(opened_day=OPENED)
        practice.readings(patient_id, episode_id, [OPENED + timedelta(days=n) for n in range(seed)])
    before = lines(practice)
    practice.readings(patient_id, episode_id, [OPENED + timedelta(days=n) for n in range(seed)])
    assert lines(practice) == before


@SEEDS
def test_more_facts_never_lower_a_ladder(practice: Practice, seed: int) -> None:
    """With each further reading or minute, no ladder's best code or its units go down."""
    best: dict[str, tuple[int, int]] = {}
    for step in steps(practice, seed):
        step()
        now: dict[str, tuple[int, int]] = {}
        for code, units, _ in lines(practice):
            ladder = "supply" if code in ("99445", "99454") else "management"
            if code != "99453":
                now[ladder] = max(now.get(ladder, (0, 0)), (RANK[code], units))
        assert all(now.get(ladder, (0, 0)) >= rank for ladder, rank in best.items())
        best |= now


@SEEDS
def test_every_event_is_explained_by_facts_of_its_period(practice: Practice, seed: int) -> None:
    """The counted days and minutes behind an event lie inside the event's own period."""
    played(practice, seed)
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=AS_OF, known=AS_OF)
    facts = found.loaded.facts
    for row in found.outcome.events.to_dict("records"):
        key = EventKey(row["subject"], row["subject_row"], row["code"], row["period_start_day"])
        told = explain(facts, found.book, AS_OF, AS_OF, key)
        assert told is not None
        worked = facts.entries["day"].to_numpy()[list(told.entry_rows)]
        days = [*told.counted_days, *worked.tolist()]
        assert days
        assert all(told.period_start_day <= day <= told.period_end_day for day in days)


@SEEDS
def test_a_what_if_without_a_change_is_the_bill(practice: Practice, seed: int) -> None:
    """Asking what if nothing were different gives the events as they are."""
    played(practice, seed)
    patient_id, _ = the_patient(practice)
    with reading(practice.engine) as db:
        command = WhatIf(patient_id=patient_id, as_of=AS_OF)
        compared = what_if(db, practice.actor, practice.now, command)
    assert compared.what_if.events() == compared.bill.events()


@SEEDS
def test_live_postings_equal_events_and_a_second_close_posts_nothing(
    practice: Practice, seed: int
) -> None:
    """A close posts what the facts earn; closing again adds no posting."""
    played(practice, seed)
    for _ in range(2):
        with transaction(practice.engine) as db:
            close_month(db, practice.actor, practice.now, CloseMonth(month="2026-01"))
    with reading(practice.engine) as db:
        rows = Scope.of(practice.actor).all_of(db, Posting, col(Posting.sign) == 1)
    assert sorted((one.code, one.units, one.service_day) for one in rows) == lines(practice)


def the_patient(practice: Practice) -> tuple[UUID, UUID]:
    """The only patient of the story, and the episode."""
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=AS_OF, known=AS_OF)
    return found.loaded.patient_ids[0], found.loaded.episode_ids[0]

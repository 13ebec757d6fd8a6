"""What-if: the same calculation with other facts; with none changed, the bill."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from ledger_practice import Practice, days
from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.what_if import Compared, what_if
from rpm.actions.what_if_command import WhatIf
from rpm.clock import Clock
from rpm.errors import InvalidRequest, NotAllowed, NotFound
from rpm.store.engine import reading
from rpm.store.tables.base import METADATA

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def ask(practice: Practice, patient_id: UUID, **changes: object) -> Compared:
    """The comparison on 2026-02-02."""
    command = WhatIf.model_validate({"patient_id": patient_id, **changes})
    with reading(practice.engine) as db:
        return what_if(db, practice.actor, FEBRUARY, command)


def codes(compared: Compared) -> list[str]:
    """The codes of the changed bill."""
    return [line.code for line in compared.what_if.events()]


def test_no_change_is_the_bill(practice: Practice) -> None:
    """Without changes all four frames are equal to those of the bill."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 17))
    entry = practice.entry(patient_id, episode_id, date(2026, 1, 8), 1300)
    practice.reverse(entry)
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1250)
    practice.service(patient_id, "99490", date(2026, 1, 31), own=True)
    compared = ask(practice, patient_id)
    for name in ("periods", "events", "findings", "progress"):
        bill, other = getattr(compared.bill.outcome, name), getattr(compared.what_if.outcome, name)
        assert bill.to_dict() == other.to_dict(), name
    assert codes(compared) == ["99453", "99454", "99457"]


def test_added_days_and_minutes_earn_what_they_would(practice: Practice) -> None:
    """One day more lifts the supply line; 20 minutes more live time add a management line."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 15))
    compared = ask(
        practice,
        patient_id,
        add_days=[{"episode_id": episode_id, "day": "2026-01-20"}],
        add_entries=[{"episode_id": episode_id, "day": "2026-01-20", "duration_seconds": 1200}],
    )
    assert [line.code for line in compared.bill.events()] == ["99445", "99453"]
    assert codes(compared) == ["99453", "99454", "99457"]


def test_left_out_facts_earn_nothing(practice: Practice) -> None:
    """Without a reading the day is gone; without an entry and its reversal the month is."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    twice = practice.readings(patient_id, episode_id, [date(2026, 1, 2)])
    entry = practice.entry(patient_id, episode_id, date(2026, 1, 8), 1300)
    assert "99454" in codes(ask(practice, patient_id, leave_out_readings=[twice[0].id]))
    both = [twice[0].id, rows[1].id]
    changed = ask(practice, patient_id, leave_out_readings=both, leave_out_entries=[entry.id])
    assert codes(changed) == ["99445", "99453"]


def test_services_and_gates_can_be_tried(practice: Practice) -> None:
    """Another practice's supply line would block ours; a consent would let lines leave."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    other = {"code": "99454", "service_day": "2026-01-15", "own": False}
    assert "99454" not in codes(ask(practice, patient_id, add_services=[other]))
    service = practice.service(patient_id, "99454", date(2026, 1, 15), own=False)
    assert "99454" in codes(ask(practice, patient_id, leave_out_services=[service.id]))
    bare = practice.patient()
    unconsented = practice.episode(bare, consent=False, opened_day=date(2026, 1, 1))
    practice.readings(bare, unconsented, days(date(2026, 1, 1), 16))
    gate = {"episode_id": unconsented, "gate": "consent", "from_day": "2026-01-01"}
    assert codes(ask(practice, bare)) == []
    assert codes(ask(practice, bare, add_gates=[gate])) == ["99453", "99454"]


def test_nothing_is_stored(practice: Practice) -> None:
    """Asking leaves every table as it was."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))

    def counts() -> list[int]:
        with reading(practice.engine) as db:
            tables = METADATA.sorted_tables
            return [db.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]

    before = counts()
    ask(practice, patient_id, add_days=[{"episode_id": episode_id, "day": "2026-01-20"}])
    assert counts() == before


def test_facts_of_other_patients_are_refused(practice: Practice) -> None:
    """A foreign patient, reading, entry or service is not found; a foreign episode is refused."""
    patient_id, _ = practice.enrolled(opened_day=date(2026, 1, 1))
    other, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    (foreign,) = practice.readings(other, episode_id, [date(2026, 1, 1)])
    entry = practice.entry(other, episode_id, date(2026, 1, 8), 60)
    for changes in (
        {"leave_out_readings": [foreign.id]},
        {"leave_out_readings": [uuid4()]},
        {"leave_out_entries": [entry.id]},
        {"leave_out_services": [uuid4()]},
    ):
        with pytest.raises(NotFound):
            ask(practice, patient_id, **changes)
    with pytest.raises(InvalidRequest):
        ask(practice, patient_id, add_days=[{"episode_id": episode_id, "day": "2026-01-20"}])
    with pytest.raises(NotFound):
        ask(Practice.opened(practice.engine, practice.now), patient_id)


def test_asking_needs_permission(practice: Practice) -> None:
    """An actor who may not read the ledger is refused."""
    patient_id, _ = practice.enrolled()
    nobody = Actor(practice.actor.organization_id, None, None, "auditor", frozenset(), "Al")
    with reading(practice.engine) as db, pytest.raises(NotAllowed):
        what_if(db, nobody, FEBRUARY, WhatIf(patient_id=patient_id))

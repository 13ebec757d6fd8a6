"""Promise R18: a correction shows everything, through the product's own history; both engines."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from ledger_practice import Practice
from promised import Promised
from sqlalchemy.engine import Engine

from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.correction_history import entry_history, reading_history
from rpm.actions.exclude_reading import (
    ExcludeReading,
    LiftExclusion,
    exclude_reading,
    lift_exclusion,
)
from rpm.actions.log_entry import LogEntry, log_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry

OPENED = date(2026, 1, 1)
CLOSED_AT = datetime(2026, 2, 2, 15, tzinfo=UTC)


def typed(practice: Practice, patient_id: UUID, draw: Random, **values: Any) -> InteractionEntry:
    """An entry typed by a person, through the action."""
    command = LogEntry.model_validate(
        {
            "client_id": str(uuid4()),
            "patient_id": str(patient_id),
            "started_at": f"2026-01-{draw.randrange(2, 28):02d}T15:00:00Z",
            "duration_seconds": draw.randrange(60, 3_000),
            "role": "rn",
            "work": "RPM",
            "mode": "live",
            "activity": "call",
        }
        | values
    )
    with transaction(practice.engine) as db:
        return log_entry(db, practice.actor, practice.now, command).entries[0]


def closed(practice: Practice) -> None:
    """January is closed."""
    with transaction(practice.engine) as db:
        close_month(db, practice.actor, practice.now, CloseMonth(month="2026-01"))


def entry_correction(practice: Practice, draw: Random, *, late: bool) -> None:
    """A wrong entry is taken back and written anew; its history tells all of it."""
    patient_id, _ = practice.enrolled(opened_day=OPENED)
    original = typed(practice, patient_id, draw)
    if late:
        closed(practice)
        practice.now += timedelta(days=3)
    with transaction(practice.engine) as db:
        command = ReverseEntry(entry_id=original.id, reason="wrong length")
        reversal = reverse_entry(db, practice.actor, practice.now, command).reversal
    anew = typed(
        practice, patient_id, draw, replaces_id=str(original.id), reason="the length of the call"
    )
    for asked in (original, reversal, anew):
        with reading(practice.engine) as db:
            steps = entry_history(db, Scope.of(practice.actor), asked.id)
        assert [(one.part, one.id, one.undoes_id) for one in steps] == [
            ("original", original.id, None),
            ("reversal", reversal.id, original.id),
            ("replacement", anew.id, original.id),
        ]
        assert [one.reason for one in steps] == [None, "wrong length", "the length of the call"]
        assert {one.recorded_by for one in steps} == {"Bo Admin"}
        assert [one.recorded_at for one in steps[1:]] == [practice.now] * 2
        assert [one.happened_at for one in steps] == [
            original.started_at,
            original.started_at,
            anew.started_at,
        ]
        assert [one.after_close for one in steps] == [False, late, late]
        assert steps[1].amount == f"-{steps[0].amount}"


def reading_correction(practice: Practice, draw: Random, *, late: bool) -> None:
    """A reading is excluded and counted again; its history tells all of it."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    day = OPENED + timedelta(days=draw.randrange(28))
    (original,) = practice.readings(patient_id, episode_id, [day])
    if late:
        closed(practice)
        practice.now += timedelta(days=3)
    with transaction(practice.engine) as db:
        wrong = ExcludeReading(reading_id=original.id, reason="taken by a visitor")
        excluded = exclude_reading(db, practice.actor, practice.now, wrong)
    practice.now += timedelta(hours=1)
    with transaction(practice.engine) as db:
        right = LiftExclusion(reading_id=original.id, reason="it was the patient after all")
        lifted = lift_exclusion(db, practice.actor, practice.now, right)
    with reading(practice.engine) as db:
        steps = reading_history(db, Scope.of(practice.actor), original.id)
    assert [(one.part, one.id, one.undoes_id, one.after_close) for one in steps] == [
        ("original", original.id, None, False),
        ("exclusion", excluded.id, original.id, late),
        ("exclusion_lifted", lifted.id, excluded.id, late),
    ]
    assert [one.reason for one in steps] == [
        None,
        "taken by a visitor",
        "it was the patient after all",
    ]
    assert {one.recorded_by for one in steps} == {"Bo Admin"}
    assert steps[0].happened_at == original.measured_at
    assert [one.local_day for one in steps] == [day] * 3
    assert steps[1].recorded_at < steps[2].recorded_at == practice.now


@pytest.mark.promise("R18")
def test_a_correction_shows_everything(engine: Engine, promised: Promised) -> None:
    """Original, reversal, replacement, author, reason, both times and late mark, of every one."""
    cases = promised.count(100, 4)
    for seed in range(cases):
        draw = Random(seed)
        correct = draw.choice((entry_correction, reading_correction))
        correct(Practice.opened(engine, CLOSED_AT), draw, late=draw.random() < 0.5)
    name = "SQLite" if engine.dialect.name == "sqlite" else "PostgreSQL"
    promised.reached(f"{name}: {cases} of {cases} corrections of entries and readings complete")

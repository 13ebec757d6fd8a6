"""Facts are counted when they are committed, and only then."""

from uuid import uuid4

import pytest
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.clock import Clock
from rpm.store.chain import Record, recording
from rpm.store.engine import transaction
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.people import Patient
from rpm.web.metrics import Metrics


def add_entries(record: Record, clock: Clock, count: int) -> None:
    """A patient with this many entries."""
    now = clock.now()
    patient = record.add(
        Patient(
            record_number=uuid4().hex,
            family_name="Example",
            given_name="Pat",
            birth_date=now.date(),
            sex="unknown",
            timezone="America/New_York",
        )
    )
    for _ in range(count):
        record.add(
            InteractionEntry(
                client_id=uuid4(),
                patient_id=patient.id,
                actor_name="Nora",
                role="rn",
                work="RPM",
                mode="live",
                local_day=now.date(),
                duration_seconds=60,
                zone="America/New_York",
                activity="call",
                origin="typed",
            )
        )


def counted(metrics: Metrics) -> float:
    """How many entries were counted."""
    text = bytes(metrics.response().body).decode()
    (line,) = [row for row in text.splitlines() if row.startswith("rpm_ledger_entries_total")]
    return float(line.split()[1])


def fail_after_entries(engine: Engine, actor: Actor, clock: Clock) -> None:
    """A transaction that inserts five entries and then fails."""
    with transaction(engine) as session, recording(session, actor, clock.now(), "b") as record:
        add_entries(record, clock, 5)
        record.flush()
        raise ZeroDivisionError


def test_entries_are_counted_at_commit(engine: Engine, actor: Actor, clock: Clock) -> None:
    """Committed entries count one by one; those of a transaction that failed do not."""
    metrics = Metrics()
    metrics.watch(engine)
    with transaction(engine) as session, recording(session, actor, clock.now(), "a") as record:
        add_entries(record, clock, 3)
    assert counted(metrics) == 3
    with pytest.raises(ZeroDivisionError):
        fail_after_entries(engine, actor, clock)
    with transaction(engine) as session, recording(session, actor, clock.now(), "c") as record:
        add_entries(record, clock, 1)
    assert counted(metrics) == 4

"""A ledger of many rows in a test, made as the service makes one, only with more rows an event."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from ledger_practice import OPENED, Practice

from rpm.store import device_days
from rpm.store.chain import recording
from rpm.store.engine import transaction
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.monitoring import Reading

ROWS_AN_EVENT = 50
_READINGS_A_DAY = 20
_ENTRY_EVERY = 10


def fill(practice: Practice, rows: int, at_once: int = ROWS_AN_EVENT) -> int:
    """Record readings, and an entry for every tenth, of some patients; how many rows were made."""
    charts = [practice.enrolled() for _ in range(10)]
    made = 0
    for start in range(0, rows, at_once):
        patient_id, episode_id = charts[start // at_once % len(charts)]
        day = OPENED + timedelta(days=start // at_once // len(charts))
        count = min(at_once, rows - start)
        entries = count // _ENTRY_EVERY
        with transaction(practice.engine) as db:
            with recording(db, practice.actor, practice.now, "test.fill") as record:
                record.add_values(Reading, _readings(patient_id, episode_id, day, count - entries))
                record.add_values(
                    InteractionEntry, _entries(practice, patient_id, episode_id, day, entries)
                )
            device_days.refresh(db, practice.actor.organization_id, [(episode_id, day)])
        made += count
    return made


def _readings(
    patient_id: UUID, episode_id: UUID, day: date, count: int
) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at = datetime.combine(day, time(13), UTC) + timedelta(seconds=number)
        yield {
            "identity_key": uuid4().hex,
            "vendor": "generic",
            "vendor_device_id": "bp-1",
            "episode_id": episode_id,
            "patient_id": patient_id,
            "kind": "bp",
            "measure": "blood_pressure",
            "components": [{"loinc": "8480-6", "value": str(120 + number % 40), "ucum": "mm[Hg]"}],
            "measured_at": at,
            "vendor_time": at.isoformat(),
            "local_day": day,
            "zone": "America/New_York",
            "zone_origin": "patient",
            "time_quality": "good",
            "received_at": at,
            "received_day": day,
            "entry_method": "automatic",
            "status": "final",
            "countable": True,
            "flags": [],
            "content_hash": uuid4().hex,
        }


def _entries(
    practice: Practice, patient_id: UUID, episode_id: UUID, day: date, count: int
) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "client_id": uuid4(),
            "patient_id": patient_id,
            "episode_id": episode_id,
            "actor_user_id": practice.actor.user_id,
            "actor_name": "Ada Admin",
            "role": "rn",
            "work": "RPM",
            "mode": "live",
            "local_day": day,
            "start_second": 600 * number,
            "duration_seconds": 60,
            "zone": "America/New_York",
            "activity": "call",
            "origin": "typed",
        }

"""Marks: what stands out of listed readings beside others of their patients.

Owns the statements that find the others. Does not own what stands out (``devices.marks``). Marks
are found when readings are shown and stored nowhere: they decide nothing, and a reading that comes
later may bring or take one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from devices.alerts.evaluate import NEVER, seen_values
from devices.counting import QUARANTINED
from devices.marks import Beside, Mark, marks
from rpm.store.device_days import excluded, holds
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Episode, Reading

_DAYS_AROUND = range(-2, 2)
"""Local days on which a reading of the day before or the minute after may lie, in any zone."""


def marks_of(
    db: Session, scope: Scope, rows: Sequence[Reading]
) -> Mapping[UUID, tuple[Mark[UUID], ...]]:
    """The marks of these readings by their ids; two statements."""
    days: dict[UUID, set[date]] = defaultdict(set)
    for row in rows:
        if row.patient_id is not None and row.local_day is not None:
            days[row.patient_id].update(
                row.local_day + timedelta(days=offset) for offset in _DAYS_AROUND
            )
    if not days:
        return {}
    of_patient: dict[UUID, list[Beside[UUID]]] = defaultdict(list)
    for row in _others(db, scope, days):
        beside = _beside(row)
        if row.patient_id is not None and beside is not None:
            of_patient[row.patient_id].append(beside)
    found: dict[UUID, tuple[Mark[UUID], ...]] = {}
    for readings in of_patient.values():
        found |= marks(readings)
    return found


def _others(db: Session, scope: Scope, days: Mapping[UUID, set[date]]) -> Sequence[Reading]:
    """The readings of patients on these days that hold and are not excluded."""
    episodes = db.exec(
        select(Episode.id, Episode.patient_id).where(
            col(Episode.organization_id) == scope.organization_id,
            col(Episode.patient_id).in_(sorted(days)),
        )
    )
    pairs = [(episode, day) for episode, patient in episodes for day in sorted(days[patient])]
    return scope.all_of(
        db,
        Reading,
        tuple_(col(Reading.episode_id), col(Reading.local_day)).in_(pairs),
        holds(),
        ~excluded(scope.organization_id),
    )


def _beside(row: Reading) -> Beside[UUID] | None:
    """None where no time or value is known that could be held to another one."""
    if row.measured_at is None or row.reason_code in NEVER | QUARANTINED:
        return None
    return Beside(
        row.id,
        row.measure,
        row.connection_id or row.import_id,
        row.measured_at,
        (row.audit_number, row.id.hex),
        seen_values(row.measure, row.components),
    )

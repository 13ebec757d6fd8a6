"""Rows of readings, as one batch: they become the same facts as those of a delivery.

Owns the check that a device was with the patient whom the file names. Does not own identity,
versions, or what counts (``reading_batch``, ``judge_reading``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.import_row import NO_PATIENT, RowRefused, RowResult, RowTaken
from rpm.actions.reading_batch import Batch, Source
from rpm.imports.records import ReadingRow
from rpm.store.queries.imports import KnownPatient
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope

_OTHER_PATIENT = "the device was with another patient at this time"


@dataclass(frozen=True)
class JudgedRows:
    """What becomes of some rows; ``batch`` is to be written if it holds anything new."""

    results: list[RowResult]
    batch: Batch

    @property
    def is_new(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.batch.rows or self.batch.conflicts)


def judge_rows(
    db: Session,
    actor: Actor,
    now: datetime,
    source: Source,
    rows: Sequence[ReadingRow],
    patients: Mapping[str, KnownPatient],
) -> JudgedRows:
    """What becomes of rows, under the permission and the organization's lock of the caller.

    A reading for nobody we know, or of a device that was with someone else, is refused; one that
    cannot count is recorded all the same, with its reason.
    """
    organization = organization_of(db, Scope.of(actor))
    batch = Batch.of(db, organization, source, now, [row.reading for row in rows])
    results = [_taken(batch, row, patients) for row in rows]
    return JudgedRows(results, batch)


def _taken(batch: Batch, row: ReadingRow, patients: Mapping[str, KnownPatient]) -> RowResult:
    reading = row.reading
    patient = patients.get(reading.patient_ref or "")
    if patient is None:
        return RowRefused("record_number", NO_PATIENT)
    if _holder(batch, row) not in (None, patient.patient_id):
        return RowRefused("device_id", _OTHER_PATIENT)
    before = len(batch.rows) + len(batch.conflicts)
    result = batch.take(reading)
    new = len(batch.rows) + len(batch.conflicts) > before
    return RowTaken(new, (result.reason,) if new and result.reason else ())


def _holder(batch: Batch, row: ReadingRow) -> UUID | None:
    device = batch.devices.get(row.reading.device_id)
    assignment = device.at(row.reading.measured_at) if device else None
    return assignment.patient_id if assignment else None

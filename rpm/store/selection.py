"""Selection of patients: which patients' facts are read, and how many at a time.

Owns the three ways to say it (all, a run of ids, a list of ids). Does not own what is read of
them. Ids sort by time of creation, so a run of ids is a cheap partition.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlmodel import Session

from rpm.store.tables.base import METADATA

DEFAULT_PARTITION_PATIENTS = 5_000


@dataclass(frozen=True)
class PatientRange:
    """Patients whose ids lie between two ids, both included."""

    first: UUID
    last: UUID


Patients = PatientRange | Sequence[UUID] | None
"""Whose facts: a run of ids, some ids, or (None) everyone's."""


def among(column: Any, patients: Patients) -> ColumnElement[bool]:
    """The condition that a patient id column lies in the selection."""
    if patients is None:
        return true()
    if isinstance(patients, PatientRange):
        between: ColumnElement[bool] = column.between(patients.first, patients.last)
        return between
    some: ColumnElement[bool] = column.in_(list(patients))
    return some


def partitions(
    db: Session, organization_id: UUID, size: int = DEFAULT_PARTITION_PATIENTS
) -> Iterator[PatientRange]:
    """Runs of at most ``size`` patients who have an episode, in order; ValueError below one."""
    if size < 1:
        raise ValueError("a partition holds at least one patient")
    episode = METADATA.tables["episode"]
    patient_ids = (
        db.execute(
            select(episode.c.patient_id)
            .where(episode.c.organization_id == organization_id)
            .distinct()
            .order_by(episode.c.patient_id)
        )
        .scalars()
        .all()
    )
    for start in range(0, len(patient_ids), size):
        part = patient_ids[start : start + size]
        yield PatientRange(part[0], part[-1])

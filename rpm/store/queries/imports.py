"""Reads that only imports need: who is who by the texts of a file, and what stands there already.

Owns these statements. Does not own what makes a row of a file the same as a recorded one
(``rpm.actions.import_*``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, func, select

from rpm.store.scope import Scope
from rpm.store.tables.ledger import OtherService
from rpm.store.tables.monitoring import EpisodeEnd
from rpm.store.tables.people import Patient, User


@dataclass(frozen=True)
class KnownPatient:
    """A patient as a file of readings needs one: who, and in which zone."""

    patient_id: UUID
    timezone: str


@dataclass(frozen=True)
class ServiceContent:
    """What a recorded service says."""

    patient_id: UUID
    code: str
    service_day: date
    own: bool
    practitioner_id: UUID | None
    note: str | None


def patients_by_record_number(db: Session, scope: Scope) -> Mapping[str, KnownPatient]:
    """All patients of the organization by the practice's own record number; one statement."""
    rows = db.exec(
        select(Patient.record_number, Patient.id, Patient.timezone).where(
            col(Patient.organization_id) == scope.organization_id
        )
    )
    return {number: KnownPatient(patient_id, timezone) for number, patient_id, timezone in rows}


def users_named(db: Session, scope: Scope, name: str) -> Sequence[User]:
    """The users of this name, upper and lower case alike."""
    return scope.all_of(db, User, func.lower(col(User.name)) == name.lower())


def ends_of(db: Session, scope: Scope, episode_id: UUID) -> Sequence[EpisodeEnd]:
    """Every end that was recorded of an episode, also those that no longer count."""
    return scope.all_of(db, EpisodeEnd, col(EpisodeEnd.episode_id) == episode_id)


def services_saying(db: Session, scope: Scope, content: ServiceContent) -> int:
    """How many services that say exactly this were recorded, also those taken back since."""
    same = [
        col(getattr(OtherService, name)).is_not_distinct_from(value)
        for name, value in vars(content).items()
    ]
    return db.exec(
        select(func.count())
        .select_from(OtherService)
        .where(
            col(OtherService.organization_id) == scope.organization_id,
            col(OtherService.reverses_id).is_(None),
            *same,
        )
    ).one()

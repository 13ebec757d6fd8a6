"""Reads of the organization, its people, its patients and who pays for them.

Owns look-ups by natural key, coverages with their ends and settings. Does not own permission
(``rpm.access``).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from rpm.access import Actor, permissions_of
from rpm.errors import NotFound
from rpm.store.queries.rows import latest_by, page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Episode, EpisodeEnd
from rpm.store.tables.people import (
    ApiToken,
    Coverage,
    CoverageEnd,
    Organization,
    Patient,
    Payer,
    PracticeSetting,
    Practitioner,
    User,
)
from rpm.store.tables.security import OrganizationHead


@dataclass(frozen=True)
class CoverageState:
    """A coverage with the last day that counts for it; None while it is open."""

    coverage: Coverage
    last_day: date | None


def hold_organization(db: Session, scope: Scope) -> None:
    """Take the organization's lock: what is read from here on stays true until the commit."""
    db.exec(
        select(OrganizationHead.last_number)
        .where(col(OrganizationHead.organization_id) == scope.organization_id)
        .with_for_update()
    ).one_or_none()


def organization_of(db: Session, scope: Scope) -> Organization:
    """The organization of the scope."""
    return db.exec(select(Organization).where(col(Organization.id) == scope.organization_id)).one()


def organization_with_npi(db: Session, npi: str) -> Organization | None:
    """An organization of this installation by its NPI; asked before there is any scope."""
    return db.exec(select(Organization).where(col(Organization.npi) == npi)).first()


def patient_with_record_number(db: Session, scope: Scope, record_number: str) -> Patient | None:
    """The patient under the practice's own record number."""
    return db.exec(
        scope.rows(Patient).where(col(Patient.record_number) == record_number)
    ).one_or_none()


def names_of_patients(db: Session, scope: Scope, patient_ids: Collection[UUID]) -> dict[UUID, str]:
    """``Family, Given`` of some patients."""
    rows = scope.all_of(db, Patient, col(Patient.id).in_(patient_ids)) if patient_ids else ()
    return {row.id: f"{row.family_name}, {row.given_name}" for row in rows}


def practitioner_with_npi(db: Session, scope: Scope, npi: str) -> Practitioner | None:
    """The practitioner of this NPI."""
    return db.exec(scope.rows(Practitioner).where(col(Practitioner.npi) == npi)).one_or_none()


def payer_with_key(db: Session, scope: Scope, key: str) -> Payer | None:
    """The payer under its key of the rule book."""
    return db.exec(scope.rows(Payer).where(col(Payer.key) == key)).one_or_none()


def user_with_email(db: Session, scope: Scope, email: str) -> User | None:
    """The user of this address, upper and lower case alike."""
    return db.exec(
        scope.rows(User).where(func.lower(col(User.email)) == email.lower())
    ).one_or_none()


def actor_of_user(db: Session, scope: Scope, named: str) -> Actor:
    """The user of an address or id, with what the role may do; ``NotFound`` for none at work."""
    found = user_with_email(db, scope, named)
    if found is None:
        found = next((row for row in scope.all_of(db, User) if named in _ids(row.id)), None)
    if found is None or not found.active:
        raise NotFound("there is no such user in this practice")
    permissions = permissions_of(found.role)
    return Actor(scope.organization_id, found.id, None, found.role, permissions, found.name)


def _ids(row_id: UUID) -> set[str]:
    return {str(row_id), row_id.hex}


def tokens_of_user(db: Session, scope: Scope, user_id: UUID) -> Sequence[ApiToken]:
    """All tokens of a user, also expired and revoked ones."""
    return scope.all_of(db, ApiToken, col(ApiToken.user_id) == user_id)


def coverages_of(db: Session, scope: Scope, patient_id: UUID) -> list[CoverageState]:
    """The coverages of a patient in order of their first day, each with the end that counts."""
    rows = scope.all_of(db, Coverage, col(Coverage.patient_id) == patient_id)
    ends = latest_by(db, scope, CoverageEnd, "coverage_id", [row.id for row in rows])
    states = [
        CoverageState(row, ends[row.id].last_day if row.id in ends else row.to_day) for row in rows
    ]
    return sorted(states, key=lambda state: (state.coverage.from_day, state.coverage.id))


def practice_settings(db: Session, scope: Scope) -> dict[str, PracticeSetting]:
    """The setting that counts under each key."""
    rows = db.exec(
        scope.rows(PracticeSetting).order_by(
            col(PracticeSetting.audit_number), col(PracticeSetting.id)
        )
    )
    return {row.key: row for row in rows}


def patients_page(
    db: Session,
    scope: Scope,
    *,
    program: str | None = None,
    record_number: str | None = None,
    family_name: str | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> Sequence[Patient]:
    """Patients, in the order they were registered.

    ``program``: only those with an open episode of it; ``family_name``: its beginning.
    """
    conditions: list[Any] = []
    if record_number is not None:
        conditions.append(col(Patient.record_number) == record_number)
    if family_name is not None:
        conditions.append(
            func.lower(col(Patient.family_name)).startswith(family_name.lower(), autoescape=True)
        )
    if program is not None:
        conditions.append(col(Patient.id).in_(_monitored(scope, program)))
    return page_of(db, scope, Patient, *conditions, after=after, limit=limit)


def _monitored(scope: Scope, program: str) -> Any:
    last = (
        select(
            EpisodeEnd.episode_id,
            func.max(EpisodeEnd.audit_number).label("audit_number"),
        )
        .where(col(EpisodeEnd.organization_id) == scope.organization_id)
        .group_by(col(EpisodeEnd.episode_id))
        .subquery()
    )
    ended = (
        select(EpisodeEnd.episode_id)
        .join(
            last,
            (last.c.episode_id == col(EpisodeEnd.episode_id))
            & (last.c.audit_number == col(EpisodeEnd.audit_number)),
        )
        .where(
            col(EpisodeEnd.organization_id) == scope.organization_id,
            col(EpisodeEnd.last_day).is_not(None),
        )
    )
    return select(Episode.patient_id).where(
        col(Episode.organization_id) == scope.organization_id,
        col(Episode.program) == program,
        col(Episode.id).not_in(ended),
    )

"""Reads of sites: all of them, where a patient belongs, and to which a user is limited.

Owns the look-ups. Does not own what follows from them (``rpm.store.scope``).
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, func, select

from rpm.store.scope import Scope, counts_now
from rpm.store.tables.sites import PatientSite, Site, UserSites


def sites_of(db: Session, scope: Scope) -> Sequence[Site]:
    """The sites by name; those of the actor where it is limited to some."""
    rows = scope.all_of(db, Site)
    mine = scope.actor.site_ids
    return sorted(
        (row for row in rows if mine is None or row.id in mine),
        key=lambda row: (row.name.casefold(), row.id),
    )


def site_with_name(db: Session, scope: Scope, name: str) -> Site | None:
    """The site of this name."""
    return db.exec(scope.rows(Site).where(col(Site.name) == name)).one_or_none()


def site_of_patient(db: Session, scope: Scope, patient_id: UUID) -> UUID | None:
    """Where a patient belongs now; None for nowhere."""
    row = db.exec(
        scope.rows(PatientSite)
        .where(col(PatientSite.patient_id) == patient_id)
        .order_by(col(PatientSite.audit_number).desc())
        .limit(1)
    ).first()
    return row.site_id if row is not None else None


def counts_of_sites(db: Session, scope: Scope) -> dict[UUID, int]:
    """How many patients belong to each site now; without those that have none."""
    rows = db.exec(
        select(PatientSite.site_id, func.count())
        .where(
            col(PatientSite.organization_id) == scope.organization_id,
            col(PatientSite.site_id).is_not(None),
            counts_now(),
        )
        .group_by(col(PatientSite.site_id))
    )
    return {site_id: count for site_id, count in rows if site_id is not None}


def site_ids_of_user(db: Session, scope: Scope, user_id: UUID) -> frozenset[UUID] | None:
    """The sites to which a user is limited now; None for the whole practice."""
    row = db.exec(
        scope.rows(UserSites)
        .where(col(UserSites.user_id) == user_id)
        .order_by(col(UserSites.audit_number).desc())
        .limit(1)
    ).first()
    return frozenset(map(UUID, row.site_ids)) if row is not None and row.site_ids else None

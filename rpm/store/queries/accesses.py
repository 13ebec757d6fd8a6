"""Reads of the trail of accesses.

Owns the look-up by person and by patient. Does not own the writing (``rpm.web.access_trail``).
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col

from rpm.store.scope import Scope
from rpm.store.tables.accesses import AccessRecord


def accesses_page(
    db: Session,
    scope: Scope,
    *,
    user_id: UUID | None = None,
    patient_id: UUID | None = None,
    before: UUID | None = None,
    limit: int,
) -> Sequence[AccessRecord]:
    """Accesses, the latest first; of one person or to one patient where told."""
    query = scope.rows(AccessRecord).order_by(col(AccessRecord.id).desc()).limit(limit)
    if user_id is not None:
        query = query.where(col(AccessRecord.user_id) == user_id)
    if patient_id is not None:
        query = query.where(col(AccessRecord.patient_id) == patient_id)
    if before is not None:
        query = query.where(col(AccessRecord.id) < before)
    return db.exec(query).all()

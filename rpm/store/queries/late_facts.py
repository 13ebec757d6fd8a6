"""Late facts: patients of whom something became known that speaks about days already closed.

Owns the statement. Does not own what it changes (``rpm.actions.billed_changes``).
"""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, union
from sqlmodel import Session

from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA


def patients_with_late_facts(
    db: Session, scope: Scope, after_audit_number: int, before_day: date
) -> list[UUID]:
    """Patients with readings or minutes recorded, replaced or taken out after an audit event.

    Only where they lie on local days before ``before_day``.
    """
    reading, named = METADATA.tables["reading"], METADATA.tables["reading"].alias("named")
    exclusion, entry = METADATA.tables["reading_exclusion"], METADATA.tables["interaction_entry"]

    def later(table: object) -> ColumnElement[bool]:
        columns = table.c  # type: ignore[attr-defined]  # a table or an alias of one
        return and_(
            columns.organization_id == scope.organization_id,
            columns.audit_number > after_audit_number,
        )

    same = named.c.organization_id == scope.organization_id
    parts = (
        select(reading.c.patient_id).where(later(reading), reading.c.local_day < before_day),
        select(named.c.patient_id)
        .join(reading, and_(same, named.c.id == reading.c.supersedes_id))
        .where(later(reading), named.c.local_day < before_day),
        select(named.c.patient_id)
        .join(exclusion, and_(same, named.c.id == exclusion.c.reading_id))
        .where(later(exclusion), named.c.local_day < before_day),
        select(entry.c.patient_id).where(later(entry), entry.c.local_day < before_day),
    )
    found = db.execute(union(*parts)).scalars()
    return sorted(one for one in found if one is not None)

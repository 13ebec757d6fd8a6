"""Reads of the audit events themselves: their numbers, times and actors.

Owns their SELECTs. Does not own the chain (``rpm.store.chain``, ``rpm.store.verify``).
"""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, func, select

from rpm.store.chain import chain_head
from rpm.store.scope import Scope
from rpm.store.tables.security import AuditEvent


def last_number_before(db: Session, scope: Scope, instant: datetime) -> int:
    """The number of the last event before the first one recorded at an instant or later; 0: none.

    Numbers are in order of commit. Where a clock was set back, nothing that carries a later time
    is taken for known.
    """
    first_after = db.exec(
        select(func.min(col(AuditEvent.number))).where(
            col(AuditEvent.organization_id) == scope.organization_id,
            col(AuditEvent.recorded_at) >= instant,
        )
    ).one()
    if first_after is None:
        return chain_head(db, scope.organization_id).number
    return first_after - 1


def events_by_number(db: Session, scope: Scope, numbers: Collection[int]) -> dict[int, AuditEvent]:
    """Audit events by their numbers."""
    found = db.exec(
        select(AuditEvent).where(
            col(AuditEvent.organization_id) == scope.organization_id,
            col(AuditEvent.number).in_(numbers),
        )
    )
    return {event.number: event for event in found}

"""Reads of the audit events themselves: their numbers, times and actors, and the search in them.

Owns their SELECTs. Does not own the chain (``rpm.store.chain``, ``rpm.store.verify``).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, type_coerce
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


@dataclass(frozen=True)
class AuditFilter:
    """Which events to find; instants of recording, the first included, the last not."""

    user_id: UUID | None = None
    area: str | None = None  # the first word of the action, such as ``chart``
    patient_id: UUID | None = None
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None


def audit_page(
    db: Session, scope: Scope, chosen: AuditFilter, *, before: int | None = None, limit: int = 200
) -> Sequence[AuditEvent]:
    """Events, the last one first; ``before`` is the number of the last one already seen."""
    query = (
        select(AuditEvent)
        .where(
            col(AuditEvent.organization_id) == scope.organization_id,
            *_conditions(chosen),
        )
        .order_by(col(AuditEvent.number).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(AuditEvent.number) < before)
    return db.exec(query).all()


def _conditions(chosen: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if chosen.user_id is not None:
        by = type_coerce(AuditEvent.actor, JSON)["user_id"].as_string()
        yield by == chosen.user_id.hex
    if chosen.area is not None:
        yield col(AuditEvent.action).startswith(f"{chosen.area}.", autoescape=True)
    if chosen.patient_id is not None:
        about = type_coerce(AuditEvent.subject, JSON)["patient_id"].as_string()
        yield about == chosen.patient_id.hex
    if chosen.recorded_from is not None:
        yield col(AuditEvent.recorded_at) >= chosen.recorded_from
    if chosen.recorded_before is not None:
        yield col(AuditEvent.recorded_at) < chosen.recorded_before

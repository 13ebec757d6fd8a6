"""What alerts look at: readings and dead letters recorded since a position, and readings around.

Owns these statements and the position's row. Does not own what is made of them
(``rpm.actions.evaluate_alerts``). Audit numbers are in commit order: nothing that commits later
gets a number below a position.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from rpm.store.device_days import excluded, holds
from rpm.store.queries.connections import DEAD_LETTER
from rpm.store.scope import Scope
from rpm.store.tables.alerts import AlertMark
from rpm.store.tables.monitoring import Delivery, Episode, Reading


def through_number(db: Session, scope: Scope, start: int, head: int, at_most: int) -> int | None:
    """How far the next portion reaches; None when no reading or delivery was recorded since.

    About ``at_most`` readings, more where one event recorded more.
    """
    newer = (
        select(col(Reading.audit_number))
        .where(
            col(Reading.organization_id) == scope.organization_id,
            col(Reading.audit_number) > start,
        )
        .order_by(col(Reading.audit_number))
    )
    full = db.execute(newer.offset(at_most - 1).limit(1)).scalar_one_or_none()
    if full is not None:
        return int(full)
    last = max(_latest(db, scope, table, start) for table in (Reading, Delivery))
    return head if last > start else None


def _latest(db: Session, scope: Scope, table: type[Reading | Delivery], start: int) -> int:
    newest = db.execute(
        select(func.max(col(table.audit_number))).where(
            col(table.organization_id) == scope.organization_id,
            col(table.audit_number) > start,
        )
    ).scalar_one()
    return newest or 0


def readings_between(db: Session, scope: Scope, start: int, through: int) -> Sequence[Reading]:
    """Readings recorded after one position and up to another that hold and are a patient's."""
    return scope.all_of(
        db,
        Reading,
        col(Reading.audit_number) > start,
        col(Reading.audit_number) <= through,
        col(Reading.patient_id).is_not(None),
        holds(),
        ~excluded(scope.organization_id),
    )


def readings_around(
    db: Session, scope: Scope, patient_id: UUID, days: tuple[date, date]
) -> Sequence[Reading]:
    """A patient's readings of some local days, both included, that hold and are not excluded."""
    episodes = select(col(Episode.id)).where(
        col(Episode.organization_id) == scope.organization_id,
        col(Episode.patient_id) == patient_id,
    )
    return scope.all_of(
        db,
        Reading,
        col(Reading.episode_id).in_(episodes),
        col(Reading.local_day).between(*days),
        holds(),
        ~excluded(scope.organization_id),
    )


def dead_letters_between(db: Session, scope: Scope, start: int, through: int) -> Sequence[Delivery]:
    """Deliveries recorded between two positions that could not be read when they came."""
    return scope.all_of(
        db,
        Delivery,
        col(Delivery.audit_number) > start,
        col(Delivery.audit_number) <= through,
        col(Delivery.state) == DEAD_LETTER,
    )


def held_mark(db: Session, scope: Scope) -> int:
    """The position, locked until the commit."""
    return int(
        db.execute(
            select(col(AlertMark.looked_through))
            .where(col(AlertMark.organization_id) == scope.organization_id)
            .with_for_update()
        ).scalar_one()
    )


def move_mark(db: Session, scope: Scope, through: int) -> None:
    """Look from here on next time."""
    db.connection().execute(
        update(AlertMark)
        .where(col(AlertMark.organization_id) == scope.organization_id)
        .values(looked_through=through)
    )

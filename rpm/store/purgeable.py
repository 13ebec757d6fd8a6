"""What may be removed: payloads of old deliveries that nothing holds.

Owns the choice. Does not own who decides (``rpm.actions.order_purge``) nor the removal
(``rpm.actions.run_purge``). Where it cannot be told whose a delivery is, a hold of any patient
keeps it; one that could not be read and waits for a fix is never chosen.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from rpm.store.queries.connections import still_waits
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Delivery, Reading
from rpm.store.tables.retention import LegalHold, Tombstone

DELIVERY = str(Delivery.__tablename__)
_AT_ONCE = 500


@dataclass
class Purgeable:
    """Deliveries that are old enough: those that may go, and how many must stay."""

    free: list[UUID] = field(default_factory=list)
    held: int = 0


def standing_holds(db: Session, scope: Scope) -> Sequence[LegalHold]:
    """Holds that were not lifted, in the order they were placed."""
    lifted = select(LegalHold.lifts_id).where(
        col(LegalHold.organization_id) == scope.organization_id,
        col(LegalHold.lifts_id).is_not(None),
    )
    return scope.all_of(
        db, LegalHold, col(LegalHold.lifts_id).is_(None), col(LegalHold.id).not_in(lifted)
    )


def purgeable(db: Session, scope: Scope, received_before: datetime) -> Purgeable:
    """Deliveries that arrived before an instant and still have their payload."""
    holds = standing_holds(db, scope)
    found = Purgeable()
    for deliveries in _old(db, scope, received_before):
        if not holds:
            found.free += deliveries
        elif any(hold.patient_id is None for hold in holds):
            found.held += len(deliveries)
        else:
            held = {hold.patient_id for hold in holds if hold.patient_id is not None}
            free = _free(db, scope, deliveries, held)
            found.free += free
            found.held += len(deliveries) - len(free)
    return found


def _old(db: Session, scope: Scope, received_before: datetime) -> Iterator[Mapping[UUID, int]]:
    """Ids of old deliveries in parts, each with how many items it brought."""
    gone = select(Tombstone.row_id).where(
        col(Tombstone.organization_id) == scope.organization_id,
        col(Tombstone.table_name) == DELIVERY,
    )
    after: UUID | None = None
    while True:
        query = (
            select(Delivery.id, Delivery.results)
            .where(
                col(Delivery.organization_id) == scope.organization_id,
                col(Delivery.received_at) < received_before,
                ~still_waits(scope),
                col(Delivery.id).not_in(gone),
            )
            .order_by(col(Delivery.id))
            .limit(_AT_ONCE)
        )
        if after is not None:
            query = query.where(col(Delivery.id) > after)
        rows = db.exec(query).all()
        if not rows:
            return
        yield {row_id: len(results) for row_id, results in rows}
        after = rows[-1][0]


def _free(
    db: Session, scope: Scope, deliveries: Mapping[UUID, int], held: Collection[UUID]
) -> list[UUID]:
    """Those whose every item is a reading of a patient that nothing holds, in all its versions."""
    first, version = aliased(Reading), aliased(Reading)
    query = (
        select(first.delivery_id, first.id, version.patient_id)
        .join(
            version,
            (col(version.organization_id) == col(first.organization_id))
            & (col(version.identity_key) == col(first.identity_key)),
        )
        .where(
            col(first.organization_id) == scope.organization_id,
            col(first.delivery_id).in_(list(deliveries)),
        )
    )
    readings: dict[UUID, set[UUID]] = {}
    stays: set[UUID] = set()
    for delivery_id, reading_id, patient_id in db.exec(query):
        if delivery_id is None:
            continue
        readings.setdefault(delivery_id, set()).add(reading_id)
        if patient_id is None or patient_id in held:
            stays.add(delivery_id)
    return [
        row_id
        for row_id, items in deliveries.items()
        if row_id not in stays and len(readings.get(row_id, ())) >= max(items, 1)
    ]


def is_purged(db: Session, scope: Scope, delivery_id: UUID) -> bool:
    """Whether the payload of a delivery was removed."""
    query = scope.rows(Tombstone).where(
        col(Tombstone.table_name) == DELIVERY, col(Tombstone.row_id) == delivery_id
    )
    return db.exec(query).first() is not None

"""Replays: what a delivery left behind when it was read before.

Owns these statements. Does not own what a replay brings (``rpm.actions.replay_delivery``).
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from rpm.store.tables.monitoring import Reading, RejectedItem


def readings_with_ids(
    db: Session, organization_id: UUID, reading_ids: Collection[UUID]
) -> Mapping[UUID, Reading]:
    """Readings by id; without those that are not here."""
    rows = db.exec(
        select(Reading).where(
            col(Reading.organization_id) == organization_id, col(Reading.id).in_(reading_ids)
        )
    )
    return {row.id: row for row in rows}


def rejected_places(db: Session, organization_id: UUID, delivery_id: UUID) -> frozenset[str]:
    """Where in a delivery items could not be read, such as ``readings[3]``."""
    return frozenset(
        db.exec(
            select(RejectedItem.place).where(
                col(RejectedItem.organization_id) == organization_id,
                col(RejectedItem.delivery_id) == delivery_id,
            )
        )
    )

"""Reads of holds and purges for people: who placed or ordered them, and how far each is.

Owns their SELECTs. Does not own what may go (``rpm.store.purgeable``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.retention import PurgeApproval, PurgeOrder, Tombstone


@dataclass(frozen=True)
class OrderState:
    """An order, its approval, and how many payloads it removed."""

    order: PurgeOrder
    approval: PurgeApproval | None
    removed: int


def orders_page(
    db: Session, scope: Scope, *, after: UUID | None, limit: int
) -> Sequence[OrderState]:
    """Orders as they were given, each with how far it is."""
    rows = page_of(db, scope, PurgeOrder, after=after, limit=limit)
    ids = [row.id for row in rows]
    found = scope.all_of(db, PurgeApproval, col(PurgeApproval.order_id).in_(ids))
    approvals = {row.order_id: row for row in found}
    counted = db.exec(
        select(Tombstone.order_id, func.count())
        .where(
            col(Tombstone.organization_id) == scope.organization_id,
            col(Tombstone.order_id).in_(ids),
        )
        .group_by(col(Tombstone.order_id))
    )
    removed = {order_id: int(count) for order_id, count in counted}
    return [OrderState(row, approvals.get(row.id), removed.get(row.id, 0)) for row in rows]

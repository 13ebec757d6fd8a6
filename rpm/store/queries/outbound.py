"""Outbound: receivers, events and how far each telling is.

Owns these statements. Does not own what is sent (``rpm.actions``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from rpm.store.scope import Scope
from rpm.store.tables.outbound import Endpoint, OutboundDelivery, OutboundEvent

STATES = ("waiting", "sent", "dead")


def open_endpoints(db: Session, scope: Scope) -> Sequence[Endpoint]:
    """Receivers that are not retired, in the order they were made."""
    return scope.all_of(db, Endpoint, col(Endpoint.retired_at).is_(None))


def list_deliveries(
    db: Session,
    scope: Scope,
    *,
    state: str | None = None,
    endpoint_id: UUID | None = None,
    after: tuple[UUID, UUID] | None = None,
    limit: int = 200,
) -> Sequence[tuple[OutboundDelivery, OutboundEvent]]:
    """Deliveries with their events, in the order of events; ``after`` is event and receiver."""
    conditions: list[Any] = [col(OutboundDelivery.organization_id) == scope.organization_id]
    if state is not None:
        conditions.append(col(OutboundDelivery.state) == state)
    if endpoint_id is not None:
        conditions.append(col(OutboundDelivery.endpoint_id) == endpoint_id)
    event, endpoint = col(OutboundDelivery.event_id), col(OutboundDelivery.endpoint_id)
    if after is not None:
        conditions.append((event > after[0]) | ((event == after[0]) & (endpoint > after[1])))
    statement = (
        select(OutboundDelivery, OutboundEvent)
        .join(
            OutboundEvent,
            (col(OutboundEvent.organization_id) == col(OutboundDelivery.organization_id))
            & (col(OutboundEvent.id) == event),
        )
        .where(*conditions)
        .order_by(event, endpoint)
        .limit(limit)
    )
    return [(delivery, told) for delivery, told in db.exec(statement)]


def hold_next(
    db: Session, scope: Scope, now: datetime, hold: timedelta, without: Collection[UUID]
) -> tuple[OutboundDelivery, OutboundEvent, Endpoint] | None:
    """The next delivery that is due, held for one sender; None when none is.

    ``without`` are receivers to be left alone. One whose sender died is due when its hold ends.
    """
    held = col(OutboundDelivery.held_until)
    delivery = db.exec(
        select(OutboundDelivery)
        .where(
            col(OutboundDelivery.organization_id) == scope.organization_id,
            col(OutboundDelivery.state) == "waiting",
            col(OutboundDelivery.next_at) <= now,
            held.is_(None) | (held <= now),
            col(OutboundDelivery.endpoint_id).not_in(sorted(without)),
        )
        .order_by(col(OutboundDelivery.next_at), col(OutboundDelivery.event_id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if delivery is None:
        return None
    change_delivery(db, delivery, held_until=now + hold)
    event = scope.get(db, OutboundEvent, delivery.event_id)
    return delivery, event, scope.get(db, Endpoint, delivery.endpoint_id)


def change_delivery(db: Session, delivery: OutboundDelivery, **values: Any) -> None:
    """Write how far a delivery is."""
    db.connection().execute(
        update(OutboundDelivery)
        .where(
            col(OutboundDelivery.organization_id) == delivery.organization_id,
            col(OutboundDelivery.event_id) == delivery.event_id,
            col(OutboundDelivery.endpoint_id) == delivery.endpoint_id,
        )
        .values(**values)
    )

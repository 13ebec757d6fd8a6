"""Connections and deliveries: the door a sender knocks on, and what came through it.

Owns these statements. Does not own secrets (``rpm.actions.manage_connections``) nor what is done
with a delivery (``rpm.actions.take_delivery``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from rpm.access import token_hash
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery, DeliveryReplay

READ = "read"
DEAD_LETTER = "dead_letter"
PULLED = "pulled"
"""Among the headers kept of a delivery: it was fetched, and what is needed to read it again."""


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries to find; instants of arrival, the first included, the last not."""

    vendor: str | None = None
    connection_id: UUID | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    ids: Sequence[UUID] | None = None


def connection_of_token(db: Session, vendor: str, token: str) -> Connection | None:
    """The connection behind the token of a webhook's address, in whatever organization."""
    return db.exec(
        select(Connection).where(
            col(Connection.token_hash) == token_hash(token),
            col(Connection.vendor) == vendor,
            col(Connection.retired_at).is_(None),
        )
    ).first()


def connections_by_id(
    db: Session, organization_id: UUID, connection_ids: Collection[UUID]
) -> Mapping[UUID, Connection]:
    """These connections as they stand now, retired or not."""
    rows = db.exec(
        select(Connection).where(
            col(Connection.organization_id) == organization_id,
            col(Connection.id).in_(connection_ids),
        )
    )
    return {row.id: row for row in rows}


def deliveries_like(
    db: Session, organization_id: UUID, contents: Collection[tuple[UUID, str]]
) -> Sequence[Delivery]:
    """The deliveries that came before with the same connection and fingerprint."""
    wanted = set(contents)
    found = db.exec(
        select(Delivery).where(
            col(Delivery.organization_id) == organization_id,
            col(Delivery.connection_id).in_({connection_id for connection_id, _ in wanted}),
            col(Delivery.fingerprint).in_({fingerprint for _, fingerprint in wanted}),
        )
    )
    return [row for row in found if (row.connection_id, row.fingerprint) in wanted]


def last_delivered(
    db: Session, organization_id: UUID, connection_ids: Sequence[UUID]
) -> dict[UUID, datetime]:
    """When the latest stored delivery of each came; without those through which none did.

    A delivery that is sent again is not stored again and does not count here.
    """
    latest = (
        select(func.max(col(Delivery.received_at)))
        .where(
            col(Delivery.organization_id) == col(Connection.organization_id),
            col(Delivery.connection_id) == col(Connection.id),
        )
        .scalar_subquery()
    )
    found = db.exec(
        select(Connection.id, latest).where(
            col(Connection.organization_id) == organization_id,
            col(Connection.id).in_(connection_ids),
        )
    )
    return {connection_id: at for connection_id, at in found if at is not None}


def latest_replay(db: Session, organization_id: UUID, delivery_id: UUID) -> DeliveryReplay | None:
    """The last attempt to read a dead letter again, or None."""
    return db.exec(
        select(DeliveryReplay)
        .where(
            col(DeliveryReplay.organization_id) == organization_id,
            col(DeliveryReplay.delivery_id) == delivery_id,
        )
        .order_by(col(DeliveryReplay.audit_number).desc())
        .limit(1)
    ).first()


def dead_letters(
    db: Session, scope: Scope, chosen: DeliveryFilter, *, after: UUID | None, limit: int
) -> Sequence[Delivery]:
    """Deliveries that could not be read and still wait, in the order they came."""
    return page_of(
        db,
        scope,
        Delivery,
        *_conditions(scope, chosen),
        still_waits(scope),
        after=after,
        limit=limit,
    )


def still_waits(scope: Scope) -> ColumnElement[bool]:
    """That a delivery could not be read and was not read again since."""
    read_since = select(DeliveryReplay.delivery_id).where(
        col(DeliveryReplay.organization_id) == scope.organization_id,
        col(DeliveryReplay.state) == READ,
    )
    return (col(Delivery.state) == DEAD_LETTER) & col(Delivery.id).not_in(read_since)


def _conditions(scope: Scope, chosen: DeliveryFilter) -> list[Any]:
    conditions: list[Any] = [col(Delivery.organization_id) == scope.organization_id]
    if chosen.vendor is not None:
        conditions.append(col(Delivery.vendor) == chosen.vendor)
    if chosen.connection_id is not None:
        conditions.append(col(Delivery.connection_id) == chosen.connection_id)
    if chosen.received_from is not None:
        conditions.append(col(Delivery.received_at) >= chosen.received_from)
    if chosen.received_before is not None:
        conditions.append(col(Delivery.received_at) < chosen.received_before)
    if chosen.ids is not None:
        conditions.append(col(Delivery.id).in_(chosen.ids))
    return conditions

"""Announce: an event for the receivers that want it, recorded with what it tells of.

Owns the types of events and the rows in the same transaction. Does not own sending
(``send_events``). An event holds ids only: who wants to know more asks the API.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from rpm.ids import uuid7
from rpm.store.chain import Record
from rpm.store.queries.outbound import open_endpoints
from rpm.store.scope import Scope
from rpm.store.tables.outbound import Endpoint, OutboundDelivery, OutboundEvent

TYPES = (
    "alert.opened",
    "alert.acknowledged",
    "alert.acted",
    "alert.closed",
    "alert.escalated",
    "month.closed",
    "endpoint.test",
)
WAITING = "waiting"


def announce(
    db: Session,
    scope: Scope,
    now: datetime,
    record: Record,
    type_: str,
    subjects: Sequence[Mapping[str, Any]],
) -> None:
    """Add an event for each subject, with a delivery for each receiver that wants its type.

    Where nobody wants it, nothing is recorded.
    """
    wanting = [one for one in open_endpoints(db, scope) if wants(one, type_)]
    if wanting:
        for subject in subjects:
            add_event(record, now, type_, subject, wanting)


def add_event(
    record: Record,
    now: datetime,
    type_: str,
    subject: Mapping[str, Any],
    endpoints: Sequence[Endpoint],
) -> OutboundEvent:
    """One event for these receivers."""
    told = {name: str(value) for name, value in subject.items()}
    event = record.add(OutboundEvent(id=uuid7(now), type=type_, subject=told))
    for endpoint in endpoints:
        record.add(
            OutboundDelivery(
                organization_id=event.organization_id,
                event_id=event.id,
                endpoint_id=endpoint.id,
                state=WAITING,
                next_at=now,
            )
        )
    return event


def wants(endpoint: Endpoint, type_: str) -> bool:
    """Whether a receiver asked for this type; one that names none gets all but trials."""
    return type_ in endpoint.types or (not endpoint.types and type_ != "endpoint.test")

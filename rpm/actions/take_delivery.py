"""Take deliveries: an authentic body is stored as it came, and its readings become facts.

Owns what makes a delivery the same, and dead letters. Does not own who may deliver
(``authenticate_delivery``), vendor formats (``devices``), what becomes of an item
(``reading_batch``) nor which deliveries are taken together (``rpm.web.delivery_writer``).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlmodel import Session

from devices.delivery import Incoming, Parsed, UnreadableDeliveryError
from devices.forms import form_fields
from devices.vendor import SOURCES, VENDORS
from rpm.actions.authenticate_delivery import Sender
from rpm.actions.connection_settings import ConnectionSettings
from rpm.actions.reading_batch import Batch, Source
from rpm.actions.take_readings import write_batch
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.connections import (
    DEAD_LETTER,
    PULLED,
    READ,
    deliveries_like,
    latest_replay,
)
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Delivery
from rpm.store.tables.people import Organization

_KEPT_HEADERS = (
    "content-type",
    "content-encoding",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
)
_LONGEST_HEADER = 256
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


Content = tuple[UUID, str]
"""What makes a delivery the same: its connection and its fingerprint."""


@dataclass(frozen=True)
class Arrived:
    """A delivery whose sender is known, and when it came."""

    sender: Sender
    incoming: Incoming
    at: datetime


@dataclass(frozen=True)
class DeliveryAnswer:
    """What the sender is told: read or waiting as a dead letter, and what became of each item."""

    delivery_id: UUID
    state: str
    items: tuple[dict[str, Any], ...]


def take_delivery(db: Session, sender: Sender, now: datetime, incoming: Incoming) -> DeliveryAnswer:
    """``take_deliveries`` for one."""
    (answer,) = take_deliveries(db, [Arrived(sender, incoming, now)])
    return answer


def take_deliveries(db: Session, arrived: Sequence[Arrived]) -> list[DeliveryAnswer]:
    """Store deliveries to one organization and their readings, in this order; an answer for each.

    One that came before is answered as it was then. A body that cannot be read is kept as a dead
    letter: sending it again would not mend it. What one connection sends is one audit event.
    """
    scope = Scope(arrived[0].sender.organization_id, arrived[0].sender.actor)
    hold_organization(db, scope)
    contents = [_content(one) for one in arrived]
    answers = _answered_before(db, scope.organization_id, contents)
    new: dict[UUID, dict[Content, Arrived]] = {}
    for content, one in zip(contents, arrived, strict=True):
        if content not in answers:
            new.setdefault(one.sender.connection_id, {}).setdefault(content, one)
    if new:
        organization = organization_of(db, scope)
        for of_connection in new.values():
            answers |= _recorded(db, organization, of_connection)
    return [answers[content] for content in contents]


def _recorded(
    db: Session, organization: Organization, new: Mapping[Content, Arrived]
) -> dict[Content, DeliveryAnswer]:
    """Deliveries of one connection that did not come before, as one recording."""
    rows = {content: _row(content, one) for content, one in new.items()}
    read = {
        content: parsed_or_problem(one.sender.settings, one.incoming.body)
        for content, one in new.items()
    }
    first = next(iter(new.values())).sender
    subject = {
        "connection_id": first.connection_id,
        "delivery_ids": [row["id"].hex for row in rows.values()],
    }
    now = max(one.at for one in new.values())
    with recording(db, first.actor, now, "delivery.take", subject) as record:
        items = [
            item for found in read.values() if isinstance(found, Parsed) for item in found.items
        ]
        batch = Batch.of(db, organization, Source(first.vendor, first.settings.account), now, items)
        for content, row in rows.items():
            found = read[content]
            if isinstance(found, str):
                row["state"], row["problem"] = DEAD_LETTER, found
                continue
            batch.turn_to(_source(first, row["id"]), row["received_at"])
            row["results"] = [batch.take(item).as_json() for item in found.items]
        record.add_values(Delivery, rows.values())
        write_batch(db, record, batch)
    return {
        content: DeliveryAnswer(row["id"], row["state"], tuple(row["results"]))
        for content, row in rows.items()
    }


def _source(sender: Sender, delivery_id: UUID) -> Source:
    return Source(
        sender.vendor,
        sender.settings.account,
        delivery_id=delivery_id,
        connection_id=sender.connection_id,
    )


def _row(content: Content, one: Arrived) -> dict[str, Any]:
    connection_id, fingerprint = content
    return {
        "id": uuid7(one.at),
        "connection_id": connection_id,
        "vendor": one.sender.vendor,
        "message_id": one.sender.message_id,
        "fingerprint": fingerprint,
        "received_at": one.at,
        "headers": _kept(one.incoming.headers),
        "body": one.incoming.body,
        "state": READ,
        "problem": None,
        "results": [],
    }


def parsed_or_problem(
    settings: ConnectionSettings, body: bytes, headers: Mapping[str, str] = _NO_HEADERS
) -> Parsed | str:
    """The items of an authentic body, or why it cannot be read; the reason holds no content.

    ``headers`` are those kept of a stored delivery: they tell a body that was fetched.
    """
    try:
        if PULLED in headers:
            about = dict(form_fields(headers[PULLED]))
            return SOURCES[settings.vendor].read_again(body, about, settings.chosen)
        return VENDORS[settings.vendor].parse(body, settings.chosen)
    except UnreadableDeliveryError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - a fault of ours must not lose what was sent
        return f"the format's reader failed: {type(error).__name__}"


def source_of(delivery: Delivery, account: str) -> Source:
    """Where the readings of a delivery come from; ``account`` is its connection's."""
    return Source(
        vendor=delivery.vendor,
        account=account,
        delivery_id=delivery.id,
        connection_id=delivery.connection_id,
    )


def _answered_before(
    db: Session, organization_id: UUID, contents: Sequence[Content]
) -> dict[Content, DeliveryAnswer]:
    """As answered before, or as a replay has read it since."""
    answers = {}
    for delivery in deliveries_like(db, organization_id, contents):
        told = latest_replay(db, organization_id, delivery.id) or delivery
        answer = DeliveryAnswer(delivery.id, told.state, tuple(told.results))
        answers[delivery.connection_id, delivery.fingerprint] = answer
    return answers


def _content(one: Arrived) -> Content:
    """The fingerprint is SHA-256, hex, of message id and body.

    Both: a sender that reuses an id for other content loses nothing, and a body sent again under
    another id is another delivery of the same readings.
    """
    head = f"{one.sender.message_id or ''}\n".encode()
    return one.sender.connection_id, hashlib.sha256(head + one.incoming.body).hexdigest()


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    lowered = {name.lower(): value[:_LONGEST_HEADER] for name, value in headers.items()}
    return {name: lowered[name] for name in _KEPT_HEADERS if name in lowered}

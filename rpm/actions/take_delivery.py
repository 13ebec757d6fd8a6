"""Take a delivery: an authentic body is stored as it came, and its readings become facts.

Owns authenticity against a connection, what makes a delivery the same, and dead letters. Does not
own vendor formats (``devices``), what becomes of an item (``reading_batch``) nor the door's
answers (``rpm.web.routes.webhooks``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlmodel import Session

from devices.authenticity import from_allowed_network, verify
from devices.delivery import Incoming, NotAuthentic, Parsed, UnreadableDeliveryError
from devices.forms import form_fields
from devices.vendor import SOURCES, VENDORS
from rpm import errors
from rpm.access import Actor
from rpm.actions.connection_secrets import good_secrets
from rpm.actions.connection_settings import ConnectionSettings, default_settings, settings_of
from rpm.actions.reading_batch import Batch, Source
from rpm.actions.take_readings import write_batch
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.chain import recording
from rpm.store.queries.connections import (
    DEAD_LETTER,
    PULLED,
    READ,
    connection_of_token,
    delivery_with_fingerprint,
    latest_replay,
)
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Delivery

_KEPT_HEADERS = (
    "content-type",
    "content-encoding",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
)
_LONGEST_HEADER = 256
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Sender:
    """An authentic delivery's connection, and the message id its sender gave it, if any."""

    organization_id: UUID
    connection_id: UUID
    vendor: str
    settings: ConnectionSettings
    message_id: str | None

    @property
    def actor(self) -> Actor:
        """Who is named in the audit event: the connection, which may do nothing else."""
        name = f"connection {self.connection_id}"
        return Actor(self.organization_id, None, None, "connection", frozenset(), name)


@dataclass(frozen=True)
class DeliveryAnswer:
    """What the sender is told: read or waiting as a dead letter, and what became of each item."""

    delivery_id: UUID
    state: str
    items: tuple[dict[str, Any], ...]


def authenticate(
    db: Session,
    ring: KeyRing,
    now: datetime,
    vendor: str,
    token: str,
    incoming: Incoming,
) -> Sender:
    """Who sends this, by the address token, the connection's scheme and its source networks.

    ``NotAuthentic`` alike, after the same work, for an unknown address, a retired connection, a
    wrong proof and a foreign network.
    """
    if vendor not in VENDORS:
        raise errors.NotAuthentic("the delivery is not authentic")
    connection = connection_of_token(db, vendor, token)
    secrets = good_secrets(connection, ring, now)
    settings = settings_of(connection) if connection else default_settings(vendor)
    outcome = verify(settings.scheme, incoming, secrets, now)
    from_there = from_allowed_network(settings.networks, incoming.source)
    if connection is None or isinstance(outcome, NotAuthentic) or not from_there:
        raise errors.NotAuthentic("the delivery is not authentic")
    return Sender(connection.organization_id, connection.id, vendor, settings, outcome.message_id)


def take_delivery(db: Session, sender: Sender, now: datetime, incoming: Incoming) -> DeliveryAnswer:
    """Store a delivery and its readings; one that came before is answered as it was then.

    A body that cannot be read is kept as a dead letter: sending it again would not mend it.
    """
    scope = Scope(sender.organization_id, sender.actor)
    hold_organization(db, scope)
    fingerprint = _fingerprint(sender, incoming.body)
    before = delivery_with_fingerprint(
        db, sender.organization_id, sender.connection_id, fingerprint
    )
    if before is not None:
        return _answer_again(db, before)
    delivery = Delivery(
        id=uuid7(now),
        connection_id=sender.connection_id,
        vendor=sender.vendor,
        message_id=sender.message_id,
        fingerprint=fingerprint,
        received_at=now,
        headers=_kept(incoming.headers),
        body=incoming.body,
        state=READ,
        results=[],
    )
    parsed = parsed_or_problem(sender.settings, incoming.body)
    subject = {"connection_id": sender.connection_id, "delivery_id": delivery.id}
    with recording(db, sender.actor, now, "delivery.take", subject) as record:
        if isinstance(parsed, str):
            delivery.state, delivery.problem = DEAD_LETTER, parsed
            record.add(delivery)
        else:
            organization = organization_of(db, scope)
            source = source_of(delivery, sender.settings.account)
            batch = Batch.of(db, organization, source, now, parsed.items)
            delivery.results = [batch.take(item).as_json() for item in parsed.items]
            record.add(delivery)
            write_batch(db, record, batch)
    return DeliveryAnswer(delivery.id, delivery.state, tuple(delivery.results))


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


def _answer_again(db: Session, delivery: Delivery) -> DeliveryAnswer:
    """As answered before, or as a replay has read it since."""
    replay = latest_replay(db, delivery.organization_id, delivery.id)
    told = replay or delivery
    return DeliveryAnswer(delivery.id, told.state, tuple(told.results))


def _fingerprint(sender: Sender, body: bytes) -> str:
    """SHA-256, hex, of message id and body.

    Both: a sender that reuses an id for other content loses nothing, and a body sent again under
    another id is another delivery of the same readings.
    """
    head = f"{sender.message_id or ''}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    lowered = {name.lower(): value[:_LONGEST_HEADER] for name, value in headers.items()}
    return {name: lowered[name] for name in _KEPT_HEADERS if name in lowered}

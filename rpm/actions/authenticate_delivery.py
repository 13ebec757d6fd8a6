"""Who delivers: an address token, a proof and a source network, against a connection.

Owns that check, the doors that are kept opened between deliveries, and the check that a door has
not changed since. Does not own how a proof is checked (``devices.authenticity``) nor secrets
(``connection_secrets``).
"""

import hmac
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from devices.authenticity import from_allowed_network, verify
from devices.delivery import Incoming, NotAuthentic
from devices.vendor import VENDORS
from rpm import errors
from rpm.access import Actor, token_hash
from rpm.actions.connection_secrets import KeptSecret, good_of, kept_secrets
from rpm.actions.connection_settings import ConnectionSettings, default_settings, settings_of
from rpm.keys import KeyRing
from rpm.store.queries.connections import connection_of_token, connections_by_id
from rpm.store.tables.monitoring import Connection

MOST_DOORS = 1_024
"""How many doors are kept opened; the one that was used longest ago is closed first."""


@dataclass(frozen=True)
class Door:
    """What deliveries to an address are checked against; nobody's where no connection is."""

    settings: ConnectionSettings
    secrets: tuple[KeptSecret, ...]
    connection: Connection | None

    def sender(self, now: datetime, incoming: Incoming) -> "Sender | None":
        """Who sends this; None without a good proof from an allowed network."""
        outcome = verify(self.settings.scheme, incoming, good_of(self.secrets, now), now)
        from_there = from_allowed_network(self.settings.networks, incoming.source)
        found = self.connection
        if found is None or isinstance(outcome, NotAuthentic) or not from_there:
            return None
        message_id = outcome.message_id
        return Sender(
            found.organization_id, found.id, found.vendor, self.settings, message_id, door=self
        )

    def is_as(self, connection: Connection | None) -> bool:
        """Whether the connection still is as it was when this door was opened."""
        then = self.connection
        if connection is None or then is None or connection.retired_at is not None:
            return False
        same_secrets = hmac.compare_digest(connection.secret_encrypted, then.secret_encrypted)
        return same_secrets and connection.settings == then.settings


@dataclass(frozen=True)
class Sender:
    """An authentic delivery's connection, and the message id its sender gave it, if any."""

    organization_id: UUID
    connection_id: UUID
    vendor: str
    settings: ConnectionSettings
    message_id: str | None
    door: Door | None = field(default=None, compare=False, repr=False)

    @property
    def actor(self) -> Actor:
        """Who is named in the audit event: the connection, which may do nothing else."""
        name = f"connection {self.connection_id}"
        return Actor(self.organization_id, None, None, "connection", frozenset(), name)


@dataclass
class OpenDoors:
    """The doors through which a process took deliveries lately; used by one thread at a time."""

    ring: KeyRing
    _doors: OrderedDict[tuple[str, str], Door] = field(default_factory=OrderedDict)

    def sender(self, now: datetime, vendor: str, token: str, incoming: Incoming) -> Sender | None:
        """Who sends this, if a door that is kept tells; None says nothing: ask ``authenticate``."""
        place = vendor, token_hash(token)
        door = self._doors.get(place)
        if door is None:
            return None
        self._doors.move_to_end(place)
        return door.sender(now, incoming)

    def keep(self, token: str, sender: Sender) -> None:
        """Keep the door through which a sender came."""
        if sender.door is not None:
            self._doors[sender.vendor, token_hash(token)] = sender.door
            if len(self._doors) > MOST_DOORS:
                self._doors.popitem(last=False)

    def close(self, vendor: str, token: str) -> None:
        """Open it anew next time: the connection has changed."""
        self._doors.pop((vendor, token_hash(token)), None)


def open_door(db: Session, ring: KeyRing, vendor: str, token: str) -> Door:
    """The door behind the token of a webhook's address, as it stands now; nobody's if none is.

    ``NotAuthentic`` for a word that is no vendor's.
    """
    if vendor not in VENDORS:
        raise errors.NotAuthentic("the delivery is not authentic")
    connection = connection_of_token(db, vendor, token)
    settings = settings_of(connection) if connection else default_settings(vendor)
    return Door(settings, kept_secrets(connection, ring), connection)


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
    sender = open_door(db, ring, vendor, token).sender(now, incoming)
    if sender is None:
        raise errors.NotAuthentic("the delivery is not authentic")
    return sender


def changed_doors(db: Session, organization_id: UUID, senders: Collection[Sender]) -> set[UUID]:
    """The connections of these senders that are not any more as they were when they proved it."""
    asked = {sender.connection_id: sender for sender in senders}
    found = connections_by_id(db, organization_id, asked)
    return {
        sender.connection_id
        for sender in senders
        if sender.door is not None and not sender.door.is_as(found.get(sender.connection_id))
    }

"""Manage connections: the doors of vendors, their addresses, secrets and settings.

Owns making a connection, changing its secret with an overlap, changing what a practice decides
about it, and closing it. Does not own what settings there are (``connection_settings``) nor how
secrets are kept (``connection_secrets``). Token and secret are shown once.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from devices.vendor import VENDORS
from rpm.access import Actor, require, token_hash
from rpm.actions.command import Command, Id, Name, OneOf, Reason
from rpm.actions.connection_secrets import RANDOM_BYTES, keep_next_secret, keep_secret, new_secret
from rpm.actions.connection_settings import (
    MOST_NETWORKS,
    Network,
    SchemeChoice,
    changed_settings,
    settings_of,
    starting_settings,
)
from rpm.errors import Conflict
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection

_LONGEST_OVERLAP_HOURS = 24 * 14
_LONGEST_SECRET = 256

GivenSecret = Annotated[
    str | None,
    Field(
        max_length=_LONGEST_SECRET,
        description="The sender's own secret or public key, where it has one; otherwise we make"
        " one and show it once.",
    ),
]
Networks = Annotated[
    list[Network] | None,
    Field(
        max_length=MOST_NETWORKS,
        description="Networks that deliveries may come from, such as `192.0.2.0/24`; none: any.",
    ),
]
Chosen = Annotated[
    dict[str, str],
    Field(
        description="The vendor's settings that are chosen here, by name; docs/vendors.md tells"
        " what each decides.",
    ),
]


class CreateConnection(Command):
    """A door for one vendor."""

    vendor: Annotated[str, OneOf(tuple(sorted(VENDORS)))] = Field(examples=["generic"])
    name: Name = Field(examples=["Gateway of the main office"])
    scheme: SchemeChoice | None = Field(
        default=None, description="How deliveries prove themselves; the vendor's first unless told."
    )
    secret: GivenSecret = None
    settings: Chosen = Field(default_factory=dict)
    networks: Networks = None
    continues_id: Id | None = Field(
        default=None,
        description="An earlier connection of the same sender, such as one whose address leaked:"
        " the sender's ids of readings go on, what was sent before stays known, and its scheme,"
        " settings and networks hold unless told.",
    )


class RotateSecret(Command):
    """A new secret; the one before stays good for some hours."""

    connection_id: Id
    overlap_hours: int = Field(
        default=24,
        ge=0,
        le=_LONGEST_OVERLAP_HOURS,
        description="Hours during which the secret before is still accepted.",
    )
    secret: GivenSecret = None


class ChangeConnection(Command):
    """What a practice decides about a connection; it holds for deliveries that come from now on."""

    connection_id: Id
    settings: Chosen = Field(default_factory=dict)
    networks: Networks = None
    reason: Reason = Field(examples=["unit confirmed by the vendor"])


class RetireConnection(Command):
    """A door that is closed for good."""

    connection_id: Id
    reason: Reason = Field(examples=["vendor changed"])


@dataclass(frozen=True)
class ShownOnce:
    """What a sender needs to be told, and nobody can be told again.

    ``secret`` is None where the sender knows it already or the scheme has none.
    """

    connection: Connection
    secret: str | None = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def path(self) -> str | None:
        """Where the sender posts to; known only when the connection is made."""
        return f"/webhooks/{self.connection.vendor}/{self.token}" if self.token else None


def create_connection(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: CreateConnection
) -> ShownOnce:
    """The connection with its address token and its secret.

    ``Conflict`` when it shall continue a connection of another vendor, ``InvalidRequest`` for a
    scheme, secret, setting or network that does not fit.
    """
    require(actor, "connections:manage")
    earlier = _to_continue(db, actor, command)
    settings = starting_settings(
        command.vendor, earlier, command.scheme, command.settings, command.networks
    )
    token = secrets.token_urlsafe(RANDOM_BYTES)
    connection = Connection(
        organization_id=actor.organization_id,
        id=uuid7(now),
        vendor=command.vendor,
        name=command.name,
        token_hash=token_hash(token),
        secret_encrypted=b"",
        settings=settings,
        created_at=now,
    )
    secret, shown = new_secret(settings_of(connection).scheme.kind, command.secret)
    keep_secret(connection, ring, secret)
    subject = {"connection_id": connection.id}
    with recording(db, actor, now, "connection.create", subject) as record:
        record.add(connection)
    return ShownOnce(connection, shown, token)


def rotate_secret(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: RotateSecret
) -> ShownOnce:
    """A new secret beside the present one, which ends after the overlap.

    ``Conflict`` if the connection is retired or its address is its only secret.
    """
    require(actor, "connections:manage")
    connection = _open_connection(db, actor, command.connection_id)
    secret, shown = new_secret(settings_of(connection).scheme.kind, command.secret)
    if secret is None:
        raise Conflict("the address is its only secret: make a connection that continues it")
    end = now + timedelta(hours=command.overlap_hours)
    subject = {"connection_id": connection.id}
    with recording(db, actor, now, "connection.rotate_secret", subject):
        keep_next_secret(connection, ring, secret, now=now, end=end)
        db.add(connection)
    return ShownOnce(connection, shown)


def change_connection(
    db: Session, actor: Actor, now: datetime, command: ChangeConnection
) -> Connection:
    """The connection with settings and networks changed; the audit event tells which.

    What was read before stays as it was read. ``Conflict`` if the connection is retired,
    ``InvalidRequest`` for what does not fit.
    """
    require(actor, "connections:manage")
    connection = _open_connection(db, actor, command.connection_id)
    settings = changed_settings(connection, command.settings, command.networks)
    subject = {
        "connection_id": connection.id,
        "settings": settings["vendor"],
        "networks": settings["networks"],
    }
    with recording(db, actor, now, "connection.change", subject, command.reason):
        connection.settings = settings
        db.add(connection)
    return connection


def retire_connection(
    db: Session, actor: Actor, now: datetime, command: RetireConnection
) -> Connection:
    """The connection, closed from now on; ``Conflict`` when it is closed already."""
    require(actor, "connections:manage")
    connection = _open_connection(db, actor, command.connection_id)
    subject = {"connection_id": connection.id}
    with recording(db, actor, now, "connection.retire", subject, command.reason):
        connection.retired_at = now
        db.add(connection)
    return connection


def _to_continue(db: Session, actor: Actor, command: CreateConnection) -> Connection | None:
    if command.continues_id is None:
        return None
    earlier = Scope.of(actor).get(db, Connection, command.continues_id)
    if earlier.vendor != command.vendor:
        raise Conflict("the earlier connection is of another vendor")
    return earlier


def _open_connection(db: Session, actor: Actor, connection_id: UUID) -> Connection:
    scope = Scope.of(actor)
    hold_organization(db, scope)
    connection = scope.get(db, Connection, connection_id)
    if connection.retired_at is not None:
        raise Conflict("the connection is retired")
    return connection

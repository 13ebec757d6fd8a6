"""Manage connections: the doors of vendors, their address tokens and their secrets.

Owns making a connection, changing its secret with an overlap, and closing it. Does not own the
check of a delivery's signature (``devices``) nor encryption (``rpm.fields``). Token and secret are
shown once: the token is kept as its hash, secrets are kept encrypted.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from devices.delivery import Secret
from devices.vendor import VENDORS
from rpm.access import Actor, require, token_hash
from rpm.actions.command import Command, Id, Name, OneOf, Reason
from rpm.errors import Conflict
from rpm.fields import decrypt_field, encrypt_field
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection

_RANDOM_BYTES = 32
_LONGEST_OVERLAP_HOURS = 24 * 14
_NOBODY = "connection.secret_encrypted of nobody"


class CreateConnection(Command):
    """A door for one vendor."""

    vendor: Annotated[str, OneOf(tuple(sorted(VENDORS)))] = Field(examples=["generic"])
    name: Name = Field(examples=["Gateway of the main office"])
    continues_id: Id | None = Field(
        default=None,
        description="An earlier connection of the same sender, such as one whose address leaked:"
        " the sender's ids of readings go on, and what was sent before stays known.",
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


class RetireConnection(Command):
    """A door that is closed for good."""

    connection_id: Id
    reason: Reason = Field(examples=["vendor changed"])


@dataclass(frozen=True)
class ShownOnce:
    """What a sender needs to be told, and nobody can be told again."""

    connection: Connection
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def path(self) -> str | None:
        """Where the sender posts to; known only when the connection is made."""
        return f"/webhooks/{self.connection.vendor}/{self.token}" if self.token else None


def create_connection(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: CreateConnection
) -> ShownOnce:
    """The connection with its address token and its Standard Webhooks secret.

    ``Conflict`` when it shall continue a connection of another vendor.
    """
    require(actor, "connections:manage")
    account = _account_to_continue(db, actor, command)
    token, secret = secrets.token_urlsafe(_RANDOM_BYTES), _new_secret()
    connection = Connection(
        organization_id=actor.organization_id,
        id=uuid7(now),
        vendor=command.vendor,
        name=command.name,
        token_hash=token_hash(token),
        secret_encrypted=b"",
        settings={"account": account} if account else {},
        created_at=now,
    )
    _keep(connection, ring, [{"secret": secret, "until": None}])
    subject = {"connection_id": connection.id}
    with recording(db, actor, now, "connection.create", subject) as record:
        record.add(connection)
    return ShownOnce(connection, secret, token)


def rotate_secret(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: RotateSecret
) -> ShownOnce:
    """A new secret beside the present one, which ends after the overlap; ``Conflict`` if retired.

    Secrets that ended already are forgotten.
    """
    require(actor, "connections:manage")
    connection = _open_connection(db, actor, command.connection_id)
    secret, end = _new_secret(), now + timedelta(hours=command.overlap_hours)
    kept = [_ending(entry, end) for entry in _entries(connection, ring) if _is_good(entry, now)]
    subject = {"connection_id": connection.id}
    with recording(db, actor, now, "connection.rotate_secret", subject):
        _keep(connection, ring, [*kept, {"secret": secret, "until": None}])
        db.add(connection)
    return ShownOnce(connection, secret)


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


def account_of(connection: Connection) -> str:
    """Within which a sender's ids are unique: a connection and those that it continues."""
    account: str = connection.settings.get("account", connection.id.hex)
    return account


def good_secrets(connection: Connection | None, ring: KeyRing, now: datetime) -> list[Secret]:
    """The secrets that are accepted at this instant; ``NotReady`` when no key opens them.

    Of no connection one that nobody knows, got by the same work: how long a refusal takes does not
    tell whether there is a connection.
    """
    if connection is None:
        sealed = _sealed_for_nobody(ring.current_id, ring.current)
        entries: list[dict[str, Any]] = json.loads(decrypt_field(ring, sealed, _NOBODY))
    else:
        entries = _entries(connection, ring)
    return [Secret(entry["secret"]) for entry in entries if _is_good(entry, now)]


@lru_cache(maxsize=4)
def _sealed_for_nobody(key_id: str, key: bytes) -> bytes:
    plain = json.dumps([{"secret": _new_secret(), "until": None}]).encode()
    return encrypt_field(KeyRing(key_id, {key_id: key}), plain, _NOBODY)


def _account_to_continue(db: Session, actor: Actor, command: CreateConnection) -> str | None:
    if command.continues_id is None:
        return None
    earlier = Scope.of(actor).get(db, Connection, command.continues_id)
    if earlier.vendor != command.vendor:
        raise Conflict("the earlier connection is of another vendor")
    return account_of(earlier)


def _open_connection(db: Session, actor: Actor, connection_id: UUID) -> Connection:
    scope = Scope.of(actor)
    hold_organization(db, scope)
    connection = scope.get(db, Connection, connection_id)
    if connection.retired_at is not None:
        raise Conflict("the connection is retired")
    return connection


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()


def _place(connection: Connection) -> str:
    return f"connection.secret_encrypted {connection.organization_id.hex} {connection.id.hex}"


def _entries(connection: Connection, ring: KeyRing) -> list[dict[str, Any]]:
    plain = decrypt_field(ring, connection.secret_encrypted, _place(connection))
    entries: list[dict[str, Any]] = json.loads(plain)
    return entries


def _keep(connection: Connection, ring: KeyRing, entries: list[dict[str, Any]]) -> None:
    plain = json.dumps(entries).encode()
    connection.secret_encrypted = encrypt_field(ring, plain, _place(connection))


def _is_good(entry: dict[str, Any], now: datetime) -> bool:
    return entry["until"] is None or now < datetime.fromisoformat(entry["until"])


def _ending(entry: dict[str, Any], end: datetime) -> dict[str, Any]:
    """The entry, ending then or earlier."""
    until = entry["until"]
    ends = end if until is None else min(end, datetime.fromisoformat(until))
    return {**entry, "until": ends.isoformat()}

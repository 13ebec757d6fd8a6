"""Try a connection: what would become of a vendor's example if it came through it now.

Owns the example's request, proved as the connection demands, and the trial that leaves nothing
behind. Does not own sending it to a running service (``rpm.commands.connection_trial``).
"""

from datetime import datetime
from importlib.resources import files
from uuid import UUID

from sqlalchemy.engine import Engine
from sqlmodel import Session

from devices.authenticity import verify
from devices.delivery import Incoming, NotAuthentic, Secret
from devices.proof import prove
from rpm import errors
from rpm.access import Actor, require
from rpm.actions.authenticate_delivery import Sender
from rpm.actions.connection_secrets import good_secrets
from rpm.actions.connection_settings import settings_of
from rpm.actions.take_delivery import DeliveryAnswer, take_delivery
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.engine import reading, transaction, within
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection

_NO_SECRET = Secret("")


def example_of(vendor: str) -> bytes:
    """A body as the vendor posts it; the examples are shipped and shown in docs/vendors.md."""
    folder = files("devices.vendors") / "examples"
    (found,) = (file for file in folder.iterdir() if file.name.partition(".")[0] == vendor)
    return found.read_bytes()


def proved_request(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, connection_id: UUID, body: bytes | None
) -> Incoming:
    """A request with this body, or the vendor's example, as its sender would make it.

    ``Conflict`` when the connection is retired, or knows only the public key of its sender.
    """
    require(actor, "connections:manage")
    connection = Scope.of(actor).get(db, Connection, connection_id)
    if connection.retired_at is not None:
        raise errors.Conflict("the connection is retired")
    sent = example_of(connection.vendor) if body is None else body
    secrets = good_secrets(connection, ring, now)
    newest = secrets[-1] if secrets else _NO_SECRET
    try:
        proof = prove(settings_of(connection).scheme, newest, f"test-{uuid7(now)}", now, sent)
    except ValueError:
        raise errors.Conflict("only the sender can sign for this connection") from None
    return Incoming({"content-type": "application/json", **proof.headers}, sent, proof.query)


def tried(
    engine: Engine,
    actor: Actor,
    now: datetime,
    ring: KeyRing,
    connection_id: UUID,
    incoming: Incoming,
) -> DeliveryAnswer:
    """What a request would be answered; nothing of it is recorded.

    Address and source networks are not tried. ``NotAuthentic`` when the proof does not fit.
    """
    engine = within(engine, actor.organization_id)
    with reading(engine) as db:
        connection = Scope.of(actor).get(db, Connection, connection_id)
        settings = settings_of(connection)
        outcome = verify(settings.scheme, incoming, good_secrets(connection, ring, now), now)
    if isinstance(outcome, NotAuthentic):
        raise errors.NotAuthentic("the delivery is not authentic")
    sender = Sender(
        actor.organization_id, connection.id, connection.vendor, settings, outcome.message_id
    )
    with transaction(engine) as db:
        answer = take_delivery(db, sender, now, incoming)
        db.rollback()
    return answer

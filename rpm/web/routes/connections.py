"""Connections and deliveries: doors of vendors, and bodies that could not be read.

Owns the addresses and what is shown. Does not own the door itself (``webhooks``). Address and
secret of a connection are shown in one answer and never again.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.command import Command, Reason
from rpm.actions.connection_settings import settings_of
from rpm.actions.manage_connections import (
    ChangeConnection,
    Chosen,
    CreateConnection,
    GivenSecret,
    Networks,
    RetireConnection,
    RotateSecret,
    ShownOnce,
    change_connection,
    create_connection,
    retire_connection,
    rotate_secret,
)
from rpm.actions.replay_dead_letters import ReplayDeadLetters, replay_dead_letters
from rpm.actions.replay_delivery import ReplayDelivery, replay_delivery
from rpm.keys import KeyRing
from rpm.store.queries.connections import DeliveryFilter, dead_letters, last_delivered
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import Because, after_id
from rpm.web.routes.webhooks import ItemAnswer
from rpm.web.running import running_of

router = area_router("Connections")

_Shown = ConfigDict(from_attributes=True)


def _field_keys(request: Request) -> KeyRing:
    return running_of(request).keys.field_encryption


FieldKeys = Annotated[KeyRing, Depends(_field_keys)]
Manager = Annotated[Actor, permit("connections:manage")]


class SchemeOut(BaseModel):
    """How deliveries of a connection prove themselves."""

    model_config = _Shown

    kind: str = Field(description="The way; docs/vendors.md describes each.")
    name: str = Field(description="Header or query parameter with the secret; empty if none.")
    username: str = Field(description="User name of `basic`; empty for others.")
    tolerance_seconds: int = Field(description="How far a signature's time may lie from now.")


class ConnectionOut(BaseModel):
    """A vendor's door, without its address token and secrets."""

    id: UUID = Field(description="Our id.")
    vendor: str = Field(description="Whose format comes through it.", examples=["generic"])
    name: str = Field(description="The practice's name for it.")
    created_at: datetime = Field(description="When it was made.")
    retired_at: datetime | None = Field(description="When it was closed; null while open.")
    last_delivered_at: datetime | None = Field(
        description="When something new last came through it; null if nothing did."
    )
    scheme: SchemeOut = Field(description="How deliveries prove themselves.")
    settings: dict[str, str] = Field(
        description="What holds for each of the vendor's settings, chosen or by default.",
        examples=[{"glucose_unit": "unconfirmed"}],
    )
    networks: list[str] = Field(description="Where deliveries may come from; empty: anywhere.")


class ConnectionSecret(BaseModel):
    """A new secret, shown once."""

    connection: ConnectionOut = Field(description="The connection.")
    secret: str | None = Field(
        description="For the sender: `whsec_...` for `standard-webhooks` and `svix`, a random word"
        " for other schemes. Null when it was given, or when the address is the only secret."
    )


class NewConnection(ConnectionSecret):
    """A new connection with its address, shown once."""

    path: str = Field(
        description="Where the sender posts to, below the address of this service.",
        examples=["/webhooks/generic/..."],
    )


class Overlap(Command):
    """How long the secret before stays good, and the next one where the sender has its own."""

    overlap_hours: int = Field(default=24, ge=0, le=336, examples=[24])
    secret: GivenSecret = None


class ConnectionChange(Command):
    """What is to hold for deliveries that come from now on; what is left out stays."""

    settings: Chosen = Field(default_factory=dict, examples=[{}])
    networks: Networks = None
    reason: Reason = Field(examples=["unit confirmed by the vendor"])


class DeadLetterOut(BaseModel):
    """A delivery that was stored but could not be read; its body is not shown."""

    model_config = _Shown

    id: UUID = Field(description="Our id of the delivery.")
    connection_id: UUID = Field(description="The connection it came through.")
    vendor: str = Field(description="Whose format it should have.")
    message_id: str | None = Field(description="The sender's id of the message.")
    received_at: datetime = Field(description="When it arrived.")
    problem: str | None = Field(description="Why it could not be read; names no value.")
    body_bytes: int = Field(description="Size of the body.")


class ReplayedOut(BaseModel):
    """What came of one dead letter."""

    model_config = _Shown

    delivery_id: UUID = Field(description="The delivery.")
    state: Literal["read", "dead_letter"] = Field(description="What it is now.")
    problem: str | None = Field(description="Why it still cannot be read.")
    items: int = Field(description="How many items it held.")


class DeliveryReplayed(BaseModel):
    """What came of one delivery that was read again."""

    delivery_id: UUID = Field(description="The delivery.")
    state: Literal["read", "dead_letter"] = Field(description="What it is now.")
    problem: str | None = Field(description="Why its body cannot be read today.")
    items: list[ItemAnswer] = Field(
        description="One for each item, in the order sent; what was recorded before: `duplicate`."
    )


class ReplayOut(BaseModel):
    """What came of a request to read dead letters again."""

    model_config = _Shown

    replayed: list[ReplayedOut] = Field(description="At most 100, the oldest first.")
    more: bool = Field(description="Whether others that meet the conditions still wait.")


@router.get(
    "/connections",
    summary="List connections",
    description="Open and retired ones, in the order they were made.",
    operation_id="list_connections",
    response_model=Page[ConnectionOut],
    responses=PROBLEMS,
)
def list_of_connections(db: ReadDb, actor: Manager, paging: Paging) -> Page[ConnectionOut]:
    """A page of connections."""
    rows = page_of(db, Scope.of(actor), Connection, after=after_id(paging), limit=paging.fetch)
    last = last_delivered(db, actor.organization_id, [row.id for row in rows])
    shown = [_shown(row, last.get(row.id)) for row in rows]
    return paging.page(shown, lambda row: (row.id,))


@router.post(
    "/connections",
    status_code=201,
    summary="Make a connection",
    description="A door for one vendor, proved by one of the vendor's schemes. Address and secret"
    " stand in this answer only.",
    operation_id="create_connection",
    response_model=NewConnection,
    responses=PROBLEMS,
)
def create(
    db: Db, now: Now, actor: Manager, ring: FieldKeys, command: CreateConnection
) -> dict[str, Any]:
    """The connection with address and secret."""
    made = create_connection(db, actor, now, ring, command)
    return {**_secret(db, made), "path": made.path}


@router.post(
    "/connections/{connection_id}/rotate-secret",
    status_code=201,
    summary="Change the secret of a connection",
    description="The secret before stays good for the overlap, so that nothing is lost meanwhile.",
    operation_id="rotate_secret",
    response_model=ConnectionSecret,
    responses=PROBLEMS,
)
def rotate(
    db: Db, now: Now, actor: Manager, ring: FieldKeys, connection_id: UUID, overlap: Overlap
) -> dict[str, Any]:
    """The new secret."""
    command = RotateSecret(
        connection_id=connection_id, overlap_hours=overlap.overlap_hours, secret=overlap.secret
    )
    return _secret(db, rotate_secret(db, actor, now, ring, command))


@router.post(
    "/connections/{connection_id}/settings",
    status_code=200,
    summary="Change the settings of a connection",
    description="The vendor's settings and the source networks, from now on. What was read before"
    " stays as it was read.",
    operation_id="change_connection",
    response_model=ConnectionOut,
    responses=PROBLEMS,
)
def change(
    db: Db, now: Now, actor: Manager, connection_id: UUID, wanted: ConnectionChange
) -> ConnectionOut:
    """The connection as it is then."""
    command = ChangeConnection(
        connection_id=connection_id,
        settings=wanted.settings,
        networks=wanted.networks,
        reason=wanted.reason,
    )
    return _as_it_is(db, change_connection(db, actor, now, command))


@router.post(
    "/connections/{connection_id}/retire",
    status_code=200,
    summary="Close a connection",
    description="Deliveries through it are refused from now on. It cannot be opened again.",
    operation_id="retire_connection",
    response_model=ConnectionOut,
    responses=PROBLEMS,
)
def retire(
    db: Db, now: Now, actor: Manager, connection_id: UUID, because: Because
) -> ConnectionOut:
    """The closed connection."""
    command = RetireConnection(connection_id=connection_id, reason=because.reason)
    return _as_it_is(db, retire_connection(db, actor, now, command))


@router.get(
    "/deliveries/dead-letters",
    summary="List dead letters",
    description="Authentic deliveries that could not be read and wait for a fix.",
    operation_id="list_dead_letters",
    response_model=Page[DeadLetterOut],
    responses=PROBLEMS,
)
def list_of_dead_letters(
    db: ReadDb,
    actor: Annotated[Actor, permit("readings:read")],
    paging: Paging,
    vendor: Annotated[str | None, Query(description="Only this vendor.", max_length=64)] = None,
    connection_id: Annotated[UUID | None, Query(description="Only this connection.")] = None,
) -> Page[DeadLetterOut]:
    """A page of dead letters."""
    chosen = DeliveryFilter(vendor=vendor, connection_id=connection_id)
    rows = dead_letters(db, Scope.of(actor), chosen, after=after_id(paging), limit=paging.fetch)
    shown = [
        DeadLetterOut.model_validate({**row.model_dump(), "body_bytes": len(row.body)})
        for row in rows
    ]
    return paging.page(shown, lambda row: (row.id,))


@router.post(
    "/deliveries/replay",
    summary="Read dead letters again",
    description="By id, or all that meet the other conditions; at most 100 at once. Their readings"
    " keep the instant at which the delivery arrived. What is already posted stays as it is: the"
    " next close posts the difference.",
    operation_id="replay_dead_letters",
    response_model=ReplayOut,
    responses=PROBLEMS,
)
def replay(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("readings:write")],
    command: ReplayDeadLetters,
) -> Any:
    """What came of it."""
    return replay_dead_letters(db, actor, now, command)


@router.post(
    "/deliveries/{delivery_id}/replay",
    status_code=200,
    summary="Read a delivery again",
    description="A stored body, a dead letter or not, as its format reads it today. What was"
    " recorded before is not recorded again; what can be read now and could not be then is recorded"
    " with the instant at which the delivery arrived.",
    operation_id="replay_delivery",
    response_model=DeliveryReplayed,
    responses=PROBLEMS,
)
def replay_one(
    db: Db, now: Now, actor: Annotated[Actor, permit("readings:write")], delivery_id: UUID
) -> Any:
    """What came of it."""
    done = replay_delivery(db, actor, now, ReplayDelivery(delivery_id=delivery_id))
    return {
        "delivery_id": done.delivery_id,
        "state": done.state,
        "problem": done.problem,
        "items": done.results,
    }


def _secret(db: Session, made: ShownOnce) -> dict[str, Any]:
    return {"connection": _as_it_is(db, made.connection), "secret": made.secret}


def _as_it_is(db: Session, connection: Connection) -> ConnectionOut:
    last = last_delivered(db, connection.organization_id, [connection.id])
    return _shown(connection, last.get(connection.id))


def _shown(connection: Connection, last: datetime | None) -> ConnectionOut:
    settings = settings_of(connection)
    return ConnectionOut(
        id=connection.id,
        vendor=connection.vendor,
        name=connection.name,
        created_at=connection.created_at,
        retired_at=connection.retired_at,
        last_delivered_at=last,
        scheme=SchemeOut.model_validate(settings.scheme),
        settings=dict(settings.chosen),
        networks=list(settings.networks),
    )

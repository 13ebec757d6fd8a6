"""Manage endpoints: whom a practice wants told of events, with which secret.

Owns adding, rotating with an overlap, retiring, trying out and sending again. Does not own which
addresses are refused (``rpm.outbound_address``) nor how secrets are kept (``connection_secrets``).
A secret is shown once.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.announce import TYPES, add_event
from rpm.actions.command import Command, Id, Name, OneOf, Reason, refuse
from rpm.actions.connection_secrets import keep_next_secret, keep_secret, new_secret
from rpm.errors import Conflict, NotFound
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.outbound_address import LONGEST_URL, AddressRefusedError, receiver_of
from rpm.store.chain import recording
from rpm.store.queries.outbound import change_delivery
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.outbound import Endpoint, OutboundDelivery, OutboundEvent

_TEST = "endpoint.test"
_LONGEST_OVERLAP_HOURS = 24 * 14


class AddEndpoint(Command):
    """A receiver of events."""

    name: Name = Field(examples=["Care desk"])
    url: str = Field(
        max_length=LONGEST_URL,
        description="Where events are posted: https, at a public address.",
        examples=["https://events.example.org/rpm"],
    )
    types: list[Annotated[str, OneOf(TYPES)]] = Field(
        default_factory=list, description="Types of events; all when none is named."
    )


class RotateEndpointSecret(Command):
    """A new secret; for the overlap messages carry a signature of each."""

    endpoint_id: Id
    overlap_hours: int = Field(default=24, ge=0, le=_LONGEST_OVERLAP_HOURS)


class RetireEndpoint(Command):
    """A receiver that gets nothing any more."""

    endpoint_id: Id
    reason: Reason = Field(examples=["moved"])


class TryEndpoint(Command):
    """An event of the type ``endpoint.test`` for one receiver."""

    endpoint_id: Id


class Resend(Command):
    """An event that is sent to a receiver again, under the same id."""

    event_id: Id
    endpoint_id: Id


@dataclass(frozen=True)
class EndpointSecret:
    """A receiver and its new secret, which nobody can be told again."""

    endpoint: Endpoint
    secret: str = field(repr=False)


def add_endpoint(
    db: Session,
    actor: Actor,
    now: datetime,
    ring: KeyRing,
    command: AddEndpoint,
    listed_hosts: Collection[str],
) -> EndpointSecret:
    """The receiver with its secret; ``InvalidRequest`` for an address that may not be used."""
    require(actor, "endpoints:manage")
    try:
        receiver_of(command.url, listed_hosts)
    except AddressRefusedError as error:
        raise refuse("url", "E_ADDRESS", str(error)) from None
    endpoint = Endpoint(
        organization_id=actor.organization_id,
        id=uuid7(now),
        name=command.name,
        url=command.url,
        types=sorted(set(command.types)),
        secret_encrypted=b"",
        created_at=now,
    )
    secret = _new_secret()
    keep_secret(endpoint, ring, secret)
    with recording(db, actor, now, "endpoint.add", {"endpoint_id": endpoint.id}) as record:
        record.add(endpoint)
    return EndpointSecret(endpoint, secret)


def rotate_endpoint_secret(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: RotateEndpointSecret
) -> EndpointSecret:
    """A new secret beside the present one, which ends after the overlap."""
    endpoint = _open_endpoint(db, actor, command.endpoint_id)
    secret, end = _new_secret(), now + timedelta(hours=command.overlap_hours)
    with recording(db, actor, now, "endpoint.rotate_secret", {"endpoint_id": endpoint.id}):
        keep_next_secret(endpoint, ring, secret, now=now, end=end)
        db.add(endpoint)
    return EndpointSecret(endpoint, secret)


def retire_endpoint(db: Session, actor: Actor, now: datetime, command: RetireEndpoint) -> Endpoint:
    """The receiver, retired; what still waits for it is given up when its turn comes."""
    endpoint = _open_endpoint(db, actor, command.endpoint_id)
    subject = {"endpoint_id": endpoint.id}
    with recording(db, actor, now, "endpoint.retire", subject, command.reason):
        endpoint.retired_at = now
        db.add(endpoint)
    return endpoint


def try_endpoint(db: Session, actor: Actor, now: datetime, command: TryEndpoint) -> UUID:
    """The id of the event that the next run of the job sends to this receiver only."""
    endpoint = _open_endpoint(db, actor, command.endpoint_id)
    subject = {"endpoint_id": endpoint.id}
    with recording(db, actor, now, "endpoint.test", subject) as record:
        return add_event(record, now, _TEST, subject, [endpoint]).id


def resend(db: Session, actor: Actor, now: datetime, command: Resend) -> None:
    """Send an event again, whatever became of it: sent, given up, or before this receiver was.

    The schedule begins anew. ``Conflict`` when the receiver is retired.
    """
    endpoint = _open_endpoint(db, actor, command.endpoint_id)
    event = Scope.of(actor).get(db, OutboundEvent, command.event_id)
    if event.type == _TEST and event.subject.get("endpoint_id") != str(endpoint.id):
        raise NotFound("there is no such event for this receiver")
    key = (actor.organization_id, event.id, endpoint.id)
    held = db.get(OutboundDelivery, key)
    subject = {"event_id": event.id, "endpoint_id": endpoint.id}
    with recording(db, actor, now, "endpoint.resend", subject) as record:
        if held is None:
            record.add(
                OutboundDelivery(
                    organization_id=event.organization_id,
                    event_id=event.id,
                    endpoint_id=endpoint.id,
                    state="waiting",
                    next_at=now,
                )
            )
        else:
            change_delivery(db, held, state="waiting", attempts=0, next_at=now, held_until=None)


def _new_secret() -> str:
    secret, _ = new_secret("standard-webhooks", None)
    if secret is None:  # pragma: no cover - this scheme always has one
        raise RuntimeError
    return secret


def _open_endpoint(db: Session, actor: Actor, endpoint_id: UUID) -> Endpoint:
    require(actor, "endpoints:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    endpoint = scope.get(db, Endpoint, endpoint_id)
    if endpoint.retired_at is not None:
        raise Conflict("the receiver is retired")
    return endpoint

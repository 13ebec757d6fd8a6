"""Telehealth platforms: whose signed events of visits are taken, and taking one.

Owns adding and retiring a platform, its proof (Standard Webhooks), and storing an event. Does not
own reading an event (``billing.claims.inbound.visit_event``) nor secrets (``connection_secrets``).
The long address is found first, then the signature is checked; both are shown once.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from devices.delivery import Incoming, NotAuthentic
from devices.signature import verify_standard_webhook
from rpm import errors
from rpm.access import Actor, require, token_hash
from rpm.actions.command import Command, Id, Name, Reason
from rpm.actions.connection_secrets import good_of, keep_secret, kept_secrets, new_secret
from rpm.actions.take_message import Taken, keep_message, read_message
from rpm.errors import Conflict
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.chain import recording
from rpm.store.queries.proposals import platform_of_token
from rpm.store.scope import Scope
from rpm.store.tables.proposals import VisitPlatform

ADDRESS = "/visit-events"
_TOKEN_BYTES = 32


class AddVisitPlatform(Command):
    """A platform whose events shall be taken."""

    name: Name


class RetireVisitPlatform(Command):
    """A platform whose events are refused from now on."""

    platform_id: Id
    reason: Reason


@dataclass(frozen=True)
class NewPlatform:
    """A platform with what nobody can be told again: the path of its address, and its secret."""

    platform: VisitPlatform
    path: str = field(repr=False)
    secret: str = field(repr=False)


def add_visit_platform(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: AddVisitPlatform
) -> NewPlatform:
    """The platform, its address and its secret."""
    require(actor, "connections:manage")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    platform = VisitPlatform(
        organization_id=actor.organization_id,
        id=uuid7(now),
        name=command.name,
        token_hash=token_hash(token),
        secret_encrypted=b"",
        created_at=now,
    )
    secret, _ = new_secret("standard-webhooks", None)
    keep_secret(platform, ring, secret)
    with recording(db, actor, now, "platform.add", {"platform_id": platform.id}) as record:
        record.add(platform)
    return NewPlatform(platform, f"{ADDRESS}/{token}", secret or "")


def retire_visit_platform(
    db: Session, actor: Actor, now: datetime, command: RetireVisitPlatform
) -> None:
    """Refuse its events. ``Conflict`` when it is retired already."""
    require(actor, "connections:manage")
    platform = Scope.of(actor).get(db, VisitPlatform, command.platform_id)
    if platform.retired_at is not None:
        raise Conflict("the platform is retired")
    subject = {"platform_id": platform.id}
    with recording(db, actor, now, "platform.retire", subject, command.reason):
        platform.retired_at = now
        db.add(platform)


def authentic_platform(
    db: Session, ring: KeyRing, now: datetime, token: str, incoming: Incoming
) -> VisitPlatform:
    """Who sends this; ``NotAuthentic`` alike, after the same work, for an unknown address."""
    platform = platform_of_token(db, token)
    good = good_of(kept_secrets(platform, ring), now)
    outcome = verify_standard_webhook(incoming.headers, incoming.body, good, now=now)
    if platform is None or isinstance(outcome, NotAuthentic):
        raise errors.NotAuthentic("the delivery is not authentic")
    return platform


def take_visit_event(
    db: Session, now: datetime, platform: VisitPlatform, incoming: Incoming
) -> Taken:
    """The event as it is kept; sent again, it changes nothing."""
    name = f"platform {platform.id}"
    actor = Actor(platform.organization_id, None, None, "connection", frozenset(), name)
    read = read_message("visit-event", incoming.body)
    sent = {name.lower(): value for name, value in incoming.headers.items()}
    return keep_message(
        db,
        actor,
        now,
        "visit-event",
        sent.get("webhook-id", ""),
        incoming.body,
        read,
        platform.id,
    )

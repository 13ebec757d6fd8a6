"""Take a message of another system in: kept whole, once, with what it proposes.

Owns storing and the repeat that changes nothing. Does not own reading a kind of message
(``billing.claims.inbound``), nor what becomes of a proposal (``answer_proposal``).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlmodel import Session

from billing.claims.inbound.adt import read_adt
from billing.claims.inbound.fhir import read_fhir
from billing.claims.inbound.proposed import FORM, Read
from billing.claims.inbound.visit_event import read_visit_event
from devices.delivery import UnreadableDeliveryError
from devices.strict_json import loads
from rpm.access import Actor, require
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.proposals import QUARANTINED, READ, message_with_digest
from rpm.store.scope import Scope
from rpm.store.tables.proposals import InboundMessage, Proposal

Source = Literal["adt-file", "adt-mllp", "fhir", "visit-event"]


@dataclass(frozen=True)
class Taken:
    """A message as it is kept; ``proposals`` of it, none for one that came before."""

    message: InboundMessage
    message_id: str  # the sender's own
    proposals: tuple[Proposal, ...]
    repeated: bool


def take_message(
    db: Session, actor: Actor, now: datetime, source: Source, name: str, content: bytes
) -> Taken:
    """The message; the same content again changes nothing, whatever it is called.

    One with an error in it is quarantined: what is sound of it is proposed all the same.
    """
    require(actor, "patients:write")
    return keep_message(db, actor, now, source, name, content, read_message(source, content))


def read_message(source: Source, content: bytes) -> Read:
    """What a message of a kind proposes; never raises for what a sender can send."""
    if source in ("adt-file", "adt-mllp"):
        return read_adt(content)
    if source == "visit-event":
        try:
            return read_visit_event(loads(content))
        except UnreadableDeliveryError:
            return _not_json()
    return _read_resources(content)


def keep_message(
    db: Session,
    actor: Actor,
    now: datetime,
    source: Source,
    name: str,
    content: bytes,
    read: Read,
    platform_id: UUID | None = None,
) -> Taken:
    """Store a message that was read; who may is the caller's to say."""
    scope = Scope.of(actor)
    digest = hashlib.sha256(content).hexdigest()
    hold_organization(db, scope)
    known = message_with_digest(db, scope, digest)
    if known is not None:
        return Taken(known, read.message_id, (), repeated=True)
    findings = [
        {"code": one.code, "where": one.where, "message": one.message} for one in read.findings
    ]
    with recording(db, actor, now, "message.take") as record:
        message = record.add(
            InboundMessage(
                source=source,
                name=name[:200],
                platform_id=platform_id,
                sha256=digest,
                content=content,
                state=READ if read.is_read else QUARANTINED,
                findings=findings,
            )
        )
        record.subject["message_id"] = message.id
        proposals = [
            record.add(
                Proposal(
                    message_id=message.id,
                    ordinal=ordinal,
                    kind=one.kind,
                    record_number=one.record_number,
                    content=dict(one.content),
                )
            )
            for ordinal, one in enumerate(read.proposals, start=1)
        ]
    return Taken(message, read.message_id, tuple(proposals), repeated=False)


def _read_resources(content: bytes) -> Read:
    """One resource or bundle, or a resource on each line."""
    try:
        return read_fhir([loads(content, any_text=True)])
    except UnreadableDeliveryError:
        pass
    try:
        return read_fhir(
            [loads(line, any_text=True) for line in content.splitlines() if line.strip()]
        )
    except UnreadableDeliveryError:
        return _not_json()


def _not_json() -> Read:
    read = Read()
    read.refuse(FORM, "the body", "It is not JSON.")
    return read

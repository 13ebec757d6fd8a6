"""Take a body that was fetched: it is stored as it came, and its readings become facts.

Owns what makes a fetched body the same as an earlier one, and taking back what is gone at the
source. Does not own what becomes of an item (``reading_batch``): that is as with bodies that are
pushed. Body, readings and the cursor behind them are one transaction, so a cut loses and doubles
nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from devices.forms import form_text
from devices.identity import vendor_key
from devices.pull import Took
from devices.reading import Reading
from rpm.actions.authenticate_delivery import Sender
from rpm.actions.judge_reading import as_reading
from rpm.actions.pull_accounts import HELD_FOR, Claim
from rpm.actions.reading_batch import Batch
from rpm.actions.take_delivery import source_of
from rpm.actions.take_readings import write_batch
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.connections import (
    DEAD_LETTER,
    PULLED,
    READ,
    deliveries_like,
)
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.queries.readings import versions_by_identity
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Delivery
from rpm.store.tables.pulls import PullAccount


def take_pulled(db: Session, now: datetime, claim: Claim, body: bytes, took: Took) -> int:
    """Store a body with its readings, and where the next request begins; how many rows came of it.

    A body with nothing new is not stored again.
    """
    sender = _sender(claim)
    scope = Scope(sender.organization_id, sender.actor)
    hold_organization(db, scope)
    delivery, is_new = _delivery(db, now, sender, body, took.same_as)
    source = source_of(delivery, claim.settings.account)
    items = (*took.parsed.items, *_voids(db, claim, took.voided))
    batch = Batch.of(db, organization_of(db, scope), source, now, items)
    results = [batch.take(item) for item in items]
    if not is_new:
        batch.rejected.clear()  # kept when the body was stored
    if is_new or batch.rows or batch.conflicts:
        subject = {"connection_id": sender.connection_id, "delivery_id": delivery.id}
        with recording(db, sender.actor, now, "delivery.pull", subject) as record:
            if is_new:
                delivery.headers = {PULLED: form_text(took.about)}
                delivery.results = [result.as_json() for result in results]
                record.add(delivery)
            write_batch(db, record, batch)
    account = scope.get(db, PullAccount, claim.account.id)
    account.cursor, account.held_until = dict(took.cursor), now + HELD_FOR
    db.add(account)
    return len(batch.rows) + len(batch.conflicts) + len(batch.rejected)


def keep_unreadable(db: Session, now: datetime, claim: Claim, body: bytes, problem: str) -> None:
    """Store a fetched body that cannot be read as a dead letter; the run has not moved on."""
    sender = _sender(claim)
    hold_organization(db, Scope(sender.organization_id, sender.actor))
    delivery, is_new = _delivery(db, now, sender, body, body)
    if not is_new:
        return
    delivery.headers = {PULLED: form_text({"subject": claim.held.subject})}
    delivery.state, delivery.problem = DEAD_LETTER, problem
    subject = {"connection_id": sender.connection_id, "delivery_id": delivery.id}
    with recording(db, sender.actor, now, "delivery.pull", subject) as record:
        record.add(delivery)


def _delivery(
    db: Session, now: datetime, sender: Sender, body: bytes, same_as: bytes
) -> tuple[Delivery, bool]:
    """The delivery that this body is, and whether it is a new one, not stored yet."""
    fingerprint = hashlib.sha256(b"pulled\n" + same_as).hexdigest()
    organization_id, connection_id = sender.organization_id, sender.connection_id
    before = deliveries_like(db, organization_id, [(connection_id, fingerprint)])
    if before:
        return before[0], False
    made = Delivery(
        id=uuid7(now),
        connection_id=connection_id,
        vendor=sender.vendor,
        fingerprint=fingerprint,
        received_at=now,
        headers={},
        body=body,
        state=READ,
        results=[],
    )
    return made, True


def _sender(claim: Claim) -> Sender:
    connection = claim.connection
    return Sender(
        connection.organization_id, connection.id, connection.vendor, claim.settings, None
    )


def _voids(db: Session, claim: Claim, ids: Sequence[str]) -> Iterator[Reading]:
    """Deletions of the readings under these ids, as they stand here."""
    connection = claim.connection
    keys = [vendor_key(connection.vendor, claim.settings.account, one) for one in ids]
    known = versions_by_identity(db, connection.organization_id, keys) if keys else {}
    for key in keys:
        if key in known:
            yield replace(as_reading(known[key][-1]), status="deleted")

"""Send events: what waits is signed and sent, tried again with growing waits, and given up at last.

Owns the message, its signature, the schedule and what is kept of each try. Does not own the
connection (``rpm.outbound``) nor what is announced (``announce``). A delivery is sent at least
once: who dies between sending and recording leaves it to be sent again under the same id.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Engine
from standardwebhooks.webhooks import Webhook

from rpm.access import Actor
from rpm.actions.connection_secrets import good_secrets
from rpm.audit import canonical_json
from rpm.clock import SystemClock
from rpm.keys import KeyRing
from rpm.outbound import Told, tell
from rpm.outbound_address import AddressRefusedError, Receiver, receiver_of
from rpm.store.engine import transaction, within
from rpm.store.queries.outbound import change_delivery, hold_next
from rpm.store.scope import Scope
from rpm.store.tables.outbound import Endpoint, OutboundDelivery, OutboundEvent

WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
"""After each failed try; after the tenth, 71.6 hours from the first, it is given up."""
HOLD = timedelta(minutes=2)
RUN_SECONDS = 50.0
"""A run begins nothing after this: what it holds is done before its hold ends."""
GONE = 410
"""The receiver says that it wants no more of this; the delivery is given up at once."""
Tell = Callable[[Receiver, Mapping[str, str], bytes], Told]


@dataclass
class Sent:
    """What a run came to."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True)
class Sender:
    """What sending needs beside the database: keys, the hosts that are listed, and the way out."""

    ring: KeyRing
    listed_hosts: Collection[str] = ()
    tell: Tell = tell


def send_due(engine: Engine, actor: Actor, now: datetime, sender: Sender) -> Sent:
    """Send what is due, one delivery after another.

    A receiver that fails is left alone for the rest of the run, so that it holds up nobody long.
    """
    engine = within(engine, actor.organization_id)
    scope, done = Scope.of(actor), Sent()
    failing: set[Any] = set()
    until = time.monotonic() + RUN_SECONDS
    while time.monotonic() < until:
        with transaction(engine) as db:
            held = hold_next(db, scope, now, HOLD, failing)
        if held is None:
            break
        delivery, event, endpoint = held
        told = _told(event, endpoint, now, sender)
        with transaction(engine) as db:
            values = after_try(delivery, endpoint, told, now)
            change_delivery(db, delivery, **values)
        done.sent += told.is_taken
        done.failed += not told.is_taken
        done.dead += values["state"] == "dead"
        if not told.is_taken:
            failing.add(endpoint.id)
    return done


def after_try(
    delivery: OutboundDelivery, endpoint: Endpoint, told: Told, now: datetime
) -> dict[str, Any]:
    """How far a delivery is after a try."""
    attempts = delivery.attempts + 1
    values: dict[str, Any] = {
        "attempts": attempts,
        "held_until": None,
        "last_at": now,
        "last_status": told.status,
        "last_problem": told.problem,
    }
    if told.is_taken:
        return {**values, "state": "sent"}
    is_over = endpoint.retired_at is not None or told.status == GONE
    if is_over or attempts > len(WAITS):
        return {**values, "state": "dead"}
    return {**values, "state": "waiting", "next_at": now + WAITS[attempts - 1]}


def message(event: OutboundEvent) -> bytes:
    """The body: type, when it was recorded, and ids; the same bytes at every try."""
    content = {
        "type": event.type,
        "timestamp": event.recorded_at.isoformat(),
        "data": {"organization_id": str(event.organization_id), **event.subject},
    }
    return canonical_json(content).encode()


def signed(event: OutboundEvent, secrets: Collection[str], at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; one signature for each secret that is still good."""
    message_id = str(event.id)
    signatures = [
        Webhook(secret).sign(message_id, at, message(event).decode()) for secret in secrets
    ]
    return {
        "content-type": "application/json",
        "user-agent": "rpm-ledger",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _told(event: OutboundEvent, endpoint: Endpoint, now: datetime, sender: Sender) -> Told:
    if endpoint.retired_at is not None:
        return Told(None, "the receiver is retired")
    secrets = [secret.text for secret in good_secrets(endpoint, sender.ring, now)]
    try:
        receiver = receiver_of(endpoint.url, sender.listed_hosts)
    except AddressRefusedError as error:
        return Told(None, str(error))
    # receivers hold the time against their own clocks: the machine's, also in a demo
    headers = signed(event, secrets, SystemClock().now())
    return sender.tell(receiver, headers, message(event))

"""What the job of events does, organization by organization.

Owns the words of its result. Does not own sending (``rpm.actions.send_events``).
"""

from datetime import datetime

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.send_events import Sender, Sent, send_due
from rpm.jobs.work import for_each
from rpm.keys import load_keys
from rpm.settings import Settings


def send_events(engine: Engine, settings: Settings, now: datetime) -> str:
    """Send what is due to every practice's receivers."""
    sender = Sender(load_keys(settings).field_encryption, settings.outbound_hosts)
    total = Sent()

    def send(actor: Actor) -> int:
        done = send_due(engine, actor, now, sender)
        total.failed += done.failed
        total.dead += done.dead
        return done.sent

    sent, failed = for_each(engine, "send-events", send)
    return f"{sent} sent, {total.failed} not taken, {total.dead} given up, {failed} failed"

"""A practice whose claims were sent, and answered by a payer as a test tells.

Owns sending and answering. Does not own making the claims (``claims_practice``) nor what a
remittance says (``remittances_made``).
"""

from datetime import date
from typing import Any
from uuid import UUID

from claims_practice import BilledPractice
from remittances_made import Line, Paid, Payment, file_of
from sqlalchemy.engine import Engine

from billing.claims.claim_json import json_to_claim
from billing.claims.lifecycle import Kind, Status
from rpm.access import Actor
from rpm.actions.claim_events import current_claim, own_event
from rpm.actions.denial_queue import Asked, Queue, WorkItem, denial_queue, work_item
from rpm.actions.post_answers import post_answers
from rpm.actions.take_received_file import take_received_file
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord

TODAY = date(2026, 2, 2)


class Denied(BilledPractice):
    """A practice whose January claims were sent, and answered as a test tells."""

    def sent(self) -> list[ClaimRecord]:
        """Claims, let go and sent."""
        claims = list(self.assemble().claims)
        self.release([one.id for one in claims])
        for one in claims:
            self.send(one.id)
        return claims

    def send(self, claim_id: UUID) -> None:
        """Say that the claim's content left."""
        with transaction(self.engine) as db:
            current = current_claim(db, Scope.of(self.actor), claim_id)
            with recording(db, self.actor, self.now, "claims.sent") as record:
                told = (record, self.actor, claim_id, Kind.SENT, current.attempt, TODAY)
                own_event(*told, frequency=current.frequency)

    def answered(self, *claims: Paid, trace: str = "T1") -> None:
        """A remittance comes and is posted."""
        content = file_of(Payment(claims, trace=trace, day="20260202"), number=int(trace[1:]))
        with transaction(self.engine) as db:
            act = (db, self.actor, self.now)
            file = take_received_file(*act, f"{trace}.835", "upload", content)
            post_answers(*act, file.id)

    def queue(self, **asked: Any) -> Queue:
        """What is work now."""
        with reading(self.engine) as db:
            return denial_queue(db, Scope.of(self.actor), TODAY, Asked(**asked))

    def item(self, claim_id: UUID) -> WorkItem | None:
        """One claim as work."""
        with reading(self.engine) as db:
            return work_item(db, Scope.of(self.actor), claim_id)

    def status(self, claim_id: UUID) -> Status:
        """Where it stands."""
        with reading(self.engine) as db:
            return current_claim(db, Scope.of(self.actor), claim_id).standing.status

    def act(self, action: Any, command: Any, actor: Actor | None = None) -> Any:
        """An action of a person."""
        with transaction(self.engine) as db:
            return action(db, actor or self.actor, self.now, command)


def refused(row: ClaimRecord, reason: str = "16", *remarks: str, group: str = "CO") -> Paid:
    """Every line of a claim refused."""
    claim = json_to_claim(row.content)
    lines = tuple(
        Line(
            *(one.charge_cents, 0, ((group, reason, one.charge_cents),), one.procedure),
            *(remarks, one.control_number),
        )
        for one in claim.lines
    )
    return Paid(row.control_number, lines, status="4", payer_number="ICN77")


def opened(engine: Engine, actor: Actor) -> tuple[Denied, list[ClaimRecord]]:
    """A practice with three claims of January, sent."""
    found = Denied(engine, actor)
    found.identity()
    for number in (1, 2, 3):
        found.resident(number)
    found.close()
    return found, found.sent()

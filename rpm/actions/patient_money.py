"""Money of patients: payments and refunds recorded, taken back, and what is still owed.

Owns these. Does not own what payers left to the patient (``billing.claims.balance``) nor the look
of a statement (``rpm.documents.statement``).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col

from billing.claims.balance import ClaimBalance, claim_balance
from rpm.access import Actor, require
from rpm.actions.claim_money import answers_by_claim
from rpm.actions.command import Command, Day, Id, Name, OneOf, Reason, refuse
from rpm.actions.practice_day import practice_today, refuse_future
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.answers import payments_of
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.answers import PatientPayment
from rpm.store.tables.claims import ClaimRecord
from rpm.store.tables.people import Patient

METHODS = ("cash", "check", "card", "transfer", "other")
_MOST_CENTS = 100_000_000


class RecordPayment(Command):
    """A patient paid, or was paid back (negative)."""

    patient_id: Id
    claim_id: Id | None = None
    cents: Annotated[int, Field(ge=-_MOST_CENTS, le=_MOST_CENTS)]
    on_day: Day
    method: Annotated[str, OneOf(METHODS)]
    note: Name | None = None


class ReversePayment(Command):
    """A payment was recorded in error."""

    payment_id: Id
    reason: Reason


@dataclass(frozen=True)
class PatientAccount:
    """What a patient owes: by claim, and what was paid for no claim."""

    claims: dict[UUID, ClaimBalance]
    rows: dict[UUID, ClaimRecord]
    payments: list[PatientPayment]
    unallocated_cents: int

    @property
    def due_cents(self) -> int:
        """All of it; negative where the practice owes."""
        return sum(one.due_cents for one in self.claims.values()) - self.unallocated_cents


def record_payment(
    db: Session, actor: Actor, now: datetime, command: RecordPayment
) -> PatientPayment:
    """The payment. ``InvalidRequest`` for nothing, a day to come, or a claim of somebody else."""
    require(actor, "remittances:post")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    refuse_future("on_day", command.on_day, practice_today(db, scope, now))
    if command.cents == 0:
        raise refuse("cents", "E_NOTHING", "a payment of nothing is none")
    if command.claim_id is not None:
        claim = scope.get(db, ClaimRecord, command.claim_id)
        if claim.patient_id != command.patient_id:
            raise refuse("claim_id", "E_OTHER_PATIENT", "the claim is another patient's")
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "patient_payment.record", subject) as record:
        return record.add(
            PatientPayment(
                patient_id=command.patient_id,
                claim_id=command.claim_id,
                cents=command.cents,
                on_day=command.on_day,
                method=command.method,
                note=command.note,
                received_by=actor.user_id,
            )
        )


def reverse_payment(
    db: Session, actor: Actor, now: datetime, command: ReversePayment
) -> PatientPayment:
    """The row that takes a payment back; ``Conflict`` when it was taken back already."""
    require(actor, "remittances:post")
    scope = Scope.of(actor)
    paid = scope.get(db, PatientPayment, command.payment_id)
    hold_organization(db, scope)
    if paid.reverses_id is not None:
        raise Conflict("this row takes a payment back itself; record the payment anew")
    if scope.all_of(db, PatientPayment, col(PatientPayment.reverses_id) == paid.id):
        raise Conflict("the payment was taken back already")
    subject = {"patient_id": paid.patient_id}
    with recording(db, actor, now, "patient_payment.reverse", subject, command.reason) as record:
        return record.add(
            PatientPayment(
                patient_id=paid.patient_id,
                claim_id=paid.claim_id,
                cents=-paid.cents,
                on_day=paid.on_day,
                method=paid.method,
                note=command.reason,
                received_by=actor.user_id,
                reverses_id=paid.id,
            )
        )


def patient_account(db: Session, scope: Scope, patient_id: UUID) -> PatientAccount:
    """What a patient owes, by claim."""
    rows = {
        row.id: row
        for row in scope.all_of(db, ClaimRecord, col(ClaimRecord.patient_id) == patient_id)
    }
    answers = answers_by_claim(db, scope, rows)
    payments = payments_of(db, scope, patient_id=patient_id)
    received: dict[UUID | None, int] = defaultdict(int)
    for payment in payments:
        received[payment.claim_id] += payment.cents
    claims = {
        claim_id: claim_balance(answers.get(claim_id, []), received[claim_id]) for claim_id in rows
    }
    return PatientAccount(claims, rows, payments, received[None])

"""Overpayments: what a payer took back or may want back, until a person has settled it.

Owns the list and what a person notes. Does not own the sum (``billing.claims.balance``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col

from billing.claims.balance import Overpayment, overpayment
from rpm.access import Actor, require
from rpm.actions.claim_money import answers_by_claim
from rpm.actions.command import Command, Day, Id, Reason
from rpm.actions.practice_day import practice_today, refuse_future
from rpm.actions.set_practice_setting import OVERPAYMENT_DAYS, SETTINGS
from rpm.store.chain import recording
from rpm.store.queries.answers import matches_of
from rpm.store.queries.people import practice_settings
from rpm.store.scope import Scope
from rpm.store.tables.answers import OverpaymentFound, RemittanceClaim
from rpm.store.tables.claims import ClaimRecord

_MOST_CENTS = 100_000_000


class SettleOverpayment(Command):
    """An overpayment was looked into; with a day it is settled."""

    claim_id: Id
    identified_on: Day
    settled_on: Day | None = None
    cents: Annotated[int, Field(ge=0, le=_MOST_CENTS)]
    reason: Reason


@dataclass(frozen=True)
class OpenOverpayment:
    """An overpayment that nobody settled yet."""

    claim: ClaimRecord
    told: Overpayment
    noted: OverpaymentFound | None


def settle_overpayment(
    db: Session, actor: Actor, now: datetime, command: SettleOverpayment
) -> OverpaymentFound:
    """What a person found about an overpayment, or that it is settled."""
    require(actor, "remittances:post")
    scope = Scope.of(actor)
    claim = scope.get(db, ClaimRecord, command.claim_id)
    today = practice_today(db, scope, now)
    refuse_future("identified_on", command.identified_on, today)
    if command.settled_on is not None:
        refuse_future("settled_on", command.settled_on, today)
    subject = {"claim_id": claim.id, "patient_id": claim.patient_id}
    with recording(db, actor, now, "overpayment.settle", subject, command.reason) as record:
        return record.add(
            OverpaymentFound(
                claim_id=claim.id,
                identified_on=command.identified_on,
                settled_on=command.settled_on,
                cents=command.cents,
                reason=command.reason,
                user_id=actor.user_id,
            )
        )


def overpayment_days(db: Session, scope: Scope) -> int:
    """The practice's setting: days from a reversal until an overpayment is due."""
    row = practice_settings(db, scope).get(OVERPAYMENT_DAYS)
    return int(SETTINGS[OVERPAYMENT_DAYS].default if row is None else row.value)


def open_overpayments(db: Session, scope: Scope) -> list[OpenOverpayment]:
    """Claims whose payment a payer took back for good and that are not settled, first due first."""
    days = overpayment_days(db, scope)
    reversed_ids = _reversed_claims(db, scope)
    if not reversed_ids:
        return []
    answers = answers_by_claim(db, scope, reversed_ids)
    noted = {
        row.claim_id: row
        for row in scope.all_of(
            db, OverpaymentFound, col(OverpaymentFound.claim_id).in_(reversed_ids)
        )
    }
    rows = scope.all_of(db, ClaimRecord, col(ClaimRecord.id).in_(reversed_ids))
    found = []
    for claim in rows:
        told, note = overpayment(answers[claim.id], days), noted.get(claim.id)
        if told is not None and (note is None or note.settled_on is None):
            found.append(OpenOverpayment(claim, told, note))
    return sorted(found, key=lambda one: (one.told.due_on or date.max, one.claim.id))


def _reversed_claims(db: Session, scope: Scope) -> set[UUID]:
    rows = scope.all_of(db, RemittanceClaim, col(RemittanceClaim.is_reversal).is_(True))
    matches = matches_of(db, scope, [row.id for row in rows if row.claim_id is None])
    ids = {row.claim_id for row in rows} | {one.claim_id for one in matches.values()}
    return {one for one in ids if one is not None}

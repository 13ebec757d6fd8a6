"""A person finds the claim that money was for.

Owns the match and the claim's event. Does not own the list of what nobody is named for
(``rpm.store.queries.answers``). An answer is matched once; a wrong match is mended by the payer's
reversal, or by posting the claim's money anew under another number.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from billing.claims.matching import attempt_answered
from rpm.access import Actor, require
from rpm.actions.answer_work import Work
from rpm.actions.command import Command, Id, Name, Reason, refuse
from rpm.actions.post_remittances import add_money_event
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.answers import claims_named, matches_of
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim, RemittanceMatch
from rpm.store.tables.claims import ClaimEventRecord


class MatchAnswer(Command):
    """This answer is for the claim of this number."""

    remittance_claim_id: Id
    control_number: Name = Field(description="The patient control number of the claim.")
    reason: Reason = Field(examples=["billed on paper under the payer's old number"])


def match_answer(db: Session, actor: Actor, now: datetime, command: MatchAnswer) -> RemittanceMatch:
    """The match. ``Conflict`` when the answer has its claim already, ``NotFound`` for no answer."""
    require(actor, "remittances:post")
    scope = Scope.of(actor)
    answer = scope.get(db, RemittanceClaim, command.remittance_claim_id)
    hold_organization(db, scope)
    if answer.claim_id is not None or matches_of(db, scope, [answer.id]):
        raise Conflict("the answer has its claim already")
    claim = claims_named(db, scope, [command.control_number]).get(command.control_number)
    if claim is None:
        raise refuse("control_number", "E_NO_CLAIM", "there is no claim of this number")
    payment = scope.get(db, Remittance, answer.remittance_id)
    frequency = answer.told.get("frequency", "")
    attempt = attempt_answered(claim.sendings, frequency, payment.payment_day)
    work = Work(payment.file_id)
    add_money_event(work, claim, answer.model_dump(), attempt, payment.payment_day)
    subject = {"claim_id": claim.id, "patient_id": claim.patient_id}
    with recording(db, actor, now, "answers.match", subject, command.reason) as record:
        record.add_values(ClaimEventRecord, work.events)
        return record.add(
            RemittanceMatch(
                remittance_claim_id=answer.id,
                claim_id=claim.id,
                attempt=attempt,
                user_id=actor.user_id,
                reason=command.reason,
            )
        )

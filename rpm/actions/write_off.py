"""Write off what a payer refused: by a person, with a reason, two persons above a set amount.

Owns the request, its decision and the claim event. Does not own when a claim may be written off
(``billing.claims.lifecycle``) nor the amount (the practice's setting for releases). Nothing is ever
written off by itself; a payment afterwards shows as paid.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field
from sqlmodel import Session, col

from billing.claims.lifecycle import Kind, Step
from rpm.access import Actor, require
from rpm.actions.claim_events import CurrentClaim, current_claim, own_event, person_of
from rpm.actions.command import Command, Id, Reason, Text
from rpm.actions.denial_queue import work_item
from rpm.actions.practice_day import practice_today
from rpm.actions.release_claims import two_persons_above
from rpm.errors import Conflict, NotAllowed
from rpm.store.chain import Record, recording
from rpm.store.queries.denials import write_offs_waiting
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord
from rpm.store.tables.denials import WriteOffDecision, WriteOffRequest


class WriteOffClaim(Command):
    """What was refused of a claim is given up, for a reason."""

    claim_id: Id
    reason: Reason = Field(examples=["below what another appeal would cost"])


class DecideWriteOff(Command):
    """The second person agrees, or does not."""

    request_id: Id
    approved: bool
    note: Text | None = None


@dataclass(frozen=True)
class WrittenOff:
    """What became of it: the event, or the request that waits for a second person."""

    event: ClaimEventRecord | None
    request: WriteOffRequest | None


def write_off_claim(db: Session, actor: Actor, now: datetime, command: WriteOffClaim) -> WrittenOff:
    """Write off, or ask a second person above the practice's amount.

    ``Conflict`` where the claim is no work, may not be written off where it stands, or waits for
    the second person already; ``NotAllowed`` unless a named person acts.
    """
    require(actor, "claims:write")
    person = person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    current = _writable(db, scope, command.claim_id)
    item = work_item(db, scope, command.claim_id)
    if item is None:
        raise Conflict("nothing of this claim is left to write off")
    if item.write_off_waits:
        raise Conflict("a second person has been asked already")
    cents, limit = item.denied.at_stake_cents, two_persons_above(db, scope)
    subject = {"claim_id": command.claim_id, "cents": cents}
    if limit is not None and cents > limit:
        action = "claim.write-off.request"
        with recording(db, actor, now, action, subject, command.reason) as record:
            request = record.add(
                WriteOffRequest(
                    claim_id=command.claim_id,
                    attempt=current.standing.attempt,
                    cents=cents,
                    reason=command.reason,
                    requested_by=person,
                )
            )
        return WrittenOff(None, request)
    with recording(db, actor, now, "claim.write-off", subject, command.reason) as record:
        event = _written_off(db, scope, record, actor, now, current, cents, command.reason)
    return WrittenOff(event, None)


def decide_write_off(
    db: Session, actor: Actor, now: datetime, command: DecideWriteOff
) -> WriteOffDecision:
    """The decision of another person than the one who asked.

    ``NotAllowed`` for the one who asked, ``Conflict`` where it was decided, or where the claim
    stands elsewhere meanwhile.
    """
    require(actor, "claims:release")
    person = person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    request = scope.get(db, WriteOffRequest, command.request_id)
    if request.requested_by == person:
        raise NotAllowed("somebody else than who asked decides")
    if scope.all_of(db, WriteOffDecision, col(WriteOffDecision.request_id) == request.id):
        raise Conflict("it was decided already")
    current = _writable(db, scope, request.claim_id) if command.approved else None
    if current is not None and current.standing.attempt != request.attempt:
        raise Conflict("the claim was sent again meanwhile: decline this request")
    subject = {"claim_id": request.claim_id, "request_id": request.id}
    with recording(db, actor, now, "claim.write-off.decide", subject, command.note) as record:
        decision = record.add(
            WriteOffDecision(
                request_id=request.id,
                decided_by=person,
                approved=command.approved,
                note=command.note or "",
            )
        )
        if current is not None:
            told = (request.cents, request.reason)
            _written_off(db, scope, record, actor, now, current, *told)
    return decision


def waiting_request(db: Session, scope: Scope, claim: CurrentClaim) -> WriteOffRequest | None:
    """The request for a claim that nobody decided."""
    return write_offs_waiting(db, scope, [claim.row.id]).get(claim.row.id)


def _writable(db: Session, scope: Scope, claim_id: Id) -> CurrentClaim:
    current = current_claim(db, scope, claim_id)
    if not current.may(Step.WRITE_OFF):
        raise Conflict(f"a claim that is {current.standing.status} is not written off")
    return current


def _written_off(
    db: Session,
    scope: Scope,
    record: Record,
    actor: Actor,
    now: datetime,
    current: CurrentClaim,
    cents: int,
    reason: str,
) -> ClaimEventRecord:
    today, attempt = practice_today(db, scope, now), current.standing.attempt
    return own_event(
        *(record, actor, current.row.id, Kind.WRITTEN_OFF, attempt, today),
        reason=reason,
        detail={"cents": cents},
    )

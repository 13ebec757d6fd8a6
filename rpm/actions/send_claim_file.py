"""Send a claim file: what is recorded before a byte leaves, and what came of it.

Owns who may send which file when, and the claims' event once it arrived. Does not own the way
(``rpm.claim_exchange``, ``rpm.transport``) nor how far a file is (``billing.claims.sending``). A
file goes out again with the same bytes and numbers, or not at all.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from billing.claims.lifecycle import Kind
from billing.claims.lifecycle import Step as ClaimStep
from billing.claims.sending import Reach, Step, reach, was_looked_for
from rpm.access import Actor, require
from rpm.actions.claim_events import current_claims
from rpm.actions.command import Command, Id, Reason
from rpm.actions.practice_day import practice_today
from rpm.errors import Conflict
from rpm.store.chain import Record, recording
from rpm.store.queries.claims import claims_in_file
from rpm.store.queries.clearinghouse_tests import is_tried
from rpm.store.queries.clearinghouses import (
    CLAIMS,
    clearinghouse_profile,
    folded_steps,
    steps_of,
)
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord, ClaimFile
from rpm.store.tables.transport import FileSending
from rpm.transport.profile import PRODUCTION, Profile

_ARRIVED = frozenset((Step.SENT, Step.FOUND, Step.ARRIVED))
_WHY_NOT = {
    Reach.SENT: "the file was sent: its claims are never sent again by themselves",
    Reach.UNDER_WAY: "the file is being sent",
    Reach.UNKNOWN: "whether the file arrived is not known: look for it, then decide",
}


class SendFile(Command):
    """A file that goes to its clearinghouse."""

    file_id: Id


class DecideSending(Command):
    """What a person says of a file whose arrival is not known."""

    file_id: Id
    arrived: bool = Field(description="False: it did not, and may be sent again.")
    reason: Reason = Field(examples=["the clearinghouse's desk has not got it"])


def begin_sending(db: Session, actor: Actor, now: datetime, command: SendFile) -> FileSending:
    """The sending, begun: to be committed before anything leaves.

    ``Conflict`` for a file that was sent, is being sent or may have arrived, for production before
    a test file was accepted, and when a claim of it may not leave any more.
    """
    require(actor, "claims:release")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    file = scope.get(db, ClaimFile, command.file_id)
    profile = clearinghouse_profile(db, scope, file.clearinghouse_key)
    steps = steps_of(db, scope, [file.id])[file.id]
    so_far = reach(folded_steps(steps), now)
    if so_far is not Reach.WAITING:
        raise Conflict(_WHY_NOT[so_far])
    if file.kind == CLAIMS:
        _refuse_unready(db, scope, file, profile)
    elif profile.retired:
        raise Conflict("the agreement with the clearinghouse was ended")
    number = max((one.number for one in steps), default=0) + 1
    subject = {"file_id": file.id}
    with recording(db, actor, now, "claims.begin_sending", subject) as record:
        return record.add(
            FileSending(
                file_id=file.id,
                number=number,
                step=Step.BEGUN,
                clearinghouse_key=file.clearinghouse_key,
                name=file.name,
                size_bytes=len(file.content),
                place_digest=profile.place_digest,
                user_id=actor.user_id,
            )
        )


def end_sending(
    db: Session,
    actor: Actor,
    now: datetime,
    begun: FileSending,
    step: Step,
    problem: str | None = None,
    reason: str | None = None,
) -> FileSending:
    """What came of a sending, or of a look; when it arrived, its claims are sent from now on.

    The same step again changes nothing.
    """
    require(actor, "claims:release")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    for known in steps_of(db, scope, [begun.file_id])[begun.file_id]:
        if (known.number, known.step) == (begun.number, step):
            return known
    file = scope.get(db, ClaimFile, begun.file_id)
    subject = {"file_id": file.id}
    with recording(db, actor, now, f"claims.sending.{step}", subject, reason) as record:
        ended = record.add(
            FileSending(
                file_id=file.id,
                number=begun.number,
                step=step,
                clearinghouse_key=begun.clearinghouse_key,
                name=begun.name,
                size_bytes=begun.size_bytes,
                place_digest=begun.place_digest,
                problem=problem,
                user_id=actor.user_id,
                reason=reason,
            )
        )
        if step in _ARRIVED and file.kind == CLAIMS:
            _mark_sent(db, actor, record, file, now)
    return ended


def last_unknown(db: Session, scope: Scope, file: ClaimFile, now: datetime) -> FileSending:
    """The beginning of the sending whose outcome is not known; ``Conflict`` when it is known."""
    steps = steps_of(db, scope, [file.id])[file.id]
    if reach(folded_steps(steps), now) is not Reach.UNKNOWN:
        raise Conflict("how far the file is, is known")
    begun = [one for one in steps if one.step == Step.BEGUN]
    return max(begun, key=lambda one: one.number)


def decide_sending(db: Session, actor: Actor, now: datetime, command: DecideSending) -> FileSending:
    """A person's word on a file whose arrival is not known; the next sending is another action.

    ``Conflict`` when it is known, and where nobody looked for it at the clearinghouse before
    saying that it did not arrive.
    """
    require(actor, "claims:release")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    file = scope.get(db, ClaimFile, command.file_id)
    begun = last_unknown(db, scope, file, now)
    looked = was_looked_for(folded_steps(steps_of(db, scope, [file.id])[file.id]))
    if not command.arrived and not looked:
        raise Conflict("nobody looked for it at the clearinghouse yet")
    step = Step.ARRIVED if command.arrived else Step.GIVEN_UP
    return end_sending(db, actor, now, begun, step, reason=command.reason)


def _refuse_unready(db: Session, scope: Scope, file: ClaimFile, profile: Profile) -> None:
    if profile.retired:
        raise Conflict("the agreement with the clearinghouse was ended")
    if file.usage != PRODUCTION or profile.usage != PRODUCTION:
        raise Conflict(
            "the file or the agreement is marked as a test: claims leave in files for production"
        )
    if not is_tried(db, scope, file.clearinghouse_key, profile):
        raise Conflict(
            "nothing is sent for production until a test file was accepted by a 999:"
            " rpm-ledger clearinghouse test"
        )
    waiting = current_claims(db, scope, claims_in_file(db, scope, file.id)).values()
    if len(waiting) != file.claim_count or not all(one.may(ClaimStep.SEND) for one in waiting):
        raise Conflict("the file was discarded, or a claim of it changed since it was written")


def _mark_sent(db: Session, actor: Actor, record: Record, file: ClaimFile, now: datetime) -> None:
    scope = Scope.of(actor)
    today = practice_today(db, scope, now)
    for current in current_claims(db, scope, claims_in_file(db, scope, file.id)).values():
        record.add(
            ClaimEventRecord(
                claim_id=current.row.id,
                key=f"sent-{current.attempt}",
                kind=Kind.SENT,
                attempt=current.attempt,
                number=record.number,
                frequency=current.frequency,
                on_day=today,
                user_id=actor.user_id,
                file_id=file.id,
            )
        )

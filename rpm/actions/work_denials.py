"""Work on a claim that was not paid: whose it is, what was found, and when to look again.

Owns assigning and notes. Does not own what is work (``rpm.actions.denial_queue``), corrections,
appeals nor write-offs, which are actions of their own.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.claim_events import person_of
from rpm.actions.command import Command, Day, Id, Text, refuse
from rpm.actions.practice_day import practice_today
from rpm.errors import NotFound
from rpm.store.chain import recording
from rpm.store.queries.claims import claims_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord
from rpm.store.tables.denials import Assignment, WorkNote
from rpm.store.tables.people import User

MOST_CLAIMS = 500


class AssignClaims(Command):
    """These claims are for a person; without one they are for nobody again."""

    claim_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_CLAIMS)]
    user_id: Id | None = None


class NoteClaim(Command):
    """What was found or done, and on which day to look again."""

    claim_id: Id
    note: Text = Field(examples=["called the payer: they want the order, sent it by fax"])
    follow_up_on: Day | None = None


def assign_claims(
    db: Session, actor: Actor, now: datetime, command: AssignClaims
) -> Sequence[Assignment]:
    """The assignments; ``NotFound`` for a claim or a person that is not here."""
    require(actor, "claims:write")
    scope = Scope.of(actor)
    if len(claims_of(db, scope, command.claim_ids)) < len(set(command.claim_ids)):
        raise NotFound("there is no such claim")
    if command.user_id is not None and not scope.get(db, User, command.user_id).active:
        raise refuse("user_id", "E_NOT_ACTIVE", "this person has no access any more")
    subject = {"claims": len(command.claim_ids), "user_id": command.user_id}
    with recording(db, actor, now, "claims.assign", subject) as record:
        return record.add_all(
            Assignment(claim_id=one, user_id=command.user_id, assigned_by=actor.user_id)
            for one in dict.fromkeys(command.claim_ids)
        )


def note_claim(db: Session, actor: Actor, now: datetime, command: NoteClaim) -> WorkNote:
    """The note. ``NotFound`` for a claim that is not here, ``InvalidRequest`` for a day gone by."""
    require(actor, "claims:write")
    scope = Scope.of(actor)
    scope.get(db, ClaimRecord, command.claim_id)
    today: date = practice_today(db, scope, now)
    if command.follow_up_on is not None and command.follow_up_on < today:
        raise refuse("follow_up_on", "E_PAST", "it is a day that has gone by")
    with recording(db, actor, now, "claim.note", {"claim_id": command.claim_id}) as record:
        return record.add(WorkNote(**command.model_dump(), user_id=person_of(actor)))

"""Work typed afterwards: marked as such, with a reason, and above a limit seen by a second person.

Owns when a typed entry waits, and the decision on it. Does not own entries (``log_entry``). What
waits is no fact: it counts from the moment somebody else approves it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from billing.ledger.facts import ROLES, WORK
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, Instant, OneOf, Reason, Text
from rpm.actions.entry_episode import episode_for
from rpm.actions.entry_parts import possible_ids
from rpm.actions.log_entry import (
    LogEntry,
    Logged,
    Worked,
    checked_parts,
    log_entry,
    record_work,
)
from rpm.actions.run_timer import worker
from rpm.actions.stop_timer import CONTACTS, Activity, mode_of, said
from rpm.actions.timer_settings import timer_settings
from rpm.actions.worker_role import worker_role
from rpm.errors import Conflict, NotAllowed
from rpm.store.chain import recording
from rpm.store.queries.entries import entries_with_client_ids
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.store.tables.timers import ProposedEntry

_REUSED = "the client_id was used for another entry"
STATES = WAITING, APPROVED, REFUSED = "waiting", "approved", "refused"
"""Of a typed entry above the limit."""


class TypeEntry(Command):
    """Work that no timer ran for."""

    client_id: Id = Field(description="Made by the client: the same id is the same entry.")
    patient_id: Id
    episode_id: Id | None = None
    work: Annotated[str, OneOf(WORK)] = Field(examples=["RPM"])
    contact: Annotated[str, OneOf(tuple(CONTACTS))]
    live: bool
    started_at: Instant | None = None
    local_day: Day | None = None
    duration_seconds: int = Field(gt=0)
    activity: Activity
    note: Text | None = None
    role: Annotated[str, OneOf(ROLES)] | None = None
    reason: Reason = Field(examples=["called from the car, without a computer"])


class DecideEntry(Command):
    """The second person's word."""

    proposal_id: Id
    approve: bool
    reason: Reason


@dataclass(frozen=True)
class Typed:
    """What became of it: recorded, or waiting."""

    logged: Logged | None
    waiting: ProposedEntry | None


def type_entry(db: Session, actor: Actor, now: datetime, command: TypeEntry) -> Typed:
    """The entry as recorded; above the practice's limit, what waits for somebody else.

    Errors as of ``log_entry``: what waits was checked as if it were recorded now.
    """
    require(actor, "entries:write")
    scope = Scope.of(actor)
    entry = _entry(command)
    limit = timer_settings(db, scope).typed_limit_seconds
    if limit is None or command.duration_seconds <= limit:
        return Typed(log_entry(db, actor, now, entry), None)
    return Typed(None, _proposed(db, actor, now, entry))


def decide_entry(db: Session, actor: Actor, now: datetime, command: DecideEntry) -> Typed:
    """The entry as recorded when approved; the refused proposal otherwise.

    ``NotAllowed`` for who typed it, ``Conflict`` when it is decided already.
    """
    require(actor, "entries:approve")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    proposal = scope.get(db, ProposedEntry, command.proposal_id)
    db.refresh(proposal)
    if proposal.proposed_by == actor.user_id:
        raise NotAllowed("somebody else decides on what you typed")
    if proposal.state != WAITING:
        raise Conflict("this entry is decided already")
    proposal.state = APPROVED if command.approve else REFUSED
    proposal.decided_by, proposal.decided_at = actor.user_id, now
    proposal.decision_reason = command.reason
    db.add(proposal)
    db.flush()
    if command.approve:
        entry = LogEntry.model_validate(proposal.content)
        person = _worked(db, scope, scope.get(db, User, proposal.proposed_by), entry)
        return Typed(record_work(db, actor, now, entry, person, "entry.approve"), None)
    subject = {"patient_id": proposal.patient_id, "proposal_id": proposal.id}
    with recording(db, actor, now, "entry.refuse", subject, command.reason):
        pass
    return Typed(None, proposal)


def _entry(command: TypeEntry) -> LogEntry:
    return LogEntry(
        **command.model_dump(
            include={
                *("client_id", "patient_id", "episode_id", "work", "started_at", "local_day"),
                *("duration_seconds", "note", "role", "reason"),
            }
        ),
        mode=mode_of(command.contact, live=command.live),
        activity=said(command.contact, command.activity),
        origin="typed",
    )


def _proposed(db: Session, actor: Actor, now: datetime, entry: LogEntry) -> ProposedEntry:
    scope = Scope.of(actor)
    user = scope.get(db, User, worker(actor))
    parts = checked_parts(db, scope, now, entry, organization_of(db, scope).timezone)
    day = parts[0].local_day
    episode_for(db, scope, entry.patient_id, entry.work, day, entry.episode_id)
    content = entry.model_dump(mode="json")
    content["role"] = worker_role(db, scope, user, entry.role)
    hold_organization(db, scope)
    if entries_with_client_ids(db, scope, possible_ids(entry.client_id, day)):
        raise Conflict(_REUSED)
    proposal = db.get(ProposedEntry, (scope.organization_id, entry.client_id))
    if proposal is not None:
        if proposal.content != content or proposal.proposed_by != user.id:
            raise Conflict(_REUSED)
        return proposal
    proposal = ProposedEntry(
        organization_id=scope.organization_id,
        id=entry.client_id,
        proposed_by=user.id,
        patient_id=entry.patient_id,
        content=content,
        state=WAITING,
        proposed_at=now,
    )
    db.add(proposal)
    db.flush()
    subject = {"patient_id": entry.patient_id, "proposal_id": proposal.id}
    with recording(db, actor, now, "entry.propose", subject, entry.reason):
        pass
    return proposal


def _worked(db: Session, scope: Scope, user: User, entry: LogEntry) -> Worked:
    return Worked(user, user.name, entry.role or worker_role(db, scope, user, None))

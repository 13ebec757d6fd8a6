"""Stop a timer, which is the entry; or discard it, for a reason.

Owns what a stopped timer says and which entries it makes: one for each interval, under ids that
derive from the client's. Does not own entries (``log_entry``) nor the intervals (``rpm.timing``).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field
from sqlmodel import Session

from billing.finding import Finding
from billing.ledger.facts import ROLES, WORK
from rpm.access import Actor, require
from rpm.actions.command import Id, Name, OneOf, Reason, Text, refuse
from rpm.actions.log_entry import LogEntry, Logged, log_entry
from rpm.actions.run_timer import (
    OneTimer,
    StartTimer,
    held_timer,
    start_timer,
    timing_of,
    whole,
    worker,
)
from rpm.store.chain import recording
from rpm.store.queries.entries import entries_of_stop
from rpm.store.queries.timers import timer_of
from rpm.store.scope import Scope
from rpm.store.tables.timers import Timer
from rpm.timing import Span, spans_of

CONTACTS = {
    "call": "phone call",
    "video": "video visit",
    "in-person": "in person",
    "message": "message",
    "review": "review of readings",
    "other": "other work",
}
"""How somebody worked, as a person says it."""
_NEVER_LIVE = {"message", "review"}
_NOT_LIVE = {"call": "voicemail", "message": "text"}


Activity = Annotated[Name, Field(max_length=160, examples=["talk about blood pressure readings"])]
"""What was done; with how it was done before it, it still fits an entry."""


class Worked(OneTimer):
    """What was done while the timer ran."""

    client_id: Id = Field(description="Made by the client: the same id is the same stop.")
    contact: Annotated[str, OneOf(tuple(CONTACTS))]
    live: bool = Field(description="Whether there was live two-way talk (R-TIME-05).")
    activity: Activity
    note: Text | None = None
    role: Annotated[str, OneOf(ROLES)] | None = None


class StopTimer(Worked):
    """The timer becomes an entry."""


class SwitchTimer(Worked):
    """The timer becomes an entry, and another starts at once."""

    next_patient_id: Id
    next_work: Annotated[str, OneOf(WORK)] | None = None
    next_episode_id: Id | None = None


class DiscardTimer(OneTimer):
    """The timer leaves no entry."""

    reason: Reason = Field(examples=["opened the wrong chart"])


def stop_timer(db: Session, actor: Actor, now: datetime, command: Worked) -> Logged:
    """The entries of the timer's intervals; the same stop again gives the same entries.

    Time that is in question when it is stopped does not count. ``InvalidRequest`` for live talk in
    a message or a review, or when not a second was counted. ``Conflict`` when another timer runs.
    """
    require(actor, "entries:write")
    mode = mode_of(command.contact, live=command.live)
    scope = Scope.of(actor)
    standing = timer_of(db, scope, worker(actor), hold=True)
    if standing is None or standing.id != command.timer_id:
        stopped = entries_of_stop(db, scope, worker(actor), command.client_id)
        if stopped:
            return Logged(tuple(stopped), ())
    timer = held_timer(db, actor, command.timer_id)
    spans = spans_of(timing_of(timer), whole(now))
    if not spans:
        raise refuse("timer_id", "E_NO_TIME", "not a second was counted; discard the timer")
    logged = [
        log_entry(db, actor, now, entry_of_span(command, timer, span, mode, number))
        for number, span in enumerate(spans)
    ]
    db.delete(timer)
    db.flush()
    return joined(logged)


def switch_timer(
    db: Session, actor: Actor, now: datetime, command: SwitchTimer
) -> tuple[Logged, Timer]:
    """The entries of the timer, and the one that runs now; both or neither."""
    logged = stop_timer(db, actor, now, command)
    wanted = StartTimer(
        patient_id=command.next_patient_id,
        work=command.next_work,
        episode_id=command.next_episode_id,
    )
    return logged, start_timer(db, actor, now, wanted)


def discard_timer(db: Session, actor: Actor, now: datetime, command: DiscardTimer) -> None:
    """Remove the timer; its audit event tells that there was one, how long, and why it went."""
    remove(db, actor, now, held_timer(db, actor, command.timer_id), command.reason)


def remove(db: Session, actor: Actor, now: datetime, timer: Timer, reason: str) -> None:
    """Take a timer away without an entry."""
    spans = spans_of(timing_of(timer), whole(now))
    subject = {
        "patient_id": timer.patient_id,
        "user_id": timer.user_id,
        "timer_id": timer.id,
        "seconds": sum(span.seconds for span in spans),
    }
    db.delete(timer)
    db.flush()
    with recording(db, actor, now, "timer.discard", subject, reason):
        pass


def mode_of(contact: str, *, live: bool) -> str:
    """The ledger's word for how somebody worked; ``InvalidRequest`` for what cannot be live."""
    if live and contact in _NEVER_LIVE:
        raise refuse("live", "E_NOT_LIVE", "a message or a review is no live two-way talk")
    return "live" if live else _NOT_LIVE.get(contact, "async")


def said(contact: str, activity: str) -> str:
    """The activity as an entry keeps it: how, and what."""
    return f"{CONTACTS[contact]}: {activity}"


def entry_of_span(command: Worked, timer: Timer, span: Span, mode: str, number: int) -> LogEntry:
    """What one interval of a timer is as an entry."""
    return LogEntry(
        client_id=_id(command.client_id, number),
        patient_id=timer.patient_id,
        episode_id=timer.episode_id,
        role=command.role,
        work=timer.work,
        mode=mode,
        started_at=span.begin,
        duration_seconds=span.seconds,
        activity=said(command.contact, command.activity),
        note=command.note,
        origin="timer",
    )


def _id(client_id: UUID, number: int) -> UUID:
    return uuid5(client_id, f"interval {number}") if number else client_id


def joined(logged: list[Logged]) -> Logged:
    """The entries of all intervals, and what is to be known about each."""
    findings: list[Finding] = []
    for number, one in enumerate(logged):
        findings += [
            Finding(found.code, f"intervals.{number}.{found.where}", found.message)
            for found in one.findings
        ]
    entries = tuple(entry for one in logged for entry in one.entries)
    return Logged(entries, tuple(findings))

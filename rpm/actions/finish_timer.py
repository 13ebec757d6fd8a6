"""Finish somebody else's timer, or discard it: the person went home, or left the practice.

Owns who may and what is kept of it. The work stays the person's, ends at what the person last did,
and says who finished it and why. Does not own entries (``log_entry``) nor intervals
(``rpm.timing``).
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Reason, refuse
from rpm.actions.log_entry import Logged, record_work
from rpm.actions.log_entry import Worked as Person
from rpm.actions.run_timer import timing_of, whole, write_timing
from rpm.actions.stop_timer import DiscardTimer, Worked, entry_of_span, joined, mode_of, remove
from rpm.actions.worker_role import worker_role
from rpm.errors import Conflict, NotFound
from rpm.store.queries.timers import timer_of
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.store.tables.timers import Timer
from rpm.timing import signed_out, spans_of


class FinishTimer(Worked):
    """Another person's timer becomes that person's entry."""

    reason: Reason


def finish_timer(db: Session, actor: Actor, now: datetime, command: FinishTimer) -> Logged:
    """The entries, of the person whose timer it was; the last interval ends at its last activity.

    The note and the audit event say who finished it and why. ``NotAllowed`` without the right to
    approve others' time, ``Conflict`` for one's own, ``InvalidRequest`` as of ``stop_timer``.
    """
    scope = Scope.of(actor)
    mode = mode_of(command.contact, live=command.live)
    timer = others_timer(db, actor, command.timer_id, hold=True)
    write_timing(timer, signed_out(timing_of(timer), whole(now)))
    spans = spans_of(timing_of(timer), whole(now))
    if not spans:
        raise refuse("timer_id", "E_NO_TIME", "not a second was counted; discard the timer")
    user = scope.get(db, User, timer.user_id)
    role = worker_role(db, scope, user, command.role)
    person = Person(user, user.name, role)
    finished = f"Finished by {actor.name_for_audit}: {command.reason}"
    note = f"{command.note}\n{finished}" if command.note else finished
    noted = command.model_copy(update={"note": note})
    logged = [
        record_work(
            db,
            actor,
            now,
            entry_of_span(noted, timer, span, mode, number),
            person,
            "timer.finish",
            command.reason,
        )
        for number, span in enumerate(spans)
    ]
    db.delete(timer)
    db.flush()
    return joined(logged)


def discard_others(db: Session, actor: Actor, now: datetime, command: DiscardTimer) -> None:
    """Remove another person's timer; the audit event tells whose it was, how long, and why."""
    timer = others_timer(db, actor, command.timer_id, hold=True)
    write_timing(timer, signed_out(timing_of(timer), whole(now)))
    remove(db, actor, now, timer, command.reason)


def others_timer(db: Session, actor: Actor, timer_id: UUID, *, hold: bool = False) -> Timer:
    """Somebody else's timer; see ``finish_timer``."""
    require(actor, "entries:approve")
    scope = Scope.of(actor)
    found = scope.get(db, Timer, timer_id)
    if found.user_id == actor.user_id:
        raise Conflict("this is your own timer: stop it yourself")
    timer = timer_of(db, scope, found.user_id, hold=hold)
    if timer is None or timer.id != timer_id:
        raise NotFound("there is no such timer")
    return timer

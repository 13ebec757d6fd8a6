"""Run a person's timer: start, beat, pause, resume, answer its question.

Owns the row and who may run a timer for whom. Does not own what a timer says (``rpm.timing``) nor
what becomes of it (``stop_timer``). A timer is no fact: nothing here writes an audit event. Times
are whole seconds, so an interval is at most a second short.
"""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from billing.ledger.facts import WORK
from rpm.access import Actor, require
from rpm.actions.command import Command, Id, OneOf, refuse
from rpm.actions.entry_episode import episode_for
from rpm.actions.practice_day import practice_today
from rpm.actions.timer_settings import timer_settings
from rpm.errors import Conflict, NotFound
from rpm.ids import uuid7
from rpm.store.claim import claim_row
from rpm.store.queries.episodes import episodes_of_patient
from rpm.store.queries.timers import running_timers, timer_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.store.tables.timers import Timer
from rpm.timing import (
    ANSWERS,
    Span,
    Timing,
    answered,
    heard,
    paused,
    resumed,
    settled,
    signed_out,
    started,
)

_LONGEST_SILENCE_SECONDS = 86_400


class StartTimer(Command):
    """Work for a patient begins now."""

    patient_id: Id
    work: Annotated[str, OneOf(WORK)] | None = Field(
        default=None, description="By default the work of the patient's only open episode."
    )
    episode_id: Id | None = None


class OneTimer(Command):
    """One timer is meant: the one that the page shows, not another that took its place."""

    timer_id: Id


class BeatTimer(OneTimer):
    """The page that shows the timer is there."""

    quiet_seconds: int = Field(
        default=0,
        ge=0,
        le=_LONGEST_SILENCE_SECONDS,
        description="For how long the person has done nothing in any window.",
    )
    elapsed_seconds: int | None = Field(
        default=None,
        ge=0,
        description="Since the page's last beat, by its own clock: seconds are right even when the"
        " server's clock is set anew.",
    )


class AnswerTimer(OneTimer):
    """What to do with the time since the last activity."""

    answer: Annotated[str, OneOf(ANSWERS)]


def start_timer(db: Session, actor: Actor, now: datetime, command: StartTimer) -> Timer:
    """The caller's timer, running; the running one when it is for the same patient and work.

    ``Conflict`` when the caller has a timer already: it is stopped or discarded first.
    ``InvalidRequest`` when the patient has no open episode for it, or several.
    """
    require(actor, "entries:write")
    scope, user_id, now = Scope.of(actor), worker(actor), whole(now)
    scope.get(db, Patient, command.patient_id)
    day = practice_today(db, scope, now)
    work = command.work or _only_work(db, scope, command.patient_id, day)
    state = episode_for(db, scope, command.patient_id, work, day, command.episode_id)
    if state is None or not state.holds_on(day):
        raise refuse("patient_id", "E_NO_EPISODE", "the patient has no open episode of this work")
    timer = _new(scope, user_id, now, command.patient_id, state.episode.id, work)
    timing = started(now, timer_settings(db, scope).idle_seconds)
    write_timing(timer, timing)
    claim_row(db, Timer, timer.model_dump())
    standing = timer_of(db, scope, user_id, hold=True)
    if standing is not None and (standing.episode_id, standing.work) == (state.episode.id, work):
        write_timing(standing, settled(timing_of(standing), now))
        return standing
    raise Conflict("you have a timer for another patient: stop it, or switch over from it")


def beat_timer(db: Session, actor: Actor, now: datetime, command: BeatTimer) -> Timer:
    """The timer after a sign of life of its page; a lost or idle one has ended by then."""
    timer, now = held_timer(db, actor, command.timer_id), whole(now)
    active_at = now - timedelta(seconds=command.quiet_seconds)
    write_timing(timer, heard(timing_of(timer), now, active_at, command.elapsed_seconds))
    return timer


def pause_timer(db: Session, actor: Actor, now: datetime, command: OneTimer) -> Timer:
    """The timer, not running; the interval so far is kept."""
    timer = held_timer(db, actor, command.timer_id)
    write_timing(timer, paused(timing_of(timer), whole(now)))
    return timer


def resume_timer(db: Session, actor: Actor, now: datetime, command: OneTimer) -> Timer:
    """The timer, running; the time it did not run does not count."""
    timer = held_timer(db, actor, command.timer_id)
    write_timing(timer, resumed(timing_of(timer), whole(now)))
    return timer


def answer_timer(db: Session, actor: Actor, now: datetime, command: AnswerTimer) -> Timer:
    """The timer after the idle question was answered, also when it ended unanswered."""
    timer = held_timer(db, actor, command.timer_id)
    write_timing(timer, answered(timing_of(timer), whole(now), command.answer))
    return timer


def end_on_sign_out(db: Session, actor: Actor, now: datetime, *, by_hand: bool) -> None:
    """End the person's interval: now when the person asked to sign out, else at last activity."""
    if actor.user_id is None:
        return
    timer = timer_of(db, Scope.of(actor), actor.user_id, hold=True)
    if timer is None:
        return
    timing, now = timing_of(timer), whole(now)
    ended = paused(timing, now, "signed-out") if by_hand else signed_out(timing, now)
    write_timing(timer, ended)


def settle_timers(db: Session, scope: Scope, now: datetime) -> int:
    """End what ended by itself; how many timers that were."""
    ended = 0
    for timer in running_timers(db, scope):
        timing = settled(timing_of(timer), whole(now))
        ended += timing.since is None
        write_timing(timer, timing)
    return ended


def held_timer(db: Session, actor: Actor, timer_id: UUID) -> Timer:
    """The caller's timer, held; ``NotFound`` without one, ``Conflict`` when it is another one."""
    require(actor, "entries:write")
    timer = timer_of(db, Scope.of(actor), worker(actor), hold=True)
    if timer is None:
        raise NotFound("you have no timer")
    if timer.id != timer_id:
        raise Conflict("this timer has ended; you have another one now")
    return timer


def worker(actor: Actor) -> UUID:
    """The user whose work it is; ``InvalidRequest`` for the service itself."""
    if actor.user_id is None:
        raise refuse("user_id", "E_MISSING", "only a user has a timer")
    return actor.user_id


def whole(instant: datetime) -> datetime:
    """The second that an instant lies in."""
    return instant.replace(microsecond=0)


def timing_of(timer: Timer) -> Timing:
    """The row as values."""
    return Timing(
        spans=tuple(Span(*map(datetime.fromisoformat, pair)) for pair in timer.spans),
        since=timer.since,
        active_at=timer.active_at,
        beat_at=timer.beat_at,
        idle_seconds=timer.idle_seconds,
        pause=timer.pause,
    )


def write_timing(timer: Timer, timing: Timing) -> None:
    """The values into the row; a row that says the same stays untouched."""
    values = {
        **vars(timing),
        "spans": [[span.begin.isoformat(), span.end.isoformat()] for span in timing.spans],
    }
    for name, value in values.items():
        if getattr(timer, name) != value:
            setattr(timer, name, value)


def open_work(db: Session, scope: Scope, patient_id: UUID, day: date) -> tuple[str, ...]:
    """What a timer for the patient could be for: the work of the episodes open on the day."""
    programs = {
        state.episode.program.partition("-")[0]
        for state in episodes_of_patient(db, scope, patient_id)
        if state.holds_on(day)
    }
    return tuple(sorted(programs))


def _only_work(db: Session, scope: Scope, patient_id: UUID, day: date) -> str:
    possible = open_work(db, scope, patient_id, day)
    if not possible:
        raise refuse("patient_id", "E_NO_EPISODE", "the patient has no open episode")
    if len(possible) > 1:
        raise refuse("work", "E_SEVERAL_EPISODES", "say for which program the work is")
    return possible[0]


def _new(
    scope: Scope, user_id: UUID, now: datetime, patient_id: UUID, episode_id: UUID, work: str
) -> Timer:
    return Timer(
        organization_id=scope.organization_id,
        id=uuid7(now),
        user_id=user_id,
        patient_id=patient_id,
        episode_id=episode_id,
        work=work,
        started_at=now,
        spans=[],
        active_at=now,
    )

"""Timers and typed entries: the caller's running timer, and work that waits for a second person.

Owns the addresses and what is shown. Does not own what a timer does (``rpm.actions``). A timer is
the token's user's own.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field

from rpm.access import Actor
from rpm.actions.command import OneOf
from rpm.actions.propose_entry import (
    STATES,
    DecideEntry,
    Typed,
    TypeEntry,
    decide_entry,
    type_entry,
)
from rpm.actions.run_timer import (
    AnswerTimer,
    BeatTimer,
    OneTimer,
    StartTimer,
    answer_timer,
    beat_timer,
    pause_timer,
    resume_timer,
    start_timer,
    timing_of,
    whole,
    worker,
)
from rpm.actions.stop_timer import (
    DiscardTimer,
    StopTimer,
    SwitchTimer,
    discard_timer,
    stop_timer,
    switch_timer,
)
from rpm.store.queries.timers import proposed_entries, timer_of
from rpm.store.scope import Scope
from rpm.store.tables.timers import ProposedEntry, Timer
from rpm.timing import counted_seconds, settled, state_of
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.interactions import LoggedOut, logged_out
from rpm.web.routes.readings import after_id
from rpm.web.running import running_of
from rpm.web.timer_clock import TimerNow, take_demo_along

router = area_router("Timers")
Worker = Annotated[Actor, permit("entries:write")]
"""Whose timer it is."""


class SpanOut(BaseModel):
    """An interval that has ended."""

    begin: datetime
    end: datetime


class TimerOut(BaseModel):
    """A timer at an instant."""

    id: UUID
    patient_id: UUID
    episode_id: UUID
    work: str = Field(examples=["RPM"])
    state: str = Field(description="`running`, `asking` (the idle question stands) or `paused`.")
    pause: str | None = Field(
        description="Why it does not run: `by-hand`, `idle`, `lost` or `signed-out`."
    )
    since: datetime | None = Field(description="Begin of the running interval.")
    active_at: datetime = Field(description="When the person last did something.")
    spans: list[SpanOut] = Field(description="Intervals that have ended; each becomes an entry.")
    counted_seconds: int = Field(description="Up to now, time in question included.")
    tail_seconds: int = Field(
        description="After it ended by itself, for how long its page was still heard."
    )


class MyTimer(BaseModel):
    """The caller's timer, if there is one."""

    timer: TimerOut | None


class SwitchedOut(BaseModel):
    """The entries of the timer that was stopped, and the one that runs now."""

    logged: LoggedOut
    timer: TimerOut


class DiscardedOut(BaseModel):
    """The timer that is gone."""

    timer_id: UUID


class ProposedOut(BaseModel):
    """A typed entry above the practice's limit."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="The client's id of the entry.")
    proposed_by: UUID = Field(description="Who typed it.")
    proposed_at: datetime
    patient_id: UUID
    state: str = Field(description="`waiting`, `approved` or `refused`.")
    content: dict[str, Any] = Field(description="The entry as it would be logged.")
    decided_by: UUID | None
    decided_at: datetime | None
    decision_reason: str | None


class TypedOut(BaseModel):
    """The entry as stored, or what waits for somebody else's word."""

    logged: LoggedOut | None
    waiting: ProposedOut | None


def _shown(timer: Timer, now: datetime) -> TimerOut:
    now = whole(now)
    timing = settled(timing_of(timer), now)
    return TimerOut(
        id=timer.id,
        patient_id=timer.patient_id,
        episode_id=timer.episode_id,
        work=timer.work,
        state=state_of(timing, now),
        pause=timing.pause,
        since=timing.since,
        active_at=timing.active_at,
        spans=[SpanOut(begin=span.begin, end=span.end) for span in timing.spans],
        counted_seconds=counted_seconds(timing, now),
        tail_seconds=timing.tail_seconds,
    )


def _typed(typed: Typed) -> TypedOut:
    return TypedOut(
        logged=None if typed.logged is None else logged_out(typed.logged),
        waiting=None if typed.waiting is None else ProposedOut.model_validate(typed.waiting),
    )


@router.get(
    "/timers/current",
    summary="Show my timer",
    description="As it stands now: what ended by itself is told, whether or not a job has looked.",
    operation_id="get_my_timer",
    response_model=MyTimer,
    responses=PROBLEMS,
)
def current(db: ReadDb, now: TimerNow, actor: Worker) -> MyTimer:
    """The timer, or null."""
    timer = timer_of(db, Scope.of(actor), worker(actor))
    return MyTimer(timer=None if timer is None else _shown(timer, now))


@router.post(
    "/timers",
    status_code=201,
    summary="Start my timer",
    description="A person has one timer. For the same patient and work the running one is given;"
    " for another patient it is 409: stop, discard or switch first. It is no fact until it stops.",
    operation_id="start_timer",
    response_model=TimerOut,
    responses=PROBLEMS,
)
def start(db: Db, now: TimerNow, actor: Worker, command: StartTimer) -> TimerOut:
    """The running timer."""
    return _shown(start_timer(db, actor, now, command), now)


@router.post(
    "/timers/beats",
    summary="Say that my page is there",
    description="Send one every 15 seconds, with the seconds since anybody touched anything."
    " Without one for 150 seconds the interval ends at the last. A timer that never had one ends by"
    " idleness only.",
    operation_id="beat_timer",
    response_model=TimerOut,
    responses=PROBLEMS,
)
def beat(db: Db, now: TimerNow, actor: Worker, command: BeatTimer) -> TimerOut:
    """The timer after the beat."""
    return _shown(beat_timer(db, actor, now, command), now)


@router.post(
    "/timers/pauses",
    summary="Pause my timer",
    description="The interval so far is kept; it becomes an entry of its own.",
    operation_id="pause_timer",
    response_model=TimerOut,
    responses=PROBLEMS,
)
def pause(db: Db, now: TimerNow, actor: Worker, command: OneTimer) -> TimerOut:
    """The paused timer."""
    return _shown(pause_timer(db, actor, now, command), now)


@router.post(
    "/timers/resumptions",
    summary="Let my timer go on",
    description="The time that it did not run does not count.",
    operation_id="resume_timer",
    response_model=TimerOut,
    responses=PROBLEMS,
)
def resume(db: Db, now: TimerNow, actor: Worker, command: OneTimer) -> TimerOut:
    """The running timer."""
    return _shown(resume_timer(db, actor, now, command), now)


@router.post(
    "/timers/answers",
    summary="Answer the idle question",
    description="`keep` counts the time since the last activity, the other two leave it out. After"
    " the timer ended by itself, `keep` counts up to when its page was last heard.",
    operation_id="answer_timer",
    response_model=TimerOut,
    responses=PROBLEMS,
)
def answer(db: Db, now: TimerNow, actor: Worker, command: AnswerTimer) -> TimerOut:
    """The timer after the answer."""
    return _shown(answer_timer(db, actor, now, command), now)


@router.post(
    "/timers/stops",
    status_code=201,
    summary="Stop my timer",
    description="Stopping is the entry: one for each interval and local day. Time in question does"
    " not count. The same `client_id` again gives the same entries.",
    operation_id="stop_timer",
    response_model=LoggedOut,
    responses=PROBLEMS,
)
def stop(request: Request, db: Db, now: TimerNow, actor: Worker, command: StopTimer) -> LoggedOut:
    """The stored entries and their findings."""
    logged = stop_timer(db, actor, now, command)
    take_demo_along(db, running_of(request), now)
    return logged_out(logged)


@router.post(
    "/timers/switches",
    status_code=201,
    summary="Switch my timer over to another patient",
    description="Stops the one and starts the other, both or neither.",
    operation_id="switch_timer",
    response_model=SwitchedOut,
    responses=PROBLEMS,
)
def switch(
    request: Request, db: Db, now: TimerNow, actor: Worker, command: SwitchTimer
) -> SwitchedOut:
    """The entries, and the running timer."""
    logged, timer = switch_timer(db, actor, now, command)
    take_demo_along(db, running_of(request), now)
    return SwitchedOut(logged=logged_out(logged), timer=_shown(timer, now))


@router.post(
    "/timers/discards",
    summary="Discard my timer",
    description="It leaves no entry; the audit trail keeps how long it ran, and the reason.",
    operation_id="discard_timer",
    response_model=DiscardedOut,
    responses=PROBLEMS,
)
def discard(db: Db, now: TimerNow, actor: Worker, command: DiscardTimer) -> DiscardedOut:
    """The id of what is gone."""
    discard_timer(db, actor, now, command)
    return DiscardedOut(timer_id=command.timer_id)


@router.post(
    "/typed-entries",
    status_code=201,
    summary="Type an entry afterwards",
    description="Marked as typed, with a reason. Above the practice's limit (setting"
    " `typed_limit_minutes`) it waits, outside the record, for somebody else. `POST /v1/entries` is"
    " for systems and knows no limit.",
    operation_id="type_entry",
    response_model=TypedOut,
    responses=PROBLEMS,
)
def type_afterwards(db: Db, now: Now, actor: Worker, command: TypeEntry) -> TypedOut:
    """The entry, or what waits."""
    return _typed(type_entry(db, actor, now, command))


@router.get(
    "/typed-entries",
    summary="List typed entries above the limit",
    description="In the order they were typed; those that wait unless another state is asked for.",
    operation_id="list_typed_entries",
    response_model=Page[ProposedOut],
    responses=PROBLEMS,
)
def list_typed(
    db: ReadDb,
    actor: Annotated[Actor, permit("entries:read")],
    paging: Paging,
    state: Annotated[
        Annotated[str, OneOf(STATES)], Query(description="Only in this state.")
    ] = "waiting",
) -> Page[ProposedEntry]:
    """A page of them."""
    rows = proposed_entries(
        db, Scope.of(actor), state=state, after=after_id(paging), limit=paging.fetch
    )
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/typed-entry-decisions",
    status_code=201,
    summary="Approve or refuse a typed entry",
    description="By somebody else than who typed it. Approved it is recorded for who worked.",
    operation_id="decide_typed_entry",
    response_model=TypedOut,
    responses=PROBLEMS,
)
def decide(
    db: Db, now: Now, actor: Annotated[Actor, permit("entries:approve")], command: DecideEntry
) -> TypedOut:
    """The entry, or the refused proposal."""
    return _typed(decide_entry(db, actor, now, command))

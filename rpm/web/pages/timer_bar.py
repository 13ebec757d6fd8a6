"""The timer as every page shows it: a bar that is drawn on the server.

Owns what the bar says. Does not own timers (``rpm.actions.run_timer``), their forms
(``rpm.web.pages.timer``) nor the script that lets it tick (``static/timer.js``).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Request
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.practice_day import practice_today
from rpm.actions.run_timer import open_work, timing_of, whole
from rpm.actions.timer_settings import timer_settings
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.timers import timer_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.store.tables.timers import Timer
from rpm.timing import Timing, counted_seconds, settled, state_of
from rpm.web.running import Running
from rpm.web.timer_clock import timer_now

BEAT_SECONDS = 15


@dataclass(frozen=True)
class Chart:
    """The patient whose chart is on the screen, and what a timer could be started for."""

    patient_id: UUID
    works: tuple[str, ...]


@dataclass(frozen=True)
class TimerBar:
    """The bar: the person's timer, if there is one, and the chart beside it."""

    state: str  # none, running, asking, paused
    timer: Timer | None
    timing: Timing | None
    patient: str
    seconds: int
    chart: Chart | None
    grace_seconds: int | None  # None: a chart starts no timer by itself
    now: datetime
    beat_seconds: int = BEAT_SECONDS

    @property
    def elsewhere(self) -> bool:
        """Whether another patient's chart is on the screen."""
        if self.timer is None or self.chart is None:
            return False
        return self.timer.patient_id != self.chart.patient_id

    @property
    def starts_by_itself(self) -> bool:
        """Whether the chart on the screen starts a timer after the grace."""
        startable = self.chart is not None and len(self.chart.works) == 1
        return self.timer is None and startable and self.grace_seconds is not None

    def as_json(self) -> dict[str, str | int | None]:
        """What a beat is answered with."""
        timer_id = None if self.timer is None else str(self.timer.id)
        return {"state": self.state, "timer_id": timer_id, "seconds": self.seconds}


def chart_of(request: Request) -> UUID | None:
    """The patient of a page's address."""
    try:
        return UUID(str(request.path_params.get("patient_id", "")))
    except ValueError:
        return None


def timer_bar(
    db: Session, actor: Actor, running: Running, chart_id: UUID | None
) -> TimerBar | None:
    """The bar of a person; None for who logs no work."""
    if "entries:write" not in actor.permissions or actor.user_id is None:
        return None
    now, scope = whole(timer_now(running)), Scope.of(actor)
    timer = timer_of(db, scope, actor.user_id)
    grace = timer_settings(db, scope).grace_seconds.get(actor.role) if chart_id else None
    chart = None if chart_id is None else _chart(db, scope, chart_id, now)
    if timer is None:
        return TimerBar("none", None, None, "", 0, chart, grace, now)
    return shown(db, scope, timer, now, chart)


def shown(
    db: Session, scope: Scope, timer: Timer, now: datetime, chart: Chart | None = None
) -> TimerBar:
    """The bar of a timer."""
    timing = settled(timing_of(timer), now)
    return TimerBar(
        state=state_of(timing, now),
        timer=timer,
        timing=timing,
        patient=names_of_patients(db, scope, [timer.patient_id])[timer.patient_id],
        seconds=counted_seconds(timing, now),
        chart=chart,
        grace_seconds=None,
        now=now,
    )


def _chart(db: Session, scope: Scope, patient_id: UUID, now: datetime) -> Chart | None:
    if db.get(Patient, (scope.organization_id, patient_id)) is None:
        return None
    return Chart(patient_id, open_work(db, scope, patient_id, practice_today(db, scope, now)))

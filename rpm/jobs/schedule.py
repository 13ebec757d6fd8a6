"""The schedule: which job runs when, in UTC, and the scheduler that looks.

Owns the planned instants and the APScheduler that ticks. Does not own the jobs' work. The scheduler
looks every minute whether the latest planned run was taken: a run missed while no scheduler was
alive is made up for once, and of several schedulers one does it.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.engine import Engine

from rpm import logs
from rpm.clock import SystemClock, clock_for
from rpm.jobs import alerts, answers, eligibility, events, pulls, work
from rpm.jobs.runs import latest_slot, run_once, show_life
from rpm.settings import Settings

TICK = timedelta(minutes=1)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """A job: planned ``after`` past each whole ``every``, counted in UTC."""

    name: str
    every: timedelta
    after: timedelta
    work: Callable[[Engine, Settings, datetime], str]


JOBS = (
    Job("close-due-months", timedelta(hours=1), timedelta(minutes=5), work.close_due_months),
    Job("nightly-verify", timedelta(days=1), timedelta(hours=3, minutes=15), work.verify_all),
    Job("silent-devices", timedelta(days=1), timedelta(hours=10), work.list_silent_devices),
    Job("refresh-contacts", timedelta(minutes=5), timedelta(0), work.refresh_all_contacts),
    # every hour, soon after it begins: somewhere a practice's new day has just begun
    Job("refresh-readiness", timedelta(hours=1), timedelta(minutes=1), work.refresh_readiness),
    Job("watch-alerts", timedelta(minutes=1), timedelta(0), alerts.watch_alerts),
    Job("watch-silence", timedelta(hours=1), timedelta(minutes=7), alerts.watch_silence),
    Job("watch-billed", timedelta(hours=1), timedelta(minutes=12), alerts.watch_billed),
    Job("nightly-pull", timedelta(days=1), timedelta(hours=8, minutes=30), pulls.ask_every_account),
    Job("pull-due", timedelta(minutes=1), timedelta(0), pulls.pull_due),
    Job("fetch-answers", timedelta(minutes=15), timedelta(minutes=4), answers.fetch_answers),
    Job("ask-eligibility", timedelta(days=1), timedelta(hours=9), eligibility.ask_due),
    Job("send-events", timedelta(minutes=1), timedelta(0), events.send_events),
    Job("end-timers", timedelta(minutes=1), timedelta(0), work.end_timers),
    Job("forget-answers", timedelta(days=1), timedelta(hours=2), work.forget_answers),
    Job("forget-runs", timedelta(days=1), timedelta(hours=2, minutes=10), work.forget_runs),
)
"""All jobs; the hours are UTC."""


def run_latest(engine: Engine, settings: Settings, job: Job) -> str | None:
    """Do the latest planned run of a job; its result, or None when it was already taken."""
    clock = clock_for(engine)
    slot = latest_slot(clock.now(), job.every, job.after)
    return run_once(engine, clock, job.name, slot, lambda: job.work(engine, settings, clock.now()))


def _tick(engine: Engine, settings: Settings, job: Job) -> None:
    try:
        run_latest(engine, settings, job)
    except Exception as error:  # noqa: BLE001 - a busy database: the next tick looks again
        _log.error("scheduler_tick_failed", job=job.name, **logs.about(error))


def _live(engine: Engine) -> None:
    try:
        show_life(engine, SystemClock().now())
    except Exception as error:  # noqa: BLE001 - as above
        _log.error("scheduler_tick_failed", **logs.about(error))


def _fill(scheduler: BaseScheduler, engine: Engine, settings: Settings) -> None:
    ticks: list[tuple[str, Any, tuple[Any, ...]]] = [
        (job.name, _tick, (engine, settings, job)) for job in JOBS
    ]
    for name, function, arguments in [("lease", _live, (engine,)), *ticks]:
        scheduler.add_job(
            function,
            IntervalTrigger(seconds=int(TICK.total_seconds()), timezone=UTC),
            args=arguments,
            id=name,
            next_run_time=SystemClock().now(),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )


@contextmanager
def background(engine: Engine, settings: Settings) -> Iterator[None]:
    """A scheduler in threads of this process; current runs end before the block ends."""
    scheduler = BackgroundScheduler(timezone=UTC)
    _fill(scheduler, engine, settings)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def foreground(engine: Engine, settings: Settings) -> None:
    """A scheduler that holds the process until it is asked to stop."""
    scheduler = BlockingScheduler(timezone=UTC)
    _fill(scheduler, engine, settings)

    def stop(_signal: int, _frame: object) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()

"""Runs of jobs: a run is claimed by its row before anything is done.

Owns claiming, finishing and the scheduler's sign of life. Does not own what runs.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.engine import Engine
from sqlmodel import col

from rpm import logs
from rpm.clock import Clock
from rpm.store.claim import claim_row
from rpm.store.engine import reading, transaction
from rpm.store.queries.lease import LEASE
from rpm.store.tables.security import JobRun

_log = structlog.get_logger()


def latest_slot(now: datetime, every: timedelta, after: timedelta) -> datetime:
    """The last planned instant at or before ``now``: ``after`` past each whole ``every`` (UTC)."""
    epoch = datetime(1970, 1, 1, tzinfo=now.tzinfo) + after
    return epoch + (now - epoch) // every * every


def claim(engine: Engine, job: str, slot: str, now: datetime) -> bool:
    """Take a run; False when it was taken before, by this process or another."""
    with reading(engine) as session:
        if session.get(JobRun, (job, slot)) is not None:
            return False
    with transaction(engine) as session:
        return claim_row(session, JobRun, {"job": job, "slot": slot, "claimed_at": now})


def run_once(
    engine: Engine, clock: Clock, job: str, slot: datetime, work: Callable[[], str]
) -> str | None:
    """Do the work of one planned run; its result, or None when the run was already taken.

    A failure is the run's result and is logged; the next planned run tries again.
    """
    name = slot.isoformat()
    if not claim(engine, job, name, clock.now()):
        return None
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - a job that fails must not end the scheduler
        result = f"failed: {type(error).__name__}"
        _log.error("job_failed", job=job, slot=name, **logs.about(error))
    with transaction(engine) as session:
        session.connection().execute(
            update(JobRun)
            .where(col(JobRun.job) == job, col(JobRun.slot) == name)
            .values(finished_at=clock.now(), result=result)
        )
    _log.info("job_done", job=job, slot=name, result=result)
    return result


def show_life(engine: Engine, instant: datetime) -> None:
    """Write down that a scheduler is alive, by the machine's clock."""
    job, slot = LEASE
    with transaction(engine) as session:
        row = {"job": job, "slot": slot, "claimed_at": instant}
        if not claim_row(session, JobRun, row):
            session.connection().execute(
                update(JobRun)
                .where(col(JobRun.job) == job, col(JobRun.slot) == slot)
                .values(claimed_at=instant)
            )

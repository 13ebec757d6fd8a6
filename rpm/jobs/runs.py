"""Runs of jobs: a run is claimed by its row before anything is done.

Owns claiming, finishing and the scheduler's sign of life. Does not own what runs.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlmodel import Session, col

from rpm import logs
from rpm.clock import Clock
from rpm.store.engine import reading, transaction
from rpm.store.tables.base import METADATA
from rpm.store.tables.security import JobRun

LEASE = ("scheduler", "lease")
"""Job and slot of the row that tells when a scheduler was last alive."""

_TABLE: Table = METADATA.tables[str(JobRun.__tablename__)]
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
        return _insert(session, {"job": job, "slot": slot, "claimed_at": now})


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
        if not _insert(session, {"job": job, "slot": slot, "claimed_at": instant}):
            session.connection().execute(
                update(JobRun)
                .where(col(JobRun.job) == job, col(JobRun.slot) == slot)
                .values(claimed_at=instant)
            )


def _insert(session: Session, row: dict[str, object]) -> bool:
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    taken = insert(_TABLE).values(row).on_conflict_do_nothing().returning(_TABLE.c.job)
    return connection.execute(taken).first() is not None

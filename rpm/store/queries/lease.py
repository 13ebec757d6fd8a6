"""The scheduler's sign of life: one row among the job runs.

Owns its key and its reading. Does not own writing it (``rpm.jobs.runs``).
"""

from datetime import datetime

from sqlmodel import Session

from rpm.store.tables.security import JobRun

LEASE = ("scheduler", "lease")
"""Job and slot of the row."""


def scheduler_seen_at(db: Session) -> datetime | None:
    """When a scheduler last showed life, by the machine's clock; None if never."""
    row = db.get(JobRun, LEASE)
    return row.claimed_at if row is not None else None

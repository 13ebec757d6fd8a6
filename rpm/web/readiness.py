"""Can the service work now: the database, its version, and when the scheduler last reported.

Owns the check behind ``/readyz``. Does not own migrations (``rpm.store.migrations``).
"""

from functools import cache

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from rpm.clock import SystemClock
from rpm.errors import ServiceError
from rpm.store.engine import reading
from rpm.store.migrations import current_revision, head_revision
from rpm.store.queries.lease import scheduler_seen_at
from rpm.web.running import Running, running_of


class Readiness(BaseModel):
    """What was found."""

    status: str = Field(description="`ready` or `not_ready`.", examples=["ready"])
    database: str = Field(
        description="`ok`, `unreachable`, or `behind` when it is not at this program's version.",
        examples=["ok"],
    )
    scheduler_seconds_ago: int | None = Field(
        description="Seconds since the scheduler last reported; null if it never did. For"
        " information: the web does not need it to answer.",
        examples=[12],
    )


_head = cache(head_revision)


def readiness(request: Request) -> Readiness:
    """Look at the database once."""
    running = running_of(request)
    try:
        return _look(running)
    except (SQLAlchemyError, ServiceError):
        return Readiness(status="not_ready", database="unreachable", scheduler_seconds_ago=None)


def _look(running: Running) -> Readiness:
    with reading(running.engine) as session:
        session.connection().execute(text("SELECT 1"))
        if current_revision(session.connection()) != _head():
            return Readiness(status="not_ready", database="behind", scheduler_seconds_ago=None)
        seen_at = scheduler_seen_at(session)
    ago = None
    if seen_at is not None:
        ago = max(0, int((SystemClock().now() - seen_at).total_seconds()))
    return Readiness(status="ready", database="ok", scheduler_seconds_ago=ago)

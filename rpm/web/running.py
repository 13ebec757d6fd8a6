"""What a running application holds: made at start-up, disposed of at its end.

Owns the bundle and its limits on concurrent sessions. Does not own what is in it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import anyio
from fastapi import Request
from sqlalchemy.engine import Engine

from rpm.clock import Clock, clock_for
from rpm.errors import Busy
from rpm.keys import Keys, load_keys
from rpm.safe_start import refuse_unsafe_start
from rpm.settings import Settings
from rpm.store.append_only import keep_schema
from rpm.store.engine import BUSY_TIMEOUT_MILLISECONDS, make_engine

# A session is begun, used and ended on different worker threads. With more sessions than
# connections, waiting beginners could hold every thread that an ending one needs.
_WRITERS = {"sqlite": 1, "postgresql": 4}
_READERS = 8
_WAIT_SECONDS = BUSY_TIMEOUT_MILLISECONDS / 1000
_NOTICED_SECONDS = 0.5


@dataclass(frozen=True)
class Running:
    """Settings, keys, database and clock of one application, and who may use the database now."""

    settings: Settings
    keys: Keys
    engine: Engine
    clock: Clock
    writers: anyio.CapacityLimiter
    readers: anyio.CapacityLimiter
    tokens_noted: dict[UUID, datetime] = field(default_factory=dict)  # last use, to the minute


@asynccontextmanager
async def turn_to_write(running: Running) -> AsyncIterator[float | None]:
    """One of the places of writers, and how long the database may still be waited for, if less.

    ``Busy`` when none is free within the database's own time-out: both waits together are as long.
    """
    began = anyio.current_time()
    try:
        with anyio.fail_after(_WAIT_SECONDS):
            await running.writers.acquire()
    except TimeoutError as error:
        raise Busy("others write; try again") from error
    try:
        waited = anyio.current_time() - began
        yield None if waited < _NOTICED_SECONDS else max(0.0, _WAIT_SECONDS - waited)
    finally:
        running.writers.release()


def start(settings: Settings, clock: Clock | None = None) -> Running:
    """Connect; ``stop`` must follow.

    ``NotReady`` when keys are missing or it is not safe to start (``rpm.safe_start``).
    """
    keys = load_keys(settings)
    engine = make_engine(settings)
    try:
        refuse_unsafe_start(settings, engine, listens=True)
    except BaseException:
        engine.dispose()
        raise
    keep_schema(engine)
    return Running(
        settings=settings,
        keys=keys,
        engine=engine,
        clock=clock or clock_for(engine),
        writers=anyio.CapacityLimiter(_WRITERS[engine.dialect.name]),
        readers=anyio.CapacityLimiter(_READERS),
    )


def stop(running: Running) -> None:
    """Close every connection."""
    running.engine.dispose()


def running_of(request: Request) -> Running:
    """What the application behind a request holds."""
    found: Running = request.app.state.running
    return found

"""Turns to write: who waits for a place, and how long the database may be waited for after that.

Owns the one time limit over both waits. Does not own the transactions (``rpm.store.engine``).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from rpm.errors import Busy
from rpm.store.engine import BUSY_TIMEOUT_MILLISECONDS

_WAIT_SECONDS = BUSY_TIMEOUT_MILLISECONDS / 1000
_NOTICED_SECONDS = 0.1


@asynccontextmanager
async def turn_to_write(writers: anyio.CapacityLimiter) -> AsyncIterator[float | None]:
    """One of the places of writers, and how long the database may still be waited for, if less.

    ``Busy`` when none is free within the database's own time-out: both waits together are as long.
    """
    began = anyio.current_time()
    try:
        with anyio.fail_after(_WAIT_SECONDS):
            await writers.acquire()
    except TimeoutError as error:
        raise Busy("others write; try again") from error
    try:
        waited = anyio.current_time() - began
        yield None if waited < _NOTICED_SECONDS else max(0.0, _WAIT_SECONDS - waited)
    finally:
        writers.release()

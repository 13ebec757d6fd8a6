"""What a running application holds: made at start-up, disposed of at its end.

Owns the bundle and its limits on concurrent sessions. Does not own what is in it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import anyio
from fastapi import Request
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.authenticate_delivery import OpenDoors
from rpm.clock import Clock, SystemClock, clock_for
from rpm.keys import Keys, load_keys
from rpm.safe_start import refuse_unsafe_start
from rpm.settings import Settings
from rpm.store.append_only import keep_schema
from rpm.store.engine import make_engine, within
from rpm.web.access_trail import AccessTrail
from rpm.web.delivery_writer import DeliveryWriter

# A session is begun, used and ended on different worker threads. With more sessions than
# connections, waiting beginners could hold every thread that an ending one needs.
_WRITERS = {"sqlite": 1, "postgresql": 4}
_READERS = 8
_HASHERS = 2
"""Passwords hashed at the same time: each takes a tenth of a second and 64 MiB."""


@dataclass(frozen=True)
class Running:
    """Settings, keys, database and clock of one application, and who may use the database now."""

    settings: Settings
    keys: Keys
    engine: Engine
    clock: Clock
    wall: Clock  # the machine's: sign-ins do not stand still with a demo's clock
    writers: anyio.CapacityLimiter
    readers: anyio.CapacityLimiter
    hashers: anyio.CapacityLimiter
    doors: OpenDoors
    deliveries: DeliveryWriter
    trail: AccessTrail
    tokens_noted: dict[UUID, datetime] = field(default_factory=dict)  # last use, to the minute
    demo_looks: dict[datetime, datetime] = field(default_factory=dict)  # rpm.web.timer_clock


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
    writers = anyio.CapacityLimiter(_WRITERS[engine.dialect.name])
    return Running(
        settings=settings,
        keys=keys,
        engine=engine,
        clock=clock or clock_for(engine),
        wall=clock or SystemClock(),
        writers=writers,
        readers=anyio.CapacityLimiter(_READERS),
        hashers=anyio.CapacityLimiter(_HASHERS),
        doors=OpenDoors(keys.field_encryption),
        deliveries=DeliveryWriter(engine, writers),
        trail=AccessTrail(engine, writers),
    )


def stop(running: Running) -> None:
    """Close every connection."""
    running.engine.dispose()


def engine_of(request: Request, actor: Actor) -> Engine:
    """The database within the actor's organization."""
    return within(running_of(request).engine, actor.organization_id)


def running_of(request: Request) -> Running:
    """What the application behind a request holds."""
    found: Running = request.app.state.running
    return found

"""The only place that reads the wall clock, and how an instant becomes a local day.

Owns the clocks and the zone arithmetic. Does not own which zone applies: that is a fact of the
reading, the patient or the practice.
"""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import Engine
from sqlmodel import Session

from rpm.errors import Conflict, InvalidRequest, NotAllowed
from rpm.store.engine import reading, transaction
from rpm.store.tables.security import DemoClock as DemoClockRow

_ONLY_ROW = 1


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)


class DemoClock:
    """The clock of a demo database: stands still until it is moved, and only forward."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self) -> datetime:
        """The instant that the demo database holds; ``NotAllowed`` on any other database."""
        with reading(self._engine) as session:
            row = session.get(DemoClockRow, _ONLY_ROW)
            if row is None:
                raise NotAllowed("this is not a demo database")
            return row.instant

    def advance(self, to: datetime) -> None:
        """Move the clock; ``NotAllowed`` on other databases, ``Conflict`` when moved back."""
        with transaction(self._engine) as session:
            advance_demo(session, to)


def advance_demo(session: Session, to: datetime) -> None:
    """Move a demo's clock within a transaction; errors as of ``DemoClock.advance``."""
    row = session.get(DemoClockRow, _ONLY_ROW, with_for_update=True)
    if row is None:
        raise NotAllowed("this is not a demo database")
    if to < row.instant:
        raise Conflict("a demo clock only moves forward")
    row.instant = to
    session.add(row)


def mark_as_demo(engine: Engine, start: datetime) -> DemoClock:
    """Give a new database its own clock; ``Conflict`` when it has one already."""
    with transaction(engine) as session:
        if session.get(DemoClockRow, _ONLY_ROW) is not None:
            raise Conflict("this demo database already has its clock")
        session.add(DemoClockRow(id=_ONLY_ROW, instant=start))
    return DemoClock(engine)


def clock_for(engine: Engine) -> Clock:
    """The demo clock of a demo database, the machine's clock for every other."""
    with reading(engine) as session:
        is_demo = session.get(DemoClockRow, _ONLY_ROW) is not None
    return DemoClock(engine) if is_demo else SystemClock()


@lru_cache(maxsize=128)
def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; ``InvalidRequest`` when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest("not an IANA time zone name") from error


def local_parts(instant: datetime, zone_name: str) -> tuple[date, int]:
    """Local day, and seconds of the wall clock after its midnight, of an aware instant.

    ValueError for a naive instant, ``InvalidRequest`` for an unknown zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone has no local day")
    local = instant.astimezone(zone(zone_name))
    return local.date(), local.hour * 3600 + local.minute * 60 + local.second


def local_day(instant: datetime, zone_name: str) -> date:
    """Local day of an aware instant; errors as in ``local_parts``."""
    return local_parts(instant, zone_name)[0]


def start_of_day(day: date, zone_name: str) -> datetime:
    """The instant at which a local day begins; ``InvalidRequest`` for an unknown zone."""
    return datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)

"""The time that timers go by: the ledger's, which in a demo goes on while a timer is looked at.

Owns the dependency. Does not own clocks (``rpm.clock``). A demo's clock stands still between moves;
a timer that stood still with it would show nothing. It counts on from where the demo's clock
stands, as fast as the machine's clock runs; stopping it takes the demo's clock along.
"""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from rpm.clock import DemoClock, advance_demo
from rpm.web.running import Running, running_of


def timer_now(running: Running) -> datetime:
    """The instant at which a timer is looked at."""
    now = running.clock.now()
    if not isinstance(running.clock, DemoClock):
        return now
    wall = running.wall.now()
    return now + max(wall - running.demo_looks.setdefault(now, wall), timedelta(0))


def _timer_now(request: Request) -> datetime:
    return timer_now(running_of(request))


TimerNow = Annotated[datetime, Depends(_timer_now)]
"""The same all through a request."""


def take_demo_along(db: Session, running: Running, now: datetime) -> None:
    """Work that was recorded must not lie after a demo's present: its clock moves up to there."""
    if isinstance(running.clock, DemoClock) and now > running.clock.now():
        advance_demo(db, now)

"""Moving a demo's clock from a page: the story goes on until the evening of a day.

Owns the form and the progress. Does not own the story (``rpm.demo``): who serves a demo hands the
application what moves it (``MoveDemo``). On any other installation there is no such page.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response

from rpm.clock import local_day
from rpm.errors import Conflict, NotFound
from rpm.web.pages.long_work import LongWork, Progress, render_working
from rpm.web.pages.shell import Now, Visitor, is_demo, page_router, render

router = page_router()

PLACE = "/demo/clock"


@dataclass(frozen=True)
class MoveDemo:
    """Plays a demo's story until the evening of a day; one move at a time.

    ``play`` returns what was answered otherwise than the story has it.
    """

    last_day: date
    play: Callable[[date, Progress], list[str]]
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, day: date, tell: Progress) -> list[str]:
        """Move; ``Conflict`` while another move runs."""
        if not self._turn.acquire(blocking=False):
            raise Conflict("the clock is being moved already")
        try:
            return self.play(day, tell)
        finally:
            self._turn.release()


@router.get(PLACE)
def demo_clock(request: Request, now: Now, found: Visitor) -> Response:
    """Where the clock stands, and a form to move it on."""
    return _form(request, _today(request, now, found), {})


def _today(request: Request, now: Now, found: Visitor) -> date:
    if not is_demo(request):
        raise NotFound("this is not a demo")
    return local_day(now, found.timezone)


def _form(request: Request, today: date, errors: dict[str, str], typed: str = "") -> Response:
    move = _move_of(request)
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return render(
        request,
        "demo_clock.html.j2",
        422 if errors else 200,
        move=move,
        today=today,
        suggested={
            "tomorrow": today + timedelta(days=1),
            "a week on": today + timedelta(days=7),
            "the day after the month's close": next_month + timedelta(days=2),
        },
        typed=typed,
        errors=errors,
    )


def _move_of(request: Request) -> MoveDemo | None:
    found: MoveDemo | None = request.app.state.move_demo
    return found


@router.post(PLACE)
def advance(
    request: Request, now: Now, found: Visitor, day: Annotated[str, Form()] = ""
) -> Response:
    """The story is played on, with its progress."""
    today = _today(request, now, found)
    move = _move_of(request)
    if move is None:
        raise Conflict("this server cannot move the clock: rpm-ledger demo advance can")
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        return _form(request, today, {"day": "A day is written like 2026-03-02"}, day)
    if wanted <= today:
        return _form(request, today, {"day": "The clock only moves forward"}, day)
    if wanted > move.last_day:
        return _form(request, today, {"day": "The story ends before that day"}, day)
    work: LongWork[list[str]] = LongWork(lambda tell: move(wanted, tell))
    return render_working(request, "demo_moved.html.j2", work, wanted=wanted)

"""Work: the talks and reviews of the practice's staff, as entries posted when they are over.

Owns who talks when, so that nobody is in two places unless the story says so. Does not own what the
minutes earn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from uuid import NAMESPACE_URL, uuid5

from rpm.demo.person import Person
from rpm.demo.practice import LAST_DAY, MIA, NEIL, NORA, SEED, Worker, at
from rpm.demo.steps import Call

_LOGGED_AFTER = timedelta(seconds=30)
_FIRST_SECOND = 8 * 3600 + 30 * 60
_GAP_SECONDS = 120
_SATURDAY = 5
_ACTIVITIES = {
    "live": "call about readings and medication",
    "async": "review of readings and notes",
    "text": "message about readings",
    "voicemail": "voicemail left",
}


@dataclass(frozen=True)
class Talk:
    """Work for a patient; without ``starts`` it takes the next free place in the worker's day."""

    person_key: str
    day: date
    seconds: int
    worker: Worker = NORA
    mode: str = "live"
    work: str = "RPM"
    starts: str | None = None  # wall time of the practice
    name: str | None = None  # for a later step that takes it back


def usual_talks(people: tuple[Person, ...]) -> Iterator[Talk]:
    """Each patient's usual talks, month by month, on working days of the episode."""
    for person in people:
        month = person.opened_day.replace(day=1)
        while month <= LAST_DAY:
            yield from _month_of(person, month)
            month = _next(month)


def calls(talks: Iterator[Talk]) -> Iterator[Call]:
    """The entries of talks, each posted when it is over."""
    free: dict[tuple[str, date], int] = {}
    for number, talk in enumerate(talks):
        if talk.starts is None:
            place = (talk.worker.key, talk.day)
            second = free.get(place, _FIRST_SECOND)
            free[place] = second + talk.seconds + _GAP_SECONDS
            began = at(talk.day, "00:00") + timedelta(seconds=second)
        else:
            began = at(talk.day, talk.starts)
        yield _call(talk, began, number)


def _call(talk: Talk, began: datetime, number: int) -> Call:
    body = {
        "client_id": str(uuid5(NAMESPACE_URL, f"urn:rpm-ledger:demo:{SEED}:{number}")),
        "patient_id": f"@patient:{talk.person_key}",
        "role": talk.worker.works_as,
        "work": talk.work,
        "mode": talk.mode,
        "started_at": began.isoformat(),
        "duration_seconds": talk.seconds,
        "activity": _ACTIVITIES[talk.mode],
    }
    ended = began + timedelta(seconds=talk.seconds)
    keep = f"entry:{talk.name}" if talk.name else None
    return Call(ended + _LOGGED_AFTER, talk.worker.key, "/v1/entries", body, keep)


def _month_of(person: Person, month: date) -> Iterator[Talk]:
    random = Random(f"{SEED}:talks:{person.key}:{month}")  # noqa: S311 - synthetic, no secret
    first = max(month, person.opened_day + timedelta(days=1))
    last = min(_next(month) - timedelta(days=1), person.last_talk_day or LAST_DAY)
    days = [
        day
        for day in (first + timedelta(days=step) for step in range((last - first).days + 1))
        if day.weekday() < _SATURDAY
    ]
    if len(days) < len(person.monthly_seconds):
        return
    chosen = sorted(random.sample(days, len(person.monthly_seconds)))
    for place, (day, seconds) in enumerate(zip(chosen, person.monthly_seconds, strict=True)):
        worker = random.choice((NORA, NORA, NEIL, MIA))
        mode = "live" if place == 0 or random.random() < 0.5 else "async"
        yield Talk(person.key, day, seconds, worker, mode)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)

"""One more day, one more minute: what a fact that is not recorded would change, calculated.

Owns which fact is tried, on which day, and as of when. Does not own what follows from it: both
sides are the events of ``evaluate``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from billing.days import day_date
from billing.ledger.added import NewDay, NewEntry, with_days, with_entries
from billing.ledger.evaluate import billed_events
from billing.ledger.facts import Facts
from billing.ledger.kernels import Ints, Mask
from billing.ledger.standing import Standing, standing_of
from billing.ledger.windows import KeptDays
from billing.rules.book import RuleBook
from billing.rules.ruleset import Ladder, Measure


@dataclass(frozen=True, order=True)
class Line:
    """A line that may leave; of the day of service and the row of its subject."""

    service_day: int
    code: str
    units: int
    episode: int


@dataclass(frozen=True)
class More:
    """Facts that were tried, and the patient's lines that they bring and take away.

    ``unit`` is days or seconds, ``amount`` how many. Both sides are evaluated as of ``as_of``: the
    day after a running period, else the day of the question. ``reachable`` tells whether the time
    left until then is enough.
    """

    unit: str
    amount: int
    days: tuple[NewDay, ...]
    entries: tuple[NewEntry, ...]
    as_of: date
    gained: tuple[Line, ...]
    lost: tuple[Line, ...]
    reachable: bool


@dataclass(frozen=True)
class Place:
    """Where facts may be added: days of an episode, and the days that are over.

    ``seen`` is the day of the question; ``until`` the last day of the period it runs to, None for a
    period that is over.
    """

    episode: int
    first_day: int
    last_day: int
    seen: int
    until: int | None
    left: int  # days or seconds that may still be added


class Trials:
    """Tries facts of one patient against the same rules."""

    def __init__(self, facts: Facts, book: RuleBook, seen_day: int, known: date) -> None:
        self._facts = _until(facts, seen_day)
        self._standing = standing_of(self._facts)  # a trial adds no episode and no gate
        self._book = book
        self._known = known
        self._lines: dict[date, Counter[Line]] = {}

    def days(self, added: Sequence[NewDay], place: Place) -> More:
        """What these days would change."""
        last = max(one.day for one in added)
        changed = with_days(self._facts, added)
        as_of, gained, lost = self._compared(changed, place, last)
        reachable = len(added) <= place.left
        return More("days", len(added), tuple(added), (), as_of, gained, lost, reachable)

    def entry(self, added: NewEntry, place: Place) -> More:
        """What this entry would change."""
        changed = with_entries(self._facts, [added])
        as_of, gained, lost = self._compared(changed, place, added.day)
        reachable = added.seconds <= place.left
        return More("seconds", added.seconds, (), (added,), as_of, gained, lost, reachable)

    def _compared(
        self, changed: Facts, place: Place, last_day: int
    ) -> tuple[date, tuple[Line, ...], tuple[Line, ...]]:
        until = place.seen if place.until is None else place.until + 1
        as_of = day_date(max(until, last_day, place.seen))
        if as_of not in self._lines:
            self._lines[as_of] = self._counted(self._facts, as_of)
        before, after = self._lines[as_of], self._counted(changed, as_of)
        gained, lost = after - before, before - after
        return as_of, tuple(sorted(gained.elements())), tuple(sorted(lost.elements()))

    def _counted(self, facts: Facts, as_of: date) -> Counter[Line]:
        events = billed_events(facts, self._book, as_of, self._known, self._standing)
        return Counter(lines_of(events))


def lines_of(events: pd.DataFrame) -> list[Line]:
    """Rows of an outcome's events as lines."""
    columns = (events[name].tolist() for name in ("service_day", "code", "units", "episode"))
    return [Line(*values) for values in zip(*columns, strict=True)]


def free_days(standing: Standing, kept: KeptDays, place: Place) -> list[int]:
    """Days of a place without a counted reading, those first that may still come."""
    counted = set(kept.day[kept.episode == place.episode].tolist())
    first = max(place.first_day, int(standing.setup_day[place.episode]))
    return [day for day in _days(standing, replace(place, first_day=first)) if day not in counted]


def work_day(standing: Standing, place: Place) -> int | None:
    """A day of a place on which work would count; None where no day is under consent."""
    return next(iter(_days(standing, place)), None)


def entry_for(ladder: Ladder, place: Place, day: int, seconds: int, *, live: bool) -> NewEntry:
    """A practitioner's work that the ladder counts: live where that is what is missing."""
    mode = "live" if live else "async"
    return NewEntry(place.episode, day, seconds, role="qhp", work=ladder.work[0], mode=mode)


def counts_days(ladder: Ladder) -> bool:
    """Whether a ladder measures days, not seconds."""
    return ladder.measure is Measure.DEVICE_DAYS


def _days(standing: Standing, place: Place) -> list[int]:
    """The place's days under consent: from the day of the question on, then those before."""
    last = min(place.last_day, int(standing.closed_day[place.episode]))
    if place.until is None:
        last = min(last, place.seen)
    days: Ints = np.arange(place.first_day, last + 1)
    consented: Mask = standing.consented(np.full(days.size, place.episode), days)
    found: list[int] = days[consented].tolist()
    return sorted(found, key=lambda day: (day < place.seen and place.until is not None, day))


def _until(facts: Facts, day: int) -> Facts:
    """The facts without days and work later than the day of the question."""
    device_days, entries = facts.device_days, facts.entries
    reversals = entries["reverses"].to_numpy() >= 0
    return replace(
        facts,
        device_days=device_days[device_days["day"].to_numpy() <= day],
        entries=entries[(entries["day"].to_numpy() <= day) | reversals],
    )

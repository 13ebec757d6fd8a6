"""Compare: two outcomes of the same facts, event by event.

Owns which events of the two belong together and which differ. Does not own how either outcome came
about (``evaluate``) nor what an event is worth (``billing.rules.amounts``).
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

_PLACE = ("subject", "subject_row", "ladder", "period_start_day")
_BILLED = ("code", "units", "service_day", "payer")

Place = tuple[Hashable, ...]


class Change(StrEnum):
    """How an event differs."""

    GONE = "gone"
    NEW = "new"
    OTHER = "other"  # other units, service day, payer or code


@dataclass(frozen=True)
class EventDifference:
    """Row numbers in the two frames of events; None where one has no such event."""

    change: Change
    before: int | None
    after: int | None


def event_differences(before: pd.DataFrame, after: pd.DataFrame) -> list[EventDifference]:
    """What the second frame of events has otherwise than the first, both of the same facts.

    Events belong together when they are of one ladder, subject and period: first those of one
    code, then those left over, in order of their codes. Units, service day, payer and code are
    compared; the page that judged is not, since it is what is tried.
    """
    ours, theirs = _by_place(before), _by_place(after)
    found: list[EventDifference] = []
    for place in sorted(ours.keys() | theirs.keys(), key=repr):
        found.extend(_of_place(ours.get(place, []), theirs.get(place, [])))
    return found


Billed = tuple[str, int, int, object]


def _by_place(events: pd.DataFrame) -> dict[Place, list[tuple[Billed, int]]]:
    """Per place the events' code, units, service day and payer, each with its row number."""
    places: dict[Place, list[tuple[Billed, int]]] = {}
    billed = zip(*(events[name].tolist() for name in _BILLED), strict=True)
    keys = zip(*(events[name].tolist() for name in _PLACE), strict=True)
    for row, (place, line) in enumerate(zip(keys, billed, strict=True)):
        places.setdefault(place, []).append((line, row))
    return places


def _of_place(
    before: list[tuple[Billed, int]], after: list[tuple[Billed, int]]
) -> Iterator[EventDifference]:
    if [line for line, _ in before] == [line for line, _ in after]:
        return
    ours = {line[0]: (line, row) for line, row in before}
    theirs = {line[0]: (line, row) for line, row in after}
    for code in sorted(ours.keys() & theirs.keys()):
        (one, row), (other, other_row) = ours.pop(code), theirs.pop(code)
        if one != other:
            yield EventDifference(Change.OTHER, row, other_row)
    left = [row for _, (_, row) in sorted(ours.items())]
    right = [row for _, (_, row) in sorted(theirs.items())]
    for row, other_row in zip(left, right, strict=False):
        yield EventDifference(Change.OTHER, row, other_row)
    for row in left[len(right) :]:
        yield EventDifference(Change.GONE, row, None)
    for row in right[len(left) :]:
        yield EventDifference(Change.NEW, None, row)

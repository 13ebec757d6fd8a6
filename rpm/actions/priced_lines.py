"""Priced lines: billable events as computed, each with its amount.

Owns putting the two together. Does not own either: ``rpm.store.outcomes`` gives the events,
``billing.rules.fees`` the amounts.
"""

import pandas as pd

from billing.days import day_number
from rpm.store.outcomes import Evaluated, EventLine

PricedLine = tuple[EventLine, int | None]
"""An event and cents for all its units; None where no schedule gives an amount."""


def priced_lines(found: Evaluated, rows: pd.DataFrame | None = None) -> list[PricedLine]:
    """All events, or those of some rows of the events frame, in order."""
    events = found.outcome.events if rows is None else rows
    places = found.loaded.facts.episodes["pos"].to_numpy()[events["episode"]].tolist()
    lines: list[PricedLine] = []
    for line, place in zip(found.events(events), places, strict=True):
        day = day_number(line.service_day)
        cents, _ = found.book.fees.priced(line.code, line.units, day, place=place)
        lines.append((line, cents))
    return lines

"""Standing: what is left to do for one patient, summed up from the readiness of the ladders.

Owns the words, what counts as left to do, and whom to turn to first. Does not own how far a ladder
is (``billing.ledger.progress``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

STANDINGS = ("to_do", "held", "ready", "out_of_reach")
"""More can be earned; a finding holds lines; earns all it can; earns nothing any more."""
_REVIEW = "review"  # a practitioner's extra, which nobody owes a patient every month
_STEP = 10_000_000
"""More than the seconds of any month: groups of the order stay apart."""


class LadderSoFar(Protocol):
    """What is asked of a ladder, such as a ``ReadinessRow``; its words and units are that row's."""

    role: str
    state: str
    earned_code: str
    next_code: str
    still_needed: int
    reachable: bool
    at_top: bool
    needs_live: bool
    due_day: date | None


@dataclass(frozen=True)
class Standing:
    """One patient in the running periods."""

    standing: str
    needs_call: bool
    needs_readings: bool
    lacks_live: bool
    seconds_needed: int
    days_needed: int
    due_day: date | None
    work_order: int


WITHOUT_RULES = Standing(
    standing="held",
    needs_call=False,
    needs_readings=False,
    lacks_live=False,
    seconds_needed=0,
    days_needed=0,
    due_day=None,
    work_order=(1 + STANDINGS.index("held")) * _STEP,
)
"""Of a patient in care whom no rule page judges: without coverage, or the payer has no page."""


def standing_of(rows: Sequence[LadderSoFar]) -> Standing:
    """The sum of a patient's rows; ValueError for none.

    The order: who is nearest to a call's minutes first, then who needs readings, then who is held.
    """
    if not rows:
        raise ValueError("a patient without readiness has no standing")
    owed = [row for row in rows if row.role != _REVIEW] or list(rows)
    left = [row for row in owed if is_left_to_do(row)]
    supply = [row for row in left if row.role == "supply"]
    calls = [row for row in left if row.role != "supply"]
    word = _word(owed, left)
    seconds = min((_missing(row) for row in calls), default=0)
    days = min((row.still_needed for row in supply), default=0)
    return Standing(
        standing=word,
        needs_call=bool(calls),
        needs_readings=bool(supply),
        lacks_live=any(row.needs_live for row in owed),
        seconds_needed=seconds,
        days_needed=days,
        due_day=min((row.due_day for row in owed if row.due_day is not None), default=None),
        work_order=_order(word, seconds if calls else _STEP + days),
    )


def is_left_to_do(row: LadderSoFar) -> bool:
    """Whether a ladder still asks for something that can be had."""
    more = bool(row.next_code) and row.reachable and not row.at_top
    return more or row.needs_live


def _missing(row: LadderSoFar) -> int:
    """Seconds to the next step; none at the top, where only a live contact is missing."""
    return 0 if row.at_top else row.still_needed


def _word(owed: Sequence[LadderSoFar], left: Sequence[LadderSoFar]) -> str:
    if any(row.state == "held" for row in owed):
        return "held"
    if left:
        return "to_do"
    return "ready" if any(row.earned_code for row in owed) else "out_of_reach"


def _order(word: str, to_do_order: int) -> int:
    return to_do_order if word == "to_do" else (1 + STANDINGS.index(word)) * _STEP

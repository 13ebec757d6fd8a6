"""Day strips: what each day of a supply period counts for, as the ledger counted it.

Owns the words of a day. Does not own which days count (``billing.ledger``): the same measure that
gives the period its number of days is asked for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from billing.days import day_number
from billing.ledger.evaluate import measure
from billing.ledger.left_out import REASON_WORDS, left_out_readings
from rpm.store.outcomes import Evaluated, PeriodLine

COUNTS, REFUSED, NONE, AHEAD = "counts", "refused", "none", "ahead"
"""A reading counts; only ones that do not; no reading; still to come."""


@dataclass(frozen=True)
class DayTold:
    """A day of a period; ``why`` tells what does not count."""

    day: date
    state: str
    why: str = ""


def days_of_periods(found: Evaluated, periods: list[PeriodLine]) -> list[list[DayTold]]:
    """The days of some periods of the outcome, in their order.

    A day that has not come, or is still running without a reading, is ahead.
    """
    if not periods:
        return []
    facts, as_of_day = found.loaded.facts, day_number(found.as_of)
    measured = measure(facts, found.book, as_of_day)
    kept = measured.windows.kept
    counted = set(zip(kept.episode.tolist(), kept.day.tolist(), strict=True))
    first = day_number(min(one.start_day for one in periods))
    reasons: dict[tuple[int, int], str] = {}
    for one in left_out_readings(facts, measured, (first, as_of_day)):
        for number in one.days:
            reasons.setdefault((one.episode, number), REASON_WORDS[one.reason])
    return [
        list(_days(one, found.loaded.episode_row(one.episode_id), counted, reasons, found.as_of))
        for one in periods
    ]


def _days(
    period: PeriodLine,
    episode: int,
    counted: set[tuple[int, int]],
    reasons: dict[tuple[int, int], str],
    as_of: date,
) -> Iterator[DayTold]:
    for offset in range((period.end_day - period.start_day).days + 1):
        day = period.start_day + timedelta(days=offset)
        key = (episode, day_number(day))
        if key in counted:
            yield DayTold(day, COUNTS)
        elif key in reasons:
            yield DayTold(day, REFUSED, reasons[key])
        else:
            yield DayTold(day, AHEAD if day >= as_of else NONE)

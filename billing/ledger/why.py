"""Why, why not, what if: one patient's month, ladder by ladder, and the answer for a code.

Owns the question and the answer for a code. Does not own the calculation (``evaluate``), the
ladders (``why_periods``), what was left out (``left_out``) nor the trials (``more``).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np

from billing.days import day_date, day_number, month_ends
from billing.ledger.facts import Facts
from billing.ledger.left_out import LeftOut, Span, left_out_entries, left_out_readings
from billing.ledger.more import More
from billing.ledger.why_periods import Looked
from billing.ledger.why_told import CodeWhy, LadderWhy, PeriodWhy, Why
from billing.rules.book import RuleBook


def why(
    facts: Facts, book: RuleBook, as_of: date, known: date, month: date, code: str | None = None
) -> Why:
    """What a month (its first day) comes to, and why; ``facts`` are those of one patient.

    A window belongs to the month when it touches it or its day of service lies in it. ``as_of`` and
    ``known`` are those of ``evaluate``.
    """
    first = day_number(month)
    last = int(month_ends(np.array([first], dtype=np.int32))[0])
    looked = Looked.at(facts, book, as_of, known, (first, last))
    periods = tuple(looked.periods())
    span = _span(periods, (first, last))
    found = Why(
        periods=periods,
        left_out=tuple(_left_out(looked, facts, span)),
        services=tuple(_services(facts, span)),
    )
    return found if code is None else replace(found, asked=_asked(periods, looked, code))


def _span(periods: tuple[PeriodWhy, ...], month: Span) -> Span:
    """The days that the month and its periods cover."""
    starts = [one.start_day for one in periods if one.start_day is not None]
    ends = [one.end_day for one in periods if one.end_day is not None]
    return min([month[0], *starts]), max([month[1], *ends])


def _left_out(looked: Looked, facts: Facts, span: Span) -> Iterator[LeftOut]:
    as_of_day = day_number(looked.as_of)
    until = (span[0], min(span[1], as_of_day))
    yield from left_out_readings(facts, looked.measured, until)
    yield from left_out_entries(facts, looked.book, looked.measured, as_of_day, until)


def _services(facts: Facts, span: Span) -> Iterator[tuple[int, str, bool]]:
    columns = (facts.others[name].tolist() for name in ("service_day", "code", "own"))
    for day, code, own in sorted(zip(*columns, strict=True)):
        if span[0] <= day <= span[1]:
            yield day, facts.codes[code], own


def _asked(periods: tuple[PeriodWhy, ...], looked: Looked, code: str) -> CodeWhy:
    """Billed in these periods, or not by any ladder that earns the code, or earned by none."""
    on = tuple(
        (at, position)
        for at, period in enumerate(periods)
        for position, told in enumerate(period.ladders)
        if code in told.codes | _replacing(told, period.service_day)
    )
    ladders = [periods[at].ladders[position] for at, position in on]
    lines = tuple(line for told in ladders for line in told.lines if line.code == code)
    state = "billed" if lines else "not_billed" if on else "unknown"
    short = 0
    takes = None
    if state == "not_billed":
        short = min(_short(told, code) for told in ladders)
        takes = next((one for told in ladders for one in _bringing(looked, told, code)), None)
    above = state == "not_billed" and any(_above(told, code) for told in ladders)
    return CodeWhy(code, state, lines, on, takes, short, above)


def _bringing(looked: Looked, told: LadderWhy, code: str) -> Iterator[More]:
    """Trials that bring the code: those made already, then one of just as much as it lacks."""
    trials = [*told.more, looked.tried(told, _short(told, code))]
    for trial in trials:
        if trial is not None and code in {line.code for line in trial.gained}:
            yield trial


def _replacing(told: LadderWhy, service_day: int | None) -> frozenset[str]:
    """Codes that leave in place of the ladder's own on the day, in some settings."""
    if service_day is None:
        return frozenset()
    day = day_date(service_day)
    return frozenset(
        one.by
        for one in told.rules.replacements
        if one.by and told.codes & set(one.codes) and one.from_day <= day <= one.to_day
    )


def _short(told: LadderWhy, code: str) -> int:
    """How much the measure lacks for one unit of the code."""
    missing = [
        rung.at_least + (line.every or 0) - told.amount
        for rung in told.rungs
        for line in rung.band.lines
        if line.code == code
    ]
    return max(min(missing, default=0), 0)


def _above(told: LadderWhy, code: str) -> bool:
    bands = [rung.band for rung in told.rungs if code in {line.code for line in rung.band.lines}]
    return bool(bands) and all(
        band.at_most is not None and told.amount > band.at_most for band in bands
    )

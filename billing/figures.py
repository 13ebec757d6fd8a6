"""Figures of a practice: who is enrolled, and how near periods came to their thresholds.

Owns these counts. Does not own OIG's measures (``billing.screening``) nor the rules a period is
held against: ladders are an argument. Frames in, small tuples out; days are day numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from itertools import zip_longest

import numpy as np
import pandas as pd

from billing.days import day_number
from billing.rules.ruleset import Ladder, Measure

NEAR_DAYS, NEAR_SECONDS = 2, 120
"""How little may be missing of a threshold that counts as just missed: two days, two minutes."""


@dataclass(frozen=True)
class MonthFigures:
    """A calendar month: patients enrolled on its last day, and those first enrolled in it."""

    first_day: date
    enrolled: int
    new: int


@dataclass(frozen=True)
class Reached:
    """Periods of a ladder between two thresholds; the lowest has ``at_least`` 0."""

    ladder: str
    measure: str  # device_days or seconds
    at_least: int
    below: int | None  # the next threshold; None at the top
    codes: tuple[str, ...]  # what the band gives
    periods: int
    just_missed: int  # of them, those that lack at most NEAR_DAYS or NEAR_SECONDS of the next


def enrolled_by_month(episodes: pd.DataFrame, months: Sequence[date]) -> list[MonthFigures]:
    """Patients by month, the months given by their first days, each followed by the next.

    ``episodes``: patient, opened_day, closed_day (the last day; -1 while it is open). A patient is
    new in the month of the first episode and counts once.
    """
    starts = [day_number(month) for month in months]
    if not starts:
        return []
    ends = [*starts[1:], day_number(_next_month(months[-1]))]
    opened, closed = (episodes[name].to_numpy() for name in ("opened_day", "closed_day"))
    patients = episodes["patient"].to_numpy()
    first = episodes.groupby("patient", sort=False)["opened_day"].min().to_numpy()
    figures = []
    for month, start, end in zip(months, starts, ends, strict=True):
        there = (opened < end) & ((closed < 0) | (closed >= end - 1))
        new = int(((first >= start) & (first < end)).sum())
        figures.append(MonthFigures(month, len(np.unique(patients[there])), new))
    return figures


def _next_month(first_day: date) -> date:
    return date(first_day.year + first_day.month // 12, first_day.month % 12 + 1, 1)


def reached(periods: pd.DataFrame, ladders: Mapping[str, Sequence[Ladder]]) -> list[Reached]:
    """How many periods stand between which thresholds, ladder by ladder.

    ``periods``: page (id of the rule page that judged), kind, program, days, seconds,
    practitioner_seconds. ``ladders``: of each page. Periods without a page are left out.
    """
    counts: dict[_Step, list[int]] = {}
    for (page, kind, program), some in periods.groupby(["page", "kind", "program"], sort=True):
        for ladder in ladders.get(str(page), ()):
            if ladder.period.value == kind and program in ladder.programs:
                _count(counts, ladder, some)
    return [Reached(*astuple(step), *found) for step, found in sorted(counts.items(), key=_place)]


@dataclass(frozen=True)
class _Step:
    ladder: str
    measure: str
    at_least: int
    below: int | None
    codes: tuple[str, ...]


def _place(item: tuple[_Step, list[int]]) -> tuple[str, int, int, tuple[str, ...]]:
    step, _ = item
    return step.ladder, step.at_least, step.below or 0, step.codes


def _count(counts: dict[_Step, list[int]], ladder: Ladder, periods: pd.DataFrame) -> None:
    days = ladder.measure is Measure.DEVICE_DAYS
    measured = periods["days" if days else ladder.measure.value]
    near = NEAR_DAYS if days else NEAR_SECONDS
    for step in _steps(ladder):
        inside = measured >= step.at_least
        missed = 0
        if step.below is not None:
            inside &= measured < step.below
            missed = int((inside & (measured >= step.below - near) & (measured > 0)).sum())
        found = counts.setdefault(step, [0, 0])
        found[0] += int(inside.sum())
        found[1] += missed


def _steps(ladder: Ladder) -> Iterator[_Step]:
    """What lies below the first band, and each band up to the next."""
    bands = sorted(ladder.bands, key=lambda band: band.at_least)
    below = bands[0].at_least if bands else None
    yield _Step(ladder.name, ladder.measure.value, 0, below, ())
    for band, after in zip_longest(bands, bands[1:]):
        codes = tuple(line.code for line in band.lines)
        below = None if after is None else after.at_least
        yield _Step(ladder.name, ladder.measure.value, band.at_least, below, codes)

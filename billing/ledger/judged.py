"""Judged periods: which rule page judges each period, and what stops it before any code is tried.

Owns the choice of page by coverage and service day (R-VER-01), gates (R-ELIG) and stops
(section 13). Does not own ladders.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from billing.days import day_number
from billing.ledger.facts import PROGRAMS, SETTINGS, Facts
from billing.ledger.kernels import Intervals, Ints, Mask
from billing.ledger.periods import Periods
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing
from billing.rules.book import RuleBook
from billing.rules.ruleset import RuleSet

MISSING = {
    "consent": "E_NO_CONSENT",
    "order": "E_NO_ORDER",
    "established": "E_NOT_ESTABLISHED",
}
"""The finding of each gate that rule pages may ask for on a ladder."""


class Pages:
    """The rule pages in force for some payers, looked up by (payer, day) for whole columns."""

    def __init__(self, book: RuleBook, facts: Facts, known: date) -> None:
        self.pages: list[RuleSet] = []
        self._book = book
        self._payers = facts.payers
        self._known_day = day_number(known)
        coverages = facts.coverages
        self._coverages = Intervals(
            coverages["patient"].to_numpy(),
            coverages["from_day"].to_numpy(),
            coverages["to_day"].to_numpy(),
        )
        self._payer_of_coverage = coverages["payer"].to_numpy()

    def payers(self, patient: Ints, day: Ints) -> Ints:
        """Payer of each patient on each day, -1 without coverage."""
        at = self._coverages.holding(patient, day)
        if not self._payer_of_coverage.size:
            return at
        return np.where(at >= 0, self._payer_of_coverage[np.maximum(at, 0)], -1)

    def rows(self, payer: Ints, day: Ints) -> Ints:
        """Position in ``pages`` of the page in force, -1 where there is none."""
        found = np.full(payer.size, -1, dtype=np.int64)
        for position in np.unique(payer[payer >= 0]):
            mine = np.flatnonzero(payer == position)
            days = day[mine]
            runs = self._book.pages_for(
                self._payers[position], int(days.min()), int(days.max()), self._known_day
            )
            for from_day, to_day, page in runs:
                inside = mine[(days >= from_day) & (days <= to_day)]
                found[inside] = self._position(page)
        return found

    def _position(self, page: RuleSet) -> int:
        for position, known in enumerate(self.pages):
            if known is page:
                return position
        self.pages.append(page)
        return len(self.pages) - 1


@dataclass(frozen=True)
class Judged:
    """Periods with their payer, page and whether anything may leave at all."""

    periods: Periods
    pages: tuple[RuleSet, ...]
    payer: Ints
    page: Ints
    stopped: Mask

    def groups(self) -> Iterator[tuple[RuleSet, Mask]]:
        """Each page with the mask of the periods it judges and that nothing stops."""
        for position, page in enumerate(self.pages):
            mine = (self.page == position) & ~self.stopped
            if mine.any():
                yield page, mine


def judge(standing: Standing, periods: Periods, pages: Pages, remarks: Remarks) -> Judged:
    """Choose pages by service day, and stop what gates, coverage or the payer stop."""
    payer = pages.payers(periods.patient, periods.service_day)
    page = pages.rows(payer, periods.service_day)
    stopped = page < 0
    remarks.add("E_NO_COVERAGE", payer < 0)
    remarks.add("E_NO_RULE", (payer >= 0) & (page < 0))
    judged = Judged(periods, tuple(pages.pages), payer, page, stopped)
    for position, rules in enumerate(judged.pages):
        mine = page == position
        if mine.any():
            stopped |= _by_gates(standing, periods, rules, mine, remarks)
            stopped |= _by_payer(standing, periods, rules, mine, remarks)
    return judged


def in_force(day: Ints, from_day: date | None, to_day: date | None) -> Mask:
    """Days inside a run of dates; an end that is None is open."""
    inside = np.ones(day.size, dtype=np.bool_)
    if from_day is not None:
        inside &= day >= day_number(from_day)
    if to_day is not None:
        inside &= day <= day_number(to_day)
    return inside


def in_settings(standing: Standing, periods: Periods, settings: tuple[str, ...]) -> Mask:
    """Periods whose episode is in one of these settings; every one when none is named."""
    if not settings:
        return np.ones(len(periods), dtype=np.bool_)
    wanted = [SETTINGS.index(word) for word in settings]
    return np.isin(standing.setting[periods.episode], wanted)


def serves(standing: Standing, periods: Periods, programs: tuple[str, ...]) -> Mask:
    """Periods of episodes enrolled in one of these programs."""
    wanted = [PROGRAMS.index(word) for word in programs]
    return np.isin(standing.program[periods.episode], wanted)


def _by_gates(
    standing: Standing, periods: Periods, rules: RuleSet, mine: Mask, remarks: Remarks
) -> Mask:
    """A period stops at a gate that the ladders of its program need and that does not hold."""
    stopped = np.zeros(len(periods), dtype=np.bool_)
    for gate, finding in MISSING.items():
        asked = np.zeros(len(periods), dtype=np.bool_)
        for ladder in rules.ladders:
            if gate in ladder.needs:
                asked |= serves(standing, periods, ladder.programs)
        asked &= mine
        if not asked.any():
            continue
        for waiver in rules.waivers:
            if waiver.gate == gate:
                asked &= ~in_force(periods.service_day, waiver.from_day, waiver.to_day)
        if gate == "consent":
            missing = asked & ~standing.has_consent[periods.episode]
        else:
            missing = asked & ~standing.holds(gate, periods.episode, periods.service_day)
        remarks.add(finding, missing)
        stopped |= missing
    return stopped


def _by_payer(
    standing: Standing, periods: Periods, rules: RuleSet, mine: Mask, remarks: Remarks
) -> Mask:
    """A period stops where its payer covers nothing or a paper that it wants is missing."""
    stopped = np.zeros(len(periods), dtype=np.bool_)
    for stop in rules.stops:
        hit = (
            mine
            & in_settings(standing, periods, stop.settings)
            & in_force(periods.service_day, stop.from_day, stop.to_day)
        )
        if stop.missing_gate is not None and hit.any():
            hit &= ~standing.holds(stop.missing_gate, periods.episode, periods.service_day)
        remarks.add(stop.finding, hit)
        stopped |= hit
    return stopped

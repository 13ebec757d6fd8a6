"""Judged periods: which rule page judges each period, and what stops it before any code is tried.

Owns the choice of page by coverage and service day (R-VER-01), gates (R-ELIG) and stops
(section 13). Does not own ladders.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np

from billing.days import day_number
from billing.ledger.facts import PROGRAMS, SETTINGS, Facts
from billing.ledger.kernels import Intervals, Ints, Mask
from billing.ledger.periods import Periods
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing
from billing.rules.book import RuleBook
from billing.rules.ruleset import RuleSet, Stop

T = TypeVar("T")

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
        """As ``kin``, only the periods that nothing stops."""
        for rules, mine in self.kin():
            if (open_rows := mine & ~self.stopped).any():
                yield rules, open_rows

    def kin(self) -> Iterator[tuple[RuleSet, Mask]]:
        """Pages that judge lines alike, one of each kind, with the mask of the periods they judge.

        Most payers' pages only add notices or stops to what they extend. Judging their periods
        together is what keeps a practice with many payers as fast as one with a single one.
        """
        alike: dict[tuple[object, ...], list[int]] = {}
        for position, page in enumerate(self.pages):
            alike.setdefault(_judges_by(page), []).append(position)
        for positions in alike.values():
            if (mine := self._on(positions)).any():
                yield self.pages[positions[0]], mine

    def having(self, clauses_of: Callable[[RuleSet], tuple[T, ...]]) -> Iterator[tuple[T, Mask]]:
        """Each clause that some page has, with the mask of the periods judged by such a page."""
        found: dict[int, tuple[T, list[int]]] = {}
        for position, page in enumerate(self.pages):
            for clause in clauses_of(page):
                found.setdefault(id(clause), (clause, []))[1].append(position)
        for clause, positions in found.values():
            if (mine := self._on(positions)).any():
                yield clause, mine

    def _on(self, positions: list[int]) -> Mask:
        """Periods judged by one of these pages; the last place stands for no page (-1)."""
        wanted = np.zeros(len(self.pages) + 1, dtype=np.bool_)
        wanted[positions] = True
        mine: Mask = wanted[self.page]
        return mine


def _judges_by(page: RuleSet) -> tuple[object, ...]:
    """What lines are judged by, by identity: joined pages share what they extend."""
    shared = (page.ladders, page.relaxations, page.exclusions, page.replacements)
    return (
        *(tuple(id(one) for one in clauses) for clauses in shared),
        tuple(id(code) for code in page.codes.values()),
        page.not_adopted,
        page.not_adopted_finding,
    )


def judge(standing: Standing, periods: Periods, pages: Pages, remarks: Remarks) -> Judged:
    """Choose pages by service day, and stop what gates, coverage or the payer stop."""
    payer = pages.payers(periods.patient, periods.service_day)
    page = pages.rows(payer, periods.service_day)
    stopped = page < 0
    remarks.add("E_NO_COVERAGE", payer < 0)
    remarks.add("E_NO_RULE", (payer >= 0) & (page < 0))
    judged = Judged(periods, tuple(pages.pages), payer, page, stopped)
    for gate, finding in MISSING.items():
        missing = _missing(standing, judged, gate)
        remarks.add(finding, missing)
        stopped |= missing
    for stop, mine in judged.having(lambda rules: rules.stops):
        hit = _stopped(standing, periods, stop, mine)
        remarks.add(stop.finding, hit)
        stopped |= hit
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
    wanted = np.array([word in settings for word in SETTINGS], dtype=np.bool_)
    inside: Mask = wanted[standing.setting[periods.episode]]
    return inside


def serves(periods: Periods, programs: tuple[str, ...]) -> Mask:
    """Periods of episodes enrolled in one of these programs."""
    wanted = np.array([word in programs for word in PROGRAMS], dtype=np.bool_)
    inside: Mask = wanted[periods.program]
    return inside


def _missing(standing: Standing, judged: Judged, gate: str) -> Mask:
    """Periods whose program's ladders need the gate, where it does not hold and is not waived."""
    periods = judged.periods
    needed = np.zeros((len(judged.pages) + 1, len(PROGRAMS)), dtype=np.bool_)
    for position, page in enumerate(judged.pages):
        for ladder in page.ladders:
            if gate in ladder.needs:
                needed[position, [PROGRAMS.index(word) for word in ladder.programs]] = True
    asked = needed[judged.page, periods.program]
    for waiver, mine in judged.having(lambda rules: rules.waivers):
        if waiver.gate == gate:
            asked &= ~(mine & in_force(periods.service_day, waiver.from_day, waiver.to_day))
    if gate == "consent":
        without: Mask = asked & ~standing.has_consent[periods.episode]
        return without
    rows = np.flatnonzero(asked)
    asked[rows] = ~standing.holds(gate, periods.episode[rows], periods.service_day[rows])
    return asked


def _stopped(standing: Standing, periods: Periods, stop: Stop, mine: Mask) -> Mask:
    """Periods that a stop keeps back: the payer covers nothing, or a paper it wants is missing."""
    hit = (
        mine
        & in_settings(standing, periods, stop.settings)
        & in_force(periods.service_day, stop.from_day, stop.to_day)
    )
    if stop.missing_gate is not None:
        rows = np.flatnonzero(hit)
        hit[rows] = ~standing.holds(
            stop.missing_gate, periods.episode[rows], periods.service_day[rows]
        )
    return hit

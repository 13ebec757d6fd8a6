"""What goes with lines that leave, and what is said of facts that were left out.

Owns notices, replacements in some settings (R-RHC), the New Year boundary (R-VER-01), late
uploads (R-DEV-12), refused readings (R-ELIG-03, -04), remarks on time, and NCCI pairs beside own
recorded services. Does not own the lines themselves.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from billing.days import day_number, month_starts
from billing.ledger.exclude import OtherLines
from billing.ledger.facts import KINDS, PROGRAMS, REFUSED, Facts
from billing.ledger.judged import Judged, Pages, in_force, in_settings
from billing.ledger.kernels import Ints, Mask, row_day_key
from billing.ledger.lines import Batch
from billing.ledger.minutes import REASONS, Minutes
from billing.ledger.periods import MONTH, OPEN, WINDOW, Periods
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing
from billing.ledger.windows import Windows
from billing.rules.edits import PairEdit
from billing.rules.pairs import pair_edits
from billing.rules.ruleset import Notice, Replacement, RuleSet, Who


def replaced(
    standing: Standing, periods: Periods, batches: list[Batch], remarks: Remarks
) -> list[Batch]:
    """Lines as they leave: another code in their place, or folded away, where a setting says so."""
    leaving = []
    for batch in batches:
        kept = batch
        for swap in batch.rules.replacements:
            if batch.code not in swap.codes:
                continue
            here = _in_place(standing, periods, swap)
            remarks.add(swap.finding, here & batch.mask(len(periods)), batch.code)
            kept = kept.keep(~here)
            if swap.by is not None:
                swapped = batch.keep(here)
                leaving.append(replace(swapped, code=swap.by, units=np.ones_like(swapped.units)))
        leaving.append(kept)
    return [batch for batch in leaving if batch.rows.size]


def _in_place(standing: Standing, periods: Periods, swap: Replacement) -> Mask:
    return in_settings(standing, periods, swap.settings) & in_force(
        periods.service_day, swap.from_day, swap.to_day
    )


def capped(periods: Periods, batches: list[Batch], remarks: Remarks) -> None:
    """Note units that the unit limit holds back (R-TIME-04)."""
    for batch in batches:
        held = np.zeros(len(periods), dtype=np.int64)
        held[batch.rows] = batch.held
        remarks.add("W_MUE_CAP", held > 0, batch.code, held)


def notices(standing: Standing, judged: Judged, leaving: list[Batch], remarks: Remarks) -> None:
    """Findings that a page sends along with its lines, or always."""
    size = len(judged.periods)
    for notice, mine in judged.having(lambda rules: rules.notices):
        where = mine & ~judged.stopped
        if not notice.always:
            left = np.zeros(size, dtype=np.bool_)
            for batch in leaving:
                if not notice.codes or batch.code in notice.codes:
                    left[batch.rows] = True
            where &= left
        if where.any():
            remarks.add(notice.finding, where & _noticed(standing, judged.periods, notice))


def _noticed(standing: Standing, periods: Periods, notice: Notice) -> Mask:
    where = in_settings(standing, periods, notice.settings) & in_force(
        periods.service_day, notice.from_day, notice.to_day
    )
    if notice.pos:
        where &= np.isin(standing.pos[periods.episode], notice.pos)
    if notice.gate is not None:
        where &= standing.holds(notice.gate, periods.episode, periods.service_day)
    return where


def boundaries(judged: Judged, pages: Pages, remarks: Remarks) -> None:
    """Warn of windows across a change of rules whose outcome depends on the side (R-VER-01)."""
    periods = judged.periods
    end_page = judged.page.copy()
    moved = np.flatnonzero(periods.end_day != periods.service_day)
    end_page[moved] = pages.rows(judged.payer[moved], periods.end_day[moved])
    over = (periods.kind == WINDOW) & (periods.state != OPEN) & ~judged.stopped
    at_end = replace(judged, page=end_page, pages=tuple(pages.pages))
    for boundary, mine in at_end.having(lambda rules: rules.boundaries):
        first = day_number(boundary.first_day)
        across = (
            over
            & mine
            & (periods.start_day < first)
            & (periods.end_day >= first)
            & (periods.days >= boundary.at_least)
            & (periods.days <= boundary.at_most)
        )
        remarks.add(boundary.finding, across, "", periods.days)


def late_uploads(judged: Judged, remarks: Remarks) -> None:
    """Note counted days that reached us after their window was over (R-DEV-12)."""
    periods = judged.periods
    late = (periods.late_days > 0) & (periods.state != OPEN) & ~judged.stopped
    remarks.add("W_LATE_TRANSMISSION", late, "", periods.late_days)


class PeriodOf:
    """Finds the period that a fact of an episode is reported on."""

    def __init__(self, standing: Standing, judged: Judged) -> None:
        periods = judged.periods
        self._size = len(periods)
        self._stopped = judged.stopped
        self._first = np.full(standing.count, -1, dtype=np.int64)
        self._first[periods.episode[::-1]] = np.arange(self._size)[::-1]
        self._window = np.flatnonzero(periods.kind == WINDOW)
        self._window_key = row_day_key(
            periods.episode[self._window], periods.start_day[self._window]
        )
        self._month = np.flatnonzero(periods.kind == MONTH)
        self._month_key = _month_row_key(
            periods.patient[self._month],
            periods.therapeutic[self._month],
            periods.start_day[self._month],
        )
        self._periods = periods
        self._standing = standing

    def of_episode(self, episode: Ints) -> Mask:
        """The first period of each episode."""
        return self._mask(self._first[episode])

    def of_day(self, episode: Ints, day: Ints) -> Mask:
        """The window around each day, or the episode's first period outside all windows."""
        at = np.searchsorted(self._window_key, row_day_key(episode, day), side="right") - 1
        row = self._window[np.maximum(at, 0)] if self._window.size else np.zeros_like(at)
        inside = (self._periods.episode[row] == episode) & (self._periods.end_day[row] >= day)
        return self._mask(np.where(inside, row, self._first[episode]))

    def of_month(self, episode: Ints, day: Ints) -> Ints:
        """Row of the month that holds each day of work."""
        key = _month_row_key(
            self._standing.patient[episode],
            self._standing.program[episode] != PROGRAMS.index("RPM"),
            month_starts(day.astype(np.int32)),
        )
        rows: Ints = self._month[np.searchsorted(self._month_key, key)]
        return rows

    def _mask(self, rows: Ints) -> Mask:
        found = np.zeros(self._size, dtype=np.bool_)
        found[rows[rows >= 0]] = True
        return found & ~self._stopped


def _month_row_key(patient: Ints, therapeutic: Mask, start: Ints) -> Ints:
    return row_day_key(patient.astype(np.int64) * 2 + therapeutic, start)


def left_out_readings(
    standing: Standing,
    device_days: pd.DataFrame,
    also_counts: Ints,
    windows: Windows,
    period_of: PeriodOf,
    as_of_day: int,
    remarks: Remarks,
) -> None:
    """Findings on readings that did not count, and on episodes whose window was shifted."""
    remarks.add("W_CONSENT_LATE", period_of.of_episode(np.flatnonzero(windows.consent_late)))
    remarks.add("W_WINDOW_OVERLAP_SHIFTED", period_of.of_episode(np.flatnonzero(windows.shifted)))
    refused = device_days[device_days["refused_count"].to_numpy() > 0]
    if refused.empty:
        return
    episode, day = refused["episode"].to_numpy(), refused["day"].to_numpy()
    reason = refused["refused_reason"].to_numpy()
    inside = (
        (day <= as_of_day)
        & (day >= standing.setup_day[episode])
        & (day <= standing.closed_day[episode])
        & standing.consented(episode, day)
        & ((also_counts[standing.program[episode]] >> reason.astype(np.int64)) & 1 == 0)
    )
    for code, words in REFUSAL_FINDINGS.items():
        rows = inside & np.isin(reason, [REFUSED.index(word) for word in words])
        remarks.add(code, period_of.of_day(episode[rows], day[rows]))
    manual = inside & (reason == REFUSED.index("manual_entry"))
    pressure = manual & (refused["kind"].to_numpy() == KINDS.index("bp"))
    automatic = np.bincount(windows.kept.episode, minlength=standing.count) > 0
    only = np.unique(episode[pressure])
    remarks.add("I_CONSIDER_SMBP", period_of.of_episode(only[~automatic[only]]))


REFUSAL_FINDINGS = {
    "W_NONAUTO_EXCLUDED": ("manual_entry",),
    "E_DEVICE_NOT_QUALIFIED": ("device_not_qualified",),
    "W_READING_QUARANTINED": ("not_physiologic", "time_suspect", "out_of_range", "other"),
}


def left_out_time(minutes: Minutes, period_of: PeriodOf, stopped: Mask, remarks: Remarks) -> None:
    """Findings on time that did not count, on the month it was logged for."""
    for position, reason in enumerate(REASONS):
        rows = minutes.remark == position
        where = np.zeros(stopped.size, dtype=np.bool_)
        where[period_of.of_month(minutes.remark_episode[rows], minutes.remark_day[rows])] = True
        remarks.add(reason, where & ~stopped)


def recorded_services(
    facts: Facts, judged: Judged, leaving: list[Batch], others: OtherLines, remarks: Remarks
) -> None:
    """NCCI pairs between a leaving line and an own recorded service of the same day."""
    periods = judged.periods
    own = facts.others["own"].to_numpy()
    present = np.unique(facts.others["code"].to_numpy()[own])
    for batch in leaving:
        for code in (facts.codes[position] for position in present):
            if _excluded_by_rule(batch.rules, batch.code, code):
                continue
            edits = pair_edits(batch.code, code, batch.rules.edits)
            if not edits:
                continue
            days = periods.service_day[batch.rows]
            index = others.index((code,), Who.OWN)
            if index is not None:
                where = np.zeros(len(periods), dtype=np.bool_)
                where[batch.rows] = _in_days(days, edits) & index.any_between(
                    periods.patient[batch.rows], days, days
                )
                remarks.add("W_NCCI_PAIR", where, code)


def _in_days(days: Ints, edits: tuple[PairEdit, ...]) -> Mask:
    """Days on which one of the edits counts."""
    found: Mask = np.zeros(days.size, dtype=np.bool_)
    for edit in edits:
        found |= (days >= edit.from_day) & (days <= edit.to_day)
    return found


def _excluded_by_rule(rules: RuleSet, code: str, other: str) -> bool:
    """Whether the page itself says how the two codes stand to each other."""
    return any(
        (code in x.applies_to and other in x.blocked_by)
        or (other in x.applies_to and code in x.blocked_by)
        for x in rules.exclusions
    )


def repeated_services(
    facts: Facts, standing: Standing, period_of: PeriodOf, remarks: Remarks
) -> None:
    """Own 99474 more than once in a calendar month for one patient (section 2, S35)."""
    if "99474" not in facts.codes:
        return
    others = facts.others
    mine = others["own"].to_numpy() & (others["code"].to_numpy() == facts.codes.index("99474"))
    patient = others["patient"].to_numpy()[mine]
    key = row_day_key(patient, month_starts(others["service_day"].to_numpy()[mine]))
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    twice = patient[first[count > 1]]
    episodes = np.flatnonzero(np.isin(standing.patient, twice))
    remarks.add("E_SERVICE_REPEATED", period_of.of_episode(episodes), "99474")

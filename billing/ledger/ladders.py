"""Ladders: supply, set-up, management and review, each over all periods and pages at once.

Owns P0 steps 4, 5, 7, 9 and 10: when a period may let a line leave, and what is said when it does
not. Does not own exclusions (``exclude``) or what goes with a leaving line (``accompany``).
"""

from collections.abc import Callable

import numpy as np

from billing.days import FAR_DAY
from billing.ledger.judged import Judged, serves
from billing.ledger.kernels import Ints, Mask
from billing.ledger.lines import Batch, band_rows, least_of, lines_of
from billing.ledger.minutes import COUNTED_WORK
from billing.ledger.periods import MONTH, OPEN, WINDOW, Periods
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing
from billing.rules.ruleset import Ladder, Measure, Period, Role, RuleSet


def applies(periods: Periods, ladder: Ladder) -> Mask:
    """Periods of the ladder's kind and programs."""
    kind = WINDOW if ladder.period is Period.DEVICE_SUPPLY_30 else MONTH
    of_kind: Mask = periods.kind == kind
    return of_kind & serves(periods, ladder.programs)


def measured(periods: Periods, ladder: Ladder) -> Ints:
    """The ladder's measure of every period: days, or seconds over its kinds of work."""
    if ladder.measure is Measure.DEVICE_DAYS:
        return periods.days
    table = (
        periods.practitioner_seconds
        if ladder.measure is Measure.PRACTITIONER_SECONDS
        else periods.seconds
    )
    return _over_work(table, ladder)


def has_live_contact(periods: Periods, ladder: Ladder) -> Mask:
    """Periods with at least one real-time two-way contact in the ladder's work (R-TIME-05)."""
    live: Mask = _over_work(periods.live_seconds, ladder) > 0
    return live


def _over_work(table: Ints, ladder: Ladder) -> Ints:
    total: Ints = table[:, [COUNTED_WORK.index(word) for word in ladder.work]].sum(axis=1)
    return total


def supply(
    standing: Standing, judged: Judged, early: Mask, as_of_day: int, remarks: Remarks, programs: str
) -> list[Batch]:
    """Device-supply lines. ``early`` are windows dated on their threshold day."""
    periods = judged.periods
    found = []
    for rules, ladder, rows in _serving(judged, Role.SUPPLY, programs):
        may_leave = rows & ((periods.state != OPEN) | early)
        banded = band_rows(standing, periods, rules, ladder, may_leave, periods.days)
        batches, earned = lines_of(standing, periods, rules, ladder, banded, periods.days, remarks)
        found += batches
        over = rows & (periods.state != OPEN)
        remarks.add("E_DAYS_BELOW_MIN", over & ~earned, ladder.name, periods.days)
        waits = rows & ~may_leave
        least = np.min([least_of(standing, periods, rules, b) for b in ladder.bands], axis=0)
        still = periods.days + days_left(standing, periods, as_of_day) >= least
        remarks.add("E_PERIOD_OPEN", waits & still, ladder.name, periods.days)
    return found


def days_left(standing: Standing, periods: Periods, as_of_day: int) -> Ints:
    """Days of each window that may still get a first reading, the day itself included."""
    last = last_days(standing, periods)
    first = np.maximum(periods.start_day, as_of_day + (periods.last_recorded_day == as_of_day))
    left: Ints = np.maximum(last - first + 1, 0)
    return left


def last_days(standing: Standing, periods: Periods) -> Ints:
    """The last day of each period on which its episode still goes on."""
    last: Ints = np.minimum(periods.end_day, standing.closed_day[periods.episode])
    return last


def setup(
    standing: Standing,
    judged: Judged,
    supply_left: Mask,
    free: Callable[[list[Batch]], list[Batch]],
    remarks: Remarks,
    programs: str,
) -> list[Batch]:
    """Set-up lines: once per chain of episodes, with its first supply line (R-SET-01 to -03).

    ``free`` gives back the candidates that no other line excludes.
    """
    periods = judged.periods
    root = standing.chain_root()
    billed = np.zeros(standing.count, dtype=np.bool_)
    np.logical_or.at(billed, root, standing.setup_billed)
    row_root = root[periods.episode]
    candidates: list[Batch] = []
    below = np.zeros(len(periods), dtype=np.bool_)
    for rules, ladder, rows in _serving(judged, Role.SETUP, programs):
        unbilled = rows & ~billed[row_root]
        with_supply = unbilled & supply_left
        recorded = standing.setup_recorded[periods.episode]
        remarks.add("W_SETUP_NOT_RECORDED", with_supply & ~recorded, ladder.name)
        banded = band_rows(standing, periods, rules, ladder, with_supply & recorded, periods.days)
        candidates += lines_of(standing, periods, rules, ladder, banded, periods.days, remarks)[0]
        least = np.min([least_of(standing, periods, rules, b) for b in ladder.bands], axis=0)
        below |= unbilled & (periods.state != OPEN) & (periods.days < least)
    candidates = free(candidates)
    first = _first_of_chain(periods, row_root, candidates)
    start_of_first = np.full(standing.count, FAR_DAY, dtype=np.int64)
    start_of_first[row_root[first]] = periods.start_day[first]
    waits = below & (periods.start_day < start_of_first[row_root])
    remarks.add("I_SETUP_WAITING", waits, "", periods.days)
    again = np.zeros(len(periods), dtype=np.bool_)
    again[first] = standing.reorder[periods.episode[first]] & (
        standing.previous[periods.episode[first]] >= 0
    )
    remarks.add("W_REENROL_SETUP_REVIEW", again)
    chosen = np.zeros(len(periods), dtype=np.bool_)
    chosen[first] = True
    return [batch.keep(chosen) for batch in candidates]


def _first_of_chain(periods: Periods, row_root: Ints, candidates: list[Batch]) -> Ints:
    """The earliest candidate period of each chain."""
    rows = np.concatenate([b.rows for b in candidates] or [np.zeros(0, dtype=np.int64)])
    order = np.lexsort((periods.start_day[rows], row_root[rows]))
    rows = rows[order]
    first: Ints = rows[np.unique(row_root[rows], return_index=True)[1]]
    return first


def management(standing: Standing, judged: Judged, remarks: Remarks, programs: str) -> list[Batch]:
    """Management lines of calendar months; none without a live contact (R-TIME-05)."""
    return _timed(standing, judged, Role.MANAGEMENT, remarks, programs)


def review(standing: Standing, judged: Judged, remarks: Remarks, programs: str) -> list[Batch]:
    """Practitioner's review (99091) over windows, or months where a page says so."""
    return _timed(standing, judged, Role.REVIEW, remarks, programs)


def _timed(
    standing: Standing, judged: Judged, role: Role, remarks: Remarks, programs: str
) -> list[Batch]:
    periods = judged.periods
    found = []
    for rules, ladder, rows in _serving(judged, role, programs):
        seconds = measured(periods, ladder)
        some = rows & (_over_work(periods.seconds, ladder) > 0)
        remarks.add("E_PERIOD_OPEN", some & (periods.state == OPEN), ladder.name, seconds)
        over = some & (periods.state != OPEN)
        banded = band_rows(standing, periods, rules, ladder, over, seconds)
        batches, earned = lines_of(standing, periods, rules, ladder, banded, seconds, remarks)
        remarks.add("E_TIME_BELOW_MIN", over & ~earned, ladder.name, seconds)
        if "live-contact" in ladder.needs:
            live = has_live_contact(periods, ladder)
            remarks.add("E_NO_INTERACTIVE", earned & ~live, ladder.name, seconds)
            batches = [batch.keep(live) for batch in batches]
        found += batches
    return found


def _serving(judged: Judged, role: Role, programs: str) -> list[tuple[RuleSet, Ladder, Mask]]:
    """Ladders of a role for RPM or RTM episodes, each with the periods it decides."""
    return [
        (rules, ladder, rows)
        for rules, mine in judged.groups()
        for ladder in rules.ladders
        if ladder.role is role and all(word.startswith(programs) for word in ladder.programs)
        if (rows := mine & applies(judged.periods, ladder)).any()
    ]

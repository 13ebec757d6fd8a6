"""Exclusions: lines that do not leave because another line stands in their way.

Owns R-MUTEX as rule pages word it: whose line, of which codes, within which days. Does not own
which codes exclude which: that is rule data.
"""

import numpy as np

from billing.days import month_ends, month_starts
from billing.ledger.facts import KINDS, Facts
from billing.ledger.kernels import DayIndex, Ints, Mask
from billing.ledger.lines import Batch
from billing.ledger.periods import Periods
from billing.ledger.remarks import Remarks
from billing.rules.ruleset import Exclusion, Who, Within


class OtherLines:
    """Lines that may stand in the way: recorded services, and lines that leave in this run."""

    def __init__(self, facts: Facts, periods: Periods) -> None:
        others = facts.others
        self._codes = facts.codes
        self._code = others["code"].to_numpy()
        self._patient = others["patient"].to_numpy()
        self._day = others["service_day"].to_numpy()
        self._own = others["own"].to_numpy()
        self._periods = periods
        self._derived: list[Batch] = []
        self._indexes: dict[tuple[tuple[str, ...], Who], DayIndex | None] = {}

    def leave(self, batches: list[Batch]) -> None:
        """Take lines in that leave, so that later ones are held against them."""
        self._derived.extend(batches)
        self._indexes.clear()

    def index(self, codes: tuple[str, ...], who: Who) -> DayIndex | None:
        """Service days by patient of lines of these codes; None when there are none."""
        if (codes, who) not in self._indexes:
            self._indexes[codes, who] = self._built(codes, who)
        return self._indexes[codes, who]

    def _built(self, codes: tuple[str, ...], who: Who) -> DayIndex | None:
        patients, days = [], []
        wanted = [i for i, code in enumerate(self._codes) if code in codes]
        if wanted and who is not Who.DERIVED:
            rows = np.isin(self._code, wanted)
            if who is not Who.ANY:
                rows &= self._own == (who is Who.OWN)
            patients.append(self._patient[rows])
            days.append(self._day[rows])
        if who in (Who.ANY, Who.DERIVED):
            for batch in self._derived:
                if batch.code in codes:
                    patients.append(self._periods.patient[batch.rows])
                    days.append(self._periods.service_day[batch.rows])
        if not any(part.size for part in patients):
            return None
        return DayIndex(np.concatenate(patients), np.concatenate(days))


def without_excluded(
    periods: Periods, batches: list[Batch], others: OtherLines, remarks: Remarks
) -> list[Batch]:
    """The lines that nothing excludes; add-on codes also need their base code to leave.

    Every reason that holds is told, not only the first.
    """
    free = []
    for batch in batches:
        excluded = np.zeros(len(periods), dtype=np.bool_)
        for exclusion in batch.rules.exclusions:
            if batch.code in exclusion.applies_to and batch.rows.size:
                hit = _hit(periods, batch, exclusion, others)
                if batch.payable:
                    remarks.add(exclusion.finding, hit, batch.code)
                excluded |= hit
        free.append(batch.keep(~excluded))
    return [batch for batch in _with_base(periods, free) if batch.rows.size]


def recorded_beside_derived(
    periods: Periods, batches: list[Batch], others: OtherLines, remarks: Remarks
) -> None:
    """Note own recorded services that lines of this run keep back (99091 beside 99457)."""
    for batch in batches:
        for exclusion in batch.rules.exclusions:
            if exclusion.who is not Who.DERIVED or batch.code not in exclusion.blocked_by:
                continue
            recorded = others.index(exclusion.applies_to, Who.OWN)
            if recorded is None:
                continue
            from_day, to_day = _span(periods, batch.rows, exclusion.within)
            beside = np.zeros(len(periods), dtype=np.bool_)
            beside[batch.rows] = recorded.any_between(periods.patient[batch.rows], from_day, to_day)
            remarks.add(exclusion.finding, beside, exclusion.applies_to[0])


def _hit(periods: Periods, batch: Batch, exclusion: Exclusion, others: OtherLines) -> Mask:
    """Periods of the batch whose line is excluded, one value per period."""
    hit = np.zeros(len(periods), dtype=np.bool_)
    blocking = others.index(exclusion.blocked_by, exclusion.who)
    if blocking is None:
        return hit
    from_day, to_day = _span(periods, batch.rows, exclusion.within)
    found = blocking.any_between(periods.patient[batch.rows], from_day, to_day)
    if exclusion.only_kinds:
        allowed = sum(1 << KINDS.index(word) for word in exclusion.only_kinds)
        kinds = periods.kinds[batch.rows]
        found &= (kinds != 0) & ((kinds & ~allowed) == 0)
    hit[batch.rows] = found
    return hit


def _span(periods: Periods, rows: Ints, within: Within) -> tuple[Ints, Ints]:
    """First and last day in which an excluding line counts, for each line."""
    service_day = periods.service_day[rows]
    if within is Within.PERIOD:
        return periods.start_day[rows], periods.end_day[rows]
    if within is Within.MONTH:
        days = service_day.astype(np.int32)
        return month_starts(days), month_ends(days)
    if within is Within.SAME_DAY:
        return service_day, service_day
    return service_day - 29, service_day


def _with_base(periods: Periods, batches: list[Batch]) -> list[Batch]:
    """Add-on lines only beside their base code in the same period (add-on file, S05)."""
    kept = []
    for batch in batches:
        base = batch.rules.codes[batch.code].addon_to
        if base is not None:
            beside = np.zeros(len(periods), dtype=np.bool_)
            for other in batches:
                if other.code == base and other.payable:
                    beside[other.rows] = True
            batch = batch.keep(beside)
        kept.append(batch)
    return kept

"""Lines: what a ladder's bands earn from a measure, before anything stands in their way.

Owns bands, units, code dates (R-VER-02), codes a payer has not loaded (R-PAY-06) and unit limits
(R-TIME-04). Does not own exclusions between lines.
"""

from dataclasses import dataclass, replace

import numpy as np

from billing.ledger.judged import in_force
from billing.ledger.kernels import Ints, Mask
from billing.ledger.periods import Periods
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing
from billing.rules.ruleset import Band, Ladder, RuleSet


@dataclass(frozen=True)
class Batch:
    """Lines of one code from one ladder of one page: rows of periods, units, units held back.

    ``payable`` is False for units earned under a code that was not in force on the service day.
    """

    rules: RuleSet
    ladder: Ladder
    code: str
    rows: Ints
    units: Ints
    held: Ints
    payable: bool = True

    def keep(self, mask: Mask) -> "Batch":
        """The lines whose period is in the mask (one value per period)."""
        stay = mask[self.rows]
        return replace(self, rows=self.rows[stay], units=self.units[stay], held=self.held[stay])

    def mask(self, size: int) -> Mask:
        """The periods of these lines, one value per period."""
        found = np.zeros(size, dtype=np.bool_)
        found[self.rows] = True
        return found


def least_of(standing: Standing, periods: Periods, rules: RuleSet, band: Band) -> Ints:
    """The least measure of a band for each period, relaxed where a gate holds (R-PHE-01)."""
    least = np.full(len(periods), band.at_least, dtype=np.int64)
    codes = {line.code for line in band.lines}
    for relaxation in rules.relaxations:
        if codes & set(relaxation.codes):
            eased = in_force(periods.service_day, relaxation.from_day, relaxation.to_day)
            if eased.any():
                eased &= standing.holds(relaxation.needs, periods.episode, periods.service_day)
                least = np.where(eased, np.minimum(least, relaxation.at_least), least)
    return least


def band_rows(
    standing: Standing,
    periods: Periods,
    rules: RuleSet,
    ladder: Ladder,
    rows: Mask,
    measure: Ints,
) -> list[tuple[Band, Mask]]:
    """Each band of a ladder with the periods whose measure lies in it."""
    found = []
    taken = np.zeros(len(periods), dtype=np.bool_)
    for band in sorted(ladder.bands, key=lambda b: -b.at_least):
        inside = rows & ~taken & (measure >= least_of(standing, periods, rules, band))
        if band.at_most is not None:
            inside &= measure <= band.at_most
        taken |= inside
        found.append((band, inside))
    return found


def lines_of(
    standing: Standing,
    periods: Periods,
    rules: RuleSet,
    ladder: Ladder,
    banded: list[tuple[Band, Mask]],
    measure: Ints,
    remarks: Remarks,
) -> tuple[list[Batch], Mask]:
    """The lines that bands earn, and the periods that earned one (also of a code not adopted)."""
    batches: list[Batch] = []
    earned = np.zeros(len(periods), dtype=np.bool_)
    for band, inside in banded:
        if not inside.any():
            continue
        for line in band.lines:
            code = rules.codes[line.code]
            units = np.ones(len(periods), dtype=np.int64)
            if line.every is not None:
                units = (measure - band.at_least) // line.every
            wanted = inside & (units > 0)
            payable = in_force(periods.service_day, code.payable_from, code.payable_to)
            lost = _batch(standing, periods, rules, ladder, line.code, wanted & ~payable, units)
            batches.append(replace(lost, payable=False))
            wanted &= payable
            earned |= wanted
            if line.code in rules.not_adopted:
                remarks.add(rules.not_adopted_finding, wanted, line.code)
                continue
            batches.append(_batch(standing, periods, rules, ladder, line.code, wanted, units))
    return [batch for batch in batches if batch.rows.size], earned


def _batch(
    standing: Standing,
    periods: Periods,
    rules: RuleSet,
    ladder: Ladder,
    code: str,
    wanted: Mask,
    units: Ints,
) -> Batch:
    rows = np.flatnonzero(wanted)
    units = units[rows]
    held = np.zeros(rows.size, dtype=np.int64)
    limit = rules.codes[code].max_units
    if limit is not None:
        capped = standing.mue_cap[periods.episode[rows]]
        held = np.where(capped, np.maximum(units - limit, 0), 0)
    return Batch(rules, ladder, code, rows, units - held, held)

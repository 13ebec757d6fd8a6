"""Decide: judged periods in, the lines that leave out, with every finding on the way.

Owns the order of the stages. RPM goes before RTM and management before review, because a line
that leaves stands in the way of later ones (R-MUTEX-03, -04).
"""

from dataclasses import dataclass

import numpy as np

from billing.ledger.accompany import capped, replaced
from billing.ledger.exclude import OtherLines, recorded_beside_derived, without_excluded
from billing.ledger.judged import Judged
from billing.ledger.kernels import Mask
from billing.ledger.ladders import management, review, setup, supply
from billing.ledger.lines import Batch
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing


@dataclass(frozen=True)
class _Stages:
    standing: Standing
    judged: Judged
    others: OtherLines
    early: Mask
    as_of_day: int
    remarks: Remarks

    def free(self, batches: list[Batch]) -> list[Batch]:
        """Lines that nothing excludes; units lost to a code's dates are told beside them."""
        size = len(self.judged.periods)
        free = without_excluded(self.judged.periods, batches, self.others, self.remarks)
        lines = [batch for batch in free if batch.payable]
        for lost in (batch for batch in free if not batch.payable):
            beside: Mask = np.zeros(size, dtype=np.bool_)
            for line in lines:
                if line.ladder.name == lost.ladder.name:
                    beside |= line.mask(size)
            told = beside & lost.mask(size)
            self.remarks.add("E_CODE_NOT_EFFECTIVE", told, lost.ladder.name)
        return lines

    def family(self, programs: str) -> list[Batch]:
        """All lines of RPM or of RTM episodes, in the order in which they stand in the way."""
        devices = self.free(
            supply(self.standing, self.judged, self.early, self.as_of_day, self.remarks, programs)
        )
        size = len(self.judged.periods)
        left: Mask = np.zeros(size, dtype=np.bool_)
        for batch in devices:
            left |= batch.mask(size)
        first = setup(self.standing, self.judged, left, self.free, self.remarks, programs)
        time = self.free(management(self.standing, self.judged, self.remarks, programs))
        self.others.leave(devices + first + time)
        reviewed = self.free(review(self.standing, self.judged, self.remarks, programs))
        self.others.leave(reviewed)
        return devices + first + time + reviewed


def decide(
    standing: Standing,
    judged: Judged,
    others: OtherLines,
    early: Mask,
    as_of_day: int,
    remarks: Remarks,
) -> list[Batch]:
    """Every line that leaves."""
    stages = _Stages(standing, judged, others, early, as_of_day, remarks)
    lines = [batch for programs in ("RPM", "RTM") for batch in stages.family(programs)]
    recorded_beside_derived(judged.periods, lines, others, remarks)
    capped(judged.periods, lines, remarks)
    return replaced(standing, judged.periods, lines, remarks)

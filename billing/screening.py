"""OIG's screening measures, as a practice can apply them to itself before anybody else does.

Owns the six measures that a ledger can know, with OIG's own numbers. Does not own their texts on a
page nor where facts come from. None of them says that anything is wrong: they are what draws a
look. Source S28: OIG OEI-02-23-00260 (2024) and OEI-02-23-00261 (2025), read through summaries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from billing.figures import MonthFigures

SOURCE = "S28"
RISE_PERCENT, NO_VISIT_PERCENT, INCOMPLETE_PERCENT = 150, 80, 43
SETUP, SUPPLY, MANAGEMENT = "setup", "supply", "management"
PARTS = (SETUP, SUPPLY, MANAGEMENT)
"""The three parts of the service, by the roles of the ladders that give their codes."""


@dataclass(frozen=True)
class Screened:
    """A measure: how many patients of how many, or a rise in percent."""

    name: str
    patients: tuple[int, ...]  # rows of the patients it concerns, in order
    of: int  # patients looked at
    percent: float | None  # None: nothing to be measured against
    oig_percent: int | None  # OIG's number; None where it gave none

    @property
    def stands_out(self) -> bool:
        """Whether somebody who looks for OIG's signs would stop here."""
        if self.oig_percent is None:
            return bool(self.patients)
        return self.percent is not None and self.percent >= self.oig_percent


def sudden_rise(months: Sequence[MonthFigures]) -> Screened:
    """The steepest rise of new patients from one month to the next, in percent.

    32 practices rose 150 percent or more. A month after one without new patients has no percentage.
    """
    rises = [
        (after.new - before.new) * 100 / before.new
        for before, after in pairwise(months)
        if before.new > 0
    ]
    steepest = round(max(rises), 1) if rises else None
    return Screened("sudden-rise", (), sum(month.new for month in months), steepest, RISE_PERCENT)


def no_prior_visit(enrolled: pd.DataFrame) -> Screened:
    """New patients without a visit of this practice on file before their enrollment.

    ``enrolled``: patient, visited (whether a visit or the established relationship is on file for
    the day of enrollment or before). 45 practices were above 80 percent.
    """
    missing = enrolled.loc[~enrolled["visited"].astype(bool), "patient"]
    return _share("no-prior-visit", missing, len(enrolled), NO_VISIT_PERCENT)


def several_devices(patients: pd.Series, of: int) -> Screened:
    """Patients for whom device supply was billed twice for days that overlap, of those with any."""
    return _share("several-devices", patients, of, None)


def supply_without_management(parts: pd.DataFrame) -> Screened:
    """Patients with device supply billed and management never.

    ``parts``: patient and a column for each of ``PARTS`` with live units.
    """
    supplied = parts[parts["supply"] > 0]
    never = supplied.loc[supplied["management"] <= 0, "patient"]
    return _share("supply-without-management", never, len(supplied), None)


def another_practice(patients: pd.Series, of: int) -> Screened:
    """Patients for whom another practice's monitoring service is on file."""
    return _share("another-practice", patients.drop_duplicates(), of, None)


def not_all_parts(parts: pd.DataFrame) -> Screened:
    """Patients with one part billed but not set-up, supply and management.

    43 percent of enrollees, 2019 to 2022. ``parts`` as for ``supply_without_management``.
    """
    has = parts[list(PARTS)] > 0
    billed = parts[has.any(axis=1)]
    lacking = billed.loc[~has.all(axis=1).loc[billed.index], "patient"]
    return _share("not-all-parts", lacking, len(billed), INCOMPLETE_PERCENT)


def _share(name: str, patients: pd.Series, of: int, oig_percent: int | None) -> Screened:
    rows = tuple(sorted(int(patient) for patient in patients))
    percent = round(len(rows) * 100 / of, 1) if of else None
    return Screened(name, rows, of, percent, oig_percent)

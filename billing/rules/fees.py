"""Fees: what a code is worth to a practice on a service day, by its locality where it is known.

Owns the choice between the schedules that a practice loaded and the shipped national ones, and
the amount in between: work, practice expense and malpractice, each by the locality's factor, times
the conversion factor, rounded once, half up. Does not own reading CMS's files (``fee_files``).
An unknown amount is None, never zero.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from billing.days import day_number
from billing.money import Cents, round_to_cents
from billing.rules.amounts import amount, cents_of
from billing.rules.edits import LoadedTable
from billing.rules.fee_files import FACTORS, FEE_KINDS, UNITS
from billing.rules.ruleset import Amount, Source

NATIONAL = "national"
AMOUNT_UNKNOWN = "UNKNOWN"
FACILITY_PLACES = frozenset({19, 21, 22})
"""Places of service with the facility figure (R-CLM-05)."""
CLINIC_PLACES = frozenset({50, 72})
"""FQHC and RHC: paid the national amount, whatever their locality (R-RHC-03)."""

_PAYABLE = frozenset("ART")
"""Status codes of CMS under which a code has an amount; C, for instance, is priced locally."""
_EVERYWHERE = (Decimal(1), Decimal(1), Decimal(1))

Factors = tuple[Decimal, Decimal, Decimal]
"""Of work, practice expense and malpractice."""


class FeeSchedules:
    """The schedules a practice loaded, in order of recording, and the locality it is paid by."""

    def __init__(self, tables: Iterable[LoadedTable], locality: str = NATIONAL) -> None:
        self.tables = tuple(table for table in tables if table.kind in FEE_KINDS)
        self.locality = locality
        self._codes = {
            table.sha256: {row[0]: row[1:] for row in table.content["codes"]}
            for table in self._of(UNITS)
        }
        self._entry = lru_cache(maxsize=4_096)(self._computed)

    @property
    def localities(self) -> Mapping[str, str]:
        """Names of all localities whose factors were loaded, by contractor and number."""
        return {
            row[0]: row[1]
            for table in self.tables
            if table.kind == FACTORS
            for row in table.content["localities"]
        }

    @property
    def basis(self) -> str:
        """Which schedules amounts come from, in words for the manifest of an export."""
        national = "national schedule amounts by date of service; empty where none is known"
        if not self._of(UNITS):
            return national
        units = ", ".join(table.file_name for table in self._of(UNITS))
        factors = [table.file_name for table in self._of(FACTORS) if self._row(table) is not None]
        if not factors:
            return f"{units}, national; other dates of service: {national}"
        return (
            f"{units} by the factors of locality {self.locality} in {', '.join(factors)}, clinics"
            f" without them; other dates of service: {national}"
        )

    def amount(self, code: str, service_day: int, *, place: int) -> Amount | None:
        """The schedule's entry for a code on a day number at a place of service; None: unknown."""
        facility = place in FACILITY_PLACES
        units = self._in_force(UNITS, service_day)
        if units is None or code not in self._codes[units.sha256]:
            return amount(code, service_day, facility=facility)
        factors = self._in_force(FACTORS, service_day)
        row = None if factors is None or place in CLINIC_PLACES else self._row(factors)
        return self._entry(code, units.sha256, factors.sha256 if factors and row else "")

    def priced(
        self, code: str, units: int, service_day: int, *, place: int
    ) -> tuple[Cents | None, str]:
        """Cents for all units and the figure's status; None when no schedule gives an amount."""
        entry = self.amount(code, service_day, place=place)
        cents = None
        if entry is not None:
            cents = cents_of(entry, facility=place in FACILITY_PLACES)
        if entry is None or cents is None:
            return None, AMOUNT_UNKNOWN
        return cents * units, entry.status

    def _computed(self, code: str, units_sha256: str, factors_sha256: str) -> Amount | None:
        units = next(one for one in self._of(UNITS) if one.sha256 == units_sha256)
        status, work, practice, practice_facility, malpractice = self._codes[units_sha256][code]
        parts = [Decimal(one) for one in (work, practice, practice_facility, malpractice)]
        if status not in _PAYABLE or not any(parts):
            return None
        table = next((one for one in self._of(FACTORS) if one.sha256 == factors_sha256), None)
        by = self._row(table) if table is not None else None
        of_work, of_practice, of_malpractice = by or _EVERYWHERE
        factor = Decimal(units.content["factor"])
        fixed = parts[0] * of_work + parts[3] * of_malpractice
        rvu, facility_rvu = fixed + parts[1] * of_practice, fixed + parts[2] * of_practice
        names = (units.file_name,) if table is None else (units.file_name, table.file_name)
        note = "national" if by is None else f"locality {self.locality}"
        return Amount(
            code=code,
            from_day=units.from_day,
            to_day=units.to_day or units.from_day,
            cents=round_to_cents(rvu * factor),
            facility_cents=round_to_cents(facility_rvu * factor),
            rvu=rvu,
            facility_rvu=facility_rvu,
            factor=factor,
            status="SETTLED",
            source=Source(names, note, units.from_day),
        )

    def _of(self, kind: str) -> list[LoadedTable]:
        return [table for table in self.tables if table.kind == kind]

    def _in_force(self, kind: str, day: int) -> LoadedTable | None:
        """Of the tables that hold on a day the one that began last; of equal ones the last."""
        found: LoadedTable | None = None
        for table in self._of(kind):
            last = table.to_day or table.from_day
            if not day_number(table.from_day) <= day <= day_number(last):
                continue
            if found is None or table.from_day >= found.from_day:
                found = table
        return found

    def _row(self, table: LoadedTable) -> Factors | None:
        """The practice's factors in a table; None where it has none."""
        for locality, _, *factors in table.content["localities"]:
            if locality == self.locality:
                work, practice, malpractice = map(Decimal, factors)
                return work, practice, malpractice
        return None

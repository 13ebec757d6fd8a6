"""What a code is worth to a practice: by its locality, else national, else unknown."""

from datetime import date
from decimal import Decimal

import pytest
from cms_tables import GPCI_NAME, RVU_NAME, gpci, lines, rvu
from hypothesis import given
from hypothesis import strategies as st

from billing.days import day_number
from billing.rules.amounts import shipped_amounts
from billing.rules.book import shipped_book
from billing.rules.edits import LoadedTable
from billing.rules.fee_files import read_fees
from billing.rules.fees import AMOUNT_UNKNOWN, FeeSchedules

KNOWN = shipped_book().references.codes
OFFICE, OUTPATIENT, CLINIC = 11, 22, 72
PLACE = ("01112", "CA", "05", "1.086", "1.394", "0.454")
UNITS = rvu(("99457", "0.61", "0.90", "0.14", "0.04"), ("99454", "0", "1.60", "1.60", "0.01"))


def table(name: str, rows: list[tuple[str, ...]], begins: date | None = None) -> LoadedTable:
    """A loaded file; its content stands for its digest."""
    return read_fees(name, lines(rows), str(hash(str((rows, begins)))), KNOWN, begins)


FEES = FeeSchedules([table(RVU_NAME, UNITS), table(GPCI_NAME, gpci(PLACE))], "01112-05")


def priced(fees: FeeSchedules, code: str, day: date, place: int = OFFICE) -> int | None:
    """Cents for one unit."""
    return fees.priced(code, 1, day_number(day), place=place)[0]


@pytest.mark.parametrize(
    ("code", "day", "place", "cents"),
    [
        # (0.61 x 1.086 + 0.90 x 1.394 + 0.04 x 0.454) x 33.4009 = 64.6383
        ("99457", date(2026, 7, 1), OFFICE, 6464),
        # (0.61 x 1.086 + 0.14 x 1.394 + 0.04 x 0.454) x 33.4009 = 29.2522
        ("99457", date(2026, 12, 31), OUTPATIENT, 2925),
        ("99457", date(2026, 8, 1), CLINIC, 5177),  # clinics: national
        ("99457", date(2026, 6, 30), OFFICE, 5177),  # before the release: as shipped
        ("99454", date(2026, 6, 30), OFFICE, 5211),
        # (1.60 x 1.394 + 0.01 x 0.454) x 33.4009 = 74.6496
        ("99454", date(2026, 7, 1), OFFICE, 7465),
        ("99453", date(2026, 7, 1), OFFICE, 2171),  # not in the file: as shipped
        ("99457", date(2027, 1, 1), OFFICE, None),  # the year is over
    ],
)
def test_amounts_by_locality(code: str, day: date, place: int, cents: int | None) -> None:
    """Each part by its factor, times the conversion factor, rounded once."""
    assert priced(FEES, code, day, place) == cents


def test_units_are_multiplied_and_the_status_is_told() -> None:
    """The amount of one unit is rounded, as schedules print it; unknown is never zero."""
    day = day_number(date(2026, 8, 1))
    assert FEES.priced("99457", 3, day, place=OFFICE) == (3 * 6464, "SETTLED")
    assert FEES.priced("98978", 1, day, place=OFFICE) == (None, AMOUNT_UNKNOWN)
    entry = FEES.amount("99457", day, place=OFFICE)
    assert entry is not None
    assert entry.source.ids == (RVU_NAME, GPCI_NAME)
    assert entry.source.note == "locality 01112-05"


def test_without_a_locality_the_loaded_units_are_national() -> None:
    """Also when the factors of the year do not have the practice's locality."""
    tables = [table(RVU_NAME, UNITS), table(GPCI_NAME, gpci(PLACE))]
    for locality in ("national", "99999-99"):
        fees = FeeSchedules(tables, locality)
        assert priced(fees, "99454", date(2026, 8, 1)) == 5378  # 1.61 x 33.4009 = 53.7754
        assert RVU_NAME in fees.basis
        assert GPCI_NAME not in fees.basis


def test_a_code_that_cms_does_not_price_is_unknown() -> None:
    """Priced by contractors, or without any unit: no amount, though shipped ones have one."""
    for rows in (
        rvu(("99457", "0.61", "0.90", "0.14", "0.04"), status="C"),
        rvu(("99457", "0", "0", "0", "0")),
    ):
        fees = FeeSchedules([table(RVU_NAME, rows)])
        assert priced(fees, "99457", date(2026, 8, 1)) is None
        assert priced(fees, "99457", date(2026, 6, 1)) == 5177


def test_the_newest_release_counts() -> None:
    """Of two releases of a year the one that began last; of one loaded again the later file."""
    january = rvu(("99454", "0", "1.00", "1.00", "0"))
    again = rvu(("99454", "0", "2.00", "2.00", "0"))
    fees = FeeSchedules(
        [
            table(RVU_NAME, UNITS),
            table(RVU_NAME, january, date(2026, 1, 1)),
            table(RVU_NAME, again, date(2026, 1, 1)),
        ]
    )
    assert priced(fees, "99454", date(2026, 3, 1)) == 6680
    assert priced(fees, "99454", date(2026, 7, 1)) == 5378


@given(*(st.decimals("0.5", "2", places=3) for _ in range(3)))
def test_factors_of_one_give_the_national_amount(
    work: Decimal, practice: Decimal, malpractice: Decimal
) -> None:
    """A locality's amount is the national one moved by its factors, part by part."""
    place = ("01112", "CA", "05", f"{work}", f"{practice}", f"{malpractice}")
    fees = FeeSchedules([table(RVU_NAME, UNITS), table(GPCI_NAME, gpci(place))], "01112-05")
    units = Decimal("0.61") * work + Decimal("0.90") * practice + Decimal("0.04") * malpractice
    cents = priced(fees, "99457", date(2026, 8, 1))
    assert cents is not None
    assert abs(Decimal(cents) - units * Decimal("33.4009") * 100) <= Decimal("0.5")
    if work == practice == malpractice == 1:
        assert cents == 5177


def test_without_loaded_schedules_amounts_are_the_shipped_ones() -> None:
    """Every shipped entry, in an office and in a facility, and the words for it."""
    fees = shipped_book().fees
    assert fees.basis == "national schedule amounts by date of service; empty where none is known"
    for entry in shipped_amounts():
        assert priced(fees, entry.code, entry.to_day) == entry.cents
        assert priced(fees, entry.code, entry.from_day, OUTPATIENT) == entry.facility_cents


def test_localities_are_known_by_their_names() -> None:
    """All localities of loaded factors, for a practice to choose from."""
    assert FEES.localities == {"01112-05": "PLACE 05"}
    assert "locality 01112-05 in GPCI2026.csv" in FEES.basis

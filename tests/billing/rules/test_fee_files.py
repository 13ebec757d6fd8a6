"""What is kept of CMS's fee schedule files, and which files are refused."""

from datetime import date

import pytest
from cms_tables import GPCI_NAME, RVU_HEAD, RVU_NAME, gpci, lines, rvu

from billing.rules.book import shipped_book
from billing.rules.cms_sheet import NotATableError
from billing.rules.edits import LoadedTable
from billing.rules.fee_files import read_fees
from billing.rules.fields import RuleError

KNOWN = shipped_book().references.codes
UNITS = ("99457", "0.61", "0.90", "0.14", ".04")
PLACE = ("01112", "CA", "05", "1.086", "1.394", "0.454")
Rows = list[tuple[str, ...]]


def read(name: str, rows: Rows, begins: date | None = None) -> LoadedTable:
    """What is kept of a file."""
    return read_fees(name, lines(rows), "0" * 64, KNOWN, begins)


def test_units_of_known_codes_are_kept_without_descriptions() -> None:
    """Whole codes only: rows with a modifier, other codes and all descriptions are left out."""
    rows = rvu(UNITS, ("10004", "1.00", "1.00", "1.00", "1.00"))
    rows += rvu(("99454", "0.00", "1.55", "1.55", "0.01"), modifier="26")[len(RVU_HEAD) :]
    table = read(RVU_NAME, rows)
    assert (table.kind, table.from_day, table.to_day) == (
        "rvu",
        date(2026, 7, 1),
        date(2026, 12, 31),
    )
    assert table.content == {
        "rows": 3,
        "factor": "33.4009",
        "codes": [["99457", "A", "0.61", "0.90", "0.14", "0.04"]],
    }
    assert "description" not in str(table)


def test_factors_of_every_locality_are_kept() -> None:
    """With the floor of the work factor; contractors and numbers in full length, notes left out."""
    table = read(GPCI_NAME, gpci(PLACE, ("9202", "PR", "0", "1", "0.869", "0.575")))
    assert (table.kind, table.from_day, table.to_day) == (
        "gpci",
        date(2026, 1, 1),
        date(2026, 12, 31),
    )
    assert table.content["localities"] == [
        ["01112-05", "PLACE 05", "1.086", "1.394", "0.454"],
        ["09202-00", "PLACE 0", "1", "0.869", "0.575"],
    ]


def untitled(rows: Rows) -> Rows:
    """Rows without the title that tells the release."""
    return [("",), *rows[1:]]


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("PPRRVU2026_Jul_nonQPP.csv", date(2026, 7, 1)),
        ("PPRRVU25_JAN.csv", date(2025, 1, 1)),
        ("RVU24D.zip/PPRRVU24_OCT.csv", date(2024, 10, 1)),
    ],
)
def test_a_name_tells_the_release(name: str, begins: date) -> None:
    """Year and month of the release, where no title does."""
    assert read(name, untitled(rvu(UNITS))).from_day == begins


def test_the_first_day_may_be_told() -> None:
    """A release that begins within a quarter, or tells nothing, is given its first day."""
    assert read(RVU_NAME, rvu(UNITS), date(2026, 3, 9)).from_day == date(2026, 3, 9)
    with pytest.raises(RuleError, match="--from"):
        read("units.csv", untitled(rvu(UNITS)))
    with pytest.raises(RuleError, match="--from"):
        read("PPRRVU26_JAN.csv", rvu(UNITS))


def cut(rows: Rows, columns: int) -> Rows:
    """Rows whose last one ends early."""
    return [*rows[:-1], rows[-1][:columns]]


def put(rows: Rows, column: int, value: str, row: int = -1) -> Rows:
    """Rows of which one has another value in a column."""
    one = rows[row]
    changed = [*one[:column], value, *one[column + 1 :]]
    return [tuple(changed) if number == row % len(rows) else r for number, r in enumerate(rows)]


@pytest.mark.parametrize(
    ("name", "rows", "line", "reason"),
    [
        (RVU_NAME, put(rvu(UNITS), 5, "x"), 7, "column 6 does not hold a decimal number"),
        (RVU_NAME, put(rvu(UNITS), 5, "0.62"), 7, "column 12 does not hold the sum"),
        (RVU_NAME, put(rvu(UNITS), 12, "0.80"), 7, "column 13 does not hold the sum"),
        (RVU_NAME, put(rvu(UNITS), 25, ""), 7, "column 26 does not hold a decimal number"),
        (RVU_NAME, cut(rvu(UNITS), 20), 7, "column 26"),
        (RVU_NAME, rvu(UNITS, UNITS), 1, "twice"),
        (RVU_NAME, put(rvu(UNITS, ("99454", "0", "1", "1", "1")), 25, "1"), 1, "one conversion"),
        (RVU_NAME, rvu(("10004", "1", "1", "1", "1")), 1, "one conversion"),
        (GPCI_NAME, put(gpci(PLACE), 6, "high", 3), 4, "column 7 does not hold a decimal number"),
        (GPCI_NAME, put(gpci(PLACE), 1, "California", 3), 4, "a state"),
        (GPCI_NAME, put(gpci(PLACE), 2, "", 3), 4, "a locality's number"),
        (GPCI_NAME, gpci(PLACE, PLACE), 1, "twice"),
    ],
)
def test_a_damaged_file_is_refused(name: str, rows: Rows, line: int, reason: str) -> None:
    """The file and the line are named, the value is not."""
    with pytest.raises(RuleError, match=reason) as caught:
        read(name, rows)
    assert (caught.value.file, caught.value.line) == (name, line)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("PPRRVU2026_Jul_QPP.csv", rvu(UNITS)),
        (RVU_NAME, [("HCPCS", "PRICE"), ("99457", "51.77")]),
        (RVU_NAME, [("a letter",)]),
    ],
)
def test_a_foreign_file_is_refused(name: str, rows: Rows) -> None:
    """The factor of qualifying participants, another list of prices, no table."""
    with pytest.raises(NotATableError):
        read(name, rows)

"""What is kept of CMS's quarterly files, and which files are refused."""

from datetime import date
from typing import Any

import pytest
from cms_tables import ADDON_NAME, MUE_NAME, PTP_NAME, addons, lines, mue, ptp

from billing.rules.book import shipped_book
from billing.rules.cms_sheet import NotATableError
from billing.rules.edits import LoadedTable
from billing.rules.fields import RuleError
from billing.rules.ncci_files import first_day, read_ncci

KNOWN = shipped_book().references.codes
BILLABLE = {name for name, code in KNOWN.items() if code.payable_from is not None}


def read(name: str, rows: list[tuple[str, ...]], quarter: str | None = None) -> LoadedTable:
    """What is kept of a file."""
    return read_ncci(name, lines(rows), "0" * 64, KNOWN, BILLABLE, quarter)


def test_pairs_of_billable_codes_are_kept() -> None:
    """Of a pair one code must be billable; days, indicator and rationale are kept."""
    table = read(
        PTP_NAME,
        ptp(
            ("99202", "99203", "20200101", "*", "0"),
            ("99453", "99091", "20200101", "*", "0"),
            ("93241", "99457", "20210101", "20231231", "1"),
        ),
    )
    assert (table.kind, table.edition, table.from_day) == ("ptp", "2026Q4", date(2026, 10, 1))
    why = "Misuse of column two code with column one code"
    assert table.content == {
        "rows": 3,
        "first": ["93241", "99457"],
        "last": ["99453", "99091"],
        "pairs": [
            ["99453", "99091", 0, "2020-01-01", None, why],
            ["93241", "99457", 1, "2021-01-01", "2023-12-31", why],
        ],
    }


def test_limits_and_add_ons_of_known_codes_are_kept() -> None:
    """Unit limits with their indicator, add-ons with their days; other codes are left out."""
    table = read(MUE_NAME, mue(("99458", "3", "3"), ("10004", "3", "3"), ("99445", "1", "2")))
    assert table.content["limits"] == [
        ["99458", 3, 3, "Clinical: Data"],
        ["99445", 1, 2, "Clinical: Data"],
    ]
    table = read(
        ADDON_NAME,
        addons(
            ("99458", "99457", "2020001", ""),
            ("99458", "CCCCC", "2020001", ""),
            ("99489", "99487", "2017001", "2025365"),
        ),
    )
    assert table.content["addons"] == [
        ["99458", "99457", 1, "2020-01-01", None],
        ["99489", "99487", 1, "2017-01-01", "2025-12-31"],
    ]


@pytest.mark.parametrize(
    ("name", "quarter"),
    [
        ("ccipra-v303r0-f1.TXT", "2024Q4"),
        ("ccipra-v320r1-f1.TXT", "2026Q1"),
        ("medicare-ncci-2026q4-practitioner-ptp-edits-ccipra-v323r0-f1.zip/x.txt", "2026Q4"),
        ("MCR_MUE_PractitionerServices_Eff_07-01-2026.csv", "2026Q3"),
        ("AOC_V2025Q4_01-MCR.txt", "2025Q4"),
    ],
)
def test_a_name_tells_the_quarter(name: str, quarter: str) -> None:
    """Versions, quarters and days in the names of CMS are understood."""
    assert read(name, mue(("99458", "3", "3"))).edition == quarter


def test_a_quarter_may_be_told_and_not_contradicted() -> None:
    """A name that tells nothing needs the quarter; one that tells another is refused."""
    assert read("limits.csv", mue(("99458", "3", "3")), "2025Q2").from_day == date(2025, 4, 1)
    with pytest.raises(RuleError, match="--quarter"):
        read("limits.csv", mue(("99458", "3", "3")))
    with pytest.raises(RuleError, match="2025Q2, 2026Q4"):
        read(MUE_NAME, mue(("99458", "3", "3")), "2025Q2")
    assert [first_day(f"2026Q{n}").month for n in (1, 2, 3, 4)] == [1, 4, 7, 10]


PAIR = ("99453", "99091", "20200101", "*", "0")
LIMIT = ("99458", "3", "3")
ADDON = ("99458", "99457", "2020001", "")


def swapped(row: tuple[str, ...], column: int, value: str) -> Any:
    """A row with another value in a column."""
    return (*row[:column], value, *row[column + 1 :])


@pytest.mark.parametrize(
    ("name", "rows", "line", "reason"),
    [
        (PTP_NAME, ptp(PAIR, swapped(PAIR, 0, "9945")), 8, "column 1 does not hold a code"),
        (PTP_NAME, ptp(PAIR, swapped(PAIR, 1, "")), 8, "column 2 does not hold a code"),
        (PTP_NAME, ptp(PAIR, swapped(PAIR, 2, "20201301")), 8, "column 4 does not hold a day"),
        (PTP_NAME, ptp(PAIR, swapped(PAIR, 2, "*")), 8, "column 4 does not hold a day"),
        (PTP_NAME, ptp(PAIR, swapped(PAIR, 3, "soon")), 8, "column 5 does not hold a day"),
        (PTP_NAME, ptp(PAIR, swapped(PAIR, 4, "2")), 8, "column 6 does not hold an indicator"),
        (PTP_NAME, [*ptp(PAIR), ("99453", "99091")], 8, "column 4 does not hold a day"),
        (MUE_NAME, mue(LIMIT, swapped(LIMIT, 1, "three")), 4, "column 2 does not hold a number"),
        (MUE_NAME, mue(LIMIT, swapped(LIMIT, 2, "4")), 4, "an adjudication indicator"),
        (MUE_NAME, mue(LIMIT, swapped(LIMIT, 2, "30")), 4, "an adjudication indicator"),
        (ADDON_NAME, addons(ADDON, swapped(ADDON, 1, "x")), 4, "column 4 does not hold a code"),
        (
            ADDON_NAME,
            addons(ADDON, swapped(ADDON, 2, "2020400")),
            4,
            "column 6 does not hold a day",
        ),
        (ADDON_NAME, addons(ADDON, swapped(ADDON, 3, "1850001")), 4, "a day of our time"),
    ],
)
def test_a_damaged_row_refuses_the_file(
    name: str, rows: list[tuple[str, ...]], line: int, reason: str
) -> None:
    """The file and the line are named, the value is not."""
    with pytest.raises(RuleError, match=reason) as caught:
        read(name, rows)
    assert (caught.value.file, caught.value.line) == (name, line)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ccioph-v323r0-f1.txt", ptp(PAIR)),
        ("MCR_MUE_OutpatientHospitalServices_Eff_10-01-2026.csv", mue(LIMIT)),
        ("MCD_MUE_Practitioner_2026Q4.csv", mue(LIMIT)),
        (MUE_NAME, [("HCPCS/CPT Code", "DME Supplier Services MUE Values"), ("E0100", "1")]),
        (MUE_NAME, [("name", "note"), ("99458", "something else")]),
        (MUE_NAME, [("a letter",), ("of some lines",)]),
        (MUE_NAME, []),
        (MUE_NAME, [("line",)] * 50 + mue(LIMIT)),
    ],
)
def test_a_foreign_file_is_refused(name: str, rows: list[tuple[str, ...]]) -> None:
    """Tables of hospitals, suppliers and Medicaid, other tables and no tables are named as such."""
    with pytest.raises(RuleError) as caught:
        read(name, rows)
    assert caught.value.file == name


def test_what_is_no_table_is_told_apart_from_a_damaged_one() -> None:
    """A note beside a table in a ZIP may be passed over, a damaged table may not."""
    with pytest.raises(NotATableError):
        read(MUE_NAME, [("a letter",)])
    with pytest.raises(RuleError) as caught:
        read(MUE_NAME, mue(swapped(LIMIT, 1, "x")))
    assert not isinstance(caught.value, NotATableError)

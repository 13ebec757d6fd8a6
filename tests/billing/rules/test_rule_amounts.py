"""Amounts by code and service day: the printed table, recomputed; unknown is never zero."""

from csv import DictReader
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.days import day_number
from billing.rules.amounts import amount, cents_of, read_amounts, shipped_amounts
from billing.rules.fields import RuleError
from billing.rules.references import shipped_references

TABLE = """\
code,work,pe,pe_fac,mp,total,in_2026,fac_2026,in_2025,early_2024,late_2024
99453,0.00,0.63,0.63,0.02,0.65,21.71,21.71,19.73,19.65,19.97
99454,0.00,1.55,1.55,0.01,1.56,52.11,52.11,43.02,46.50,47.27
99445,0.00,1.55,1.55,0.01,1.56,52.11,52.11,,,
99457,0.61,0.90,0.14,0.04,1.55,51.77,26.39,47.87,48.13,48.93
99458,0.61,0.59,0.14,0.04,1.24,41.42,26.39,38.49,38.64,39.28
99470,0.31,0.45,0.07,0.02,0.78,26.05,13.36,,,
99091,1.10,0.49,0.25,0.07,1.66,55.45,47.43,,52.72,53.59
98975,0.00,0.63,0.63,0.02,0.65,21.71,21.71,,19.65,19.97
98976,0.00,1.55,1.55,0.01,1.56,52.11,52.11,,46.50,47.27
98984,0.00,1.55,1.55,0.01,1.56,52.11,52.11,,,
98977,0.00,1.53,1.53,0.01,1.54,51.44,51.44,,46.50,47.27
98985,0.00,1.53,1.53,0.01,1.54,51.44,51.44,,,
98979,0.31,0.47,0.02,0.01,0.79,26.39,11.36,,,
98980,0.62,0.97,0.12,0.03,1.62,54.11,25.72,,49.77,50.60
98981,0.61,0.60,0.12,0.03,1.24,41.42,25.38,,39.29,39.95
99473,0.00,0.45,0.45,0.01,0.46,15.36,15.36,,14.08,14.31
99474,0.18,0.36,0.05,0.01,0.55,18.37,8.02,16.50,16.37,16.64
99490,1.00,0.91,0.24,0.07,1.98,66.13,43.76,,61.56,62.58
99439,0.70,0.76,0.17,0.05,1.51,50.44,30.73,,47.15,47.93
99491,1.50,1.08,0.37,0.09,2.67,89.18,65.47,,83.17,84.55
99437,1.00,0.82,0.24,0.07,1.89,63.13,43.76,,58.61,59.58
99487,1.81,2.38,0.43,0.13,4.32,144.29,79.16,,131.96,134.15
99489,1.00,1.27,0.24,0.07,2.34,78.16,43.76,,71.05,72.23
99424,1.45,1.06,0.38,0.11,2.62,87.51,64.80,,81.21,82.55
99425,1.00,0.77,0.25,0.07,1.84,61.46,44.09,,58.94,59.92
99426,1.00,0.96,0.25,0.07,2.03,67.80,44.09,,60.90,61.91
99427,0.71,0.86,0.18,0.05,1.62,54.11,31.40,,46.50,47.27
99484,0.93,0.73,0.17,0.06,1.72,57.45,38.75,,54.03,54.92
99495,2.78,3.62,0.69,0.19,6.59,220.11,122.25,,203.34,206.72
99496,3.79,4.91,0.95,0.24,8.94,298.60,166.34,,275.05,279.62
G0506,0.87,1.06,0.22,0.06,1.99,66.47,38.41,,61.56,62.58
G0556,0.25,0.22,0.06,0.02,0.49,16.37,11.02,,,
G0557,0.77,0.79,0.19,0.05,1.61,53.78,33.73,,,
G0558,1.67,1.72,0.39,0.12,3.51,117.24,72.81,,,
"""
ROWS = list(DictReader(StringIO(TABLE)))
FACTOR_2026 = Decimal("33.4009")
RUNS = {
    "in_2026": ("2026-01-01", "2026-12-31"),
    "in_2025": ("2025-01-01", "2025-12-31"),
    "early_2024": ("2024-01-01", "2024-03-08"),
    "late_2024": ("2024-03-09", "2024-12-31"),
}


def number(text: str) -> int:
    """The day number of a date."""
    return day_number(date.fromisoformat(text))


def dollars(code: str, day: str, *, facility: bool = False) -> str:
    """The shipped amount as printed, or nothing."""
    found = amount(code, number(day), facility=facility)
    if found is None:
        return ""
    cents = cents_of(found, facility=facility)
    assert cents is not None
    return f"{cents // 100}.{cents % 100:02d}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_a_printed_amount_of_2026_is_its_value_times_the_factor(row):
    """The reference's own dollars follow from its value units and factor, and ours equal them."""
    work, malpractice = Decimal(row["work"]), Decimal(row["mp"])
    for practice, printed, facility in (
        (row["pe"], row["in_2026"], False),
        (row["pe_fac"], row["fac_2026"], True),
    ):
        computed = (work + malpractice + Decimal(practice)) * FACTOR_2026
        assert str(computed.quantize(Decimal("0.01"), ROUND_HALF_UP)) == printed
        assert dollars(row["code"], "2026-06-15", facility=facility) == printed
    found = amount(row["code"], number("2026-06-15"), facility=False)
    assert found is not None
    assert str(found.rvu) == row["total"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
@pytest.mark.parametrize("run", RUNS)
def test_an_amount_holds_from_the_first_to_the_last_day_of_its_run(row, run):
    """Both ends of each run give the printed figure, or nothing where none was printed."""
    for day in RUNS[run]:
        assert dollars(row["code"], day) == row[run]


def test_no_amount_is_shipped_that_the_table_does_not_print():
    """Codes of the shipped amounts are those of the table, and the clinic bundle of 2024."""
    assert {one.code for one in shipped_amounts()} == {row["code"] for row in ROWS} | {"G0511"}
    assert dollars("G0511", "2024-01-01") == dollars("G0511", "2024-12-31") == "72.90"
    assert dollars("G0511", "2025-02-01") == ""


@pytest.mark.parametrize("code", ["98978", "98986", "99213", "nonsense"])
def test_a_code_without_a_figure_is_unknown(code):
    """Contractor-priced and unlisted codes have no amount."""
    assert amount(code, number("2026-06-15"), facility=False) is None


def test_a_facility_figure_is_not_taken_from_the_office():
    """Where only the office figure was printed the facility's amount is unknown."""
    assert amount("99457", number("2025-06-15"), facility=True) is None
    assert amount("99457", number("2024-06-15"), facility=True) is None


@given(
    code=st.sampled_from([row["code"] for row in ROWS]),
    day=st.integers(number("2017-01-01"), number("2030-01-01")),
    facility=st.booleans(),
)
def test_an_amount_is_unknown_or_more_than_zero(code, day, facility):
    """No code on any day is worth zero, and outside the shipped years nothing is known."""
    found = amount(code, day, facility=facility)
    if found is None:
        return
    assert number("2024-01-01") <= day <= number("2026-12-31")
    assert (cents_of(found, facility=facility) or 0) > 0
    assert found.source.ids


HEAD = (
    'from_day = 2026-01-01\nto_day = 2026-12-31\nfactor = 33.4009\nstatus = "SETTLED"\n'
    'source = ["S01"]\n'
)
VALUE = (
    '[[rvu]]\ncode = "99453"\nwork = 0.00\npractice = 0.63\npractice_facility = 0.63\n'
    "malpractice = 0.02\ntotal = 0.65\n"
)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (HEAD + VALUE.replace("0.65", "0.66"), 12, "not the sum"),
        (HEAD.replace("factor = 33.4009\n", "") + VALUE, 1, "factor"),
        (HEAD + VALUE + VALUE, 1, "twice"),
        (HEAD + VALUE.replace("99453", "99999"), 7, "not a known word"),
        (HEAD + '[[printed]]\ncode = "99453"\ndollars = 0.00\n', 8, "more than zero"),
        (HEAD.replace("2026-12-31", "2025-12-31"), 2, "before from_day"),
        (HEAD.replace('status = "SETTLED"\n', ""), 1, "status"),
    ],
)
def test_a_wrong_file_of_amounts_is_refused(text, line, reason):
    """A total that does not add up, a zero, a repeat: refused with file and line."""
    with pytest.raises(RuleError, match=reason) as refused:
        read_amounts(text, "amounts.toml", shipped_references())
    assert (refused.value.file, refused.value.line) == ("amounts.toml", line)

"""Expected amounts: only where the schedule of the payer and the locality gives every line."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from claims_made import CLAIM

from billing.claims.expected import expected_cents
from billing.money import round_to_cents
from billing.rules.edits import LoadedTable
from billing.rules.fee_files import FACTORS, UNITS
from billing.rules.fees import NATIONAL, FeeSchedules

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
CODES = ["99454", "99457", "99458"]
RVU = LoadedTable(
    UNITS,
    "2026",
    *YEAR,
    "PPRRVU.csv",
    "a" * 64,
    {"factor": "33.40", "codes": [[code, "A", "0.50", "1.00", "0.40", "0.05"] for code in CODES]},
)
GPCI = LoadedTable(
    FACTORS,
    "2026",
    *YEAR,
    "GPCI.csv",
    "b" * 64,
    {"localities": [["06102-12", "CHICAGO", "1.000", "1.020", "1.500"]]},
)
CHICAGO = FeeSchedules([RVU, GPCI], "06102-12")


def test_a_claim_is_expected_at_the_sum_of_its_lines() -> None:
    """Units times the locality's amount, rounded once for each unit."""
    unit = round_to_cents(
        (Decimal("0.50") + Decimal("1.00") * Decimal("1.020") + Decimal("0.05") * Decimal("1.5"))
        * Decimal("33.40")
    )
    assert expected_cents(CLAIM, "MEDICARE_B", CHICAGO) == unit * 4


def test_an_amount_that_is_not_known_makes_the_claim_unknown() -> None:
    """National amounts, other payers, professions and ranks, and odd modifiers give none."""
    rendering = CLAIM.rendering
    assert rendering is not None
    nurse = replace(CLAIM, rendering=replace(rendering, taxonomy="363L00000X"))
    second = replace(CLAIM, coverage=replace(CLAIM.coverage, rank="S"))
    reduced = replace(CLAIM, lines=(replace(CLAIM.lines[0], modifiers=("52",)), *CLAIM.lines[1:]))
    other = replace(CLAIM, lines=(replace(CLAIM.lines[0], procedure="99213"), *CLAIM.lines[1:]))
    for claim in (nurse, second, reduced, other, replace(CLAIM, rendering=None)):
        assert expected_cents(claim, "MEDICARE_B", CHICAGO) is None
    assert expected_cents(CLAIM, "COM_AETNA", CHICAGO) is None
    assert expected_cents(CLAIM, "MEDICARE_B", FeeSchedules([RVU, GPCI], NATIONAL)) is None
    assert expected_cents(CLAIM, "MEDICARE_B", FeeSchedules([RVU], "06102-12")) is None
    assert expected_cents(CLAIM, "MEDICARE_B", FeeSchedules([])) is None
    by_video = replace(CLAIM, lines=(replace(CLAIM.lines[0], modifiers=("95",)), *CLAIM.lines[1:]))
    assert expected_cents(by_video, "MEDICARE_B", CHICAGO) is not None

"""The paper claim's values and its layout: nothing cut that may not be, nothing that overlaps."""

from dataclasses import replace
from datetime import date
from random import Random

import pytest
from claims_made import CLAIM, EVERYTHING, hostile_claim

from billing.claims.form1500 import form_findings, form_pages
from billing.claims.form1500_layout import read_layout, shipped_layout
from billing.claims.superbill import superbill
from billing.rules.fields import RuleError

LAYOUT = """
line_columns = 79
form_lines = 63
service_lines = 6
first_service_line = 44
service_line_step = 2
positions_checked = "unverified"

[medicare_pays_first]
filing_codes = ["MB"]
box_11 = "NONE"
checked = "unverified"

[[box]]
number = "1"
says = "SBR09"
checked = "crosswalk"
cells = [
    { key = "a", line = 1, column = 1, width = 5 }, { key = "b", line = 1, column = 6, width = 5 }
]
"""


def test_identifiers_are_never_cut() -> None:
    """A control number of 20 characters does not fit box 26: it is told and left out."""
    long = replace(CLAIM, control_number="C" * 20)
    (page,) = form_pages(long)
    assert "26" not in page.values
    (finding,) = form_findings(long)
    assert (finding.code, finding.where) == ("E_FORM_TOO_LONG", "box 26")
    assert form_findings(CLAIM) == form_findings(EVERYTHING) == ()


def test_names_are_cut_and_hostile_ones_are_plain() -> None:
    """Two hundred claims with hostile names give values that fit their rooms and are basic text."""
    chance = Random(7)
    cells = shipped_layout().cells
    for number in range(200):
        for page in form_pages(hostile_claim(number, chance)):
            for key, value in [
                *page.values.items(),
                *(x for s in page.services for x in s.items()),
            ]:
                assert value
                assert len(value) <= cells[key].width
                assert value.isascii()
                assert value == value.upper().strip()


def test_unverified_items_say_so() -> None:
    """Items whose place in the crosswalk was not read are marked, and no others."""
    checked = {box.number: box.checked for box in shipped_layout().boxes}
    assert {number for number, how in checked.items() if how == "crosswalk"} == {
        *("1", "1a", "2", "3", "4", "5", "6", "7")
    }


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("column = 6", "column = 5", "b overlaps a"),
        ("column = 6", "column = 76", "b leaves the form"),
        ("form_lines = 63", "form_lines = 0", "a leaves the form"),
        ("crosswalk", "surely", "not a known word"),
        ("width = 5 }, {", "width = 5, high = 2 }, {", "is not a known key"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(old: str, new: str, reason: str) -> None:
    """Overlapping rooms, rooms beyond the form, unknown words and keys are told with the file."""
    assert read_layout(LAYOUT, "x.toml").cells.keys() == {"a", "b"}
    with pytest.raises(RuleError, match=reason):
        read_layout(LAYOUT.replace(old, new), "x.toml")


def test_a_superbill_is_of_one_patient_and_month() -> None:
    """Lines count in the month of their last day; several patients, or nothing, are refused."""
    october = (date(2026, 10, 1), date(2026, 10, 31))
    late = replace(
        CLAIM,
        control_number="C9",
        lines=(replace(CLAIM.lines[0], from_day=date(2026, 10, 9), to_day=date(2026, 11, 7)),),
    )
    bill = superbill([late, CLAIM], *october, {})
    assert [line.control_number for line in bill.lines] == ["C000001"] * 3
    assert bill.charge_cents == CLAIM.charge_cents
    with pytest.raises(ValueError, match="no claim has a line"):
        superbill([CLAIM], date(2026, 1, 1), date(2026, 1, 31), {})
    with pytest.raises(ValueError, match="one patient"):
        superbill([CLAIM, EVERYTHING], *october, {})

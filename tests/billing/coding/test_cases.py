"""The reference's cases of visits, and what a case file may say."""

import csv
from pathlib import Path

import pytest
from coded_visits import RULES

from billing.coding.cases import header_of, is_coding_header, run_coding_case, run_coding_cases
from billing.ledger.case_text import CaseError

CASES = Path(__file__).parents[2] / "cases"
REFERENCE = (CASES / "telehealth-cases.csv").read_text(encoding="utf-8")
HEADER, FIRST = REFERENCE.splitlines()[:2]
ROWS = list(csv.DictReader(REFERENCE.splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=[row["case_id"] for row in ROWS])
def test_a_case_of_the_reference_comes_out_as_it_says(row: dict[str, str]) -> None:
    """Lines, modifiers, edits and status of a reference case are those expected."""
    assert run_coding_case(row, RULES).mismatches == ()


def test_the_reference_has_106_cases() -> None:
    """No case of the reference was left out."""
    assert len(ROWS) == 106


def test_a_header_tells_visits_from_monitoring() -> None:
    """Cases of visits and cases of monitoring are told apart by their header alone."""
    monitoring = (CASES / "rpm-cases.csv").read_text(encoding="utf-8")
    assert is_coding_header(header_of(REFERENCE))
    assert not is_coding_header(header_of(monitoring))
    assert not is_coding_header(header_of(""))


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("expected", "99213@10", "expected: expected 99213@10, got 99214@10"),
        ("expected", "99214@02", "expected: expected 99214@02, got 99214@10"),
        ("expected", "none", "expected: expected none, got 99214@10"),
        ("expected", "99214-25@10", "expected: expected 99214-25@10, got 99214@10"),
        ("mods_required", "93|FQ", "mods_required: 93|FQ is not on 99214@10"),
        ("expected_edits", "TH-COV-04", "expected_edits: TH-COV-04 did not fire"),
        ("expected_status", "FIX", "expected_status: expected FIX, got CLEAN"),
    ],
)
def test_what_differs_is_told_by_its_column(column: str, value: str, told: str) -> None:
    """A case that comes out otherwise says which column expected what."""
    row = {**ROWS[0], column: value}
    assert told in run_coding_case(row, RULES).mismatches


def test_an_unexpected_error_is_a_mismatch_unless_tolerated() -> None:
    """An ERROR outside the expected edits fails a case; one that is tolerated does not."""
    row = next(row for row in ROWS if row["case_id"] == "TC-046")
    intolerant = run_coding_case({**row, "edits_tolerated": ""}, RULES)
    assert intolerant.mismatches == ("expected_edits: TH-CODE-21 fired",)
    assert run_coding_case(row, RULES).passed


def test_a_modifier_that_is_allowed_need_not_be_there() -> None:
    """A modifier of the expected line may be missing when it is allowed, not otherwise."""
    row = {**ROWS[0], "expected": "99214-95@10"}
    assert run_coding_case(row, RULES).passed
    assert not run_coding_case({**row, "mods_allowed": ""}, RULES).passed


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (HEADER.replace("modality", "how") + "\n", "modality, how"),
        (f"{HEADER}\n{FIRST},more\n", "line 2"),
        (f'{HEADER}\n"{FIRST}\n', "a quote that is not closed"),
        (f"{HEADER}\n{FIRST.replace(',HOME,AV,', ',ATHOME,AV,')}\n", "TC-001: patient_location"),
        (f"{HEADER}\n{FIRST.replace('consent=documented', 'consnt=Y')}\n", "TC-001: fields"),
        (f"{HEADER}\n{FIRST.replace(',CLEAN,', ',TIDY,')}\n", "TC-001: expected_status"),
        (f"{HEADER}\n{FIRST.replace('99214@10', '9921@10')}\n", "TC-001: expected"),
        (f"{HEADER}\n{FIRST.replace(',,CLEAN,', ',TH-NO-01,,CLEAN,', 1)}\n", "more or fewer"),
    ],
)
def test_a_file_outside_the_format_is_refused_with_its_place(text: str, where: str) -> None:
    """An unknown column, key or value is an error of the file that names the case and the place."""
    with pytest.raises(CaseError, match=where):
        run_coding_cases(text, RULES)


def test_an_edit_that_is_not_in_the_catalog_is_refused() -> None:
    """A case cannot expect an edit that does not exist."""
    with pytest.raises(CaseError, match="expected_edits"):
        run_coding_case({**ROWS[0], "expected_edits": "TH-NO-01"}, RULES)

"""Case files: the reference's stories and our own, calculated and restated."""

import csv
from pathlib import Path

import pytest
from restatement import restate

from billing.ledger.case_text import CaseError, read_case
from billing.ledger.cases import COLUMNS, read_rows, run_case, run_cases
from billing.rules.book import shipped_book
from rpm.clock import local_day

FOLDER = Path(__file__).parents[2] / "cases"
REFERENCE, MORE = FOLDER / "rpm-cases.csv", FOLDER / "more.csv"
ROWS = [
    pytest.param(row, id=row["case_id"])
    for path in (REFERENCE, MORE)
    for row in read_rows(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("row", ROWS)
def test_a_case_comes_out_as_expected(row: dict[str, str]) -> None:
    """Windows, seconds, lines and edits of a case are calculated as its columns expect."""
    result = run_case(row, shipped_book(), local_day)
    assert result.mismatches == ()
    assert result.passed


@pytest.mark.parametrize("row", ROWS)
def test_a_case_is_restated_as_expected(row: dict[str, str]) -> None:
    """The independent restatement gives what the columns of a case expect."""
    restated = restate(read_case(row, shipped_book(), local_day))
    assert restated.windows == row["expect_windows"]
    assert restated.time == row["expect_time"]
    assert set(restated.lines.split(";")) == set(row["expect_lines"].split(";"))
    assert restated.edits == ";".join(sorted(row["expect_edits"].split(";")))


def test_the_reference_is_whole() -> None:
    """All 61 cases of the reference pass, and ours are at least forty with ids of their own."""
    reference = run_cases(REFERENCE.read_text(encoding="utf-8"), shipped_book(), local_day)
    assert [result.case_id for result in reference if result.passed] == [
        f"RD{number:02d}" for number in range(1, 62)
    ]
    more = [row["case_id"] for row in read_rows(MORE.read_text(encoding="utf-8"))]
    assert len(more) >= 40
    assert len(set(more)) == len(more)
    assert not set(more) & {result.case_id for result in reference}


def changed(case_id: str, **cells: str) -> dict[str, str]:
    """A case of the reference with other cells."""
    rows = read_rows(REFERENCE.read_text(encoding="utf-8"))
    return {**next(row for row in rows if row["case_id"] == case_id), **cells}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("expect_windows", "2026-03-02..2026-03-31:14:closed"),
        ("expect_lines", "99454*1@2026-03-31"),
        ("expect_lines", "99445*1@2026-03-30"),
        ("expect_lines", "NONE"),
        ("expect_edits", "E_DAYS_BELOW_MIN"),
        ("expect_time", "2026-03:1"),
    ],
)
def test_every_expectation_is_scored(column: str, value: str) -> None:
    """A case that expects something else fails with that column named."""
    result = run_case(changed("RD03", **{column: value}), shipped_book(), local_day)
    assert not result.passed
    assert [mismatch.split(":")[0] for mismatch in result.mismatches] == [column]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("scope", "days"),
        ("payer", "MEDICARE"),
        ("setting", "HOSPITAL"),
        ("setup_on", ""),
        ("setup_on", "2026-02-30"),
        ("setup_billed", "yes"),
        ("consent_on", "soon"),
        ("established", "MAYBE"),
        ("episode_end", "2026-03-20"),
        ("end_reason", "death"),
        ("devices", "bp1:bp:fda"),
        ("devices", "bp1:watch:fda:auto"),
        ("devices", "bp1:bp:ce:auto"),
        ("devices", "bp1:bp:fda:cable"),
        ("readings", "bp2:2026-03-02"),
        ("readings", "bp1:2026-03-02~sometimes"),
        ("readings", "bp1:2026-03-02..2026-03-01"),
        ("readings", "bp1:2026-03-02*0"),
        ("readings", "bp1:@2026-03-02T06:00:00"),
        ("readings", "bp1:@todayZ"),
        ("time_log", "2026-03-02|rn:ana|rn|RPM|20:00"),
        ("time_log", "2026-03-02|rn:ana|nurse|RPM|20:00|live"),
        ("time_log", "2026-03-02|rn:ana|rn|PHYSIO|20:00|live"),
        ("time_log", "2026-03-02|rn:ana|rn|RPM|20:60|live"),
        ("time_log", "2026-03-02|rn:ana|rn|RPM|20:00|fax"),
        ("time_log", "2026-03-02|rn:ana|rn|RPM|20:00|live|25:00:00"),
        ("other_services", "99454|2026-03-02|C"),
        ("other_services", "99454|2026-03-02"),
        ("flags", "pregnant"),
        ("flags", "order=Y"),
        ("flags", "contact=fax"),
        ("flags", "reenrol=2026-05-01"),
        ("policy", "P1"),
        ("policy", "P0+device_dos=whenever"),
        ("policy", "P0+window=28"),
        ("as_of", "2026-13-01"),
    ],
)
def test_a_value_outside_the_format_is_refused(column: str, value: str) -> None:
    """A value outside the closed lists is an error that names the case and the column."""
    row = changed("RD03", scope="both", **({column: value} if column != "scope" else {}))
    row[column] = value
    with pytest.raises(CaseError, match=r"^RD03: (\w+): ") as refused:
        run_case(row, shipped_book(), local_day)
    named = str(refused.value).split(": ")[1]
    assert named == ("end_reason" if column == "episode_end" else column)


@pytest.mark.parametrize("column", [*COLUMNS, "colour"])
def test_a_file_with_other_columns_is_refused(column: str) -> None:
    """A missing or an unknown column is named, and nothing is run."""
    names = list(COLUMNS)
    if column in names:
        names.remove(column)
    else:
        names.append(column)
    with pytest.raises(CaseError, match=rf"\b{column}\b"):
        run_cases(",".join(names) + "\n", shipped_book(), local_day)


def test_an_uneven_row_is_refused() -> None:
    """A row with more or fewer cells than the header is refused with its line."""
    for row in ("a,b", ",".join("x" * (len(COLUMNS) + 1))):
        with pytest.raises(CaseError, match="line 2"):
            run_cases(",".join(COLUMNS) + f"\n{row}\n", shipped_book(), local_day)


def test_cases_are_written_as_spreadsheets_read_them() -> None:
    """Both files are plain CSV in UTF-8 with the reference's columns in the reference's order."""
    headers = []
    for path in (REFERENCE, MORE):
        with path.open(encoding="utf-8", newline="") as file:
            headers.append(next(csv.reader(file, strict=True)))
    assert headers[0] == headers[1]
    assert headers[0][: len(COLUMNS)] == list(COLUMNS)


def test_the_example_of_the_documentation_passes() -> None:
    """The case file printed in docs/case-files.md is read and comes out as it says."""
    page = (FOLDER.parents[1] / "docs" / "case-files.md").read_text(encoding="utf-8")
    example = page.split("```csv\n")[1].split("```")[0]
    results = run_cases(example, shipped_book(), local_day)
    assert [(result.case_id, result.mismatches) for result in results] == [("OC01", ())]

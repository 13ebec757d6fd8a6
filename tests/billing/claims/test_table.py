"""The service-line table: form of the file, and cells a spreadsheet cannot run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.table import COLUMNS, diagnosis_cells, guarded, service_lines_csv

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def test_the_file_is_utf8_without_mark_with_crlf_and_a_header_row() -> None:
    """The first bytes are the first column's name and every row ends in CRLF."""
    content = service_lines_csv([{"patient_id": "00123", "patient_last": "Núñez", "units": "1"}])
    assert content.startswith(b"batch_id,encounter_id,line_id,")
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 2
    assert b"00123" in content
    assert "Núñez".encode() in content


def test_negative_numbers_stay_numbers() -> None:
    """Units and charge of a reversal are written as they are: they are ours, not a stranger's."""
    row = read(service_lines_csv([{"units": "-1", "charge": "-52.11"}]))
    assert row["units"] == "-1"
    assert row["charge"] == "-52.11"


def test_a_column_the_table_does_not_have_is_refused() -> None:
    """Nothing is lost silently: an unknown column is an error."""
    with pytest.raises(ValueError, match="no column colour"):
        service_lines_csv([{"colour": "red"}])


def test_pointers_name_the_first_four_diagnoses() -> None:
    """Twelve diagnoses at most are written and at most four are pointed at."""
    cells = diagnosis_cells([f"I1{place}" for place in range(14)])
    assert cells["dx12"] == "I111"
    assert "dx13" not in cells
    assert cells["dx_pointers"] == "1:2:3:4"
    assert diagnosis_cells([]) == {"dx_pointers": ""}


@given(st.sampled_from("=+-@\t\r"), PRINTABLE)
def test_no_text_cell_begins_as_a_formula(beginning: str, rest: str) -> None:
    """Whatever a name begins with, the cell read back is not a formula and keeps the name."""
    text = beginning + rest
    cell = read(service_lines_csv([{"patient_last": text}]))["patient_last"]
    assert cell == f"'{text}"


@given(PRINTABLE)
def test_harmless_text_is_written_unchanged(text: str) -> None:
    """Text that is no formula comes back as it was, quotes and separators included."""
    if guarded(text) == text:
        assert read(service_lines_csv([{"note": text}]))["note"] == text


def read(content: bytes) -> dict[str, str]:
    """The only row of a table."""
    (row,) = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert tuple(row) == COLUMNS
    return row

"""The service-line table: one documented CSV, one row per line, for any billing system.

Owns the columns and their form: header row, UTF-8 without byte order mark, CRLF, ISO dates,
leading zeros kept as text, no cell that a spreadsheet would run as a formula. Does not own what
the lines say.
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence

MOST_DIAGNOSES = 12
MOST_POINTERS = 4

COLUMNS = (
    "batch_id",
    "encounter_id",
    "line_id",
    "patient_id",
    "patient_last",
    "patient_first",
    "patient_dob",
    "patient_sex",
    "subscriber_id",
    "payer_name",
    "payer_id",
    "group_number",
    "rendering_npi",
    "rendering_taxonomy",
    "billing_npi",
    "billing_tax_id",
    "referring_npi",
    "supervising_npi",
    "facility_npi",
    "pos",
    "dos_from",
    "dos_to",
    "procedure",
    "mod1",
    "mod2",
    "mod3",
    "mod4",
    "units",
    "charge",
    *(f"dx{place}" for place in range(1, MOST_DIAGNOSES + 1)),
    "dx_pointers",
    "prior_auth",
    "orig_claim_number",
    "frequency",
    "note",
    "evidence_ref",
)
_NUMBERS = frozenset({"units", "charge"})
_FORMULA_BEGINNINGS = frozenset("=+-@\t\r")


def service_lines_csv(lines: Iterable[Mapping[str, str]]) -> bytes:
    """The table of some lines; a column a line does not give is empty.

    Raises ValueError for a column that the table does not have.
    """
    return csv_table(COLUMNS, _NUMBERS, lines)


def csv_table(
    columns: Sequence[str], numbers: Collection[str], lines: Iterable[Mapping[str, str]]
) -> bytes:
    """A table with these columns, of which ``numbers`` may begin with a sign; else as above."""
    known = frozenset(columns)
    texts = [place for place, name in enumerate(columns) if name not in numbers]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        if not line.keys() <= known:
            raise ValueError(f"the table has no column {min(line.keys() - known)}")
        cells = [line.get(name, "") for name in columns]
        for place in texts:
            if cells[place][:1] in _FORMULA_BEGINNINGS:
                cells[place] = guarded(cells[place])
        writer.writerow(cells)
    return text.getvalue().encode()


def guarded(text: str) -> str:
    """Text that a spreadsheet takes as text: an apostrophe goes before a formula's beginning."""
    return f"'{text}" if text[:1] in _FORMULA_BEGINNINGS else text


def diagnosis_cells(codes: Iterable[str]) -> dict[str, str]:
    """The diagnosis columns and pointers of a line: pointers name the first four, ``1:2``."""
    kept = list(codes)[:MOST_DIAGNOSES]
    cells = {f"dx{place}": code for place, code in enumerate(kept, start=1)}
    pointers = ":".join(str(place) for place in range(1, min(len(kept), MOST_POINTERS) + 1))
    return {**cells, "dx_pointers": pointers}

"""Files in the layouts of CMS, made for tests: few rows, real columns, no descriptions.

The head of each is spread and titled as CMS's are. The pairs and limits are those of the rule
reference or are marked as made up by the test that asks for them.
"""

import io
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import openpyxl

NOTICE = "CPT only copyright American Medical Association. All rights reserved."

PTP_HEAD = (
    (NOTICE,),
    ("Column1/Column2 Edits",),
    ("Column 1", "Column 2", "*=in existence", "Effective", "Deletion", "Modifier", "PTP Edit"),
    ("", "", "prior to 1996", "Date", "Date", "0=not allowed", "Rationale"),
    ("", "", "", "", "*=no data", "1=allowed", ""),
    ("", "", "", "", "", "9=not applicable", ""),
)
MUE_HEAD = (
    (NOTICE,),
    (
        "HCPCS/\nCPT Code",
        "Practitioner Services MUE Values",
        "MUE Adjudication Indicator",
        "MUE Rationale",
    ),
)
ADDON_HEAD = (
    (NOTICE,),
    (
        "AOC_Edit_Type",
        "Add-On_Code",
        "AOC_DelDT",
        "Primary_Code",
        "Primary_Code_DelDT",
        "AOC_Edit_EffDT",
        "AOC_Edit_DelDT",
        "Special_Instruction_Notes",
    ),
)
PTP_NAME = "ccipra-v323r0-f4.txt"
MUE_NAME = "MCR_MUE_PractitionerServices_Eff_10-01-2026.csv"
ADDON_NAME = "AOC_V2026Q4-MCR.txt"

Rows = Iterable[tuple[str, ...]]


def ptp(*pairs: tuple[str, str, str, str, str]) -> list[tuple[str, ...]]:
    """Rows of pairs: column 1, column 2, effective day, deletion day, indicator."""
    rationale = "Misuse of column two code with column one code"
    rows = [
        (one, other, "", begins, ends, kind, rationale) for one, other, begins, ends, kind in pairs
    ]
    return [*PTP_HEAD, *rows]


def mue(*limits: tuple[str, str, str]) -> list[tuple[str, ...]]:
    """Rows of unit limits: code, units, indicator."""
    words = {"1": "1 Line Edit", "2": "2 Date of Service Edit: Policy"}
    words["3"] = "3 Date of Service Edit: Clinical"
    rows = [(code, units, words.get(mai, mai), "Clinical: Data") for code, units, mai in limits]
    return [*MUE_HEAD, *rows]


def addons(*rows: tuple[str, str, str, str]) -> list[tuple[str, ...]]:
    """Rows of add-ons: add-on, what it attaches to, effective day, deletion day."""
    made = [("1", addon, "", base, "", begins, ends, "") for addon, base, begins, ends in rows]
    return [*ADDON_HEAD, *made]


def as_text(rows: Rows, delimiter: str = "\t") -> bytes:
    """Rows as CMS writes text: no quotes but where a cell needs them."""
    lines = []
    for cells in rows:
        quoted = [f'"{cell}"' if delimiter in cell or "\n" in cell else cell for cell in cells]
        lines.append(delimiter.join(quoted))
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def as_csv(rows: Rows) -> bytes:
    """Rows with commas."""
    return as_text(rows, ",")


def as_xlsx(rows: Rows) -> bytes:
    """Rows as a workbook, digits as numbers."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in rows:
        sheet.append([int(cell) if cell.isdecimal() else cell for cell in cells])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def as_zip(**members: bytes) -> bytes:
    """A ZIP of files by their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def lines(rows: Rows) -> list[tuple[int, tuple[str, ...]]]:
    """Rows with their lines, as a reader gives them."""
    return list(enumerate(map(tuple, rows), 1))


def written(folder: Path, name: str, content: bytes) -> Path:
    """A file of a folder."""
    path = folder / name
    path.write_bytes(content)
    return path


RVU_NAME = "PPRRVU2026_Jul_nonQPP.csv"
GPCI_NAME = "GPCI2026.csv"
_RVU_COLUMNS = 31
RVU_HEAD = (
    ("", "", "2026 National Physician Fee Schedule Relative Value File July Release"),
    ("", "", NOTICE),
    ("", "", "", "", "NOT USED"),
    ("", "", "", "", "FOR", "", "", "NON-FAC", "", "FACILITY"),
    (
        *("", "", "", "STATUS", "MEDICARE", "WORK", "NON-FAC", "NA", "FACILITY", "NA", "MP"),
        *("NON-FACILITY", "FACILITY", "PCTC", "GLOB", "PRE", "INTRA", "POST", "MULT", "BILAT"),
        *("ASST", "CO-", "TEAM", "PRIC", "ENDO", "CONV", "DIAGNOSTIC", "CALCULATION", "FAMILY"),
        *("PAYMENT", "PAYMENT"),
    ),
    (
        *("HCPCS", "MOD", "DESCRIPTION", "CODE", "PAYMENT", "RVU", "PE RVU", "INDICATOR"),
        *("PE RVU", "INDICATOR", "RVU", "TOTAL", "TOTAL", "IND", "DAYS", "OP", "OP", "OP"),
        *("PROC", "SURG", "SURG", "SURG", "SURG", "IND", "BASE", "FACTOR", "PROCEDURES", "FLAG"),
        *("INDICATOR", "AMOUNT", "AMOUNT"),
    ),
)
GPCI_HEAD = (
    ("ADDENDUM E. FINAL CY 2026 GEOGRAPHIC PRACTICE COST INDICES (GPCIs)",),
    ("",),
    (
        *("Medicare Administrative Contractor (MAC)", "State", "Locality Number"),
        *("Locality Name", "2026 PW GPCI (without 1.0 Floor)", "2026 PW GPCI (with 1.0 Floor)"),
        *("2026 PE GPCI", "2026 MP GPCI"),
    ),
)


def rvu(
    *rows: tuple[str, str, str, str, str], factor: str = "33.4009", **cells: str
) -> list[tuple[str, ...]]:
    """Rows of units: code, work, practice expense, the same in a facility, malpractice."""
    made = []
    for code, work, practice, facility, malpractice in rows:
        row = [""] * _RVU_COLUMNS
        row[:4] = [code, cells.get("modifier", ""), "a description", cells.get("status", "A")]
        row[5], row[6], row[8], row[10] = work, practice, facility, malpractice
        row[11] = f"{Decimal(work) + Decimal(practice) + Decimal(malpractice)}"
        row[12] = f"{Decimal(work) + Decimal(facility) + Decimal(malpractice)}"
        row[25] = factor
        made.append(tuple(row))
    return [*RVU_HEAD, *made]


def gpci(*rows: tuple[str, str, str, str, str, str]) -> list[tuple[str, ...]]:
    """Rows of factors: contractor, state, number, work, practice expense, malpractice."""
    made = [
        (contractor, state, number, f"PLACE {number}", "0.500", *factors)
        for contractor, state, number, *factors in rows
    ]
    return [*GPCI_HEAD, *made, ("",), ("* a note below the table",)]

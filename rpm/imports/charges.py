"""A practice's schedule of charges from a CSV or XLSX file: one row for each code and modifier.

Owns the columns and the refusal of single rows, each by its line. Does not own storing them
(``rpm.actions.load_charges``). Columns by name, in any order and case: ``procedure`` and ``fee``
(or ``charge``); ``modifier``, ``from_day`` and ``to_day`` may be left out.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from billing.claims.charges import Charge
from billing.codes import is_modifier, is_procedure_code
from billing.money import text_to_cents
from rpm.imports.read import Reject, rejected
from rpm.imports.refusals import FileRefusedError, RowRefusedError
from rpm.imports.rows import RawRow, csv_rows, xlsx_rows

_NAMES = {
    "procedure": "procedure",
    "code": "procedure",
    "modifier": "modifier",
    "fee": "fee",
    "charge": "fee",
    "from_day": "from_day",
    "to_day": "to_day",
}
_NEEDED = ("procedure", "fee")
_MOST_CENTS = 100_000_00
MOST_ROWS = 20_000


@dataclass(frozen=True)
class ReadCharges:
    """What a file holds: charges, and the rows that were refused."""

    charges: tuple[Charge, ...]
    rejects: tuple[Reject, ...]


def read_charges(name: str, content: bytes, first_day: date | None) -> ReadCharges:
    """The rows of a file; ``first_day`` is for rows without one.

    FileRefusedError for what is no table of charges.
    """
    rows = _rows(name, content)
    header = next(rows, None)
    places = _places(header.cells if header else ())
    charges: dict[tuple[str, str, date], Charge] = {}
    rejects = []
    for number, row in enumerate(row for row in rows if any(row.cells)):
        if number == MOST_ROWS:
            raise FileRefusedError(f"holds more than {MOST_ROWS:,} rows", row.line)
        try:
            charge = _charge(_cells(row, places), first_day)
            key = (charge.procedure, charge.modifier, charge.from_day)
            if key in charges:
                raise RowRefusedError("procedure", "the code stands twice with this first day")
            charges[key] = charge
        except RowRefusedError as error:
            rejects.append(rejected(row.line, row.cells, error.field, error.reason))
    return ReadCharges(tuple(charges.values()), tuple(rejects))


def _rows(name: str, content: bytes) -> Iterator[RawRow]:
    if name.lower().endswith(".xlsx"):
        return xlsx_rows(io.BytesIO(content), None, "YMD")
    delimiter = "\t" if b"\t" in content[:2_000].split(b"\n")[0] else ","
    return csv_rows(io.BytesIO(content), "utf-8", delimiter)


def _places(header: tuple[str, ...]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        field = _NAMES.get(cell.strip().casefold().replace(" ", "_"))
        if field in places:
            raise FileRefusedError(f"has more than one column for {field}", 1)
        if field is not None:
            places[field] = place
    if missing := [field for field in _NEEDED if field not in places]:
        raise FileRefusedError(f"has no column {' and no column '.join(missing)}", 1)
    return places


def _cells(row: RawRow, places: Mapping[str, int]) -> dict[str, str]:
    return {
        field: row.cells[place] if place < len(row.cells) else "" for field, place in places.items()
    }


def _charge(cells: Mapping[str, str], first_day: date | None) -> Charge:
    procedure, modifier = cells["procedure"].upper(), cells.get("modifier", "").upper()
    if not is_procedure_code(procedure):
        raise RowRefusedError("procedure", "not the shape of a CPT or HCPCS code")
    if modifier and not is_modifier(modifier):
        raise RowRefusedError("modifier", "a modifier has two letters or digits")
    begins = _day("from_day", cells.get("from_day", "")) or first_day
    ends = _day("to_day", cells.get("to_day", ""))
    if begins is None:
        raise RowRefusedError("from_day", "neither the row nor the import tells the first day")
    if ends is not None and ends < begins:
        raise RowRefusedError("to_day", "lies before from_day")
    return Charge(procedure, _cents(cells["fee"]), begins, ends, modifier)


def _cents(text: str) -> int:
    try:
        cents = text_to_cents(text)
    except ValueError:
        raise RowRefusedError(
            "fee", "digits with at most two decimals, no $ and no comma"
        ) from None
    if not 0 < cents <= _MOST_CENTS:
        raise RowRefusedError("fee", "more than nothing, and at most 100,000 dollars")
    return cents


def _day(field: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise RowRefusedError(field, "a day is written 2026-01-31") from None

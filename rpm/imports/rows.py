"""Rows of a file as text: CSV, XLSX or JSON, with the line each came from.

Owns encodings, the place of the header and turning typed cells into text. Does not own what a
column means. Typed dates of XLSX are written in the profile's date order, so nothing is guessed.
Rows of CSV, XLSX and JSON lines are read as they are asked for; a JSON document stands in memory.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO

import openpyxl

from devices import strict_json
from devices.delivery import UnreadableDeliveryError
from rpm.imports.profile import ImportProfile
from rpm.imports.refusals import FileRefusedError

_DATE_FORMS = {"MDY": "%m/%d/%Y", "DMY": "%d/%m/%Y", "YMD": "%Y-%m-%d"}
_SEARCHED_ROWS = 50
_BYTE_ORDER_MARK = "\ufeff"
_TWICE_ENCODED_MARK = _BYTE_ORDER_MARK.encode().decode("cp1252")


@dataclass(frozen=True)
class RawRow:
    """The cells of one row as text, and its line (CSV), row (XLSX) or item (JSON)."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Column names and the rows under them."""

    header: tuple[str, ...]
    rows: Iterable[RawRow]


def read_table(file: BinaryIO, profile: ImportProfile) -> Table:
    """Header and rows of a file, opened for as long as rows are asked for.

    FileRefusedError when the whole of it cannot be read, also later, while rows are asked for.
    """
    if profile.format in ("json", "jsonl"):
        return _json_table(file.read(), profile)
    if profile.format == "csv":
        numbered = csv_rows(file, profile.encoding, profile.delimiter)
    else:
        numbered = xlsx_rows(file, profile.sheet, profile.date_order)
    header = _find_header(numbered, profile)
    return Table(header, (row for row in numbered if any(row.cells)))


def _find_header(rows: Iterator[RawRow], profile: ImportProfile) -> tuple[str, ...]:
    rule = profile.header
    for row in rows:
        names = tuple(_column_name(cell) for cell in row.cells)
        if row.line == rule.row or (rule.contains and set(rule.contains) <= set(names)):
            return names
        if row.line > (rule.row or _SEARCHED_ROWS):
            break
    raise FileRefusedError("no row with the column names that the profile expects")


def _column_name(cell: str) -> str:
    """A column name without marks and quotes: exports that were encoded twice begin with both."""
    return cell.replace(_BYTE_ORDER_MARK, "").replace(_TWICE_ENCODED_MARK, "").strip('"').strip()


def csv_rows(
    file: BinaryIO, encoding: str, delimiter: str, *, strict: bool = True
) -> Iterator[RawRow]:
    """Rows of a CSV file; FileRefusedError when one cannot be read.

    ``strict``: quotes must be as CSV has them.
    """
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with io.TextIOWrapper(file, encoding=codec, newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=strict)
        try:
            for cells in reader:
                yield RawRow(reader.line_num, tuple(cell.strip() for cell in cells))
        except csv.Error:
            raise FileRefusedError("is not a CSV file from here on", reader.line_num) from None
        except UnicodeDecodeError:
            line = _undecodable_line(file, codec)
            raise FileRefusedError(f"is not encoded as {encoding}", line) from None


def _undecodable_line(file: BinaryIO, codec: str) -> int | None:
    """The line of the first bytes that cannot be decoded: the decoder itself works ahead."""
    file.seek(0)
    data = file.read()
    try:
        data.decode(codec)
    except UnicodeDecodeError as error:
        return data[: error.start].count(b"\n") + 1
    return None


def xlsx_rows(file: BinaryIO, sheet_name: str | None, date_order: str | None) -> Iterator[RawRow]:
    """Rows of a sheet of an XLSX file, the first unless named; FileRefusedError as ``csv_rows``."""
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception:  # noqa: BLE001 - of a damaged file its reader may raise anything
        raise FileRefusedError("is not an XLSX file") from None
    with closing(book):
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        if sheet_name is not None and sheet_name not in sheets:
            raise FileRefusedError("has no sheet of the name that the profile expects")
        if not sheets:
            raise FileRefusedError("has no sheet of cells")
        sheet = next(iter(sheets.values())) if sheet_name is None else sheets[sheet_name]
        number = 0
        try:
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                yield RawRow(number, tuple(_cell_text(cell, date_order) for cell in cells))
        except Exception:  # noqa: BLE001 - as above
            raise FileRefusedError("is not an XLSX file from here on", number + 1) from None


def _json_table(data: bytes, profile: ImportProfile) -> Table:
    if profile.format == "jsonl":
        lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
        items = [(number, _json(line, number)) for number, line in lines]
    else:
        items = list(enumerate(_json_items(_json(data, None), profile.rows), 1))
    flat = [
        (line, dict(_flatten(item, "")) if isinstance(item, dict) else {}) for line, item in items
    ]
    header = tuple(dict.fromkeys(chain.from_iterable(cells for _, cells in flat)))
    rows = (RawRow(line, tuple(cells.get(name, "") for name in header)) for line, cells in flat)
    return Table(header, rows)


def _json(data: bytes, line: int | None) -> strict_json.Json:
    try:
        return strict_json.loads(data.removeprefix(_BYTE_ORDER_MARK.encode()))
    except UnreadableDeliveryError as error:
        raise FileRefusedError(str(error), line) from None


def _json_items(document: strict_json.Json, path: str) -> list[Any]:
    """The rows under ``path``; values beside them join each row under ``^`` and their name."""
    beside: dict[str, Any] = {}
    for name in path.split(".") if path else []:
        if not isinstance(document, dict) or name not in document:
            raise FileRefusedError("has no list of rows where the profile expects it")
        beside |= {f"^{key}": part for key, part in document.items() if key != name}
        document = document[name]
    if not isinstance(document, list):
        raise FileRefusedError("is not a list of rows where the profile expects it")
    return [beside | item if isinstance(item, dict) else item for item in document]


def _flatten(item: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in item.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield prefix + name, _cell_text(value, None)


def _cell_text(cell: object, order: str | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        form = _DATE_FORMS[order or "YMD"]
        # A cell formatted as a date holds midnight.
        return cell.strftime(form if cell.time() == datetime.min.time() else f"{form} %H:%M:%S")
    if isinstance(cell, date):
        return cell.strftime(_DATE_FORMS[order or "YMD"])
    if isinstance(cell, float):
        return f"{Decimal(repr(cell)):f}".removesuffix(".0")
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell).strip()

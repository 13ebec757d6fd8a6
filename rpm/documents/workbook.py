"""Tables as a workbook (XLSX): one sheet for each.

Owns the form. Does not own what stands in the tables (``rpm.actions.claim_tables``). Text is
written as text: a spreadsheet runs none of it as a formula. The same tables give the same cells.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from rpm.actions.claim_tables import MONEY, Cell, Table

_WIDEST, _NARROWEST = 60, 10
_SHEET_NAME = 31  # letters that a sheet's name may have


def workbook(tables: Sequence[Table], made_at: datetime) -> bytes:
    """The workbook; two tables of one title are refused with ValueError."""
    import openpyxl
    from openpyxl.styles import Alignment, Font

    if len({one.title for one in tables}) < len(tables):
        raise ValueError("two tables have the same title")
    book = openpyxl.Workbook()
    if book.active is not None:
        book.remove(book.active)
    book.properties.creator = "rpm-ledger"
    book.properties.created = book.properties.modified = made_at.replace(tzinfo=None)
    for table in tables:
        sheet = book.create_sheet(table.title[:_SHEET_NAME])
        for row, values in enumerate((table.columns, *table.rows), start=1):
            for place, value in enumerate(values, start=1):
                cell = sheet.cell(row, place, value)
                if isinstance(value, str):
                    cell.data_type = "s"  # else a beginning = makes it a formula
                if isinstance(value, Decimal) and table.columns[place - 1] in MONEY:
                    cell.number_format = "#,##0.00"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        for place, name in enumerate(table.columns, start=1):
            sheet.cell(1, place).font = Font(bold=True)
            letter = sheet.cell(1, place).column_letter
            sheet.column_dimensions[letter].width = _width(
                name, [row[place - 1] for row in table.rows]
            )
        sheet.freeze_panes = "A2"
    told = io.BytesIO()
    book.save(told)
    return told.getvalue()


def _width(name: str, values: Sequence[Cell]) -> int:
    longest = max((len(str(one)) for one in (name, *values) if one is not None), default=0)
    return min(max(longest + 2, _NARROWEST), _WIDEST)

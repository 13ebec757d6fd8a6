"""The paper claim CMS-1500 (02/12) as a PDF: for pre-printed stock, or as a check print.

Owns printing. Does not own the values (``billing.claims.form1500``) nor their places
(``billing.claims.form1500_layout``). The form is copyrighted, so it is never drawn: for stock only
the data is printed; a check print has frames of our own with the numbers of the boxes, and says
that it is none. The same claims give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fpdf import FPDF

from billing.claims.claim import Claim
from billing.claims.form1500 import FormPage, form_pages
from billing.claims.form1500_layout import Cell, Layout, shipped_layout

_COLUMN, _LINE = 7.2, 12.0  # points: ten columns and six lines an inch
_SIZE = 12  # Courier of 12 points is a tenth of an inch wide
_BASE = 9.5  # from the top of a line to where its letters stand
_FRAME, _NUMBER = (176, 196, 208), (96, 116, 132)
_NOTE = (
    "Check print, not for filing. Frames and numbers are of rpm-ledger; print data on the stock."
)


@dataclass(frozen=True)
class Printing:
    """Where column 1 of line 1 begins on the sheet, in points, and whether to draw frames."""

    left: float = 22.0
    top: float = 22.0
    check: bool = False


def form1500_pdf(
    claims: Sequence[Claim], made_at: datetime, printing: Printing = Printing()
) -> bytes:
    """The forms of some claims, six services a page, in the order given."""
    layout = shipped_layout()
    paper = FPDF(unit="pt", format="letter")
    paper.set_auto_page_break(auto=False)
    paper.set_title("CMS-1500 (02/12)")
    paper.set_producer("rpm-ledger")
    paper.set_lang("en-US")
    paper.set_creation_date(made_at)
    for claim in claims:
        for page in form_pages(claim):
            paper.add_page()
            if printing.check:
                _frames(paper, printing, layout, page)
            _data(paper, printing, layout, page)
    return bytes(paper.output())


def _data(paper: FPDF, printing: Printing, layout: Layout, page: FormPage) -> None:
    paper.set_font("Courier", "", _SIZE)
    paper.set_text_color(0, 0, 0)
    cells = layout.cells
    for key, value in page.values.items():
        _print(paper, printing, cells[key], cells[key].line, value)
    for place, service in enumerate(page.services):
        for key, value in service.items():
            _print(paper, printing, cells[key], layout.service_line(place), value)


def _print(paper: FPDF, printing: Printing, cell: Cell, line: int, value: str) -> None:
    column = cell.column + (cell.width - len(value) if cell.right else 0)
    left = printing.left + (column - 1) * _COLUMN
    paper.text(left, printing.top + (line - 1) * _LINE + _BASE, value)


def _frames(paper: FPDF, printing: Printing, layout: Layout, page: FormPage) -> None:
    """A grid of our own: a frame for each room, and the number of its box once."""
    paper.set_draw_color(*_FRAME)
    paper.set_text_color(*_NUMBER)
    paper.set_line_width(0.4)
    for box in layout.boxes:
        for place, cell in enumerate(box.cells):
            for line in _lines(cell, layout):
                left = printing.left + (cell.column - 1) * _COLUMN
                top = printing.top + (line - 1) * _LINE
                paper.rect(left - 0.6, top + 0.4, cell.width * _COLUMN + 1.2, _LINE - 0.8)
                if place == 0:
                    paper.set_font("Helvetica", "", 5)
                    paper.text(left, top - 0.6, box.number)
    paper.set_font("Helvetica", "", 7)
    told = _NOTE if page.of == 1 else f"{_NOTE} Form {page.number} of {page.of}."
    paper.text(printing.left, printing.top + layout.form_lines * _LINE + 8, told)


def _lines(cell: Cell, layout: Layout) -> list[int]:
    if cell.line:
        return [cell.line]
    return [layout.service_line(place) for place in range(layout.service_lines)]

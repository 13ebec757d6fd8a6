"""A printed sheet: headings, pairs of word and value, tables, and a running head and foot.

Owns the look of every document. Does not own what stands in it. The same calls give the same bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fpdf import FPDF

from rpm.documents.letters import ENCODING, printable

_INK, _QUIET, _RULE, _BAND = (28, 37, 48), (90, 102, 117), (196, 204, 213), (243, 246, 249)
_HEAD_FILL = (230, 237, 243)
_MARGIN = 48  # points
_TEXT, _SMALL, _LINE = 9, 7.5, 12
_NAME_WIDTH = 120
_ROW_LINE, _PAD = 10, 4
_ROW = _ROW_LINE + _PAD


@dataclass(frozen=True)
class _Column:
    width: float  # points
    right: bool  # figures
    code: bool  # digests


class Sheet(FPDF):
    """Letter-size pages; ``head`` stands on top of every page, ``foot`` beside its number."""

    def __init__(self, title: str, head: str, foot: str, made_at: datetime) -> None:
        super().__init__(unit="pt", format="letter")
        self.core_fonts_encoding = ENCODING
        self.head, self.foot = printable(head), printable(foot)
        self.set_title(printable(title))
        self.set_producer("rpm-ledger")
        self.set_lang("en-US")
        self.set_creation_date(made_at)
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN + 14)
        self.add_page()

    def header(self) -> None:
        """Practice and subject, on every page."""
        self._small()
        self.cell(0, _LINE, self.head, new_x="LMARGIN", new_y="NEXT")
        self.set_draw_color(*_RULE)
        self.line(_MARGIN, self.get_y() + 2, self.w - _MARGIN, self.get_y() + 2)
        self.ln(12)

    def footer(self) -> None:
        """The foot and the number of the page."""
        self.set_y(-_MARGIN)
        self._small()
        self.cell(self.epw - 80, _LINE, self.foot)
        self.cell(0, _LINE, f"Page {self.page_no()} of {{nb}}", align="R")

    def title_line(self, text: str) -> None:
        """The title of the document."""
        self._style(18, bold=True)
        self._flow(text, 24)

    def heading(self, text: str) -> None:
        """A part; it never stands alone at the foot of a page."""
        self.room(70)
        self.ln(10)
        self.start_section(printable(text), strict=False)
        self._style(13, bold=True)
        self._flow(text, 18)
        self.ln(2)

    def subheading(self, text: str) -> None:
        """A part of a part."""
        self.room(50)
        self.ln(6)
        self._style(10, bold=True)
        self._flow(text, 14)
        self.ln(1)

    def text_line(self, text: str) -> None:
        """A paragraph."""
        self._style(_TEXT)
        self._flow(text, _LINE)

    def quiet_line(self, text: str) -> None:
        """A paragraph of less weight."""
        self._small()
        self._flow(text, 10)

    def pairs(self, rows: Iterable[tuple[str, str]]) -> None:
        """Words and their values, one a line; empty values are left out."""
        for name, value in rows:
            if value:
                self.room(_LINE)
                self._style(_TEXT, color=_QUIET)
                self.cell(_NAME_WIDTH, _LINE, printable(name))
                self._style(_TEXT)
                self._flow(value, _LINE)

    def grid(
        self,
        names: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[int],
        *,
        right: Sequence[int] = (),
        code: Sequence[int] = (),
    ) -> None:
        """A table; its head stands again on every page. ``widths`` are shares of the page.

        ``right`` are columns of figures, ``code`` those of digests.
        """
        total = sum(widths)
        columns = [
            _Column(share * self.epw / total, place in right, place in code)
            for place, share in enumerate(widths)
        ]
        head = [printable(name) for name in names]
        self._row(columns, head, fill=_HEAD_FILL, bold=True)
        for count, values in enumerate(rows):
            cells = [printable(value) for value in values]
            height = self._row_height(columns, cells)
            if self.will_page_break(height):
                self.add_page()
                self._row(columns, head, fill=_HEAD_FILL, bold=True)
            self._row(columns, cells, fill=_BAND if count % 2 else None, height=height)
        self.ln(4)

    def _row(
        self,
        columns: Sequence[_Column],
        cells: Sequence[str],
        *,
        fill: tuple[int, int, int] | None = None,
        bold: bool = False,
        height: float = _ROW,
    ) -> None:
        left, top = self.l_margin, self.get_y()
        if fill is not None:
            self.set_fill_color(*fill)
            self.rect(left, top, self.epw, height, style="F")
        for column, text in zip(columns, cells, strict=True):
            self._face(column, bold=bold)
            align = "R" if column.right else "L"
            for place, line in enumerate(self._lines(column, text)):
                self.set_xy(left + _PAD, top + _PAD / 2 + place * _ROW_LINE)
                self.cell(column.width - 2 * _PAD, _ROW_LINE, line, align=align)
            left += column.width
        self.set_draw_color(*_RULE)
        self.line(self.l_margin, top + height, self.l_margin + self.epw, top + height)
        self.set_xy(self.l_margin, top + height)

    def _row_height(self, columns: Sequence[_Column], cells: Sequence[str]) -> float:
        most = 1
        for column, text in zip(columns, cells, strict=True):
            self._face(column)
            most = max(most, len(self._lines(column, text)))
        return most * _ROW_LINE + _PAD

    def _lines(self, column: _Column, text: str) -> list[str]:
        room = column.width - 2 * _PAD
        if self.get_string_width(text) <= room:
            return [text]
        broken: Any = self.multi_cell(room, _ROW_LINE, text, dry_run=True, output="LINES")
        return [str(line) for line in broken]

    def _face(self, column: _Column, *, bold: bool = False) -> None:
        if column.code and not bold:
            self.set_font("Courier", "", 6.8)
        else:
            self._style(_SMALL, bold=bold)

    def data(self) -> bytes:
        """The document."""
        return bytes(self.output())

    def _flow(self, text: str, height: float) -> None:
        self.multi_cell(0, height, printable(text), new_x="LMARGIN", new_y="NEXT", align="L")

    def room(self, points: float) -> None:
        """Begin a new page where fewer points are left on this one."""
        if self.will_page_break(points):
            self.add_page()

    def _small(self) -> None:
        self._style(_SMALL, color=_QUIET)

    def _style(
        self, size: float, *, bold: bool = False, color: tuple[int, int, int] = _INK
    ) -> None:
        self.set_font("Helvetica", "B" if bold else "", size)
        self.set_text_color(*color)

"""Where each value stands on the paper claim CMS-1500 (02/12): lines and columns, read from data.

Owns reading ``data/form1500.toml``. Does not own the values (``form1500``) nor printing
(``rpm.documents``). The form is copyrighted: nothing of its drawing or texts is in here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from billing.rules.fields import Place, Table, open_document

_FILE = "form1500.toml"
CHECKED = ("crosswalk", "unverified")
"""How far an item was checked: against the published crosswalk, or against no publisher's text."""


@dataclass(frozen=True)
class Cell:
    """Room for one value; lines are sixths and columns tenths of an inch, both from 1."""

    key: str
    box: str
    line: int  # 0: of a service line
    column: int
    width: int
    right: bool = False
    whole: bool = False  # never cut


@dataclass(frozen=True)
class Box:
    """One numbered box, the element of the 837P that says the same, and how it was checked."""

    number: str
    says: str
    checked: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Layout:
    """The whole form."""

    boxes: tuple[Box, ...]
    line_columns: int
    form_lines: int
    service_lines: int
    first_service_line: int
    service_line_step: int
    medicare_codes: tuple[str, ...]
    medicare_box_11: str
    medicare_empty: tuple[str, ...]

    @property
    def cells(self) -> Mapping[str, Cell]:
        """Every room by the key of its value."""
        return {cell.key: cell for box in self.boxes for cell in box.cells}

    def service_line(self, place: int) -> int:
        """The form's line of a service line, counted from 0."""
        return self.first_service_line + place * self.service_line_step


@cache
def shipped_layout() -> Layout:
    """The shipped layout; RuleError for one that does not fit together."""
    text = resources.files("billing.claims").joinpath("data", _FILE).read_text("utf-8")
    return read_layout(text, _FILE)


def read_layout(text: str, name: str) -> Layout:
    """A layout; RuleError with file and line for what it may not say."""
    top = open_document(text, name)
    top.word("positions_checked", CHECKED)
    medicare = top.section("medicare_pays_first")
    medicare.word("checked", CHECKED)
    layout = Layout(
        boxes=tuple(_box(table) for table in top.each("box")),
        line_columns=top.take("line_columns", int),
        form_lines=top.take("form_lines", int),
        service_lines=top.take("service_lines", int),
        first_service_line=top.take("first_service_line", int),
        service_line_step=top.take("service_line_step", int),
        medicare_codes=medicare.several("filing_codes", str),
        medicare_box_11=medicare.text("box_11"),
        medicare_empty=medicare.several("empty", str),
    )
    medicare.finish()
    top.finish()
    _check(layout, top.place)
    return layout


def _box(table: Table) -> Box:
    number = table.text("number")
    box = Box(
        number=number,
        says=table.text("says"),
        checked=table.word("checked", CHECKED),
        cells=tuple(_cell(raw, number, table.place) for raw in table.tables("cells")),
    )
    table.finish()
    return box


def _cell(raw: Mapping[str, Any], number: str, place: Place) -> Cell:
    table = Table(raw, place)
    cell = Cell(
        key=table.text("key"),
        box=number,
        line=table.take("line", int),
        column=table.take("column", int),
        width=table.take("width", int),
        right=table.maybe("right", bool) or False,
        whole=table.maybe("whole", bool) or False,
    )
    table.finish()
    return cell


def _check(layout: Layout, place: Place) -> None:
    """No two rooms overlap, and none leaves the form."""
    taken: dict[tuple[int, int], str] = {}
    for cell in layout.cells.values():
        last = cell.column + cell.width - 1
        if cell.column < 1 or last > layout.line_columns or cell.line > layout.form_lines:
            raise place.error(f"{cell.key} leaves the form")
        for column in range(cell.column, last + 1):
            if other := taken.get((cell.line, column)):
                raise place.error(f"{cell.key} overlaps {other}")
            taken[cell.line, column] = cell.key

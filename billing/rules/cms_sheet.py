"""Sheets of CMS as rows of text: the head over several rows, and columns by their names.

Owns finding where the data begin, the joining of a head that is spread over rows, and typed cells.
Does not own what a sheet means (``ncci_files``, ``fee_files``) nor opening files. Titles and
copyright notices above the head are part of it. Descriptions of codes are never read.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, zip_longest

from billing.rules.fields import RuleError

Row = tuple[int, tuple[str, ...]]
"""A line (from 1) and its cells."""

CODE_SHAPE = re.compile(r"[0-9A-Z][0-9]{3}[0-9A-Z]")
"""Five characters as procedure codes have them, also of kinds that the product does not know."""

_HEAD_ROWS = 40
_AMOUNT = re.compile(r"-?\d{0,6}(\.\d{0,6})?")


class NotATableError(RuleError):
    """A file that is no table of CMS, or not one of those that are read here."""


@dataclass(frozen=True)
class Sheet:
    """The head, column by column in lower case, and the rows of data; blank rows are left out."""

    name: str
    head: tuple[str, ...]
    rows: Iterator[Row]

    def column(self, *words: str, but: str = "\0") -> int:
        """The first column whose head has all these words and not ``but``; RuleError for none."""
        for number, text in enumerate(self.head):
            if all(word in text for word in words) and but not in text:
                return number
        raise RuleError(self.name, 1, f"no column {' '.join(words)!r}")

    def has(self, *phrases: str) -> bool:
        """Whether each phrase stands in the head of some column."""
        return all(any(phrase in text for text in self.head) for phrase in phrases)


@dataclass(frozen=True)
class Cells:
    """One row, read by column; RuleError names file and line, never a value."""

    name: str
    line: int
    cells: tuple[str, ...]

    def text(self, column: int) -> str:
        """A cell; empty beyond the row's end."""
        return self.cells[column].strip() if column < len(self.cells) else ""

    def shaped(self, column: int, shape: re.Pattern[str], what: str) -> str:
        """A cell that has the shape of ``what``."""
        value = self.text(column)
        if not shape.fullmatch(value):
            raise self.error(column, what)
        return value

    def code(self, column: int) -> str:
        """A procedure code."""
        return self.shaped(column, CODE_SHAPE, "a code")

    def number(self, column: int, allowed: range) -> int:
        """A whole number in a range."""
        value = self.text(column)
        if not value.isdecimal() or int(value) not in allowed:
            raise self.error(column, "a number that may stand here")
        return int(value)

    def amount(self, column: int) -> str:
        """A decimal number as its text; zero where CMS writes nothing before the point."""
        value = self.text(column)
        if not value or not any(map(str.isdecimal, value)) or not _AMOUNT.fullmatch(value):
            raise self.error(column, "a decimal number")
        return str(Decimal(value))

    def day(self, column: int, form: str) -> str:
        """A day in a form of ``strptime`` as ISO text."""
        return self._day(self.text(column), column, form)

    def day_or_none(self, column: int, form: str) -> str | None:
        """As ``day``; None for an empty cell or the asterisk of CMS."""
        value = self.text(column)
        return None if value in {"", "*"} else self._day(value, column, form)

    def error(self, column: int, what: str) -> RuleError:
        """The refusal of a cell."""
        return RuleError(self.name, self.line, f"column {column + 1} does not hold {what}")

    def _day(self, value: str, column: int, form: str) -> str:
        try:
            if not value.isdecimal():
                raise ValueError
            found = datetime.strptime(value, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            raise self.error(column, "a day") from None
        if not date(1960, 1, 1) <= found <= date(2150, 1, 1) - timedelta(days=1):
            raise self.error(column, "a day of our time")
        return found.isoformat()


def open_sheet(name: str, rows: Iterable[Row]) -> Sheet:
    """The sheet; NotATableError when its first rows hold nothing that looks like data."""
    reading = iter(rows)
    head: list[tuple[str, ...]] = []
    for line, cells in reading:
        if any(CODE_SHAPE.fullmatch(cell.strip()) for cell in cells[:2]):
            rest = chain([(line, cells)], reading)
            return Sheet(name, _joined(head), (row for row in rest if any(map(str.strip, row[1]))))
        head.append(cells)
        if len(head) > _HEAD_ROWS:
            break
    raise NotATableError(name, 1, "not a table of CMS: no row that begins with a code")


def _joined(rows: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Each column's words from top to bottom, in lower case with single spaces."""
    return tuple(
        " ".join(" ".join(cells).lower().split()) for cells in zip_longest(*rows, fillvalue="")
    )

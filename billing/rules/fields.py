"""Fields of a rule document: typed values out of TOML tables, refused with file and line.

Owns the error a document gets, the search for the line it lies on, and the taking of one typed
value at a time. Does not own what a page means (``read``).
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")

_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class RuleError(ValueError):
    """A rule document that is refused: the file, the best known line (from 1), and why."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Place:
    """Where a table stands: the n-th (from 0) of its header in a text; no header is the top.

    The TOML reader gives no line numbers, so the line is found by looking for the header and, in
    what follows up to the next header, for the key. A table written inline has no header of its
    own: then the line of the nearest header that is found, or line 1, is given.
    """

    file: str
    text: str
    header: str = ""
    ordinal: int = 0

    def line_of(self, key: str | None = None) -> int:
        """The line (from 1) of the table's header, or of ``key`` in it when that is found."""
        lines = self.text.splitlines()
        start = self._header_line(lines)
        if key is None:
            return max(start, 1)
        wanted = re.compile(rf"\s*\"?{re.escape(key)}\"?\s*=")
        for number, line in enumerate(lines[start:], start + 1):
            if wanted.match(line):
                return number
            if line.lstrip().startswith("["):
                break
        below = ".".join(part for part in (self.header, key) if part)
        opened = self._opening_lines(lines, below)
        return next((number for number in opened if number > start), max(start, 1))

    def _header_line(self, lines: list[str]) -> int:
        if not self.header:
            return 0
        found = self._opening_lines(lines, self.header)
        return found[min(self.ordinal, len(found) - 1)] if found else 0

    @staticmethod
    def _opening_lines(lines: list[str], header: str) -> list[int]:
        wanted = re.compile(rf"\s*\[+\s*{re.escape(header)}\s*\]")
        return [number for number, line in enumerate(lines, 1) if wanted.match(line)]

    def error(self, reason: str, key: str | None = None) -> RuleError:
        """A RuleError that names this table and, where known, the line of ``key``."""
        path = ".".join(part for part in (self.header, key) if part)
        return RuleError(self.file, self.line_of(key), f"{path}: {reason}" if path else reason)


class Table:
    """One TOML table being read: gives typed values and, at the end, refuses what is left."""

    def __init__(self, raw: Mapping[str, Any], place: Place) -> None:
        self._left = dict(raw)
        self.place = place

    def has(self, key: str) -> bool:
        """Whether the key is there and was not taken yet."""
        return key in self._left

    def take(self, key: str, kind: type[T]) -> T:
        """The value of a key that must be there and be exactly of this type."""
        if key not in self._left:
            raise self.place.error("is missing", key)
        value = self._left.pop(key)
        if type(value) is not kind:
            raise self.place.error(f"must be {_KIND_WORDS.get(kind, kind.__name__)}", key)
        return value

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """As ``take``, or None when the key is not there."""
        return self.take(key, kind) if key in self._left else None

    def text(self, key: str, shape: re.Pattern[str] | None = None) -> str:
        """Text that is not empty and, where a shape is given, has it."""
        value = self.take(key, str)
        if not value.strip():
            raise self.place.error("is empty", key)
        if shape is not None and not shape.fullmatch(value):
            raise self.place.error(f"{value!r} does not have the expected form", key)
        return value

    def word(self, key: str, vocabulary: Collection[str]) -> str:
        """One word of a vocabulary."""
        return self._known(key, self.take(key, str), vocabulary)

    def words(self, key: str, vocabulary: Collection[str]) -> tuple[str, ...]:
        """A list of words of a vocabulary; empty when the key is not there."""
        return tuple(self._known(key, value, vocabulary) for value in self.several(key, str))

    def several(self, key: str, kind: type[T]) -> tuple[T, ...]:
        """A list of values of one type, none twice; empty when the key is not there."""
        values = self.maybe(key, list) or []
        if any(type(value) is not kind for value in values):
            raise self.place.error(f"each must be {_KIND_WORDS.get(kind, kind.__name__)}", key)
        if len(set(values)) != len(values):
            raise self.place.error("names something twice", key)
        return tuple(values)

    def tables(self, key: str) -> list[dict[str, Any]]:
        """A list of tables, as TOML gives them; empty when the key is not there."""
        values = self.maybe(key, list) or []
        if any(type(value) is not dict for value in values):
            raise self.place.error("each must be a table", key)
        return values

    def each(self, header: str) -> "Iterator[Table]":
        """The tables ``[[header]]`` of this table, each with its place."""
        path = f"{self.place.header}.{header}" if self.place.header else header
        for ordinal, raw in enumerate(self.tables(header)):
            yield Table(raw, Place(self.place.file, self.place.text, path, ordinal))

    def section(self, header: str) -> "Table":
        """The table ``[header]`` that must be there."""
        return Table(self.take(header, dict), Place(self.place.file, self.place.text, header))

    def finish(self) -> None:
        """Refuse the keys that nobody took."""
        if self._left:
            key = next(iter(self._left))
            raise self.place.error("is not a known key", key)

    def _known(self, key: str, value: str, vocabulary: Collection[str]) -> str:
        if value not in vocabulary:
            raise self.place.error(f"{value!r} is not a known word", key)
        return value


_KIND_WORDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    date: "a date",
    list: "a list",
    dict: "a table",
    Decimal: "a decimal number",
}


def open_document(text: str, name: str) -> Table:
    """The top table of a TOML text; RuleError with file and line when it is not TOML.

    Decimal numbers are read exactly, never as binary fractions.
    """
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise RuleError(name, line, f"not readable as TOML: {error}") from error
    return Table(raw, Place(name, text))

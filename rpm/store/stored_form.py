"""Rows about to be stored, in the form that digests cover: what SQLite stores, on both engines.

Owns how values get that form. Does not own the digest (``rpm.audit``), the insertion of rows
(``rpm.store.insertion``) nor reading rows back (``rpm.store.digested_rows``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import Any

from sqlalchemy import Date, Integer, String, Table, Uuid

from rpm.audit import canonical_json, canonical_value
from rpm.store.tables.base import JsonValue

Stored = dict[str, list[Any]]
"""Rows in stored form by column, in order of column names; None is an empty cell."""


def stored_form(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row about to be stored, empty columns left out, in order of column names."""
    return next(stored_rows(stored_columns(table, [row])))


def stored_columns(table: Table, rows: Sequence[Mapping[str, Any]]) -> Stored:
    """Rows about to be stored, each of them with all columns of the table."""
    return {
        name: [None if row[name] is None else convert(row[name]) for row in rows]
        for name, convert in _converters(table)
    }


def stored_rows(stored: Stored) -> Iterator[dict[str, Any]]:
    """Each row with its empty columns left out."""
    names = list(stored)
    for values in zip(*stored.values(), strict=True):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


@lru_cache(maxsize=128)
def _converters(table: Table) -> list[tuple[str, Callable[[Any], Any]]]:
    return [
        (column.name, _converter(column.type))
        for column in sorted(table.columns, key=lambda column: column.name)
    ]


def _converter(kind: Any) -> Callable[[Any], Any]:
    """``canonical_value``, or less where the type of the column says what a value is."""
    if isinstance(kind, JsonValue):
        return canonical_json
    if isinstance(kind, Uuid):
        return attrgetter("hex")
    if isinstance(kind, String):
        return str
    if isinstance(kind, Date):
        return methodcaller("isoformat")
    if isinstance(kind, Integer):
        return int
    return canonical_value

"""Rows about to be stored, in the form that digests cover: what SQLite stores, on both engines.

Owns how values get that form. Does not own the digest (``rpm.audit``) nor reading rows back
(``rpm.store.digested_rows``).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import String, Table, Uuid

from rpm.audit import canonical_json, canonical_value
from rpm.store.tables.base import JsonValue


def stored_form(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row about to be stored, empty columns left out, in order of column names."""
    return {
        name: convert(row[name]) for name, convert in _converters(table) if row[name] is not None
    }


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
    return canonical_value

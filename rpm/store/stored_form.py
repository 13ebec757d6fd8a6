"""Rows in the form that digests cover: what SQLite stores, the same on both engines.

Owns how values get that form, before they are stored and when they are read back. Does not own the
digest (``rpm.audit``). Reading back takes the driver's own values: nothing is parsed that a digest
would only have to write out again.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Connection, Table, Text, cast, literal_column, select

from rpm.audit import canonical_json, canonical_value
from rpm.store.tables.base import JsonValue

_ROWS_AT_ONCE = 2_000


def stored_form(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row about to be stored, empty columns left out, in order of column names."""
    return {
        name: convert(row[name]) for name, convert in _converters(table) if row[name] is not None
    }


def stored_rows(
    connection: Connection, table: Table, organization_id: UUID, until: int | None
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Audit number, id (hex) and stored form of an organization's rows, in that order.

    ``until`` is the highest audit number asked for; None for all.
    """
    owner = table.c.organization_id if "organization_id" in table.c else table.c.id
    names = [name for name, _ in _converters(table)]
    columns = [_as_stored(connection, table, name) for name in names]
    query = select(*columns).select_from(table).where(owner == organization_id)
    if until is not None:
        query = query.where(table.c.audit_number <= until)
    query = query.order_by(owner, table.c.audit_number, table.c.id)
    number, row_id = names.index("audit_number"), names.index("id")
    # a driver of SQLite gives the stored form itself, except for bytes
    plain = connection.dialect.name == "sqlite" and not _holds_bytes(table)
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        values = row if plain else tuple(map(canonical_value, row))
        form = {n: v for n, v in zip(names, values, strict=True) if v is not None}
        yield values[number], values[row_id], form


@lru_cache(maxsize=128)
def _converters(table: Table) -> list[tuple[str, Callable[[Any], Any]]]:
    return [
        (column.name, canonical_json if isinstance(column.type, JsonValue) else canonical_value)
        for column in sorted(table.columns, key=lambda column: column.name)
    ]


def _holds_bytes(table: Table) -> bool:
    return any(column.type.python_type is bytes for column in table.columns if not _is_json(column))


def _is_json(column: ColumnElement[Any]) -> bool:
    return isinstance(column.type, JSON | JsonValue)


def _as_stored(connection: Connection, table: Table, name: str) -> ColumnElement[Any]:
    quote = connection.dialect.identifier_preparer.quote
    column: ColumnElement[Any] = literal_column(f"{quote(table.name)}.{quote(name)}")
    if _is_json(table.c[name]) and connection.dialect.name != "sqlite":
        return cast(column, Text)
    return column

"""Insertion of rows that have their stored form already: what is digested is what is stored.

Owns the fastest way into each engine that fails like any statement. Does not own the form of
values (``rpm.store.stored_form``) nor which rows are stored (``rpm.store.chain``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Connection, Dialect, LargeBinary, Table, insert

from rpm.store.stored_form import Stored
from rpm.store.tables.base import UtcDateTime

_INSERTED = "rpm_ledger_inserted"
_WORTH_ARRAYS = 20
"""Rows from which on arrays of columns are faster than rows of values."""


def insert_stored(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], stored: Stored
) -> None:
    """Insert rows, given as values and in stored form; raises what SQLAlchemy raises."""
    on_sqlite = connection.dialect.name == "sqlite"
    # the stored form of bytes is their digest, and that of an instant leaves its zone away
    as_values = LargeBinary if on_sqlite else LargeBinary | UtcDateTime
    columns = [
        [row[column.name] for row in rows]
        if isinstance(column.type, as_values)
        else stored[column.name]
        for column in table.columns
    ]
    if on_sqlite:
        connection.exec_driver_sql(
            _insert(table, connection.dialect), list(zip(*columns, strict=True))
        )
    elif len(rows) < _WORTH_ARRAYS:
        connection.execute(insert(table), rows)
    else:
        _as_arrays(connection, table, columns)
    counts = connection.info.setdefault(_INSERTED, Counter())
    counts[table.name] += len(rows)


def inserted(connection: Connection) -> Mapping[str, int]:
    """Rows of each table that were inserted here since ``forget_inserted``."""
    counts: Mapping[str, int] = connection.info.get(_INSERTED, {})
    return counts


def forget_inserted(connection: Connection) -> None:
    """Count anew: a transaction begins."""
    connection.info.pop(_INSERTED, None)


@lru_cache(maxsize=128)
def _insert(table: Table, dialect: Dialect) -> str:
    return str(insert(table).compile(dialect=dialect))


def _as_arrays(connection: Connection, table: Table, columns: Sequence[Sequence[Any]]) -> None:
    arrays = (
        # in stored form they are numbers, and an array of numbers is none of truth values
        [value if value is None else bool(value) for value in cells]
        if isinstance(column.type, Boolean)
        else list(cells)
        for column, cells in zip(table.columns, columns, strict=True)
    )
    connection.exec_driver_sql(_insert_arrays(table, connection.dialect), tuple(arrays))


@lru_cache(maxsize=128)
def _insert_arrays(table: Table, dialect: Dialect) -> str:
    """An insertion with one array for each column. COPY would be refused: row security is on."""
    quoted = dialect.identifier_preparer
    names = ", ".join(quoted.format_column(column) for column in table.columns)
    arrays = ", ".join(f"%s::{column.type.compile(dialect)}[]" for column in table.columns)
    into = quoted.format_table(table)
    return f"INSERT INTO {into} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of ours

"""Insertion of rows that have their stored form already: what is digested is what is stored.

Owns the fastest way into each engine that fails like any statement. Does not own the form of
values (``rpm.store.stored_form``) nor which rows are stored (``rpm.store.chain``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, LargeBinary, Table, insert

from rpm.store.copying import copying
from rpm.store.stored_form import Stored
from rpm.store.tables.base import UtcDateTime

_INSERTED = "rpm_ledger_inserted"
_WORTH_A_COPY = 20
"""Rows from which on COPY is faster than a statement: it takes one more turn to the server."""


def insert_stored(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], stored: Stored
) -> None:
    """Insert rows, given as values and in stored form; raises what SQLAlchemy raises."""
    on_sqlite = connection.dialect.name == "sqlite"
    # the stored form of bytes is their digest, and that of an instant leaves its zone away
    as_values = LargeBinary if on_sqlite else LargeBinary | UtcDateTime
    columns = (
        [row[column.name] for row in rows]
        if isinstance(column.type, as_values)
        else stored[column.name]
        for column in table.columns
    )
    cells = zip(*columns, strict=True)
    if on_sqlite:
        connection.exec_driver_sql(_insert(table, connection.dialect), list(cells))
    elif len(rows) < _WORTH_A_COPY:
        connection.execute(insert(table), rows)
    else:
        _copy(connection, table, cells)
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


def _copy(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    quoted = connection.dialect.identifier_preparer
    names = ", ".join(quoted.format_column(column) for column in table.columns)
    statement = f"COPY {quoted.format_table(table)} ({names}) FROM STDIN"
    with copying(connection, statement) as copy:
        for row in rows:
            copy.write_row(row)

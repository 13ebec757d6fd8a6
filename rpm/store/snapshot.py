"""A copy of the whole database, taken through the engine while others write.

Owns the copy and what is counted in the same state of the database: its version, rows by table and
the head of every chain. Does not own where copies are kept or what vouches for them
(``rpm.actions.take_backup``). Reads the database as it stands, of whatever version it is.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import Engine

from rpm.audit import Anchor
from rpm.errors import NotReady
from rpm.store import postgresql_programs
from rpm.store.engine import reading
from rpm.store.migrations import current_revision
from rpm.store.row_security import behind_the_wall

Progress = Callable[[int, int], None]
"""Called with the pieces done and the pieces in all."""

FILES = {"sqlite": "database.db", "postgresql": "database.dump"}
"""What the copy is called, by engine."""
_PAGES_AT_ONCE = 2_000
_HEADS = "SELECT organization_id, last_number, last_hmac FROM organization_head"


@dataclass(frozen=True)
class Holdings:
    """What a database holds in one state of it."""

    schema_revision: str | None
    rows: dict[str, int]
    anchors: dict[UUID, Anchor]


def holdings(connection: Connection) -> Holdings:
    """Version, rows by table and chain heads, as the connection's transaction sees them."""
    names = sorted(inspect(connection).get_table_names())
    quote = connection.dialect.identifier_preparer.quote
    rows = {
        name: connection.execute(text(f"SELECT count(*) FROM {quote(name)}")).scalar_one()  # noqa: S608 - names of tables, quoted
        for name in names
    }
    heads = (
        connection.execute(
            text("SELECT organization_id, last_number, last_hmac FROM organization_head")
        )
        if "organization_head" in rows
        else ()
    )
    anchors = {UUID(str(one)): Anchor(number, hmac) for one, number, hmac in heads}
    return Holdings(current_revision(connection), rows, anchors)


def copy_database(
    engine: Engine, path: Path, programs: Path | None, progress: Progress
) -> Holdings:
    """Copy the database into a new file; what the copy holds.

    On SQLite the file is a database, on PostgreSQL an archive of ``pg_dump`` (``programs`` is its
    folder; the search path is used without one). Writers are not kept waiting and what they commit
    meanwhile is not in the copy. ``NotReady`` when the program is missing, too old or fails, and
    for a login that sees one organization only.
    """
    with reading(engine) as session:
        connection = session.connection()
        if behind_the_wall(connection):
            raise NotReady("a copy holds every practice: sign in as the role that owns the tables")
        held = holdings(connection)  # the first look fixes the state that is copied
        if connection.dialect.name == "sqlite":
            driver: Any = connection.connection.driver_connection
            _copy_sqlite(driver, path, progress)
        else:
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            postgresql_programs.dump(engine, path, snapshot, programs, len(held.rows), progress)
    return held


def _copy_sqlite(source: sqlite3.Connection, path: Path, progress: Progress) -> None:
    with closing(sqlite3.connect(path)) as target:
        source.backup(
            target,
            pages=_PAGES_AT_ONCE,
            progress=lambda _status, left, total: progress(total - left, total),
        )
        target.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself


def sound_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database whose pages and indexes fit together."""
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            found: list[tuple[str]] = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError:
        return False
    return found == [("ok",)]

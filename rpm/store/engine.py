"""The database connection: how it is opened, and the only place that commits.

Owns pragmas, isolation and what a locked database means. Does not own tables or queries. On
SQLite a writing transaction takes the write lock at its beginning, so that what it read cannot
have changed when it writes; on PostgreSQL the organization's head row is the lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from rpm.audit import canonical_json
from rpm.errors import Busy
from rpm.keys import KeyRing, load_keys
from rpm.settings import Settings
from rpm.store.row_security import SETTING

BUSY_TIMEOUT_MILLISECONDS = 4_500
CANNOT_WRITE_NOW: tuple[type[Exception], ...] = (Busy, OperationalError)
"""What a write raises that may succeed later: another writer, a full or failing disk."""
_WRITES = "rpm_ledger_writes"
_WAITS = "rpm_ledger_waits"
_AUDIT_KEYS = "rpm_ledger_audit_keys"
_ORGANIZATION = "rpm_ledger_organization"
# lock not available, deadlock detected, serialization failure
_POSTGRESQL_BUSY = frozenset({"55P03", "40P01", "40001"})


def make_engine(settings: Settings) -> Engine:
    """An engine for the settings' database; ValueError for any but SQLite and PostgreSQL.

    It knows where the audit keys are and reads them when the first event is written, so that
    migrations run without them.
    """
    url = _with_driver(make_url(settings.database_url))

    @cache
    def keys() -> KeyRing:
        return load_keys(settings).audit

    shared: dict[str, Any] = {
        "hide_parameters": True,
        "json_serializer": canonical_json,
        "execution_options": {_AUDIT_KEYS: keys},
    }
    if url.get_backend_name() == "postgresql":
        waits = f"-c lock_timeout={BUSY_TIMEOUT_MILLISECONDS}"
        engine = create_engine(url, pool_pre_ping=True, connect_args={"options": waits}, **shared)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_MILLISECONDS / 1000}, **shared
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def within(engine: Engine, organization_id: UUID) -> Engine:
    """The engine whose transactions are for one organization.

    On PostgreSQL the rows of others are not there for them, nor can rows be given to others.
    Transactions of an engine that is within none find only who somebody is.
    """
    return engine.execution_options(**{_ORGANIZATION: organization_id})


def enter(session: Session, organization_id: UUID) -> None:
    """Let the rest of the session's transaction be for one organization; see ``within``.

    RuntimeError where the transaction was begun for another one.
    """
    connection = session.connection()
    named = connection.get_execution_options().get(_ORGANIZATION)
    if named is None and connection.dialect.name == "postgresql":
        _name_organization(connection, organization_id)
    elif named not in {None, organization_id}:
        raise RuntimeError("the transaction is for another organization")


def _begin_postgresql(connection: Connection) -> None:
    organization_id = connection.get_execution_options().get(_ORGANIZATION)
    if organization_id is not None:
        _name_organization(connection, organization_id)


def _name_organization(connection: Connection, organization_id: UUID) -> None:
    # for this transaction only: the next user of the connection is within none
    named = (str(organization_id),)
    statement = f"SELECT set_config('{SETTING}', %s, true)"  # safe: a name of ours
    connection.exec_driver_sql(statement, named)


def audit_keys(session: Session) -> KeyRing:
    """The audit keys of the installation behind a session; ``NotReady`` when they are not set."""
    keys: KeyRing = session.connection().get_execution_options()[_AUDIT_KEYS]()
    return keys


def _with_driver(url: URL) -> URL:
    backend = url.get_backend_name()
    if backend in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url
    raise ValueError("the database must be sqlite or postgresql")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # the driver's own BEGIN comes late and only before some statements: it is switched off
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")  # safe: the words above, none from outside
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(_WRITES, False):
        connection.exec_driver_sql("BEGIN")
        return
    waits = options.get(_WAITS)
    if waits is None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    _set_busy_timeout(connection, int(waits * 1000))
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        _set_busy_timeout(connection, BUSY_TIMEOUT_MILLISECONDS)


def _set_busy_timeout(connection: Connection, milliseconds: int) -> None:
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")  # safe: a number of ours


@contextmanager
def transaction(engine: Engine, wait_seconds: float | None = None) -> Iterator[Session]:
    """A session that may write; committed once at the end, rolled back on any exception.

    Raises ``Busy`` when another writer holds the database for longer than the time-out, or on
    SQLite than ``wait_seconds``, where whoever asks has waited already.
    """
    options: dict[str, Any] = {_WRITES: True, _WAITS: wait_seconds}
    with (
        _busy_as_error(),
        Session(engine.execution_options(**options), expire_on_commit=False) as session,
    ):
        if engine.dialect.name == "sqlite":
            session.connection()
        yield session
        session.commit()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and changes nothing."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with (
        _busy_as_error(),
        Session(engine.execution_options(**options), expire_on_commit=False) as session,
    ):
        yield session


@contextmanager
def _busy_as_error() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _is_busy(error):
            raise Busy("the database is busy; try again") from error
        raise


def _is_busy(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _POSTGRESQL_BUSY
    name = getattr(error.orig, "sqlite_errorname", "")
    return isinstance(error, OperationalError) and name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

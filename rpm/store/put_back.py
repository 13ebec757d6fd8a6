"""Putting a copy back where no database is yet: an absent file, or an empty database.

Owns what counts as absent, empty and in use, and that a copy that is not accepted leaves nothing
behind. Does not own what makes a copy acceptable (``rpm.actions.restore_backup``).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import OperationalError

from rpm.durable import make_durable
from rpm.errors import Conflict, InvalidRequest, NotReady
from rpm.settings import Settings
from rpm.store import postgresql_programs
from rpm.store.engine import make_engine
from rpm.store.snapshot import Progress, sound_sqlite

_BESIDE = ("-wal", "-shm", "-journal")
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_OBJECTS = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
)
_OURS = "DROP FUNCTION IF EXISTS rpm_ledger_refuse() CASCADE"


@contextmanager
def put_back(settings: Settings, copy: Path, tables: int, progress: Progress) -> Iterator[Engine]:
    """Put a copy into the settings' database and give it as an engine, to be looked at.

    What the block raises is the verdict: then the database is again absent or empty. On SQLite
    the file takes its name only after the block. ``Conflict`` for a database that holds something
    or is in use.
    """
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        with _put_file_back(settings, Path(url.database or ""), copy) as engine:
            yield engine
    else:
        with _put_archive_back(settings, copy, tables, progress) as engine:
            yield engine


@contextmanager
def _put_file_back(settings: Settings, path: Path, copy: Path) -> Iterator[Engine]:
    if not path.name or path.is_dir():
        raise InvalidRequest("the database must be a file")
    beside = [path.with_name(path.name + end) for end in _BESIDE]
    leftover = [one for one in beside if one.exists() or one.is_symlink()]
    if leftover or (path.exists() and path.stat().st_size):
        raise Conflict(
            "there is a database at this place, or what is left of one: restore beside it and"
            " change RPMLEDGER_DATABASE_URL, or move it away first"
        )
    draft = path.with_name(f".{path.name}.draft")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _remove(draft)
        shutil.copyfile(copy, draft)
        draft.chmod(0o600)
        if not sound_sqlite(draft):
            raise InvalidRequest("the backup is damaged: its database does not fit together")
        engine = make_engine(settings.model_copy(update={"database_url": f"sqlite:///{draft}"}))
        try:
            yield engine
        finally:
            engine.dispose()  # the last connection writes everything into the one file
        make_durable(draft)
        draft.replace(path)
        make_durable(path.parent)
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    for end in ("", *_BESIDE):
        draft.with_name(draft.name + end).unlink(missing_ok=True)


@contextmanager
def _put_archive_back(
    settings: Settings, copy: Path, tables: int, progress: Progress
) -> Iterator[Engine]:
    created = _create_if_absent(settings)
    engine = make_engine(settings)
    try:
        with engine.connect() as connection:
            _refuse_in_use(connection)
        engine.dispose()
        try:
            postgresql_programs.restore(
                engine, copy, settings.postgresql_programs, tables, progress
            )
            yield engine
        except BaseException:
            if not created:
                _empty_again(engine)
            raise
    except BaseException:
        engine.dispose()
        if created:
            _on_server(settings, "DROP DATABASE {}")
        raise
    finally:
        engine.dispose()


def _refuse_in_use(connection: Connection) -> None:
    if connection.execute(text(_OTHERS)).scalar_one():
        raise Conflict("the database is in use: stop what is connected to it, or name another one")
    if connection.execute(text(_OBJECTS)).scalar_one():
        raise Conflict("the database is not empty: name an empty one, or one that is not there yet")


def _create_if_absent(settings: Settings) -> bool:
    engine = make_engine(settings)
    try:
        with engine.connect():
            return False
    except OperationalError as error:
        # the connection itself has no code for it: the server is asked
        if not _absent(settings):
            raise NotReady("the database server cannot be reached with this login") from error
    finally:
        engine.dispose()
    _on_server(settings, "CREATE DATABASE {}")
    return True


def _absent(settings: Settings) -> bool:
    name = make_url(settings.database_url).database
    engine = _server(settings)
    try:
        with engine.connect() as connection:
            known = text("SELECT count(*) FROM pg_database WHERE datname = :name")
            return not connection.execute(known, {"name": name}).scalar_one()
    except OperationalError:
        return False
    finally:
        engine.dispose()


def _on_server(settings: Settings, statement: str) -> None:
    engine = _server(settings)
    name = engine.dialect.identifier_preparer.quote_identifier(
        make_url(settings.database_url).database or ""
    )
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement.format(name))  # safe: a quoted identifier
    finally:
        engine.dispose()


def _server(settings: Settings) -> Engine:
    url = make_url(settings.database_url).set(database="postgres")
    shown = url.render_as_string(hide_password=False)
    return make_engine(settings.model_copy(update={"database_url": shown}))


def _empty_again(engine: Engine) -> None:
    with engine.begin() as connection:
        quote = connection.dialect.identifier_preparer.quote
        for name in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"DROP TABLE {quote(name)} CASCADE")  # safe: quoted name
        connection.exec_driver_sql(_OURS)

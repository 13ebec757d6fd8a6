"""Backups in tests: a writer at work, and another database to restore into."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from ledger_practice import Practice
from psycopg import sql
from sqlalchemy.engine import Engine, make_url

from rpm.actions.restore_backup import restore_backup
from rpm.actions.take_backup import take_backup
from rpm.settings import Settings
from rpm.store.engine import make_engine, reading
from rpm.store.tables.ledger import InteractionEntry

WORKED = date(2026, 1, 8)


def silent(*_progress: object) -> None:
    """Progress that nobody looks at."""


class Writer:
    """Writes entries one after another until told to stop, and remembers what was committed."""

    def __init__(self, practice: Practice, chart: tuple[UUID, UUID] | None = None) -> None:
        self.acknowledged: list[UUID] = []
        self.chart = chart or practice.enrolled()  # patient and episode
        self._practice = practice
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._stop.is_set():
            self.write()

    def write(self) -> None:
        """One entry more."""
        entry = self._practice.entry(*self.chart, WORKED, 60)
        self.acknowledged.append(entry.id)

    def __enter__(self) -> "Writer":
        self._thread.start()
        while len(self.acknowledged) < 3:
            self._thread.join(0.01)
            assert self._thread.is_alive()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stop.set()
        self._thread.join()


def back_up(engine: Engine, settings: Settings, now: datetime, out: Path) -> dict[str, Any]:
    """A backup in a folder of its own; its manifest."""
    return take_backup(engine, settings, now, out, silent)[1]


@contextmanager
def another_place(settings: Settings, folder: Path) -> Iterator[Settings]:
    """Settings of a database of the same kind that is not there yet; removed afterwards."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        path = folder / f"elsewhere-{uuid4().hex}" / "restored.db"
        yield settings.model_copy(update={"database_url": f"sqlite:///{path}"})
        shutil.rmtree(path.parent, ignore_errors=True)
        return
    name = f"restored_{uuid4().hex}"
    place = url.set(database=name).render_as_string(hide_password=False)
    yield settings.model_copy(update={"database_url": place})
    server = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(drop)


@contextmanager
def restored(backup: Path, settings: Settings, now: datetime) -> Iterator[Engine]:
    """A backup restored into another place, open."""
    restore_backup(backup, settings, now, silent)
    engine = make_engine(settings)
    yield engine
    engine.dispose()


def entry_ids(engine: Engine) -> set[UUID]:
    """The entries that a database holds."""
    with reading(engine) as db:
        rows = db.connection().execute(InteractionEntry.__table__.select())  # type: ignore[attr-defined] # a table class
        return {row.id for row in rows}

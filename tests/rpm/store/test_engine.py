"""Engine, transactions and column types, on both databases."""

import threading
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, InternalError, StatementError
from sqlmodel import select

from rpm.access import Actor
from rpm.errors import Busy, NotReady
from rpm.keys import key_file, load_keys
from rpm.settings import Settings
from rpm.store import engine as engine_module
from rpm.store.chain import recording
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.migrations import migrate
from rpm.store.tables.people import Patient
from rpm.store.tables.security import JobRun

EASTERN = timezone(timedelta(hours=-5))
NOON = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=EASTERN)


def run(slot: str, at: datetime = NOON) -> JobRun:
    """A job's run, the simplest row there is."""
    return JobRun(job="test", slot=slot, claimed_at=at)


def patient(family_name: str) -> Patient:
    """A patient, always under the same record number."""
    return Patient(
        record_number="R1",
        family_name=family_name,
        given_name="A",
        birth_date=date(1950, 1, 1),
        sex="F",
        timezone="America/New_York",
    )


def test_an_instant_comes_back_aware_in_utc_to_the_microsecond(engine: Engine) -> None:
    """An instant given in any zone is read back as the same instant, in UTC."""
    with transaction(engine) as session:
        session.add(run("1"))
    with reading(engine) as session:
        read = session.exec(select(JobRun)).one().claimed_at
    assert read == NOON
    assert read.tzinfo is UTC


def test_a_naive_instant_is_refused(engine: Engine) -> None:
    """An instant without a zone cannot be stored."""
    with pytest.raises(StatementError, match="without a time zone"), transaction(engine) as session:
        session.add(run("1", datetime(2026, 1, 15)))  # noqa: DTZ001 - what is refused


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    """An exception inside a transaction takes back all of it."""

    def fail() -> None:
        with transaction(engine) as session:
            session.add(run("1"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(engine) as session:
        assert session.exec(select(JobRun)).all() == []


def test_a_reading_session_commits_nothing(engine: Engine) -> None:
    """What is done in a reading session is gone after it, or refused at once."""
    with suppress(InternalError), reading(engine) as session:
        session.add(run("1"))
        session.flush()
    with reading(engine) as session:
        assert session.exec(select(JobRun)).all() == []


def test_writers_wait_for_each_other_and_none_is_lost(engine: Engine) -> None:
    """Two threads that read, think and write one counter never overwrite each other."""

    def claim() -> None:
        for _ in range(10):
            with transaction(engine) as session:
                session.connection().execute(text(lock))
                count = len(session.exec(select(JobRun)).all())
                session.add(run(str(count)))

    lock = "SELECT 1"
    if engine.dialect.name == "postgresql":
        lock = "SELECT pg_advisory_xact_lock(1)"
    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as session:
        assert len(session.exec(select(JobRun)).all()) == 20


def test_a_locked_database_says_busy(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that waits longer than the time-out is told to come again."""
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MILLISECONDS", 50)
    other = make_engine(settings)
    sqlite = engine.dialect.name == "sqlite"

    def write() -> None:
        with transaction(other) as session:
            session.add(run("2"))

    try:
        with transaction(engine) as holder:
            if not sqlite:
                holder.connection().execute(text("LOCK TABLE job_run"))
            with pytest.raises(Busy) as refused:
                write()
        assert refused.value.retry_after_seconds >= 1
    finally:
        other.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_writer_may_have_waited_already(engine: Engine, settings: Settings) -> None:
    """With less time left the database is waited for less; the next writer waits as ever."""
    other = make_engine(settings)
    with transaction(engine), pytest.raises(Busy), transaction(other, wait_seconds=0):
        pass
    with reading(other) as session:
        waits = session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    other.dispose()
    assert waits == engine_module.BUSY_TIMEOUT_MILLISECONDS


def test_an_error_text_holds_no_values(engine: Engine, actor: Actor) -> None:
    """A statement that fails does not tell the values it carried."""
    planted = "Zzyzxname"

    def register() -> None:
        with (
            transaction(engine) as session,
            recording(session, actor, NOON, "patient.register") as record,
        ):
            record.add_all([patient(planted), patient(planted)])

    with pytest.raises(IntegrityError) as refused:
        register()
    assert planted not in str(refused.value)


def test_sqlite_is_durable_and_checks_references(sqlite_template: object) -> None:
    """Every SQLite connection uses a write-ahead log, full synchronization and foreign keys."""
    engine = make_engine(Settings(database_url=f"sqlite:///{sqlite_template}"))
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    engine.dispose()
    assert found == ["wal", 2, 1, 4500]


def test_other_databases_are_refused() -> None:
    """A database that is neither SQLite nor PostgreSQL is refused by name."""
    with pytest.raises(ValueError, match="sqlite or postgresql"):
        make_engine(Settings(database_url="mysql://example/x"))


def test_an_embedded_database_makes_its_keys_once(tmp_path: object) -> None:
    """The key file is made once, readable by its owner only, and used again."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/new/ledger.db")
    engine = make_engine(settings)
    migrate(engine)
    engine.dispose()
    first, again = load_keys(settings), load_keys(settings)
    path = key_file(settings.database_url)
    assert first == again
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.glob("*.key*")] == ["ledger.db.key"]


def test_a_server_database_needs_keys_from_outside() -> None:
    """On PostgreSQL the missing variables are named, and no key is invented."""
    with pytest.raises(NotReady, match="RPMLEDGER_SECRET_KEY, RPMLEDGER_FIELD_KEY"):
        load_keys(Settings(database_url="postgresql://example/x", audit_key="a" * 40))

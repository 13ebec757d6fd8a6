"""Bringing a database to the version of this code.

Owns finding and running the steps under ``versions``. Does not own when: ``serve`` migrates an
embedded SQLite file itself, PostgreSQL is migrated by a role of its own.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine

_FOLDER = Path(__file__).parent
_LOCK = 0x72706D6C  # PostgreSQL advisory lock: one migration at a time


def migrate(engine: Engine) -> None:
    """Upgrade to the newest version; does nothing when already there. Safe to run twice at once."""
    with engine.execution_options(rpm_ledger_writes=True).begin() as connection:
        migrate_within(connection)


def migrate_within(connection: Connection) -> None:
    """``migrate`` in the transaction of a connection: whoever holds it commits or undoes it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def at_head(engine: Engine) -> bool:
    """Whether the database is at the version of this code."""
    with engine.connect() as connection:
        return current_revision(connection) == head_revision()


def current_revision(connection: Connection) -> str | None:
    """The database's version; None for an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """The version of this code."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def knows(revision: str | None) -> bool:
    """Whether a version is one of this code's: a newer program's database has another."""
    known = {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision in known


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config

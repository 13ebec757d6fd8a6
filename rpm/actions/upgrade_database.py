"""Upgrade a database that holds data: backup, migrate, verify, or back.

Owns that order. The migration is kept only when every record verifies after it, in one
transaction: what fails leaves the database as it was, and the backup lies beside it. Does not own
the migrations (``rpm.store.migrations``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import Engine
from sqlmodel import Session

from billing.finding import Finding, Severity
from rpm.actions.restore_backup import Told
from rpm.actions.take_backup import TAKEN, record_copy, take_backup
from rpm.actions.verify_all import verify_all
from rpm.errors import InvalidRequest, NotReady
from rpm.settings import Settings
from rpm.store.append_only import append_only_tables
from rpm.store.migrations import at_head, current_revision, knows, migrate, migrate_within
from rpm.store.snapshot import holdings


@dataclass(frozen=True)
class Upgraded:
    """The backup that was taken, None where nothing was to do; what verification remarks."""

    backup: Path | None
    remarks: Sequence[Finding] = ()


def upgrade_database(
    engine: Engine,
    settings: Settings,
    now: datetime,
    backups: Path,
    told: Told,
    *,
    accept: bool = False,
) -> Upgraded:
    """Bring a database to this version; an empty one is only migrated.

    The backup goes into a folder of its own below ``backups``. With ``accept`` findings of the
    verification are remarks. ``InvalidRequest`` with the findings when the record does not verify
    afterwards, ``NotReady`` when a step fails: then the database is as it was.
    """
    if at_head(engine):
        return Upgraded(None)
    with engine.connect() as connection:
        held = holdings(connection)
    if held.schema_revision is not None and not knows(held.schema_revision):
        raise NotReady("the database is of a newer version of this product")
    if not held.anchors:
        migrate(engine)
        return Upgraded(None)
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder, manifest = take_backup(
        engine, settings, now, backups, lambda done, total: told("backup", done, total)
    )
    try:
        with engine.execution_options(rpm_ledger_writes=True).begin() as connection:
            remarks = _migrated(connection, told, accept=accept)
    except InvalidRequest as error:
        outcome = _outcome(engine, held.schema_revision, folder)
        raise InvalidRequest(f"{error.message}; {outcome}", error.findings) from error
    except Exception as error:
        outcome = _outcome(engine, held.schema_revision, folder)
        raise NotReady(f"the migration failed ({type(error).__name__}); {outcome}") from error
    record_copy(engine, now, manifest, TAKEN, "upgrade")
    return Upgraded(folder, remarks)


def _migrated(connection: Connection, told: Told, *, accept: bool) -> list[Finding]:
    """Migrate and verify in the connection's transaction; ``InvalidRequest`` when it must not be
    kept.
    """
    before = holdings(connection)
    migrate_within(connection)
    after = holdings(connection).rows
    facts = {table.name for table in append_only_tables()} & before.rows.keys()
    lost = sorted(name for name in facts if after.get(name) != before.rows[name])
    if lost:
        raise InvalidRequest(f"the migration would not keep the rows of {', '.join(lost)}")
    with Session(connection) as session:
        found = verify_all(
            session, before.anchors, "upgrade", lambda done, total: told("verify", done, total)
        )
    errors = [one for one in found if one.severity is Severity.ERROR]
    if errors and not accept:
        raise InvalidRequest("the record does not verify after the migration", errors)
    return found


def _outcome(engine: Engine, revision: str | None, folder: Path) -> str:
    """What to tell of a failed upgrade, after a look at where the database stands now."""
    with engine.connect() as connection:
        undone = current_revision(connection) == revision
    if undone:
        return f"it was undone, the database is as it was; a backup is in {folder.name}"
    return f"restore the backup {folder.name} with rpm-ledger restore"

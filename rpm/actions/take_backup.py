"""Take a backup: the copy, its manifest, and an audit event that tells it was taken.

Owns the backup's folder, which appears whole or not at all, and the order: the copy first, the
event after, so that a backup's anchors are those of what it holds. Never holds a key.
"""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Engine

from rpm.access import system_actor
from rpm.actions.backup_manifest import MANIFEST, manifest_bytes, manifest_of
from rpm.durable import make_durable
from rpm.errors import Conflict, NotReady
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.chain import recording
from rpm.store.engine import transaction
from rpm.store.snapshot import FILES, Progress, copy_database

TAKEN, RESTORED = "backup.take", "backup.restore"
"""What is recorded of a copy."""


def take_backup(
    engine: Engine, settings: Settings, now: datetime, out: Path, progress: Progress
) -> tuple[Path, dict[str, Any]]:
    """Copy the database into a folder of its own; the folder and its manifest.

    ``out`` is the backup's folder, or a folder that is there already and gets the backup as a
    folder named after the instant. ``Conflict`` when the backup's folder exists, ``NotReady`` for
    an empty database and where PostgreSQL's programs fail; OSError as the system does. Then
    nothing is left behind. Not recorded: see ``record_copy``.
    """
    folder = out / f"rpm-ledger-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}" if out.is_dir() else out
    if folder.exists() or folder.is_symlink():
        raise Conflict("there is a backup of this name already")
    draft = folder.with_name(f".{folder.name}.draft")
    if draft.is_symlink():
        draft.unlink()
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was cut off
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft.mkdir(mode=0o700)
    try:
        manifest = _fill(engine, settings, now, draft, progress)
        draft.rename(folder)
    except BaseException:
        with suppress(OSError):
            shutil.rmtree(draft)
        raise
    make_durable(folder.parent)
    return folder, manifest


def _fill(
    engine: Engine, settings: Settings, now: datetime, draft: Path, progress: Progress
) -> dict[str, Any]:
    name = engine.dialect.name
    path = draft / FILES[name]
    held = copy_database(engine, path, settings.postgresql_programs, progress)
    if held.schema_revision is None:
        raise NotReady("there is nothing to back up: the database is empty")
    manifest = manifest_of(held, name, path, now, load_keys(settings).audit)
    (draft / MANIFEST).write_bytes(manifest_bytes(manifest))
    for written in (path, draft / MANIFEST):
        written.chmod(0o600)
        make_durable(written)
    make_durable(draft)
    return manifest


def record_copy(
    engine: Engine, now: datetime, manifest: dict[str, Any], action: str, command: str
) -> None:
    """Record in each organization that this copy was taken or put back, and by which command.

    The database must be at this version.
    """
    subject = {"taken_at": manifest["taken_at"], "sha256": manifest["file"]["sha256"]}
    for organization_id in map(UUID, manifest["anchors"]):
        actor = system_actor(organization_id, f"rpm-ledger {command}")
        with transaction(engine) as session, recording(session, actor, now, action, subject):
            pass

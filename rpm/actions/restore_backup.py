"""Restore a backup: checked, put back, counted, brought to this version and verified, then served.

Owns the order and what makes a restored database acceptable. Does not own how a copy is put back
(``rpm.store.put_back``). A backup that is refused changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine, make_url

from billing.finding import Finding, Severity
from rpm.actions.backup_manifest import checked_manifest, held_by
from rpm.actions.take_backup import RESTORED, record_copy
from rpm.actions.verify_all import verify_all
from rpm.errors import InvalidRequest, NotReady
from rpm.keys import load_keys, with_known_keys
from rpm.settings import Settings
from rpm.store.engine import reading
from rpm.store.migrations import knows, migrate
from rpm.store.put_back import put_back
from rpm.store.snapshot import FILES, Holdings, holdings

Told = Callable[[str, int, int], None]
"""Called with the part of the work, the pieces done and the pieces in all."""


@dataclass(frozen=True)
class Restored:
    """A backup's manifest, and what verification has to say that is no error."""

    manifest: dict[str, Any]
    remarks: list[Finding]


def restore_backup(backup: Path, settings: Settings, now: datetime, told: Told) -> Restored:
    """Restore a backup into the settings' database, which must be absent or empty.

    ``InvalidRequest`` for a foreign or damaged backup, one of another engine or a newer version,
    and for a record that does not verify; ``NotReady`` where its keys are not set; ``Conflict``
    where the database holds something or is in use. The restore is recorded in the restored
    database.
    """
    settings = with_known_keys(settings)
    manifest = checked_manifest(backup, load_keys(settings).audit)
    if make_url(settings.database_url).get_backend_name() != manifest["engine"]:
        raise InvalidRequest(f"the backup is of {manifest['engine']}: name a database of that kind")
    if not knows(manifest["schema_revision"]):
        raise InvalidRequest("the backup was made by a newer version of this product")
    held, copy = held_by(manifest), backup / FILES[manifest["engine"]]
    with put_back(
        settings, copy, len(held.rows), lambda done, total: told("restore", done, total)
    ) as engine:
        remarks = _accepted(engine, held, told)
        record_copy(engine, now, manifest, RESTORED, "restore")
    return Restored(manifest, remarks)


def _accepted(engine: Engine, held: Holdings, told: Told) -> list[Finding]:
    """Remarks about a database that fits its manifest and verifies; raises for any other."""
    with reading(engine) as session:
        if holdings(session.connection()) != held:
            raise InvalidRequest("the backup is damaged: it does not hold what its manifest tells")
    migrate(engine)
    with reading(engine) as session:
        found = verify_all(
            session, held.anchors, "restore", lambda done, total: told("verify", done, total)
        )
    errors = [one for one in found if one.severity is Severity.ERROR]
    if any(one.code == "E_CHAIN_KEY_UNKNOWN" for one in errors):
        raise NotReady(
            "an earlier audit key is not set, so the record cannot be verified; this is no sign of"
            " tampering: set RPMLEDGER_PREVIOUS_AUDIT_KEYS"
        )
    if errors:
        raise InvalidRequest("the record in the backup does not verify", errors)
    return found

"""The databases of released versions, kept small: how they are made, and how they are opened.

``python tests/released.py`` plays a few patients of the demo's story with fixed keys, adds the
kinds of rows that the story does not come to, and keeps the same rows for both engines under
``tests/files/releases/VERSION``, with what they must still hold after any later migration. Run it
once, when a version is released; what is kept is never made anew.
"""

import json
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger_practice import Practice, days
from pydantic import SecretStr
from sqlalchemy import func, insert, select
from sqlalchemy.engine import Engine, make_url
from sqlmodel import Session, col

import rpm
from rpm import logs
from rpm.actions.close_month import CloseMonth, close_month
from rpm.demo.play import new_demo, play
from rpm.demo.server import serving, taken_address
from rpm.settings import Settings
from rpm.store.chain import chain_head
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.migrations import current_revision, migrate
from rpm.store.put_back import put_back
from rpm.store.tables import METADATA
from rpm.store.tables.monitoring import EpisodeEnd
from rpm.store.tables.people import Organization

RELEASES = Path(__file__).parent / "files" / "releases"
SQLITE, POSTGRESQL, HELD = "database.db.xz", "database.dump.xz", "held.json"
KEYS: dict[str, Any] = {
    "secret_key": "released practice: the key of its cursors",
    "audit_key": "released practice: the key of its chain",
    "field_key": "released practice: the key of its secrets",
}
KEY_SECRETS = {name: SecretStr(key) for name, key in KEYS.items()}
_PATIENTS = 3
_UNTIL = date(2026, 1, 3)
_AFTER = datetime(2026, 2, 2, 15, tzinfo=UTC)


def released_settings(database_url: str) -> Settings:
    """Settings with the keys that every kept database was made with."""
    return Settings(database_url=database_url, **KEYS)


def releases() -> list[Path]:
    """The folders of all released versions."""
    return sorted(path.parent for path in RELEASES.glob(f"*/{HELD}"))


def unpacked(release: Path, name: str, folder: Path) -> Path:
    """The kept database of a release (``SQLITE`` or ``POSTGRESQL``), unpacked into a folder."""
    path = folder / name.removesuffix(".xz")
    path.write_bytes(lzma.decompress((release / name).read_bytes()))
    return path


@contextmanager
def opened(release: Path, place: Settings, folder: Path) -> Iterator[Engine]:
    """The kept database of a release, put into a place that is absent yet, as it was released."""
    sqlite = make_url(place.database_url).get_backend_name() == "sqlite"
    copy = unpacked(release, SQLITE if sqlite else POSTGRESQL, folder)
    with put_back(place.model_copy(update=KEY_SECRETS), copy, 1, lambda *_: None) as engine:
        yield engine


def held(release: Path) -> dict[str, Any]:
    """What a kept database holds: rows by table, chain heads by organization."""
    found: dict[str, Any] = json.loads((release / HELD).read_text(encoding="utf-8"))
    return found


def _make(folder: Path, server: str, pg_dump: str) -> None:
    """Make both databases and what they hold, into the folder of this version."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as made, _played(Path(made)) as engine:
        _add_a_second_practice(engine)
        (folder / HELD).write_text(json.dumps(_held(engine), indent=1) + "\n", encoding="utf-8")
        _copy_to_postgresql(engine, server)
        dump = [pg_dump, "--format=custom", "--compress=none", "--no-owner", "--no-privileges"]
        done = subprocess.run([*dump, server], check=True, capture_output=True)
        (folder / POSTGRESQL).write_bytes(lzma.compress(done.stdout, preset=9))
        path = Path(made) / "plain.db"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("VACUUM INTO ?", (str(path),))
        (folder / SQLITE).write_bytes(lzma.compress(path.read_bytes(), preset=9))


@contextmanager
def _played(folder: Path) -> Iterator[Engine]:
    with new_demo(folder, _PATIENTS) as demo:
        with serving(demo.settings, taken_address(None)) as url:
            unexpected = play(demo, url, _UNTIL, lambda *_: None)
        assert unexpected == [], unexpected
        yield demo.engine


def _add_a_second_practice(engine: Engine) -> None:
    """A practice with the kinds of facts that the demo's few patients do not come to."""
    practice = Practice.opened(engine, datetime(2026, 1, 15, 15, tzinfo=UTC))
    practice.setting("close_on_day", "by-hand")
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 17))
    entry = practice.entry(patient_id, episode_id, date(2026, 1, 8), 1_300)
    practice.service(patient_id, "99490", date(2026, 1, 20), own=True)
    _close(practice)
    practice.exclude(rows[3])
    practice.reverse(entry)
    _close(practice)
    practice.record(*practice.coverage_ends(patient_id, date(2026, 2, 1)))
    practice.record(*practice.consent_ends(episode_id, date(2026, 2, 1)))
    practice.record(
        EpisodeEnd(episode_id=episode_id, last_day=date(2026, 2, 1), end_reason="goals_met")
    )


def _close(practice: Practice) -> None:
    with transaction(practice.engine) as db:
        close_month(db, practice.actor, _AFTER, CloseMonth(month="2026-01"))


def _held(engine: Engine) -> dict[str, Any]:
    with reading(engine) as db:
        connection = db.connection()
        return {
            "product_version": rpm.__version__,
            "schema_revision": current_revision(connection),
            "rows": {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in METADATA.sorted_tables
            },
            "anchors": {str(one): _anchor(db, one) for one in _organizations(db)},
        }


def _organizations(db: Session) -> list[UUID]:
    return list(db.connection().execute(select(col(Organization.id)).order_by("id")).scalars())


def _anchor(db: Session, organization_id: UUID) -> dict[str, Any]:
    return chain_head(db, organization_id).as_json()


def _copy_to_postgresql(source: Engine, url: str) -> None:
    """The same rows in an empty database of the other engine."""
    target = make_engine(released_settings(url))
    migrate(target)
    with reading(source) as db, target.begin() as connection:
        for table in METADATA.sorted_tables:
            rows = [dict(row._mapping) for row in db.connection().execute(select(table))]
            if rows:
                connection.execute(insert(table), rows)
    target.dispose()


if __name__ == "__main__":
    logs.configure("warning")
    os.environ |= {f"RPMLEDGER_{name.upper()}": key for name, key in KEYS.items()}
    _make(RELEASES / rpm.__version__, *sys.argv[1:])

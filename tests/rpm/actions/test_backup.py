"""Backup, restore and upgrade: what they hold, what they refuse, and what they leave behind."""

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from copying import another_place, back_up, restored, silent
from ledger_practice import Practice, days
from pydantic import SecretStr
from released import KEY_SECRETS, opened, releases
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url
from tampering import unguarded

from rpm.access import Actor
from rpm.actions.restore_backup import restore_backup
from rpm.actions.take_backup import TAKEN, record_copy, take_backup
from rpm.actions.upgrade_database import upgrade_database
from rpm.actions.verify_all import verify_all
from rpm.audit import content_digest
from rpm.clock import Clock
from rpm.errors import Conflict, InvalidRequest, NotReady, ServiceError
from rpm.keys import key_file, load_keys
from rpm.settings import Settings
from rpm.store import migrations
from rpm.store.engine import make_engine, reading
from rpm.store.migrations import at_head, current_revision
from rpm.store.snapshot import holdings
from rpm.store.tables.security import AuditEvent


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """A practice with a patient, readings and minutes."""
    practice = Practice(engine, actor, clock.now())
    chart = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(*chart, days(date(2026, 1, 1), 5))
    practice.entry(*chart, date(2026, 1, 8), 600)
    return practice


@pytest.fixture
def backup(practice: Practice, owner_settings: Settings, clock: Clock, tmp_path: Path) -> Path:
    """A backup of the practice."""
    back_up(practice.engine, owner_settings, clock.now(), tmp_path / "backup")
    return tmp_path / "backup"


@pytest.fixture
def place(owner_settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a database that is not there yet."""
    with another_place(owner_settings, tmp_path) as place:
        yield place


def refused(backup: Path, place: Settings, clock: Clock) -> ServiceError:
    """The error with which a restore is refused."""
    with pytest.raises(ServiceError) as caught:
        restore_backup(backup, place, clock.now(), silent)
    return caught.value


def actions(engine: Engine) -> list[str]:
    """What was recorded last, newest first."""
    query = f"SELECT action FROM {AuditEvent.__tablename__} ORDER BY number DESC LIMIT 3"
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def test_the_manifest_tells_what_the_copy_holds(
    practice: Practice, backup: Path, engine: Engine, clock: Clock
) -> None:
    """Rows, chain heads, version and instant are those of the database when it was copied."""
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    with reading(engine) as db:
        held = holdings(db.connection())
    assert manifest["rows"] == held.rows
    assert manifest["rows"]["reading"] == 5
    assert manifest["schema_revision"] == held.schema_revision
    assert manifest["engine"] == engine.dialect.name
    assert manifest["taken_at"] == clock.now().isoformat()
    assert manifest["anchors"] == {str(k): v.as_json() for k, v in held.anchors.items()}
    assert {path.stat().st_mode & 0o077 for path in [backup, *backup.iterdir()]} == {0}


def test_no_key_is_in_a_backup(owner_settings: Settings, backup: Path) -> None:
    """Neither a key nor a key file is in the folder, in any of its files."""
    assert {path.stem for path in backup.iterdir()} == {"database", "manifest"}
    for name in ("secret_key", "audit_key", "field_key"):
        secret = getattr(owner_settings, name).get_secret_value().encode()
        assert all(secret not in path.read_bytes() for path in backup.iterdir())


def test_a_backup_and_a_restore_are_on_record(
    backup: Path, place: Settings, engine: Engine, clock: Clock
) -> None:
    """The backup is recorded after it, so its anchors are its own; the restore in the restored."""
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    record_copy(engine, clock.now(), manifest, TAKEN, "backup")
    assert actions(engine)[0] == "backup.take"
    with restored(backup, place, clock.now()) as copy:
        assert actions(copy)[0] == "backup.restore"
        assert "backup.take" not in actions(copy)
        with reading(copy) as db:
            assert verify_all(db, {}, "test", silent) == []


def test_a_backup_is_whole_or_absent(
    practice: Practice, owner_settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    """What fails on the way leaves nothing; a name in use is refused; leftovers are replaced."""

    def fail(*_: object) -> None:
        raise OSError

    out = tmp_path / "out"
    with pytest.raises(OSError, match=r"^$"):
        take_backup(practice.engine, owner_settings, clock.now(), out, fail)
    assert list(tmp_path.glob("*out*")) == []
    (tmp_path / ".out.draft").mkdir()
    (tmp_path / ".out.draft" / "database.db").write_text("left over", encoding="utf-8")
    back_up(practice.engine, owner_settings, clock.now(), out)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    folder, _ = take_backup(practice.engine, owner_settings, clock.now(), out, silent)
    assert folder == out / "rpm-ledger-20260115T150000Z"
    with pytest.raises(Conflict):
        take_backup(practice.engine, owner_settings, clock.now(), out, silent)


def test_a_foreign_folder_is_named(
    backup: Path, place: Settings, clock: Clock, tmp_path: Path
) -> None:
    """A folder that is no backup, a file, and a manifest of something else are told apart."""
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    shutil.copytree(backup, other)
    (other / "manifest.json").write_text('{"format": "something else 3"}', encoding="utf-8")
    for foreign in (empty, tmp_path / "absent", backup / "manifest.json", other):
        error = refused(foreign, place, clock)
        assert isinstance(error, InvalidRequest)
        assert error.message.startswith("not a backup")


def test_a_manifest_that_somebody_else_wrote_is_named(
    backup: Path, place: Settings, clock: Clock
) -> None:
    """Whoever lacks the audit key cannot make a backup look sound, even with its sums put right."""
    path = backup / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    content = {name: manifest[name] for name in manifest if name not in ("digest", "seal")}
    content["rows"]["patient"] = 0
    manifest = {**content, "digest": content_digest(content), "seal": manifest["seal"]}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert "not genuine" in refused(backup, place, clock).message


def test_another_audit_key_is_told_as_such(backup: Path, place: Settings, clock: Clock) -> None:
    """A wrong key is no sign of tampering, and says what to set."""
    wrong = place.model_copy(update={"audit_key": SecretStr("7d" + "0b9e4c8a1f" * 6)})
    error = refused(backup, wrong, clock)
    assert isinstance(error, NotReady)
    assert "another audit key" in error.message
    assert "no sign of tampering" in error.message
    right = wrong.model_copy(update={"previous_audit_keys": [place.audit_key]})
    restore_backup(backup, right, clock.now(), silent)


def test_a_backup_of_the_other_engine_is_refused(
    backup: Path, place: Settings, clock: Clock, tmp_path: Path
) -> None:
    """A copy goes back into the engine it came from."""
    sqlite = make_url(place.database_url).get_backend_name() == "sqlite"
    other = "postgresql://nobody@/nothing" if sqlite else f"sqlite:///{tmp_path}/other.db"
    error = refused(backup, place.model_copy(update={"database_url": other}), clock)
    assert "name a database of that kind" in error.message
    assert not (tmp_path / "other.db").exists()


def test_a_database_that_holds_something_is_not_overwritten(
    backup: Path, practice: Practice, owner_settings: Settings, clock: Clock
) -> None:
    """Neither the database the backup came from nor any other with a table in it is touched."""
    with reading(practice.engine) as db:
        before = holdings(db.connection())
    practice.engine.dispose()
    assert isinstance(refused(backup, owner_settings, clock), Conflict)
    with reading(practice.engine) as db:
        assert holdings(db.connection()) == before


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_in_use_is_refused_on_postgresql(
    backup: Path, place: Settings, clock: Clock
) -> None:
    """An empty database that somebody is connected to is not restored into, and once free it is."""
    url = make_url(place.database_url).set(drivername="postgresql")
    server = url.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{url.database}"')
    with psycopg.connect(url.render_as_string(hide_password=False)):
        assert "in use" in refused(backup, place, clock).message
    restore_backup(backup, place, clock.now(), silent)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("left", ["-wal", "-shm", "-journal", ""])
def test_what_is_left_of_a_database_is_not_restored_over(
    backup: Path, place: Settings, clock: Clock, left: str
) -> None:
    """A log of another database beside the new file would be read into it."""
    path = Path(make_url(place.database_url).database or "")
    path.parent.mkdir()
    path.with_name(path.name + left).write_bytes(b"something")
    assert isinstance(refused(backup, place, clock), Conflict)
    assert [one.name for one in path.parent.iterdir()] == [path.name + left]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_key_file_is_put_beside_first(
    practice: Practice, owner_settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    """Without its key file a restore names it and makes none of its own; with it, it works."""
    own = Settings(database_url=f"sqlite:///{tmp_path}/own/own.db")
    engine = make_engine(own)
    migrations.migrate(engine)
    Practice.opened(engine, clock.now())
    back_up(engine, own, clock.now(), tmp_path / "mine")
    engine.dispose()
    new = Settings(database_url=f"sqlite:///{tmp_path}/new/new.db")
    assert "new.db.key" in refused(tmp_path / "mine", new, clock).message
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    shutil.copy(f"{tmp_path}/own/own.db.key", f"{tmp_path}/new/new.db.key")
    restore_backup(tmp_path / "mine", new, clock.now(), silent)
    assert key_file(new.database_url) is not None
    assert load_keys(new).audit.keys == load_keys(own).audit.keys


def test_a_record_that_does_not_verify_is_not_restored(
    practice: Practice,
    owner_settings: Settings,
    place: Settings,
    clock: Clock,
    tmp_path: Path,
) -> None:
    """A backup of a record that was tampered with is sound as a copy, and refused with findings."""
    with unguarded(practice.engine) as connection:
        connection.execute(text("UPDATE interaction_entry SET duration_seconds = 6000"))
        connection.commit()
    back_up(practice.engine, owner_settings, clock.now(), tmp_path / "tampered")
    error = refused(tmp_path / "tampered", place, clock)
    assert isinstance(error, InvalidRequest)
    assert "E_CHAIN_ROW_CHANGED" in {one.code for one in error.findings}
    assert isinstance(refused(tmp_path / "tampered", place, clock), InvalidRequest)


@pytest.fixture
def with_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives this program one migration more, with the statements of its upgrade."""

    def add(*statements: str, failing: bool = False) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(migrations.__path__[0], folder)
        head = migrations.head_revision()
        lines = [f"    op.execute({statement!r})\n" for statement in statements]
        lines += ["    raise RuntimeError\n"] if failing else []
        (folder / "versions" / "9999_test.py").write_text(
            f'from alembic import op\nrevision = "9999"\ndown_revision = "{head}"\n'
            "def upgrade() -> None:\n" + "".join(lines) + "def downgrade() -> None: ...\n",
            encoding="utf-8",
        )
        monkeypatch.setattr(migrations, "_FOLDER", folder)

    return add


NEW_TABLE = "CREATE TABLE later (id INTEGER PRIMARY KEY)"


def upgraded(practice: Practice, settings: Settings, folder: Path, **given: bool) -> Path | None:
    """Upgrade the practice's database; the backup that was taken."""
    later = practice.now + timedelta(hours=1)
    return upgrade_database(practice.engine, settings, later, folder, silent, **given).backup


def test_an_upgrade_backs_up_migrates_and_verifies(
    practice: Practice, owner_settings: Settings, tmp_path: Path, with_version: Any
) -> None:
    """Afterwards the database is at the new version, and the backup at the old one."""
    assert upgraded(practice, owner_settings, tmp_path / "backups") is None
    with practice.engine.connect() as connection:
        old = current_revision(connection)
    with_version(NEW_TABLE)
    backup = upgraded(practice, owner_settings, tmp_path / "backups")
    assert backup is not None
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema_revision"] == old
    assert at_head(practice.engine)
    assert actions(practice.engine)[0] == "backup.take"


@pytest.mark.parametrize(
    ("statements", "failing"),
    [
        ((NEW_TABLE,), True),
        (
            (NEW_TABLE, "INSERT INTO later VALUES ('no number')", "SELECT nothing FROM nowhere"),
            False,
        ),
    ],
)
def test_an_upgrade_that_fails_changes_nothing(
    practice: Practice,
    owner_settings: Settings,
    tmp_path: Path,
    with_version: Any,
    statements: tuple[str, ...],
    failing: bool,
) -> None:
    """A migration that breaks off half-way leaves the database as it was, and says so."""
    with reading(practice.engine) as db:
        before = holdings(db.connection())
    with_version(*statements, failing=failing)
    with pytest.raises(NotReady, match="the database is as it was") as caught:
        upgraded(practice, owner_settings, tmp_path / "backups")
    assert "rpm-ledger-20260115T160000Z" in caught.value.message
    with reading(practice.engine) as db:
        assert holdings(db.connection()) == before


def test_an_upgrade_whose_record_does_not_verify_is_undone_unless_accepted(
    practice: Practice, owner_settings: Settings, tmp_path: Path, with_version: Any
) -> None:
    """Findings are told; who has looked at them may keep the new version all the same."""
    with unguarded(practice.engine) as connection:
        connection.execute(text("UPDATE interaction_entry SET duration_seconds = 6000"))
        connection.commit()
    with_version(NEW_TABLE)
    with pytest.raises(InvalidRequest, match="the database is as it was") as caught:
        upgraded(practice, owner_settings, tmp_path / "backups")
    assert "E_CHAIN_ROW_CHANGED" in {one.code for one in caught.value.findings}
    assert not at_head(practice.engine)
    upgraded(practice, owner_settings, tmp_path / "accepted", accept=True)
    assert at_head(practice.engine)


def test_an_upgrade_that_would_lose_facts_is_undone(
    practice: Practice, owner_settings: Settings, tmp_path: Path, with_version: Any
) -> None:
    """A migration keeps every row of every fact table."""
    name = "append_only_reading_delete" if practice.engine.dialect.name == "sqlite" else ""
    drop = f"DROP TRIGGER {name}" if name else "DROP TRIGGER append_only_reading_change ON reading"
    with_version(drop, "DELETE FROM reading")
    with pytest.raises(InvalidRequest, match="would not keep the rows of reading"):
        upgraded(practice, owner_settings, tmp_path / "backups")
    assert not at_head(practice.engine)
    with reading(practice.engine) as db:
        assert holdings(db.connection()).rows["reading"] == 5


def test_a_database_of_a_newer_version_is_left_alone(
    practice: Practice, owner_settings: Settings, tmp_path: Path, place: Settings, clock: Clock
) -> None:
    """Neither an upgrade nor a restore touches what this program does not know."""
    with practice.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'zzzz'"))
    with pytest.raises(NotReady, match="newer version"):
        upgraded(practice, owner_settings, tmp_path / "backups")
    assert not (tmp_path / "backups").exists()
    back_up(practice.engine, owner_settings, clock.now(), tmp_path / "newer")
    assert "newer version" in refused(tmp_path / "newer", place, clock).message


def test_an_old_backup_is_brought_to_this_version(
    owner_settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    """A backup of an earlier release restores, is migrated and verified."""
    (release, *_) = releases()
    with (
        another_place(owner_settings, tmp_path) as old,
        another_place(owner_settings, tmp_path) as new,
        opened(release, old, tmp_path) as engine,
    ):
        keyed = old.model_copy(update=KEY_SECRETS)
        back_up(engine, keyed, clock.now(), tmp_path / "old")
        place = new.model_copy(update=KEY_SECRETS)
        with restored(tmp_path / "old", place, clock.now()) as copy:
            assert at_head(copy)

"""backup, restore and upgrade from the command line, on both databases."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from copying import another_place
from ledger_practice import Practice
from released import KEYS, SQLITE, releases, unpacked
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.cli import USAGE, run
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.engine import make_engine, reading
from rpm.store.migrations import at_head
from rpm.store.snapshot import holdings


@pytest.fixture
def environment(owner_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The owner's login and the keys as a command finds them."""
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", owner_settings.database_url)
    for name in ("secret_key", "audit_key", "field_key"):
        secret = getattr(owner_settings, name).get_secret_value()
        monkeypatch.setenv(f"RPMLEDGER_{name.upper()}", secret)
    if owner_settings.postgresql_programs is not None:
        programs = str(owner_settings.postgresql_programs)
        monkeypatch.setenv("RPMLEDGER_POSTGRESQL_PROGRAMS", programs)
    return owner_settings


@pytest.fixture
def place(owner_settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a database that is not there yet."""
    with another_place(owner_settings, tmp_path) as place:
        yield place


def test_to_and_fro(
    environment: Settings,
    engine: Engine,
    actor: Actor,
    clock: Clock,
    place: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A backup names itself in its last line and is on record; it restores once, not twice."""
    Practice(engine, actor, clock.now()).enrolled()
    engine.dispose()
    assert run(["backup", "--out", str(tmp_path / "kept")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"backup: {tmp_path / 'kept'}"
    with reading(engine) as db:
        rows = holdings(db.connection()).rows
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text(encoding="utf-8"))
    assert rows["audit_event"] == manifest["rows"]["audit_event"] + 1
    assert run(["backup", "--out", str(tmp_path / "kept" / "manifest.json")]) == USAGE
    capsys.readouterr()
    restore = ["restore", str(tmp_path / "kept"), "--to", place.database_url]
    assert run(restore) == 0
    assert capsys.readouterr().out.startswith("restored and verified: ")
    assert run(restore) == USAGE
    told = capsys.readouterr().err
    assert "rpm-ledger: " in told
    assert run(["restore", str(tmp_path), "--to", place.database_url]) == USAGE
    assert "not a backup" in capsys.readouterr().err


def test_nothing_to_upgrade(
    environment: Settings, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database at this version is left alone, without a backup."""
    assert run(["upgrade", "--backup-to", str(tmp_path / "backups")]) == 0
    assert capsys.readouterr().out == "the database is at this version\n"
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize("command", [["upgrade"], ["verify"]])
def test_an_old_file_is_upgraded_with_a_backup(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """upgrade, and any command that opens an embedded file of an earlier release, backs it up."""
    path = unpacked(releases()[0], SQLITE, tmp_path)
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", f"sqlite:///{path}")
    for name, key in KEYS.items():
        monkeypatch.setenv(f"RPMLEDGER_{name.upper()}", key)
    began = datetime.now(UTC)
    assert run(command) == 0, capsys.readouterr().err
    (backup,) = (tmp_path / "backups").iterdir()
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema_revision"] == "0004"
    assert datetime.fromisoformat(manifest["taken_at"]) >= began
    engine = make_engine(Settings(database_url=f"sqlite:///{path}", **KEYS))
    assert at_head(engine)
    engine.dispose()

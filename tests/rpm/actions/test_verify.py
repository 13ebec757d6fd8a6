"""Verifying a record: a sound one passes, and each kind of change is named."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from ledger_practice import Practice, days
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

import rpm
from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.export_close import ExportClose, export_close
from rpm.actions.verify import verify_record
from rpm.audit import Anchor
from rpm.clock import Clock
from rpm.errors import NotAllowed
from rpm.settings import Settings
from rpm.store.chain import chain_head
from rpm.store.engine import make_engine, reading, transaction

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def close(practice: Practice) -> Any:
    """Close January 2026 and export it."""
    with transaction(practice.engine) as db:
        made = close_month(db, practice.actor, FEBRUARY, CloseMonth(month="2026-01")).close
        export_close(db, practice.actor, FEBRUARY, ExportClose(close_id=made.id))
        return made


def worked(practice: Practice) -> None:
    """A practice with two closes: late facts after the first."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    entry = practice.entry(patient_id, episode_id, date(2026, 1, 8), 1300)
    close(practice)
    practice.exclude(rows[3])
    practice.reverse(entry)
    close(practice)
    practice.readings(patient_id, episode_id, [date(2026, 1, 29)])


def findings(practice: Practice, *anchors: Anchor) -> list[str]:
    """The codes of what does not fit."""
    with reading(practice.engine) as db:
        return [one.code for one in verify_record(db, practice.actor, anchors)]


def test_a_worked_record_passes(practice: Practice) -> None:
    """Closes with differences and facts recorded since verify without a finding."""
    worked(practice)
    with reading(practice.engine) as db:
        head = chain_head(db, practice.actor.organization_id)
    assert findings(practice) == []
    assert findings(practice, head) == []


def test_an_anchor_from_outside_shows_an_old_copy(practice: Practice) -> None:
    """A chain head that was kept elsewhere and is no longer reached is a cut."""
    worked(practice)
    assert "E_CHAIN_CUT" in findings(practice, Anchor(10_000, "0" * 64))


def test_a_wrong_projection_is_named(practice: Practice) -> None:
    """A device day that the readings do not give is a finding."""
    worked(practice)
    with transaction(practice.engine) as db:
        db.connection().execute(text("UPDATE device_day SET qualifying_count = 7"))
    assert set(findings(practice)) == {"E_DEVICE_DAY_DIFFERS"}


def test_a_close_of_another_version_is_told_and_not_called_tampering(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outcome that another version computes otherwise is a warning that names both."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    monkeypatch.setattr("rpm.actions.compute_close.outcome_lines", lambda _found: iter(["older"]))
    monkeypatch.setattr(rpm, "__version__", "0.0.9")
    close(practice)
    assert findings(practice) == ["E_CLOSE_DIFFERS"]
    monkeypatch.setattr(rpm, "__version__", "0.1.0")
    with reading(practice.engine) as db:
        (found,) = verify_record(db, practice.actor)
    assert found.code == "W_CLOSE_OTHER_VERSION"
    assert "0.0.9" in found.message


def test_an_export_that_is_rebuilt_otherwise_is_named(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file with other bytes is named; of another version's close it is a warning."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    close(practice)
    monkeypatch.setattr("billing.rules.fees.FeeSchedules.basis", "another basis")
    with reading(practice.engine) as db:
        (found,) = verify_record(db, practice.actor)
    assert (found.code, found.message) == (
        "E_EXPORT_DIFFERS",
        "manifest.json is rebuilt with other bytes",
    )
    monkeypatch.setattr(rpm, "__version__", "9.9.9")
    assert findings(practice) == ["W_EXPORT_OTHER_VERSION"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a file is copied
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE reading SET local_day = '2026-01-31' WHERE local_day = '2026-01-02'", "CHANGED"),
        ("DELETE FROM posting WHERE sign = -1", "REMOVED"),
        ("UPDATE posting SET units = 2 WHERE code = '99453'", "CHANGED"),
        ("DELETE FROM audit_event WHERE number = (SELECT MAX(number) FROM audit_event)", "CUT"),
    ],
)
def test_a_changed_copy_is_found(
    practice: Practice,
    settings: Settings,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    statement: str,
    code: str,
) -> None:
    """In a copy of the file without guards a changed, removed or cut row is named."""
    worked(practice)
    practice.engine.dispose()
    copy = tmp_path / "copy.db"
    shutil.copyfile(str(make_url(settings.database_url).database), copy)
    engine = make_engine(settings.model_copy(update={"database_url": f"sqlite:///{copy}"}))
    request.addfinalizer(engine.dispose)
    with transaction(engine) as db:
        names = db.connection().exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        )
        for name in names.scalars().all():
            db.connection().exec_driver_sql(f"DROP TRIGGER {name}")
        db.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        db.connection().exec_driver_sql(statement)
    found = findings(Practice(engine, practice.actor, practice.now))
    assert any(code in one for one in found)


def test_verifying_needs_permission(practice: Practice) -> None:
    """An actor who may not read the audit is refused."""
    nobody = Actor(practice.actor.organization_id, None, None, "biller", frozenset(), "Bo")
    with reading(practice.engine) as db, pytest.raises(NotAllowed):
        verify_record(db, nobody)

"""R15: a backup taken while others write restores elsewhere and proves itself."""

import random
import shutil
from pathlib import Path

import psycopg
import pytest
from copying import Writer, another_place, back_up, entry_ids, restored, silent
from ledger_practice import Practice
from promised import Promised
from sqlalchemy.engine import Engine, make_url

from rpm.access import Actor
from rpm.actions.restore_backup import restore_backup
from rpm.actions.verify_all import verify_all
from rpm.clock import Clock
from rpm.errors import InvalidRequest, ServiceError
from rpm.settings import Settings
from rpm.store.engine import reading

SEED = 20_261


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The practice that is written to."""
    return Practice(engine, actor, clock.now())


@pytest.mark.promise("R15")
def test_backups_under_load_hold_all_that_was_acknowledged(
    practice: Practice, owner_settings: Settings, clock: Clock, tmp_path: Path, promised: Promised
) -> None:
    """What was acknowledged before a backup began is in it, and it verifies when restored."""
    rounds, written = promised.count(15, 2), 0
    with Writer(practice) as writer:
        for number in range(rounds):
            before = set(writer.acknowledged)
            backup = tmp_path / f"backup-{number}"
            back_up(practice.engine, owner_settings, clock.now(), backup)
            written += len(set(writer.acknowledged) - before)
            with (
                another_place(owner_settings, tmp_path) as place,
                restored(backup, place, clock.now()) as engine,
            ):
                held = entry_ids(engine)
                with reading(engine) as db:
                    assert verify_all(db, {}, "test", silent) == []
            # an entry may be committed before the writer has noted it
            assert before <= held <= entry_ids(practice.engine)
    assert written > 0, "nothing was written meanwhile"
    name = make_url(owner_settings.database_url).get_backend_name()
    promised.reached(f"{name}: {rounds} of {rounds} backups taken under load restore and verify")


@pytest.mark.promise("R15")
def test_a_damaged_backup_is_refused_and_changes_nothing(
    practice: Practice, owner_settings: Settings, clock: Clock, tmp_path: Path, promised: Promised
) -> None:
    """A backup with one changed, cut or missing piece is named as damaged; nothing is restored."""
    practice.enrolled()
    sound = tmp_path / "sound"
    back_up(practice.engine, owner_settings, clock.now(), sound)
    tries, choose = promised.count(20, 5), random.Random(SEED)
    for number in range(tries):
        copy = tmp_path / f"damaged-{number}"
        shutil.copytree(sound, copy)
        _damage(copy, choose, number)
        with another_place(owner_settings, tmp_path) as place:
            with pytest.raises(ServiceError) as refused:
                restore_backup(copy, place, clock.now(), silent)
            assert isinstance(refused.value, InvalidRequest), (SEED, number)
            assert _absent(place), (SEED, number)
    name = make_url(owner_settings.database_url).get_backend_name()
    promised.reached(f"{name}: {tries} of {tries} damaged copies refused")


def _damage(backup: Path, choose: random.Random, number: int) -> None:
    files = sorted(backup.iterdir())
    path = files[number % len(files)]
    content = bytearray(path.read_bytes())
    place = choose.randrange(len(content))
    match number % 5:
        case 0 | 1 | 2:
            content[place] ^= 1 << choose.randrange(8)
        case 3:
            del content[place:]
        case _:
            path.unlink()
            return
    path.write_bytes(content)


def _absent(place: Settings) -> bool:
    url = make_url(place.database_url)
    if url.get_backend_name() == "sqlite":
        return not Path(url.database or "").exists()
    server = url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(server.render_as_string(hide_password=False)) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [url.database]
        ).fetchone()
    return known is None


@pytest.mark.promise("R15")
def test_a_practice_goes_on_from_its_backup(
    practice: Practice, owner_settings: Settings, clock: Clock, tmp_path: Path, promised: Promised
) -> None:
    """Backed up under load, restored elsewhere and verified, it goes on: nothing is missing."""
    with Writer(practice) as writer:
        acknowledged = set(writer.acknowledged)
        back_up(practice.engine, owner_settings, clock.now(), tmp_path / "backup")
    with (
        another_place(owner_settings, tmp_path) as place,
        restored(tmp_path / "backup", place, clock.now()) as engine,
    ):
        more = Writer(Practice(engine, practice.actor, clock.now()), writer.chart)
        more.write()
        assert acknowledged | set(more.acknowledged) <= entry_ids(engine)
        with reading(engine) as db:
            assert verify_all(db, {}, "test", silent) == []
    name = make_url(owner_settings.database_url).get_backend_name()
    promised.reached(f"{name}: goes on from the backup, 0 acknowledged missing")

"""R16: manipulations of a record are found and located; a sound record gives no alarm."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from copying import another_place
from ledger_practice import Practice, days
from promised import Promised
from released import opened, releases
from sound_ledgers import fill
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlmodel import Session, select
from tampering import KINDS, Intruder, unguarded

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.export_close import ExportClose, export_close
from rpm.actions.verify import verify_record
from rpm.audit import Anchor
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.migrations import migrate
from rpm.store.snapshot import holdings
from rpm.store.tables.people import Organization
from rpm.store.verify import verify_chain

SEED = 16_000
FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
ROWS_PER_SECOND = 100_000


@pytest.fixture
def released(owner_settings: Settings, tmp_path: Path) -> Iterator[Engine]:
    """A ledger with rows in most tables: the kept database of the newest release."""
    with (
        another_place(owner_settings, tmp_path) as place,
        opened(releases()[-1], place, tmp_path) as engine,
    ):
        migrate(engine)
        yield engine


@pytest.mark.promise("R16")
def test_every_manipulation_is_found_and_located(released: Engine, promised: Promised) -> None:
    """Changed, deleted, inserted and swapped rows, and a cut end or an old copy, are named."""
    with reading(released) as db:
        anchors = holdings(db.connection()).anchors
    organization_id = max(anchors, key=lambda one: anchors[one].number)
    tries = promised.count(500, 60)
    for number in range(tries):
        kind = KINDS[number % len(KINDS)]
        with unguarded(released) as connection:
            done = Intruder(connection, organization_id, SEED + number).tamper(kind)
            with Session(connection) as db:
                places = _places(db, anchors)
        assert done.places & places, (SEED + number, done, sorted(places)[:5])
    with reading(released) as db:
        assert verify_chain(db, organization_id, anchors=[anchors[organization_id]]) == []
    promised.reached(f"{released.dialect.name}: {tries} of {tries} manipulations found and located")


def _places(db: Session, anchors: dict[UUID, Anchor]) -> set[str]:
    """What is named in any organization: a row may be put into another one, or make one."""
    known = set(db.exec(select(Organization.id))) | set(anchors)
    return {
        finding.where
        for one in known
        for finding in verify_chain(
            db, one, anchors=[anchors[one]] if one in anchors else [], limit=1_000
        )
    }


@pytest.mark.promise("R16")
def test_a_sound_record_gives_no_alarm(engine: Engine, clock: Clock, promised: Promised) -> None:
    """Ledgers with corrections, closes and late facts verify without a finding."""
    ledgers = promised.count(50, 6)
    for number in range(ledgers):
        practice = Practice.opened(engine, clock.now())
        _work(practice, random.Random(SEED + number))
        with reading(engine) as db:
            head = chain_head(db, practice.actor.organization_id)
            assert verify_record(db, practice.actor, [head]) == [], SEED + number
    promised.reached(f"{engine.dialect.name}: 0 false alarms on {ledgers} sound ledgers")


def _work(practice: Practice, choose: random.Random) -> None:
    """Some patients with readings, minutes, corrections and one or two closes."""
    for _ in range(choose.randrange(1, 3)):
        patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
        count = choose.randrange(1, 31)
        rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), count))
        entries = [
            practice.entry(
                patient_id, episode_id, date(2026, 1, choose.randrange(1, 31)), seconds=600
            )
            for _ in range(choose.randrange(1, 4))
        ]
        if choose.random() < 0.5:
            _close(practice)
        if choose.random() < 0.5:
            practice.exclude(choose.choice(rows))
        if choose.random() < 0.5:
            practice.reverse(choose.choice(entries))
    _close(practice)


def _close(practice: Practice) -> None:
    with transaction(practice.engine) as db:
        made = close_month(db, practice.actor, FEBRUARY, CloseMonth(month="2026-01")).close
        export_close(db, practice.actor, FEBRUARY, ExportClose(close_id=made.id))


@pytest.mark.alone
@pytest.mark.promise("R16")
def test_a_large_record_is_verified_fast(
    engine: Engine, actor: Actor, clock: Clock, promised: Promised
) -> None:
    """Every row of a large ledger is read and digested; the figure is the best of three walks."""
    practice = Practice(engine, actor, clock.now())
    rows = fill(practice, promised.count(200_000, 5_000), at_once=500)
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))  # as the server does by itself within minutes
        connection.commit()
    seconds = []
    for _ in range(3):
        with reading(engine) as db:
            head = chain_head(db, actor.organization_id)
            began = time.perf_counter()
            assert verify_chain(db, actor.organization_id, anchors=[head]) == []
            seconds.append(time.perf_counter() - began)
    rate = round(rows / min(seconds))
    if promised.full:  # few rows tell of the machine, not of us
        assert rate >= ROWS_PER_SECOND
    promised.reached(f"{engine.dialect.name}: {rows:,} rows, {rate:,} rows/s")

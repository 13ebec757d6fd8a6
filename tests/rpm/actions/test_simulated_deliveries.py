"""A month of a patient's devices through the doors of all vendors: days, repeats, late uploads."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

import pytest
from intake_door import Door
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from devices.delivery import Secret
from devices.device_ids import check_digit
from devices.kinds import ledger_kind
from devices.posting import Posted, Sender, Trouble, deliveries, proved_by
from devices.simulator import Habits, PatientPlan, Sent, readings, usual_series
from devices.speaking import FORMATS
from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Reading, ReadingConflict

FIRST, LAST = date(2025, 11, 3), date(2025, 12, 5)
ZONE = "America/Chicago"
IMEI = "86000000000017" + check_digit("86000000000017")
HABITS = Habits(adherence=0.8, repeat=0.3, late=0.3, manual=0.2, missed_run=0.05)
STORM = Trouble(split=0.7, retry=0.3, delay=0.3, heartbeat_hours=24)


def _sent(kind: str) -> list[Sent]:
    plan = PatientPlan("SYN-1", ZONE, (usual_series(kind, IMEI),), HABITS)
    return readings(plan, FIRST, LAST, seed=7)


def _door(engine: Engine, settings: Settings, actor: Actor, clock: Clock, vendor: str) -> Door:
    scheme = {"kind": proved_by(VENDORS[vendor]).kind}
    return Door(engine, settings, actor, clock.now(), vendor=vendor, scheme=scheme)


def _handed_out(door: Door, kind: str) -> None:
    """A patient in Chicago with a device of the connection's vendor."""
    patient_id = door.practice.patient(timezone=ZONE)
    episode_id = door.practice.episode(patient_id)
    with transaction(door.engine) as db:
        registered = RegisterDevice(
            vendor=door.connection.vendor,
            vendor_device_id=IMEI,
            kind=ledger_kind(kind),
            fda_listed=True,
            automatic=True,
        )
        device = register_device(db, door.actor, door.now, registered)
        given = AssociateDevice(
            device_id=device.id, episode_id=episode_id, from_at=door.now - timedelta(days=400)
        )
        associate_device(db, door.actor, door.now, given)


def _posted(door: Door, sent: Sequence[Sent], trouble: Trouble) -> list[Posted]:
    vendor = door.connection.vendor
    sender = Sender(FORMATS[vendor], proved_by(VENDORS[vendor]), Secret(door.secret))
    return list(deliveries(sent, sender, window=timedelta(0), trouble=trouble, seed=7))


def _take_all(door: Door, posts: Sequence[Posted]) -> None:
    for post in posts:
        door.now = post.sent_at
        door.take(post.incoming)


def _days_wanted(vendor: str, sent: Sequence[Sent]) -> set[date]:
    """Days with an automatic measurement; a scale of mio tells only when it sent."""
    received = (vendor, sent[0].measurement.kind) == ("mio", "weight")
    return {
        (
            one.sent_at.astimezone(one.measurement.local.tzinfo)
            if received
            else one.measurement.local
        ).date()
        for one in sent
        if not one.measurement.manual
    }


TYPED = {"generic", "validic", "fhir"}
"""Vendors that say when a value was typed in; devices of others have only measured ones."""
CASES = [
    (vendor, kind)
    for vendor, known in FORMATS.items()
    for kind in ("bp", "weight")
    if kind in known.kinds
]


@pytest.mark.parametrize(("vendor", "kind"), CASES)
def test_every_day_with_an_automatic_reading_counts(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock, vendor: str, kind: str
) -> None:
    """Repeated, late, split or out of order: days with an automatic reading count, and no other."""
    door = _door(engine, settings, actor, clock, vendor)
    _handed_out(door, kind)
    sent = _sent(kind)
    posts = _posted(door, sent, STORM)
    Random(7).shuffle(posts)
    _take_all(door, posts)
    assert {day for day, word in door.days() if not word} == _days_wanted(vendor, sent)
    said = {one.measurement.id for one in sent if vendor in TYPED or not one.measurement.manual}
    received_only = (vendor, kind) == ("mio", "weight")  # an upload repeated has another time
    if not received_only:
        assert len({row.identity_key for row in door.readings()}) == len(said)
    with reading(door.engine) as db:
        assert device_days.differences(db, door.organization_id) == []
        mine = col(ReadingConflict.organization_id) == door.organization_id
        assert db.exec(select(ReadingConflict).where(mine)).all() == []


def test_parts_that_came_apart_are_whole(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock
) -> None:
    """Pressure and pulse of one inflation, split and out of order, end as one reading with both."""
    door = _door(engine, settings, actor, clock, "tenovi")
    _handed_out(door, "bp")
    posts = _posted(door, _sent("bp"), STORM)
    Random(8).shuffle(posts)
    _take_all(door, posts)
    last: dict[str, Reading] = {}
    for row in door.readings():
        if row.identity_key not in last or row.version > last[row.identity_key].version:
            last[row.identity_key] = row
    assert len(last) > 20
    assert {(row.measure, len(row.components)) for row in last.values()} == {("bp", 3)}

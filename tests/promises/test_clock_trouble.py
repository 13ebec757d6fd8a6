"""R13: days are right through daylight saving, clock steps and skewed devices; closes run once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from intake_door import Door, weight
from ledger_practice import Practice
from promised import Promised
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from devices.delivery import Incoming, Secret
from devices.device_ids import check_digit
from devices.posting import Sender, proved_by
from devices.simulator import Measurement, Sent
from devices.speaking import FORMATS
from devices.vendor import VENDORS
from rpm.access import PERMISSIONS, Actor
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.clock import Clock
from rpm.jobs.schedule import JOBS, run_latest
from rpm.jobs.work import CLOSE_ON_DAY
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.tables.ledger import Close
from rpm.store.tables.monitoring import DeviceDay
from rpm.store.tables.people import Organization, PracticeSetting
from rpm.store.tables.security import DemoClock, JobRun

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

STANDARD = {
    "America/New_York": -5,
    "America/Chicago": -6,
    "America/Denver": -7,
    "America/Los_Angeles": -8,
    "America/Anchorage": -9,
}
"""Hours from UTC in winter; an hour more in summer."""
TWO_O_CLOCK = timedelta(hours=2)
BACK, FORWARD = date(2025, 11, 2), date(2026, 3, 8)
IMEI = "86000000000017" + check_digit("86000000000017")
SKEWS = ("+2 h", "+3 days", "1970", "2000-01-01")
EPOCH = date(1970, 1, 1)
(CLOSING,) = (job for job in JOBS if job.name == "close-due-months")


def offset_hours(zone: str, at: datetime) -> int:
    """What a zone's clocks are set to, reckoned from the dates on which they change at 2:00."""
    standard = STANDARD[zone]
    back = _midnight(BACK) + TWO_O_CLOCK - timedelta(hours=standard + 1)
    forward = _midnight(FORWARD) + TWO_O_CLOCK - timedelta(hours=standard)
    return standard if back <= at < forward else standard + 1


def true_day(zone: str, at: datetime) -> date:
    """The local day of an instant, without the tables of time zones."""
    return (at + timedelta(hours=offset_hours(zone, at))).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _told(at: datetime, zone: str, way: str) -> str:
    """A time of measurement: with the device's offset, or with none that says where it was."""
    if way == "offset":
        hours = offset_hours(zone, at)
        return f"{at + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}-{-hours:02d}:00"
    return f"{at:%Y-%m-%dT%H:%M:%S}{way}"


def _counted(door: Door) -> set[date]:
    """Days that count, over all episodes."""
    with reading(door.engine) as db:
        mine = col(DeviceDay.organization_id) == door.organization_id
        rows = db.exec(select(DeviceDay).where(mine, col(DeviceDay.qualifying_count) > 0)).all()
        assert device_days.differences(db, door.organization_id) == []
    return {EPOCH + timedelta(days=row.day) for row in rows}


def _handed_out(door: Door, zone: str, device: str, kind: str) -> None:
    patient_id = door.practice.patient(timezone=zone)
    episode_id = door.practice.episode(patient_id)
    with transaction(door.engine) as db:
        registered = RegisterDevice(
            vendor=door.connection.vendor,
            vendor_device_id=device,
            kind=kind,
            fda_listed=True,
            automatic=True,
        )
        device_id = register_device(db, door.actor, door.now, registered).id
        given = AssociateDevice(
            device_id=device_id, episode_id=episode_id, from_at=datetime(2025, 1, 1, tzinfo=UTC)
        )
        associate_device(db, door.actor, door.now, given)


@pytest.mark.promise("R13")
@pytest.mark.parametrize("zone", STANDARD)
def test_no_day_is_wrong_when_clocks_change(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    promised: Promised,
    zone: str,
) -> None:
    """Through both changes each reading has its local day, and 23 or 25 hours are one day."""
    door = Door(engine, settings, actor, clock.now())
    _handed_out(door, zone, "scale-1", "scale")
    step = timedelta(minutes=60 // promised.count(12, 1))
    sent: dict[str, date] = {}
    for change in (BACK, FORWARD):
        at = _midnight(change) - timedelta(days=1)
        readings = []
        while at < _midnight(change) + timedelta(days=3):
            for way in ("offset", "Z", "-00:00"):
                name = f"{at.isoformat()} {way}"
                sent[name] = true_day(zone, at)
                readings.append(weight(name, _told(at, zone, way)))
            at += step
        door.now = at
        for first in range(0, len(readings), 1_000):
            door.send(*readings[first : first + 1_000])
    found = {row.vendor_reading_id: row.local_day for row in door.readings()}
    assert found == sent
    assert _counted(door) == set(sent.values())
    promised.reached(
        f"{len(sent):,} readings through both changes in each of 5 zones: 0 wrong days"
    )


def _skewed(at: datetime, skew: str) -> datetime:
    """What a wrong clock tells; one that was reset counts on from there."""
    ahead = {"+2 h": timedelta(hours=2), "+3 days": timedelta(days=3)}.get(skew)
    if ahead is not None:
        return at + ahead
    reset = datetime(1970 if skew == "1970" else 2000, 1, 1, tzinfo=UTC)
    return reset + timedelta(hours=at.hour, minutes=at.minute)


@pytest.mark.promise("R13")
@pytest.mark.parametrize("skew", SKEWS)
def test_no_skewed_device_makes_a_wrong_day(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    promised: Promised,
    skew: str,
) -> None:
    """Uploaded at once, a wrong clock's reading counts on the true day or waits for a person."""
    zone, first = "America/Chicago", datetime(2026, 1, 10, 6, 30, tzinfo=UTC)
    hours = range(0, 24, promised.count(1, 4))
    told, practice = 0, Practice(engine, actor, clock.now())
    for vendor in FORMATS:
        scheme = proved_by(VENDORS[vendor])
        asked = {"kind": scheme.kind}
        door = Door(engine, settings, actor, clock.now(), vendor=vendor, scheme=asked)
        door.practice = practice
        _handed_out(door, zone, IMEI, "bp")
        sender = Sender(FORMATS[vendor], scheme, Secret(door.secret))
        for number, hour in enumerate(hours):
            # a day for each, so that no reading hides behind another one's day
            at = first + timedelta(days=number, hours=hour)
            for item in FORMATS[vendor].items(_measured(at, _skewed(at, skew))):
                door.now = at + timedelta(seconds=20)
                post = sender.request(sender.format.body([item], door.now), door.now)
                answer = door.take(post.incoming)
                told += 1
                same_day = true_day(zone, _skewed(at, skew)) == true_day(zone, at)
                assert not _counted_of(door, vendor) - _true_days(zone, first, number, hours)
                if answer.items[0]["status"] == "accepted":
                    assert skew == "+2 h"
                    assert same_day
        if skew != "+2 h":
            assert _counted_of(door, vendor) == set()
    promised.reached(
        f"{told * len(SKEWS):,} readings of skewed devices of {len(FORMATS)} vendors: 0 wrong days"
    )


def _measured(at: datetime, told_at: datetime) -> Sent:
    values = (("8480-6", "128", "mm[Hg]"), ("8462-4", "79", "mm[Hg]"), ("8867-4", "66", "/min"))
    measured = Measurement("P", IMEI, "bp", "America/Chicago", values, at, told_at)
    return Sent(at + timedelta(seconds=20), measured)


def _true_days(zone: str, first: datetime, number: int, hours: Sequence[int]) -> set[date]:
    return {
        true_day(zone, first + timedelta(days=one, hours=hours[one])) for one in range(number + 1)
    }


def _counted_of(door: Door, vendor: str) -> set[date]:
    """Local days of a vendor's readings that count."""
    return {row.local_day for row in door.readings() if row.vendor == vendor and row.countable}


@pytest.mark.promise("R13")
@pytest.mark.parametrize("hours", [-24, 24])
def test_no_day_is_wrong_while_the_servers_clock_is_a_day_off(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    promised: Promised,
    hours: int,
) -> None:
    """Whatever the server takes for today, a reading's day is that of its measurement."""
    zone, first = "America/New_York", datetime(2026, 1, 5, 0, 10, tzinfo=UTC)
    door = Door(engine, settings, actor, clock.now(), scheme={"kind": "header"})
    _handed_out(door, zone, "scale-1", "scale")
    count = promised.count(480, 60)
    for number in range(count):
        at = first + timedelta(hours=number)
        is_off = number // 12 % 2 == 1  # twelve hours wrong, twelve hours right
        door.now = at + timedelta(seconds=30, hours=hours if is_off else 0)
        item = weight(f"r-{number}", _told(at, zone, "offset"))
        door.take(_posted(door, item))
    for row in door.readings():
        number = int(str(row.vendor_reading_id).removeprefix("r-"))
        assert row.local_day == true_day(zone, first + timedelta(hours=number))
        assert row.countable or row.reason_code == "time_suspect"
    assert len(door.readings()) == count
    promised.reached(f"{count} readings while the server's clock steps ±24 h: 0 wrong days")


def _posted(door: Door, item: Any) -> Incoming:
    sender = Sender(FORMATS["generic"], VENDORS["generic"].schemes[0], Secret(door.secret))
    body = sender.format.body([item], door.now)
    return Incoming({"x-api-key": door.secret}, body)


def _practice_in(engine: Engine, zone: str, now: datetime) -> Actor:
    """A practice in a zone that has its months closed on the second day."""
    actor = Actor(uuid4(), uuid4(), None, "practice_admin", PERMISSIONS, "Ada Admin")
    organization = Organization(
        id=actor.organization_id, name=zone, timezone=zone, npi="1245319599", created_at=now
    )
    practice = Practice(engine, actor, now)
    practice.record(organization)
    practice.record(PracticeSetting(key=CLOSE_ON_DAY, value="2", reason="our habit"))
    return actor


def _instants(change: date, every: timedelta) -> Iterator[datetime]:
    """What the server's clock shows over five days: right, a day ahead, a day behind, right."""
    at, number = _midnight(change) - timedelta(days=2), 0
    while at < _midnight(change) + timedelta(days=3):
        yield at + timedelta(hours=(0, 24, -24, 0)[number // 7 % 4])
        at, number = at + every, number + 1


@pytest.mark.promise("R13")
def test_a_scheduled_close_runs_once_through_clock_steps(
    engine: Engine, settings: Settings, promised: Promised
) -> None:
    """On the day clocks go back, with a clock that steps ±24 h and two schedulers: one each."""
    begins = _midnight(BACK) - timedelta(days=5)
    actors = [_practice_in(engine, zone, begins) for zone in STANDARD]
    with transaction(engine) as db:
        db.add(DemoClock(id=1, instant=begins))
    other = make_engine(settings)
    every = timedelta(minutes=promised.count(15, 90))
    looked = 0
    for instant in _instants(BACK, every):
        with transaction(engine) as db:  # the machine's clock, which may go back
            db.get_one(DemoClock, 1).instant = instant
        for one in (engine, other):
            run_latest(one, settings, CLOSING)
            looked += 1
    other.dispose()
    with reading(engine) as db:
        closes = db.exec(select(Close)).all()
        runs = db.exec(select(JobRun).where(col(JobRun.job) == CLOSING.name)).all()
    # the practices are new: the first look also closes the month before the one that ends
    assert Counter((one.organization_id, one.month_start_day) for one in closes) == Counter(
        (actor.organization_id, date(2025, month, 1)) for actor in actors for month in (9, 10)
    )
    assert len({run.slot for run in runs}) == len(runs)
    assert all("0 failed" in str(run.result) for run in runs)
    promised.reached(
        f"{len(closes)} scheduled closes of 5 zones, looked for {looked} times as clocks step: "
        "each ran once"
    )


def test_the_reckoning_of_days_knows_both_changes(database_url: str) -> None:
    """The oracle itself: the hour that is there twice, and the one that is not there."""
    back = datetime(2025, 11, 2, 6, tzinfo=UTC)
    assert offset_hours("America/New_York", back - timedelta(seconds=1)) == -4
    assert offset_hours("America/New_York", back) == -5
    forward = datetime(2026, 3, 8, 10, tzinfo=UTC)
    assert offset_hours("America/Los_Angeles", forward - timedelta(seconds=1)) == -8
    assert offset_hours("America/Los_Angeles", forward) == -7
    assert true_day("America/Denver", datetime(2026, 1, 10, 6, 59, tzinfo=UTC)) == date(2026, 1, 9)
